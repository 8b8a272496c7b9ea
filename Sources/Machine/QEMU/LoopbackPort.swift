internal import Glibc
internal import SystemPackage

/// Ports of the loopback interface that nobody uses.
public enum LoopbackPort {
    /// Picks ports that are free at this moment and differ from each other.
    ///
    /// The kernel names them (a socket bound to port 0) and all are held until the last is named. Nothing keeps another
    /// program from taking one before QEMU does: whoever uses them tries again with others then.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/noFreePort``.
    public static func pick(_ count: Int) throws(MachineError) -> [UInt16] {
        var held: [CInt] = []
        defer { for descriptor in held { _ = close(descriptor) } }
        var ports: [UInt16] = []
        for _ in 0..<count {
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw none(Errno(rawValue: Glibc.errno)) }
            held.append(descriptor)
            var address = address(0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                    unsafe bind(descriptor, name, length) == 0 && getsockname(descriptor, name, &length) == 0
                }
            }
            guard result else { throw none(Errno(rawValue: Glibc.errno)) }
            ports.append(UInt16(bigEndian: address.sin_port))
        }
        return ports
    }

    /// The socket address of a port on 127.0.0.1.
    static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }

    private static func none(_ errno: Errno) -> MachineError {
        MachineError(
            .noFreePort, subject: "127.0.0.1", detail: "has no free port to forward to the node; close some programs",
            errno: errno)
    }
}
