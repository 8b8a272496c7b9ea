internal import Artefact
public import Bundle
internal import Node

/// One of two things that are compared, as far as it says something of a node; what it does not tell is absent.
public struct Side: Sendable {
    /// What is compared.
    public enum Kind: String, Hashable, Sendable {
        /// A published bundle.
        case bundle
        /// An overlay.
        case overlay
        /// An ISO image: a medium or a seed.
        case image
        /// What would be built.
        case plan
    }

    /// What it is.
    public let kind: Kind
    /// What messages call it.
    public let name: String
    /// What a bundle says of itself, or a plan would.
    public internal(set) var description: BundleDescription?
    /// What is said of the whole, in the order shown.
    var facts: [(name: String, value: String)] = []
    /// The words of each kernel command line, by what starts it.
    var arguments: [String: [String]]?
    /// The services of each runlevel.
    var services: [String: [String]]?
    /// The words of `etc/apk/world`.
    var world: [String]?
    /// The packages that a node installs, with their versions.
    var packages: [String: String]?
    /// The entries of the overlay, of the seed, of an image.
    var trees: [String: ComparedTree] = [:]
    /// The files of a bundle by their roles.
    var artefacts: [String: (size: UInt64, digest: Digest)]?
    /// What it has and nobody looked into.
    var unread: [String] = []
    /// All its bytes.
    var size: UInt64?

    init(_ kind: Kind, named name: String) {
        self.kind = kind
        self.name = name
    }

    /// Takes over what a bundle says of itself.
    mutating func describe(_ about: BundleDescription) {
        description = about
        let kubernetes = KubernetesRelease.minor(ofKubeSolo: about.kubesolo.version)
        let whole: [(name: String, value: String?)] = [
            ("name", about.name), ("version", about.version.description), ("architecture", about.architecture),
            ("host name", about.hostname), ("epoch", "\(about.epoch)"),
            ("alpine", "\(about.alpine.flavor) \(about.alpine.release)"),
            ("kubesolo", "\(about.kubesolo.variant) \(about.kubesolo.version)"),
            ("kubernetes", kubernetes ?? "unknown, of KubeSolo \(about.kubesolo.version)"),
            ("datastore", "\(about.datastore.format) of KubeSolo \(about.datastore.kubesolo)"),
        ]
        facts = whole.compactMap { fact in fact.value.map { (fact.name, $0) } }
        facts += about.nodes.map { node in
            (
                "node \(node.name)",
                [node.hostname, node.hardwareAddress, node.uuid].compactMap { $0 }.joined(separator: ", ")
            )
        }
    }
}
