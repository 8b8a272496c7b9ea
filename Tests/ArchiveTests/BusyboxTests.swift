import Archive
import SystemPackage
import TestSupport
import Testing

/// An archive that tar programs may understand differently, and what the reader makes of it.
struct AmbiguousArchive: Sendable, CustomTestStringConvertible {
    /// How the reader keeps its caller from believing in other members than busybox unpacks.
    enum Answer {
        /// It finds the same ones.
        case same
        /// It throws an error.
        case refused
        /// A member says that its headers disagree, or that it is of a special kind.
        case told
    }

    let testDescription: String
    let answer: Answer
    let bytes: [UInt8]

    init(_ name: String, _ answer: Answer, _ bytes: [UInt8]) {
        (testDescription, self.answer, self.bytes) = (name, answer, bytes + RawTar.bytes([.init("etc/last", "z")]))
    }

    init(_ name: String, _ answer: Answer, _ members: RawTar.Member...) {
        self.init(name, answer, RawTar.bytes(members, ended: false))
    }

    private static let file = RawTar.Member("etc/a", "x")
    private static let gnu = "ustar  \0"
    private static let inner = RawTar.Member("etc/shadow", "root::0:::::\n").bytes

    /// A block with some bytes replaced and its checksum made anew.
    private static func changed(_ member: RawTar.Member, at offset: Int, _ text: String) -> [UInt8] {
        var bytes = member.bytes
        bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(bytes.prefix(512).reduce(0) { $0 + Int($1) }, radix: 8)
        bytes.replaceSubrange(148..<148 + sum.utf8.count, with: sum.utf8)
        return bytes
    }

    static let all: [AmbiguousArchive] = sizes + names + links + headers + owners

    private static let sizes: [AmbiguousArchive] = [
        .init(
            "a record hides a member", .told,
            RawTar.Member.records(("size", "1024")).bytes + RawTar.Member("etc/a", size: 0).bytes + inner),
        .init(
            "a record shows a member", .told,
            RawTar.Member.records(("size", "0")).bytes + RawTar.Member("etc/a", size: 1024).bytes + inner),
        .init("a record repeats the size", .same, .records(("size", "1")), file),
        .init("an empty record of the size", .same, .records(("size", "")), file),
        .init("a directory with a size", .same, RawTar.Member("etc/d/", type: "5", size: 1024).bytes + inner),
        .init("a directory by its slash", .same, RawTar.Member("etc/d/", type: "7", size: 1024).bytes + inner),
        .init("a link with a size", .same, RawTar.Member("etc/l", type: "2", link: "a", size: 1024).bytes + inner),
        .init("a hard link with a size", .same, file.bytes + RawTar.Member("b", type: "1", link: "a", size: 9).bytes),
        .init(
            "a record gives a directory a size", .same,
            RawTar.Member.records(("size", "1024")).bytes + RawTar.Member.directory("etc/d/").bytes + inner),
        .init("a size in base-256", .same, RawTar.Member("a", sizeField: [0x80] + .init(repeating: 0, count: 11))),
        .init("a size after spaces", .same, RawTar.Member("a", sizeField: Array("        000 ".utf8))),
        .init("a size after a sign", .refused, RawTar.Member("a", sizeField: Array("-0000000000 ".utf8))),
    ]

