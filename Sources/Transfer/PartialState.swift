internal import Artefact
internal import SystemPackage

/// What is known of the file that a partial file is the beginning of, `PARTIAL.state`: lines of text.
///
/// ```
/// ksbuild/partial/v1
/// address SHA256          of the address, which may hold secrets
/// etag "TAG"              or: modified DATE
/// total BYTES             or: total unknown
/// end SHA256              of the lines above
/// ```
///
/// It is on the disk before any byte that it tells of. What is not exactly of this form counts as nothing.
struct PartialState: Hashable, Sendable {
    static let maximumBytes = 4096
    private static let schema = "ksbuild/partial/v1"

    let address: Digest
    let validator: Validator
    let total: UInt64?

    var text: String {
        let total = total.map(String.init) ?? "unknown"
        let kind = validator.isEntityTag ? "etag" : "modified"
        let body = "\(Self.schema)\naddress \(address)\n\(kind) \(validator.text)\ntotal \(total)\n"
        return body + "end \(Digest(of: body.utf8))\n"
    }

    init(address: Digest, validator: Validator, total: UInt64?) {
        self.address = address
        self.validator = validator
        self.total = total
    }

    /// Reads a state; `nil` where there is none that can be believed.
    init?(_ path: FilePath) {
        guard let bytes = try? HostFile.read(path, limit: Self.maximumBytes),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 6 else { return nil }
        func value(_ line: Int, _ key: String) -> String? {
            lines[line].hasPrefix("\(key) ") ? String(lines[line].dropFirst(key.count + 1)) : nil
        }
        guard let address = value(1, "address").flatMap({ try? Digest(hex: $0) }), let total = value(3, "total"),
            let validator = value(2, "etag").flatMap(Validator.init(entityTag:))
                ?? value(2, "modified").flatMap(Validator.init(date:))
        else { return nil }
        self.init(address: address, validator: validator, total: UInt64(total))
        guard self.text == text else { return nil }
    }
}
