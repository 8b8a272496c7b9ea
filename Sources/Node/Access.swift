/// Who may log in, and how the node proves who it is.
public struct Access: Hashable, Sendable {
    /// Where the SSH host keys of a node come from.
    public enum HostKeys: Hashable, Sendable {
        /// Made on the node at first boot and kept on the data disk.
        case persistent
        /// Made anew at every boot.
        case fresh
        /// Brought along in the overlay: private keys in OpenSSH's format, by algorithm name (`ed25519`).
        case provided([HostKey])
    }

    /// An SSH host key that the recipe brings along.
    public struct HostKey: Hashable, Sendable {
        /// `ed25519`, `ecdsa` or `rsa`: the middle of `ssh_host_ed25519_key`.
        public var algorithm: String
        /// The private key in OpenSSH's text format; a secret.
        public var privateKey: [UInt8]

        /// Joins the two.
        public init(algorithm: String, privateKey: [UInt8]) {
            self.algorithm = algorithm
            self.privateKey = privateKey
        }
    }

    /// The users that are made at boot, in the order written.
    public var users: [User]
    /// Where the host keys come from.
    public var hostKeys: HostKeys

    /// Joins the two.
    public init(users: [User], hostKeys: HostKeys = .persistent) {
        self.users = users
        self.hostKeys = hostKeys
    }
}

/// A user of the node.
public struct User: Hashable, Sendable {
    /// The login name.
    public var name: String
    /// The fixed number of the user and of its group of the same name.
    public var identifier: UInt32
    /// Whether the user may become root through `doas` without a password.
    public var doas: Bool
    /// The keys that may log in.
    public var authorizedKeys: [SSHPublicKey]
    /// A `crypt(3)` hash for the console, or `nil` for none; a secret.
    public var passwordHash: String?

    /// The number of the first user of a recipe; later ones count up.
    public static let firstIdentifier: UInt32 = 1000

    /// Makes a user.
    public init(
        name: String, identifier: UInt32, doas: Bool = false, authorizedKeys: [SSHPublicKey] = [],
        passwordHash: String? = nil
    ) {
        self.name = name
        self.identifier = identifier
        self.doas = doas
        self.authorizedKeys = authorizedKeys
        self.passwordHash = passwordHash
    }
}

/// One line of `authorized_keys`: type, key and comment, without options (RFC 4253 §6.6, sshd(8)).
public struct SSHPublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The algorithm, such as `ssh-ed25519`.
    public let type: String
    /// The key in base64.
    public let base64: String
    /// What follows the key; may be empty.
    public let comment: String

    /// Takes parts that are known to fit together.
    package init(type: String, base64: String, comment: String) {
        self.type = type
        self.base64 = base64
        self.comment = comment
    }

    /// The line as `authorized_keys` holds it.
    public var description: String { comment.isEmpty ? "\(type) \(base64)" : "\(type) \(base64) \(comment)" }
}
