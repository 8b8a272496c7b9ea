internal import Artefact
internal import FoundationEssentials

/// The SSH host key that a node offers.
struct HostKey: Hashable, Sendable {
    /// The algorithm, `ssh-ed25519`.
    let type: String
    /// The key in base64.
    let base64: String

    /// The fingerprint as `ssh-keygen -l` writes it: `SHA256:` and the digest in base64 without padding.
    var fingerprint: String? {
        guard let blob = Data(base64Encoded: base64) else { return nil }
        let hex = Array(Digest(of: blob).hex.utf8)
        let digest = stride(from: 0, to: hex.count, by: 2).compactMap { index in
            UInt8(String(decoding: hex[index..<(index + 2)], as: UTF8.self), radix: 16)
        }
        let text = Data(digest).base64EncodedString()
        return "SHA256:" + text.prefix { $0 != "=" }
    }

    /// Reads the keys in the output of `ssh-keyscan`: `[HOST]:PORT TYPE BASE64`, one a line, comments with `#`.
    static func keys(inScan text: String) -> [HostKey] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 3, !line.hasPrefix("#") else { return nil }
            return HostKey(type: String(words[1]), base64: String(words[2]))
        }
    }

    /// The short name of a type, which `-t` of ssh-keyscan takes.
    static func scanName(_ type: String) -> String {
        type.hasPrefix("ssh-") ? String(type.dropFirst(4)) : type.hasPrefix("ecdsa-") ? "ecdsa" : type
    }
}
