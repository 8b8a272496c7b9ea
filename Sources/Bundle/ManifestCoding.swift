internal import Artefact
internal import FoundationEssentials

/// Manifests as JSON: keys sorted, two spaces of indentation as `JSONEncoder` writes them, one newline at the end.
extension Manifest {
    /// The one text of this manifest.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidManifest`` where it does not fit in ``maximumBytes``.
    public func encoded() throws(BundleError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Wire(self)), data.count < Self.maximumBytes else {
            throw BundleError(
                .invalidManifest, subject: Self.fileName, detail: "is larger than \(Self.maximumBytes) bytes")
        }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    /// The bytes of a manifest up to which a message names the key that does not belong.
    static let maximumSearchedBytes = 1 << 20

    /// Takes the bytes of a manifest and accepts nothing but the one text that ``encoded()`` gives.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: What messages call it.
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidManifest`` and the reason.
    public init(decoding bytes: [UInt8], named name: String = Manifest.fileName) throws(BundleError) {
        func refuse(_ why: String) -> BundleError { BundleError(.invalidManifest, subject: name, detail: why) }
        guard bytes.count <= Self.maximumBytes else { throw refuse("is larger than \(Self.maximumBytes) bytes") }
        let data = Data(bytes)
        let decoder = JSONDecoder()
        let wire: Wire
        do {
            let schema = try decoder.decode(Wire.Schema.self, from: data).schema
            guard schema == Self.schema else {
                throw refuse("follows '\(schema.prefix(60))', but this ksbuild reads '\(Self.schema)' only")
            }
            wire = try decoder.decode(Wire.self, from: data)
        } catch let error as BundleError {
            throw error
        } catch {
            throw refuse(Self.reason(error))
        }
        do {
            try self.init(wire)
        } catch let error as BundleError {
            throw refuse(error.detail)
        } catch {
            throw refuse("\(error)")
        }
        // Both are sorted by now, and in another order keys would seem not to belong.
        let names = [
            ("nodes", (wire.nodes ?? []).map(\.name), nodes.map(\.name)),
            (
                "artefacts", wire.artefacts.map { Artefact.path(of: $0.file, node: $0.node) }, artefacts.map(\.path)
            ),
        ]
        for (key, written, sorted) in names {
            guard let (name, right) = zip(written, sorted).first(where: { $0 != $1 }) else { continue }
            throw refuse("has '\(key)' out of order: '\(name.prefix(60))' stands where '\(right.prefix(60))' belongs")
        }
        let canonical = try encoded()
        guard canonical == bytes else {
            // Which key it is would cost seconds to say of a large document.
            if bytes.count <= Self.maximumSearchedBytes, let shape = try? decoder.decode(JSONShape.self, from: data),
                let own = try? decoder.decode(JSONShape.self, from: Data(canonical)),
                let key = shape.firstKey(missingIn: own)
            {
                throw refuse("has a key that is unknown or stands twice: '\(key)'")
            }
            throw refuse("is not in canonical form (order, spacing, a key that is unknown or stands twice)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        func path(_ keys: [any CodingKey]) -> String {
            let text = keys.reduce(into: "") { text, key in
                if let index = key.intValue {
                    text += "[\(index)]"
                } else {
                    text += (text.isEmpty ? "" : ".") + key.stringValue
                }
            }
            return text.isEmpty ? "the document" : "'\(text)'"
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "lacks \(path(context.codingPath + [key]))"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            return "\(path(context.codingPath)) has a value of the wrong type"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(path(context.codingPath)) has a value that does not fit"
        default:
            return "is no JSON, or has a number that does not fit"
        }
    }

    private init(_ wire: Wire) throws {
        let artefacts = try wire.artefacts.map { item in
            guard let role = Role(rawValue: item.role) else {
                throw BundleError(
                    .invalidManifest, subject: Self.fileName, detail: "has an artefact of unknown role '\(item.role)'")
            }
            guard item.mode.utf8.count == 4, let bits = UInt16(item.mode, radix: 8) else {
                throw BundleError(
                    .invalidManifest, subject: Self.fileName, detail: "has a mode that is not four octal digits")
            }
            return Artefact(
                role: role, node: item.node, file: item.file, size: item.size, sha256: try Digest(hex: item.sha256),
                mode: EntryMode(bits))
        }
        try self.init(
            BundleDescription(
                name: wire.name, version: try Version(wire.version), epoch: wire.epoch,
                architecture: wire.architecture, hostname: wire.hostname,
                datastore: .init(kubesolo: wire.datastore.kubesolo, format: wire.datastore.format),
                alpine: .init(release: wire.alpine.release, flavor: wire.alpine.flavor),
                kubesolo: .init(version: wire.kubesolo.version, variant: wire.kubesolo.variant),
                inputs: try wire.inputs.map { item in
                    guard let trust = BundleDescription.Input.Trust(rawValue: item.trust) else {
                        throw BundleError(
                            .invalidManifest, subject: Self.fileName,
                            detail: "has an input of unknown trust '\(item.trust)'")
                    }
                    return .init(name: item.name, sha256: try Digest(hex: item.sha256), trust: trust)
                }, recipe: try Digest(hex: wire.recipe),
                nodes: (wire.nodes ?? []).map {
                    BundleNode(name: $0.name, hostname: $0.hostname, hardwareAddress: $0.mac, uuid: $0.uuid)
                }), artefacts: artefacts,
            media: try (wire.media ?? []).map { item in try item.recipe })
        guard secrets == wire.secrets else {
            throw BundleError(
                .invalidManifest, subject: Self.fileName, detail: "'secrets' disagrees with the modes of the artefacts")
        }
    }
}

/// The manifest as JSON has it.
private struct Wire: Codable {
    struct Schema: Decodable { let schema: String }
    struct Datastore: Codable { let kubesolo: String, format: String }
    struct Alpine: Codable { let release: String, flavor: String }
    struct KubeSolo: Codable { let version: String, variant: String }
    struct Artefact: Codable {
        let role: String, node: String?, file: String, size: UInt64, sha256: String, mode: String
    }
    struct Node: Codable { let name: String, hostname: String, mac: String?, uuid: String? }
    struct Input: Codable { let name: String, sha256: String, trust: String }

