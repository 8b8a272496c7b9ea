import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Machine

@Suite struct DomainXMLTests {
    /// Machines of every kind, by what they try.
    static func variants(in folder: MachineFolder) -> [(String, VirtualMachine)] {
        let media = VirtualMachine.Media(version: "1.0.0", boot: folder.media.appending("node-1.0.0-x86_64.iso"))
        func machine(
            _ network: VirtualMachine.Network = .libvirt("default"), _ change: (inout VirtualMachine) -> Void = { _ in }
        ) -> VirtualMachine {
            var machine = VirtualMachine(
                name: folder.name, folder: folder.path, host: .libvirt(uri: "qemu:///system"), network: network,
                media: media, user: "alpine")
            change(&machine)
            return machine
        }
        return [
            ("BIOS", machine()), ("UEFI", machine { $0.firmware = .uefi }),
            ("KVM", machine { $0.accelerator = .kvm }),
            (
                "two media",
                machine {
                    $0.media = .init(
                        version: "1.0.0", boot: "/srv/bundles/1.0.0/alpine-virt.iso",
                        seed: folder.media.appending("node.cidata.iso"))
                }
            ),
            (
                "two media in a session",
                machine(.user(ssh: 2222, api: 6443)) {
                    $0.host = .libvirt(uri: "qemu:///session")
                    $0.media = .init(
                        version: "1.0.0", boot: "/srv/bundles/1.0.0/alpine-virt.iso",
                        seed: folder.media.appending("node.cidata.iso"))
                }
            ),
            ("several cards", machine { $0.interfaces = 4 }),
            ("user network", machine(.user(ssh: 2222, api: 6443))),
            ("user network, several cards", machine(.user(ssh: 2222, api: 6443)) { $0.interfaces = 3 }),
            (
                "everything",
                machine(.user(ssh: 1, api: 65535)) { machine in
                    machine.firmware = .uefi
                    machine.interfaces = 16
                    machine.memory = 65_536
                    machine.processors = 256
                }
            ),
        ]
    }

    @Test(arguments: ["/srv/node", "/srv/it's \"R&D\" <1> é/ü"])
    func `libvirt's schema takes every kind of machine, whatever the folder is called`(out: String) async throws {
        let scratch = try Scratch()
        let folder = MachineFolder(out: FilePath(out), name: "edge-001.a_b")
        for (kind, machine) in Self.variants(in: folder) {
            let text = try DomainXML(machine, in: folder).text
            let file = try scratch.file("domain.xml", text)
            let verdict = try await run("virt-xml-validate", [file.string, "domain"])
            #expect(verdict.succeeded, "\(kind): \(verdict.errors)\(text)")
            #expect(try DomainXML(machine, in: folder).text == text)
            // What a reader of XML gets is the path itself.
            let source = try await run(
                "xmllint", ["--xpath", "string(//disk[target/@dev='vda']/source/@file)", file.string])
            #expect(source.output == "\(folder.dataDisk)\n", "\(kind)")
        }
    }

    @Test func `a published image is never relabelled, and a composed one may be`() throws {
        let folder = MachineFolder(out: "/srv", name: "node")
        let text = try Self.variants(in: folder).map { ($0.0, try DomainXML($0.1, in: folder).text) }
        for (kind, text) in text {
            let count = text.split(separator: "\n").count { $0.contains("relabel=\"no\"") }
            #expect(count == (kind == "two media" ? 1 : 0), "\(kind)")
        }
    }

    @Test func `a machine keeps its identity, and another folder makes another machine`() {
        func machine(_ folder: FilePath, _ name: String) -> VirtualMachine {
            VirtualMachine(
                name: name, folder: folder, host: .plain, network: .user(ssh: 1, api: 2),
                media: .init(version: "1.0.0", boot: "/x"), user: "alpine")
        }
        let one = machine("/a", "node")
        #expect(one.uuid == machine("/a", "node").uuid)
        #expect(Set([one.uuid, machine("/b", "node").uuid, machine("/a", "node2").uuid]).count == 3)
        #expect(one.uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        let cards = (0..<16).map(one.hardwareAddress)
        #expect(Set(cards).count == 16 && cards.allSatisfy { $0.hasPrefix("52:54:00:") })
    }

    @Test(
        arguments: [
            "", "a b", "it's", "\"x\"", "R&D", "<x>", "-x", ".x", "a/b", "a\nb", "ü", String(repeating: "x", count: 64),
        ])
    func `a name that others could misread is refused`(name: String) throws {
        let machine = VirtualMachine(
            name: name, folder: "/a", host: .plain, network: .user(ssh: 1, api: 2),
            media: .init(version: "1.0.0", boot: "/x"), user: "alpine")
        let error = #expect(throws: MachineError.self) { try machine.validate() }
        #expect(error?.code == .invalidSpecification)
    }

    @Test func `what virsh says of states, drives and addresses is understood`() {
        #expect(LibvirtHypervisor.state("running (booted)\n\n") == .running)
        #expect(LibvirtHypervisor.state("shut off (shutdown)\n") == .off)
        #expect(LibvirtHypervisor.state("crashed (panicked)\n") == .off)
        #expect(LibvirtHypervisor.state("in shutdown (shutdown)\n") == .running)
        #expect(LibvirtHypervisor.state("paused (I/O error)\n") == .paused("I/O error"))
        let drives = " sda   /a b/x.iso\n sdb   \n vda   /srv/a b/x.iso\n"
        #expect(LibvirtHypervisor.image(in: "sda", drives) == "/a b/x.iso")
        #expect(LibvirtHypervisor.image(in: "sdb", drives) == "")
        #expect(LibvirtHypervisor.image(in: "vda", drives) == "/srv/a b/x.iso")
        #expect(LibvirtHypervisor.image(in: "sd", drives) == nil)
        let leases = """
             Name       MAC address          Protocol     Address
            -------------------------------------------------------------------------------
             vnet0      52:54:00:aa:bb:cc    ipv6         fe80::1/64
             lo         00:00:00:00:00:00    ipv4         127.0.0.1/8
             vnet0      52:54:00:aa:bb:cc    ipv4         192.168.122.5/24

            """
        #expect(LibvirtHypervisor.addresses(leases) == ["192.168.122.5"])
        #expect(LibvirtHypervisor.addresses("") == [])
    }
}
