/// The permission bits of an entry, with set-id and sticky bits: `0o7777` and no file type.
public struct EntryMode: Hashable, Sendable, CustomStringConvertible {
    /// The twelve bits.
    public let bits: UInt16

    /// Keeps the low twelve bits of `bits`.
    public init(_ bits: UInt16) { self.bits = bits & 0o7777 }

    /// `0755`: a directory or a program.
    public static let directory = EntryMode(0o755)
    /// `0755`: a program or an init script.
    public static let executable = EntryMode(0o755)
    /// `0644`: a file anyone may read.
    public static let file = EntryMode(0o644)
    /// `0600`: a file that holds a secret.
    public static let secret = EntryMode(0o600)
    /// `0700`: a directory that holds secrets.
    public static let privateDirectory = EntryMode(0o700)
    /// `0777`: what every symbolic link has.
    public static let symlink = EntryMode(0o777)

    /// Whether set-uid, set-gid or the sticky bit is on.
    public var hasSpecialBits: Bool { bits & 0o7000 != 0 }

    /// Four octal digits, `0755`.
    public var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
