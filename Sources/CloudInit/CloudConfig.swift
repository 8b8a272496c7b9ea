internal import Node

/// The `#cloud-config` of a node: what follows from the model, and a user's own laid over it.
struct CloudConfig {
    /// The text of `user-data`.
    let text: String
    /// Whether it holds a password hash, a private key, or anything of the user's.
    let isSecret: Bool
    /// What works otherwise than the user may expect, one line each.
    let warnings: [String]

    /// What messages call the user's document.
    static let userDataName = "seed.userData"
    private static let head = """
        #cloud-config
        # For images that run cloud-init. A diskless node is configured by its overlay and does not read this.

        """

    init(_ node: NodeImage) throws(CloudInitError) {
        var pairs = try Self.generated(node)
        var warnings: [String] = []
        let hasHash = node.access.users.contains { $0.passwordHash != nil }
        var hasKey = false
        if case .provided(let keys) = node.access.hostKeys { hasKey = !keys.isEmpty }
        if let bytes = node.seed.userData {
            let document = try Self.read(bytes)
            warnings = Self.warnings(document, generated: pairs)
            pairs = try Self.lay(document.pairs, over: pairs)
        }
        text = Self.head + YAMLValue.mapping(pairs).document
        isSecret = hasHash || hasKey || node.seed.userData != nil
        self.warnings = warnings
    }

    // MARK: - What follows from the node

    private static func generated(_ node: NodeImage) throws(CloudInitError) -> [YAMLValue.Pair] {
        let hasDomain = node.hostname.contains(".")
        let object = YAMLValue.object([
            ("hostname", .text(node.hostname)),
            ("fqdn", hasDomain ? .text(node.hostname) : nil),
            ("manage_etc_hosts", .text("localhost")),
            ("users", users(node.access)),
            ("disable_root", .bool(true)),
            ("ssh_pwauth", .bool(false)),
            ("ssh_keys", try hostKeys(node.access)),
            ("mounts", mounts(node.dataDisk)),
            ("write_files", writtenFiles(node.access)),
        ])
        guard case .mapping(let pairs) = object else { return [] }
        return pairs
    }

    /// The users, or root alone where there are none.
    ///
    /// root is locked, as it is on every node; with an empty list cloud-init would add the image's own user.
    private static func users(_ access: Access) -> YAMLValue {
        guard !access.users.isEmpty else {
            return .sequence([.object([("name", .text("root")), ("lock_passwd", .bool(true))])])
        }
        return .sequence(
            access.users.map { user in
                .object([
                    ("name", .text(user.name)), ("uid", .number(user.identifier)), ("shell", .text("/bin/sh")),
                    // '*' is no password; an account that is locked with '!' may not even log in with a key.
                    ("lock_passwd", .bool(false)), ("hashed_passwd", .text(user.passwordHash ?? "*")),
                    (
                        "ssh_authorized_keys",
                        user.authorizedKeys.isEmpty ? nil : .texts(user.authorizedKeys.map(\.description))
                    ),
                ])
            })
    }

    private static func hostKeys(_ access: Access) throws(CloudInitError) -> YAMLValue? {
        guard case .provided(let keys) = access.hostKeys, !keys.isEmpty else { return nil }
        var pairs: [(String, YAMLValue?)] = []
        for key in keys {
            guard let text = String(validating: key.privateKey, as: UTF8.self) else {
                throw CloudInitError(
                    .invalidSetting, subject: "host key \(key.algorithm)", detail: "is not in OpenSSH's text format")
            }
            pairs.append(("\(key.algorithm)_private", .text(text)))
        }
        return .object(pairs)
    }

    /// The data disk; a missing one does not stop the boot, and nothing formats it.
    private static func mounts(_ disk: DataDisk) -> YAMLValue {
        .sequence([
            .texts(["LABEL=\(disk.label)", disk.mountPoint, "ext4", "defaults,noatime,nofail", "0", "0"])
        ])
    }

    /// The rule for doas as a file: cloud-init has a key for it only from release 23.1 on.
    private static func writtenFiles(_ access: Access) -> YAMLValue? {
        let privileged = access.users.filter(\.doas)
        guard !privileged.isEmpty else { return nil }
        return .sequence([
            .object([
                ("path", .text("/etc/doas.d/ksbuild.conf")), ("permissions", .text("0600")),
                ("content", .text(privileged.map { "permit nopass \($0.name)\n" }.joined())),
            ])
        ])
    }

    // MARK: - What the user adds

    private static func read(_ bytes: [UInt8]) throws(CloudInitError) -> YAMLDocument {
        func refuse(_ place: String, _ why: String) -> CloudInitError {
            CloudInitError(.invalidUserData, subject: userDataName + place, detail: why)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refuse("", "is not UTF-8") }
        let end = bytes.firstIndex { $0 == 10 || $0 == 13 } ?? bytes.count
        var first = String(decoding: bytes[..<end], as: UTF8.self)
        while first.last == " " || first.last == "\t" { first.removeLast() }
        if first.hasPrefix("## template:") {
            throw refuse(":1:1", "is a template; write it out, because it is merged with what follows from the recipe")
        }
        guard first == "#cloud-config" else {
            throw refuse(
                ":1:1",
                "must begin with the line '#cloud-config'; scripts and archives cannot be merged with what follows from the recipe"
            )
        }
        return try YAMLDocument(text, named: userDataName)
    }

    private static func warnings(_ document: YAMLDocument, generated: [YAMLValue.Pair]) -> [String] {
        var warnings: [String] = []
        for key in document.keys where !CloudConfigKeys.known.contains(key.name) {
            let hint = NearestWord.find(key.name, among: CloudConfigKeys.known).map { "; did you mean '\($0)'?" } ?? ""
            warnings.append(
                "\(userDataName):\(key.line):\(key.column): cloud-init knows no '\(key.name.prefix(80))'\(hint)")
        }
        for key in document.keys {
            guard let pair = generated.first(where: { $0.key.string == key.name }), case .sequence = pair.value else {
                continue
            }
            warnings.append(
                "\(userDataName):\(key.line):\(key.column): '\(key.name)' replaces the list that follows from the recipe"
            )
        }
        return warnings
    }

    /// Lays a user's mapping over a generated one: mappings key by key, everything else replaced.
    private static func lay(
        _ own: [YAMLValue.Pair], over generated: [YAMLValue.Pair]
    ) throws(CloudInitError) -> [YAMLValue.Pair] {
        var result = generated
        for pair in own {
            guard pair.key != .scalar("<<", isPlain: true) else {
                throw CloudInitError(
                    .invalidUserData, subject: userDataName,
                    detail:
                        "has a merge key (<<) where it is merged with what follows from the recipe; write the keys out")
            }
            guard let index = result.firstIndex(where: { $0.key.string == pair.key.string }) else {
                result.append(pair)
                continue
            }
            if case .mapping(let below) = result[index].value, case .mapping(let ownBelow) = pair.value {
                result[index].value = .mapping(try lay(ownBelow, over: below))
            } else {
                result[index].value = pair.value
            }
        }
        return result
    }
}
