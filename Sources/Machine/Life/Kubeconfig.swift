internal import Artefact
internal import Yams

/// The configuration by which `kubectl` reaches the cluster of a machine.
///
/// Made of the administrator's own on the node: the bytes of the authority and of the client's certificate and key are
/// taken, and nothing else, since a configuration can name programs to run; the names become that of the machine, and
/// the server's address one that leads there from this host.
public struct Kubeconfig {
    /// Where a node has the administrator's.
    public static let path = "/var/lib/kubesolo/pki/admin/admin.kubeconfig"

    /// The document.
    public let text: String
    private let cluster: Node
    private let user: Node
    private let context: Node
    private let name: String

    /// Takes the administrator's configuration of a node.
    ///
    /// - Parameters:
    ///   - text: The document.
    ///   - name: The machine's name.
    ///   - server: Where its API is.
    /// - Throws: ``MachineError`` with ``MachineError/Code/damagedRecord`` for what is no such document.
    public init(_ text: String, for name: String, at server: NodeAccess.Endpoint) throws {
        guard text.utf8.count <= 1 << 20, let root = try? Yams.compose(yaml: text)?.mapping,
            let chosen = root["current-context"]?.string,
            let context = Self.named(chosen, in: root["contexts"])?["context"]?.mapping,
            let clusterName = context["cluster"]?.string, let userName = context["user"]?.string,
            let authority = Self.named(clusterName, in: root["clusters"])?["cluster"]?["certificate-authority-data"]?
                .string,
            let given = Self.named(userName, in: root["users"])?["user"]?.mapping,
            let user = Self.credentials(given)
        else {
            throw MachineError(
                .damagedRecord, subject: Self.path, detail: "is no configuration of a cluster that could be used")
        }
        let cluster = Node([
            (Node("certificate-authority-data"), Node(authority)),
            (Node("server"), Node("https://\(server.address):\(server.port)")),
        ])
        self.name = name
        self.cluster = Self.entry(name, "cluster", cluster)
        self.user = Self.entry(name, "user", user)
        self.context = Self.entry(
            name, "context", Node([(Node("cluster"), Node(name)), (Node("user"), Node(name))]))
        self.text = try Yams.serialize(
            node: Node([
                (Node("apiVersion"), Node("v1")), (Node("kind"), Node("Config")),
                (Node("clusters"), Node([self.cluster])),
                (Node("contexts"), Node([self.context])), (Node("current-context"), Node(name)),
                (Node("users"), Node([self.user])),
            ]))
    }

    /// A configuration that others have written, with this cluster in it, in the place of one of its name.
    ///
    /// - Parameters:
    ///   - existing: The document; an empty one counts as none.
    ///   - file: Its name, for messages.
    /// - Returns: The document, with this cluster the current one.
    /// - Throws: ``MachineError`` with ``MachineError/Code/damagedRecord`` for what is no such document.
    public func merged(into existing: String, named file: String) throws -> String {
        guard existing.contains(where: { !$0.isWhitespace }) else { return text }
        guard existing.utf8.count <= 16 << 20, var root = try? Yams.compose(yaml: existing)?.mapping else {
            throw MachineError(
                .damagedRecord, subject: file, detail: "is no configuration of kubectl; nothing was written to it")
        }
        for (key, entry) in [("clusters", cluster), ("contexts", context), ("users", user)] {
            let others = (root[key]?.sequence.map(Array.init) ?? []).filter { $0["name"]?.string != name }
            root[Node(key)] = Node(others + [entry])
        }
        root["current-context"] = Node(name)
        return try Yams.serialize(node: Node.mapping(root))
    }

    /// What a user proves himself with: bytes alone, no program of this host that a node could name, and no file.
    private static func credentials(_ given: Node.Mapping) -> Node? {
        let keys = ["client-certificate-data", "client-key-data", "token"]
        let found = keys.compactMap { key in given[key]?.string.map { (Node(key), Node($0)) } }
        guard given["token"]?.string != nil || found.count == 2 else { return nil }
        return Node(found)
    }

    private static func named(_ name: String, in list: Node?) -> Node.Mapping? {
        list?.sequence?.first { $0["name"]?.string == name }?.mapping
    }

    private static func entry(_ name: String, _ kind: String, _ value: Node) -> Node {
        Node([(Node("name"), Node(name)), (Node(kind), value)])
    }
}
