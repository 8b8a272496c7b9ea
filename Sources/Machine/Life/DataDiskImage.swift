internal import Artefact
internal import FoundationEssentials
internal import SystemPackage

/// The data disk of a machine: a qcow2 image, and in it the snapshot of what it was before an upgrade.
///
/// The snapshot is one of qcow2's own: it is there at once whatever the disk holds, and costs what is written after it.
/// Nothing about the path of the disk ever changes.
struct DataDiskImage: Sendable {
    /// The name of the disk in a QEMU that ksbuild starts.
    static let node = "data"
    private static let limit = Duration.seconds(600)

    let path: FilePath
    let machine: String

    private var program: HostProgram { HostProgram("qemu-img", package: "qemu-utils") }

    /// Makes a blank disk of so many bytes, for its owner alone.
    func make(size: UInt64) async throws {
        let folder = try TemporaryFolder(in: path.removingLastComponent(), prefix: ".disk-")
        let file = folder.path.appending("data.qcow2")
        try await run(["create", "-q", "-f", "qcow2", file.string, "\(size)"])
        try HostFile.setMode(of: file, EntryMode(0o600))
        try HostFile.synchronise(file: file)
        try HostFile.rename(file, to: path)
        try HostFile.synchronise(directory: path.removingLastComponent())
    }

    private struct Report: Decodable {
        struct Snapshot: Decodable { let name: String }
        let snapshots: [Snapshot]?
        let virtualSize: UInt64

        private enum CodingKeys: String, CodingKey {
            case snapshots
            case virtualSize = "virtual-size"
        }
    }

    private func report() async throws -> Report {
        let said = try await run(["info", "--output=json", "-U", path.string])
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(said.utf8)) else {
            throw MachineError(
                .refused, subject: path.string, detail: "qemu-img described it in words that are not known")
        }
        return report
    }

    /// The size that the node sees, in bytes.
    var size: UInt64 { get async throws { try await report().virtualSize } }

    /// Says whether no QEMU has the disk open: without `-U`, `qemu-img` asks for the lock that one holds which writes.
    func requireUnlocked() async throws { try await run(["info", "--output=json", path.string]) }

    /// Whether the snapshot is there.
    func has(_ snapshot: String) async throws -> Bool {
        try await report().snapshots?.contains { $0.name == snapshot } ?? false
    }

    /// Takes the snapshot while the machine is off; one of the name that is there goes.
    func take(_ snapshot: String) async throws {
        try await drop(snapshot)
        try await run(["snapshot", "-c", snapshot, path.string])
    }

    /// Makes the disk what it was, while the machine is off.
    func revert(to snapshot: String) async throws { try await run(["snapshot", "-a", snapshot, path.string]) }

    /// Forgets the snapshot while the machine is off, where it and the disk are there.
    func drop(_ snapshot: String) async throws {
        guard HostFile.exists(path), try await has(snapshot) else { return }
        try await run(["snapshot", "-d", snapshot, path.string])
    }

    /// Forgets the snapshot while the machine runs, where it is there.
    ///
    /// QEMU is asked, since the file may be another user's meanwhile.
    func drop(_ snapshot: String, runningOn hypervisor: any Hypervisor) async throws {
        let nodes = try await hypervisor.monitor(
            "query-named-block-nodes", MonitorNothing(), returning: [BlockNodeReport].self)
        guard let node = nodes.first(where: { $0.driver == "qcow2" && $0.image.filename == path.string }),
            let device = node.nodeName
        else { throw MachineError(.monitor, subject: machine, detail: "does not run on \(path)") }
        guard node.image.snapshots?.contains(where: { $0.name == snapshot }) == true else { return }
        _ = try await hypervisor.monitor(
            "blockdev-snapshot-delete-internal-sync", SnapshotDeletion(device: device, name: snapshot),
            returning: MonitorNothing.self)
    }

    @discardableResult
    private func run(_ arguments: [String]) async throws -> String {
        let outcome = try await program.run(arguments, within: Self.limit)
        guard outcome.succeeded else {
            throw QEMUWords.failure(outcome.complaint, "'\(arguments[0])'", path.string, by: "qemu-img")
        }
        return outcome.output
    }
}

/// A block device of a running QEMU, as `query-named-block-nodes` tells it.
private struct BlockNodeReport: Decodable, Sendable {
    struct Image: Decodable, Sendable {
        struct Snapshot: Decodable, Sendable { let name: String }
        let filename: String
        let snapshots: [Snapshot]?
    }
    let nodeName: String?
    let driver: String?
    let image: Image

    private enum CodingKeys: String, CodingKey {
        case nodeName = "node-name"
        case driver = "drv"
        case image
    }
}

/// The arguments of `blockdev-snapshot-delete-internal-sync`.
private struct SnapshotDeletion: Encodable, Sendable {
    let device: String
    let name: String
}
