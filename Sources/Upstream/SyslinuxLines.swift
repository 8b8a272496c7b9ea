/// The labels of a configuration of Syslinux and the lines that belong to them.
struct SyslinuxLines {
    /// What follows one `LABEL`, up to the next.
    struct Section {
        var title: String
        var kernel: (line: Int, path: String)?
        var append: (line: Int, words: [String])?
        var initrd: (line: Int, paths: [String])?

        /// The archives that `INITRD` or `initrd=` name.
        var initrds: [String] {
            if let initrd { return initrd.paths }
            let word = append?.words.last { $0.lowercased().hasPrefix("initrd=") }
            return word.map { $0.dropFirst("initrd=".count).split(separator: ",").map(String.init) } ?? []
        }
    }

    private let lines: [String]
    /// The labels that start a kernel, in the order of the file.
    private(set) var sections: [Section] = []

    init(_ lines: [String]) {
        self.lines = lines
        var common: [String] = []
        var current: Section?
        for (index, line) in lines.enumerated() {
            let line = ConfigurationLine(line)
            switch line.keyword.lowercased() {
            case "label":
                if let current { sections.append(current) }
                current = Section(title: String(line.rest))
            case "kernel", "linux":
                let path = String(line.rest)
                guard !LoaderEntry.otherPrograms.contains(where: path.lowercased().hasSuffix) else { continue }
                current?.kernel = (index, path)
            case "append":
                if current == nil { common = line.words }
                current?.append = (index, line.words == ["-"] ? [] : line.words)
            case "initrd":
                current?.initrd = (index, line.rest.split(separator: ",").map(String.init))
            default: break
            }
        }
        if let current { sections.append(current) }
        for index in sections.indices where sections[index].append == nil && !common.isEmpty {
            sections[index].append = (-1, common)
        }
    }

    /// The lines, in which each label that starts a kernel has further words and one more archive.
    func adding(_ arguments: [String], _ initrd: String) -> [String] {
        var edited = lines
        var added: [Int: [String]] = [:]
        for section in sections {
            guard let kernel = section.kernel else { continue }
            let indent = ConfigurationLine(lines[kernel.line]).indent
            let end = ConfigurationLine(lines[kernel.line]).tail
            var words = section.append?.words ?? []
            let initrds = section.initrds + [initrd]
            if let line = section.initrd?.line {
                let old = ConfigurationLine(lines[line])
                edited[line] = String(lines[line].dropLast(old.tail.count)) + ",\(initrd)" + old.tail
            } else if let place = words.lastIndex(where: { $0.lowercased().hasPrefix("initrd=") }) {
                words[place] = "initrd=" + initrds.joined(separator: ",")
            } else {
                added[kernel.line, default: []].append("\(indent)INITRD \(initrd)\(end)")
            }
            if let line = section.append?.line, line >= 0, ConfigurationLine(lines[line]).rest != "-" {
                edited[line] = Self.extended(lines[line], words: words, by: arguments)
            } else {
                let all = (words + arguments).joined(separator: " ")
                if let line = section.append?.line, line >= 0 {
                    edited[line] = "\(indent)APPEND \(all)\(end)"
                } else {
                    added[kernel.line, default: []].append("\(indent)APPEND \(all)\(end)")
                }
            }
        }
        return edited.enumerated().flatMap { [$0.element] + (added[$0.offset] ?? []) }
    }

    /// An `APPEND` line with further words: as it stands but for its end, and for a changed `initrd=`.
    private static func extended(_ line: String, words: [String], by arguments: [String]) -> String {
        let old = ConfigurationLine(line)
        var body = String(line.dropLast(old.tail.count))
        for (before, after) in zip(old.words, words) where before != after {
            body = body.replacingFirst(before, with: after)
        }
        return ([body] + arguments).joined(separator: " ") + old.tail
    }
}

extension String {
    /// The text in which the first occurrence of another, between blanks, is replaced.
    fileprivate func replacingFirst(_ word: String, with replacement: String) -> String {
        var place = startIndex
        while place < endIndex {
            let start = self[place...].drop(while: \.isWhitespace).startIndex
            let end = self[start...].prefix { !$0.isWhitespace }.endIndex
            if self[start..<end] == word { return self[..<start] + replacement + self[end...] }
            guard end > place else { break }
            place = end
        }
        return self
    }
}
