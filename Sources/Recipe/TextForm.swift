internal import Node

/// A kind of text that a key takes: how it looks, what it is called and what to say of one that does not fit.
struct TextForm: Sendable {
    /// What it is called, with its article: "a host name".
    let noun: String
    /// How it looks.
    let pattern: TextPattern
    /// The most characters, for the forms whose pattern does not say it.
    var maximum: Int? = nil
    /// What to write instead, where no better hint is known.
    var hint = ""
    /// Whether messages may repeat a text that does not fit.
    var isShown = true
    /// What keeps a text that does not fit from fitting: a predicate, and a hint where there is one.
    var explain: @Sendable (String) -> (problem: String, hint: String)? = { _ in nil }

    /// Whether a text is of this form.
    func accepts(_ text: String) -> Bool {
        if let maximum, text.unicodeScalars.count > maximum { return false }
        return pattern.matches(text)
    }
}

private let letterOrDigit: ASCIISet = "a-z0-9"

/// A label of a host name, RFC 1123 §2.1.
private let label = TextPattern.sequence([
    .characters(letterOrDigit, 1...1),
    .repeated(.sequence([.characters("a-z0-9-", 0...61), .characters(letterOrDigit, 1...1)]), 0...1),
])

/// A part of a release number, without zeros before it.
private let number = TextPattern.either([
    .literal("0"), .sequence([.characters("1-9", 1...1), .characters("0-9", 0...5)]),
])
/// A release number without the zeros that its parts begin with; `nil` where there are none.
private func withoutLeadingZeros(_ text: String) -> String? {
    let start = text.hasPrefix("v") ? "v" : ""
    let halves = text.dropFirst(start.count).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
    let isNumeric = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
    guard parts.count == 3, isNumeric else { return nil }
    let shorter = parts.map { part in
        let digits = part.drop { $0 == "0" }
        return digits.isEmpty ? "0" : String(digits)
    }
    let rest = halves.count > 1 ? "-\(halves[1])" : ""
    let whole = start + shorter.joined(separator: ".") + rest
    return whole == text ? nil : whole
}

private let any = TextPattern.unbounded

extension TextForm {
    static let name = TextForm(
        noun: "a name of artefacts", pattern: label, hint: "use at most 63 of a-z, 0-9 and '-'",
        explain: { HostName.problem(with: $0).map { ($0, "") } })

    static let nodeName = TextForm(
        noun: "a name of a node", pattern: label, hint: "use at most 63 of a-z, 0-9 and '-', such as edge-001",
        explain: { HostName.problem(with: $0).map { ($0, "") } })

