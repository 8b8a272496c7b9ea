internal import Artefact
internal import Node

extension BuildPlan {
    /// The plan for machines: JSON with sorted keys, the same bytes for the same plan.
    public var json: String {
        ConfigValue.object(
            ("format", .string("ksbuild-plan/1")), ("recipe", .string(recipe)), ("node", plannedNode),
            ("nodes", fleet.map { .sequence($0.members.map(\.json)) }),
            ("ownPaths", fleet.map { .texts($0.ownPaths.sorted().map(\.string)) }),
            (
                "vm",
                .object(
                    ("memory", .integer(Int64(clamping: machine.memory))),
                    ("cpus", .integer(Int64(machine.processors))),
                    ("disk", .integer(Int64(clamping: machine.disk))), ("network", .string(machine.network)))
            ), ("trust", .texts(trust)), ("artefacts", .sequence(outputs.map(\.json))),
            ("trees", .sequence(trees.map(\.json))),
            ("inputs", .sequence(inputs.map(\.json))),
            ("packages", .sequence(packages.map(\.json))), ("complete", .bool(isComplete)),
            ("warnings", .texts(warnings)),
            ("unchecked", .texts(unchecked))
        ).sortedByKey.json + "\n"
    }

    /// The plan for people.
    public var text: String {
        let count = fleet.map { ", \($0.members.count) node\($0.members.count == 1 ? "" : "s")" } ?? ""
        var text = "\(node.name) \(node.stamp.version)\(count): \(node.alpine) \(node.architecture.rawValue), "
        text += "KubeSolo \(node.kubesolo.version) \(node.kubesolo.variant.rawValue)\n"
        func section(_ title: String, _ rows: [[String]]) {
            guard !rows.isEmpty else { return }
            text += "\n\(title)\n" + aligned(rows)
        }
        section("Nodes", fleet?.members.map(\.row) ?? [])
        section(
            fleet == nil ? "Node" : "What a node is where it does not say otherwise",
            Self.rows(of: plannedNode, below: ""))
        section("Trusted keys", trust.map { [$0] })
        section("Artefacts", outputs.map { [$0.role, $0.name, $0.holdsSecrets ? "holds secrets" : ""] })
        section(
            "Inputs",
            inputs.map { input in
                [
                    input.role, input.name, input.state.rawValue, input.size.map { "\($0) bytes" } ?? "",
                    input.isSecret ? "(secret)" : input.digest.map { "sha256 \($0.hex)" } ?? "",
                ]
            })
        let size = packages.reduce(0) { $0 + $1.size }
        section(
            "Packages: \(packages.count), \(size) bytes",
            packages.map { ["\($0.name)-\($0.version)", "\($0.size)", $0.origin, $0.reason] })
        for tree in trees {
            let title = fleet == nil ? "Files of the \(tree.role)" : "Files that the \(tree.role)s of all nodes share"
            section("\(title): \(tree.entries.count)", tree.entries.map(\.row))
        }
        let ownPaths = fleet?.ownPaths.sorted() ?? []
        section("Not the same in all nodes: \(ownPaths.count)", ownPaths.map { [$0.string] })
        section("Warnings", warnings.map { [$0] })
        section("Not checked", unchecked.map { [$0] })
        return text
    }

    /// The node as data; of a fleet, without the host name, which each node has for itself.
    private var plannedNode: ConfigValue {
        guard fleet != nil, case .mapping(let pairs) = node.planned else { return node.planned }
        return .mapping(pairs.filter { $0.key != "hostname" })
    }

    /// The scalars of a value by path, `network.interfaces[0].name`.
    private static func rows(of value: ConfigValue, below path: String) -> [[String]] {
        switch value {
        case .mapping(let pairs):
            return pairs.flatMap { rows(of: $0.value, below: joined(path, $0.key)) }
        case .sequence(let values):
            let texts = values.compactMap { value -> String? in if case .string(let text) = value { text } else { nil }
            }
            if texts.count == values.count, texts.allSatisfy({ $0.utf8.count < 40 }) {
                return texts.isEmpty ? [] : [[path, texts.joined(separator: ", ")]]
            }
            return values.enumerated().flatMap { rows(of: $1, below: "\(path)[\($0)]") }
        case .string(let text): return [[path, text]]
        case .null, .bool, .integer, .real: return [[path, value.json]]
        }
    }
}

/// Rows in columns, each line indented by two blanks and without blanks at its end.
private func aligned(_ rows: [[String]]) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        var line = ""
        for (cell, width) in zip(row, widths) {
            line += "  " + cell + String(repeating: " ", count: width - cell.count)
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }.joined()
}

extension BuildPlan.Output {
    fileprivate var json: ConfigValue {
        .object(("role", .string(role)), ("name", .string(name)), ("secrets", .bool(holdsSecrets)))
    }
}

extension BuildPlan.Member {
    fileprivate var json: ConfigValue {
        .object(
            ("name", .string(name)), ("hostname", .string(hostname)), ("mac", hardwareAddress.map { .string($0) }),
            ("uuid", uuid.map { .string($0) }), ("secrets", .bool(holdsSecrets)))
    }

    fileprivate var row: [String] {
        [name, hostname, hardwareAddress ?? "", uuid ?? "", holdsSecrets ? "holds secrets" : ""]
    }
}

extension BuildPlan.Input {
    fileprivate var json: ConfigValue {
        .object(
            ("role", .string(role)), ("name", .string(name)), ("state", .string(state.rawValue)),
            ("size", size.map { .integer(Int64(clamping: $0)) }), ("sha256", digest.map { .string($0.hex) }),
            ("secret", .bool(isSecret)))
    }
}

extension BuildPlan.Package {
    fileprivate var json: ConfigValue {
        .object(
            ("name", .string(name)), ("version", .string(version)), ("size", .integer(Int64(clamping: size))),
            ("repository", .string(origin)), ("reason", .string(reason)))
    }
}

extension BuildPlan.Tree {
    fileprivate var json: ConfigValue {
        .object(("role", .string(role)), ("entries", .sequence(entries.map(\.json))))
    }
}

extension BuildPlan.Entry {
    fileprivate var json: ConfigValue {
        .object(
            ("path", .string(path.string)), ("kind", .string(kind)), ("mode", .string(mode.description)),
            ("owner", .integer(Int64(owner))), ("group", .integer(Int64(group))),
            ("size", kind == "file" ? .integer(Int64(clamping: size)) : nil), ("target", target.map { .string($0) }),
            ("sha256", digest.map { .string($0.hex) }), ("origin", .string(origin)),
            ("covers", covers.isEmpty ? nil : .texts(covers)), ("secret", isSecret ? .bool(true) : nil))
    }

    fileprivate var row: [String] {
        let name = kind == "directory" ? "\(path)/" : target.map { "\(path) -> \($0)" } ?? path.string
        let note = covers.isEmpty ? origin : "\(origin), over \(covers.joined(separator: ", "))"
        return [
            mode.description, "\(owner):\(group)", kind == "file" ? "\(size)" : "-", name,
            isSecret ? "\(note) (secret)" : note,
        ]
    }
}
