import Artefact
import Glibc
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import Machine

@Suite struct LoopbackPortTests {
    @Test func `ports differ from each other and can be bound`() throws {
        let ports = try LoopbackPort.pick(20)
        #expect(Set(ports).count == 20)
        #expect(ports.allSatisfy { $0 >= 1024 })
        let again = try LoopbackPort.pick(1)
        #expect(again.count == 1)
    }
}

@Suite struct MonitorConnectionTests {
    @Test func `a real QEMU greets, answers, refuses and tells that it ends`() async throws {
        let scratch = try Scratch()
        let socket = scratch.path.appending("monitor")
        async let ended = run(
            "qemu-system-x86_64",
            ["-S", "-machine", "none", "-nodefaults", "-display", "none", "-qmp", "unix:\(socket),server=on,wait=off"])
        var monitor = try await connect(socket)
        while !monitor.isGreeted { try await step(&monitor) }
        #expect(try await ask(&monitor, "qmp_capabilities", MonitorNothing.self) != nil)
        struct Status: Decodable {
            let status: String
            let running: Bool
        }
        let status = try await ask(&monitor, "query-status", Status.self)
        #expect(status?.status == "prelaunch")
        #expect(status?.running == false)
        let error = await #expect(throws: MachineError.self) { try await self.refusal(socket: &monitor) }
        #expect(error?.description.hasPrefix("QEMU's monitor: refused no-such-command: ") == true)
        _ = try await ask(&monitor, "quit", MonitorNothing.self)
        while !monitor.isClosed { try await step(&monitor) }
        #expect(monitor.takeEvents().contains { $0.event == "SHUTDOWN" && $0.data?.reason == "host-qmp-quit" })
        #expect(try await ended.succeeded)
    }

    private func connect(_ socket: FilePath) async throws -> MonitorConnection {
        for _ in 0..<1000 {
            do { return try MonitorConnection(path: socket) } catch { try await Task.sleep(for: .milliseconds(20)) }
        }
        return try MonitorConnection(path: socket)
    }

    private func refusal(socket monitor: inout MonitorConnection) async throws {
        _ = try await ask(&monitor, "no-such-command", MonitorNothing.self)
    }

    private func step(_ monitor: inout MonitorConnection) async throws {
        try monitor.poll()
        try await Task.sleep(for: .milliseconds(5))
    }

    private func ask<Value: Decodable>(
        _ monitor: inout MonitorConnection, _ name: String, _ type: Value.Type
    ) async throws -> Value? {
        let identifier = try monitor.begin(name, MonitorNothing())
        for _ in 0..<2000 {
            if let value = try monitor.answer(to: identifier, name: name, returning: type) { return value }
            try await step(&monitor)
        }
        return nil
    }
}

@Suite struct AcceleratorProbeTests {
    @Test func `the guest of the probe runs under emulation`() async {
        #expect(await AcceleratorChoice.runsGuest(.tcg, within: .seconds(60)))
    }

    @Test func `the probe ends within its limit and is asked once`() async {
        let clock = ContinuousClock()
        let start = clock.now
        let choice = await AcceleratorChoice.forThisHost()
        // Far more than the limit, for a machine that has other work to do; a guest that hangs would take for ever.
        #expect(clock.now - start < .seconds(120))
        #expect(await AcceleratorChoice.forThisHost() == choice)
    }
}

@Suite struct HostKeyTests {
    @Test func `the fingerprint is that of ssh-keygen`() async throws {
        let scratch = try Scratch()
        let file = scratch.path.appending("key")
        #expect(try await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file.string]).succeeded)
        let listed = try await run("ssh-keygen", ["-lf", file.string + ".pub"]).output
        let text = String(decoding: try HostFile.read(FilePath(file.string + ".pub"), limit: 4096), as: UTF8.self)
        let keys = HostKey.keys(inScan: "# 127.0.0.1:22 SSH-2.0-OpenSSH\n\n[127.0.0.1]:22 \(text)")
        #expect(keys.count == 1)
        #expect(keys.first?.type == "ssh-ed25519")
        let fingerprint = try #require(keys.first?.fingerprint)
        #expect(listed.split(separator: " ").contains { $0 == fingerprint })
    }

    @Test func `a key that is no base64 has no fingerprint`() {
        #expect(HostKey(type: "ssh-ed25519", base64: "%%").fingerprint == nil)
    }
}

@Suite struct HostProgramTests {
    @Test(arguments: ["INT", "TERM"])
    func `a program that the terminal ends is an interruption and no refusal`(signal: String) async throws {
        let program = HostProgram("sh", package: "dash")
        let error = await #expect(throws: MachineError.self) {
            try await program.run(["-c", "kill -\(signal) $$"], within: .seconds(60))
        }
        #expect(error?.failureClass == .interrupted)
        #expect(try await program.run(["-c", "kill -KILL $$"], within: .seconds(60)).exitCode == 137)
    }
}
