internal import Upstream

/// The parts of `NAME-VERSION-rREVISION.apk`.
struct PackageFileName {
    let name: String
    let version: String

    init?(_ path: String) {
        guard path.hasSuffix(".apk"), let file = path.split(separator: "/").last else { return nil }
        let parts = file.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        name = parts.dropLast(2).joined(separator: "-")
        version = parts.suffix(2).joined(separator: "-")
    }

    /// Whether its version comes after another's in apk's order.
    func isNewer(than other: PackageFileName) -> Bool {
        guard let own = PackageVersion(version), let old = PackageVersion(other.version) else {
            return version != other.version
        }
        return own.compared(to: old) > 0
    }
}
