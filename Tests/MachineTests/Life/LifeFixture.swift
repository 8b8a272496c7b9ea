import Artefact
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Machine

/// A machine with a guest of a few bytes, which says at once what a node takes a minute for, on a real QEMU.
struct LifeFixture {
    let folder: MachineFolder
    let machine: VirtualMachine
    let life: MachineLife
    let books = Books()

    /// The books of which version is live.
    final class Books: Sendable {
        private let lines = Mutex<[String]>([])
        var entries: [String] { lines.withLock { $0 } }

        var book: ReleaseBook {
            ReleaseBook(
                take: { self.add("take \($0.to.version)") }, confirm: { self.add("confirm \($0.to.version)") },
                giveUp: { self.add("give up \($0.to.version) for \($0.from.version)") })
        }

        private func add(_ line: String) { lines.withLock { lines in if lines.last != line { lines.append(line) } } }
    }

    /// Makes the machine, with version 1 in its drive.
    init(in scratch: borrowing Scratch, name: String = "node") async throws {
        let folder = MachineFolder(out: scratch.path, name: name)
        try HostFile.makeDirectories(folder.media)
        self.folder = folder
        let ports = try LoopbackPort.pick(2)
        machine = VirtualMachine(
            name: name, folder: folder.path, host: .plain, network: .user(ssh: ports[0], api: ports[1]),
            media: try Self.media("1", in: folder), user: "alpine", memory: 256, processors: 1)
        life = MachineLife(machine, in: folder)
        try await life.create(machine, diskSize: 64 << 20)
    }

    /// What a version's guest says: version 1 and 2 are well, 3 says that it is not, 4 says nothing, 5 is in truth 1.
    static func media(_ version: String, in folder: MachineFolder) throws -> VirtualMachine.Media {
        let scratch = try Scratch()
        let state = ["1": "healthy", "2": "healthy", "3": "unhealthy", "5": "healthy"][version]
        let facts = [
            "ksbuild: hostkey type=ssh-ed25519 fingerprint=SHA256:abc state=kept",
            "ksbuild: release name=node version=\(version == "5" ? "1" : version) hostname=node",
        ]
        let health =
            state.map { ["ksbuild: health state=\($0) version=v1 release=\(version) reason=\"so it is\""] } ?? []
        let image = try TalkingGuest.write(saying: (facts + health).joined(separator: "\r\n") + "\r\n", to: scratch)
        let target = folder.media.appending("node-\(version).iso")
        try StagedFile.write(HostFile.read(image, limit: 1 << 20), to: target)
        return VirtualMachine.Media(version: version, boot: target)
    }

    static func release(_ version: String) -> NodeRelease { NodeRelease(version: version, name: "node") }

    /// A replacement of version 1 by another.
    func replacement(to version: String) async throws -> Replacement {
        Replacement(
            .upgrade, from: Self.release("1"), try folder.made().media, to: Self.release(version),
            try Self.media(version, in: folder), wasRunning: try await life.hypervisor.state() == .running)
    }

    /// Writes a byte to the start of the data disk while the machine is off.
    func write(_ byte: UInt8) async throws {
        let result = try await run(
            "qemu-io", ["-f", "qcow2", "-c", "write -P \(byte) 0 4096", folder.dataDisk.string])
        try #require(result.succeeded, "\(result.errors)")
    }

    /// Whether the data disk begins with a byte; asked while the machine is off.
    func has(_ byte: UInt8) async throws -> Bool {
        let result = try await run(
            "qemu-io", ["-f", "qcow2", "-r", "-c", "read -P \(byte) 0 4096", folder.dataDisk.string])
        return result.succeeded && !result.output.contains("Pattern verification failed")
    }

    /// Makes one, lets something be done with it, and ends its machine whatever came of that.
    static func use(_ body: (LifeFixture) async throws -> Void) async throws {
        let scratch = try Scratch()
        let fixture = try await LifeFixture(in: scratch)
        do {
            try await body(fixture)
        } catch {
            try? await fixture.life.hypervisor.cutPower()
            throw error
        }
        try await fixture.life.hypervisor.cutPower()
    }

    /// Ends what still runs; the disk must be without a fault then.
    func stop() async throws {
        try await life.hypervisor.cutPower()
        let check = try await run("qemu-img", ["check", "-q", folder.dataDisk.string])
        #expect(check.exitCode == 0, "\(check.output)\(check.errors)")
    }
}
