internal import Artefact
public import SystemPackage

/// A virtual machine that boots a node as it is delivered: a boot medium, or Alpine's image and the seed image, or a boot
/// file on the network, and a data disk.
///
/// It is a description; ``run(accelerator:_:)`` starts it, and nothing of it outlives that call. The machine is a Q35
/// with both images as SATA CD drives, the boot image first, and the data disk on virtio: the layout in which Alpine's
/// init finds the overlay on the second drive.
public struct BootMachine: Hashable, Sendable {
    /// The firmware that starts the boot loader.
    public enum Firmware: String, Codable, Hashable, Sendable, CaseIterable {
        /// SeaBIOS, which starts isolinux.
        case bios
        /// OVMF, which starts GRUB; needs the host's package `ovmf`.
        case uefi
    }

    /// What a boot image is plugged in as.
    public enum Attachment: String, Hashable, Sendable, CaseIterable {
        /// A CD in a SATA drive.
        case cd
        /// A virtio disk that takes no writes.
        case disk
        /// A USB stick that takes no writes.
        case usb
    }

    /// The disk that keeps a node's state, a raw image.
    public enum DataDisk: Hashable, Sendable {
        /// A blank disk of so many bytes that is gone with the machine.
        case scratch(size: UInt64)
        /// A file that stays; where there is none, a blank sparse one of so many bytes is made.
        case kept(FilePath, size: UInt64)
    }

    /// The user-mode network that the machine sees.
    ///
    /// Nothing but the forwarded ports leads in. Nothing leads out, but for a machine that boots over the network: it
    /// reaches the host's loopback interface at the second address, and what the host reaches.
    public struct GuestNetwork: Hashable, Sendable {
        /// The network in CIDR form; its second address is the host's, its third the name server's.
        public var network: String
        /// The address that ports are forwarded to: the first that QEMU's DHCP server hands out, or a node's static one.
        public var guestAddress: String
        /// Whether the cable is plugged in when the machine starts.
        public var isConnected: Bool
        /// The hardware address of the card, six bytes in hexadecimal with colons; `nil` is QEMU's first, `52:54:00:12:34:56`.
        public var hardwareAddress: String?
        /// What DHCP names to iPXE as the boot file, an address of at most ``longestBootFile`` bytes; the machine boots from it.
        public var bootFile: String?

        /// The longest name of a boot file: the field `file` of BOOTP with its final zero (RFC 951).
        public static let longestBootFile = 127

        /// Makes a network; the defaults are those of QEMU.
        public init(
            network: String = "10.0.2.0/24", guestAddress: String = "10.0.2.15", isConnected: Bool = true,
            hardwareAddress: String? = nil, bootFile: String? = nil
        ) {
            self.network = network
            self.guestAddress = guestAddress
            self.isConnected = isConnected
            self.hardwareAddress = hardwareAddress
            self.bootFile = bootFile
        }
    }

    /// The serial number of the data disk: the one by which a node made with ksbuild's defaults recognises it.
    public static let dataDiskSerial = "ksbuild-data"

    /// The memory of a machine unless stated, in MiB.
    ///
    /// The root file system may grow to half of it; KubeSolo itself asks for 512 MiB.
    public static let defaultMemory = 1024

    /// The image to boot from, read only; `nil` where the machine boots over the network.
    public var bootImage: FilePath?
    /// What the boot image is plugged in as.
    public var attachment: Attachment
    /// The seed image, read only.
    public var seedImage: FilePath?
    /// The data disk, if there is one.
    public var dataDisk: DataDisk?
    /// The firmware.
    public var firmware: Firmware
    /// The memory in MiB.
    public var memory: Int
    /// The number of processors.
    public var processors: Int
    /// The network.
    public var network: GuestNetwork
    /// The SMBIOS UUID; `nil` is none.
    public var uuid: String?
    /// Where everything that the machine says on its first serial port is kept; replaced at each start.
    public var serialLog: FilePath

    /// Describes a machine.
    public init(
        bootImage: FilePath?, seedImage: FilePath?, dataDisk: DataDisk?, serialLog: FilePath,
        firmware: Firmware = .bios,
        memory: Int = defaultMemory, processors: Int = 2, network: GuestNetwork = GuestNetwork(),
        attachment: Attachment = .cd, uuid: String? = nil
    ) {
        self.bootImage = bootImage
        self.attachment = attachment
        self.seedImage = seedImage
        self.dataDisk = dataDisk
        self.serialLog = serialLog
        self.firmware = firmware
        self.memory = memory
        self.processors = processors
        self.network = network
        self.uuid = uuid
    }