    let schema: String
    let name: String
    let version: String
    let epoch: Int64
    let architecture: String
    let hostname: String?
    let secrets: Bool
    let datastore: Datastore
    let alpine: Alpine
    let kubesolo: KubeSolo
    let artefacts: [Artefact]
    let inputs: [Input]
    let recipe: String
    let media: [WireMedium]?
    let nodes: [Node]?

    init(_ manifest: Manifest) {
        let description = manifest.description
        schema = Manifest.schema
        name = description.name
        version = description.version.description
        epoch = description.epoch
        architecture = description.architecture
        hostname = description.hostname
        secrets = manifest.secrets
        datastore = Datastore(kubesolo: description.datastore.kubesolo, format: description.datastore.format)
        alpine = Alpine(release: description.alpine.release, flavor: description.alpine.flavor)
        kubesolo = KubeSolo(version: description.kubesolo.version, variant: description.kubesolo.variant)
        artefacts = manifest.artefacts.map {
            Artefact(
                role: $0.role.rawValue, node: $0.node, file: $0.file, size: $0.size, sha256: $0.sha256.hex,
                mode: $0.mode.description)
        }
        inputs = description.inputs.map { Input(name: $0.name, sha256: $0.sha256.hex, trust: $0.trust.rawValue) }
        recipe = description.recipe.hex
        media = manifest.media.isEmpty ? nil : manifest.media.map { WireMedium($0) }
        nodes =
            description.nodes.isEmpty
            ? nil
            : description.nodes.map {
                Node(name: $0.name, hostname: $0.hostname, mac: $0.hardwareAddress, uuid: $0.uuid)
            }
    }
}

/// The keys of a JSON document without its values, to say which one does not belong.
private indirect enum JSONShape: Decodable {
    case keys([String: JSONShape])
    case list([JSONShape])
    case leaf

    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: Key.self) {
            var shapes: [String: JSONShape] = [:]
            for key in keyed.allKeys { shapes[key.stringValue] = try keyed.decode(JSONShape.self, forKey: key) }
            self = .keys(shapes)
        } else if var list = try? decoder.unkeyedContainer() {
            var shapes: [JSONShape] = []
            while !list.isAtEnd { shapes.append(try list.decode(JSONShape.self)) }
            self = .list(shapes)
        } else {
            self = .leaf
        }
    }

    func firstKey(missingIn other: JSONShape) -> String? {
        switch (self, other) {
        case (.keys(let mine), .keys(let theirs)):
            for (key, shape) in mine.sorted(by: { $0.key < $1.key }) {
                guard let match = theirs[key] else { return String(key.prefix(60)) }
                if let below = shape.firstKey(missingIn: match) { return "\(key).\(below)" }
            }
            return nil
        case (.list(let mine), .list(let theirs)):
            for (shape, match) in zip(mine, theirs) {
                if let below = shape.firstKey(missingIn: match) { return below }
            }
            return nil
        default: return nil
        }
    }
}
