/// A branch of Alpine, `v3.23`, which mirrors file its releases under.
public struct AlpineBranch: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first number.
    public let major: Int
    /// The second number.
    public let minor: Int

    /// Takes `3.23`, without a `v`.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        guard let numbers = plainNumbers(text), numbers.count == 2 else { return nil }
        self.init(major: numbers[0], minor: numbers[1])
    }

    fileprivate init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Orders by number.
    public static func < (left: AlpineBranch, right: AlpineBranch) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The directory on a mirror, `v3.23`.
    public var description: String { "v\(major).\(minor)" }
}

/// The version of an Alpine release, `3.23.6`; release candidates and snapshots of edge are none.
public struct AlpineVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The branch.
    public let branch: AlpineBranch
    /// The third number.
    public let patch: Int

    /// Takes three numbers without zeros before them.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        guard let numbers = plainNumbers(text), numbers.count == 3 else { return nil }
        branch = AlpineBranch(major: numbers[0], minor: numbers[1])
        patch = numbers[2]
    }

    /// Orders by number.
    public static func < (left: AlpineVersion, right: AlpineVersion) -> Bool {
        (left.branch, left.patch) < (right.branch, right.patch)
    }

    /// `3.23.6`.
    public var description: String { "\(branch.major).\(branch.minor).\(patch)" }
}

/// Numbers between dots, each of at most six digits and without zeros before it.
private func plainNumbers(_ text: String) -> [Int]? {
    guard text.utf8.count <= 32 else { return nil }
    var numbers: [Int] = []
    for part in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
        guard (1...6).contains(part.count), part.allSatisfy({ (48...57).contains($0) }),
            part.count == 1 || part.first != UInt8(ascii: "0")
        else { return nil }
        numbers.append(part.reduce(0) { $0 * 10 + Int($1 - 48) })
    }
    return numbers
}
