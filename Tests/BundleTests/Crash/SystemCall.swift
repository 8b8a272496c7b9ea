import Artefact
import SystemPackage
import TestSupport

/// One system call that a process made and that succeeded, as `strace -xx` writes it.
struct SystemCall: Sendable {
    let name: String
    let arguments: [Substring]
    let result: Int

    /// The calls that change a file system, or decide what such a call means.
    static let traced = [
        "openat", "open", "creat", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat", "rename", "renameat",
        "renameat2", "unlink", "unlinkat", "rmdir", "write", "pwrite64", "writev", "copy_file_range", "sendfile",
        "ftruncate", "truncate", "fallocate", "fsync", "fdatasync", "sync", "syncfs", "chmod", "fchmod", "fchmodat",
        "close", "dup", "dup2", "dup3", "lseek", "ioctl",
    ]

    /// Reads one line; `nil` for a call that failed, or that is no call.
    init?(line: Substring) {
        guard let open = line.firstIndex(of: "("), let end = line.ranges(of: ") = ").last else {
            return nil
        }
        let status = line[end.upperBound...].prefix { $0.isNumber || $0 == "-" }
        guard let result = Int(status), result >= 0 else { return nil }
        name = String(line[..<open])
        self.result = result
        arguments = Self.split(line[line.index(after: open)..<end.lowerBound])
    }

    /// Splits at commas that stand in no quotes and no brackets.
    private static func split(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var depth = 0
        var isQuoted = false
        var start = text.startIndex
        for index in text.indices {
            switch text[index] {
            case "\"": isQuoted.toggle()
            case "[" where !isQuoted, "{" where !isQuoted: depth += 1
            case "]" where !isQuoted, "}" where !isQuoted: depth -= 1
            case "," where !isQuoted && depth == 0:
                parts.append(text[start..<index].drop { $0 == " " })
                start = text.index(after: index)
            default: break
            }
        }
        parts.append(text[start...].drop { $0 == " " })
        return parts
    }

    /// The bytes of a string argument.
    func bytes(_ index: Int) -> [UInt8] {
        arguments[index].split(separator: "\\", omittingEmptySubsequences: true).compactMap { part in
            part.hasPrefix("x") ? UInt8(part.dropFirst().prefix(2), radix: 16) : nil
        }
    }

    /// A path argument.
    func path(_ index: Int) -> String { String(decoding: bytes(index), as: UTF8.self) }

    /// A number argument: decimal, or octal with a leading zero.
    func number(_ index: Int) -> Int {
        let text = arguments[index]
        return (text.hasPrefix("0") && text.count > 1 ? Int(text, radix: 8) : Int(text)) ?? -1
    }

    func has(_ flag: String, in index: Int) -> Bool { arguments[index].split(separator: "|").contains { $0 == flag } }

    /// Runs a program under strace.
    ///
    /// - Parameters:
    ///   - program: What to run.
    ///   - arguments: Its arguments.
    ///   - options: More for strace.
    /// - Returns: What the program came to, and the calls of its first thread.
    static func trace(
        _ program: FilePath, _ arguments: [String], options: [String] = []
    ) async throws -> (ProgramResult, [SystemCall]) {
        let scratch = try Scratch()
        let log = scratch.path.appending("calls")
        let result = try await run(
            "strace",
            [
                "-qq", "-xx", "-a", "1", "-s", "1048576", "-e", "trace=\(traced.joined(separator: ","))", "-o",
                log.string,
            ] + options
                + [program.string] + arguments)
        let text = String(decoding: try HostFile.read(log, limit: 64 << 20), as: UTF8.self)
        return (result, text.split(separator: "\n").compactMap(SystemCall.init))
    }
}
