internal import Artefact

/// A file of shell assignments, such as those in `/etc/conf.d`: the only way by which values reach the scripts.
///
/// Every value stands between single quotes, so that the shell takes it as it is whatever it holds.
struct ShellSettings {
    private var lines: [String]

    /// Begins a file; the comment says what it is for.
    init(_ comment: String) { lines = ["# \(comment)"] }

    /// Assigns a value.
    ///
    /// - Throws: ``OverlayError`` for a value with a line break or a NUL, which no script expects.
    mutating func assign(_ name: String, _ value: String, exported: Bool = false) throws(OverlayError) {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
            throw OverlayError(
                .invalidValue, subject: "\(name)=\(String(reflecting: value))",
                detail: "holds a control character; write the value on one line")
        }
        lines.append("\(exported ? "export " : "")\(name)=\(Self.quoted(value))")
    }

    /// The file.
    var text: String { lines.joined(separator: "\n") + "\n" }

    /// The value as one shell word (POSIX XCU §2.2.2): between single quotes, each single quote as `'\''`.
    static func quoted(_ value: String) -> String {
        var quoted = "'"
        for scalar in value.unicodeScalars {
            if scalar == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "'"
    }
}
