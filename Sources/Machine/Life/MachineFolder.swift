internal import Artefact
internal import FoundationEssentials
internal import Glibc
public import SystemPackage

/// The files of a virtual machine that stays.
///
/// ```
/// OUT/vm/NAME/
///   machine.json     what it is made of
///   data.qcow2       its data disk, with the snapshot of an upgrade that is under way
///   media/           the boot media that were composed for it
///   console.log      what it said on its serial console, from its first start on
///   known_hosts      its SSH host key, as the console has told it
///   firmware.fd      the variables of its UEFI firmware
///   replacement.json an upgrade or a way back that is under way
/// ```
public struct MachineFolder: Hashable, Sendable {
    /// The folder itself, an absolute path without symbolic links.
    public let path: FilePath
    /// The machine's name.
    public let name: String
    /// Where pins stand.
    private let pins: FilePath

    /// The folder of a machine in an output directory, whether it is there or not.
    ///
    /// - Parameters:
    ///   - out: The output directory, an absolute path without symbolic links.
    ///   - name: The machine's name.
    public init(out: FilePath, name: String) {
        self.name = name
        path = out.appending("vm").appending(name)
        pins = out.appending("pins")
    }

    /// The data disk.
    public var dataDisk: FilePath { path.appending("data.qcow2") }
    /// What the machine said on its serial console.
    public var serialLog: FilePath { path.appending("console.log") }
    /// Where media that were composed for it stand.
    public var media: FilePath { path.appending("media") }
    /// Its host key.
    public var knownHosts: FilePath { path.appending("known_hosts") }
    /// The variables of its firmware.
    public var firmwareVariables: FilePath { path.appending("firmware.fd") }
    /// The cluster's administrator configuration, with an address that leads to it.
    public var kubeconfig: FilePath { path.appending("kubeconfig") }
    var description: FilePath { path.appending("machine.json") }
    var journal: FilePath { path.appending("replacement.json") }

    /// The machine that was made here, if any.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/damagedRecord`` for a description that cannot be read.
    public func machine() throws -> VirtualMachine? {
        let mend = "remove it and let 'ksbuild vm create' make the machine again, on its data disk"
        guard let machine = try Self.read(VirtualMachine.self, description, mend: mend) else { return nil }
        guard machine.name == name else {
            throw MachineError(
                .damagedRecord, subject: description.string,
                detail: "describes the machine '\(machine.name)', not '\(name)'; \(mend)")
        }
        return machine
    }

    /// An upgrade or a way back that is under way, if any.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/damagedRecord`` for a record that cannot be read.
    func replacement() throws -> Replacement? {
        try Self.read(
            Replacement.self, journal,
            mend:
                "remove it: the machine goes on with the version that 'ksbuild vm info' names, and its data disk keeps"
                + " the snapshot '\(Replacement.snapshot)'")
    }

    /// Whether a machine was made here, be its description readable or not.
    public var isMade: Bool { HostFile.exists(description) }
    /// Whether a machine that was removed has left its data disk here, or one is about to be made.
    public var hasDataDisk: Bool { HostFile.exists(dataDisk) }

    /// The machine that was made here.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/notMade`` where there is none.
    public func made() throws -> VirtualMachine {
        guard let machine = try machine() else {
            throw MachineError(
                .notMade, subject: name,
                detail: "there is no virtual machine of this name here; 'ksbuild vm create' makes it")
        }
        return machine
    }

    /// Keeps a machine's description, and the pin that keeps its version from being pruned.
    public func keep(_ machine: VirtualMachine) throws {
        try HostFile.makeDirectories(path)
        try pin([machine.media.version])
        try Self.write(machine, description)
    }

    /// Notes which versions the machine needs.
    ///
    /// The pins of other versions go; what stands there while a command is cut off is one pin too many, never too few.
    public func pin(_ versions: [String]) throws {
        try HostFile.makeDirectories(pins)
        for version in versions { try StagedFile.write(Array("\(version)\n".utf8), to: pinFile(version)) }
        for name in try HostFile.names(in: pins) where name.hasPrefix("vm-\(self.name)@") {
            if !versions.contains(where: { pinFile($0).lastComponent?.string == name }) {
                try HostFile.remove(pins.appending(name))
            }
        }
    }

    private func pinFile(_ version: String) -> FilePath { pins.appending("vm-\(name)@\(version)") }

    /// Removes the media that were composed for the machine and are none of these.
    func removeMedia(but kept: [VirtualMachine.Media]) throws {
        guard HostFile.exists(media) else { return }
        let needed = Set(kept.flatMap { [$0.boot, $0.seed].compactMap { $0 } })
        for name in try HostFile.names(in: media) {
            let file = media.appending(name)
            if !needed.contains(file.string) { try HostFile.remove(file) }
        }
    }

    /// Runs `body` while no other ksbuild changes this machine.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/busy`` at once where another one does.
    public func changing<Value>(_ body: () async throws -> Value) async throws -> Value {
        try HostFile.makeDirectories(path)
        let lock = path.appending(".lock")
        let file = unsafe lock.withPlatformString { name in
            unsafe open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        guard file >= 0 else { throw MachineError.system("create", lock.string, Errno(rawValue: errno)) }
        defer { close(file) }
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let reason = Errno(rawValue: errno)
            if reason == .interrupted { continue }
            guard reason == .wouldBlock else { throw MachineError.system("lock", lock.string, reason) }
            throw MachineError(
                .busy, subject: name,
                detail: "another ksbuild is changing this virtual machine; try again when it has ended")
        }
        return try await body()
    }

    // MARK: Files of values

    /// Reads a value where there is one; `mend` is what may be done but putting the file back.
    private static func read<Value: Decodable>(
        _ type: Value.Type, _ file: FilePath, mend: String
    ) throws -> Value? {
        guard HostFile.exists(file) else { return nil }
        let bytes = try HostFile.read(file, limit: 1 << 20)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw MachineError(
                .damagedRecord, subject: file.string,
                detail: "is not what ksbuild has written there; put it back from a copy, or \(mend)")
        }
    }

    static func write(_ value: some Encodable, _ file: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try StagedFile.write(Array(try encoder.encode(value)) + [UInt8(ascii: "\n")], to: file)
    }
}
