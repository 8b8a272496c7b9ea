internal import Node

/// What only one node of a fleet may have: host name, hardware address, UUID, `instance-id`, and the static addresses
/// of a site.
struct FleetClaims {
    /// Who was first.
    private struct Claim {
        let node: String
        let position: SourcePosition
    }

    private let file: String
    private var owners: [String: Claim] = [:]
    /// Every claim after the first one.
    private(set) var faults: [ConfigurationFault] = []

    init(file: String) { self.file = file }

    /// Takes the claims of a node.
    ///
    /// - Parameters:
    ///   - entry: The node in the recipe.
    ///   - address: Its hardware address.
    ///   - uuid: Its UUID.
    ///   - site: Where it stands.
    ///   - network: The whole recipe as it is for this node.
    ///   - recipe: What that was read to.
    mutating func take(
        _ entry: CheckedNode.Entry, address: CheckedNode?, uuid: CheckedNode?, site: String?, network: CheckedNode,
        _ recipe: Recipe
    ) {
        let node = entry.value
        func own(_ key: String) -> CheckedNode? { node.entries.last { $0.key == key }?.value }
        if let name = recipe.hostname {
            claim("host name", name, entry, own("hostname"), "every node has its own")
        }
        if let text = address?.text { claim("hardware address", text.lowercased(), entry, address, "check the label") }
        if let text = uuid?.text { claim("UUID", text.lowercased(), entry, uuid, "see 'dmidecode -s system-uuid'") }
        if case .fixed(let text) = recipe.seed.instanceIdentifier {
            claim(
                "instance-id", text, entry, own("seed")?.entries.last { $0.key == "instanceID" }?.value,
                "leave it out: it then follows from name and version")
        }
        let interfaces = network.entries.last { $0.key == "network" }?.value.entries
            .last { $0.key == "interfaces" }?.value.entries
        for interface in interfaces ?? [] {
            for item in interface.value.entries.last(where: { $0.key == "addresses" })?.value.items ?? [] {
                guard let address = item.text.flatMap(InterfaceAddress.init)?.address, !address.isLinkLocal else {
                    continue
                }
                let place = item.path.hasPrefix("nodes") ? item : nil
                let label = site.map { "address at \($0)" } ?? "address"
                claim(
                    label, address.description, entry, place,
                    "give each its own, or name their sites where they never meet")
            }
        }
    }

    private mutating func claim(
        _ label: String, _ value: String, _ entry: CheckedNode.Entry, _ place: CheckedNode?, _ hint: String
    ) {
        let position = place?.position ?? entry.keyPosition
        let path = place?.path ?? entry.value.path
        let key = "\(label)\n\(value)"
        guard let first = owners[key] else {
            owners[key] = Claim(node: entry.key, position: position)
            return
        }
        guard first.node != entry.key else { return }
        faults.append(
            ConfigurationFault(
                file: file, position: position, keyPath: path,
                problem:
                    "\(value) is also the \(label) of \(first.node) (\(first.position.line):\(first.position.column))",
                hint: hint))
    }
}
