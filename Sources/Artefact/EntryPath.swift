/// A path inside an image: relative, normalised, and safe to write into any of the formats.
///
/// `etc/hostname` is one; `/etc`, `./etc`, `a//b`, `../x`, names with control characters or longer than 255 bytes are
/// not. The root of a tree is no `EntryPath`: nothing may replace it.
public struct EntryPath: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The path with `/` between its components and none at either end.
    public let string: String

    /// The longest component that ext4, Rock Ridge and tar all carry, in bytes.
    public static let maximumComponentBytes = 255

    /// The longest path in bytes; Linux refuses longer ones with a terminating NUL at 4096.
    public static let maximumBytes = 4095

    /// Checks and takes a path as it stands; it is never repaired silently.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/invalidPath``.
    public init(_ string: String) throws(ArtefactError) {
        func refuse(_ why: String) -> ArtefactError {
            ArtefactError(.invalidPath, subject: String(reflecting: string), detail: why)
        }
        guard !string.isEmpty else { throw refuse("a path inside an image must not be empty") }
        guard string.utf8.first != UInt8(ascii: "/") else {
            throw refuse("a path inside an image must not begin with '/'")
        }
        guard string.utf8.count <= Self.maximumBytes else {
            throw refuse("a path inside an image must not be longer than \(Self.maximumBytes) bytes")
        }
        for component in string.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard !component.isEmpty else { throw refuse("a path inside an image must not hold '//' or end with '/'") }
            guard component.count <= Self.maximumComponentBytes else {
                throw refuse("a name must not be longer than \(Self.maximumComponentBytes) bytes")
            }
            if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) {
                throw refuse("a path inside an image must not hold '.' or '..'")
            }
            guard component.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw refuse("a name must not hold control characters")
            }
        }
        self.string = string
    }

    private init(unchecked string: String) { self.string = string }

    /// The last component.
    public var name: String {
        guard let slash = string.utf8.lastIndex(of: UInt8(ascii: "/")) else { return string }
        return String(string[string.utf8.index(after: slash)...])
    }

    /// The directory that holds this entry, or `nil` where that is the root.
    public var parent: EntryPath? {
        guard let slash = string.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return EntryPath(unchecked: String(string[..<slash]))
    }

    /// The components from the root down; never empty.
    public var components: [String] { string.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) } }

    /// The entry `name` below this directory.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/invalidPath``.
    public func appending(_ name: String) throws(ArtefactError) -> EntryPath { try EntryPath("\(string)/\(name)") }

    /// Orders by bytes, component by component, so that a directory stands directly before what it holds and the order
    /// depends on no locale.
    public static func < (left: EntryPath, right: EntryPath) -> Bool {
        var a = left.string.utf8.makeIterator()
        var b = right.string.utf8.makeIterator()
        while true {
            switch (a.next(), b.next()) {
            case (nil, nil): return false
            case (nil, _): return true
            case (_, nil): return false
            case (let x?, let y?):
                if x == y { continue }
                if x == UInt8(ascii: "/") { return true }
                if y == UInt8(ascii: "/") { return false }
                return x < y
            }
        }
    }

    /// Compares by bytes, not by canonical equivalence: tar and ISO 9660 tell apart what Unicode calls equal.
    public static func == (left: EntryPath, right: EntryPath) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    /// Hashes the bytes that `==` compares.
    public func hash(into hasher: inout Hasher) {
        for byte in string.utf8 { hasher.combine(byte) }
    }

    /// The path itself.
    public var description: String { string }
}
