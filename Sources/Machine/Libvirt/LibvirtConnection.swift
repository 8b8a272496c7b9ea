/// A libvirt daemon of this host that runs QEMU, by its URI (<https://libvirt.org/uri.html>).
public struct LibvirtConnection: Hashable, Sendable, CustomStringConvertible {
    /// Whose daemon it is.
    public enum Daemon: String, Hashable, Sendable, CaseIterable {
        /// The host's, which runs as root.
        case system
        /// The user's own, which `virsh` starts by itself.
        case session
    }

    /// The URI as it was given.
    public let uri: String
    /// Whose daemon it is.
    public let daemon: Daemon

    /// The group whose members may use the host's daemon.
    public static let group = "libvirt"

    /// The host's daemon.
    public static let system = LibvirtConnection(uri: "qemu:///system", daemon: .system)

    private init(uri: String, daemon: Daemon) {
        self.uri = uri
        self.daemon = daemon
    }

    /// Takes `qemu:///system` and `qemu:///session`, also as `qemu+unix:///…` with parameters such as `?socket=PATH`.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/invalidSpecification`` for every other driver and every other
    ///   host.
    public init(_ uri: String) throws(MachineError) {
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts.first.map(String.init) ?? ""
        let isPlain = uri.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        for scheme in ["qemu", "qemu+unix"] {
            for daemon in Daemon.allCases where isPlain && place == "\(scheme):///\(daemon.rawValue)" {
                self.init(uri: uri, daemon: daemon)
                return
            }
        }
        throw MachineError(
            .invalidSpecification, subject: "libvirt URI '\(uri)'",
            detail: "is not QEMU on this host; give qemu:///system or qemu:///session")
    }

    /// The URI that is meant where none is given.
    ///
    /// - Parameters:
    ///   - environment: The variables of the environment; `LIBVIRT_DEFAULT_URI` counts, as it does for `virsh`.
    ///   - user: Who asks.
    /// - Returns: The variable, else `qemu:///system` for root and for members of the group `libvirt`, else
    ///   `qemu:///session`.
    public static func defaultURI(environment: [String: String], user: HostUser) -> String {
        if let given = environment["LIBVIRT_DEFAULT_URI"], !given.isEmpty { return given }
        return user.isRoot || user.groups.contains(group) ? "qemu:///system" : "qemu:///session"
    }

    /// The URI.
    public var description: String { uri }

    /// The arguments that have `virsh` carry out a command on this daemon.
    func virsh(_ command: [String], readOnly: Bool = false) -> [String] {
        ["--quiet", "-c", uri] + (readOnly ? ["--readonly"] : []) + command
    }

    /// Has `virsh` carry out a command that changes nothing.
    ///
    /// - Parameters:
    ///   - command: The command and its arguments.
    ///   - readOnly: Whether to use the socket that every user may use.
    /// - Returns: What it said; `nil` where `virsh` is not installed.
    /// - Throws: ``MachineError``; a command that fails is no error.
    func ask(_ command: [String], readOnly: Bool = false) async throws -> HostProgram.Outcome? {
        try await HostProgram.ask("virsh", virsh(command, readOnly: readOnly))
    }
}
