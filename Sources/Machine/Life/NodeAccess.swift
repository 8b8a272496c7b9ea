internal import Artefact
internal import Glibc
public import SystemPackage

/// How a node of a machine that stays is reached by SSH: the address, the host key that its console has told, and who
/// logs in.
public struct NodeAccess: Sendable {
    /// Where a port of the node is to be found.
    public struct Endpoint: Hashable, Sendable {
        /// The IPv4 address.
        public let address: String
        /// The port.
        public let port: UInt16
    }

    let life: MachineLife
    let machine: VirtualMachine
    /// The file with the private key; without one the user's own keys and agent are asked.
    let identity: FilePath?

    /// Joins the parts.
    public init(_ machine: VirtualMachine, _ life: MachineLife, identity: FilePath? = nil) {
        self.machine = machine
        self.life = life
        self.identity = identity
    }

    private var folder: MachineFolder { life.folder }
    /// The name under which the host key is known, whatever the address.
    private var alias: String { "ksbuild-\(machine.name)" }

    // MARK: Addresses

    /// Where the node's SSH server is.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` where the node has no address yet, with
    ///   ``MachineError/Code/wrongState`` where it does not run.
    public func ssh() async throws -> Endpoint {
        guard case .user(let port, _) = machine.network else {
            return Endpoint(address: try await address(), port: 22)
        }
        try await mustRun()
        return Endpoint(address: "127.0.0.1", port: port)
    }

    /// Where its Kubernetes API is.
    public func api() async throws -> Endpoint {
        guard case .user(_, let port) = machine.network else {
            return Endpoint(address: try await address(), port: 6443)
        }
        try await mustRun()
        return Endpoint(address: "127.0.0.1", port: port)
    }

    private func mustRun() async throws {
        let state = try await life.hypervisor.state()
        guard state != .absent else { throw life.absent() }
        guard state == .running else {
            throw MachineError(
                .wrongState, subject: machine.name, detail: "is \(state); 'ksbuild vm start' starts it")
        }
    }

    /// The node's own address: by lease, by its agent, or by what its console has told.
    ///
    /// - Parameter limit: The longest time to wait for one.
    /// - Returns: The IPv4 address.
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` where it has none in time, with
    ///   ``MachineError/Code/wrongState`` where it does not run.
    public func address(within limit: Duration = .zero) async throws -> String {
        try await mustRun()
        let deadline = ContinuousClock.now.advanced(by: limit)
        while true {
            if let known = try await life.hypervisor.addresses().first(where: Self.isIPv4) { return known }
            let told = life.log.record().facts.last { fact in
                fact.subject == "address" && fact["ipv4"].map { !$0.isEmpty && !$0.hasPrefix("169.254.") } == true
            }
            // What a node says of itself is never taken for more than an address.
            if let told = told?["ipv4"].map({ String($0.prefix { $0 != "/" }) }), Self.isIPv4(told) { return told }
            guard ContinuousClock.now < deadline else { break }
            try await Task.sleep(for: .milliseconds(500))
        }
        throw MachineError(
            .timeLimit, subject: machine.name,
            detail:
                "has no address that libvirt, its agent or its console would know; 'ksbuild vm console' shows what it says"
        )
    }

    /// Whether a text is an IPv4 address and nothing else (inet_pton(3)).
    static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return unsafe inet_pton(AF_INET, text, &address) == 1
    }

    // MARK: SSH

    /// Pins the node's host key to what its console has told, where that is not done yet.
    ///
    /// The console is the side channel by which the key is known to be the node's own. A key that changes without the
    /// console having said so is refused from then on, by `ssh` itself.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` where the node has told no key or offers none,
    ///   ``MachineError/Code/hostKeyMismatch`` where it offers another one.
    public func pinHostKey() async throws {
        let known = (try? HostFile.read(folder.knownHosts, limit: 1 << 16)) ?? []
        let pinned = HostKey.keys(inScan: String(decoding: known, as: UTF8.self)).first
        let told = life.log.record().latest("hostkey")
        guard let told, let type = told["type"], let fingerprint = told["fingerprint"] else {
            guard pinned == nil else { return }
            throw MachineError(
                .timeLimit, subject: machine.name,
                detail: "has told no SSH host key on its console yet; wait until it is up ('ksbuild vm status')")
        }
        if let pinned, pinned.fingerprint == fingerprint { return }
        let offered = try await HostKeyScan.offered(type, at: try await ssh())
        guard let found = offered.fingerprint, found == fingerprint else {
            throw MachineError(
                .hostKeyMismatch, subject: machine.name,
                detail:
                    "offers the SSH host key \(offered.fingerprint ?? "?") and has told \(fingerprint) on its console;"
                    + " somebody else answers at its address")
        }
        try StagedFile.write(
            Array("\(alias) \(offered.type) \(offered.base64)\n".utf8), to: folder.knownHosts, mode: EntryMode(0o600))
    }

