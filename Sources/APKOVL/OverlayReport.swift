public import Archive
internal import Artefact

/// One thing in an overlay that Alpine's init does not take as its maker meant it.
public struct LintFinding: Hashable, Sendable, CustomStringConvertible {
    /// How bad it is.
    public enum Severity: String, Hashable, Sendable {
        /// The node does not boot, or boots without what the overlay says.
        case error
        /// Something is doubtful.
        case warning
    }

    /// The stable name of the rule, such as `member-without-slash`.
    public let rule: String
    /// How bad it is.
    public let severity: Severity
    /// The member or file that is to blame.
    public let path: String
    /// What Alpine does with it.
    public let message: String
    /// What to do.
    public let remedy: String

    /// `PATH: message; remedy [rule]`.
    public var description: String { "\(path): \(message); \(remedy) [\(rule)]" }
}

/// What an overlay holds, what a node booted with it would do, and what is wrong with it.
public struct OverlayReport: Hashable, Sendable {
    /// The members in the order stored, as stored.
    public let members: [ArchiveMember]
    /// What a node would make of it.
    public let facts: OverlayFacts
    /// What is wrong with it, errors first, then by path and rule.
    public let findings: [LintFinding]
}

/// What a node booted with an overlay would be.
public struct OverlayFacts: Hashable, Sendable {
    /// The first line of `etc/hostname`.
    public var hostname: String?
    /// The services of each runlevel, sorted.
    public var runlevels: [String: [String]] = [:]
    /// Whether `etc/.default_boot_services` lets init add Alpine's default services.
    public var hasDefaultServices = false
    /// The words of `etc/apk/world`.
    public var world: [String] = []
    /// The lines of `etc/apk/repositories`.
    public var repositories: [String] = []
    /// The lines of `etc/fstab`, comments left out.
    public var mounts: [String] = []
    /// The terminals for which `etc/inittab` starts a login.
    public var consoles: [String] = []
    /// The interfaces that `etc/network/interfaces` brings up by itself.
    public var interfaces: [String] = []
    /// The files with keys that may log in.
    public var authorizedKeys: [String] = []
    /// The lines of `etc/ksbuild/release`.
    public var release: [String] = []
}
