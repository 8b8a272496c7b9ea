import Artefact
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Machine

/// A machine whose guest says a text.
private func machine(
    _ scratch: borrowing Scratch, saying text: String, heedsPowerButton: Bool = true,
    dataDisk: BootMachine.DataDisk? = nil, firmware: BootMachine.Firmware = .bios
) throws -> BootMachine {
    BootMachine(
        bootImage: try TalkingGuest.write(saying: text, heedsPowerButton: heedsPowerButton, to: scratch),
        seedImage: nil, dataDisk: dataDisk, serialLog: scratch.path.appending("serial.log"), firmware: firmware,
        memory: 64, processors: 1)
}

/// Whether a process is there and is no zombie.
private func isAlive(_ process: Int32) -> Bool {
    guard let bytes = try? HostFile.read(FilePath("/proc/\(process)/stat"), limit: 4096) else { return false }
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last ?? ""
    return fields.first { $0 != " " } != "Z"
}

@Suite(.serialized) struct BootMachineTests {
    /// Long enough for a machine that has other work to do; what is waited for comes within seconds.
    private static let limit = Duration.seconds(240)

    private let healthy = BootExpectations(
        name: "kubesolo", version: "1.4.0", hostname: "edge-001",
        outcomes: [.sshReachable: .notAsked, .apiReachable: .notAsked])