    /// The command line of `ssh` to the node, without its name.
    ///
    /// - Parameters:
    ///   - options: Options of `ssh` besides.
    ///   - command: What runs there; empty for a login.
    /// - Returns: The words after `ssh`.
    /// - Throws: As ``pinHostKey()``.
    public func sshArguments(_ options: [String] = [], _ command: [String] = []) async throws -> [String] {
        // Whether it runs at all comes before whether its key is known.
        let place = try await ssh()
        try await pinHostKey()
        var words = [
            "-p", "\(place.port)", "-l", machine.user, "-o", "HostKeyAlias=\(alias)", "-o", "StrictHostKeyChecking=yes",
            "-o", "UserKnownHostsFile=\(Self.quoted(folder.knownHosts.string))", "-o", "GlobalKnownHostsFile=/dev/null",
            "-o", "CheckHostIP=no", "-o", "ConnectTimeout=30",
        ]
        if let identity { words += ["-i", identity.string, "-o", "IdentitiesOnly=yes"] }
        return words + options + [place.address] + (command.isEmpty ? [] : ["--"] + command)
    }

    /// A path as a value of `ssh_config(5)`.
    private static func quoted(_ path: String) -> String {
        let escaped = path.map { character in
            switch character {
            case "%": "%%"
            case "\"", "\\": "\\\(character)"
            default: String(character)
            }
        }
        return "\"\(escaped.joined())\""
    }

    /// What a command on the node says.
    ///
    /// - Parameters:
    ///   - command: The command for the user's shell.
    ///   - limit: The longest time.
    /// - Returns: Its standard output.
    /// - Throws: ``MachineError`` with ``MachineError/Code/refused`` where `ssh` or the command fails.
    public func output(of command: String, within limit: Duration = .seconds(120)) async throws -> String {
        let program = HostProgram("ssh", package: "openssh-client")
        let outcome = try await program.run(
            try await sshArguments(["-T", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"], [command]), within: limit)
        guard outcome.succeeded else {
            throw MachineError(
                .refused, subject: machine.name,
                detail: "did not carry out '\(command)' for \(machine.user) (\(outcome.complaint))")
        }
        return outcome.output
    }
}

/// Asks an SSH server for its host key.
enum HostKeyScan {
    /// The key of a type that a server offers.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/timeLimit`` where it offers none.
    static func offered(_ type: String, at place: NodeAccess.Endpoint) async throws -> HostKey {
        let program = HostProgram("ssh-keyscan", package: "openssh-client")
        let scan = try await program.run(
            ["-T", "30", "-p", "\(place.port)", "-t", HostKey.scanName(type), place.address], within: .seconds(60))
        guard let offered = HostKey.keys(inScan: scan.output).first(where: { $0.type == type }) else {
            let words = scan.complaint.isEmpty ? "" : " (\(scan.complaint.prefix(300)))"
            throw MachineError(
                .timeLimit, subject: "host key", detail: "the node offers no \(type) key on its port 22\(words)")
        }
        return offered
    }
}
