internal import Glibc
internal import SystemPackage

/// Sees to it that a program which ksbuild started ends when ksbuild does, however it ends.
///
/// The program's standard input is a socket whose other end only this process holds. Once ``tie(to:)`` has been called,
/// the kernel itself sends SIGKILL to the program at the moment that end is closed (`O_ASYNC`, `F_SETOWN`,
/// `F_SETSIG`: fcntl(2)), which is also when this process was killed. Nothing may be written to the socket.
///
/// The program is started through ``wrapper``, a shell that waits on a second socket until the tie is made and gives up
/// when this process is gone before that. Between start and tie there is thus no moment that could leave it behind.
struct Lifeline: ~Copyable {
    /// The shell command that waits for the word to go and becomes the program named by its arguments.
    ///
    /// The second socket is its standard output, which the program does not get to see.
    static let wrapper = ["-c", "read -r go <&1 && exec \"$@\" >&2", "ksbuild-machine"]

    /// The program's standard input.
    let input: FileDescriptor
    /// The program's standard output until it goes.
    let output: FileDescriptor
    private let life: FileDescriptor
    private let go: FileDescriptor

    /// Makes the two pairs of sockets.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``.
    init() throws(MachineError) {
        let first = try Self.pair()
        let second = try Self.pair()
        (input, life) = first
        (output, go) = second
    }

    deinit { for end in [input, output, life, go] { try? end.close() } }

    /// Ties the program's life to this process and lets it go.
    ///
    /// - Throws: ``MachineError`` with ``MachineError/Code/system``; the program must be ended then.
    func tie(to process: pid_t) throws(MachineError) {
        let flags = fcntl(input.rawValue, F_GETFL)
        guard flags >= 0, fcntl(input.rawValue, F_SETOWN, process) == 0,
            fcntl(input.rawValue, Self.setSignal, SIGKILL) == 0,
            fcntl(input.rawValue, F_SETFL, flags | O_ASYNC) == 0
        else { throw .system("tie to this process", "process \(process)", Errno(rawValue: errno)) }
        let written = unsafe [UInt8(ascii: "\n")].withUnsafeBytes { word in
            unsafe write(go.rawValue, word.baseAddress, word.count)
        }
        guard written == 1 else { throw .system("start", "process \(process)", Errno(rawValue: errno)) }
    }

    /// `F_SETSIG` of `<fcntl.h>`, which Swift does not import.
    private static let setSignal: CInt = 10

    /// Sockets and not pipes, because these can be had closed on exec from the start: no other program that is being
    /// started at the same moment can keep the near end open.
    private static func pair() throws(MachineError) -> (FileDescriptor, FileDescriptor) {
        var ends: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let result = unsafe ends.withUnsafeMutableBufferPointer { pair in
            unsafe pair.baseAddress.map { start in unsafe socketpair(AF_UNIX, kind, 0, start) } ?? -1
        }
        guard result == 0 else { throw .system("open", "a pair of sockets", Errno(rawValue: errno)) }
        return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }
}
