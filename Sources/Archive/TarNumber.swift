/// The numbers in a tar header: octal digits, or GNU's base-256 for what those cannot hold.
enum TarNumber {
    /// Reads a field.
    ///
    /// Octal digits may have spaces before them and end at a space or NUL; an empty field is 0. With the high bit of the
    /// first byte set, the rest is a big-endian two's complement number.
    ///
    /// - Returns: `nil` for anything else and for what an `Int64` does not hold.
    static func read(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 { return readBase256(field) }
        var rest = field.drop { $0 == UInt8(ascii: " ") }
        var value: Int64 = 0
        while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) {
            guard value >> 60 == 0 else { return nil }
            value = value << 3 | Int64(byte - UInt8(ascii: "0"))
            rest.removeFirst()
        }
        guard rest.isEmpty || rest.first == 0 || rest.first == UInt8(ascii: " ") else { return nil }
        return value
    }

    private static func readBase256(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return nil }
        let isNegative = first & 0x40 != 0
        let fill: UInt8 = isNegative ? 0xff : 0
        let bytes = [isNegative ? first : first & 0x3f] + field.dropFirst()
        let spare = max(0, bytes.count - 8)
        guard bytes.prefix(spare).allSatisfy({ $0 == fill }) else { return nil }
        let value = bytes.dropFirst(spare).reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) }
        let number = Int64(bitPattern: value)
        return (number < 0) == isNegative ? number : nil
    }

    /// Writes a field: octal with a NUL at its end where the digits suffice, else base-256, which GNU tar, libarchive and
    /// busybox all read, whereas busybox ignores pax records of numbers.
    static func write(_ value: Int64, into block: inout [UInt8], at offset: Int, width: Int) {
        let digits = width - 1
        if value >= 0, digits * 3 >= 63 || value >> (digits * 3) == 0 {
            var rest = value
            for index in stride(from: offset + digits - 1, through: offset, by: -1) {
                block[index] = UInt8(ascii: "0") + UInt8(rest & 7)
                rest >>= 3
            }
            block[offset + digits] = 0
            return
        }
        var rest = value
        for index in stride(from: offset + width - 1, through: offset, by: -1) {
            block[index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
        block[offset] |= 0x80
    }
}
