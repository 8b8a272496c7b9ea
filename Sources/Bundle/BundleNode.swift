/// A node of a fleet, as the manifest of a bundle names it.
public struct BundleNode: Hashable, Sendable {
    /// Its name, of its directory `nodes/NAME` too.
    public var name: String
    /// The host name.
    public var hostname: String
    /// The address of the card that it boots from, six pairs of hexadecimal digits in lower case with colons.
    public var hardwareAddress: String?
    /// Its SMBIOS UUID in lower case.
    public var uuid: String?

    /// The directory of a bundle that holds one directory for each node.
    public static let directory = "nodes"
    /// What each node has of its own.
    static let roles: [Manifest.Role] = [.overlay, .seed]

    /// Joins the parts.
    public init(name: String, hostname: String, hardwareAddress: String? = nil, uuid: String? = nil) {
        self.name = name
        self.hostname = hostname
        self.hardwareAddress = hardwareAddress
        self.uuid = uuid
    }

    /// Whether a node may have the name: a label of a host name (RFC 1123 §2.1) in lower case.
    static func isName(_ name: String) -> Bool {
        let isInner: (UInt8) -> Bool = { (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-") }
        return (1...63).contains(name.utf8.count) && name.utf8.allSatisfy(isInner) && !name.hasPrefix("-")
            && !name.hasSuffix("-")
    }

    /// Whether a text is the place of a file of a node: `nodes/NODE/FILE`.
    static func isPlace(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return parts.count == 3 && parts[0] == directory && isName(parts[1]) && Manifest.isFileName(parts[2])
    }

    /// What breaks the contract, if anything does: names, addresses and UUIDs belong to one node each, each node of a fleet
    /// has one overlay and one seed, and nothing else belongs to a node.
    static func fault(in description: BundleDescription, among artefacts: [Manifest.Artefact]) -> String? {
        let isHexadecimal: (UInt8) -> Bool = { (48...57).contains($0) || (97...102).contains($0) }
        var owned: [String: Set<Manifest.Role>] = [:]
        var owners: [String: String] = [:]
        for node in description.nodes {
            guard isName(node.name) else {
                return "\(String(reflecting: node.name.prefix(80))) is no name that a node may have"
            }
            guard owned.updateValue([], forKey: node.name) == nil else { return "names the node '\(node.name)' twice" }
            guard (1...253).contains(node.hostname.utf8.count),
                node.hostname.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else { return "'\(node.name)' has no host name" }
            let marks = [(node.hardwareAddress, ":", [2, 2, 2, 2, 2, 2]), (node.uuid, "-", [8, 4, 4, 4, 12])]
            for (mark, separator, lengths) in marks {
                guard let mark else { continue }
                let parts = mark.split(separator: separator, omittingEmptySubsequences: false)
                guard parts.map(\.utf8.count) == lengths, parts.allSatisfy({ $0.utf8.allSatisfy(isHexadecimal) }) else {
                    return "'\(node.name)' has an address or UUID that is none"
                }
                if let other = owners.updateValue(node.name, forKey: mark) {
                    return "gives '\(mark)' to two nodes, '\(other)' and '\(node.name)'"
                }
            }
        }
        for artefact in artefacts {
            guard let node = artefact.node else {
                guard owned.isEmpty || !roles.contains(artefact.role) else {
                    return "is for a fleet, and '\(artefact.file)' is for none of its nodes"
                }
                continue
            }
            guard owned[node] != nil else {
                return "'\(artefact.file)' is for the node '\(node.prefix(80))', which is not named"
            }
            guard roles.contains(artefact.role), owned[node]?.insert(artefact.role).inserted == true else {
                return "'\(artefact.file)' is one file too many for the node '\(node)'"
            }
        }
        let poor = description.nodes.first { owned[$0.name]?.count != roles.count }
        return poor.map { "the node '\($0.name)' lacks its overlay or its seed" }
    }
}

extension BundleDescription {
    /// What a node has shown, as the history keeps it: with the node's name where that is one of a fleet, since a version is
    /// confirmed for all its nodes on the word of one.
    ///
    /// - Parameters:
    ///   - line: What the node has said.
    ///   - name: The name of the node.
    /// - Returns: `node NAME, one of COUNT: LINE`, or the line as it is where the bundle is for one node.
    public func evidence(_ line: String, of name: String) -> String {
        nodes.isEmpty ? line : "node \(name), one of \(nodes.count): \(line)"
    }
}

extension Manifest {
    /// The nodes of a fleet.
    public var nodes: [BundleNode] { description.nodes }
}

extension Manifest.Artefact {
    /// The same, as if it were for the only node.
    var withoutNode: Manifest.Artefact {
        Manifest.Artefact(role: role, file: file, size: size, sha256: sha256, mode: mode)
    }
}
