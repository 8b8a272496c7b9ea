/// What is found in the recipe as it is for each node: faults, or warnings.
///
/// What the recipe itself is to blame for is told at its line, what a node says at that one's. What stands in the
/// recipe and is wrong only together with what a node says is told at the node, once for all nodes that have it.
struct FleetFindings {
    private let file: String
    private var found: [ConfigurationFault] = []
    private var owners: [ConfigurationFault: (position: SourcePosition, path: String, names: FleetNames)] = [:]

    init(file: String) { self.file = file }

    /// Takes what was found for a node.
    mutating func add(_ faults: [ConfigurationFault], of node: CheckedNode.Entry) {
        for fault in faults {
            if owners[fault] == nil {
                found.append(fault)
                owners[fault] = (node.keyPosition, node.value.path, FleetNames())
            }
            owners[fault]?.names.add(node.key)
        }
    }

    /// What was found for nodes and not in the recipe without them.
    func beyond(_ known: [ConfigurationFault]) -> [ConfigurationFault] {
        let known = Set(known)
        return found.filter { !known.contains($0) }.map { fault in
            guard !fault.keyPath.hasPrefix("nodes"), let owner = owners[fault] else { return fault }
            let place = fault.line > 0 ? " (\(fault.line):\(fault.column))" : ""
            let names = owner.names.count > 1 ? " (\(owner.names.text))" : ""
            return ConfigurationFault(
                file: file, position: owner.position, keyPath: owner.path,
                problem: "\(fault.keyPath)\(place): \(fault.problem)\(names)", hint: fault.hint)
        }
    }

    /// Of what was found in the recipe without its nodes, what holds for any; named are those for which it does, where
    /// that is not all of them.
    func confirming(_ known: [ConfigurationFault], ofAll count: Int) -> [ConfigurationFault] {
        known.compactMap { fault in
            guard let names = owners[fault]?.names else { return nil }
            guard names.count < count else { return fault }
            return ConfigurationFault(
                file: file, position: SourcePosition(line: fault.line, column: fault.column), keyPath: fault.keyPath,
                problem: "\(fault.problem) (\(names.text))", hint: fault.hint)
        }
    }
}
