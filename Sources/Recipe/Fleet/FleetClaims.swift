internal import Bundle
internal import Node

/// What only one node of a fleet may have: host name, hardware address, UUID, `instance-id`, Portainer's edge identifier,
/// and the static addresses of a site.
struct FleetClaims {
    /// Who was first.
    private struct Claim {
        let node: String
        let position: SourcePosition
    }

    private let file: String
    private var owners: [String: Claim] = [:]
    /// The nodes whose `instance-id` follows from name and version.
    private var named: [String: SourcePosition] = [:]
    /// The `instance-id`s that are given.
    private var given: [(entry: CheckedNode.Entry, place: CheckedNode?, text: String)] = []
    /// The nodes with a static address and no site, and the first of them.
    private var homeless = FleetNames()
    private var firstHomeless: CheckedNode.Entry?
    /// Whether any node with a static address has a site.
    private var hasSites = false
    /// Every claim after the first one.
    private(set) var faults: [ConfigurationFault] = []
    /// What is doubtful about them.
    private(set) var warnings: [ConfigurationFault] = []

    init(file: String) { self.file = file }

    /// Takes the claims of a node.
    ///
    /// - Parameters:
    ///   - entry: The node in the recipe.
    ///   - address: Its hardware address.
    ///   - uuid: Its UUID.
    ///   - site: Where it stands.
    ///   - whole: The whole recipe as it is for this node.
    ///   - recipe: What that was read to.
    mutating func take(
        _ entry: CheckedNode.Entry, address: CheckedNode?, uuid: CheckedNode?, site: String?, whole: CheckedNode,
        _ recipe: Recipe
    ) {
        let node = entry.value
        if let name = recipe.hostname {
            claim("host name", name, entry, node["hostname"], "every node has its own")
        }
        if let text = address?.text { claim("hardware address", text.lowercased(), entry, address, "check the label") }
        if let text = uuid?.text { claim("UUID", text.lowercased(), entry, uuid, "see 'dmidecode -s system-uuid'") }
        if !recipe.isInstanceIdentifierGiven {
            named[entry.key] = entry.keyPosition
        } else if case .fixed(let text) = recipe.seed.instanceIdentifier {
            let place = node["seed"]?["instanceID"]
            claim("instance-id", text, entry, place, Self.leaveOut)
            given.append((entry, place, text))
        }
        let configured = recipe.kubesolo.configuration.last { $0.key == "portainer" }?.value["edgeID"]
        if let text = whole["portainer"]?["edgeID"]?.text {
            claim("portainer.edgeID", text, entry, node["portainer"]?["edgeID"], "every device has its own")
        } else if case .string(let text)? = configured {
            claim("portainer.edgeID", text, entry, nil, "every device has its own")
        }
        takeAddresses(entry, site: site, whole["network"]?["interfaces"]?.entries ?? [])
    }

    private mutating func takeAddresses(_ entry: CheckedNode.Entry, site: String?, _ interfaces: [CheckedNode.Entry]) {
        for item in interfaces.flatMap({ $0.value["addresses"]?.items ?? [] }) {
            guard let address = item.text.flatMap(InterfaceAddress.init)?.address, !address.isLinkLocal else {
                continue
            }
            if site != nil {
                hasSites = true
            } else {
                homeless.add(entry.key)
                firstHomeless = firstHomeless ?? entry
            }
            claim(
                site.map { "address at \($0)" } ?? "address", address.description, entry,
                item.isBelowNodes ? item : nil, "give each its own, or name their sites where they never meet")
        }
    }

    /// Judges what only all nodes together show.
    mutating func finish() {
        for claim in given {
            for index in claim.text.indices where claim.text[index] == "-" {
                let name = String(claim.text[..<index])
                let version = String(claim.text[claim.text.index(after: index)...])
                guard let position = named[name], Self.isVersion(version) else { continue }
                report(
                    claim.entry, claim.place,
                    "\(claim.text) is also the instance-id of \(name) (\(position.line):\(position.column)) at version "
                        + version, Self.leaveOut)
            }
        }
        if hasSites, let first = firstHomeless {
            warnings.append(
                ConfigurationFault(
                    file: file, position: first.keyPosition, keyPath: first.value.path,
                    problem:
                        "has no site, and others have one: all without a site are taken to be at one of their own, "
                        + "and may have the addresses of others (\(homeless.text))",
                    hint: "give every node its site"))
        }
    }

    private static let leaveOut = "leave it out: it then follows from name and version"

    private static func isVersion(_ text: String) -> Bool { (try? Version(text)) != nil }

    private mutating func claim(
        _ label: String, _ value: String, _ entry: CheckedNode.Entry, _ place: CheckedNode?, _ hint: String
    ) {
        let key = "\(label)\n\(value)"
        guard let first = owners[key] else {
            owners[key] = Claim(node: entry.key, position: place?.position ?? entry.keyPosition)
            return
        }
        guard first.node != entry.key else { return }
        report(
            entry, place,
            "\(value) is also the \(label) of \(first.node) (\(first.position.line):\(first.position.column))", hint)
    }

    private mutating func report(
        _ entry: CheckedNode.Entry, _ place: CheckedNode?, _ problem: String, _ hint: String
    ) {
        faults.append(
            ConfigurationFault(
                file: file, position: place?.position ?? entry.keyPosition, keyPath: place?.path ?? entry.value.path,
                problem: problem, hint: hint))
    }
}
