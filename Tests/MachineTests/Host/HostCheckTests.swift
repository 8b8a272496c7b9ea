import SystemPackage
import Testing

@testable import Machine

/// How what was found on a host is judged.
@Suite struct HostCheckTests {
    @Test(
        arguments: [
            ("#user = \"libvirt-qemu\"\n", nil), ("user = \"root\"\n# user = \"x\"\n", "root"),
            ("  user=\"a\"   # why\nuser = \"+107\"\n", "+107"), ("user = \"\"\n", nil), ("group = \"kvm\"\n", nil),
            ("dynamic_user = \"x\"\n", nil),
        ] as [(String, String?)])
    func `libvirt's settings name the user of QEMU`(_ text: String, _ name: String?) {
        #expect(DaemonUser.configured(text) == name)
    }

    @Test func `the user of QEMU may be a number`() {
        #expect(DaemonUser.find(settings: "user = \"+107\"\n").account?.identifier == 107)
        #expect(DaemonUser.find(settings: "user = \"root\"\n").account?.identifier == 0)
        #expect(DaemonUser.find(settings: "user = \"no-such-user\"\n").account == nil)
    }

    @Test(arguments: [
        (2048, 1024, HostCheckRow.State.ok), (2048, 1023, .limited), (1023, 900, .missing),
    ])
    func `memory is judged by what a machine takes`(_ total: Int, _ free: Int, _ state: HostCheckRow.State) {
        let text = "MemTotal:       \(total << 10) kB\nMemFree: 1 kB\nMemAvailable:   \(free << 10) kB\n"
        #expect(HostCheck.memoryRow(meminfo: text).state == state)
        #expect(HostCheck.memoryRow(meminfo: "").isObstacle == false)
    }

    @Test func `room is judged by what is needed first, and by what may come`() {
        let state = { HostCheck.room(in: "/out", free: $0).state }
        #expect(state(HostCheck.leastRoom - 1) == .missing)
        #expect(state(HostCheck.leastRoom) == .limited)
        #expect(state(HostCheck.diskSize + HostCheck.mediumSize - 1) == .limited)
        #expect(state(HostCheck.diskSize + HostCheck.mediumSize) == .ok)
        #expect(HostCheck.leastRoom == 1536 << 20)
    }

    @Test func `what is closed to QEMU is opened by a line that can be pasted`() {
        let row = HostCheck.closed("/home/ann lee", to: "libvirt-qemu", name: "way")
        #expect(row.isObstacle)
        #expect(
            row.mend?.hasPrefix("setfacl -m u:libvirt-qemu:x '/home/ann lee', or chmod o+x '/home/ann lee'") == true)
    }
}