    private static let names: [AmbiguousArchive] = [
        .init("a name in a record", .same, .records(("path", "etc/shadow")), file),
        .init("two names in one header of records", .same, .records(("path", "etc/b"), ("path", "etc/c")), file),
        .init("a name in the first of two", .refused, .records(("path", "etc/b")), .records(("comment", "c")), file),
        .init("a name in the second of two", .refused, .records(("comment", "c")), .records(("path", "etc/b")), file),
        .init("a record, then a long name", .refused, .records(("path", "etc/b")), .long("etc/c"), file),
        .init("a long name, then a record", .refused, .long("etc/c"), .records(("path", "etc/b")), file),
        .init("a long name, then other records", .same, .long("etc/c"), .records(("comment", "c")), file),
        .init("two long names", .refused, .long("etc/b"), .long("etc/c"), file),
        .init("an empty record of the name", .refused, .records(("path", "")), file),
        .init("an empty long name", .refused, .long(""), file),
        .init("a file with a slash by its record", .refused, .records(("path", "etc/d/")), RawTar.Member("etc/a")),
        .init("a file with a slash by its long name", .refused, .long("etc/d/"), RawTar.Member("etc/a")),
        .init("a directory with a slash by its record", .same, .records(("path", "etc/d/")), .directory("etc/e/")),
        .init("a long name with a NUL", .same, .long("etc/b\0c"), file),
        .init("no name but in the record", .same, .records(("path", "etc/b")), RawTar.Member("", "x")),
        .init("a name in two fields", .same, RawTar.Member("a", "x", prefix: "etc/init.d")),
        .init("a name in two fields with slashes", .same, RawTar.Member("/a", "x", prefix: "etc/init.d/")),
        .init("a directory in the first field", .same, RawTar.Member("", prefix: "etc/init.d")),
        .init("a name in two fields of GNU", .refused, RawTar.Member("a", "x", magic: gnu, prefix: "etc/init.d")),
        .init("a name in two fields of v7", .refused, RawTar.Member("a", "x", magic: "", prefix: "etc/init.d")),
    ]

    private static let links: [AmbiguousArchive] = [
        .init("a target in a record", .same, .records(("linkpath", "b")), .link("etc/l", to: "a")),
        .init("an empty record of the target", .refused, .records(("linkpath", "")), .link("etc/l", to: "a")),
        .init(
            "a record, then a long target", .refused, .records(("linkpath", "b")), .long("c", type: "K"),
            .link("etc/l", to: "a")),
        .init("two long targets", .refused, .long("b", type: "K"), .long("c", type: "K"), .link("etc/l", to: "a")),
        .init("an empty file with a target", .refused, file, RawTar.Member("etc/b", link: "etc/a")),
        .init("an empty file with a record of a target", .refused, .records(("linkpath", "b")), RawTar.Member("etc/b")),
        .init("a hard link without a target", .refused, RawTar.Member("etc/b", type: "1")),
        .init("a link without a target", .refused, .link("etc/b", to: "")),
    ]

    private static let headers: [AmbiguousArchive] = [
        .init("an unknown magic", .refused, RawTar.Member("etc/a", "x", magic: "foobar\0\0")),
        .init("another version of ustar", .same, RawTar.Member("etc/a", "x", magic: "ustarXX\0")),
        .init("records in 1 MiB", .refused, .records(("path", "etc/b"), ("comment", filler)), file),
        .init(
            "records in 1 MiB less a byte", .same, .records(("path", "etc/b"), ("comment", "\(filler.dropLast())")),
            file),
        .init("records without a name", .refused, RawTar.Member("", RawTar.record("comment", "c"), type: "x"), file),
        .init(
            "a block of zeros after records", .refused,
            RawTar.Member.records(("path", "etc/b")).bytes + [UInt8](repeating: 0, count: 512) + file.bytes),
        .init("a block of zeros in between", .same, [UInt8](repeating: 0, count: 512) + file.bytes),
        .init("a device number that is none", .refused, changed(RawTar.Member("etc/a"), at: 329, "zzzzzzz")),
        .init("records for all that follows", .same, RawTar.Member("g", RawTar.record("uid", "5"), type: "g"), file),
        .init("a label", .told, .records(("path", "etc/shadow")), RawTar.Member("label", type: "V"), file),
        .init("an unknown type", .told, RawTar.Member("etc/a", type: "Q")),
    ]

    /// Makes the records of `etc/b` and this comment 1 MiB long.
    private static let filler = String(
        repeating: "c", count: (1 << 20) - RawTar.record("path", "etc/b").utf8.count - "1048561 comment=\n".utf8.count)

