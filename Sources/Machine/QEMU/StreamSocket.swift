internal import Glibc
internal import SystemPackage

/// A connected socket that never blocks, closed when it is let go of.
struct StreamSocket: ~Copyable {
    private let descriptor: CInt

    /// Connects to the socket file of a local server.
    ///
    /// A path over the 107 bytes that an address holds (unix(7)) is gone to through its directory's descriptor.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``.
    init(path: FilePath) throws(MachineError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.string.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        var directory: CInt = -1
        defer { if directory >= 0 { _ = close(directory) } }
        if bytes.count >= capacity {
            directory = unsafe path.removingLastComponent().withPlatformString { name in
                unsafe Glibc.open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            }
            guard directory >= 0 else {
                throw .system("connect to this socket", path.string, Errno(rawValue: errno))
            }
            bytes = Array("/proc/self/fd/\(directory)/\(path.lastComponent?.string ?? "")".utf8)
        }
        guard bytes.count < capacity else {
            throw .system("connect to this socket", path.string, .fileNameTooLong)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in unsafe field.copyBytes(from: bytes) }
        let descriptor = try Self.open(AF_UNIX, path.string)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        guard result == 0 else {
            let errno = Errno(rawValue: Glibc.errno)
            _ = close(descriptor)
            throw .system("connect to this socket", path.string, errno)
        }
        self.descriptor = descriptor
    }

    /// Connects to a port of the loopback interface.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``.
    init(loopbackPort port: UInt16) throws(MachineError) {
        let subject = "127.0.0.1:\(port)"
        let descriptor = try Self.open(AF_INET, subject)
        var address = LoopbackPort.address(port)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        // A connection on the loopback interface is made or refused at once; what is under way is awaited by reading.
        guard result == 0 || Glibc.errno == EINPROGRESS else {
            let errno = Errno(rawValue: Glibc.errno)
            _ = close(descriptor)
            throw .system("connect", subject, errno)
        }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    private static func open(_ family: CInt, _ subject: String) throws(MachineError) -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw .system("open a socket for", subject, Errno(rawValue: Glibc.errno)) }
        return descriptor
    }

    /// What a look at the socket gave.
    enum Reading: Hashable {
        /// Bytes that have come; none when nothing has.
        case bytes([UInt8])
        /// The other side has closed, or the connection is broken.
        case closed
    }

    /// Takes what has come, at most 64 KiB, without waiting.
    func read() -> Reading {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
        }
        if count > 0 { return .bytes(Array(buffer.prefix(count))) }
        if count < 0, [EAGAIN, EINTR, EINPROGRESS, ENOTCONN].contains(errno) { return .bytes([]) }
        return .closed
    }

    /// Sends as many bytes as the other side takes at once.
    ///
    /// - Returns: Their number, or `nil` when the connection is broken.
    func write(_ bytes: [UInt8]) -> Int? {
        let count = unsafe bytes.withUnsafeBytes { part in
            unsafe send(descriptor, part.baseAddress, part.count, CInt(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        return [EAGAIN, EINTR, EINPROGRESS].contains(errno) ? 0 : nil
    }
}
