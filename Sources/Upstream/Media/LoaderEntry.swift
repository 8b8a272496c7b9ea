/// What a boot loader is told to start: one entry of a SYSLINUX or GRUB configuration.
public struct LoaderEntry: Hashable, Sendable {
    /// The configuration's path on the medium.
    public let source: String
    /// The label or title of the entry; empty outside of any.
    public let title: String
    /// The kernel as it is named.
    public let kernel: String
    /// The files of the initial RAM file system in their order.
    public let initrds: [String]
    /// The words of the kernel command line.
    public let parameters: [String]

    /// The last value of a parameter `NAME=VALUE`, which is the one that Alpine's init keeps.
    public func value(of name: String) -> String? {
        parameters.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    /// Reads a configuration.
    static func read(_ text: String, _ dialect: BootConfiguration.Dialect, source: String) -> [LoaderEntry] {
        switch dialect {
        case .grub: GRUBScript(source: source).commands(text)
        case .syslinux: SyslinuxMenu(source: source).commands(text)
        }
    }
}

/// The configuration of SYSLINUX and ISOLINUX (`doc/syslinux.txt`): keywords of any case, one a line; those before the first
/// `LABEL` hold for all that say nothing else.
private struct SyslinuxMenu {
    let source: String

    private struct Entry {
        var title = ""
        var kernel: String?
        var initrds: [String] = []
        var append: String?
    }

    func commands(_ text: String) -> [LoaderEntry] {
        var global = Entry()
        var entries: [Entry] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
            guard let keyword = words.first?.lowercased(), !keyword.hasPrefix("#") else { continue }
            let rest = words.count > 1 ? words[1].trimmingBlanks : ""
            if keyword == "label" {
                entries.append(Entry(title: rest))
                continue
            }
            var entry = entries.popLast() ?? global
            switch keyword {
            case "kernel", "linux": entry.kernel = rest
            case "initrd": entry.initrds = rest.split(separator: ",").map { $0.trimmingBlanks }
            case "append": entry.append = rest == "-" ? "" : rest
            default: break
            }
            if entry.title.isEmpty && entries.isEmpty { global = entry } else { entries.append(entry) }
        }
        return entries.compactMap { entry in
            guard let kernel = entry.kernel else { return nil }
            var initrds = entry.initrds
            var parameters: [String] = []
            for word in (entry.append ?? global.append ?? "").split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                // In APPEND, `initrd=` is for the boot loader and reaches the kernel as well.
                if word.hasPrefix("initrd="), entry.initrds.isEmpty {
                    initrds = word.dropFirst(7).split(separator: ",").map(String.init)
                }
                parameters.append(String(word))
            }
            return LoaderEntry(
                source: source, title: entry.title, kernel: kernel, initrds: initrds, parameters: parameters)
        }
    }
}

/// The commands `linux` and `initrd` of a GRUB script in its menu entries (GRUB manual, "Shell-like scripting"); variables
/// and conditions stand as they are written.
private struct GRUBScript {
    let source: String

    func commands(_ text: String) -> [LoaderEntry] {
        var found: [LoaderEntry] = []
        var title = ""
        var kernel: [String] = []
        var initrds: [String] = []
        func close() {
            guard let name = kernel.first else { return }
            found.append(
                LoaderEntry(
                    source: source, title: title, kernel: name, initrds: initrds, parameters: Array(kernel.dropFirst()))
            )
            (kernel, initrds) = ([], [])
        }
        for words in joined(text).flatMap(Self.commands) {
            switch words.first {
            case "menuentry":
                close()
                title = words.count > 1 ? words[1] : ""
            case "}":
                close()
                title = ""
            case "linux", "linuxefi", "linux16":
                close()
                kernel = Array(words.dropFirst())
            case "initrd", "initrdefi", "initrd16": initrds += words.dropFirst()
            default: break
            }
        }
        close()
        return found
    }

    /// The lines, those that end in `\` taken together with the next.
    private func joined(_ text: String) -> [String] {
        var lines: [String] = []
        var isOpen = false
        for line in text.split(whereSeparator: \.isNewline) {
            let body = line.hasSuffix("\\") ? String(line.dropLast()) : String(line)
            if isOpen, !lines.isEmpty { lines[lines.count - 1] += body } else { lines.append(body) }
            isOpen = line.hasSuffix("\\")
        }
        return lines
    }

    /// The commands of a line, each as its words without their quotes.
    ///
    /// `;` and braces that stand alone end one, a comment ends the line, and a closing brace is a command.
    private static func commands(_ line: String) -> [[String]] {
        var commands: [[String]] = [[]]
        var word: String?
        var isQuoted = false
        var quote: Character?
        func end() {
            defer { (word, isQuoted) = (nil, false) }
            guard let done = word else { return }
            switch done {
            case "{" where !isQuoted: commands.append([])
            case "}" where !isQuoted: commands += [["}"], []]
            default: commands[commands.count - 1].append(done)
            }
        }
        var isEscaped = false
        for character in line {
            if isEscaped {
                (isEscaped, isQuoted) = (false, true)
                word = (word ?? "") + String(character)
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "\"" || character == "'" {
                (quote, isQuoted, word) = (character, true, word ?? "")
            } else if character == " " || character == "\t" {
                end()
            } else if character == ";" {
                end()
                commands.append([])
            } else if character == "#", word == nil {
                break
            } else {
                if word == nil { word = "" }
                word?.append(character)
            }
        }
        end()
        return commands
    }
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
