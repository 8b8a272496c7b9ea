internal import Artefact
public import SystemPackage

/// Who logs in to a node by SSH, and with which key.
public struct SSHLogin: Hashable, Sendable {
    /// The user on the node.
    public let user: String
    /// The file with the private key.
    public let identity: FilePath

    /// Joins the two.
    public init(user: String, identity: FilePath) {
        self.user = user
        self.identity = identity
    }
}

/// What a command on a node said and how it ended.
public struct SSHResult: Hashable, Sendable {
    /// The exit code of the command, 255 when `ssh` itself failed, or 128 and the number of the signal that ended `ssh`.
    public let exitCode: Int
    /// What it wrote on its standard output.
    public let output: String
    /// What it, or `ssh`, wrote on its standard error.
    public let errors: String
}

extension RunningMachine {
    /// Asks the node for its host key over the network and compares it with what the serial line reported.
    ///
    /// The serial line is the side channel by which the key is known to be the node's own; after that the key is pinned.
    ///
    /// - Returns: The fingerprint.
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` when the node offers no key or reported none, with
    ///   ``MachineError/Code/hostKeyMismatch`` when the two differ.
    @discardableResult
    public func pinHostKey() async throws -> String {
        guard let reported = latest("hostkey"), let type = reported["type"], let expected = reported["fingerprint"]
        else {
            throw MachineError(.timeLimit, subject: "host key", detail: "the node has reported none on its serial line")
        }
        let offered = try await HostKeyScan.offered(
            type, at: NodeAccess.Endpoint(address: "127.0.0.1", port: ports.ssh))
        guard let fingerprint = offered.fingerprint, fingerprint == expected else {
            throw MachineError(
                .hostKeyMismatch, subject: "host key",
                detail: "the node offers \(offered.fingerprint ?? "an unreadable key") and reported \(expected)")
        }
        knownHost = offered
        return fingerprint
    }

    /// Runs a command on the node, with the host key pinned.
    ///
    /// - Parameters:
    ///   - command: The command for the user's shell.
    ///   - login: Who runs it.
    ///   - input: What the command reads.
    ///   - limit: The longest time; `ssh` is ended after it.
    /// - Returns: What it said.
    /// - Throws: ``MachineError``; a command that fails is no error.
    public func ssh(
        _ command: String, as login: SSHLogin, input: String = "", within limit: Duration = .seconds(120)
    ) async throws -> SSHResult {
        if knownHost == nil { try await pinHostKey() }
        guard let key = knownHost else {
            throw MachineError(.hostKeyMismatch, subject: "host key", detail: "is not known")
        }
        let known = scratch.appending("known_hosts")
        let line = "[127.0.0.1]:\(ports.ssh) \(key.type) \(key.base64)\n"
        try StagedFile.write(Array(line.utf8), to: known)
        let options = [
            "-F", "none", "-p", "\(ports.ssh)", "-i", login.identity.string, "-l", login.user, "-T",
            "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
            "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=\(known.string)",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60", "-o", "LogLevel=ERROR",
        ]
        let outcome = try await HostProgram("ssh", package: "openssh-client").run(
            options + ["127.0.0.1", "--", command], within: limit, input: input)
        return SSHResult(exitCode: outcome.exitCode, output: outcome.output, errors: outcome.errors)
    }
}
