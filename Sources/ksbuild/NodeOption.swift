import ArgumentParser
import Artefact
import Bundle
import Node
import Recipe

/// Which node of a fleet a command is for.
struct NodeOption: ParsableArguments {
    @Option(help: ArgumentHelp("The node of a fleet.", valueName: "name"))
    var node: String?

    /// The node that is asked for; a fleet needs one to be named.
    var choice: NodeChoice { node.map { .named($0) } ?? .one }
}

/// Which nodes of a recipe are meant.
enum NodeChoice {
    /// All that there are.
    case all
    /// The only one; a fleet is refused.
    case one
    /// One of a fleet.
    case named(String)
    /// The only one, or that of a fleet which has the name of a machine; and whether what the machine has run so far is of
    /// a fleet, where it has run anything.
    case machine(String, isOfFleet: Bool?)

    /// The node of a fleet that is meant; `nil` where all are, or the recipe is for one node.
    ///
    /// - Throws: `BuildError` with `BuildError.Code.otherNode` where none or another one should have been named.
    func node(of fleet: Fleet?, in recipe: String) throws -> NodeImage? {
        guard let name = try name(among: fleet?.nodes.map(\.name) ?? [], in: recipe) else { return nil }
        return fleet.flatMap { fleet in fleet.nodes.first { $0.name == name }.map { fleet.image(of: $0) } }
    }

    /// The name of the node of a fleet that is meant; `nil` where all are, or there is one node only.
    func name(among names: [String], in subject: String) throws -> String? {
        switch self {
        case .all: return nil
        case .one:
            guard let first = names.first else { return nil }
            throw BuildError(
                .otherNode, subject: subject,
                detail:
                    "is for \(names.count) node\(names.count == 1 ? "" : "s"); name one with --node, such as --node \(first)"
            )
        case .machine(let name, let isOfFleet) where names.isEmpty:
            guard isOfFleet != true else {
                throw BuildError(
                    .otherNode, subject: subject, detail: "is for one node, and this machine is \(name) of a fleet")
            }
            return nil
        case .machine(let name, let isOfFleet):
            guard isOfFleet != false else {
                throw BuildError(
                    .otherNode, subject: subject,
                    detail: "is for a fleet, and this machine, \(name), is that of a bundle for one node")
            }
            guard names.contains(name) else {
                let some = names.prefix(3).joined(separator: ", ")
                throw BuildError(
                    .otherNode, subject: subject,
                    detail: "is for a fleet, and none of its nodes has the machine's name \(name); "
                        + "say which node the machine is with --name, such as \(some)")
            }
            return name
        case .named(let name):
            guard !names.isEmpty else {
                throw BuildError(.otherNode, subject: subject, detail: "is for one node; leave --node out")
            }
            guard names.contains(name) else {
                let near = NearestWord.find(name, among: names, orKin: .prefix).map { "; did you mean '\($0)'?" } ?? ""
                throw BuildError(
                    .otherNode, subject: subject, detail: "has no node \(String(reflecting: name))\(near)")
            }
            return name
        }
    }
}
