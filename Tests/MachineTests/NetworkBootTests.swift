import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing

@testable import Machine

/// Machines that boot over the network, as far as their firmware goes.
@Suite struct NetworkBootTests {
    private func machine(_ scratch: borrowing Scratch, _ network: BootMachine.GuestNetwork) -> BootMachine {
        BootMachine(
            bootImage: nil, seedImage: nil, dataDisk: nil, serialLog: scratch.path.appending("serial.log"), memory: 64,
            processors: 1, network: network)
    }

    @Test func `iPXE runs the script that DHCP names, on the card and the machine that are meant`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        let here = "http://10.0.2.2:\(server.port)"
        let script = "#!ipxe\nimgfetch \(here)/${mac:hexhyp}/${uuid}/${ip}\n"
        try StagedFile.write(Array(script.utf8), to: server.root.appending("a,b.ipxe"))
        var machine = machine(
            scratch,
            .init(guestAddress: "10.0.2.77", hardwareAddress: "52:54:00:AB:cd:07", bootFile: "\(here)/a,b.ipxe"))
        machine.uuid = "6f1c4b5e-0d53-4e3c-9a55-0f8f7a1be001"
        let asked = try await machine.run(accelerator: .tcg) { _ in
            for _ in 0..<240 {
                let asked = try await server.requests().map(\.path)
                if asked.count > 1 { return asked }
                try await Task.sleep(for: .milliseconds(500))
            }
            return []
        }
        #expect(
            asked.prefix(2) == ["/a,b.ipxe", "/52-54-00-ab-cd-07/6f1c4b5e-0d53-4e3c-9a55-0f8f7a1be001/10.0.2.77"])
    }

    @Test(
        arguments: [
            ("boot", nil, nil, nil), ("boot file", "https://192.0.2.9/boot.ipxe", nil, nil),
            ("boot file", "http://192.0.2.9/a b", nil, nil),
            ("boot file", "http://192.0.2.9/" + String(repeating: "x", count: 111), nil, nil),
            ("hardware address", "http://192.0.2.9/x", "52:54:00:12:34", nil),
            ("hardware address", "http://192.0.2.9/x", "52:54:00:12:34:5g", nil),
            ("hardware address", "http://192.0.2.9/x", "52:54:00:12:34:56,romfile=x", nil),
            ("UUID", "http://192.0.2.9/x", nil, "6f1c4b5e"),
        ] as [(String, String?, String?, String?)]) func `what QEMU or DHCP cannot carry is refused`(
            subject: String, file: String?, address: String?, uuid: String?
        ) throws
    {
        let scratch = try Scratch()
        var machine = machine(scratch, .init(hardwareAddress: address, bootFile: file))
        machine.uuid = uuid
        let error = #expect(throws: MachineError.self) { try machine.validate() }
        #expect(error?.subject == subject)
        #expect(error?.failureClass == .usage)
    }

    @Test func `the longest boot file is taken; under UEFI, or beside an image, none is`() throws {
        let scratch = try Scratch()
        let longest = "http://192.0.2.9/" + String(repeating: "x", count: 110)
        let good = machine(scratch, .init(bootFile: longest))
        try good.validate()
        var both = good
        both.bootImage = try scratch.file("boot.iso", "image")
        #expect(#expect(throws: MachineError.self) { try both.validate() }?.subject == "boot")
        var firmware = good
        firmware.firmware = .uefi
        #expect(#expect(throws: MachineError.self) { try firmware.validate() }?.subject == "firmware")
    }
}
