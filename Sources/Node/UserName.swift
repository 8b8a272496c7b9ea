/// Login names as busybox `adduser` and `doas.conf` take them without quoting.
public enum UserName {
    /// The longest name that Linux's tools take.
    public static let maximumBytes = 32

    /// Users and groups of Alpine's `alpine-baselayout-data` and of the packages that every node has.
    ///
    /// A user gets a group of its own name, so that the groups are taken as well.
    public static let taken: Set<String> = [
        "abuild", "adm", "audio", "bin", "cdrom", "chrony", "cron", "daemon", "dialout", "disk", "floppy", "ftp",
        "games", "guest", "halt", "input", "kmem", "klogd", "kvm", "lp", "mail", "netdev", "news", "nobody",
        "nogroup", "ntp", "operator", "ping", "root", "shadow", "shutdown", "sshd", "sync", "sys", "tape", "tty",
        "users", "utmp", "uucp", "video", "wheel", "www-data",
    ]

    /// Says what keeps a text from being the name of a user that is made on the node.
    ///
    /// - Returns: A predicate such as "is empty", or `nil` where nothing is wrong.
    public static func problem(with text: String) -> String? {
        guard let first = text.utf8.first else { return "is empty" }
        guard text.utf8.count <= maximumBytes else {
            return "is \(text.utf8.count) bytes long (the most is \(maximumBytes))"
        }
        let underscore = UInt8(ascii: "_")
        let isPlain = text.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || $0 == underscore || $0 == UInt8(ascii: "-")
        }
        guard isPlain, (97...122).contains(first) || first == underscore else {
            return "holds a character other than a-z, 0-9, '_' and '-', or does not begin with a letter or '_'"
        }
        if text == "root" { return "is locked on every node" }
        if taken.contains(text) { return "is a user or group of Alpine itself" }
        return nil
    }
}

/// The hashes of `crypt(3)` that Alpine's login checks and that are worth having.
public enum PasswordHash {
    /// The longest hash that is taken, in bytes.
    public static let maximumBytes = 256

    /// Says what keeps a text from being a hash of `crypt(3)` in one of the formats `$6$`, `$5$`, `$y$` and `$2b$`.
    ///
    /// The answer never repeats any of the text.
    ///
    /// - Returns: A predicate such as "is empty", or `nil` where nothing is wrong.
    public static func problem(with text: String) -> String? {
        guard !text.isEmpty else { return "is empty" }
        guard text.utf8.count <= maximumBytes else { return "is longer than \(maximumBytes) bytes" }
        guard text.utf8.allSatisfy({ isHashByte($0) || $0 == dollar || $0 == UInt8(ascii: "=") }) else {
            return "holds characters that no hash of crypt(3) has"
        }
        let parts = text.utf8.split(separator: dollar, omittingEmptySubsequences: false).map(Array.init)
        guard parts.count >= 4, parts[0].isEmpty else {
            return "is no hash of crypt(3) in the format $6$, $5$, $y$ or $2b$"
        }
        func shape(rounds: Bool, digest: Int) -> String? {
            let fields = Array(parts.dropFirst(2))
            let hasRounds = fields.count == 3 && String(decoding: fields[0], as: UTF8.self).hasPrefix("rounds=")
            guard fields.count == 2 || (rounds && hasRounds), let salt = fields.dropLast().last, let last = fields.last
            else { return "does not have the fields of its format" }
            guard (1...16).contains(salt.count), salt.allSatisfy(isHashByte) else {
                return "has a salt that is empty or longer than 16 characters"
            }
            guard last.count == digest, last.allSatisfy(isHashByte) else {
                return "is cut off or damaged: the last field has \(last.count) characters and not \(digest)"
            }
            return nil
        }
        switch String(decoding: parts[1], as: UTF8.self) {
        case "6": return shape(rounds: true, digest: 86)
        case "5": return shape(rounds: true, digest: 43)
        case "y":
            guard parts.count == 5, !parts[2].isEmpty, !parts[3].isEmpty else {
                return "does not have the fields of its format"
            }
            guard parts[4].count == 43, parts[4].allSatisfy(isHashByte) else {
                return "is cut off or damaged: the last field has \(parts[4].count) characters and not 43"
            }
            return nil
        case "2b":
            guard parts.count == 4, parts[2].count == 2, parts[2].allSatisfy({ (48...57).contains($0) }) else {
                return "does not have the fields of its format"
            }
            guard parts[3].count == 53, parts[3].allSatisfy(isHashByte) else {
                return "is cut off or damaged: the last field has \(parts[3].count) characters and not 53"
            }
            return nil
        case "1": return "is an MD5 hash, which can be searched through in hours"
        default: return "is no hash of crypt(3) in the format $6$, $5$, $y$ or $2b$"
        }
    }

    private static func isHashByte(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (46...57).contains(byte)
    }
}

private let dollar = UInt8(ascii: "$")
