/// A tar archive put together header by header, so that tests can make what no tar program writes.
public struct RawTar {
    /// The fields of one header, and the content after it.
    public struct Member: Sendable {
        public var name: [UInt8]
        public var content: [UInt8]
        public var type: UInt8
        public var mode: Int
        public var owner: Int
        public var group: Int
        public var ownerName: String
        public var groupName: String
        public var link: String
        public var modified: Int
        /// What the header says; the size of `content` where it is `nil`.
        public var size: Int?
        /// Replaces the twelve bytes of the size field.
        public var sizeField: [UInt8]?
        /// `ustar` and version, `ustar  ` and NUL for GNU tar, nothing for v7.
        public var magic: String
        /// The first part of the name in ustar.
        public var prefix: String

        public init(
            _ name: String, _ content: String = "", type: Character = "0", mode: Int = 0o644, owner: Int = 0,
            group: Int = 0, ownerName: String = "", groupName: String = "", link: String = "", modified: Int = 0,
            size: Int? = nil, sizeField: [UInt8]? = nil, magic: String = "ustar\u{0}00",
            prefix: String = ""
        ) {
            self.name = Array(name.utf8)
            self.content = Array(content.utf8)
            self.type = type.asciiValue ?? 0
            self.mode = mode
            self.owner = owner
            self.group = group
            self.ownerName = ownerName
            self.groupName = groupName
            self.link = link
            self.modified = modified
            self.size = size
            self.sizeField = sizeField
            self.magic = magic
            self.prefix = prefix
        }

        public static func directory(_ name: String, mode: Int = 0o755) -> Member {
            Member(name, type: "5", mode: mode)
        }

        public static func link(_ name: String, to target: String) -> Member {
            Member(name, type: "2", mode: 0o777, link: target)
        }

        /// Pax records for the next member.
        public static func records(_ records: (key: String, value: String)...) -> Member {
            Member("PaxHeaders/a", records.map { RawTar.record($0.key, $0.value) }.joined(), type: "x")
        }

        /// GNU's long form of the next member's name (type `L`) or target (type `K`).
        public static func long(_ text: String, type: Character = "L") -> Member {
            Member("././@LongLink", text + "\0", type: type)
        }

        /// The header, the content and its padding.
        public var bytes: [UInt8] {
            var block = [UInt8](repeating: 0, count: 512)
            func put(_ bytes: some Collection<UInt8>, _ offset: Int, _ width: Int) {
                for (index, byte) in bytes.prefix(width).enumerated() { block[offset + index] = byte }
            }
            func octal(_ value: Int, _ offset: Int, _ digits: Int) {
                let text = String(value, radix: 8)
                put((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8, offset, digits)
            }
            put(name, 0, 100)
            octal(mode, 100, 7)
            octal(owner, 108, 7)
            octal(group, 116, 7)
            octal(size ?? content.count, 124, 11)
            if let sizeField { put(sizeField, 124, 12) }
            octal(modified, 136, 11)
            block[156] = type
            put(link.utf8, 157, 100)
            put(magic.utf8, 257, 8)
            put(ownerName.utf8, 265, 32)
            put(groupName.utf8, 297, 32)
            put(prefix.utf8, 345, 155)
            for index in 148..<156 { block[index] = 0x20 }
            octal(block.reduce(0) { $0 + Int($1) }, 148, 6)
            block[154] = 0
            return block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        }
    }

    /// One pax record.
    public static func record(_ key: String, _ value: String) -> String {
        let body = " \(key)=\(value)\n"
        var length = body.utf8.count
        while String(length).utf8.count + body.utf8.count != length {
            length = String(length).utf8.count + body.utf8.count
        }
        return "\(length)\(body)"
    }

    /// The members one after the other, and two blocks of zeros where `ended`.
    public static func bytes(_ members: [Member], ended: Bool = true) -> [UInt8] {
        members.flatMap(\.bytes) + (ended ? [UInt8](repeating: 0, count: 1024) : [])
    }
}
