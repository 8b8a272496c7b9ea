/// A decimal number as digits and a power of ten, so that two ways to write one compare as equal and no digit is lost.
struct DecimalText: Hashable {
    private let isNegative: Bool
    /// The digits without zeros at either end; empty for zero.
    private let digits: [UInt8]
    /// The power of ten of the last digit.
    private let exponent: Int

    /// Takes `[-+]?[0-9]*(.[0-9]*)?([eE][-+]?[0-9]+)?`; `nil` for anything else and for exponents beyond a million.
    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        var digits = Array(rest.prefix(while: isDigit))
        rest = rest.dropFirst(digits.count)
        var exponent = 0
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            digits += fraction
            exponent = -fraction.count
            rest = rest.dropFirst(1 + fraction.count)
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            guard let power = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), abs(power) <= 1_000_000 else {
                return nil
            }
            exponent += power
            rest = []
        }
        guard rest.isEmpty, !digits.isEmpty else { return nil }
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        self.digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        self.exponent = self.digits.isEmpty ? 0 : exponent
    }
}