    /// The ports on the host's loopback interface that lead to the node.
    public struct ForwardedPorts: Hashable, Sendable {
        /// Leads to the node's port 22.
        public let ssh: UInt16
        /// Leads to the node's port 6443.
        public let api: UInt16
    }

    /// Says what would keep the machine from starting, before anything is started.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/imageMissing``,
    ///   ``MachineError/Code/invalidSpecification`` or ``MachineError/Code/firmwareMissing``.
    public func validate() throws {
        for image in [bootImage, seedImage].compactMap({ $0 }) {
            guard let status = try? HostFile.status(of: image) else {
                throw MachineError(
                    .imageMissing, subject: image.string, detail: "cannot boot from it (no such file)")
            }
            guard status.kind == .file, status.size > 0 else {
                throw MachineError(
                    .imageMissing, subject: image.string, detail: "cannot boot from it (no regular file, or empty)")
            }
        }
        guard (64...65_536).contains(memory) else {
            throw Self.outOfRange("memory", "\(memory) MiB", "64 to 65536 MiB")
        }
        guard (1...64).contains(processors) else { throw Self.outOfRange("processors", "\(processors)", "1 to 64") }
        switch dataDisk {
        case .scratch(let size), .kept(_, let size):
            guard size % 512 == 0, (1 << 20...1 << 43).contains(size) else {
                throw Self.outOfRange("data disk", "\(size) bytes", "1 MiB to 8 TiB, a multiple of 512 bytes")
            }
        case nil: break
        }
        for text in [network.network, network.guestAddress] {
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x2e...0x39).contains($0) }) else {
                throw Self.outOfRange("guest network", text, "an IPv4 network in CIDR form and an address in it")
            }
        }
        try validateStart()
        if firmware == .uefi { _ = try UEFIFirmware.onThisHost() }
    }

    /// One thing to boot from, and names that QEMU's option lists can carry.
    private func validateStart() throws {
        guard (bootImage == nil) != (network.bootFile == nil) else {
            throw Self.outOfRange("boot", bootImage == nil ? "nothing" : "both", "an image or a boot file")
        }
        if let file = network.bootFile {
            let isAddress =
                file.hasPrefix("http://") && file.utf8.count <= GuestNetwork.longestBootFile
                && file.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
            guard isAddress else {
                throw Self.outOfRange(
                    "boot file", String(reflecting: file),
                    "http://HOST/PATH of at most \(GuestNetwork.longestBootFile) bytes, which is what DHCP carries")
            }
            guard firmware == .bios else {
                throw Self.outOfRange("firmware", firmware.rawValue, "bios, under which iPXE takes the boot file")
            }
        }
        let marks = [
            ("hardware address", network.hardwareAddress, ":", [2, 2, 2, 2, 2, 2]),
            ("UUID", uuid, "-", [8, 4, 4, 4, 12]),
        ]
        for (what, mark, separator, lengths) in marks {
            guard let mark else { continue }
            let parts = mark.split(separator: separator, omittingEmptySubsequences: false)
            guard parts.map(\.utf8.count) == lengths, parts.allSatisfy({ $0.allSatisfy(\.isHexDigit) }) else {
                let form = lengths.map { String(repeating: "x", count: $0) }.joined(separator: separator)
                throw Self.outOfRange(what, String(reflecting: mark), "\(form) in hexadecimal")
            }
        }
    }

    private static func outOfRange(_ what: String, _ value: String, _ range: String) -> MachineError {
        MachineError(.invalidSpecification, subject: what, detail: "\(value) is out of range; give \(range)")
    }
}

/// The two halves of UEFI firmware for a virtual machine: the code, and the variables that a machine starts with.
struct UEFIFirmware: Hashable, Sendable {
    /// The code, mapped read only.
    let code: FilePath
    /// The template of the variables; each machine writes to a copy.
    let variables: FilePath

    /// Where Debian, Arch, Fedora and Alpine put them, without Secure Boot.
    private static let places: [(code: String, variables: String)] = [
        ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
        ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
        ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ]

    /// The firmware of this host.
    static func onThisHost() throws(MachineError) -> UEFIFirmware {
        for place in places {
            let found = UEFIFirmware(code: FilePath(place.code), variables: FilePath(place.variables))
            if HostFile.exists(found.code), HostFile.exists(found.variables) { return found }
        }
        throw MachineError(
            .firmwareMissing, subject: places[0].code,
            detail: "there is no UEFI firmware on this host; install it (Debian package: ovmf) or boot with BIOS")
    }
}
