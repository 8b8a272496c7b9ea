internal import Artefact
internal import SystemPackage

/// The description of a machine for libvirt (its domain XML format), the same for the same machine.
///
/// The machine is the one that ``QEMUCommand`` starts for a boot test: a Q35 with the boot image in the first SATA
/// drive, the data disk on virtio, and the serial console in a log that is appended to.
public struct DomainXML: Sendable {
    /// The drive with what the machine boots from.
    static let bootDrive = "sda"
    /// The drive with the seed image, only where there is one.
    static let seedDrive = "sdb"
    /// The name of the guest agent's port.
    static let agentPort = "org.qemu.guest_agent.0"

    /// The document.
    public let text: String

    /// Describes a machine.
    ///
    /// - Parameters:
    ///   - machine: The machine.
    ///   - folder: Where its files are.
    /// - Throws: ``MachineError`` with ``MachineError/Code/firmwareMissing``.
    public init(_ machine: VirtualMachine, in folder: MachineFolder) throws(MachineError) {
        let isSystem = if case .libvirt = machine.network { true } else { false }
        var parts = [
            XMLElement("name", text: machine.name), XMLElement("uuid", text: machine.uuid),
            XMLElement("title", text: "ksbuild: \(machine.name)"),
            XMLElement("memory", ["unit": "MiB"], text: "\(machine.memory)"),
            XMLElement("vcpu", text: "\(machine.processors)"),
            XMLElement("os", [:], try Self.system(machine, folder)),
            XMLElement("features", [:], Self.features(machine)), Self.processor(machine),
            XMLElement("clock", ["offset": "utc"]),
            XMLElement("on_poweroff", text: "destroy"), XMLElement("on_reboot", text: "restart"),
            XMLElement("on_crash", text: "destroy"),
            XMLElement("devices", [:], Self.devices(machine, folder)),
        ]
        if case .user(let ssh, let api) = machine.network {
            parts.append(Self.userNetwork(machine, ssh: ssh, api: api))
        }
        var domain = XMLElement("domain", ["type": machine.accelerator == .kvm ? "kvm" : "qemu"], parts)
        if !isSystem {
            domain.attributes.append(("xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0"))
        }
        text = domain.document
    }

    private static func system(_ machine: VirtualMachine, _ folder: MachineFolder) throws(MachineError) -> [XMLElement]
    {
        var parts = [XMLElement("type", ["arch": "x86_64", "machine": "q35"], text: "hvm")]
        if machine.firmware == .uefi {
            let firmware = try UEFIFirmware.onThisHost()
            parts.append(XMLElement("loader", ["readonly": "yes", "type": "pflash"], text: firmware.code.string))
            parts.append(
                XMLElement("nvram", ["template": firmware.variables.string], text: folder.firmwareVariables.string))
        }
        return parts
    }

    private static func features(_ machine: VirtualMachine) -> [XMLElement] {
        let common = [XMLElement("acpi"), XMLElement("apic")]
        guard machine.accelerator == .tcg else { return common }
        let buffer = XMLElement("tb-cache", ["unit": "MiB"], text: String(Accelerator.translationBuffer))
        return common + [XMLElement("tcg", [:], [buffer])]
    }

    /// The processor; under emulation one for which the reasons of ``Accelerator`` hold, too: libvirt sets no model
    /// numbers, and of those it knows, AMD's need no page tables of their own.
    private static func processor(_ machine: VirtualMachine) -> XMLElement {
        switch machine.accelerator {
        case .kvm: XMLElement("cpu", ["mode": "host-passthrough"])
        case .tcg:
            XMLElement(
                "cpu", ["mode": "custom", "match": "exact", "check": "none"],
                [XMLElement("model", ["fallback": "forbid"], text: "EPYC")])
        }
    }

