/// The units of sizes.
package enum SizeUnit: String, CaseIterable {
    case kibi = "KiB"
    case mebi = "MiB"
    case gibi = "GiB"
    case tebi = "TiB"

    /// How many bytes one is.
    var bytes: Int64 {
        switch self {
        case .kibi: 1 << 10
        case .mebi: 1 << 20
        case .gibi: 1 << 30
        case .tebi: 1 << 40
        }
    }

    /// The most digits that a number before it has, so that no size is beyond 64 bits.
    var maximumDigits: Int {
        switch self {
        case .kibi: 15
        case .mebi: 12
        case .gibi: 9
        case .tebi: 6
        }
    }

    /// The number of bytes that a text of ``TextForm/byteCount`` means; `nil` where that is larger than any disk.
    package static func byteCount(_ text: String) -> Int64? {
        guard let unit = SizeUnit(rawValue: String(text.suffix(3))) else { return nil }
        let digits = text.dropLast(3)
        return digits.utf8.count <= unit.maximumDigits ? Int64(digits).map { $0 * unit.bytes } : nil
    }
}

extension TextPattern {
    /// Sizes of at least so many bytes, and none that is larger than any disk.
    static func size(atLeast least: Int64) -> TextPattern {
        .either(
            SizeUnit.allCases.map { unit in
                let low = max(1, (least - 1) / unit.bytes + 1)
                return .sequence([number(from: low, maximumDigits: unit.maximumDigits), .literal(unit.rawValue)])
            })
    }

    /// Decimal numbers from `low` on, without zeros before them.
    private static func number(from low: Int64, maximumDigits: Int) -> TextPattern {
        let digits = Array(String(low))
        var choices = [TextPattern.literal(String(low))]
        for (index, digit) in digits.enumerated() {
            guard let value = digit.wholeNumberValue, value < 9 else { continue }
            choices.append(
                .sequence([
                    .literal(String(digits[..<index])), .characters(ASCIISet(stringLiteral: "\(value + 1)-9"), 1...1),
                    any(digits.count - index - 1),
                ]))
        }
        if digits.count < maximumDigits {
            choices.append(
                .sequence([
                    .characters("1-9", 1...1), .characters("0-9", digits.count...(maximumDigits - 1)),
                ]))
        }
        return .either(choices)
    }

    private static func any(_ count: Int) -> TextPattern {
        count == 0 ? .literal("") : .characters("0-9", count...count)
    }
}
