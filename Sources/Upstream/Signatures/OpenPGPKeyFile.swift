internal import Crypto

/// A file of public OpenPGP keys of version 4 (RFC 4880 §11.1), as far as the choice of one needs it.
///
/// Which key is whose follows from the fingerprint, which is computed here. When a key expires is read from its newest
/// self-signature, which is not verified here but by the program that checks the file's signature: a forged one could make
/// a good key look expired, and no expired key look good to `gpgv`, which judges anew.
struct OpenPGPKeyFile {
    /// One primary key with what belongs to it.
    struct Key {
        let fingerprint: OpenPGPFingerprint
        /// When it was made, in seconds since 1970.
        let created: Int64
        /// Where it and what belongs to it begin and end.
        var range: Range<Int>
        /// When its newest self-signature was made.
        fileprivate var judged: Int64 = -1
        /// When it expires, in seconds since 1970, by that self-signature.
        var expires: Int64?
    }

    private let bytes: [UInt8]
    /// The keys in the order of the file.
    let keys: [Key]

    /// The most packets that are looked at.
    static let maximumPackets = 100_000

    /// Reads packets that are out of their armour.
    ///
    /// - Throws: ``SignatureError`` with ``SignatureError/Code/noKey``.
    init(packets bytes: [UInt8], named: String) throws(SignatureError) {
        func fault(_ what: String) -> SignatureError {
            SignatureError(.noKey, subject: named, detail: "\(what); take the key from upstream again")
        }
        var keys: [Key] = []
        var isPrimary = false
        var offset = 0
        var count = 0
        while offset < bytes.count {
            count += 1
            guard let packet = Packet(bytes, at: offset), count <= Self.maximumPackets else {
                throw fault("holds a damaged OpenPGP packet at byte \(offset)")
            }
            switch packet.tag {
            case 6:
                guard let key = Self.key(bytes[packet.body], from: offset) else {
                    throw fault("holds a key that is not of version 4")
                }
                keys.append(key)
                isPrimary = true
            case 14: isPrimary = false
            case 2 where isPrimary && !keys.isEmpty: Self.judge(&keys[keys.count - 1], by: bytes[packet.body])
            default: break
            }
            offset = packet.body.upperBound
            if !keys.isEmpty { keys[keys.count - 1].range = keys[keys.count - 1].range.lowerBound..<offset }
        }
        guard !keys.isEmpty else { throw fault("holds no OpenPGP key") }
        self.bytes = bytes
        self.keys = keys
    }

    /// The packets of one key.
    func packets(of key: Key) -> [UInt8] { Array(bytes[key.range]) }

