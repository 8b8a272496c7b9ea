internal import Artefact
internal import FoundationEssentials

/// An image index, a list of manifests: OCI image specification 1.1, `image-index.md`.
///
/// It is also `index.json` of a layout, and what stands under the tag of a subject where a registry has no list of
/// referrers. Others write into the same list: what they put there is kept with the bytes that it has, and may be
/// anything as long as nobody asks for it.
public struct ImageIndex: Hashable, Sendable {
    /// The media type of the document.
    public static let mediaType = "application/vnd.oci.image.index.v1+json"
    /// The most manifests that are read.
    public static let maximumManifests = 65_536

    /// One of the list.
    private struct Entry: Hashable, Sendable {
        /// What it says, where that can be understood: other digests than SHA-256, for one, cannot.
        let descriptor: Descriptor?
        /// The tag, which is looked for in what cannot be understood as well.
        let tag: String?
        /// The bytes that it came with; one that is put in here has none yet.
        let text: [UInt8]?
    }

    private var entries: [Entry] = []
    /// Keys that mean nothing here, with their quotes, and their values.
    private var others: [[UInt8]: [UInt8]] = [:]

    /// An index of these manifests.
    public init(_ manifests: [Descriptor] = []) { entries = manifests.map(Self.entry) }

    /// The manifests that can be understood, in their order.
    public var manifests: [Descriptor] { entries.compactMap(\.descriptor) }

    /// Whether nothing is listed, by whomever.
    public var isEmpty: Bool { entries.isEmpty }

    /// The tags of a layout's index, those of entries that cannot be understood included.
    var tags: Set<String> { Set(entries.compactMap(\.tag)) }

    /// The manifest that has a tag in a layout's index; of several the last.
    ///
    /// - Parameters:
    ///   - tag: The tag.
    ///   - name: What messages call the index.
    /// - Returns: The manifest, or `nil` where nothing has the tag.
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument`` where it cannot be understood.
    func manifest(tagged tag: String, named name: String) throws(RegistryError) -> Descriptor? {
        guard let entry = entries.last(where: { $0.tag == tag }) else { return nil }
        guard entry.descriptor == nil, let text = entry.text else { return entry.descriptor }
        return try ImageDocument.decoded(Descriptor.self, text, named: "\(name): the entry of tag '\(tag)'")
    }

    /// Puts a manifest in place of whatever has its tag.
    ///
    /// - Returns: Whether that changes anything.
    mutating func retag(_ manifest: Descriptor) -> Bool {
        let entry = Self.entry(manifest)
        guard entries.last(where: { $0.tag == entry.tag })?.descriptor != manifest else { return false }
        entries.removeAll { $0.tag == entry.tag }
        entries.append(entry)
        return true
    }

    /// Puts a manifest in unless it is there.
    ///
    /// - Returns: Whether it is new.
    public mutating func insert(_ manifest: Descriptor) -> Bool {
        guard !entries.contains(where: { $0.descriptor?.digest == manifest.digest }) else { return false }
        entries.append(Self.entry(manifest))
        return true
    }

    private static func entry(_ manifest: Descriptor) -> Entry {
        Entry(descriptor: manifest, tag: manifest.annotations[Descriptor.referenceName], text: nil)
    }

    /// The text of this index.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument`` where it is too large.
    public func encoded() throws(RegistryError) -> [UInt8] {
        var list: [[UInt8]] = []
        for entry in entries {
            if let text = entry.text {
                list.append(text)
            } else if let manifest = entry.descriptor {
                list.append(try ImageDocument.encoded(manifest, named: "index"))
            }
        }
        var members = others
        members[Array("\"schemaVersion\"".utf8)] = Array("2".utf8)
        members[Array("\"mediaType\"".utf8)] = Array("\"\(Self.mediaType)\"".utf8)
        members[Array("\"manifests\"".utf8)] = Array("[".utf8) + list.joined(separator: ",".utf8) + Array("]".utf8)
        let sorted = members.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let bytes =
            Array("{".utf8) + sorted.map { $0.key + Array(":".utf8) + $0.value }.joined(separator: ",".utf8)
            + Array("}".utf8)
        guard bytes.count <= ImageDocument.maximumBytes else { throw ImageDocument.tooLarge("index") }
        return bytes
    }

    /// Reads an index; what means nothing here is kept.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument``.
    public init(decoding bytes: [UInt8], named name: String) throws(RegistryError) {
        func refuse(_ why: String) -> RegistryError { RegistryError(.invalidDocument, subject: name, detail: why) }
        let head = try ImageDocument.decoded(Head.self, bytes, named: name)
        guard head.schemaVersion == 2, [nil, Self.mediaType].contains(head.mediaType) else {
            throw refuse("is no OCI image index")
        }
        guard let members = JSONPieces.members(of: bytes) else { throw refuse("is no JSON object in UTF-8") }
        var list: [[UInt8]] = []
        var keys: Set<String> = []
        for (key, value) in members {
            guard let word = try? JSONDecoder().decode(String.self, from: Data(key)), keys.insert(word).inserted else {
                throw refuse("has a key twice, and one of them would be lost")
            }
            switch word {
            case "manifests": list = JSONPieces.elements(of: value) ?? []
            case "schemaVersion", "mediaType": break
            default: others[key] = value
            }
        }
        guard list.count == head.manifests.count else { throw refuse("has a list of manifests that cannot be read") }
        guard list.count <= Self.maximumManifests else {
            throw refuse("lists more than \(Self.maximumManifests) manifests")
        }
        entries = list.map { text in
            let descriptor = try? JSONDecoder().decode(Descriptor.self, from: Data(text))
            let tag: String?
            if let descriptor {
                tag = descriptor.annotations[Descriptor.referenceName]
            } else if case .text(let word)? = (try? JSONDecoder().decode(Tagged.self, from: Data(text)))?
                .annotations?[Descriptor.referenceName]
            {
                tag = word
            } else {
                tag = nil
            }
            return Entry(descriptor: descriptor, tag: tag, text: text)
        }
    }

    private struct Head: Decodable {
        /// One of the list, whatever it is.
        struct Anything: Decodable { init(from _: any Decoder) {} }
        let schemaVersion: Int?
        let mediaType: String?
        let manifests: [Anything]
    }

    private struct Tagged: Decodable { let annotations: [String: JSONValue]? }
}