    /// IEEE 802 in the form that Linux prints, of a single card: the lowest bit of the first byte is 0.
    static let macAddress = TextForm(
        noun: "a hardware address",
        pattern: .sequence([
            .characters("0-9a-fA-F", 1...1), .characters("02468aceACE", 1...1),
            .repeated(.sequence([.literal(":"), .characters("0-9a-fA-F", 2...2)]), 5...5),
        ]), hint: "write six pairs of hexadecimal digits with colons, such as 52:54:00:12:34:56",
        explain: { text in
            let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
            let isWhole = pairs.count == 6 && pairs.allSatisfy { $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) }
            return isWhole
                ? ("is the address of a group of cards", "write that of the card, as 'ip link' shows it") : nil
        })

    /// RFC 9562 §4.
    static let uuid = TextForm(
        noun: "a UUID",
        pattern: .sequence([
            .characters("0-9a-fA-F", 8...8),
            .repeated(.sequence([.literal("-"), .characters("0-9a-fA-F", 4...4)]), 3...3), .literal("-"),
            .characters("0-9a-fA-F", 12...12),
        ]), hint: "write what 'dmidecode -s system-uuid' prints")

    static let hostName = TextForm(
        noun: "a host name", pattern: .sequence([label, .repeated(.sequence([.literal("."), label]), 0...any)]),
        maximum: HostName.maximumBytes, hint: "use a-z, 0-9 and '-' (RFC 1123), such as edge-001",
        explain: { HostName.problem(with: $0).map { ($0, "") } })

    static let domainName = TextForm(
        noun: "a domain name", pattern: .sequence([label, .repeated(.sequence([.literal("."), label]), 0...any)]),
        maximum: DomainName.maximumBytes, hint: "such as example.org",
        explain: { DomainName.problem(with: $0).map { ($0, "") } })

    static let alpineRelease = TextForm(
        noun: "an Alpine release",
        pattern: .either([
            .sequence([number, .literal("."), number, .repeated(.sequence([.literal("."), number]), 0...1)]),
            .literal("latest-stable"),
        ]), hint: "write one such as \(Recipe.defaultAlpineVersion), a branch such as '3.23', or latest-stable",
        explain: { text in
            if let shorter = withoutLeadingZeros(text) {
                return ("has a number that begins with 0", "write \(shorter)")
            }
            if text == "edge" { return ("has no releases", "write one such as \(Recipe.defaultAlpineVersion)") }
            guard text.hasPrefix("v") else { return nil }
            return ("begins with a 'v', which Alpine's releases do not", "write '\(text.dropFirst())'")
        })

    static let kubeSoloVersion = TextForm(
        noun: "a KubeSolo release",
        pattern: .either([
            .sequence([
                .literal("v"), number, .literal("."), number, .literal("."), number,
                .repeated(.sequence([.literal("-"), .characters("A-Za-z0-9.-", 1...any)]), 0...1),
            ]), .literal("latest"),
        ]), maximum: 64, hint: "write one such as \(Recipe.defaultKubeSoloVersion), or latest",
        explain: { text in
            if let shorter = withoutLeadingZeros(text) {
                return ("has a number that begins with 0", "write \(shorter)")
            }
            guard KubeSoloVersion("v" + text) != nil else { return nil }
            return ("lacks the 'v' of KubeSolo's releases", "write v\(text)")
        })

    static let sha256 = TextForm(
        noun: "a SHA-256 digest", pattern: .characters("0-9a-fA-F", 64...64),
        hint: "write the 64 hexadecimal digits that sha256sum prints",
        explain: { text in
            if text.hasPrefix("sha256:") { return ("has a prefix", "write the 64 digits alone") }
            let count = text.utf8.count
            guard count != 64 else { return ("holds something other than 0-9 and a-f", "") }
            return ("has \(count) characters", "write the 64 hexadecimal digits that sha256sum prints")
        })

    static let interfaceName = TextForm(
        noun: "an interface name",
        pattern: .sequence([.characters("A-Za-z0-9_", 1...1), .characters("A-Za-z0-9_.-", 0...14)]),
        hint: "such as eth0", explain: { InterfaceName.problem(with: $0).map { ($0, "") } })

    static let address = TextForm(
        noun: "an IP address", pattern: .characters("0-9A-Fa-f:.", 1...45), hint: "such as 192.0.2.1 or 2001:db8::1",
        explain: {
            $0.contains("/") ? ("has a prefix length, which has no place here", "write the address alone") : nil
        })

    static let interfaceAddress = TextForm(
        noun: "an address with the length of its prefix",
        pattern: .sequence([.characters("0-9A-Fa-f:.", 1...45), .literal("/"), .characters("0-9", 1...3)]),
        hint: "such as 192.0.2.10/24",
        explain: { text in
            guard IPAddress(text) != nil else { return nil }
            return (
                "lacks the length of its prefix", "write \(text)/\(text.contains(":") ? 64 : 24) if that is the net"
            )
        })

    static let userName = TextForm(
        noun: "a user name", pattern: .sequence([.characters("a-z_", 1...1), .characters("a-z0-9_-", 0...31)]),
        hint: "use at most 32 of a-z, 0-9, '_' and '-'", explain: { UserName.problem(with: $0).map { ($0, "") } })

    static let key = TextForm(
        noun: "a public key", pattern: .printable(1...any), maximum: SSHPublicKey.maximumBytes,
        hint: "give the line of a .pub file", isShown: false,
        explain: { text in
            do throws(SSHKeyProblem) {
                _ = try SSHPublicKey(parsing: text)
                return nil
            } catch {
                return (error.detail, error.hint)
            }
        })

    static let signingKey = TextForm(
        noun: "a public key of minisign",
        pattern: .either([
            .sequence([.literal("RW"), .characters("A-Za-z0-9+/", 54...54)]),
            .sequence([.literal("file:"), .printable(1...any)]),
        ]),
        maximum: 4096, hint: "write the 56 characters in NAME.pub of ksbuild keygen --signing, or file:PATH",
        isShown: false)

    static let hostKeys = TextForm(
        noun: "a source of host keys",
        pattern: .either([
            .literal("persistent"), .literal("fresh"), .sequence([.literal("file:"), .printable(1...any)]),
        ]),
        maximum: 4096, hint: "write persistent, fresh or file:PATH", isShown: false)

    static let secretReference = TextForm(
        noun: "a reference",
        pattern: .sequence([.either([.literal("file:"), .literal("env:")]), .printable(1...any)]),
        maximum: 4096, hint: "write file:PATH or env:NAME; a secret does not belong into a recipe", isShown: false)

    static let fileReference = TextForm(
        noun: "a reference to a file", pattern: .sequence([.literal("file:"), .printable(1...any)]),
        maximum: 4096, hint: "write file:PATH, relative to the recipe")

    static let label16 = TextForm(
        noun: "a file system label",
        pattern: .sequence([.characters("A-Za-z0-9", 1...1), .characters("A-Za-z0-9_.-", 0...15)]),
        hint: "use at most 16 of A-Z, a-z, 0-9, '_', '.' and '-'",
        explain: { $0.utf8.count > 16 ? ("is \($0.utf8.count) bytes long (ext4 holds 16)", "shorten it") : nil })

    static let serial = TextForm(
        noun: "a disk's serial number", pattern: .characters("A-Za-z0-9_.:+-", 1...64),
        hint: "write what /sys/block/DISK/serial or lsblk -o SERIAL shows")

    static let diskLink = TextForm(
        noun: "a link below /dev/disk/by-id or /dev/disk/by-path",
        pattern: .sequence([
            .either([.literal("/dev/disk/by-id/"), .literal("/dev/disk/by-path/")]),
            .characters("A-Za-z0-9_.:+@-", 1...255),
        ]),
        explain: { text in
            let hint = "use serial, size or a link below /dev/disk/by-id"
            guard text.hasPrefix("/dev/") else { return ("is no device", hint) }
            return ("is a position, and which disk has it changes with the media attached", hint)
        })

    static let mountPoint = TextForm(
        noun: "a mount point",
        pattern: .repeated(
            .sequence([
                .literal("/"), .characters("A-Za-z0-9_", 1...1), .characters("A-Za-z0-9_.-", 0...any),
            ]), 1...any),
        maximum: 255, hint: "write an absolute path without '.' and '..', such as /var/lib/kubesolo")

    static let package = TextForm(
        noun: "a package name",
        pattern: .sequence([.characters("A-Za-z0-9_", 1...1), .characters("A-Za-z0-9_.+-", 0...127)]),
        hint: "such as nftables",
        explain: { text in
            if text.contains(where: { "=<>~@".contains($0) }) {
                return (
                    "is pinned, and apk drops a pin that the medium does not satisfy without a word",
                    "write the name alone; the Alpine release decides on the version"
                )
            }
            guard text.hasPrefix("!") else { return nil }
            return ("forbids a package", "write the names of packages to add")
        })

    static let repository = TextForm(
        noun: "a package repository",
        pattern: .either([
            .sequence([
                .either([.literal("https://"), .literal("http://")]), .characters("A-Za-z0-9_.:%~/+-", 1...any),
            ]),
            .repeated(.sequence([.literal("/"), .characters("A-Za-z0-9_.+-", 1...any)]), 1...any),
        ]), maximum: 1024, hint: "write a URL (https://…) or an absolute path on the node",
        explain: { text in
            text.contains("@") ? ("has a login, which everybody who has the overlay could read", "leave it out") : nil
        })

    static let path = TextForm(noun: "a path", pattern: .printable(1...any), maximum: 4095)

    static let console = TextForm(
        noun: "a console",
        pattern: .either([
            .sequence([.literal("tty"), .characters("0-9", 1...2)]),
            .sequence([.literal("ttyS"), .characters("0-9", 1...2)]),
            .sequence([.either([.literal("ttyAMA"), .literal("hvc")]), .characters("0-9", 1...1)]),
        ]), hint: "such as tty0, ttyS0, ttyAMA0 or hvc0",
        explain: { text in
            if text.hasPrefix("/dev/") { return ("is a path", "write \(text.dropFirst(5))") }
            return text.contains(",") ? ("has a speed, which has no place here", "write the device alone") : nil
        })

    static let kernelParameter = TextForm(
        noun: "a word for the kernel", pattern: .characters("!#-~", 1...any), maximum: 256,
        hint: "write one word, without blanks and quotes")

    static let instanceID = TextForm(
        noun: "an instance-id",
        pattern: .sequence([.characters("A-Za-z0-9", 1...1), .characters("A-Za-z0-9_.-", 0...127)]),
        hint: "write content, or a text of at most 128 of A-Z, a-z, 0-9, '_', '.' and '-'")

    static let networkName = TextForm(
        noun: "the name of a libvirt network",
        pattern: .sequence([.characters("A-Za-z0-9", 1...1), .characters("A-Za-z0-9_.-", 0...63)]),
        hint: "such as default")

    static let byteCount = TextForm(
        noun: "a size",
        pattern: .sequence([
            .characters("1-9", 1...1), .characters("0-9", 0...18),
            .either([.literal("KiB"), .literal("MiB"), .literal("GiB"), .literal("TiB")]),
        ]), hint: "write a whole number and KiB, MiB, GiB or TiB, such as 8GiB",
        explain: { text in
            let plain = String(text.filter { !$0.isWhitespace })
            let digits = plain.prefix { $0.isASCII && $0.isNumber }
            let unit = plain.dropFirst(digits.count)
            let meant = ["k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB"][unit.prefix(1).lowercased()]
            let number = digits.drop { $0 == "0" }
            guard let meant, !number.isEmpty, ["", "b", "ib"].contains(unit.dropFirst().lowercased()) else {
                return nil
            }
            let hint = "write \(number)\(meant)"
            if unit.count < 3 { return ("has a unit that means two things", hint) }
            if unit != meant { return ("has its unit in other letters", hint) }
            if plain != text { return ("holds a blank or a line break", hint) }
            return number == digits ? nil : ("begins with 0", hint)
        })
}
