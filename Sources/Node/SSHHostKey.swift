extension Access.HostKey {
    /// The longest private key that is taken, in bytes.
    public static let maximumBytes = 16384

    /// Takes a private key in the format that `ssh-keygen` writes (OpenSSH's PROTOCOL.key), not encrypted.
    ///
    /// - Throws: ``SSHKeyProblem``, which repeats nothing of the key.
    public init(parsing bytes: [UInt8]) throws(SSHKeyProblem) {
        guard bytes.count <= Self.maximumBytes else {
            throw SSHKeyProblem("is longer than \(Self.maximumBytes) bytes")
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        guard lines.first == "-----BEGIN OPENSSH PRIVATE KEY-----",
            let end = lines.firstIndex(of: "-----END OPENSSH PRIVATE KEY-----")
        else {
            throw SSHKeyProblem(
                "is no private key in OpenSSH's format", "make one with: ssh-keygen -t ed25519 -N '' -f FILE")
        }
        let cutOff = SSHKeyProblem("is cut off or damaged", "copy the whole file again")
        let magic = Array("openssh-key-v1\0".utf8)
        guard end > 1, let body = Base64.decode(lines[1..<end].joined()), body.starts(with: magic) else { throw cutOff }
        var rest = body.dropFirst(magic.count)
        func number() -> Int? {
            guard rest.count >= 4 else { return nil }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        func string() -> ArraySlice<UInt8>? {
            guard let length = number(), length <= rest.count else { return nil }
            defer { rest = rest.dropFirst(length) }
            return rest.prefix(length)
        }
        guard let cipher = string(), string() != nil, string() != nil else { throw cutOff }
        guard cipher.elementsEqual("none".utf8) else {
            throw SSHKeyProblem(
                "is encrypted, and no one is there to type its passphrase when the node boots",
                "remove it with: ssh-keygen -p -N '' -f FILE")
        }
        guard number() == 1, let publicKey = string(), let privateKey = string(), !privateKey.isEmpty, rest.isEmpty
        else {
            throw cutOff
        }
        let length = publicKey.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        let type = String(decoding: publicKey.dropFirst(4).prefix(length), as: UTF8.self)
        let algorithm: String
        switch type {
        case "ssh-ed25519": algorithm = "ed25519"
        case "ssh-rsa": algorithm = "rsa"
        case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521": algorithm = "ecdsa"
        default: throw SSHKeyProblem("is a key of a type that is no host key", "make one with: ssh-keygen -t ed25519")
        }
        self.init(algorithm: algorithm, privateKey: bytes)
    }
}
