internal import Artefact
internal import FoundationEssentials
internal import SystemPackage

/// The command line for a QEMU that goes on when ksbuild has ended; its working directory is the machine's folder, so
/// that the paths of its sockets fit into an address wherever that is.
struct PlainCommand: Hashable, Sendable {
    /// The sockets and the file with the process's number, in the machine's folder.
    static let monitor = "monitor"
    static let serial = "serial"
    static let processFile = "qemu.pid"

    /// The arguments after the program's name.
    let arguments: [String]

    /// Writes the command line of a machine.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/firmwareMissing`` or
    ///   ``MachineError/Code/invalidSpecification``.
    init(_ machine: VirtualMachine, in folder: MachineFolder) throws {
        guard case .user(let ssh, let api) = machine.network else {
            throw MachineError(
                .invalidSpecification, subject: machine.name,
                detail: "has no user network, the only one without libvirt")
        }
        var words = ["-name", machine.name, "-uuid", machine.uuid]
        words += ["-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"]
        words += machine.accelerator.arguments
        words += ["-machine", "q35", "-m", "\(machine.memory)", "-smp", "\(machine.processors)"]
        words += ["-daemonize", "-pidfile", Self.processFile]
        words += ["-qmp", "unix:\(Self.monitor),server=on,wait=off"]
        words += [
            "-chardev",
            "socket,id=serial0,path=\(Self.serial),server=on,wait=off,logfile=console.log,logappend=on",
            "-serial", "chardev:serial0",
        ]
        if machine.firmware == .uefi {
            let firmware = try UEFIFirmware.onThisHost()
            words += ["-blockdev", try BlockNode("code", firmware.code, readOnly: true).json]
            words += ["-blockdev", try BlockNode("vars", folder.firmwareVariables, readOnly: false).json]
            words += ["-machine", "pflash0=code,pflash1=vars"]
        }
        words += ["-blockdev", try BlockNode("boot", FilePath(machine.media.boot), readOnly: true).json]
        words += ["-device", "ide-cd,bus=ide.0,bootindex=0,drive=boot"]
        if let seed = machine.media.seed {
            words += ["-blockdev", try BlockNode("seed", FilePath(seed), readOnly: true).json]
            words += ["-device", "ide-cd,bus=ide.1,drive=seed"]
        }
        words += ["-blockdev", try QcowNode(DataDiskImage.node, folder.dataDisk).json]
        words += ["-device", "virtio-blk-pci,drive=\(DataDiskImage.node),serial=\(BootMachine.dataDiskSerial)"]
        for index in 0..<machine.interfaces {
            words += ["-netdev", UserNetwork.backend(index, ssh: ssh, api: api)]
            words += ["-device", UserNetwork.card(index, machine.hardwareAddress(index))]
        }
        words += ["-device", "virtio-rng-pci"]
        arguments = words
    }
}

/// The data disk as `-blockdev` describes it; QEMU locks it against a second machine.
private struct QcowNode: Encodable {
    struct File: Encodable {
        var driver = "file"
        let filename: String
        var locking = "on"
    }

    var driver = "qcow2"
    let nodeName: String
    var discard = "unmap"
    let file: File

    private enum CodingKeys: String, CodingKey {
        case driver, discard, file
        case nodeName = "node-name"
    }

    init(_ name: String, _ path: FilePath) {
        nodeName = name
        file = File(filename: path.string)
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
