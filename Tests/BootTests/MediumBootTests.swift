import Artefact
import Machine
import SystemPackage
import TestSupport
import Testing

/// Boots from the boot medium, with the network cable out: what a node needs is on it.
extension BootTests {
    /// The recipe of a node that needs no DHCP server and two packages that Alpine's image lacks.
    private static let offline = """
        network:
          interfaces:
            eth0: { addresses: [10.0.2.15/24], gateway4: 10.0.2.2 }
        packages: [iptables, nftables]
        """

    @Test(.boots(1)) func `the boot medium starts a node as a CD under BIOS`() async throws {
        try await Self.bootMedium(.cd, .bios)
    }

    @Test(.boots(1)) func `the boot medium starts a node as a disk under UEFI`() async throws {
        try await Self.bootMedium(.disk, .uefi)
    }

    @Test(.boots(1)) func `the boot medium starts a node as a disk under BIOS`() async throws {
        try await Self.bootMedium(.disk, .bios)
    }

    @Test(.boots(1)) func `the boot medium starts a node as a CD under UEFI`() async throws {
        try await Self.bootMedium(.cd, .uefi)
    }

    @Test(.boots(1)) func `the boot medium starts a node as a USB stick under UEFI`() async throws {
        try await Self.bootMedium(.usb, .uefi)
    }

    /// Boots the medium beside a CD with somebody else's overlay, which Alpine's init sees later than a CD and earlier
    /// than a disk, and never plugs the cable in before the node is healthy.
    private static func bootMedium(
        _ attachment: BootMachine.Attachment, _ firmware: BootMachine.Firmware
    ) async throws {
        let scratch = try Scratch()
        let scenario = try await BootScenario(in: scratch.path, recipe: offline)
        let accelerator = await AcceleratorChoice.forThisHost().accelerator
        let made = try await ksbuild("medium", scenario.version, "-o", "medium.iso", in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        let machine = BootMachine(
            bootImage: scratch.path.appending("medium.iso"), seedImage: try await foreignOverlay(in: scratch.path),
            dataDisk: .scratch(size: BootScenario.diskSize), serialLog: scratch.path.appending("serial.log"),
            firmware: firmware, processors: BootScenario.processors,
            network: BootMachine.GuestNetwork(isConnected: false), attachment: attachment)
        try await machine.run(accelerator: accelerator) { node in
            let report = try await scenario.test(
                hostKeyState: "made", notAsked: [.networkAddress, .sshReachable, .apiReachable]
            ).judge(node)
            try #require(report.isHealthy, "\(report.table)")
            try await node.setCable(connected: true)
            let packages = try await node.root("cat /etc/apk/world; apk info -e iptables nftables; hostname")
            #expect(packages.hasSuffix("iptables\nnftables\n\(BootScenario.hostname)\n"), "\(packages)")
            let words = try await node.root("cat /proc/cmdline")
            #expect(words.contains("panic=10") && words.contains("console=ttyS0,115200"), "\(words)")
        }
    }

    /// A CD with the overlay of another node.
    private static func foreignOverlay(in folder: FilePath) async throws -> FilePath {
        let other = folder.appending("other")
        try HostFile.makeDirectories(other)
        let recipe = "apiVersion: ksbuild/v1\nname: foreign\nhostname: foreign\n"
        try StagedFile.write(Array(recipe.utf8), to: other.appending("ksbuild.yaml"))
        let made = try await ksbuild("cidata", "--quiet", in: other)
        try #require(made.succeeded, "\(made.errors)")
        return other.pushing("out/cidata.iso")
    }
}
