import Artefact
import Glibc
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

struct LayerTests {
    private func overlay(_ layers: FilePath...) throws -> Overlay {
        try Overlay(node: .example { $0.layers = layers }, binary: nil, resources: resources)
    }

    private func fault(_ layer: FilePath) -> String {
        do {
            _ = try overlay(layer)
            return "nothing is wrong"
        } catch let error as OverlayError where error.code == .unusualLayerEntry {
            return error.description
        } catch {
            return "another error: \(error)"
        }
    }

    @Test func `files and links keep their modes and targets, and belong to root`() throws {
        let scratch = try Scratch()
        try scratch.file("etc/site/a.conf", "a", mode: EntryMode(0o640))
        try scratch.file("etc/site/b~", "b", mode: EntryMode(0o755))
        try scratch.file("etc/site/.hidden", "", mode: EntryMode(0o444))
        try HostFile.makeSymlink(scratch.path.pushing("etc/site/link"), to: "/nowhere/../x y")
        try HostFile.makeDirectory(scratch.path.pushing("etc/site/empty"))
        try HostFile.setMode(of: scratch.path.pushing("etc/site/empty"), EntryMode(0o750))
        let tree = try overlay(scratch.path).tree
        func entry(_ path: String) throws -> TreeEntry { try #require(tree[try EntryPath(path)]) }
        #expect(try entry("etc/site/a.conf").mode == EntryMode(0o640))
        #expect(try entry("etc/site/b~").mode == .executable)
        #expect(try entry("etc/site/.hidden").mode == EntryMode(0o444))
        #expect(try entry("etc/site/link").kind == .symlink(target: "/nowhere/../x y"))
        #expect(try entry("etc/site/empty").mode == EntryMode(0o750))
        #expect(try entry("etc/site/a.conf").origin == "layer \(scratch.path)")
        #expect(tree.entries.allSatisfy { $0.owner == 0 || $0.path.string.hasPrefix("home/") })
    }

    @Test func `the last layer wins, and what it covers is said`() throws {
        let first = try Scratch()
        let second = try Scratch()
        try first.file("etc/motd", "first")
        try first.file("etc/site/x", "first")
        try second.file("etc/motd", "second")
        let made = try overlay(first.path, second.path)
        #expect(try made.tree.text("etc/motd") == "second")
        #expect(
            made.covered == [
                CoveredEntry(path: try EntryPath("etc/motd"), layer: "layer \(first.path)", previous: "release"),
                CoveredEntry(
                    path: try EntryPath("etc/motd"), layer: "layer \(second.path)", previous: "layer \(first.path)"),
            ])
    }

