/// The `linux` commands of a configuration of GRUB and the `initrd` commands that follow them.
struct GRUBLines {
    /// A kernel and what is loaded with it.
    struct Command {
        /// The first and the last line of the command, which differ where a backslash joins lines.
        var kernel: (first: Int, last: Int)
        var words: [String]
        var initrd: (first: Int, last: Int, paths: [String])?
    }

    private static let kernels: Set<String> = ["linux", "linux16", "linuxefi"]
    private static let archives: Set<String> = ["initrd", "initrd16", "initrdefi"]

    private let lines: [String]
    /// The kernels in the order of the file.
    private(set) var commands: [Command] = []

    init(_ lines: [String]) {
        self.lines = lines
        var isOpen = false
        var index = 0
        while index < lines.count {
            let first = index
            var text = lines[index]
            while ConfigurationLine(text).rest.hasSuffix("\\"), index + 1 < lines.count {
                index += 1
                let joined = ConfigurationLine(text)
                text = String(text.dropLast(joined.tail.count + 1)) + " " + lines[index]
            }
            let line = ConfigurationLine(text)
            switch String(line.keyword) {
            case let keyword where Self.kernels.contains(keyword):
                commands.append(Command(kernel: (first, index), words: line.words))
                isOpen = true
            case let keyword where Self.archives.contains(keyword) && isOpen:
                commands[commands.count - 1].initrd = (first, index, line.words)
                isOpen = false
            default: break
            }
            index += 1
        }
    }

    /// The lines, in which each kernel has further words and one more archive.
    func adding(_ arguments: [String], _ initrd: String) -> [String] {
        var edited = lines
        var added: [Int: String] = [:]
        let words = arguments.map(Self.escaped)
        func extend(_ index: Int, by words: [String]) {
            let end = Self.end(of: lines[index])
            edited[index] = ([String(lines[index][..<end])] + words).joined(separator: " ") + lines[index][end...]
        }
        for command in commands {
            extend(command.kernel.last, by: words)
            // A path may begin with the device: `($root)/boot/vmlinuz`.
            let neighbour = command.initrd?.paths.first ?? command.words.first ?? ""
            let path = String(neighbour.prefix { $0 != "/" }) + initrd
            if let line = command.initrd?.last {
                extend(line, by: [path])
            } else {
                let kernel = ConfigurationLine(lines[command.kernel.first])
                added[command.kernel.last] = "\(kernel.indent)initrd \(path)\(kernel.tail)"
            }
        }
        return edited.enumerated().flatMap { [$0.element] + (added[$0.offset].map { [$0] } ?? []) }
    }

    /// Where the words of a command end on its last line: before a comment, a `;`, a `}` and blanks.
    private static func end(of line: String) -> String.Index {
        var quote: Character?
        var isEscaped = false
        var end = line.startIndex
        var isWord = false
        for index in line.indices {
            let character = line[index]
            if isEscaped {
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == ";" || !isWord && (character == "#" || character == "}") {
                return end
            }
            isWord = !character.isWhitespace
            if isWord { end = line.index(after: index) }
        }
        return end
    }

    /// A word in which nothing means anything to GRUB's script language.
    private static func escaped(_ word: String) -> String {
        word.reduce(into: "") { text, character in
            if "\\$;{}#&|<>'\"*?[]~".contains(character) { text.append("\\") }
            text.append(character)
        }
    }
}
