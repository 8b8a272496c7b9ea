/// Everything that a world takes: what apk installs into an empty root.
public struct PackageClosure: Hashable, Sendable {
    /// Why a package is there.
    public enum Reason: Hashable, Sendable, CustomStringConvertible {
        /// The world names it, by this word.
        case world(word: String)
        /// A package needs it, by this word.
        case need(package: String, word: String)
        /// It is installed when all of these are (`install_if`).
        case presence(of: [String])

        /// `world: nftables`, `libnftnl needs so:libmnl.so.0`, `with openrc and chrony=4.3-r0`.
        public var description: String {
            switch self {
            case .world(let word): "world: \(word)"
            case .need(let package, let word): "\(package) needs \(word)"
            case .presence(let words): "with \(words.joined(separator: " and "))"
            }
        }
    }

    /// A package of the closure.
    public struct Member: Hashable, Sendable {
        /// The package as its index has it.
        public let package: PackageIndex.Package
        /// The place of its repository in the list that was given; the first one where several list the same build.
        public let repository: Int
        /// Why it is there: the first to ask for it, by the shortest way from the world.
        public let reason: Reason
    }

    /// The packages in the order of their names.
    public let members: [Member]
    /// The sum of the sizes of the package files in bytes.
    public var size: UInt64 { members.reduce(0) { $0 &+ $1.package.size } }
    /// The sum of the sizes when installed in bytes.
    public var installedSize: UInt64 { members.reduce(0) { $0 &+ $1.package.installedSize } }
}
