public import Artefact
public import Node

/// What a mirror says of the newest images of a branch: `vX.Y/releases/ARCH/latest-releases.yaml`.
///
/// The file is a list of tables, one for each image. The fields `branch arch version flavor file iso size sha256 sha512`
/// are read and each of them has to fit the others; further fields are not looked at. Images of other flavours (netboot,
/// Raspberry Pi, minirootfs), for other processors, and release candidates are left out.
///
/// The list is integrity, not trust: whoever can replace an image on a mirror can replace this file too.
public struct AlpineReleaseList: Hashable, Sendable {
    /// One image.
    public struct Entry: Hashable, Sendable {
        /// The flavour.
        public let flavor: AlpineRelease.Flavor
        /// The processor.
        public let architecture: Architecture
        /// The release.
        public let version: AlpineVersion
        /// The size in bytes.
        public let size: UInt64
        /// The SHA-256 digest that the mirror names.
        public let sha256: Digest
        /// The SHA-512 digest that the mirror names, 128 lower-case digits, where it names one.
        public let sha512: String?
        /// The line that the entry begins on, from 1.
        public let line: Int

        /// The release as recipes have it, without a pin.
        public var release: AlpineRelease { AlpineRelease(version: version.description, flavor: flavor) }

        /// Where the image lies on a mirror.
        public var input: UpstreamInput { .alpineImage(release, architecture) }
    }

    /// The name of the file on mirrors.
    public static let fileName = "latest-releases.yaml"
    /// The largest list that is read, in bytes.
    public static let maximumBytes = 1 << 20
    /// The most images that a list may hold, those that are left out included.
    public static let maximumEntries = 256
    /// The largest image, in bytes.
    public static let maximumImageBytes: UInt64 = 4 << 30

    /// What the list was read from, for messages.
    public let source: String
    /// The images in the order of the list.
    public let entries: [Entry]

    /// Reads a list.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - named: What to call it in messages.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/malformed`` and the place, or
    ///   ``UpstreamError/Code/tooComplex`` for a file that no mirror has.
    public init(bytes: [UInt8], named: String) throws(UpstreamError) {
        let limits = PlainYAML.Limits(bytes: Self.maximumBytes, depth: 4, values: 64 * Self.maximumEntries)
        let document = try PlainYAML(bytes: bytes, named: named, limits: limits)
        guard case .list(let items) = document.value else {
            throw UpstreamError(
                .malformed, subject: named, line: document.line, column: document.column,
                detail:
                    "is \(document.value.noun) where a list of releases is expected; take it from a mirror of Alpine")
        }
        guard items.count <= Self.maximumEntries else {
            throw UpstreamError(
                .tooComplex, subject: named, detail: "lists \(items.count) images (the most is \(Self.maximumEntries))")
        }
        var entries: [Entry] = []
        for item in items {
            guard let entry = try ReleaseReader(item, source: named).entry() else { continue }
            if let first = entries.first(where: { $0.flavor == entry.flavor && $0.architecture == entry.architecture })
            {
                throw UpstreamError(
                    .malformed, subject: named, line: entry.line,
                    detail: "lists alpine-\(entry.flavor.rawValue) for \(entry.architecture.alpineName) again "
                        + "(first on line \(first.line))")
            }
            entries.append(entry)
        }
        source = named
        self.entries = entries
    }

    /// The image of a flavour for a processor.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/notListed``, which says what is listed.
    public func entry(
        _ flavor: AlpineRelease.Flavor, _ architecture: Architecture
    ) throws(UpstreamError) -> Entry {
        if let entry = entries.first(where: { $0.flavor == flavor && $0.architecture == architecture }) { return entry }
        let held = entries.map { $0.release.imageName($0.architecture) }.joined(separator: ", ")
        throw UpstreamError(
            .notListed, subject: source,
            detail: "lists no release of alpine-\(flavor.rawValue) for \(architecture.alpineName) "
                + "(it lists \(held.isEmpty ? "no image that boots diskless" : held)); take the list of that branch and "
                + "processor")
    }
}

