public import Artefact
public import Node

/// The files of a NoCloud seed: `user-data`, `meta-data`, `network-config` and, where given, `vendor-data`.
///
/// They say the same as the overlay, from the same ``NodeImage``. Which of the two acts depends on what boots: a
/// diskless Alpine takes everything from the overlay and runs no cloud-init, so there the medium is what carries the
/// overlay, and these files say who the machine is. On a cloud image that runs cloud-init they make the same user,
/// names, networks and mount; KubeSolo itself is then not installed by them.
///
/// Equal nodes give equal bytes. Files that hold a secret, which whatever a user supplies is taken for, are marked and
/// have mode `0600`.
public struct Seed: Hashable, Sendable {
    /// The files, all in the root.
    public let files: FileTree
    /// What works otherwise than the user may expect, one line each.
    public let warnings: [String]
    /// The `instance-id`; cloud-init does its first-boot work again when it changes.
    public let instanceIdentifier: String

    /// Makes the files of a node.
    ///
    /// - Throws: ``CloudInitError`` with ``CloudInitError/Code/invalidUserData`` and the place of the fault, or
    ///   ``CloudInitError/Code/invalidSetting``.
    public init(node: NodeImage) throws {
        let config = try CloudConfig(node)
        var files = FileTree()
        func add(_ name: String, _ bytes: [UInt8], isSecret: Bool = false) throws {
            try files.insert(
                TreeEntry(
                    path: EntryPath(name), kind: .file(.bytes(bytes)), mode: isSecret ? .secret : .file, origin: "seed",
                    isSecret: isSecret))
        }
        try add("user-data", Array(config.text.utf8), isSecret: config.isSecret)
        try add("network-config", Array(NetworkConfig(node.network).text.utf8))
        if let vendorData = node.seed.vendorData { try add("vendor-data", vendorData, isSecret: true) }
        switch node.seed.instanceIdentifier {
        case .content: instanceIdentifier = Self.identifier(of: files)
        case .fixed(let text): instanceIdentifier = try Self.check(text)
        }
        let metadata = YAMLValue.object([
            ("instance-id", .text(instanceIdentifier)), ("local-hostname", .text(node.hostname)),
        ])
        try add("meta-data", Array(metadata.document.utf8))
        self.files = files
        warnings = config.warnings
    }

    /// `iid-` and 16 digits of the digest over names, sizes and bytes of the other files.
    private static func identifier(of files: FileTree) -> String {
        var bytes: [UInt8] = []
        for entry in files.entries {
            guard case .file(.bytes(let content)) = entry.kind else { continue }
            bytes += Array("\(entry.path)\n\(content.count)\n".utf8) + content
        }
        return "iid-" + Digest(of: bytes).hex.prefix(16)
    }

    /// cloud-init names a directory below `/var/lib/cloud/instances` by it.
    private static func check(_ identifier: String) throws(CloudInitError) -> String {
        let isName =
            (1...255).contains(identifier.utf8.count) && identifier != "." && identifier != ".."
            && identifier.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }
        guard isName else {
            throw CloudInitError(
                .invalidSetting, subject: "seed.instanceID",
                detail: "\(String(reflecting: String(identifier.prefix(80)))) names no directory; "
                    + "use 1 to 255 printable ASCII characters without blanks and '/'")
        }
        return identifier
    }
}
