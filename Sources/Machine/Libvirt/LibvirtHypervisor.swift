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
        // Its memory is kept on the host's disk, and a start would go on from there.
        case "shut off" where reason == "saved": return .paused(reason)
        case "shut off", "crashed": return .off
        case "running", "idle", "in shutdown", "dying": return .running
        default: return .paused(reason.isEmpty ? word : reason)
        }
    }

    func requireFree(_ machine: VirtualMachine) async throws {
        let other = try await virsh.attempt(["domuuid", name])
        let found = other.output.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        guard !other.succeeded || found == uuid else {
            throw MachineError(
                .exists, subject: name,
                detail:
                    "\(title) has a machine of this name that was not made here (\(found)); give another with --name")
        }
    }

    func define(_ machine: VirtualMachine) async throws {
        try await requireFree(machine)
        let file = folder.path.appending("domain.xml")
        try StagedFile.write(Array(try DomainXML(machine, in: folder).text.utf8), to: file)
        try await virsh.run(["define", "--validate", file.string], for: name)
    }

    func change(to media: VirtualMachine.Media, of machine: VirtualMachine) async throws {
        let listed = try await virsh.run(["domblklist", "--inactive", uuid], for: name)
        let images = [(DomainXML.bootDrive, Optional(media.boot)), (DomainXML.seedDrive, media.seed)]
        let drives = images.compactMap { drive, image in image.map { (drive, $0) } }
        for ((drive, image), element) in zip(drives, DomainXML.media(media, of: machine, in: folder))
        where Self.image(in: drive, listed) != image {
            try await insert(element)
        }
    }

    /// The image in a drive, as `virsh domblklist` tells it: the drive's name and the path, with blanks around both.
    static func image(in drive: String, _ text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            let row = line.trimmed
            guard let name = row.split(separator: " ", maxSplits: 1).first, name == drive else { continue }
            return row.dropFirst(drive.count).trimmed
        }
        return nil
    }

    /// Puts a drive with its image into the description that is kept; all else that somebody has edited there stays.
    private func insert(_ element: XMLElement) async throws {
        let file = folder.path.appending("medium.xml")
        try StagedFile.write(Array(element.document.utf8), to: file)
        try await virsh.run(["update-device", uuid, file.string, "--config"], for: name)
        try HostFile.remove(file)
    }

    func undefine() async throws {
        let outcome = try await virsh.attempt(["undefine", uuid, "--keep-nvram", "--managed-save"])
        guard !outcome.succeeded, try await state() != .absent else { return }
        throw Virsh.failure(outcome.complaint, "undefine", name)
    }

    func start(_ machine: VirtualMachine) async throws {
        let outcome = try await virsh.attempt(["start", uuid])
        guard !outcome.succeeded else { return }
        if outcome.complaint.contains("Permission denied"), let closed = try closedFolder(of: machine) { throw closed }
        throw Virsh.failure(outcome.complaint, "start", name)
    }

    /// The error for a folder that QEMU cannot go through on the way to a file of the machine, where there is one.
    private func closedFolder(of machine: VirtualMachine) throws -> MachineError? {
        guard try LibvirtConnection(virsh.uri).daemon == .system else { return nil }
        let (user, account) = DaemonUser.find(settings: DaemonUser.settings)
        guard let account else { return nil }
        let files = [folder.dataDisk.string, machine.media.boot, machine.media.seed].compactMap { $0 }
        for file in files {
            guard let obstacle = try PathSearch(account).obstacle(on: FilePath(file).removingLastComponent()) else {
                continue
            }
            let row = HostCheck.closed(obstacle, to: user, name: file)
            return MachineError(.notPermitted, subject: name, detail: "\(row.detail); \(row.mend ?? "")")
        }
        return nil
    }

    func resume() async throws {
        let isSaved = try await state() == .paused("saved")
        try await virsh.run([isSaved ? "start" : "resume", uuid], for: name)
    }

    func askAgent() async throws -> Bool {
        try await virsh.attempt(["shutdown", uuid, "--mode", "agent"]).succeeded
    }

    func pressPowerButton() async throws {
        try await virsh.run(["shutdown", uuid, "--mode", "acpi"], for: name)
    }

    func cutPower() async throws {
        if try await state() == .paused("saved") {
            try await virsh.run(["managedsave-remove", uuid], for: name)
            return
        }
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
