import Archive
import Artefact
import Glibc
import SystemPackage
import TestSupport
import Testing

/// The programs that unpack overlays must all find the tree that was written; busybox is what the initramfs runs.
@Suite struct PeerTests {
    static let seed: UInt64 = 0x6b73_6275_696c_64
    static let epoch: Int64 = 1_767_225_600

    /// Every shape of tree once, then the ordinary ones.
    static let numbers = Array(0..<50) + (50..<300).filter { $0 % 50 >= 6 }.prefix(160)

    /// The facts that a program restores; owners only for root.
    static func facts(_ program: String) -> DiskTree.Facts {
        let facts: DiskTree.Facts = program == "busybox" ? [] : [.directoryTimes, .linkOwners]
        return geteuid() == 0 ? facts.union(.owners) : facts.subtracting(.linkOwners)
    }

    static func extract(_ archive: FilePath, to directory: FilePath, with program: String) async throws -> String {
        try HostFile.makeDirectory(directory)
        let arguments: [String]
        switch program {
        case "busybox": arguments = ["tar", "-xzf", archive.string, "-C", directory.string]
        case "bsdtar": arguments = ["-P", "--numeric-owner", "-xpzf", archive.string, "-C", directory.string]
        default:
            arguments = ["--warning=no-timestamp", "--numeric-owner", "-xpzf", archive.string, "-C", directory.string]
        }
        let result = try await run(program, arguments, environment: ["LC_ALL": "C"])
        // bsdtar alone says that it cannot convert the names of pax records to this locale; it then takes the bytes.
        let complaints = result.errors.split(separator: "\n").filter {
            !$0.hasSuffix("can't be converted from UTF-8 to current locale.")
                && !$0.hasSuffix("Error exit delayed from previous errors.")
        }
        if program != "bsdtar", !result.succeeded { return "exit \(result.exitCode): \(result.errors)" }
        return complaints.joined(separator: "\n")
    }

    @Test(arguments: 0..<10)
    func `three tar programs and the reader find the same tree in each of 210 generated ones`(_ part: Int) async throws
    {
        for number in Self.numbers.dropFirst(part * 21).prefix(21) {
            let scratch = try Scratch()
            let tree = try TreeGenerator.tree(number, seed: Self.seed)
            let archive = scratch.path.appending("a.tar.gz")
            try TarGzip.write(tree, epoch: Self.epoch, to: archive, mode: .file)
            try Self.check(archive, holds: tree)
            let entries = tree.entries
            for program in ["tar", "busybox", "bsdtar"] {
                let directory = scratch.path.appending(program)
                let complaint = try await Self.extract(archive, to: directory, with: program)
                #expect(complaint.isEmpty, "seed \(Self.seed), tree \(number), \(program): \(complaint)")
                let facts = Self.facts(program)
                let found = try DiskTree.lines(below: directory, facts: facts)
                let wanted = try DiskTree.lines(of: entries, epoch: Self.epoch, facts: facts)
                let difference = Set(found).symmetricDifference(wanted).sorted().prefix(4)
                #expect(difference.isEmpty, "seed \(Self.seed), tree \(number), \(program): \(difference)")
                #expect(found.count == wanted.count)
            }
        }
    }

    private static func check(_ archive: FilePath, holds tree: FileTree) throws {
        var reader = try ArchiveReader(archive)
        var entries = tree.entries[...]
        while let member = try reader.next() {
            guard let entry = entries.popFirst() else { break }
            #expect(member.name == entry.path.string + (entry.isDirectory ? "/" : ""))
            #expect(member.mode == entry.mode && member.owner == entry.owner && member.group == entry.group)
            #expect(member.modified == entry.modified ?? Self.epoch)
            switch entry.kind {
            case .directory: #expect(member.kind == .directory)
            case .symlink(let target): #expect(member.kind == .symlink(target: target))
            case .file(let content): #expect(try content == .bytes(reader.read(limit: 1 << 20)))
            }
        }
        #expect(try entries.isEmpty && reader.next() == nil)
        #expect(reader.summary.hasEndMark && reader.summary.gzipMembers == 1)
    }

    @Test(arguments: ["--format=v7", "--format=oldgnu", "--format=gnu", "--format=ustar", "--format=posix"])
    func `archives of GNU tar are read`(_ format: String) async throws {
        let scratch = try Scratch()
        let hasLongNames = format != "--format=v7"
        let long = hasLongNames ? String(repeating: "n", count: format == "--format=ustar" ? 45 : 120) : "n"
        try scratch.file("tree/\(long)/\(long)/file", "content", mode: .secret)
        try scratch.file("tree/bücher", "")
        try HostFile.makeSymlink(scratch.path.appending("tree/link"), to: "\(long)/\(long)/file")
        try HostFile.link(scratch.path.appending("tree/bücher"), to: scratch.path.appending("tree/second"))
        let result = try await run(
            "tar", [format, "--sort=name", "--owner=who:1001", "--mtime=@77", "-czf", "a.tar.gz", "-C", "tree", "."],
            in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
        var reader = try ArchiveReader(scratch.path.appending("a.tar.gz"))
        var found: [String: ArchiveMember] = [:]
        while let member = try reader.next() {
            found[member.name] = member
            if case .file = member.kind, member.size > 0 {
                #expect(try reader.read(limit: 100) == Array("content".utf8))
            }
        }
        #expect(
            Set(found.keys) == [
                "./", "./\(long)/", "./\(long)/\(long)/", "./\(long)/\(long)/file", "./bücher", "./link", "./second",
            ])
        let file = try #require(found["./\(long)/\(long)/file"])
        #expect(file.mode == .secret && file.owner == 1001 && file.modified == 77 && file.size == 7)
        #expect(file.ownerName == (hasLongNames ? "who" : ""))
        #expect(found["./link"]?.kind == .symlink(target: "\(long)/\(long)/file"))
        #expect(found["./second"]?.kind == .hardlink(target: "./bücher"))
    }

    @Test(arguments: [
        ["busybox", "tar"], ["bsdtar", "--format=pax"], ["bsdtar", "--format=gnutar"], ["bsdtar", "--format=ustar"],
    ])
    func `archives of other tar programs are read, with names beyond 256 bytes`(_ command: [String]) async throws {
        let scratch = try Scratch()
        let isShort = command.contains("--format=ustar")
        let part = String(repeating: "p", count: isShort ? 70 : 200)
        try scratch.file("tree/\(part)/\(part)/file", "content")
        let arguments = Array(command.dropFirst()) + ["-cf", "../a.tar", part]
        let result = try await run(command[0], arguments, in: scratch.path.appending("tree"))
        #expect(result.succeeded, "\(result.errors)")
        var reader = try ArchiveReader(scratch.path.appending("a.tar"))
        var names: [String] = []
        while let member = try reader.next() { names.append(member.name) }
        #expect(names == ["\(part)/", "\(part)/\(part)/", "\(part)/\(part)/file"])
        #expect(reader.summary.gzipMembers == 0 && reader.summary.hasEndMark)
    }
}
