extension Collection<String> {
    /// The first of many names as messages have them: `a, b, c and 17 more`.
    ///
    /// - Parameter most: How many are named.
    /// - Returns: The text; empty where there are no names.
    public func listed(most: Int) -> String {
        let rest = count - most
        return prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