    /// RFC 4880 §5.5.2 and §12.2: version, time, algorithm; SHA-1 over 0x99, the length and the body.
    private static func key(_ body: ArraySlice<UInt8>, from offset: Int) -> Key? {
        guard body.first == 4, body.count > 6, body.count <= 0xffff else { return nil }
        var hasher = Insecure.SHA1()
        hasher.update(data: [0x99, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + Array(body))
        let digits = hasher.finalize().map { byte in
            String(byte >> 4, radix: 16) + String(byte & 0xf, radix: 16)
        }
        guard let fingerprint = OpenPGPFingerprint(digits.joined()) else { return nil }
        return Key(
            fingerprint: fingerprint, created: number(body.dropFirst().prefix(4)), range: offset..<body.endIndex)
    }

    /// Takes the time of expiry from a self-signature (RFC 4880 §5.2.3) that is newer than those before.
    private static func judge(_ key: inout Key, by body: ArraySlice<UInt8>) {
        let header = Array(body.prefix(6))
        // Certifications of a user ID and signatures directly on the key.
        guard header.count == 6, header[0] == 4, (0x10...0x13).contains(header[1]) || header[1] == 0x1f else { return }
        let hashedCount = Int(header[4]) << 8 | Int(header[5])
        let rest = body.dropFirst(6)
        guard rest.count >= hashedCount + 2 else { return }
        let hashed = subpackets(rest.prefix(hashedCount))
        let afterHashed = rest.dropFirst(hashedCount)
        let unhashed = subpackets(afterHashed.dropFirst(2).prefix(Int(number(afterHashed.prefix(2)))))
        let keyID = key.fingerprint.description.suffix(16)
        let isOwn = (hashed + unhashed).contains { kind, value in
            guard kind == 16, value.count == 8 else { return false }
            let digits = value.map { String($0 >> 4, radix: 16) + String($0 & 0xf, radix: 16) }
            return digits.joined().uppercased() == keyID
        }
        guard isOwn, let made = hashed.first(where: { $0.kind == 2 && $0.value.count == 4 }).map({ number($0.value) }),
            made >= key.judged
        else { return }
        let lifetime = hashed.first { $0.kind == 9 && $0.value.count == 4 }.map { number($0.value) } ?? 0
        let expires = lifetime == 0 ? nil : key.created + lifetime
        // Of two that are equally new, the one that lets the key live longer.
        if made == key.judged {
            key.expires = key.expires.flatMap { old in expires.map { max(old, $0) } }
        } else {
            key.expires = expires
        }
        key.judged = made
    }

    /// RFC 4880 §5.2.3.1; what cannot be read ends the list.
    private static func subpackets(_ area: ArraySlice<UInt8>) -> [(kind: UInt8, value: ArraySlice<UInt8>)] {
        var result: [(kind: UInt8, value: ArraySlice<UInt8>)] = []
        var rest = area
        while let first = rest.first {
            let size = first < 192 ? 1 : first < 255 ? 2 : 5
            guard rest.count >= size else { break }
            let field = Array(rest.prefix(size))
            let length =
                switch size {
                case 1: Int(first)
                case 2: (Int(first) - 192) << 8 + Int(field[1]) + 192
                default: Int(number(field[1...]))
                }
            rest = rest.dropFirst(size)
            guard length >= 1, rest.count >= length, let kind = rest.first else { break }
            result.append((kind & 0x7f, rest.dropFirst().prefix(length - 1)))
            rest = rest.dropFirst(length)
        }
        return result
    }

    /// A number of at most four bytes, the most significant first.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        bytes.prefix(4).reduce(0) { $0 << 8 | Int64($1) }
    }
}

/// The frame of a packet (RFC 4880 §4.2); partial and indeterminate lengths, which keys do not have, are refused.
private struct Packet {
    let tag: UInt8
    let body: Range<Int>

    init?(_ bytes: [UInt8], at offset: Int) {
        guard offset < bytes.count, bytes[offset] & 0x80 != 0 else { return nil }
        let first = bytes[offset]
        let rest = bytes[(offset + 1)...]
        let header: Int
        let length: Int
        func number(_ count: Int, from start: Int) -> Int? {
            let digits = rest.dropFirst(start).prefix(count)
            return digits.count == count ? digits.reduce(0) { $0 << 8 | Int($1) } : nil
        }
        if first & 0x40 != 0 {
            tag = first & 0x3f
            guard let start = rest.first else { return nil }
            switch start {
            case 0..<192: (header, length) = (2, Int(start))
            case 192..<224:
                guard let low = number(1, from: 1) else { return nil }
                (header, length) = (3, (Int(start) - 192) << 8 + low + 192)
            case 255:
                guard let long = number(4, from: 1) else { return nil }
                (header, length) = (6, long)
            default: return nil
            }
        } else {
            tag = (first >> 2) & 0xf
            guard first & 3 < 3 else { return nil }
            let width = 1 << Int(first & 3)
            guard let value = number(width, from: 0) else { return nil }
            (header, length) = (1 + width, value)
        }
        guard bytes.count - offset >= header, bytes.count - offset - header >= length else { return nil }
        body = (offset + header)..<(offset + header + length)
    }
}
