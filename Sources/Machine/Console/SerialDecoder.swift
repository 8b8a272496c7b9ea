/// The lines in a stream of bytes from a serial console, as a person would read them.
///
/// Takes bytes in pieces of any size. Escape sequences (ECMA-48) and control characters are dropped, a carriage return
/// ends a line as a line feed does, and a message of the kernel that cuts a line in two is set apart from it: the kernel
/// writes to the console whenever it likes, also in the middle of what a program writes.
struct SerialDecoder: Hashable, Sendable {
    /// The most bytes that are held for one line; a longer one is cut there.
    static let lineLimit = 8192

    private var held: [UInt8] = []
    /// The first part of a line that a message of the kernel interrupted.
    private var interrupted: String?

    /// What stands after the last line end so far: a prompt, or a line that is not complete.
    var partial: String { (interrupted ?? "") + Self.plain(held) }

    /// Takes the next bytes.
    ///
    /// - Returns: The lines that are complete now, without empty ones.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || held.count >= Self.lineLimit {
                end(&lines)
                if byte == UInt8(ascii: "\n") { continue }
            }
            held.append(byte)
        }
        return lines
    }

    private mutating func end(_ lines: inout [String]) {
        while held.last == UInt8(ascii: "\r") { held.removeLast() }
        let pieces = held.split(separator: UInt8(ascii: "\r")).map { Self.plain(Array($0)) }
        held = []
        let before = interrupted
        interrupted = nil
        guard let first = pieces.first else {
            if let before { lines.append(before) }
            return
        }
        var line = first
        if let before {
            // A second message of the kernel may follow the first before the program's line goes on.
            if Self.kernelMessage(in: first[...]) == first.startIndex {
                lines.append(first)
                interrupted = before
                lines += pieces.dropFirst()
                return
            }
            line = before + first
        }
        if let start = Self.kernelMessage(in: line[...]), start > line.startIndex, pieces.count == 1,
            line[..<start].contains(SerialFact.mark)
        {
            lines.append(String(line[start...]))
            interrupted = String(line[..<start])
            return
        }
        lines.append(line)
        lines += pieces.dropFirst()
        lines.removeAll { $0.isEmpty }
    }

    /// Where a message of the kernel begins: `[`, blanks, seconds, `.`, six digits of microseconds, `]` and a blank.
    private static func kernelMessage(in line: Substring) -> String.Index? {
        let text = line.utf8
        var from = text.startIndex
        while let open = text[from...].firstIndex(of: UInt8(ascii: "[")) {
            from = text.index(after: open)
            let stamp = text[from...].drop { $0 == UInt8(ascii: " ") }
            let seconds = stamp.prefix { isDigit($0) }
            let rest = stamp[seconds.endIndex...]
            let fraction = rest.dropFirst().prefix { isDigit($0) }
            guard !seconds.isEmpty, rest.first == UInt8(ascii: "."), fraction.count == 6 else { continue }
            if text[fraction.endIndex...].starts(with: "] ".utf8) { return open }
        }
        return nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// The text without escape sequences and control characters.
    private static func plain(_ bytes: [UInt8]) -> String {
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x1b: index = afterEscape(bytes, index)
            case 0x09, 0x20..<0x7f, 0x80...: kept.append(byte)
            default: break
            }
        }
        let text = String(decoding: kept, as: UTF8.self)
        // The control characters of ISO 8859, which reach a terminal as UTF-8 too.
        guard text.unicodeScalars.contains(where: { (0x80...0x9f).contains($0.value) }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { !(0x80...0x9f).contains($0.value) }))
    }

    /// The position after the escape sequence whose introducer stands before `start`.
    private static func afterEscape(_ bytes: [UInt8], _ start: Int) -> Int {
        guard start < bytes.count else { return start }
        var index = start + 1
        switch bytes[start] {
        case UInt8(ascii: "["):
            // CSI: parameters 0x30–0x3f, intermediates 0x20–0x2f, one final byte 0x40–0x7e.
            while index < bytes.count, (0x20...0x3f).contains(bytes[index]) { index += 1 }
            if index < bytes.count, (0x40...0x7e).contains(bytes[index]) { index += 1 }
        case UInt8(ascii: "]"):
            // OSC: text up to BEL or ESC \.
            while index < bytes.count, bytes[index] != 0x07, bytes[index] != 0x1b { index += 1 }
            if index < bytes.count { index += bytes[index] == 0x1b ? 2 : 1 }
        case 0x20...0x2f:
            while index < bytes.count, (0x20...0x2f).contains(bytes[index]) { index += 1 }
            index += 1
        default: break
        }
        return min(index, bytes.count)
    }
}