    private static let owners: [AmbiguousArchive] = [
        .init("a record of another owner", .told, .records(("uid", "0")), RawTar.Member("etc/a", "x", owner: 1000)),
        .init("a record of another group", .told, .records(("gid", "0")), RawTar.Member("etc/a", "x", group: 1000)),
        .init("a record of the same owner", .same, .records(("uid", "7")), RawTar.Member("etc/a", "x", owner: 7)),
        .init("a record of another name", .told, .records(("uname", "a")), RawTar.Member("a", "x", ownerName: "b")),
        .init("a name of an owner in v7", .same, changed(RawTar.Member("etc/a", magic: ""), at: 265, "nobody")),
    ]
}

/// The tar program of Alpine's initramfs decides what an overlay is; the laboratory has the real one.
@Suite struct BusyboxTests {
    /// One member as `tar tv` lists it, but for its mode and its time.
    struct Line: Equatable, CustomStringConvertible {
        var description: String

        init(_ member: ArchiveMember) {
            let target: String?
            let type: String
            switch member.kind {
            case .file: (type, target) = ("-", nil)
            case .directory: (type, target) = ("d", nil)
            case .symlink(let link): (type, target) = ("l", link)
            case .hardlink(let link): (type, target) = ("-", link)
            case .other(let kind): (type, target) = (kind, nil)
            }
            let owner = member.ownerName.isEmpty ? String(member.owner) : member.ownerName
            let group = member.groupName.isEmpty ? String(member.group) : member.groupName
            let slash = member.name.hasSuffix("/") ? "/" : ""
            description =
                "\(type) \(owner)/\(group) \(member.size) \(member.name.split(separator: "/").joined(separator: "/"))"
                + slash + (target.map { " -> \($0)" } ?? "")
        }

        init(_ line: Substring) {
            let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            let name = words.count == 6 ? String(words[5]) : ""
            description = "\(words[0].prefix(1)) \(words[1]) \(words[2]) \(name)"
        }
    }

    /// Lists an archive with the laboratory's busybox; `nil` where it fails, as the boot then does.
    static func list(_ archive: FilePath) async throws -> [Line]? {
        let root = Product.lab.appending("root")
        let libraries = [root.appending("lib").string, root.pushing("usr/lib").string].joined(separator: ":")
        let result = try await run(
            root.pushing("lib/ld-musl-x86_64.so.1").string,
            ["--library-path", libraries, root.pushing("bin/busybox").string, "tar", "tvf", archive.string])
        return result.succeeded ? result.output.split(separator: "\n").map { Line($0) } : nil
    }

    @Test(arguments: AmbiguousArchive.all)
    func `the reader finds what busybox unpacks, or says that it does not`(_ archive: AmbiguousArchive) async throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.tar", archive.bytes)
        let listed = try await Self.list(path)
        let answer: AmbiguousArchive.Answer
        var members: [ArchiveMember] = []
        do {
            var reader = try ArchiveReader(path)
            while let member = try reader.next() { members.append(member) }
            let isTold = members.contains { member in
                if case .other = member.kind { return true }
                return !member.disagreements.isEmpty
            }
            answer = isTold ? .told : .same
        } catch {
            answer = .refused
        }
        #expect(answer == archive.answer, "\(members)")
        if answer == .same { #expect(members.map { Line($0) } == listed) }
    }

    @Test func `busybox lists what it unpacks in the form that is compared here`() async throws {
        let scratch = try Scratch()
        let members = [
            RawTar.Member.directory("etc/"), .init("etc/a", "x", owner: 7, groupName: "wheel"), .link("etc/l", to: "a"),
        ]
        let listed = try await Self.list(try scratch.file("a.tar", RawTar.bytes(members)))
        #expect(
            listed?.map(\.description) == ["d 0/0 0 etc/", "- 7/wheel 1 etc/a", "l 0/0 0 etc/l -> a"])
        #expect(try await Self.list(try scratch.file("b.tar", [UInt8](repeating: 1, count: 512))) == nil)
    }
}
