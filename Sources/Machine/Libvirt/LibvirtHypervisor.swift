internal import Artefact
internal import FoundationEssentials
internal import SystemPackage

/// libvirt's daemon as the one who runs a machine, through `virsh`.
///
/// Machines are named by UUID wherever that can be: a domain of the same name that somebody else has made is never
/// touched.
struct LibvirtHypervisor: Hypervisor {
    private let virsh: Virsh
    private let name: String
    private let uuid: String
    private let folder: MachineFolder

    /// libvirt for one machine.
    init(uri: String, machine: VirtualMachine, in folder: MachineFolder) {
        virsh = Virsh(uri: uri)
        name = machine.name
        uuid = machine.uuid
        self.folder = folder
    }

    var title: String { "libvirt at \(virsh.uri)" }

    func state() async throws -> MachineState {
        let outcome = try await virsh.attempt(["domstate", "--reason", uuid])
        guard outcome.succeeded else {
            if outcome.complaint.contains("failed to get domain") || outcome.complaint.contains("Domain not found") {
                return .absent
            }
            throw Virsh.failure(outcome.complaint, "domstate", name)
        }
        return Self.state(outcome.output)
    }

    /// Reads `running (booted)` and the like (virsh(1), domstate).
    static func state(_ text: String) -> MachineState {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let word = line.prefix { $0 != "(" }.split(separator: " ").joined(separator: " ")
        let reason = String(line.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" })
        switch word {
        case "shut off", "crashed": return .off
        case "running", "idle", "in shutdown", "dying": return .running
        default: return .paused(reason.isEmpty ? word : reason)
        }
    }

    func define(_ machine: VirtualMachine) async throws {
        let other = try await virsh.attempt(["domuuid", name])
        let found = other.output.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        guard !other.succeeded || found == uuid else {
            throw MachineError(
                .exists, subject: name,
                detail:
                    "\(title) has a machine of this name that was not made here (\(found)); give another with --name")
        }
        let file = folder.path.appending("domain.xml")
        try StagedFile.write(Array(try DomainXML(machine, in: folder).text.utf8), to: file)
        try await virsh.run(["define", "--validate", file.string], for: name)
    }

    func change(to media: VirtualMachine.Media, of machine: VirtualMachine) async throws {
        try await insert(media.boot, into: DomainXML.bootDrive)
        if let seed = media.seed { try await insert(seed, into: DomainXML.seedDrive) }
    }

    /// Changes a medium in the description that is kept, where it is not in the drive already: whatever else somebody
    /// has edited there stays.
    private func insert(_ image: String, into drive: String) async throws {
        let listed = try await virsh.run(["domblklist", "--inactive", uuid], for: name)
        let row = listed.split(whereSeparator: \.isNewline).first { line in
            line.split(separator: " ", maxSplits: 1).first.map(String.init) == drive
        }
        guard row?.hasSuffix(image) != true else { return }
        try await virsh.run(["change-media", uuid, drive, image, "--update", "--config"], for: name)
    }

    func undefine() async throws {
        let outcome = try await virsh.attempt(["undefine", uuid, "--keep-nvram"])
        guard !outcome.succeeded, try await state() != .absent else { return }
        throw Virsh.failure(outcome.complaint, "undefine", name)
    }

    func start(_ machine: VirtualMachine) async throws { try await virsh.run(["start", uuid], for: name) }

    func askAgent() async throws -> Bool {
        try await virsh.attempt(["shutdown", uuid, "--mode", "agent"]).succeeded
    }

    func pressPowerButton() async throws {
        try await virsh.run(["shutdown", uuid, "--mode", "acpi"], for: name)
    }

    func cutPower() async throws {
        let outcome = try await virsh.attempt(["destroy", uuid])
        guard !outcome.succeeded, try await state().isAlive else { return }
        throw Virsh.failure(outcome.complaint, "destroy", name)
    }

    func addresses() async throws -> [String] {
        for source in ["lease", "agent"] {
            let outcome = try await virsh.attempt(["domifaddr", uuid, "--source", source])
            let found = Self.addresses(outcome.output)
            if outcome.succeeded, !found.isEmpty { return found }
        }
        return []
    }

    /// The IPv4 addresses of `virsh domifaddr`, without those of the loopback interface and of no network.
    static func addresses(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 4, words[words.count - 2] == "ipv4" else { return nil }
            let address = words[words.count - 1].prefix { $0 != "/" }
            return address.hasPrefix("127.") || address.hasPrefix("169.254.") ? nil : String(address)
        }
    }

    func monitor<Value: Decodable & Sendable>(
        _ command: String, _ arguments: some Encodable & Sendable, returning: Value.Type
    ) async throws -> Value {
        let request = try JSONEncoder().encode(MonitorRequest(execute: command, arguments: arguments))
        let said = try await virsh.run(
            ["qemu-monitor-command", uuid, String(decoding: request, as: UTF8.self)], for: name)
        guard let answer = try? JSONDecoder().decode(MonitorReturn<Value>.self, from: Data(said.utf8)) else {
            throw MachineError(.monitor, subject: name, detail: "refused \(command) (\(said.prefix(300)))")
        }
        return answer.value
    }

    func console() async throws -> ConsoleAccess {
        .program("virsh", arguments: ["-c", virsh.uri, "console", uuid, "--safe"])
    }
}
