/// What Alpine's boot would make of a medium: what it starts, which overlay it takes, which packages it finds.
///
/// The rules are those of `nlplug-findfs` and `initramfs-init` of mkinitfs 3.13, and of OpenRC's `modloop`.
public struct MediumReport: Hashable, Sendable {
    /// A kernel and what belongs to it.
    public struct Kernel: Hashable, Sendable {
        /// The path.
        public let path: String
        /// The version in its header, where it says one (x86).
        public let version: String?
        /// The directories below `lib/modules` of each initramfs that is started with it, by path.
        public let initramfsModules: [String: [String]]
    }

    /// A directory with `.boot_repository`.
    public struct Repository: Hashable, Sendable {
        /// One architecture of a repository.
        public struct Index: Hashable, Sendable {
            /// The path of `APKINDEX.tar.gz`.
            public let path: String
            /// What it lists; absent where it cannot be read.
            public let packages: PackageIndex?
            /// The names of package files that it lists and that are not beside it in the size that it tells.
            public let absent: [String]
        }

        /// The path; empty for the root.
        public let path: String
        /// Whether `nlplug-findfs` takes it as a sign that the medium is to stay mounted: directories of the root only.
        public let isSeenFirst: Bool
        /// The indexes of its architectures.
        public let indexes: [Index]
    }

    /// Which overlay init takes.
    public enum OverlayChoice: Hashable, Sendable {
        /// None that is on this medium.
        case none
        /// A file of the root, the first in the order of the directory.
        case found(path: String)
        /// What `apkovl=` on the kernel command line says.
        case commandLine(value: String, initrd: String?)
    }

    /// Something by which a medium does not do what its maker meant.
    public struct Finding: Hashable, Sendable {
        /// The stable name of the rule.
        public let rule: String
        /// Whether the boot fails or goes on without what the medium holds; otherwise it is doubtful.
        public let isError: Bool
        /// The path on the medium.
        public let path: String
        /// What Alpine does with it.
        public let message: String
        /// What to do.
        public let remedy: String

        static func error(_ rule: String, _ path: String, _ message: String, _ remedy: String) -> Finding {
            Finding(rule: rule, isError: true, path: path, message: message, remedy: remedy)
        }

        static func warning(_ rule: String, _ path: String, _ message: String, _ remedy: String) -> Finding {
            Finding(rule: rule, isError: false, path: path, message: message, remedy: remedy)
        }
    }

    /// The first line of `.alpine-release`.
    public internal(set) var release: String?
    /// The kernels in `boot` and those that a configuration names.
    public internal(set) var kernels: [Kernel] = []
    /// The images of kernel modules in `boot`: the directories below `modules` of each, by path; `nil` where what
    /// compressed it is not known.
    public internal(set) var modloops: [String: [String]?] = [:]
    /// What the boot loaders are told to start.
    public internal(set) var commands: [LoaderEntry] = []
    /// The repositories, in the order of their paths.
    public internal(set) var repositories: [Repository] = []
    /// The files of the root that match `*.apkovl.tar.gz*`, in the order of the directory.
    public internal(set) var overlays: [String] = []
    /// Which overlay init takes.
    public internal(set) var choice = OverlayChoice.none
    /// What is wrong, errors first.
    public internal(set) var findings: [Finding] = []

    /// The files of packages that a world takes from the medium's repositories and that are on it in none of them.
    ///
    /// - Returns: Names in order; empty, too, where the world cannot be satisfied, which ``missing(world:)`` tells.
    public func missingFiles(world: [String]) -> [String] {
        let indexes = repositories.flatMap(\.indexes)
        let listed = indexes.compactMap { index in index.packages.map { (index, $0) } }
        let resolver = PackageResolver(
            listed.map { PackageResolver.Repository(name: $0.0.path, index: $0.1) },
            architecture: listed.first?.0.path.split(separator: "/").dropLast().last.map(String.init) ?? "")
        let world = world.contains("alpine-base") ? world : world + ["alpine-base"]
        guard let closure = try? resolver.resolve(world: world) else { return [] }
        return closure.members.compactMap { member in
            let isThere = listed.contains { index, packages in
                packages.packages.contains { $0.identity == member.package.identity }
                    && !index.absent.contains(member.package.fileName)
            }
            return isThere ? nil : member.package.fileName
        }
    }

    /// A few of many names.
    static func shown(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    }

    /// The words of a world that no repository of the medium satisfies; empty where it has none.
    public func missing(world: [String]) -> [String] {
        let indexes = repositories.flatMap(\.indexes).compactMap(\.packages)
        guard !indexes.isEmpty else { return [] }
        return indexes.reduce(world) { words, index in index.missing(world: words) }
    }
}
