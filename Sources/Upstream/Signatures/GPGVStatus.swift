/// What `gpgv` says of each signature on its status lines (`doc/DETAILS` of GnuPG, "Format of the --status-fd output").
struct GPGVStatus {
    /// What is known of one signature, from `NEWSIG` to the next.
    struct Signature: Hashable {
        /// The words that were seen: `GOODSIG`, `EXPKEYSIG` and so on.
        var words: Set<String> = []
        /// The fingerprint of the primary key, from `VALIDSIG`.
        var primary: OpenPGPFingerprint?
        /// The key ID, from whichever word names it.
        var keyID: String?
        /// The reason of `ERRSIG`: 4 for an unknown algorithm, 5 for a refused one, 9 for an unknown key.
        var errorReason: String?

        /// Whether it is good in every respect, and by that key.
        func isGood(by fingerprint: OpenPGPFingerprint) -> Bool {
            words.contains("GOODSIG") && primary == fingerprint && words.isDisjoint(with: Self.reasons)
        }

        /// The words that each rule a signature out, `VALIDSIG` notwithstanding.
        private static let reasons: Set = ["BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"]
    }

    /// The signatures in order.
    let signatures: [Signature]

    /// Reads the status lines; other lines are skipped.
    init(_ output: String) {
        var signatures: [Signature] = []
        for line in output.split(separator: "\n") where line.hasPrefix("[GNUPG:] ") {
            let words = line.dropFirst(9).split(separator: " ").map(String.init)
            guard let word = words.first else { continue }
            if word == "NEWSIG" { signatures.append(Signature()) }
            guard ["GOODSIG", "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "VALIDSIG"].contains(word) else {
                continue
            }
            if signatures.isEmpty { signatures.append(Signature()) }
            let last = signatures.count - 1
            signatures[last].words.insert(word)
            if word == "VALIDSIG" {
                signatures[last].primary = words.count > 10 ? OpenPGPFingerprint(words[10]) : nil
            } else {
                signatures[last].keyID = words.count > 1 ? words[1] : nil
            }
            if word == "ERRSIG", words.count > 6 { signatures[last].errorReason = words[6] }
        }
        self.signatures = signatures
    }

    /// Why none of the signatures will do; the gravest reason first.
    func refusal(
        of file: String, signature: String, key: String, by fingerprint: OpenPGPFingerprint
    ) -> SignatureError {
        func first(_ condition: (Signature) -> Bool) -> Signature? { signatures.first(where: condition) }
        if first({ $0.words.contains("BADSIG") }) != nil { return .bad(file, signature: signature) }
        if first({ $0.words.contains("REVKEYSIG") }) != nil { return .revoked(signature) }
        if first({ $0.words.contains("EXPKEYSIG") }) != nil { return .expiredKey(signature) }
        if first({ $0.words.contains("EXPSIG") }) != nil {
            return SignatureError(
                .expiredSignature, subject: signature,
                detail: "was made to expire, and has; take the signature from upstream again")
        }
        if first({ ["4", "5"].contains($0.errorReason) }) != nil { return .weak(signature) }
        if let other = first({ $0.words.contains("ERRSIG") }) {
            return .wrongKey(
                signature, made: "by the key \(other.keyID ?? "?"), which \(key) does not hold", fingerprint)
        }
        if let other = first({ $0.primary != nil && $0.primary != fingerprint })?.primary {
            return .wrongKey(signature, made: "by the key \(other)", fingerprint)
        }
        return SignatureError(.unsigned, subject: signature, detail: "holds no signature of \(file)")
    }
}

extension SignatureError {
    static func bad(_ file: String, signature: String) -> SignatureError {
        SignatureError(
            .badSignature, subject: file,
            detail: "is not what \(signature) signs: one of the two was changed; take both from upstream again")
    }

    static func revoked(_ signature: String) -> SignatureError {
        SignatureError(
            .revokedKey, subject: signature,
            detail: "is by a key that its owner revoked; look for the new key at https://alpinelinux.org/downloads/")
    }

    static func expiredKey(_ signature: String) -> SignatureError {
        SignatureError(
            .expiredKey, subject: signature,
            detail: "is by a key that has expired; take the key anew from https://alpinelinux.org/downloads/")
    }

    static func weak(_ signature: String) -> SignatureError {
        SignatureError(
            .weakAlgorithm, subject: signature,
            detail: "uses an algorithm that proves nothing any more, such as SHA-1; pin the digest of the file instead")
    }

    static func wrongKey(_ signature: String, made: String, _ wanted: OpenPGPFingerprint) -> SignatureError {
        SignatureError(
            .wrongKey, subject: signature,
            detail: "is made \(made), and the trusted key is \(wanted); take file, signature and key of one origin")
    }
}
