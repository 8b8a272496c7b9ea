/// The text of a recipe, known to be UTF-8 that a person can read and whose lines every editor counts alike.
struct SourceText {
    let text: String

    /// The largest recipe in bytes.
    static let maximumBytes = 2 << 20

    /// Takes the bytes of a file.
    ///
    /// - Throws: One ``ConfigurationFault`` with the place of the first byte that is to blame.
    init(_ bytes: [UInt8], file: String) throws(ConfigurationFault) {
        guard bytes.count <= Self.maximumBytes else {
            throw ConfigurationFault(
                file: file, position: .none, keyPath: "",
                problem: "is larger than \(Self.maximumBytes) bytes, which no recipe needs")
        }
        let content = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw ConfigurationFault(
                file: file, position: Self.placeOfBadBytes(in: content), keyPath: "",
                problem: "is not UTF-8 from here on", hint: "save the file as UTF-8")
        }
        var place = SourcePosition.start
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            guard !isAfterReturn || scalar == "\n" else { throw Self.loneReturn(before: place, file) }
            isAfterReturn = scalar == "\r"
            guard Self.isReadable(scalar) else {
                throw ConfigurationFault(
                    file: file, position: place, keyPath: "",
                    problem: "holds the character U+\(Self.hexadecimal(scalar.value)), which a recipe must not hold",
                    hint: "remove it")
            }
            if scalar == "\n" {
                place = SourcePosition(line: place.line + 1, column: 1)
            } else {
                place.column += 1
            }
        }
        guard !isAfterReturn else { throw Self.loneReturn(before: place, file) }
        self.text = text
    }

    /// A carriage return alone, which YAML and few editors count as the end of a line.
    private static func loneReturn(before place: SourcePosition, _ file: String) -> ConfigurationFault {
        ConfigurationFault(
            file: file, position: SourcePosition(line: place.line, column: place.column - 1), keyPath: "",
            problem: "holds a carriage return without a line feed, which only some tools count as the end of a line",
            hint: "end lines with a line feed")
    }

    /// YAML 1.2.2 §5.1 without the characters that only some tools count as line breaks.
    private static func isReadable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0a, 0x0d, 0x20...0x7e: true
        case 0x2028, 0x2029, 0xfeff: false
        case 0xa0...0xd7ff, 0xe000...0xfffd, 0x10000...0x10ffff: !(0xe000...0xf8ff).contains(scalar.value)
        default: false
        }
    }

    private static func placeOfBadBytes(in bytes: ArraySlice<UInt8>) -> SourcePosition {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var place = SourcePosition.start
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            if scalar == "\n" {
                place = SourcePosition(line: place.line + 1, column: 1)
            } else {
                place.column += 1
            }
        }
        return place
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
