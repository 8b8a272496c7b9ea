import ArgumentParser
import Artefact
import Glibc
import SystemPackage

/// Data goes to standard output, words about the work to standard error.
enum Console {
    /// Prints a line of data.
    ///
    /// A reader that has gone away, such as `head`, ends the program quietly as SIGPIPE does elsewhere.
    static func print(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: .standardOutput) }

    /// Prints a line about the work.
    static func error(_ text: String) { write(text + "\n", to: .standardError) }

    /// Prints a question; the answer comes on the same line.
    static func ask(_ text: String) { write(text, to: .standardError) }

    /// Replaces the line that the cursor is on; only where a person watches.
    static func progress(_ text: String) { write("\r\u{1b}[K" + text, to: .standardError) }

    /// Whether a person watches standard error.
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    /// Asks whether to do something; only where a person can answer.
    ///
    /// - Parameters:
    ///   - question: What is asked.
    ///   - option: What says yes on the command line.
    /// - Returns: Whether the answer is yes.
    /// - Throws: `ValidationError` where standard input is no terminal.
    static func confirm(_ question: String, option: String) throws -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            throw ValidationError("nobody can be asked whether to \(question.dropLast()) (no terminal); say \(option)")
        }
        ask("\(question) [y/N] ")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }

    private static func write(_ text: String, to stream: FileDescriptor) {
        do {
            try stream.writeAll(text.utf8)
        } catch {
            guard stream == .standardOutput else { return }
            self.error("ksbuild: standard output: cannot write (\((error as? Errno)?.description ?? "\(error)"))")
            exit(ExitStatus.code(.io))
        }
    }
}
