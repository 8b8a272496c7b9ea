/// Writes tar and gzip by hand, so that each byte can be wrong on purpose.
enum SmallArchive {
    /// A member of a tar.
    struct Member {
        var name: String
        var bytes: [UInt8] = []
        var type = UInt8(ascii: "0")
        var link = ""

        static func file(_ name: String, _ bytes: [UInt8]) -> Member { Member(name: name, bytes: bytes) }
        static func file(_ name: String, _ text: String) -> Member { Member(name: name, bytes: Array(text.utf8)) }
        static func directory(_ name: String) -> Member { Member(name: name, type: UInt8(ascii: "5")) }
    }

    /// A ustar archive, with or without the two blocks that end it.
    static func tar(_ members: [Member], isEnded: Bool = true) -> [UInt8] {
        var archive: [UInt8] = []
        for member in members {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, at offset: Int) {
                for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
            }
            func octal(_ value: Int, _ width: Int) -> String {
                let digits = String(value, radix: 8)
                return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
            }
            put(member.name, at: 0)
            put(octal(0o755, 7), at: 100)
            put(octal(0, 7), at: 108)
            put(octal(0, 7), at: 116)
            put(octal(member.bytes.count, 11), at: 124)
            put(octal(0, 11), at: 136)
            put("        ", at: 148)
            header[156] = member.type
            put(member.link, at: 157)
            put("ustar", at: 257)
            put("00", at: 263)
            put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
            header[154] = 0
            archive += header + member.bytes
            archive += [UInt8](repeating: 0, count: (512 - member.bytes.count % 512) % 512)
        }
        return isEnded ? archive + [UInt8](repeating: 0, count: 1024) : archive
    }

    /// One gzip stream of stored blocks.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            stream.append(rest.isEmpty ? 1 : 0)
            stream += [UInt8(count & 0xff), UInt8(count >> 8), UInt8(~count & 0xff), UInt8(~count >> 8)]
            stream += block
        } while !rest.isEmpty
        for value in [checksum(bytes), UInt32(truncatingIfNeeded: bytes.count)] {
            for shift in [UInt32(0), 8, 16, 24] { stream.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        return stream
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xedb8_8320 : sum >> 1 }
        }
        return ~sum
    }

    /// An index of format 2.
    static func index(_ text: String, signature: String? = ".SIGN.RSA.builder@lab-1.rsa.pub") -> [UInt8] {
        let body = gzip(tar([.file("DESCRIPTION", "3.23.6"), .file("APKINDEX", text)]))
        guard let signature else { return body }
        return gzip(tar([.file(signature, [UInt8](repeating: 7, count: 256))], isEnded: false)) + body
    }
}
