internal import Artefact
internal import Subprocess
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
    /// The most output that is taken from a command on a node.
    private static let outputLimit = 16 << 20

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
        let scan = try await tool(
            "ssh-keyscan", ["-T", "30", "-p", "\(ports.ssh)", "-t", Self.scanName(type), "127.0.0.1"], .seconds(60))
        guard let offered = HostKey.keys(inScan: scan.output).first(where: { $0.type == type }) else {
            throw MachineError(
                .timeLimit, subject: "host key", detail: "the node offers no \(type) key on its port 22\(oneLine(scan))"
            )
        }
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
        return try await tool("ssh", options + ["127.0.0.1", "--", command], limit, input: input)
    }

    /// `-t` of ssh-keyscan takes the short names.
    private static func scanName(_ type: String) -> String {
        type.hasPrefix("ssh-") ? String(type.dropFirst(4)) : type.hasPrefix("ecdsa-") ? "ecdsa" : type
    }

    private func oneLine(_ result: SSHResult) -> String {
        let words = result.errors.split(whereSeparator: \.isNewline).joined(separator: "; ")
        return words.isEmpty ? "" : " (\(words.prefix(300)))"
    }

    /// Runs a program of OpenSSH's client for at most `limit`.
    private nonisolated func tool(
        _ name: String, _ arguments: [String], _ limit: Duration, input: String = ""
    ) async throws -> SSHResult {
        let program = try await BootMachine.resolve(name, package: "openssh-client")
        let limits = Self.outputLimit
        return try await withThrowingTaskGroup(of: SSHResult?.self) { group in
            group.addTask {
                let outcome = try await Subprocess.run(
                    .path(program), arguments: Arguments(arguments), input: .string(input),
                    output: .string(limit: limits), error: .string(limit: limits))
                let code =
                    switch outcome.terminationStatus {
                    case .exited(let code): Int(code)
                    case .signaled(let signal): 128 + Int(signal)
                    }
                return SSHResult(exitCode: code, output: outcome.standardOutput, errors: outcome.standardError)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                throw MachineError(.timeLimit, subject: name, detail: "did not end within \(limit.secondsText) s")
            }
            return result
        }
    }
}
