/// Reads the text form of OpenPGP keys and signatures (RFC 4880 §6.2).
///
/// ```
/// -----BEGIN PGP SIGNATURE-----
/// Version: …                        header fields, any number
///                                   an empty line
/// iHUEABYIAB0WIQTHRC7L…             base64, at most 76 characters a line
/// =5ygH                             CRC-24 of the bytes, left out by some writers (RFC 9580 §6.1)
/// -----END PGP SIGNATURE-----
/// ```
///
/// Text outside blocks is skipped, and several blocks of one kind are joined, as GnuPG does both.
enum ASCIIArmor {
    /// What a block holds.
    enum Kind: String {
        case publicKey = "PUBLIC KEY BLOCK"
        case signature = "SIGNATURE"

        /// What messages call it.
        var noun: String { self == .publicKey ? "key" : "signature" }
        /// What it is when there is none.
        var missing: SignatureError.Code { self == .publicKey ? .noKey : .unsigned }
    }

    /// The largest file, in bytes.
    static let maximumBytes = 1 << 20
    /// The longest line, in bytes.
    static let maximumLine = 1024

    /// The packets in a file, whether it is armoured or not.
    ///
    /// - Throws: ``SignatureError`` with ``SignatureError/Code/malformedArmor`` and the line,
    ///   ``SignatureError/Code/noKey`` or ``SignatureError/Code/unsigned`` for a file without a block of the kind.
    static func packets(of bytes: [UInt8], _ kind: Kind, named: String) throws(SignatureError) -> [UInt8] {
        guard bytes.count <= maximumBytes else {
            throw SignatureError(
                kind.missing, subject: named, detail: "is larger than \(maximumBytes) bytes, as no \(kind.noun) is")
        }
        // RFC 4880 §4.2: bit 7 of a packet's first byte is always set; text has it clear.
        if let first = bytes.first, first & 0x80 != 0, isPacket(first, kind) { return bytes }
        return try decode(bytes, kind, named: named)
    }

    /// Whether a byte begins a packet of the kind: tag 2 for signatures, 6 for public keys.
    private static func isPacket(_ byte: UInt8, _ kind: Kind) -> Bool {
        let tag = byte & 0x40 != 0 ? byte & 0x3f : (byte >> 2) & 0xf
        return tag == (kind == .publicKey ? 6 : 2)
    }

    private static func decode(_ bytes: [UInt8], _ kind: Kind, named: String) throws(SignatureError) -> [UInt8] {
        var lines = Lines(bytes: bytes)
        var packets: [UInt8] = []
        var isFound = false
        while let line = lines.next() {
            guard line.elementsEqual("-----BEGIN PGP \(kind.rawValue)-----".utf8) else {
                if line.elementsEqual("-----BEGIN PGP PRIVATE KEY BLOCK-----".utf8) {
                    throw SignatureError(
                        kind.missing, subject: named, line: lines.number,
                        detail: "is a private key; give the public one (gpg --armor --export) and keep this one secret")
                }
                continue
            }
            isFound = true
            packets += try block(&lines, kind, named)
        }
        guard isFound else {
            let nature = FileNature.name(of: Array(bytes.prefix(FileNature.headBytes)))
            throw SignatureError(
                kind.missing, subject: named,
                detail: "holds no OpenPGP \(kind.noun)\(nature.map { " (the file looks like \($0))" } ?? "")")
        }
        return packets
    }

    /// Reads what follows the first line of a block, to its last.
    private static func block(
        _ lines: inout Lines, _ kind: Kind, _ named: String
    ) throws(SignatureError) -> [UInt8] {
        let start = lines.number
        func fault(_ what: String) -> SignatureError {
            SignatureError(
                .malformedArmor, subject: named, line: lines.number,
                detail: "\(what); take the \(kind.noun) from upstream again")
        }
        var isHeader = true
        var decoder = Base64Reader()
        var checksum: UInt32?
        while let line = lines.next() {
            guard line.count <= maximumLine else { throw fault("is longer than \(maximumLine) bytes") }
            if line.starts(with: "-----".utf8) {
                guard line.elementsEqual("-----END PGP \(kind.rawValue)-----".utf8) else {
                    throw fault("is not the last line of the block that began on line \(start)")
                }
                guard let result = decoder.finish(), !result.isEmpty else {
                    throw fault("ends a block whose base64 is incomplete")
                }
                guard checksum == nil || checksum == crc24(result) else {
                    throw fault("ends a block whose checksum (CRC-24) does not fit its bytes")
                }
                return result
            }
            if isHeader {
                if line.isEmpty {
                    isHeader = false
                    continue
                }
                guard line.contains(UInt8(ascii: ":")) else {
                    throw fault("is neither a header field nor the empty line before the \(kind.noun)")
                }
                continue
            }
            guard checksum == nil else { throw fault("follows the checksum of the block") }
            if line.first == UInt8(ascii: "=") {
                var sum = Base64Reader()
                guard sum.take(line.dropFirst()), let three = sum.finish(), three.count == 3 else {
                    throw fault("is no checksum")
                }
                checksum = three.reduce(0) { $0 << 8 | UInt32($1) }
                continue
            }
            guard decoder.take(line) else { throw fault("holds what is no base64") }
        }
        throw fault("is the end of the file, and the block that began on line \(start) is open")
    }

    /// RFC 4880 §6.1: CRC-24 with initial value B704CE and generator 1864CFB.
    static func crc24(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc: UInt32 = 0xb7_04ce
        for byte in bytes {
            crc ^= UInt32(byte) << 16
            for _ in 0..<8 {
                crc <<= 1
                if crc & 0x100_0000 != 0 { crc ^= 0x186_4cfb }
            }
        }
        return crc & 0xff_ffff
    }
}

/// Lines without the blanks, tabs and carriage returns at their ends.
private struct Lines {
    private var rest: ArraySlice<UInt8>
    /// The number of the line that was given last, from 1.
    private(set) var number = 0

    init(bytes: [UInt8]) { rest = bytes[...] }

    mutating func next() -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        var line = rest.prefix { $0 != 0x0a }
        rest = rest.dropFirst(line.count + 1)
        number += 1
        while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0d { line.removeLast() }
        return line
    }
}

/// Base64 (RFC 4648 §4) that comes in lines.
private struct Base64Reader {
    private var bytes: [UInt8] = []
    private var bits: UInt32 = 0
    private var digits = 0
    private var padding = 0

    /// Takes a line.
    ///
    /// - Returns: Whether it is base64.
    mutating func take(_ line: ArraySlice<UInt8>) -> Bool {
        for character in line {
            if character == UInt8(ascii: "=") {
                padding += 1
                guard digits + padding <= 4, digits >= 2 else { return false }
                continue
            }
            guard padding == 0, let value = Self.value(character) else { return false }
            bits = bits << 6 | UInt32(value)
            digits += 1
            guard digits == 4 else { continue }
            bytes += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8)]
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits = 0
            digits = 0
        }
        return true
    }

    /// All bytes, or `nil` where digits are missing or the last ones hold bits that belong nowhere.
    mutating func finish() -> [UInt8]? {
        switch (digits, padding) {
        case (0, 0): return bytes
        case (2, 2) where bits & 0xf == 0: return bytes + [UInt8(truncatingIfNeeded: bits >> 4)]
        case (3, 1) where bits & 0x3 == 0:
            return bytes + [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        default: return nil
        }
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 65...90: character - 65
        case 97...122: character - 71
        case 48...57: character + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
