internal import Artefact
internal import FoundationEssentials
internal import SystemPackage

/// The command line for QEMU, as data: no shell quoting, and paths only inside JSON, where a comma means nothing.
struct QEMUCommand: Hashable, Sendable {
    /// The emulator of x86-64 machines and the Debian package that has it.
    static let program = "qemu-system-x86_64"
    static let package = "qemu-system-x86"

    /// The identifiers of the drives that can be given another medium.
    static func drive(_ slot: MediumSlot) -> String { slot == .boot ? "cd-boot" : "cd-seed" }

    /// The arguments after the program's name.
    let arguments: [String]

    /// Writes the command line of a machine whose files, sockets and ports are chosen.
    ///
    /// - Parameters:
    ///   - machine: What to run.
    ///   - accelerator: What runs it.
    ///   - ports: The forwarded ports.
    ///   - files: The paths of the host that belong to this one run.
    /// - Throws: ``MachineError`` with ``MachineError/Code/invalidSpecification`` for a path with control characters.
    init(
        _ machine: BootMachine, accelerator: Accelerator, ports: BootMachine.ForwardedPorts, files: MachineFiles
    ) throws {
        var words = ["-name", "ksbuild", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"]
        words += accelerator.arguments
        words += ["-machine", "q35", "-m", "\(machine.memory)", "-smp", "\(machine.processors)"]
        // Stopped until the monitor and the serial line are connected: nothing the guest says is lost.
        words += ["-S"]
        words += ["-qmp", "unix:\(try files.monitor.commaFree),server=on,wait=off"]
        let log = try machine.serialLog.commaFree
        words += [
            "-chardev",
            "socket,id=serial0,path=\(try files.serial.commaFree),server=on,wait=off,logfile=\(log),logappend=on",
            "-serial", "chardev:serial0",
        ]
        if let firmware = files.firmware {
            words += try Self.pflash("code", firmware.code, readOnly: true)
            words += try Self.pflash("vars", firmware.variables, readOnly: false)
            words += ["-machine", "pflash0=code,pflash1=vars"]
        }
        words += try Self.bootDrive(machine)
        words += try Self.medium(.seed, machine.seedImage, bus: 1, bootIndex: nil)
        if let disk = files.dataDisk {
            words += try Self.blockNode("data", disk, readOnly: false)
            words += ["-device", "virtio-blk-pci,drive=data,serial=\(BootMachine.dataDiskSerial)"]
        }
        words += Self.network(machine.network, ports)
        if let uuid = machine.uuid { words += ["-uuid", uuid] }
        words += ["-device", "virtio-rng-pci"]
        arguments = words
    }

    /// The network and its card; the card has its option ROM, which is iPXE, where the machine boots by it.
    private static func network(
        _ network: BootMachine.GuestNetwork, _ ports: BootMachine.ForwardedPorts
    ) -> [String] {
        let guest = network.guestAddress
        var link =
            "user,id=net0,net=\(network.network),dhcpstart=\(guest)"
            + ",hostfwd=tcp:127.0.0.1:\(ports.ssh)-\(guest):22,hostfwd=tcp:127.0.0.1:\(ports.api)-\(guest):6443"
        var card = "virtio-net-pci,netdev=net0,id=nic0"
        if let file = network.bootFile {
            link += ",bootfile=\(file.commasDoubled)"
            card += ",bootindex=0"
        } else {
            link += ",restrict=on"
            card += ",romfile="
        }
        if let address = network.hardwareAddress { card += ",mac=\(address)" }
        return ["-netdev", link, "-device", card]
    }

    /// The drive that the machine boots from; one that boots over the network has none.
    private static func bootDrive(_ machine: BootMachine) throws -> [String] {
        guard let image = machine.bootImage else { return [] }
        let device: String
        switch machine.attachment {
        case .cd: return try medium(.boot, image, bus: 0, bootIndex: 0)
        case .disk: device = "virtio-blk-pci"
        case .usb: device = "usb-storage,bus=usb.0"
        }
        let controller = machine.attachment == .usb ? ["-device", "qemu-xhci,id=usb"] : []
        return try controller + blockNode("boot", image, readOnly: true)
            + ["-device", "\(device),drive=boot,bootindex=0"]
    }

    /// A CD drive on a SATA port of its own; without an image it is empty.
    private static func medium(
        _ slot: MediumSlot, _ image: FilePath?, bus: Int, bootIndex: Int?
    ) throws -> [String] {
        let name = drive(slot)
        var device = "ide-cd,id=\(name),bus=ide.\(bus)"
        if let bootIndex { device += ",bootindex=\(bootIndex)" }
        guard let image else { return ["-device", device] }
        return try blockNode("\(name)-medium", image, readOnly: true) + ["-device", device + ",drive=\(name)-medium"]
    }

    /// A raw image as a block node; an image that is only read is neither locked nor changed.
    private static func blockNode(_ name: String, _ path: FilePath, readOnly: Bool) throws -> [String] {
        ["-blockdev", try BlockNode(name, path, readOnly: readOnly).json]
    }

    private static func pflash(_ name: String, _ path: FilePath, readOnly: Bool) throws -> [String] {
        try blockNode(name, path, readOnly: readOnly)
    }
}

/// The two drives of a node.
public enum MediumSlot: String, Hashable, Sendable, CaseIterable {
    /// The drive that the machine boots from.
    case boot
    /// The drive with the seed image.
    case seed
}

/// The paths of one run.
struct MachineFiles: Hashable, Sendable {
    /// The socket of QEMU's monitor.
    var monitor: FilePath
    /// The socket of the first serial port.
    var serial: FilePath
    /// The data disk.
    var dataDisk: FilePath?
    /// The firmware, with the variables of this run.
    var firmware: UEFIFirmware?
    /// Files that QEMU holds open once it has started, and nobody else needs.
    var transient: [FilePath]

    /// Names the sockets; the rest is added as the machine needs it.
    init(monitor: FilePath, serial: FilePath) {
        self.monitor = monitor
        self.serial = serial
        transient = [monitor, serial]
    }

    /// Takes the names away that only the start needed, so that nothing large stays behind when this process is killed.
    func forget() { for file in transient { try? HostFile.remove(file) } }
}

/// A raw image as QEMU's `blockdev-add` and `-blockdev` describe it.
struct BlockNode: Encodable {
    /// The file below the raw format.
    struct File: Encodable {
        var driver = "file"
        let filename: String
        let locking: String
        let readOnly: Bool

        private enum CodingKeys: String, CodingKey {
            case driver, filename, locking
            case readOnly = "read-only"
        }
    }

    var driver = "raw"
    let nodeName: String
    let readOnly: Bool
    let file: File

    private enum CodingKeys: String, CodingKey {
        case driver, file
        case nodeName = "node-name"
        case readOnly = "read-only"
    }

    /// Describes an image; one that is written is locked, so that two machines cannot spoil it.
    init(_ name: String, _ path: FilePath, readOnly: Bool) {
        nodeName = name
        self.readOnly = readOnly
        file = File(filename: path.string, locking: readOnly ? "off" : "auto", readOnly: readOnly)
    }

    /// The description as JSON with its keys in order.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}

extension FilePath {
    /// The path with each comma doubled, as QEMU's option lists want it.
    fileprivate var commaFree: String {
        get throws {
            guard string.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw MachineError(
                    .invalidSpecification, subject: String(reflecting: string),
                    detail: "holds a control character, which QEMU cannot be told")
            }
            return string.commasDoubled
        }
    }
}

extension String {
    /// The text with each comma doubled, as QEMU's option lists want it.
    fileprivate var commasDoubled: String {
        split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}