    @Test func `a node that says it is well and heeds its power button passes`() async throws {
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: TalkingGuest.healthyTranscript)
        let report = try await BootTest(expecting: healthy, limit: Self.limit).run(machine, accelerator: .tcg)
        #expect(report.isHealthy, "\(report.table)")
        #expect(report.failure == nil)
        #expect(report[.acpiShutdown]?.state == .passed)
        let log = String(decoding: try HostFile.read(machine.serialLog, limit: 1 << 20), as: UTF8.self)
        #expect(log.contains("ksbuild: boot state=complete runlevel=default"))
    }

    @Test func `a node that never gets healthy fails at the limit with what was last seen`() async throws {
        let scratch = try Scratch()
        let text = TalkingGuest.healthyLines.filter { !$0.contains("state=healthy") }.joined(separator: "\n")
        let machine = try machine(scratch, saying: text)
        let expectations = healthy
        let report = try await machine.run(accelerator: .tcg) { running in
            _ = try await running.waitForFact("boot", within: .seconds(60))
            return try await BootTest(expecting: expectations, limit: .seconds(1)).judge(running)
        }
        #expect(report.results.filter { $0.state == .failed }.map(\.assertion) == [.kubesoloHealthy])
        #expect(
            report[.kubesoloHealthy]?.evidence
                == "not within 1.0 s; last seen: health state=unhealthy version=v1.2.2 reason=\"not yet: \\\"livez\\\"\""
        )
        #expect(report.failure?.failureClass == .unhealthy)
    }

    @Test func `a kernel panic ends the test at once and is the reason of what is missing`() async throws {
        let scratch = try Scratch()
        let text = "booting\r\n[    4.123456] Kernel panic - not syncing: Attempted to kill init!\r\n"
        let machine = try machine(scratch, saying: text)
        let report = try await BootTest(expecting: healthy, limit: Self.limit).run(machine, accelerator: .tcg)
        #expect(report.elapsed < Self.limit)
        #expect(report.guestFailure?.kind == .kernelPanic)
        #expect(report[.bootComplete]?.evidence.contains("Kernel panic - not syncing") == true)
        #expect(report.table.contains("the boot ended early: kernel panic"))
    }

    @Test func `a failure that shows on the screen alone is found too`() async throws {
        let scratch = try Scratch()
        let rows = ["Loading user settings from /media/sr1/a.apkovl.tar.gz: failed.", "Mounting boot media failed."]
        let machine = BootMachine(
            bootImage: try TalkingGuest.write(showing: rows, to: scratch), seedImage: nil, dataDisk: nil,
            serialLog: scratch.path.appending("serial.log"), memory: 64, processors: 1)
        let report = try await BootTest(expecting: healthy, limit: Self.limit).run(machine, accelerator: .tcg)
        #expect(report.guestFailure?.kind == .recoveryShell, "\(report.table)")
        #expect(report.elapsed < Self.limit)
        #expect(report.consoleTail.contains(rows[0]))
    }

    @Test func `a node that must refuse passes when it does`() async throws {
        let scratch = try Scratch()
        let text = """
            ksbuild: data state=missing label=KUBESOLO reason="no disk"
            ksbuild: stage state=refused digest=00 reason="no data"
            ksbuild: kubesolo state=refused version=v1.2.2 reason="/var/lib/kubesolo is not mounted"

            """
        var expectations = healthy
        for assertion in [BootAssertion.overlayApplied, .hostname, .networkAddress, .hostKey, .bootComplete] {
            expectations.outcomes[assertion] = .notAsked
        }
        for assertion in [BootAssertion.dataMounted, .binaryStaged, .kubesoloStarted, .kubesoloHealthy, .apiReachable] {
            expectations.outcomes[assertion] = .refused
        }
        let machine = try machine(scratch, saying: text)
        let report = try await BootTest(expecting: expectations, limit: Self.limit).run(machine, accelerator: .tcg)
        #expect(report.isHealthy, "\(report.table)")
        #expect(report.elapsed < Self.limit)
    }

    @Test func `a guest that does not heed its power button still runs after the limit`() async throws {
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: "hello\n", heedsPowerButton: false)
        let didPowerOff = try await machine.run(accelerator: .tcg) { running in
            try await running.waitForText("hello", within: .seconds(60))
            return try await running.powerdown(within: .seconds(1))
        }
        #expect(!didPowerOff)
    }

    @Test func `what is typed reaches the guest and a reset forgets what it said`() async throws {
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: "ksbuild: boot state=complete\n")
        try await machine.run(accelerator: .tcg) { running in
            let first = try await running.waitForFact("boot", "state", "complete", within: .seconds(60))
            await running.type("root\n")
            try await running.waitForText("root", within: .seconds(60))
            try await running.reset()
            #expect(await running.facts.isEmpty)
            let second = try await running.waitForFact("boot", within: .seconds(60))
            #expect(first.description == second.description)
            let image = try #require(machine.bootImage)
            try await running.change(.boot, to: image)
            try await running.change(.seed, to: image)
        }
    }

    @Test func `the media are not changed, not locked, and may be read-only files of others`() async throws {
        let scratch = try Scratch()
        var machine = try machine(scratch, saying: "hello\n", dataDisk: .scratch(size: 1 << 30))
        machine.seedImage = try scratch.file("seed, with a comma.iso", [UInt8](repeating: 0, count: 4096))
        let boot = try #require(machine.bootImage)
        let digest = try Digest(ofFile: boot)
        for image in [boot, try #require(machine.seedImage)] {
            try HostFile.setMode(of: image, EntryMode(0o400))
        }
        let other = machine
        try await machine.run(accelerator: .tcg) { running in
            try await running.waitForText("hello", within: .seconds(60))
            for image in [boot, try #require(other.seedImage)] {
                #expect(try await Self.isLocked(image) == false)
            }
            var second = other
            second.serialLog = FilePath(other.serialLog.string + ".2")
            try await second.run(accelerator: .tcg) { try await $0.waitForText("hello", within: .seconds(60)) }
        }
        #expect(try Digest(ofFile: boot) == digest)
    }

    /// Whether another process holds a lock on any byte of a file (`F_OFD_GETLK`), as QEMU does on what it locks.
    private static func isLocked(_ file: FilePath) async throws -> Bool {
        let script = """
            import fcntl, struct, sys
            with open(sys.argv[1], "rb") as file:
                answer = fcntl.fcntl(file, 36, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
                sys.exit(1 if struct.unpack("hhqqi4x", answer)[0] == fcntl.F_UNLCK else 0)
            """
        let result = try await run("python3", ["-c", script, file.string])
        #expect(result.errors == "")
        return result.succeeded
    }

    @Test func `a data disk that is kept is made sparse, stays, and is locked while it is used`() async throws {
        let scratch = try Scratch()
        let disk = scratch.path.appending("data.raw")
        let machine = try machine(scratch, saying: "hello\n", dataDisk: .kept(disk, size: 1 << 31))
        try await machine.run(accelerator: .tcg) { running in
            try await running.waitForText("hello", within: .seconds(60))
            let error = await #expect(throws: MachineError.self) {
                try await machine.run(accelerator: .tcg) { _ in }
            }
            #expect(error?.code == .exited)
            #expect(error?.detail.contains("lock") == true)
            #expect(try await Self.isLocked(disk))
        }
        #expect(try HostFile.status(of: disk).size == 1 << 31)
        #expect(try await run("du", ["-k", disk.string]).output.hasPrefix("0\t"))
    }

    @Test func `the guest starts under UEFI firmware as far as the firmware itself`() async throws {
        let scratch = try Scratch()
        var machine = try machine(scratch, saying: "hello\n", firmware: .uefi)
        machine.memory = 256
        let report = try await BootTest(expecting: healthy, limit: Self.limit).run(machine, accelerator: .tcg)
        #expect(report.guestFailure?.kind == .nothingToBoot, "\(report.table)")
    }

    @Test func `nothing is left of a machine: no process, no folder, no zombie`() async throws {
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: "hello\n", dataDisk: .scratch(size: 1 << 30))
        let (process, folder) = try await machine.run(accelerator: .tcg) { running in
            let names = try HostFile.names(in: running.scratch)
            #expect(names == [])
            #expect(isAlive(running.processIdentifier))
            return (running.processIdentifier, running.scratch)
        }
        #expect(!HostFile.exists(FilePath("/proc/\(process)")))
        #expect(!HostFile.exists(folder))
    }

    @Test func `a body that throws ends the machine`() async throws {
        struct Unwell: Error {}
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: "hello\n")
        let pid = scratch.path.appending("pid")
        await #expect(throws: Unwell.self) {
            try await machine.run(accelerator: .tcg) { running in
                try StagedFile.write(Array("\(running.processIdentifier)".utf8), to: pid)
                throw Unwell()
            }
        }
        let text = String(decoding: try HostFile.read(pid, limit: 100), as: UTF8.self)
        #expect(!HostFile.exists(FilePath("/proc/\(text)")))
    }

    @Test func `a task that is cancelled ends the machine`() async throws {
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: "hello\n")
        let pid = scratch.path.appending("pid")
        let task = Task {
            try await machine.run(accelerator: .tcg) { running in
                try StagedFile.write(Array("\(running.processIdentifier)".utf8), to: pid)
                try await Task.sleep(for: .seconds(600))
            }
        }
        for _ in 0..<1000 where !HostFile.exists(pid) { try await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        let text = String(decoding: try HostFile.read(pid, limit: 100), as: UTF8.self)
        #expect(!HostFile.exists(FilePath("/proc/\(text)")))
    }

    @Test func `a machine that ends by itself is an error with what QEMU said`() async throws {
        let scratch = try Scratch()
        let machine = try machine(scratch, saying: "hello\n")
        let error = await #expect(throws: MachineError.self) {
            try await machine.run(accelerator: .tcg) { running in
                try await running.kill()
                try await running.waitForText("never", within: .seconds(60))
            }
        }
        #expect(error?.code == .exited)
    }

    @Test func `the kernel ends QEMU when the process that started it is killed`() async throws {
        let scratch = try Scratch()
        let image = try TalkingGuest.write(saying: "hello\n", to: scratch).string
        let pid = scratch.path.appending("pid")
        let folder = scratch.path.string
        await #expect(processExitsWith: .signal(SIGKILL)) { [image = image as String, folder = folder as String] in
            let machine = BootMachine(
                bootImage: FilePath(image), seedImage: nil, dataDisk: nil,
                serialLog: FilePath(folder).appending("serial.log"), memory: 64, processors: 1)
            try await machine.run(accelerator: .tcg) { running in
                try StagedFile.write(
                    Array("\(running.processIdentifier)".utf8), to: FilePath(folder).appending("pid"))
                _ = kill(getpid(), SIGKILL)
                try await Task.sleep(for: .seconds(600))
            }
        }
        let text = String(decoding: try HostFile.read(pid, limit: 100), as: UTF8.self)
        let process = try #require(Int32(text))
        for _ in 0..<250 where isAlive(process) { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!isAlive(process))
    }
}

