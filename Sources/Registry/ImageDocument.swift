internal import Artefact
internal import FoundationEssentials

/// Manifests and indexes as JSON: keys sorted, no blanks, so that the same value has one text and one digest.
enum ImageDocument {
    /// The largest manifest or index that is read or written, in bytes; registries take 4 MiB at most.
    static let maximumBytes = 4 << 20

    /// The one text of a value.
    static func encoded(_ value: some Encodable, named name: String) throws(RegistryError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value), data.count <= maximumBytes else {
            throw tooLarge(name)
        }
        return Array(data)
    }

    /// The error for what is too large to be written.
    static func tooLarge(_ name: String) -> RegistryError {
        RegistryError(
            .invalidDocument, subject: name,
            detail: "would be larger than \(maximumBytes) bytes, which no registry takes")
    }

    /// Reads a value.
    ///
    /// - Throws: ``RegistryError`` with ``RegistryError/Code/invalidDocument`` and the key that is wrong.
    static func decoded<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], named name: String
    ) throws(RegistryError) -> Value {
        func refuse(_ why: String) -> RegistryError { RegistryError(.invalidDocument, subject: name, detail: why) }
        guard bytes.count <= maximumBytes else { throw refuse("is larger than \(maximumBytes) bytes") }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
                (context.codingPath + [key].compactMap { $0 }).map { key in
                    key.intValue.map { "[\($0)]" } ?? String(key.stringValue.prefix(60))
                }.joined(separator: ".")
            }
            switch error {
            case .keyNotFound(let key, let context): throw refuse("lacks '\(path(context, key))'")
            case .typeMismatch(_, let context), .valueNotFound(_, let context):
                throw refuse("has a value of the wrong type at '\(path(context))'")
            case .dataCorrupted(let context) where !context.codingPath.isEmpty:
                throw refuse("'\(path(context))' does not fit: it \(context.debugDescription.prefix(80))")
            default: throw refuse("is no JSON that can be read, or has a number that does not fit")
            }
        } catch {
            throw refuse("is no JSON that can be read, or has a number that does not fit")
        }
    }
}
