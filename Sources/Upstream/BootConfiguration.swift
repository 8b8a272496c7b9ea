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
    public var entries: [LoaderEntry] { LoaderEntry.read(lines.joined(separator: "\n"), dialect, source: subject) }

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
        let before = entries
        guard before.contains(where: \.startsKernel) else {
            throw UpstreamError(.incomplete, subject: subject, detail: "starts no kernel, so it cannot be told more")
        }
        let edited =
            switch dialect {
            case .syslinux: SyslinuxLines(lines).adding(arguments, initrd)
            case .grub: GRUBLines(lines).adding(arguments, initrd)
            }
        let text = edited.joined(separator: "\n")
        let after = LoaderEntry.read(text, dialect, source: subject)
        guard before.count == after.count, zip(before, after).allSatisfy({ $1.extends($0, arguments, initrd) }) else {
            throw UpstreamError(
                .malformed, subject: subject,
                detail: "has a form in which its kernels cannot be told more; take the image as Alpine publishes it")
        }
        for entry in after {
            let length = entry.parameters.reduce(0) { $0 + $1.utf8.count + 1 }
            guard length <= Self.longestCommandLine else {
                throw UpstreamError(
                    .malformed, subject: subject,
                    detail: "\(entry.title): the command line would have \(length) bytes, and the kernel takes"
                        + " \(Self.longestCommandLine); shorten kernel.parameters")
            }
        }
        return Array(text.utf8)
    }
}

extension LoaderEntry {
    /// The endings of programs that SYSLINUX starts and that are no kernels (doc/syslinux.txt, "KERNEL").
    static let otherPrograms = [".0", ".bin", ".bs", ".bss", ".c32", ".cbt", ".com", ".img"]

    /// Whether it is a kernel that takes a command line and archives.
    var startsKernel: Bool { !Self.otherPrograms.contains(where: kernel.lowercased().hasSuffix) }

    /// Whether it is what another one was, with words and an archive at the end.
    fileprivate func extends(_ other: LoaderEntry, _ arguments: [String], _ initrd: String) -> Bool {
        guard startsKernel else { return self == other }
        // `initrd=` is among the words where SYSLINUX has it there.
        func words(_ entry: LoaderEntry) -> [String] { entry.parameters.filter { !$0.hasPrefix("initrd=") } }
        return title == other.title && kernel == other.kernel && words(self) == words(other) + arguments
            && initrds.count == other.initrds.count + 1 && initrds.dropLast() == other.initrds[...]
            && initrds.last?.hasSuffix(initrd) == true
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
