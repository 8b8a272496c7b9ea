/// The configuration of a boot loader, edited as text: what it starts stays as it is and gains words and an initrd.
///
/// Two dialects are known, of which Alpine's images have one each for BIOS and UEFI: that of Syslinux (`syslinux.cfg`,
/// `isolinux.cfg`, `extlinux.conf`; doc/syslinux.txt) and GRUB's (`grub.cfg`; GRUB manual, "linux" and "initrd").
public struct BootConfiguration: Hashable, Sendable {
    /// The language of a configuration.
    public enum Dialect: Hashable, Sendable, CaseIterable {
        /// Syslinux, ISOLINUX, EXTLINUX.
        case syslinux
        /// GRUB 2.
        case grub
    }

    /// Something that the boot loader can start.
    public struct Entry: Hashable, Sendable {
        /// Its label or title.
        public var title: String
        /// The kernel's path.
        public var kernel: String
        /// The paths of the archives that are unpacked into the first root, in their order.
        public var initrds: [String]
        /// The words of the kernel's command line.
        public var arguments: [String]
    }

    /// The largest configuration that is read, in bytes.
    public static let maximumBytes = 256 * 1024
    /// The longest command line that Linux takes on x86, in bytes (`COMMAND_LINE_SIZE` with its NUL).
    public static let longestCommandLine = 2047

    /// The language.
    public let dialect: Dialect
    /// The lines with their ends.
    let lines: [String]
    private let subject: String

    /// The language that a file's name tells, or `nil` for another kind of file.
    public static func dialect(ofFile name: String) -> Dialect? {
        switch name.lowercased() {
        case "syslinux.cfg", "isolinux.cfg", "extlinux.conf": .syslinux
        case "grub.cfg": .grub
        default: nil
        }
    }

    /// Takes the bytes of a configuration.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - dialect: Its language.
    ///   - named: What messages call it.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` for what is no text.
    public init(_ bytes: [UInt8], dialect: Dialect, named: String) throws(UpstreamError) {
        guard bytes.count <= Self.maximumBytes, !bytes.contains(0),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw UpstreamError(.malformed, subject: named, detail: "is no configuration of a boot loader")
        }
        self.dialect = dialect
        subject = named
        lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }

    /// What it can start, in the order of the file.
    public var entries: [Entry] {
        switch dialect {
        case .syslinux: SyslinuxLines(lines).sections.filter { $0.kernel != nil }.map(\.entry)
        case .grub: GRUBLines(lines).commands.map(\.entry)
        }
    }

    /// The text in which every kernel gets further words at the end of its command line and one more initrd.
    ///
    /// Everything else stays byte for byte.
    ///
    /// - Parameters:
    ///   - arguments: Words without blanks and quotes.
    ///   - initrd: The path of an archive on the medium, from its root.
    /// - Returns: The new text.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/incomplete`` where it starts no kernel, and with
    ///   ``UpstreamError/Code/malformed`` where a command line would be longer than the kernel takes.
    public func adding(arguments: [String], initrd: String) throws(UpstreamError) -> [UInt8] {
        guard !entries.isEmpty else {
            throw UpstreamError(.incomplete, subject: subject, detail: "starts no kernel, so it cannot be told more")
        }
        for entry in entries {
            let length = (entry.arguments + arguments).reduce(0) { $0 + $1.utf8.count + 1 }
            guard length <= Self.longestCommandLine else {
                throw UpstreamError(
                    .malformed, subject: subject,
                    detail: "\(entry.title): the command line would have \(length) bytes, and the kernel takes"
                        + " \(Self.longestCommandLine); shorten kernel.parameters")
            }
        }
        let edited =
            switch dialect {
            case .syslinux: SyslinuxLines(lines).adding(arguments, initrd)
            case .grub: GRUBLines(lines).adding(arguments, initrd)
            }
        return Array(edited.joined(separator: "\n").utf8)
    }
}

/// A line in its first word and the rest, with the blanks around them.
struct ConfigurationLine {
    let indent: Substring
    let keyword: Substring
    let rest: Substring
    /// The blanks, and a carriage return, at the end.
    let tail: Substring

    init(_ line: String) {
        func isBlank(_ character: Character) -> Bool { character.isWhitespace }
        let body = line.drop(while: isBlank)
        indent = line[..<body.startIndex]
        let end = body.lastIndex { !isBlank($0) }.map { body.index(after: $0) } ?? body.startIndex
        tail = body[end...]
        let content = body[..<end]
        keyword = content.prefix { !isBlank($0) }
        rest = content[keyword.endIndex...].drop(while: isBlank)
    }

    /// The words of the rest.
    var words: [String] { rest.split(whereSeparator: \.isWhitespace).map(String.init) }
}
