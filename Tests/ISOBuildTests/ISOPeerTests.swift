import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

@Suite struct ISOPeerTests {
    static let seed: UInt64 = 20_260_101
    static let count = 500

    @Test func `every peer reads what was written, for 500 generated trees`() async throws {
        let scratch = try Scratch()
        let writer = ISOWriter(volumeIdentifier: "cidata", epoch: BuildStamp.defaultEpoch)
        for number in 0..<Self.count {
            let tree = try TreeGenerator.tree(number, seed: Self.seed)
            let name = "\(1000 + number)"
            let image = scratch.path.appending("\(name).iso")
            try writer.write(tree, to: image, mode: .file, digesting: false)
            try StagedFile.write(
                Array(ImageListing.lines(of: tree, epoch: BuildStamp.defaultEpoch).utf8),
                to: scratch.path.appending("\(name).expect"))
            try Self.expectOwnReaderAgrees(image, tree, number)
        }
        let script = Product.checkout.pushing("Tests/Peers/iso.py")
        let result = try await run("python3", [script.string, scratch.path.string])
        print(result.output)
        #expect(result.succeeded, "seed \(Self.seed): \(result.errors)")
    }

    private static func expectOwnReaderAgrees(_ image: FilePath, _ tree: FileTree, _ number: Int) throws {
        let reader = try ISOReader(image)
        let found = try reader.entries()
        let wanted = tree.entries
        #expect(found.count == wanted.count, "tree \(number), seed \(seed)")
        for (have, want) in zip(found, wanted) {
            var bytes: [UInt8] = []
            if have.kind == .file { bytes = try reader.read(have, limit: 1 << 20) }
            var isSame = have.path.utf8.elementsEqual(want.path.string.utf8) && have.mode == want.mode
            isSame = isSame && have.owner == want.owner && have.group == want.group && have.size == want.size
            isSame = isSame && have.modified == want.modified ?? BuildStamp.defaultEpoch
            switch want.kind {
            case .directory: isSame = isSame && have.kind == .directory
            case .file(let content): isSame = isSame && have.kind == .file && content == .bytes(bytes)
            case .symlink(let target): isSame = isSame && have.kind == .symlink(target: target)
            }
            #expect(isSame, "tree \(number), seed \(seed): \(have) is not \(want.path)")
        }
    }
}
