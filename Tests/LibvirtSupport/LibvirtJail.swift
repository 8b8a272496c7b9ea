internal import Artefact
internal import Glibc
public import SystemPackage
public import TestSupport

/// A libvirtd of the tests' own, in namespaces that leave the host as it is (`Tests/Libvirt/jail`).
///
/// It ends with the process of the tests, by whatever end, and all that runs in it ends with it. Needs root.
public final class LibvirtJail: Sendable {
    /// The user in the jail who is not in the group `libvirt`: sessions are open to them, the system is not.
    public static let plainUser = "operator"

    /// The home of the plain user, as those in the jail see it.
    public static let plainHome = FilePath("/run/home/operator")

    private static let one = Task { try await LibvirtJail() }

    /// The jail that all suites of this process share; the first who asks starts it.
    ///
    /// - Throws: `JailError` when it does not start.
    public static var shared: LibvirtJail {
        get async throws { try await one.value }
    }

    /// Where its folders are on the host.
    public let folder: FilePath

    /// Starts one.
    ///
    /// - Parameter lifeline: The number of the process that it ends with; this one's by default.
    /// - Throws: `JailError` with what the script said.
    public init(lifeline: Int32? = nil) async throws {
        folder = FilePath("/tmp/ksbuild-jail-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
        try await Self.script(["start", "--lifeline", "\(lifeline ?? getpid())", folder.string])
    }

    /// Ends every process in it and removes its folder; one that has ended already is no error.
    ///
    /// - Throws: `JailError` with what the script said.
    public func stop() async throws { try await Self.script(["stop", folder.string]) }

    /// Takes libvirtd away; machines go on running.
    ///
    /// - Throws: `JailError` with what the script said.
    public func stopDaemon() async throws { try await Self.script(["libvirtd", folder.string, "stop"]) }

    /// Brings libvirtd back, and waits until its network `default` is up.
    ///
    /// - Throws: `JailError` with what the script said.
    public func startDaemon() async throws { try await Self.script(["libvirtd", folder.string, "start"]) }

    /// Where the host has a path of the jail.
    ///
    /// - Parameter inside: A path below `/etc/libvirt`, `/var/lib/libvirt`, `/var/log/libvirt`, `/var/cache/libvirt` or
    ///   `/run/home`; all others, but for `/run`, are the host's own.
    public func onHost(_ inside: FilePath) -> FilePath {
        let rest = inside.string.hasPrefix("/run/home/") ? inside.string.dropFirst("/run/".count) : inside.string[...]
        return folder.pushing(FilePath(String(rest.drop { $0 == "/" })))
    }

    /// Runs a program in the jail to its end.
    ///
    /// - Parameters:
    ///   - user: Who runs it; root by default.
    ///   - folder: The working directory, which the jail and the host have under one path.
    ///   - environment: What it gets besides the environment of the tests. `HOME` and the folders of `XDG_` are those
    ///     of the user in the jail unless they are set here.
    /// - Returns: What it said and its exit code, or 128 and the number of the signal that ended it.
    public func run(
        _ program: String, _ arguments: [String], as user: String? = nil, in folder: FilePath? = nil,
        environment: [String: String] = [:], input: String = ""
    ) async throws -> ProgramResult {
        try await TestSupport.run(
            Self.jail, words(program, arguments, as: user, environment: environment), in: folder, input: input)
    }

    /// The words after `Tests/Libvirt/jail` that run a program in the jail, for those who start it themselves.
    public func words(
        _ program: String, _ arguments: [String], as user: String? = nil, environment: [String: String] = [:]
    ) -> [String] {
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let command = (settings.isEmpty ? [] : ["env"] + settings) + [program] + arguments
        return ["enter", "--user", user ?? "root", self.folder.string] + command
    }

    /// Asks the system's daemon by virsh.
    public func virsh(_ arguments: String...) async throws -> ProgramResult {
        try await run("virsh", ["--quiet", "--connect", "qemu:///system"] + arguments)
    }

    /// The script that makes the jail and enters it.
    public static let jail = Product.checkout.pushing("Tests/Libvirt/jail").string

    private static func script(_ words: [String]) async throws {
        let result = try await TestSupport.run(jail, words)
        guard result.succeeded else { throw JailError(description: result.errors) }
    }
}

/// What went wrong with a jail, in the words of its script.
public struct JailError: Error, CustomStringConvertible {
    public let description: String
}
