internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

private let short = String(repeating: "0123456789abcdef", count: 4)
private let other = String(repeating: "fedcba9876543210", count: 4)
private let long = short + other

private func list(_ text: String) throws -> ChecksumFile { try ChecksumFile(bytes: Array(text.utf8), named: "SUMS") }

/// A list that must be refused, where and why.
struct BadList: Sendable, CustomTestStringConvertible {
    let what: String
    let bytes: [UInt8]
    let message: String

    init(_ what: String, _ text: String, _ message: String) {
        self.init(what, bytes: Array(text.utf8), message)
    }

    init(_ what: String, bytes: [UInt8], _ message: String) {
        self.what = what
        self.bytes = bytes
        self.message = message
    }

    var testDescription: String { what }

    static let all: [BadList] = [
        BadList("empty", "", "SUMS: lists no file"),
        BadList("comments only", "# nothing\n\n", "SUMS: lists no file"),
        BadList("digest alone", "\(short)\n", "SUMS:1:65: expected a file name after the digest"),
        BadList("one blank", "\(short) a.iso\n", "SUMS:1:65: expected two blanks, or a blank and '*' after the digest"),
        BadList("tab", "\(short)\ta.iso\n", "SUMS:1:65: holds a control character"),
        BadList("no name", "\(short)  \n", "SUMS:1:67: expected a file name"),
        BadList("a directory", "\(short)  dir/\n", "SUMS:1:67: expected a file name"),
        BadList("63 digits", "\(short.dropLast())  a\n", "SUMS:1:1: has a digest of 63 hexadecimal digits"),
        BadList("65 digits", "\(short)0  a\n", "SUMS:1:1: has a digest of 65 hexadecimal digits"),
        BadList("not hexadecimal", "g\(short.dropFirst())  a\n", "SUMS:1:1: expected a SHA-256 or SHA-512 digest"),
        BadList("MD5", "\(short.prefix(32))  a\n", "SUMS:1:1: has an MD5 digest"),
        BadList("SHA-1", "\(short.prefix(40))  a\n", "SUMS:1:1: has a SHA-1 digest"),
        BadList("carriage return", "\(short)  a\r\n", "SUMS:1:68: ends with a carriage return"),
        BadList("leading blank", " \(short)  a\n", "SUMS:1:1: expected a SHA-256 or SHA-512 digest"),
        BadList("second line bad", "\(short)  a\n\nnonsense\n", "SUMS:3:1: expected a SHA-256 or SHA-512 digest"),
        BadList("twice", "\(short)  a\n\(short)  x/a\n", "SUMS:2:1: lists a again (first on line 1)"),
        BadList(
            "conflict", "\(short)  a\n# c\n\(other) *a\n", "SUMS:3:1: lists a with another digest (first on line 1)"),
        BadList("NUL", "\(short)  a\0b\n", "SUMS:1:68: holds a control character"),
        BadList(
            "not UTF-8", bytes: Array("\(short)  ".utf8) + [0xff, 0xfe, 0x0a], "SUMS:1:67: has a name that is not UTF-8"
        ),
        BadList(
            "HTML page", "<!DOCTYPE html>\n<html>", "SUMS:1:1: expected a SHA-256 or SHA-512 digest (the file looks"),
        BadList(
            "gzip", bytes: [0x1f, 0x8b, 0x80, 0xff], "SUMS:1:1: holds a control character (the file looks like a gzip"),
        BadList("BSD without equals", "SHA256 (a) \(short)\n", "SUMS:1:12: expected ') = ' and the digest"),
        BadList("BSD cut", "SHA256 (a) = \(short.dropLast(4))\n", "SUMS:1:14: has 60 digits where SHA-256 has 64"),
        BadList("BSD without name", "SHA256 () = \(short)\n", "SUMS:1:9: expected a file name"),
        BadList("BSD truncated", "SHA512 (", "SUMS:1:9: expected ') = ' and the digest"),
        BadList("escaped line break", "\\\(short)  a\\nb\n", "SUMS:1:69: has a file name with a line break"),
        BadList(
            "long name", "\(short)  \(String(repeating: "n", count: 4096))\n", "SUMS:1:67: has a name of more than"),
        BadList("many lines", String(repeating: "#\n", count: 10_001), "SUMS:10001:1: more than 10000 lines"),
        BadList(
            "too large", String(repeating: "\(String(repeating: "#", count: 1023))\n", count: 1025),
            "SUMS: is no checksum file (more than 1048576 bytes)"),
    ]
}

struct ChecksumFileTests {
    @Test func `both forms, escapes, comments and directories are read`() throws {
        let sums = try list(
            """
            # made by hand
            \(short)  alpine-virt-3.23.6-x86_64.iso

            \(other.uppercased()) *some/where/kubesolo.tar.gz
            SHA256 (a (b) = c) = \(short)
            SHA512 (a (b) = c) = \(long)
            \\\(short)  back\\\\slash
            """)
        #expect(sums.entries.map(\.line) == [2, 4, 5, 6, 7])
        #expect(sums.entry(for: "/elsewhere/alpine-virt-3.23.6-x86_64.iso")?.hex == short)
        #expect(sums.entry(for: "kubesolo.tar.gz")?.hex == other)
        #expect(sums.entry(for: "a (b) = c", .sha512)?.hex == long)
        #expect(sums.entry(for: "a (b) = c", .sha256)?.hex == short)
        #expect(sums.entry(for: "back\\slash")?.hex == short)
        #expect(sums.entry(for: "kubesolo.tar.gz", .sha512) == nil)
    }

