public import Artefact

/// A KubeSolo release number, such as `v1.2.2`.
public struct KubeSoloVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Major, minor and patch number.
    public let numbers: [Int]
    /// What follows a hyphen, such as `rc.1`; empty for a release.
    public let prerelease: String

    /// Takes `vMAJOR.MINOR.PATCH` or `vMAJOR.MINOR.PATCH-PRERELEASE`, numbers without zeros before them.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ tag: String) {
        guard tag.utf8.first == UInt8(ascii: "v") else { return nil }
        let halves = tag.dropFirst().split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = halves[0].split(separator: ".", omittingEmptySubsequences: false).map { part -> Int? in
            guard (1...6).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part == "0" || part.utf8.first != UInt8(ascii: "0")
            else { return nil }
            return Int(part)
        }
        guard numbers.count == 3, numbers.allSatisfy({ $0 != nil }) else { return nil }
        let prerelease = halves.count == 2 ? String(halves[1]) : ""
        let allowed = prerelease.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46
        }
        guard allowed, halves.count == 1 || !prerelease.isEmpty else { return nil }
        self.numbers = numbers.compactMap { $0 }
        self.prerelease = prerelease
    }

    /// Makes the release number `vMAJOR.MINOR.PATCH`.
    public init(major: Int, minor: Int, patch: Int) {
        numbers = [major, minor, patch]
        prerelease = ""
    }

    /// Orders as Semantic Versioning 2.0.0 §11 does, but for pre-releases, which it orders as text.
    public static func < (left: KubeSoloVersion, right: KubeSoloVersion) -> Bool {
        if left.numbers != right.numbers { return left.numbers.lexicographicallyPrecedes(right.numbers) }
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        return left.prerelease < right.prerelease
    }

    /// The tag, `v1.2.2`.
    public var description: String {
        "v" + numbers.map(String.init).joined(separator: ".") + (prerelease.isEmpty ? "" : "-" + prerelease)
    }

    /// Whether this release reads a configuration file (`--config`, from v1.2.1).
    ///
    /// Earlier ones take flags and environment.
    public var readsConfigurationFile: Bool { numbers.lexicographicallyPrecedes([1, 2, 1]) == false }

    /// Whether one SIGTERM stops this release; up to v1.2.1 a second one is needed.
    public var stopsOnFirstSignal: Bool { numbers.lexicographicallyPrecedes([1, 2, 2]) == false }
}

/// The KubeSolo that a node runs and how it is configured.
public struct KubeSolo: Hashable, Sendable {
    /// Whether a release carries all container images that it starts with.
    public enum Variant: String, Hashable, Sendable, CaseIterable {
        /// Pulls what it needs at its first start.
        case online
        /// Carries everything.
        case offline
    }

    /// The release.
    public var version: KubeSoloVersion
    /// Whether it carries its images.
    public var variant: Variant
    /// The digest that recipe or lock pins the input (tarball or bare binary) to.
    public var sha256: Digest?
    /// What the recipe says for KubeSolo's own configuration file, below `apiVersion` and `kind`.
    public var configuration: ConfigValue

    /// Joins the parts.
    public init(
        version: KubeSoloVersion, variant: Variant, sha256: Digest? = nil, configuration: ConfigValue = .mapping([])
    ) {
        self.version = version
        self.variant = variant
        self.sha256 = sha256
        self.configuration = configuration
    }
}