    @Test func `a strict umask of a checkout does not close the node's directories`() throws {
        let scratch = try Scratch()
        try scratch.file("etc/site/x", "x")
        try scratch.file("usr/local/bin/tool", "x")
        try scratch.file("root/x", "x")
        for name in ["etc", "etc/site", "usr", "usr/local", "usr/local/bin"] {
            try HostFile.setMode(of: scratch.path.pushing(FilePath(name)), EntryMode(0o700))
        }
        let made = try overlay(scratch.path)
        func mode(_ path: String) throws -> EntryMode? { made.tree[try EntryPath(path)]?.mode }
        #expect(try mode("etc") == .directory)
        #expect(try mode("usr/local/bin") == .directory)
        #expect(try mode("etc/site") == EntryMode(0o700))
        #expect(try mode("root") == .privateDirectory)
        #expect(
            made.warnings.filter { $0.hasPrefix("layer") }.sorted() == [
                "layer \(scratch.path): directory etc has mode 0700; the node's stays 0755",
                "layer \(scratch.path): directory root has mode 0755; the node's stays 0700",
                "layer \(scratch.path): directory usr has mode 0700; the node's stays 0755",
                "layer \(scratch.path): directory usr/local has mode 0700; the node's stays 0755",
                "layer \(scratch.path): directory usr/local/bin has mode 0700; the node's stays 0755",
            ])
    }

    @Test func `what only its owner may read is a secret`() throws {
        let scratch = try Scratch()
        try scratch.file("etc/site/key", "k", mode: .secret)
        #expect(try overlay(scratch.path).tree.holdsSecrets)
    }

    @Test func `the order of the directory does not matter`() throws {
        let a = try Scratch()
        let b = try Scratch()
        let names = ["z", "a", "m", "B", "é", "a.b", "a-b"]
        for name in names { try a.file("etc/site/\(name)", name) }
        for name in names.reversed() { try b.file("etc/site/\(name)", name) }
        let first = try LayerDirectory(a.path, origin: "", modes: .own).entries.map(\.path)
        let second = try LayerDirectory(b.path, origin: "", modes: .own).entries.map(\.path)
        #expect(first == second)
        #expect(first.dropFirst(2).map(\.name) == ["B", "a", "a-b", "a.b", "m", "z", "é"])
    }

    @Test func `a file in the layer's root is refused`() throws {
        let scratch = try Scratch()
        try scratch.file("README", "x")
        let why = "stands in the root of the layer, where Alpine's init takes directories only; move it down"
        #expect(fault(scratch.path) == "\(scratch.path)/README: \(why)")
    }

    @Test(arguments: [(0o4755, "4755"), (0o2755, "2755"), (0o1644, "1644")])
    func `set-id and sticky bits are refused`(mode: Int, shown: String) throws {
        let scratch = try Scratch()
        let path = try scratch.file("usr/bin/x", "x")
        try HostFile.setMode(of: path, EntryMode(UInt16(mode)))
        #expect(fault(scratch.path).hasPrefix("\(path): has mode \(shown):"))
    }

    @Test func `pipes and sockets are refused`() throws {
        let scratch = try Scratch()
        try scratch.file("etc/site/x", "x")
        let path = scratch.path.pushing("etc/site/pipe")
        #expect(unsafe path.withPlatformString { unsafe mkfifo($0, 0o644) } == 0)
        #expect(
            fault(scratch.path) == "\(path): is a device, socket or pipe; only files, directories and links are carried"
        )
    }

    @Test func `names with control characters are refused`() throws {
        let scratch = try Scratch()
        try HostFile.makeDirectory(scratch.path.appending("etc"))
        try HostFile.makeDirectory(scratch.path.pushing("etc/a\nb"))
        #expect(fault(scratch.path).hasSuffix("a name must not hold control characters"))
    }

    @Test func `a directory in the place of a file is refused, and the other way round`() throws {
        let scratch = try Scratch()
        try scratch.file("etc/hostname/x", "x")
        #expect(throws: ArtefactError.self) { try overlay(scratch.path) }
        let other = try Scratch()
        try other.file("etc/init.d", "x")
        #expect(throws: ArtefactError.self) { try overlay(other.path) }
    }

    @Test func `a link in the place of a directory of the tree is refused`() throws {
        let scratch = try Scratch()
        try HostFile.makeDirectory(scratch.path.appending("etc"))
        try HostFile.makeSymlink(scratch.path.pushing("etc/init.d"), to: "/tmp")
        #expect(throws: ArtefactError.self) { try overlay(scratch.path) }
    }

    @Test func `a layer that is missing or no directory is refused`() throws {
        let scratch = try Scratch()
        #expect(throws: ArtefactError.self) { try overlay(scratch.path.appending("none")) }
        #expect(fault(try scratch.file("x", "x")).contains("is no directory"))
    }

    @Test func `bottomless nesting is refused`() throws {
        let scratch = try Scratch()
        let deep = Array(repeating: "d", count: LayerDirectory.maximumDepth + 1).joined(separator: "/")
        try HostFile.makeDirectories(scratch.path.pushing(FilePath(deep)))
        #expect(fault(scratch.path).contains("is nested deeper than 64 directories"))
    }

    @Test func `a kubectl that a layer brings finds its cluster, and without one nothing is said of it`() throws {
        let scratch = try Scratch()
        try scratch.file("usr/local/bin/kubectl", "#!/bin/sh\n", mode: .executable)
        let settings = try overlay(scratch.path).tree.text("etc/profile.d/kubesolo.sh")
        #expect(
            settings?.hasSuffix("\nexport KUBECONFIG='/var/lib/kubesolo/pki/admin/admin.kubeconfig'\n") == true)
        #expect(try overlay().tree[try EntryPath("etc/profile.d/kubesolo.sh")] == nil)
        try scratch.file("etc/profile.d/kubesolo.sh", "# mine\n")
        #expect(try overlay(scratch.path).tree.text("etc/profile.d/kubesolo.sh") == "# mine\n")
    }
}
