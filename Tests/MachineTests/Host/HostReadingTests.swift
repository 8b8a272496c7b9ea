import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Machine

/// What is read from the texts of programs and files.
@Suite struct HostReadingTests {
    @Test(arguments: [
        ("ID=debian\n", Distribution.debian), ("NAME=x\nID=\"ubuntu\"\nID_LIKE=debian\n", .debian),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", .debian), ("ID=arch", .arch),
        ("ID=manjaro\nID_LIKE=arch\n", .arch), ("ID=fedora\r\n", .fedora),
        ("ID='almalinux'\nID_LIKE=\"rhel centos fedora\"\n", .fedora), ("ID=alpine\n", .alpine),
        ("#ID=alpine\nID=postmarketos\nID_LIKE=\"alpine\"\n", .alpine),
    ])
    func `a host is known by its own name or by what it is like`(_ text: String, _ expected: Distribution) throws {
        #expect(try Distribution(osRelease: text) == expected)
    }

    @Test(arguments: [
        ("ID=nixos\nPRETTY_NAME=\"NixOS 25.05\"\n", "NixOS 25.05: "), ("ID=void\n", "void: "), ("", "this host: "),
        ("ID=notdebian\nID_LIKE=\"suse\"\n", "notdebian: "),
    ])
    func `an unknown host is told what it needs`(_ text: String, _ subject: String) {
        let error = #expect(throws: MachineError.self) { try Distribution(osRelease: text) }
        #expect(error?.failureClass == .unavailable)
        #expect(error?.description.hasPrefix(subject) == true)
        #expect(error?.description.contains("qemu-system-x86_64") == true)
    }

    @Test(arguments: [
        "qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/run/a", "qemu+unix:///session",
    ])
    func `a daemon of this host is taken`(_ uri: String) throws {
        let connection = try LibvirtConnection(uri)
        #expect(connection.daemon == (uri.contains("system") ? .system : .session))
        #expect(connection.virsh(["list"], readOnly: true) == ["--quiet", "-c", uri, "--readonly", "list"])
    }

    @Test(arguments: [
        "", "xen:///system", "qemu://host/system", "qemu+ssh://host/system", "qemu:///", "qemu:///embed", "system",
        "qemu:///system x", "qemu:///system?a=\u{1b}",
    ])
    func `every other daemon is refused`(_ uri: String) {
        let error = #expect(throws: MachineError.self) { try LibvirtConnection(uri) }
        #expect(error?.failureClass == .usage)
    }

    @Test func `the daemon that is meant unless one is named`() {
        let nobody = HostUser(name: "ann", isRoot: false, groups: ["kvm"])
        let member = HostUser(name: "ann", isRoot: false, groups: ["libvirt"])
        let root = HostUser(name: "root", isRoot: true, groups: ["root"])
        let uri = { LibvirtConnection.defaultURI(environment: $0, user: $1) }
        #expect(uri([:], nobody) == "qemu:///session")
        #expect(uri([:], member) == "qemu:///system")
        #expect(uri(["LIBVIRT_DEFAULT_URI": ""], root) == "qemu:///system")
        #expect(uri(["LIBVIRT_DEFAULT_URI": "qemu:///session"], root) == "qemu:///session")
    }

    @Test(arguments: [
        (
            "failed to connect to the hypervisor; Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such "
                + "file or directory", LibvirtRefusal.notRunning
        ),
        ("Failed to connect socket to '/run/libvirt/virtqemud-sock': Connection refused", .notRunning),
        ("Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied", .notPermitted),
        ("authentication unavailable: no polkit agent available to authenticate action", .notPermitted),
        (
            "internal error: Unable to get system bus connection: Could not connect: No such file or directory",
            .noPolkit
        ),
        ("Cannot find 'virtqemud' in path", .other("Cannot find 'virtqemud' in path")),
    ])
    func `why a daemon does not answer is told apart`(_ message: String, _ expected: LibvirtRefusal) {
        #expect(LibvirtRefusal(message: message) == expected)
    }

    @Test func `the network is read from what virsh prints`() {
        let network = HostFacts.Network(
            information: "Name:           default\nActive:         yes\nPersistent:     yes\nAutostart:      no\n"
                + "Bridge:         virbr3\n\n")
        #expect(network == HostFacts.Network(isActive: true, isAutostarted: false, bridge: "virbr3"))
        #expect(
            HostFacts.Network(information: "") == HostFacts.Network(isActive: false, isAutostarted: false, bridge: nil))
    }

    @Test func `only what is installed in full counts as a package`() {
        let text = "installed ovmf\nnot-installed qemu-utils\nconfig-files virtinst\nhalf-configured libvirt-clients\n"
        #expect(HostProbe.installed(inStatus: text) == ["ovmf"])
    }

    @Test func `real packages are found`() async throws {
        let goal = HostGoal(connection: try LibvirtConnection("qemu:///session"), user: "root", firewall: true)
        let facts = try await HostProbe(.debian, goal, elevation: nil).facts()
        #expect(facts.packages.isSuperset(of: ["qemu-system-x86", "qemu-utils", "ovmf", "openssh-client"]))
        #expect(!facts.packages.contains("libvirt"))
    }

    @Test func `UFW is on when its settings say so`() {
        #expect(HostProbe.isEnabled(ufwSettings: "# ENABLED=yes\nENABLED=yes\nLOGLEVEL=low\n"))
        #expect(!HostProbe.isEnabled(ufwSettings: "# ENABLED=yes\nENABLED=no\n"))
    }
}

@Suite struct ShellLineTests {
    @Test func `a real shell reads the words as they are`() async throws {
        let words = [
            "plain", "", "a b", "it's", "''", "$HOME", "`id`", "a\"b", "a\\b", "*", "~", "#x", "a;b", "x=y", "ä",
            "line\nbreak",
            "!", "{a,b}", "-n", "a&b", "(c)", "tab\there",
        ]
        let line = ShellLine(["printf", "%s\\0"] + words).description
        for shell in ["sh", "bash"] {
            let result = try await run(shell, ["-c", line])
            #expect(result.output == words.map { $0 + "\0" }.joined(), "\(shell): \(line)\(result.errors)")
        }
    }

    @Test func `a real shell hands over the input`() async throws {
        let input = "<a b='$HOME'>\n`id` \\\n\n"
        let result = try await run("sh", ["-c", ShellLine(["cat"], input: input).description])
        #expect(result.output == input)
    }

    @Test func `what needs no quotes has none`() {
        #expect(
            ShellLine(["apt-get", "-o", "DPkg::Lock::Timeout=300"]).description == "apt-get -o DPkg::Lock::Timeout=300")
    }
}
