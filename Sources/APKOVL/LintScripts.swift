internal import Archive

/// What the services of an overlay run and need, as far as its own scripts tell.
struct ServiceScripts {
    private let contents: OverlayContents
    /// The services linked into any runlevel.
    let started: Set<String>

    /// Reads the runlevels.
    init(_ contents: OverlayContents) {
        self.contents = contents
        let links = contents.entries.keys.filter { $0.hasPrefix("etc/runlevels/") }.map { $0.split(separator: "/") }
        started = Set(links.filter { $0.count == 4 }.map { String($0[3]) })
    }

    /// Everything that a service needs, with what that needs in turn.
    func needs(of service: String) -> Set<String> {
        var found: Set<String> = []
        var open = [service]
        while let next = open.popLast() {
            let lines = contents.lines("etc/init.d/\(next)") ?? []
            let configured = contents.assignment("rc_need", in: "etc/conf.d/\(next)") ?? ""
            let direct = Self.needs(in: lines) + configured.split(separator: " ").map(String.init)
            for name in direct where found.insert(name).inserted { open.append(name) }
        }
        return found
    }

    /// What stands after `need` in the function `depend` of a script, however that is laid out.
    static func needs(in lines: [String]) -> [String] {
        var text = ""
        for line in lines where !line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("#") {
            text += line.hasSuffix("\\") ? line.dropLast() + " " : line + "\n"
        }
        guard let body = body(of: "depend", in: text) else { return [] }
        var found: [String] = []
        for command in body.split(whereSeparator: { $0 == "\n" || $0 == ";" || $0 == "&" }) {
            var words = command.split { $0 == " " || $0 == "\t" }[...]
            if words.first == "{" { words = words.dropFirst() }
            let end = words.firstIndex(of: "}") ?? words.endIndex
            if words.first == "need" {
                let needed = words[..<end].dropFirst().prefix { !$0.hasPrefix("#") }
                found += needed.map { String($0.filter { $0 != "\"" && $0 != "'" }) }
            }
            if end != words.endIndex { break }
        }
        return found
    }

    /// What follows `NAME()` in a script, whatever blanks stand in it; the name begins a word.
    private static func body(of name: String, in text: String) -> Substring? {
        func skipBlanks(_ start: String.Index) -> String.Index {
            text.utf8[start...].firstIndex { !isBlank($0) } ?? text.endIndex
        }
        func step(over mark: Unicode.Scalar, _ start: String.Index) -> String.Index? {
            let place = skipBlanks(start)
            guard place < text.endIndex, text.utf8[place] == UInt8(ascii: mark) else { return nil }
            return text.utf8.index(after: place)
        }
        var rest = text[...]
        while let found = rest.utf8.firstRange(of: name.utf8) {
            let isWhole =
                found.lowerBound == text.startIndex || isBlank(text.utf8[text.utf8.index(before: found.lowerBound)])
            if isWhole, let open = step(over: "(", found.upperBound), let close = step(over: ")", open) {
                return text[close...]
            }
            rest = rest[found.upperBound...]
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    /// Whether a word stands in a script of these services, or in a file of the overlay that such a script names.
    ///
    /// Comments do not count. The scripts of `local` are in `etc/local.d`. Each file is read once, however many name it.
    func someWord(of services: some Sequence<String>, _ matches: (String) -> Bool) -> Bool {
        var read: Set<String> = []
        for service in services {
            var paths = ["etc/init.d/\(service)", "etc/conf.d/\(service)"]
            if service == "local" { paths += contents.paths(below: "etc/local.d").filter { $0.hasSuffix(".start") } }
            for path in paths {
                let words = words(in: path)
                if words.contains(where: matches) { return true }
                for word in words where word.hasPrefix("/") {
                    guard read.insert(word).inserted else { continue }
                    if self.words(in: String(word.dropFirst())).contains(where: matches) { return true }
                }
            }
        }
        return false
    }

    private func words(in path: String) -> Set<String> {
        var found: Set<String> = []
        for line in contents.lines(path) ?? [] where !line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("#") {
            for word in line.utf8.split(whereSeparator: { !Self.isPartOfWord($0) }) {
                found.insert(String(Substring(word)))
            }
        }
        return found
    }

    private static func isPartOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "-")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
