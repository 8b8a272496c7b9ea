import Testing

/// A replacement in the text of a sample manifest, and what the message must hold.
struct ManifestFault: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let reason: String
    var testDescription: String { reason }
}