/// Reads one table of the list.
private struct ReleaseReader {
    private let source: String
    private let item: PlainYAML
    private let fields: [String: PlainYAML]

    init(_ item: PlainYAML, source: String) throws(UpstreamError) {
        guard case .table(let fields) = item.value else {
            throw UpstreamError(
                .malformed, subject: source, line: item.line, column: item.column,
                detail: "is \(item.value.noun) where an image is expected")
        }
        self.source = source
        self.item = item
        self.fields = fields
    }

    /// The image, or `nil` for one that no node boots from.
    func entry() throws(UpstreamError) -> AlpineReleaseList.Entry? {
        guard let word = try text("flavor").prefixed("alpine-"), let flavor = AlpineRelease.Flavor(rawValue: word),
            let architecture = Architecture(rawValue: try text("arch"))
        else { return nil }
        let versionText = try text("version")
        guard let version = AlpineVersion(versionText) else {
            guard versionText.contains("_") || !versionText.contains(".") else {
                throw fault("version", "is no release: \(shown(versionText))")
            }
            return nil
        }
        let branch = try text("branch")
        guard branch == version.branch.description else {
            throw fault("branch", "is \(shown(branch)) and the version is \(version), of \(version.branch)")
        }
        let release = AlpineRelease(version: version.description, flavor: flavor)
        let name = release.imageName(architecture)
        for key in ["file", "iso"] where key == "file" || fields[key] != nil {
            let file = try text(key)
            guard file == name else {
                throw fault(key, "is \(shown(file)) where flavour, version and processor give \(name)")
            }
        }
        let sizeText = try text("size")
        guard (1...12).contains(sizeText.utf8.count), sizeText.utf8.allSatisfy({ (48...57).contains($0) }),
            let size = UInt64(sizeText), (1...AlpineReleaseList.maximumImageBytes).contains(size)
        else {
            throw fault(
                "size", "is \(shown(sizeText)), which no image has (1 to \(AlpineReleaseList.maximumImageBytes))")
        }
        let digits = try hexadecimal("sha256", digits: 64)
        guard let sha256 = try? Digest(hex: digits) else {
            throw fault("sha256", "is no SHA-256 digest")
        }
        let sha512 = fields["sha512"] == nil ? nil : try hexadecimal("sha512", digits: 128)
        return AlpineReleaseList.Entry(
            flavor: flavor, architecture: architecture, version: version, size: size, sha256: sha256, sha512: sha512,
            line: item.line)
    }

    private func text(_ key: String) throws(UpstreamError) -> String {
        guard let field = fields[key] else {
            throw UpstreamError(
                .malformed, subject: source, line: item.line, column: item.column,
                detail: "has no '\(key)'; take the list from a mirror of Alpine")
        }
        guard case .text(let text) = field.value else { throw fault(key, "is \(field.value.noun)") }
        return text
    }

    private func hexadecimal(_ key: String, digits: Int) throws(UpstreamError) -> String {
        let text = try text(key).lowercased()
        let isPlain = text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard isPlain, text.utf8.count == digits else {
            throw fault(key, "is no \(key == "sha256" ? "SHA-256" : "SHA-512") digest (\(digits) hexadecimal digits)")
        }
        return text
    }

    private func fault(_ key: String, _ what: String) -> UpstreamError {
        let place = fields[key] ?? item
        return UpstreamError(
            .malformed, subject: source, line: place.line, column: place.column, detail: "\(key) \(what)")
    }

    /// A text as messages show it: quoted, cut where it is long.
    private func shown(_ text: String) -> String { "'\(text.prefix(60))\(text.count > 60 ? "…" : "")'" }
}

extension String {
    /// What follows a prefix; `nil` where the text has another beginning.
    fileprivate func prefixed(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
