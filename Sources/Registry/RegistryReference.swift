public import Artefact
internal import Transfer

/// A name in a registry: `REGISTRY[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]`, by the grammar of the OCI distribution
/// specification 1.1.
///
/// The first component is always the registry: nothing is guessed, and no registry is the default.
public struct RegistryReference: Hashable, Sendable, CustomStringConvertible {
    /// The host, in lower case, with its port where one is given.
    public let registry: String
    /// The repository, such as `team/edge`.
    public let repository: String
    /// The tag, where one is given.
    public let tag: String?
    /// The digest that what stands there must have, where one is given.
    public let digest: Digest?

    /// The longest registry and repository together, in bytes.
    static let maximumBytes = 255

    /// Reads a reference.
    ///
    /// - Parameter text: The text without a scheme.
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidReference``.
    public init(_ text: String) throws(RegistryError) {
        func refuse(_ why: String) -> RegistryError {
            RegistryError(.invalidReference, subject: String(reflecting: String(text.prefix(300))), detail: why)
        }
        guard !Self.holdsLogin(text) else {
            // What stands before the sign may be a password.
            let rest = text[(text.lastIndex(of: "@") ?? text.startIndex)...].prefix(300)
            throw RegistryError(
                .invalidReference, subject: String(reflecting: "…\(rest)"),
                detail: "logins do not belong into an address; use docker login or REGISTRY_AUTH_FILE")
        }
        let (name, tag, digest) = try Self.pinned(text)
        guard let slash = name.firstIndex(of: "/") else {
            throw refuse("names no repository; the form is REGISTRY[:PORT]/REPOSITORY[:TAG]")
        }
        let registry = name[..<slash].lowercased()
        let repository = String(name[name.index(after: slash)...])
        guard Self.isRegistry(registry) else {
            throw refuse("'\(registry.prefix(80))' is no host name with an optional port")
        }
        guard Self.isRepository(repository) else {
            throw refuse(
                "'\(repository.prefix(80))' is no repository: lower-case letters and digits, "
                    + "with single '.', '_', '__' "
                    + "or dashes between them and '/' between components")
        }
        guard registry.utf8.count + 1 + repository.utf8.count <= Self.maximumBytes else {
            throw refuse("is longer than \(Self.maximumBytes) bytes without its tag")
        }
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// Whether there is an `@` that does not stand between a repository and a digest, of whatever algorithm.
    private static func holdsLogin(_ text: String) -> Bool {
        guard let sign = text.firstIndex(of: "@") else { return false }
        let pin = text[text.index(after: sign)...]
        guard text[..<sign].contains("/"), !pin.contains("@"), !pin.contains("/"), let colon = pin.firstIndex(of: ":")
        else { return true }
        let algorithms = ["sha256", "sha384", "sha512", "sha1", "md5", "blake3"]
        return !algorithms.contains(pin[..<colon].lowercased())
    }

    /// Splits `NAME[:TAG][@sha256:DIGEST]`; a colon that a slash follows is no tag's.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidReference`` for a bad tag or digest.
    public static func pinned(
        _ text: String
    ) throws(RegistryError) -> (name: String, tag: String?, digest: Digest?) {
        func refuse(_ why: String) -> RegistryError {
            RegistryError(.invalidReference, subject: String(reflecting: String(text.prefix(300))), detail: why)
        }
        var rest = text[...]
        var digest: Digest?
        if let sign = rest.firstIndex(of: "@") {
            let pin = rest[rest.index(after: sign)...]
            guard pin.hasPrefix("sha256:"), pin == pin.lowercased(),
                let value = try? Digest(hex: String(pin.dropFirst(7)))
            else { throw refuse("has a digest that is not 'sha256:' and 64 lower-case hexadecimal digits") }
            digest = value
            rest = rest[..<sign]
        }
        guard let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") else {
            return (String(rest), nil, digest)
        }
        let tag = String(rest[rest.index(after: colon)...])
        guard isTag(tag) else {
            throw refuse(
                "has a tag that is not 1 to 128 letters, digits, '_', '.' and '-', the first of them no '.' or '-'")
        }
        return (String(rest[..<colon]), tag, digest)
    }

    /// The same repository with another tag.
    public func tagged(_ tag: String) throws(RegistryError) -> RegistryReference {
        try RegistryReference("\(registry)/\(repository):\(tag)")
    }

    /// Whether a text may be a tag.
    public static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first) || first == UInt8(ascii: "_") else { return false }
        return text.utf8.count <= 128 && text.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    /// Whether a text may be a repository.
    public static func isRepository(_ text: String) -> Bool {
        let components = text.split(separator: "/", omittingEmptySubsequences: false)
        return !text.isEmpty && components.allSatisfy { isComponent(Array($0.utf8)) }
    }

    private static func isComponent(_ bytes: [UInt8]) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool { isAlphanumeric(byte) && !(65...90).contains(byte) }
        guard let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last) else { return false }
        guard bytes.allSatisfy({ isPlain($0) || "._-".utf8.contains($0) }) else { return false }
        let separators = bytes.split(whereSeparator: isPlain).map { String(decoding: $0, as: UTF8.self) }
        return separators.allSatisfy { [".", "_", "__"].contains($0) || $0.allSatisfy { $0 == "-" } }
    }

    private static func isRegistry(_ text: String) -> Bool {
        var host = text[...]
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let inside = host[host.index(after: host.startIndex)..<end]
            guard inside.count >= 2, inside.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return false
            }
            let rest = host[host.index(after: end)...]
            return rest.isEmpty || rest.hasPrefix(":") && isPort(rest.dropFirst())
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            let bytes = Array(label.utf8)
            guard let first = bytes.first, let last = bytes.last else { return false }
            return bytes.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
                && bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (48...57).contains($0) } && (Int(text).map { (1...65535).contains($0) } ?? false)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    /// Whether the registry is this host itself, where nobody listens on the way.
    public var isLoopback: Bool {
        let host =
            registry.hasPrefix("[")
            ? String(registry.prefix { $0 != "]" }) + "]" : String(registry.prefix { $0 != ":" })
        return Transfer.isLoopback(host)
    }

    /// The reference as it is written.
    public var description: String {
        "\(registry)/\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@sha256:\($0)" } ?? "")
    }
}
