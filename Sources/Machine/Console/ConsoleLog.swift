internal import Artefact
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// What a machine that stays has said on its serial console: a file that whoever runs the machine appends to.
///
/// ksbuild makes the file, so that it is readable for the user also where the daemon that appends to it is root.
struct ConsoleLog: Sendable {
    /// The size from which a file is set aside at the next start; libvirt's own limit is 2 MiB.
    static let rotation: UInt64 = 512 << 10
    /// The most that is read of what was said before.
    private static let readLimit: UInt64 = 2 << 20

    let file: FilePath
    /// Where the position stands at which the latest start began.
    private let mark: FilePath

    init(_ folder: MachineFolder) {
        file = folder.serialLog
        mark = folder.path.appending("console.start")
    }

    /// Notes that a start begins here.
    func begin() throws {
        if let status = try? HostFile.status(of: file), status.size > Self.rotation {
            try HostFile.rename(file, to: FilePath(file.string + ".1"))
        }
        if !HostFile.exists(file) { try StagedFile.write([], to: file, mode: EntryMode(0o600)) }
        try StagedFile.write(Array("\(try HostFile.status(of: file).size)\n".utf8), to: mark)
    }

    /// Where the latest start began; 0 where that is not known.
    var start: UInt64 {
        guard let bytes = try? HostFile.read(mark, limit: 64) else { return 0 }
        let offset = UInt64(String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)) ?? 0
        let size = (try? HostFile.status(of: file).size) ?? 0
        return offset <= size ? offset : 0
    }

    /// How much was said.
    var size: UInt64 { (try? HostFile.status(of: file).size) ?? 0 }

    /// What was said from a position on, at most 1 MiB at once.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``.
    func read(from offset: UInt64) throws(MachineError) -> [UInt8] {
        let descriptor = unsafe file.withPlatformString { name in unsafe open(name, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system("read what the console said", file.string, Errno(rawValue: errno)) }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(clamping: offset))
        }
        guard count >= 0 else { throw .system("read what the console said", file.string, Errno(rawValue: errno)) }
        return Array(bytes.prefix(count))
    }

    /// What was said since the latest start.
    func record() -> SerialRecord {
        var record = SerialRecord()
        let size = (try? HostFile.status(of: file).size) ?? 0
        var offset = max(start, size > Self.readLimit ? size - Self.readLimit : 0)
        while let bytes = try? read(from: offset), !bytes.isEmpty {
            record.take(bytes, at: .zero)
            offset += UInt64(bytes.count)
        }
        return record
    }
}