@Suite struct BootMachineFaultTests {
    @Test func `an image that does not exist is named`() async throws {
        let scratch = try Scratch()
        var machine = try machine(scratch, saying: "")
        machine.bootImage = "/nowhere/alpine.iso"
        let error = await #expect(throws: MachineError.self) { try await machine.run(accelerator: .tcg) { _ in } }
        #expect(error?.description == "/nowhere/alpine.iso: cannot boot from it (no such file)")
        #expect(error?.failureClass == .noInput)
    }

    @Test func `an empty image is refused`() async throws {
        let scratch = try Scratch()
        var machine = try machine(scratch, saying: "")
        machine.seedImage = try scratch.file("empty.iso", "")
        let error = await #expect(throws: MachineError.self) { try await machine.run(accelerator: .tcg) { _ in } }
        #expect(error?.code == .imageMissing)
    }

    @Test(arguments: [
        ("memory", 16, 1, 1 << 30, "10.0.2.0/24"), ("processors", 64, 0, 1 << 30, "10.0.2.0/24"),
        ("data disk", 64, 1, 513, "10.0.2.0/24"), ("guest network", 64, 1, 1 << 30, "10.0.2.0/24,restrict=off"),
    ]) func `a number out of range is refused`(
        subject: String, memory: Int, processors: Int, size: Int, network: String
    ) throws {
        let scratch = try Scratch()
        var machine = try machine(scratch, saying: "", dataDisk: .scratch(size: UInt64(size)))
        (machine.memory, machine.processors, machine.network.network) = (memory, processors, network)
        let error = #expect(throws: MachineError.self) { try machine.validate() }
        #expect(error?.subject == subject)
        #expect(error?.failureClass == .usage)
    }

    @Test func `a program that is missing is named with its package`() async {
        let error = await #expect(throws: MachineError.self) {
            try await BootMachine.resolve("qemu-system-none", package: "qemu-system-x86")
        }
        #expect(
            error?.description
                == "qemu-system-none: is not installed (not found in PATH); install it (Debian package: qemu-system-x86)"
        )
        #expect(error?.failureClass == .unavailable)
    }

    @Test func `a serial log that cannot be written is named`() async throws {
        let scratch = try Scratch()
        var machine = try machine(scratch, saying: "")
        machine.serialLog = "/nowhere/serial.log"
        let error = await #expect(throws: (any Error).self) { try await machine.run(accelerator: .tcg) { _ in } }
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("/nowhere/serial.log: "))
    }
}
