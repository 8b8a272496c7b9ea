internal import Node

/// Which nodes of a fleet bring along the same SSH host key.
struct FleetHostKeys {
    private var order: [Access.HostKeys] = []
    private var owners: [Access.HostKeys: (place: CheckedNode?, names: FleetNames)] = [:]

    /// Takes the key of a node.
    ///
    /// - Parameters:
    ///   - name: The node.
    ///   - keys: Where its host keys come from.
    ///   - place: What says so.
    mutating func take(_ name: String, _ keys: Access.HostKeys?, _ place: CheckedNode?) {
        guard let keys, case .provided = keys else { return }
        if owners[keys] == nil {
            order.append(keys)
            owners[keys] = (place, FleetNames())
        }
        owners[keys]?.names.add(name)
    }

    /// Each key that two or more nodes have, where the first of them has it from, and their names.
    var shared: [(place: CheckedNode?, names: FleetNames)] {
        order.compactMap { owners[$0] }.filter { $0.names.count > 1 }
    }
}
