internal import SystemPackage

/// libvirt's command, spoken to in the C locale: what it says on its standard error is understood by its words.
struct Virsh: Sendable {
    /// The daemon.
    let uri: String

    /// How long the daemon may take; it looks at every QEMU of the host when it is asked first.
    static let limit = Duration.seconds(120)

    /// Runs a command.
    ///
    /// - Parameter arguments: The command and what follows it.
    /// - Returns: What it said; a refusal is no error.
    /// - Throws: ``MachineError`` with ``MachineError/Code/hostUnavailable`` when no daemon answers, or
    ///   ``MachineError/Code/notPermitted`` when it lets nobody in.
    func attempt(_ arguments: [String]) async throws -> HostProgram.Outcome {
        var program = HostProgram("virsh", package: "libvirt-clients")
        program.environment = [("LC_ALL", "C"), ("LIBVIRT_DEFAULT_URI", uri)]
        let outcome = try await program.run(["--quiet", "-c", uri] + arguments, within: Self.limit)
        if !outcome.succeeded, let refusal = Self.refusal(outcome.complaint, uri) { throw refusal }
        return outcome
    }

    /// Runs a command that must succeed.
    ///
    /// - Returns: Its standard output.
    /// - Throws: ``MachineError`` as ``attempt(_:)``, or with the code that the refusal's words give.
    @discardableResult
    func run(_ arguments: [String], for machine: String) async throws -> String {
        let outcome = try await attempt(arguments)
        guard outcome.succeeded else { throw Self.failure(outcome.complaint, arguments.first ?? "", machine) }
        return outcome.output
    }

    /// What `virsh` says where there is no connection, or none any more.
    private static let connectionFaults = [
        "failed to connect to the hypervisor", "Failed to connect socket", "End of file while reading data",
        "Cannot recv data", "Cannot write data",
    ]

    /// What a connection that was not made or has ended means; `nil` for a refusal of the daemon itself.
    private static func refusal(_ words: String, _ uri: String) -> MachineError? {
        guard connectionFaults.contains(where: words.contains) else { return nil }
        switch LibvirtRefusal(message: words) {
        case .notPermitted, .noPolkit:
            return MachineError(
                .notPermitted, subject: uri,
                detail:
                    "does not let you in (\(words)); join the group libvirt and log in again, or use"
                    + " --connect qemu:///session")
        case .notRunning, .other:
            return MachineError(
                .hostUnavailable, subject: uri,
                detail: "nobody answers (\(words)); start libvirt's daemon ('ksbuild vm check' says how)")
        }
    }

    /// The error for a command that was refused.
    static func failure(_ words: String, _ command: String, _ machine: String) -> MachineError {
        QEMUWords.failure(words, command, machine, by: "libvirt")
    }
}
