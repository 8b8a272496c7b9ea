public import SystemPackage

/// A virtual machine that stays: what it is made of, all choices made.
///
/// It is a value; a ``Hypervisor`` makes a machine of it, and ``MachineFolder`` keeps it beside the machine's files.
public struct VirtualMachine: Codable, Hashable, Sendable {
    /// Who runs it.
    public enum Host: Codable, Hashable, Sendable {
        /// libvirt's daemon at a URI, such as `qemu:///system`.
        case libvirt(uri: String)
        /// QEMU alone, started by ksbuild.
        case plain
    }

    /// How it reaches others and is reached.
    public enum Network: Codable, Hashable, Sendable {
        /// A network of libvirt, by name; the node has an address of its own there.
        case libvirt(String)
        /// QEMU's user network: out by the host's own connections, in by two ports of the loopback interface.
        case user(ssh: UInt16, api: UInt16)
    }

    /// What it boots from.
    public struct Media: Codable, Hashable, Sendable {
        /// The version of the bundle.
        public var version: String
        /// The image in the first drive: the boot medium, or Alpine's own image.
        public var boot: String
        /// The seed image in the second drive, where Alpine's own image is in the first.
        public var seed: String?

        /// Joins the parts; paths are absolute.
        public init(version: String, boot: FilePath, seed: FilePath? = nil) {
            self.version = version
            self.boot = boot.string
            self.seed = seed?.string
        }
    }

    /// Its name, of letters, digits, `.`, `_` and `-`.
    public var name: String
    /// Its identifier: the same for the same name in the same folder.
    public var uuid: String
    /// Who runs it.
    public var host: Host
    /// The firmware.
    public var firmware: BootMachine.Firmware
    /// What its processor is.
    public var accelerator: Accelerator
    /// Its memory in MiB.
    public var memory: Int
    /// Its processors.
    public var processors: Int
    /// The number of its network interfaces.
    public var interfaces: Int
    /// Its network.
    public var network: Network
    /// What it boots from.
    public var media: Media
    /// Who logs in.
    public var user: String

    /// Describes a machine.
    public init(
        name: String, folder: FilePath, host: Host, network: Network, media: Media, user: String,
        firmware: BootMachine.Firmware = .bios, accelerator: Accelerator = .tcg,
        memory: Int = BootMachine.defaultMemory, processors: Int = 2, interfaces: Int = 1
    ) {
        self.name = name
        uuid = StableName.uuid(of: "\(folder.string)\n\(name)")
        self.host = host
        self.network = network
        self.media = media
        self.user = user
        self.firmware = firmware
        self.accelerator = accelerator
        self.memory = memory
        self.processors = processors
        self.interfaces = interfaces
    }

    /// The hardware address of an interface, in QEMU's range.
    public func hardwareAddress(_ interface: Int) -> String {
        StableName.hardwareAddress(of: "\(uuid) \(interface)")
    }

    /// Says what would keep the machine from being made.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/invalidSpecification``.
    public func validate() throws(MachineError) {
        try Self.validate(name: name)
        guard (256...1_048_576).contains(memory) else {
            throw Self.refuse("memory", "\(memory) MiB", "256 MiB to 1 TiB")
        }
        guard (1...256).contains(processors) else { throw Self.refuse("processors", "\(processors)", "1 to 256") }
        guard (1...16).contains(interfaces) else { throw Self.refuse("interfaces", "\(interfaces)", "1 to 16") }
        if case .libvirt(let network) = network,
            !network.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) || network.isEmpty
        {
            throw Self.refuse("the network", String(reflecting: network), "the name of a libvirt network")
        }
        if case .plain = host, case .libvirt(let network) = network {
            throw Self.refuse("the network", network, "the user network, the only one of the plain backend")
        }
        if case .user(let ssh, let api) = network, ssh == api || ssh == 0 || api == 0 {
            throw Self.refuse("the ports of the user network", "\(ssh) and \(api)", "two that differ, from 1 to 65535")
        }
        for path in [media.boot, media.seed].compactMap({ $0 }) {
            guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw Self.refuse("the path of a medium", String(reflecting: path), "one without control characters")
            }
        }
    }

    /// Says what would keep a machine from having a name.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/invalidSpecification``.
    public static func validate(name: String) throws(MachineError) {
        let isName =
            name.utf8.count <= 63
            && name.first.map { $0.isASCII && ($0.isLetter || $0.isNumber) } == true
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
            // virsh takes a number for that of a running machine.
            && !name.allSatisfy(\.isNumber)
        guard isName else {
            throw refuse(
                "the name of a virtual machine", String(reflecting: name),
                "at most 63 letters, digits, dots, hyphens and underscores, beginning with a letter or digit, not digits"
                    + " alone")
        }
    }

    private static func refuse(_ what: String, _ value: String, _ range: String) -> MachineError {
        MachineError(.invalidSpecification, subject: what, detail: "cannot be \(value); give \(range)")
    }
}
