internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import Upstream

private let bytes: [UInt8] = [0x88, 1, 2, 3, 4, 5, 6, 7, 8, 9]

private func armor(
    _ body: String = "iAECAwQFBgcICQ==", _ sum: String? = nil, head: String = "Version: 1\n\n",
    end: String = "-----END PGP SIGNATURE-----\n"
) -> String {
    "-----BEGIN PGP SIGNATURE-----\n\(head)\(body)\n\(sum.map { "=\($0)\n" } ?? "")\(end)"
}

private func decode(_ text: String) throws -> [UInt8] {
    try ASCIIArmor.packets(of: Array(text.utf8), .signature, named: "S")
}

@Suite(.timeLimit(.minutes(5))) struct ASCIIArmorTests {
    @Test func `CRC-24 is the one of the specification`() {
        #expect(ASCIIArmor.crc24("123456789".utf8) == 0x21_cf02)
        #expect(ASCIIArmor.crc24([]) == 0xb7_04ce)
    }

    @Test func `armour is read with header fields or without, with checksum or without, among text`() throws {
        #expect(try decode(armor()) == bytes)
        #expect(try decode(armor(head: "\n")) == bytes)
        #expect(try decode(armor("iAEC\nAwQF\nBgcI\nCQ==")) == bytes)
        #expect(try decode("see below\n" + armor() + "\nthe end\n") == bytes)
        #expect(try decode(armor() + armor()) == bytes + bytes)
        #expect(try decode(armor().replacing("\n", with: " \r\n")) == bytes)
        #expect(try ASCIIArmor.packets(of: bytes, .signature, named: "S") == bytes)
    }

    @Test(arguments: [
        (armor("iAEC*wQF"), "S:4:1: holds what is no base64"), (armor("iAECA"), "S:5:1: ends a block whose base64"),
        (armor("iAECAw"), "S:5:1: ends a block whose base64"), (armor("iAECAx=="), "S:5:1: ends a block whose base64"),
        (armor("iA==iA=="), "S:4:1: holds what is no base64"), (armor("===="), "S:4:1: is no checksum"),
        (armor(""), "S:5:1: ends a block whose base64 is incomplete"),
        (armor(end: ""), "S:4:1: is the end of the file"),
        (armor(end: "-----END PGP MESSAGE-----\n"), "S:5:1: is not the last line of the block that began on line 1"),
        (armor(end: "-----BEGIN PGP SIGNATURE-----\n"), "S:5:1: is not the last line"),
        (armor(head: ""), "S:2:1: is neither a header field nor"), (armor(head: "Version: 1\n"), "S:3:1: is neither"),
        (armor("iAEC", "AAAA"), "S:6:1: ends a block whose checksum"), (armor("iAEC", "AA"), "S:5:1: is no checksum"),
        (armor("iAEC\n=6O4A\niAEC"), "S:6:1: follows the checksum"),
        (armor(String(repeating: "A", count: 2000)), "S:4:1: is longer than 1024 bytes"),
    ])
    func `damaged armour is refused with its line`(_ text: String, _ message: String) {
        let error = #expect(throws: SignatureError.self) { try decode(text) }
        #expect(error?.code == .malformedArmor)
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a private key is refused as one`() {
        let text = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\niAEC\n-----END PGP PRIVATE KEY BLOCK-----\n"
        let error = #expect(throws: SignatureError.self) {
            try ASCIIArmor.packets(of: Array(text.utf8), .publicKey, named: "K")
        }
        #expect(error?.code == .noKey)
        #expect(error?.description.hasPrefix("K:1:1: is a private key") == true)
    }

    @Test func `what gpg armours is what gpg unpacks`() async throws {
        let scratch = try Scratch()
        var random = SeededGenerator(seed: 20_261_130)
        for length in [1, 2, 3, 47, 48, 49, 100, 5000] {
            var content = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            content[0] = 0x88
            try scratch.file("packets", content)
            let result = try await run("gpg", ["--enarmor", "--output", "-", "packets"], in: scratch.path)
            let text = result.output.replacing("PGP ARMORED FILE", with: "PGP SIGNATURE")
            #expect(try decode(text) == content, "\(result.errors)")
        }
    }

    @Test func `random changes give packets or an error`() {
        var random = SeededGenerator(seed: 20_261_131)
        let inputs = [armor(), armor("iAEC", "6O4A"), armor() + armor()].map { Array($0.utf8) }
        for round in 0..<3000 {
            let text = changed(inputs[round % inputs.count], &random)
            do { _ = try ASCIIArmor.packets(of: text, .signature, named: "S") } catch {
                #expect(!error.description.utf8.contains(0x0a), "round \(round)")
            }
        }
    }
}
