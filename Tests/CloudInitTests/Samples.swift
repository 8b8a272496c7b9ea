import Artefact
import CloudInit
import Node
import SystemPackage

/// Nodes for tests.
enum Samples {
    static func key(_ comment: String = "alice@example") -> SSHPublicKey? {
        try? SSHPublicKey(
            parsing: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFRJrQpVbUb2QgJVNe0uUGRFBlPpwkzTJq0CUlFQv3Kk \(comment)")
    }

    static func node(
        hostname: String = "edge-001", network: Network = .dhcpOnFirstInterface, users: [User]? = nil,
        hostKeys: Access.HostKeys = .persistent, dataDisk: DataDisk = DataDisk(), seed: SeedSettings = SeedSettings()
    ) throws -> NodeImage {
        guard let version = KubeSoloVersion("v1.2.2") else { throw Errno.invalidArgument }
        let standard = User(name: "alpine", identifier: 1000, doas: true, authorizedKeys: [key()].compactMap { $0 })
        return NodeImage(
            name: "edge", hostname: hostname, architecture: .x86_64,
            alpine: AlpineRelease(version: "3.23.6", flavor: .virt),
            kubesolo: KubeSolo(version: version, variant: .offline), network: network,
            access: Access(users: users ?? [standard], hostKeys: hostKeys), dataDisk: dataDisk,
            packages: ["doas", "openssh"], repositories: [], layers: [], consoles: ["tty0"], kernelParameters: [],
            seed: seed, stamp: BuildStamp(version: "1.4.0", epoch: BuildStamp.defaultEpoch))
    }

    static func node(userData: String) throws -> NodeImage {
        try node(seed: SeedSettings(userData: Array(userData.utf8)))
    }
}

extension FileTree {
    /// The text of a file in the root.
    func text(_ name: String) throws -> String {
        guard let entry = self[try EntryPath(name)], case .file(.bytes(let bytes)) = entry.kind else {
            throw Errno.noSuchFileOrDirectory
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