    private static func devices(_ machine: VirtualMachine, _ folder: MachineFolder) -> [XMLElement] {
        var devices = media(machine.media, of: machine, in: folder)
        devices.append(
            XMLElement(
                "disk", ["type": "file", "device": "disk"],
                [
                    XMLElement("driver", ["name": "qemu", "type": "qcow2", "discard": "unmap"]),
                    XMLElement("source", ["file": folder.dataDisk.string]),
                    XMLElement("target", ["dev": "vda", "bus": "virtio"]),
                    XMLElement("serial", text: BootMachine.dataDiskSerial),
                ]))
        devices.append(XMLElement("controller", ["type": "usb", "model": "none"]))
        if case .libvirt(let network) = machine.network {
            for index in 0..<machine.interfaces {
                devices.append(
                    XMLElement(
                        "interface", ["type": "network"],
                        [
                            XMLElement("mac", ["address": machine.hardwareAddress(index)]),
                            XMLElement("source", ["network": network]), XMLElement("model", ["type": "virtio"]),
                        ]))
            }
        }
        devices.append(
            XMLElement(
                "serial", ["type": "pty"],
                [
                    XMLElement("log", ["file": folder.serialLog.string, "append": "on"]),
                    XMLElement("target", ["type": "isa-serial", "port": "0"]),
                ]))
        devices.append(XMLElement("console", ["type": "pty"], [XMLElement("target", ["type": "serial", "port": "0"])]))
        devices.append(
            XMLElement(
                "channel", ["type": "unix"], [XMLElement("target", ["type": "virtio", "name": agentPort])]))
        devices.append(XMLElement("video", [:], [XMLElement("model", ["type": "vga"])]))
        devices.append(XMLElement("memballoon", ["model": "none"]))
        devices.append(
            XMLElement(
                "rng", ["model": "virtio"], [XMLElement("backend", ["model": "random"], text: "/dev/urandom")]))
        return devices
    }

    /// The CD drives of a machine with media in them, the first to boot from first.
    static func media(
        _ media: VirtualMachine.Media, of machine: VirtualMachine, in folder: MachineFolder
    ) -> [XMLElement] {
        // Only the host's daemon gives files to another user. Where an image belongs to a bundle it leaves the owner alone:
        // a published file is never changed.
        let isSystem =
            if case .libvirt(let uri) = machine.host { (try? LibvirtConnection(uri).daemon) == .system } else { false }
        let images = [(bootDrive, Optional(media.boot), Optional(1)), (seedDrive, media.seed, nil)]
        return images.compactMap { drive, image, order in
            guard let image else { return nil }
            var source = XMLElement("source", ["file": image])
            if isSystem, !FilePath(image).starts(with: folder.path) {
                source.children = [XMLElement("seclabel", ["model": "dac", "relabel": "no"])]
            }
            return medium(drive, source, bootOrder: order)
        }
    }

    private static func medium(_ drive: String, _ source: XMLElement, bootOrder: Int?) -> XMLElement {
        var parts = [
            XMLElement("driver", ["name": "qemu", "type": "raw"]), source,
            XMLElement("target", ["dev": drive, "bus": "sata"]), XMLElement("readonly"),
        ]
        if let bootOrder { parts.append(XMLElement("boot", ["order": "\(bootOrder)"])) }
        return XMLElement("disk", ["type": "file", "device": "cdrom"], parts)
    }

    /// QEMU's user network with its ports, which libvirt 9 cannot forward by itself.
    ///
    /// The cards stand on slots of the first bus that libvirt gives to nothing else.
    private static func userNetwork(_ machine: VirtualMachine, ssh: UInt16, api: UInt16) -> XMLElement {
        var words: [String] = []
        for index in 0..<machine.interfaces {
            words += ["-netdev", UserNetwork.backend(index, ssh: ssh, api: api), "-device"]
            words.append(
                UserNetwork.card(index, machine.hardwareAddress(index))
                    + ",bus=pcie.0,addr=0x\(String(16 + index, radix: 16))")
        }
        return XMLElement("qemu:commandline", [:], words.map { XMLElement("qemu:arg", ["value": $0]) })
    }
}

/// QEMU's user network: a net for each interface, with ports of the loopback interface that lead to the first.
enum UserNetwork {
    /// The address of the node on the first.
    static let guestAddress = "10.0.2.15"

    /// The net of an interface.
    static func backend(_ index: Int, ssh: UInt16, api: UInt16) -> String {
        let net = "user,id=net\(index),net=10.0.\(2 + index).0/24,dhcpstart=10.0.\(2 + index).15"
        guard index == 0 else { return net }
        return net
            + ",hostfwd=tcp:127.0.0.1:\(ssh)-\(guestAddress):22,hostfwd=tcp:127.0.0.1:\(api)-\(guestAddress):6443"
    }

    /// The card of an interface.
    static func card(_ index: Int, _ address: String) -> String {
        "virtio-net-pci,netdev=net\(index),id=nic\(index),mac=\(address),romfile="
    }
}
