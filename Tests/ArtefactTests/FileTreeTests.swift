import Artefact
import Testing

@Suite struct FileTreeTests {
    @Test func `parents are made as needed, 0755 and owned by root`() throws {
        var tree = FileTree()
        try tree.addFile("etc/init.d/kubesolo", "#!/sbin/openrc-run\n", mode: .executable, origin: "services")
        #expect(tree.entries.map(\.path.string) == ["etc", "etc/init.d", "etc/init.d/kubesolo"])
        #expect(tree.entries.map(\.mode.description) == ["0755", "0755", "0755"])
        #expect(tree.entries.allSatisfy { $0.owner == 0 && $0.group == 0 })
    }

    @Test func `two writers of one file are told who they are`() throws {
        var tree = FileTree()
        try tree.addFile("etc/hostname", "a\n", origin: "identity")
        #expect {
            try tree.addFile("etc/hostname", "b\n", origin: "network")
        } throws: { error in
            "\(error)" == "etc/hostname: comes from network and from identity; only one of them can stay"
        }
        #expect(tree[try EntryPath("etc/hostname")]?.kind == .file(.text("a\n")))
    }

    @Test func `a directory that is there takes over the mode of a later one`() throws {
        var tree = FileTree()
        try tree.addFile("home/a/.ssh/authorized_keys", "", mode: .secret, origin: "access")
        try tree.addDirectory("home/a/.ssh", mode: .privateDirectory, origin: "access")
        #expect(tree[try EntryPath("home/a/.ssh")]?.mode == .privateDirectory)
    }

    @Test func `a layer covers a file and says what it covered`() throws {
        var tree = FileTree()
        try tree.addFile("etc/motd", "a\n", origin: "identity")
        let covered = try tree.overlay(
            TreeEntry(path: EntryPath("etc/motd"), kind: .file(.text("b\n")), mode: .file, origin: "layer site"))
        #expect(covered?.origin == "identity")
        #expect(tree[try EntryPath("etc/motd")]?.kind == .file(.text("b\n")))
    }

    @Test func `a layer never turns a directory into a file or the other way round`() throws {
        var tree = FileTree()
        try tree.addFile("etc/motd", "a\n", origin: "identity")
        #expect(throws: ArtefactError.self) {
            try tree.overlay(TreeEntry(path: EntryPath("etc"), kind: .file(.text("")), mode: .file, origin: "layer x"))
        }
        #expect(throws: ArtefactError.self) {
            try tree.overlay(
                TreeEntry(path: EntryPath("etc/motd/x"), kind: .file(.text("")), mode: .file, origin: "layer x"))
        }
        #expect(tree.count == 2)
    }

    @Test func `the order of insertion leaves no trace`() throws {
        let names = ["z", "a/b", "a/c/d", "m", "a-b/x"]
        var one = FileTree()
        var other = FileTree()
        for name in names { try one.addFile(name, name, origin: "t") }
        for name in names.reversed() { try other.addFile(name, name, origin: "t") }
        #expect(one.entries == other.entries)
    }
}
