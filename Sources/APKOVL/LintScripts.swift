internal import Archive

/// What the services of an overlay run and need, as far as its own scripts tell.
struct ServiceScripts {
    private let contents: OverlayContents
    /// The services linked into any runlevel.
    let started: Set<String>

    /// Reads the runlevels.
    init(_ contents: OverlayContents) {
        self.contents = contents
        let parts = contents.entries.keys.map { $0.split(separator: "/") }
        started = Set(
            parts.filter { $0.count == 4 && $0[0] == "etc" && $0[1] == "runlevels" }.map { String($0[3]) })
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
        guard let name = text.firstRange(of: /(^|\s)depend\s*\(\s*\)/) else { return [] }
        var found: [String] = []
        for command in text[name.upperBound...].split(whereSeparator: { $0 == "\n" || $0 == ";" || $0 == "&" }) {
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

    /// The words of a service's script and of the overlay's files that it names, without comments.
    ///
    /// Those of `local` are in `etc/local.d`.
    func words(of service: String) -> Set<String> {
        let own = words(in: "etc/init.d/\(service)").union(words(in: "etc/conf.d/\(service)"))
        var found = own
        for word in own where word.hasPrefix("/") { found.formUnion(words(in: String(word.dropFirst()))) }
        if service == "local" {
            for path in contents.paths(below: "etc/local.d") where path.hasSuffix(".start") {
                found.formUnion(words(in: path))
            }
        }
        return found
    }

    private func words(in path: String) -> Set<String> {
        var found: Set<String> = []
        for line in contents.lines(path) ?? [] where !line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("#") {
            for word in line.split(whereSeparator: { !Self.isPartOfWord($0) }) { found.insert(String(word)) }
        }
        return found
    }

    private static func isPartOfWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "/_.-".contains(character))
    }
}
