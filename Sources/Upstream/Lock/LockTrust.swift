/// How a locked input was found to be the one that is meant, when it was locked.
public enum LockTrust: Hashable, Sendable, CustomStringConvertible {
    /// The recipe or the command line pinned its digest.
    case pin
    /// The holder of an OpenPGP key signed it.
    case signature(OpenPGPFingerprint)
    /// A package index lists it that was signed with the key of that name, `alpine-devel@lists.alpinelinux.org-….rsa.pub`.
    case index(key: String)
    /// GitHub's interface names its digest.
    case githubDigest
    /// A checksum file from the same place lists it: the transfer was whole, which says nothing of who made it.
    case checksumFile
    /// Nothing said what it should be; from now on it has to stay the same.
    case firstUse

    /// Reads what ``description`` gives.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        switch text {
        case "pin": self = .pin
        case "github digest": self = .githubDigest
        case "checksum file": self = .checksumFile
        case "first use": self = .firstUse
        default:
            if text.hasPrefix("signature "), let fingerprint = OpenPGPFingerprint(String(text.dropFirst(10))) {
                self = .signature(fingerprint)
            } else if text.hasPrefix("index ") {
                self = .index(key: String(text.dropFirst(6)))
            } else {
                return nil
            }
        }
        guard description == text, problem == nil else { return nil }
    }

    /// What keeps the value from being written: a name of a key that is no plain word.
    var problem: String? {
        guard case .index(let key) = self else { return nil }
        let isPlain = key.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || "@._+-".utf8.contains($0)
        }
        let isName = isPlain && (1...255).contains(key.utf8.count) && key.first?.isLetter == true
        return isName ? nil : "names a key with characters other than A-Z, a-z, 0-9, '@', '.', '_', '+' and '-'"
    }

    /// Whether it says who made the input, and not only that it arrived as it was sent.
    public var isAuthentic: Bool {
        switch self {
        case .pin, .signature, .index: true
        case .githubDigest, .checksumFile, .firstUse: false
        }
    }

    /// The words in the lock file.
    public var description: String {
        switch self {
        case .pin: "pin"
        case .signature(let fingerprint): "signature \(fingerprint)"
        case .index(let key): "index \(key)"
        case .githubDigest: "github digest"
        case .checksumFile: "checksum file"
        case .firstUse: "first use"
        }
    }
}
