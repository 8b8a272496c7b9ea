/// Reads the lines of `APKINDEX`: `LETTER:VALUE`, an empty line after each package.
struct IndexParser {
    private let source: String
    private var packages: [PackageIndex.Package] = []
    private var fields: [UInt8: String] = [:]
    private var firstLine = 0

    private init(source: String) { self.source = source }

    static func packages(_ text: [UInt8], named: String) throws(UpstreamError) -> [PackageIndex.Package] {
        var parser = IndexParser(source: named)
        guard text.count <= PackageIndex.maximumBytes else {
            throw parser.fault(1, "is larger than \(PackageIndex.maximumBytes) bytes")
        }
        var number = 0
        var rest = text[...]
        while !rest.isEmpty {
            number += 1
            let line = rest.prefix { $0 != 0x0a }
            guard line.count <= PackageIndex.maximumLineBytes else {
                throw parser.fault(number, "is longer than \(PackageIndex.maximumLineBytes) bytes")
            }
            rest = rest.dropFirst(line.count + 1)
            if line.isEmpty { try parser.endPackage() } else { try parser.take(line, number) }
        }
        try parser.endPackage()
        guard !parser.packages.isEmpty else {
            throw UpstreamError(.malformed, subject: named, detail: "lists no package")
        }
        return parser.packages
    }

    private mutating func take(_ line: ArraySlice<UInt8>, _ number: Int) throws(UpstreamError) {
        let letter = line[line.startIndex]
        let isLetter = (0x41...0x5a).contains(letter) || (0x61...0x7a).contains(letter)
        guard isLetter, line.count >= 2, line[line.startIndex + 1] == UInt8(ascii: ":") else {
            throw fault(number, "expected LETTER:VALUE")
        }
        guard let value = String(validating: line.dropFirst(2), as: UTF8.self), !value.utf8.contains(0) else {
            throw fault(number, column: 3, "has a value that is not UTF-8 text")
        }
        if fields.isEmpty { firstLine = number }
        guard fields.updateValue(value, forKey: letter) == nil else {
            throw fault(number, "gives '\(Character(UnicodeScalar(letter))):' twice for one package")
        }
        for required in [UInt8(ascii: "P"), UInt8(ascii: "V")] where letter == required {
            guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") })
            else {
                throw fault(number, column: 3, "expected a name without blanks or '/'")
            }
        }
        for size in [UInt8(ascii: "S"), UInt8(ascii: "I")] where letter == size && UInt64(value) == nil {
            throw fault(number, column: 3, "expected a size in bytes")
        }
    }

    private mutating func endPackage() throws(UpstreamError) {
        guard !fields.isEmpty else { return }
        guard let name = field("P") else { throw fault(firstLine, "begins a package without a name (P:)") }
        guard let version = field("V") else {
            throw fault(firstLine, "begins package \(name), which has no version (V:)")
        }
        guard packages.count < PackageIndex.maximumPackages else {
            throw fault(firstLine, "more than \(PackageIndex.maximumPackages) packages")
        }
        packages.append(
            PackageIndex.Package(
                name: name, version: version, architecture: field("A") ?? "", identity: field("C") ?? "",
                size: field("S").flatMap { UInt64($0) } ?? 0, installedSize: field("I").flatMap { UInt64($0) } ?? 0,
                summary: field("T") ?? "", license: field("L") ?? "", origin: field("o") ?? "",
                providerPriority: field("k").flatMap { Int($0) } ?? 0, dependencies: words("D"),
                provides: words("p").map { Self.provision($0) }, installIf: words("i"),
                isUnderstood: !fields.keys.contains { Self.isUnknown($0) }, line: firstLine))
        fields = [:]
    }

    private func field(_ letter: Unicode.Scalar) -> String? { fields[UInt8(ascii: letter)] }

    private func words(_ letter: Unicode.Scalar) -> [String] {
        (field(letter) ?? "").utf8.split(separator: 0x20).map { String(Substring($0)) }
    }

    /// Whether a field is one that apk must know to install the package and does not.
    private static func isUnknown(_ letter: UInt8) -> Bool {
        (0x41...0x5a).contains(letter) && !"PVTULADCSIFMRZ".utf8.contains(letter)
    }

    /// `NAME` or `NAME=VERSION`.
    private static func provision(_ word: String) -> PackageIndex.Provision {
        guard let sign = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            return PackageIndex.Provision(name: word, version: nil)
        }
        return PackageIndex.Provision(
            name: String(word[..<sign]),
            version: PackageVersion(asWritten: String(word[word.utf8.index(after: sign)...])))
    }

    private func fault(_ line: Int, column: Int = 1, _ detail: String) -> UpstreamError {
        UpstreamError(.malformed, subject: source, line: line, column: column, detail: detail)
    }
}
