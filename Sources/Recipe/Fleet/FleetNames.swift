/// Names of nodes of which one thing is true, as messages tell them: the first few, and how many more.
struct FleetNames {
    private static let most = 3

    private var names: [String] = []
    private var last = ""
    private(set) var count = 0

    /// Adds a name, unless it is the one that was added last.
    mutating func add(_ name: String) {
        guard count == 0 || name != last else { return }
        last = name
        count += 1
        if names.count < Self.most { names.append(name) }
    }

    /// `node a`, `nodes a and b`, `nodes a, b, c and 17 more`.
    var text: String {
        guard count > 1 else { return "node \(last)" }
        if count > names.count { return "nodes \(names.joined(separator: ", ")) and \(count - names.count) more" }
        return "nodes \(names.dropLast().joined(separator: ", ")) and \(last)"
    }
}
