internal import Artefact
internal import Glibc
public import SystemPackage

/// What runs virtual machines.
public enum MachineBackend: String, Hashable, Sendable, CaseIterable {
    /// libvirt.
    case libvirt
    /// QEMU alone.
    case plain
}

/// Looks at everything that virtual machines need on this host; changes nothing.
public struct HostCheck: Sendable {
    let backend: MachineBackend
    let connection: LibvirtConnection
    let folder: FilePath
    let user: HostUser
    let distribution: Distribution?

    /// What a data disk may grow to, in bytes.
    static let diskSize: UInt64 = 8 << 30
    /// What a boot medium takes, rounded up, in bytes.
    static let mediumSize: UInt64 = 512 << 20
    /// What is needed to begin with: the medium, and what a fresh node writes to its disk, in bytes.
    static let leastRoom = mediumSize + 1 << 30
    /// The memory of a machine unless stated, in bytes.
    static let memory = UInt64(BootMachine.defaultMemory) << 20

    /// Prepares a check.
    ///
    /// - Parameters:
    ///   - backend: What is to run machines.
    ///   - connection: The daemon, for ``MachineBackend/libvirt``.
    ///   - folder: Where disks and media are to be; an absolute path, which need not be there.
    ///   - user: Who is to use them.
    ///   - distribution: The family of the host, for names of packages; `nil` where it is not known.
    public init(
        backend: MachineBackend, connection: LibvirtConnection, folder: FilePath, user: HostUser,
        distribution: Distribution?
    ) {
        self.backend = backend
        self.connection = connection
        self.folder = folder
        self.user = user
        self.distribution = distribution
    }

    /// Looks.
    ///
    /// - Returns: The rows, in the order in which mending them makes sense.
    /// - Throws: `CancellationError`.
    public func run() async throws -> [HostCheckRow] {
        var rows = [await program("qemu-system-x86_64"), await program("qemu-img")]
        if backend == .libvirt { rows.append(await program("virsh")) }
        rows += [await program("ssh"), await program("ssh-keyscan")]
        rows.append(await program("kubectl", required: false))
        rows.append(firmware)
        if backend == .libvirt { rows += try await libvirtRows() }
        rows.append(await accelerator())
        rows += [memoryRow, room]
        if backend == .libvirt, connection.daemon == .system { rows.append(reach) }
        return rows
    }

    /// Whether a program is installed.
    func program(_ name: String, required: Bool = true) async -> HostCheckRow {
        if let path = await HostProgram.find(name) { return HostCheckRow(name, .ok, required: required, path.string) }
        let package = distribution?.package(of: name).map { "install the package \($0)" }
        let mend =
            required ? [package, "or run 'ksbuild vm setup'"].compactMap { $0 }.joined(separator: ", ") : package
        return HostCheckRow(name, .missing, required: required, "is not installed", mend: mend)
    }

    private var firmware: HostCheckRow {
        let name = "UEFI firmware"
        guard let found = try? UEFIFirmware.onThisHost() else {
            return HostCheckRow(
                name, .missing, required: false, "is not installed, so machines start with BIOS",
                mend: distribution?.package(of: "OVMF").map { "install the package \($0)" })
        }
        return HostCheckRow(name, .ok, required: false, found.code.string)
    }

    private func accelerator() async -> HostCheckRow {
        let choice = await AcceleratorChoice.forThisHost()
        guard choice.accelerator == .tcg else { return HostCheckRow("KVM", .ok, required: false, choice.reason) }
        let isDenied = choice.reason.contains("\(Errno.permissionDenied)")
        return HostCheckRow(
            "KVM", .limited, required: false, "\(choice.reason); machines are emulated, about twenty times slower",
            mend: isDenied
                ? "sudo usermod -aG kvm \(ShellLine.quoted(user.name)), then log in again"
                : "switch virtualisation on in the host's firmware, or let this virtual machine nest others")
    }

    private var memoryRow: HostCheckRow {
        let text =
            (try? HostFile.read("/proc/meminfo", limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return Self.memoryRow(meminfo: text)
    }

    /// Judges `/proc/meminfo` (proc(5)), which counts in KiB.
    static func memoryRow(meminfo text: String) -> HostCheckRow {
        let amount = { (key: String) -> UInt64? in
            let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(key):") }
            return line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 << 10 }
        }
        let needed = "a machine takes \(memory >> 20) MiB unless told otherwise"
        guard let total = amount("MemTotal"), let free = amount("MemAvailable") else {
            return HostCheckRow("memory", .unknown, required: false, "/proc/meminfo does not tell")
        }
        let found = "\(free >> 20) of \(total >> 20) MiB are free"
        if total < memory {
            return HostCheckRow("memory", .missing, "\(found), and \(needed)", mend: "give the host more memory")
        }
        if free < memory {
            return HostCheckRow("memory", .limited, "\(found), and \(needed)", mend: "end what takes the memory")
        }
        return HostCheckRow("memory", .ok, found)
    }

    private var room: HostCheckRow {
        let place = PathSearch.nearest(folder)
        var answer = statvfs()
        guard unsafe place.withPlatformString({ unsafe statvfs($0, &answer) }) == 0 else {
            return HostCheckRow(
                "room in \(folder)", .unknown, "cannot be told (\(Errno(rawValue: errno)))", mend: "see \(place)")
        }
        return Self.room(in: folder, free: UInt64(answer.f_bavail) * UInt64(answer.f_frsize))
    }

    /// Judges the free room of a folder, in bytes.
    static func room(in folder: FilePath, free: UInt64) -> HostCheckRow {
        let found = "\(free >> 20) MiB are free"
        let mend = "make room, or name another folder with --out"
        if free < leastRoom {
            return HostCheckRow(
                "room in \(folder)", .missing, "\(found) of \(leastRoom >> 20) MiB at least", mend: mend)
        }
        if free < diskSize + mediumSize {
            return HostCheckRow(
                "room in \(folder)", .limited,
                "\(found), and a data disk may grow to \(diskSize >> 20) MiB beside a medium of \(mediumSize >> 20) MiB",
                mend: mend)
        }
        return HostCheckRow("room in \(folder)", .ok, found)
    }
}
