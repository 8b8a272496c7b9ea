import Artefact
import Glibc
import Node
import SystemPackage

@testable import APKOVL

/// The directory that ksbuild takes scripts and fixed files from, in this checkout.
let resources = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    .appending("overlays")

/// The laboratory's extracted root of the Alpine release under test.
let labRoot: FilePath = {
    let lab = unsafe getenv("KSBUILD_LAB").map { unsafe String(cString: $0) }
    let home = unsafe getenv("HOME").map { unsafe String(cString: $0) } ?? "/root"
    return FilePath(lab ?? "\(home)/.cache/ksbuild-lab").appending("root")
}()

/// A key that no one has.
let exampleKey = SSHPublicKey(
    type: "ssh-ed25519", base64: "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
    comment: "someone@example.org")

extension NodeImage {
    /// What the starter recipe comes to, with one user.
    static func example(_ change: (inout NodeImage) -> Void = { _ in }) -> NodeImage {
        guard let version = KubeSoloVersion("v1.2.2") else { preconditionFailure("a version") }
        var node = NodeImage(
            name: "kubesolo", hostname: "node1", architecture: .x86_64,
            alpine: AlpineRelease(version: "3.23.6", flavor: .virt),
            kubesolo: KubeSolo(version: version, variant: .offline), network: .dhcpOnFirstInterface,
            access: Access(users: [
                User(name: "alpine", identifier: 1000, doas: true, authorizedKeys: [exampleKey])
            ]),
            dataDisk: DataDisk(), packages: ["chrony", "doas", "e2fsprogs", "e2fsprogs-extra", "openssh", "openssl"],
            repositories: [], layers: [],
            consoles: ["tty0", "ttyS0"], kernelParameters: [], seed: SeedSettings(),
            stamp: BuildStamp(version: "1.0.0", epoch: BuildStamp.defaultEpoch))
        change(&node)
        return node
    }
}

extension FileTree {
    /// The text of a file, or `nil` where there is none.
    func text(_ path: String) throws -> String? {
        guard let entry = self[try EntryPath(path)], case .file(let content) = entry.kind else { return nil }
        var bytes: [UInt8] = []
        try content.forEachChunk { chunk in unsafe chunk.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Lays the tree down on the host with its modes, and with its owners where the user may do that.
    func write(below root: FilePath) throws {
        for entry in entries {
            let path = root.pushing(FilePath(entry.path.string))
            switch entry.kind {
            case .directory: try HostFile.makeDirectory(path)
            case .symlink(let target): try HostFile.makeSymlink(path, to: target)
            case .file(let content):
                var file = try StagedFile(path)
                try content.forEachChunk { try file.write($0) }
                try file.commit(mode: entry.mode)
            }
            if geteuid() == 0 { _ = unsafe path.withPlatformString { unsafe lchown($0, entry.owner, entry.group) } }
        }
        for entry in entries.reversed() where entry.isDirectory {
            try HostFile.setMode(of: root.pushing(FilePath(entry.path.string)), entry.mode)
        }
    }
}

extension Overlay {
    /// The overlay of a node, with files from a directory such as `overlays`.
    init(node: NodeImage, binary: BinaryPin?, resources: FilePath) throws {
        try self.init(node: node, binary: binary, sources: OverlaySources(resources: resources))
    }
}