    @Test func `a last line without a line break counts`() throws {
        #expect(try list("\(short)  a").entries.count == 1)
    }

    @Test func `a file that is not listed is told apart from a bad list`() throws {
        let sums = try list("\(short)  a\n\(short)  b\n\(short)  c\n\(short)  d\n")
        let error = #expect(throws: UpstreamError.self) { try sums.requiredEntry(for: "dir/e") }
        #expect(error?.code == .notListed)
        #expect(
            error?.description.hasPrefix("SUMS: does not list e with a SHA-256 digest (it lists a, b, c and 1 more)")
                == true)
    }

    @Test(arguments: BadList.all) func `a line that breaks the rules is refused with its place`(_ bad: BadList) {
        let error = #expect(throws: UpstreamError.self) { try ChecksumFile(bytes: bad.bytes, named: "SUMS") }
        #expect(error?.code == .malformed)
        #expect(error?.failureClass == .data)
        #expect(error?.description.hasPrefix(bad.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.utf8.contains(0x0a) == false)
    }

    @Test func `a list larger than the limit is not read in full`() throws {
        let scratch = try Scratch()
        let path = try scratch.file("SUMS", [UInt8](repeating: 0x23, count: ChecksumFile.maximumBytes + 1))
        #expect(throws: ArtefactError.self) { try ChecksumFile(path) }
    }

    @Test(arguments: [
        ["sha256sum"], ["sha256sum", "--tag"], ["sha512sum"], ["sha512sum", "--tag"], ["sha256sum", "-b"],
    ])
    func `what coreutils writes is read`(_ command: [String]) async throws {
        let scratch = try Scratch()
        let names = ["plain", "with blank", "pa(ren) = x", "back\\slash", "öäü"]
        for name in names { try scratch.file(name, name) }
        let result = try await run(command[0], Array(command.dropFirst()) + names, in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
        let sums = try ChecksumFile(bytes: Array(result.output.utf8), named: "SUMS")
        for name in names where command[0] == "sha256sum" {
            #expect(sums.entry(for: name)?.hex == Digest(of: name.utf8).hex, "\(name)")
        }
        #expect(sums.entries.count == names.count)
    }

    @Test func `the lab's lists are read`() throws {
        let sums = try ChecksumFile(FilePath(Lab.alpineImage.string + ".sha256"))
        #expect(sums.entry(for: "alpine-virt-3.23.6-x86_64.iso") != nil)
    }

    @Test(arguments: [
        ("", "empty"), ("sha256:", "empty"), ("abc", "3 digits"), (String(repeating: "a", count: 40), "SHA-1"),
        (long, "SHA-512"),
        (String(repeating: "a", count: 32), "MD5"), ("x" + short.dropFirst(), "byte 1 is no hexadecimal digit"),
        (short + " ", "byte 65"),
    ])
    func `a malformed pin says what it looks like`(_ text: String, _ why: String) {
        let error = #expect(throws: UpstreamError.self) { try Pin.digest(text, named: "alpine.sha256") }
        #expect(error?.code == .invalidPin)
        #expect(error?.description.contains(why) == true, "\(error?.description ?? "")")
    }

    @Test func `a pin may carry the name of its digest and capitals`() throws {
        #expect(try Pin.digest("sha256:" + short.uppercased(), named: "pin").hex == short)
        #expect(try Pin.digest(short, named: "pin").hex == short)
    }
}
