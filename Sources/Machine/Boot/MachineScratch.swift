internal import Artefact
internal import Glibc
internal import SystemPackage

/// The folder of one run, which only its owner can enter; it is gone with the run, or with the next after a killed one.
///
/// It stands in `/tmp` because the path of a socket has at most 107 bytes.
struct MachineScratch: ~Copyable {
    private let folder: TemporaryFolder

    /// The folder.
    var path: FilePath { folder.path }

    /// Makes the folder.
    ///
    /// - Throws: `ArtefactError`.
    init() throws(ArtefactError) { folder = try TemporaryFolder(in: "/tmp", prefix: "ksbuild-vm-") }

    /// Makes a file of `size` bytes that takes no room until it is written.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``; also when the file is there already.
    static func makeSparse(_ file: FilePath, size: UInt64) throws(MachineError) {
        let descriptor = unsafe file.withPlatformString { name in
            unsafe open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw .system("create the data disk", file.string, Errno(rawValue: errno)) }
        defer { _ = close(descriptor) }
        guard ftruncate(descriptor, off_t(clamping: size)) == 0 else {
            let errno = Errno(rawValue: Glibc.errno)
            try? HostFile.remove(file)
            throw .system("give the data disk its size", file.string, errno)
        }
    }

    /// A file without a name that takes what a program says on its standard error.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``.
    func nameless() throws(MachineError) -> FileDescriptor {
        let name = path.appending("errors")
        let descriptor = unsafe name.withPlatformString { file in
            unsafe open(file, O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw .system("create", name.string, Errno(rawValue: errno)) }
        try? HostFile.remove(name)
        return FileDescriptor(rawValue: descriptor)
    }

    /// The end of what a program said, on one line.
    static func lastWords(in file: FileDescriptor) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let size = lseek(file.rawValue, 0, SEEK_END)
        let start = max(0, size - off_t(buffer.count))
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe pread(file.rawValue, bytes.baseAddress, bytes.count, start)
        }
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
