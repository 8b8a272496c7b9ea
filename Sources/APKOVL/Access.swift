internal import Artefact
internal import Node

extension FileTree {
    /// Adds users, keys and the SSH server's configuration.
    ///
    /// Accounts are made at boot by `ksbuild-users` in the release's own files: an overlaid `passwd` would hide the
    /// accounts of a newer release. Until they are made root has no password, so no terminal takes it: busybox `login`
    /// reads `/etc/securetty`, which dangles while Alpine's init runs and adds its consoles to the file that it finds.
    mutating func addAccess(_ access: Access, node: NodeImage) throws {
        try addSymlink("etc/securetty", to: "/etc/ksbuild/securetty", origin: "access")
        var lines: [String] = []
        for user in access.users {
            try Self.check(user)
            lines.append("\(user.name):\(user.identifier):\(user.passwordHash ?? "*")\n")
            try addHome(user)
        }
        let isSecret = access.users.contains { $0.passwordHash != nil }
        try insert(
            TreeEntry(
                path: EntryPath("etc/ksbuild/users"), kind: .file(.text(lines.joined())), mode: .secret,
                origin: "access", isSecret: isSecret))
        let privileged = access.users.filter(\.doas)
        if node.packages.contains("doas") && !privileged.isEmpty {
            try addFile(
                "etc/doas.d/ksbuild.conf",
                privileged.map { "permit nopass setenv { KUBECONFIG } \($0.name)\n" }.joined(),
                mode: .secret,
                origin: "access")
        }
        guard Packages.bringSSH(node.packages) else { return }
        try addServer(access)
    }

    private static func check(_ user: User) throws(OverlayError) {
        func refuse(_ why: String) -> OverlayError {
            OverlayError(.invalidValue, subject: "user \(String(reflecting: user.name))", detail: why)
        }
        let isName = user.name.utf8.allSatisfy {
            (48...57).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
        }
        guard isName, let first = user.name.utf8.first, (97...122).contains(first) || first == 95,
            user.name.utf8.count <= 31, user.name != "root"
        else { throw refuse("is no name for a user; use lower-case letters, digits, - and _, beginning with a letter") }
        guard (1000...59999).contains(user.identifier) else {
            throw refuse("number \(user.identifier) is not for users; use 1000 to 59999")
        }
        if let hash = user.passwordHash {
            let isHash = hash.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
            guard isHash, hash.utf8.count >= 13 else {
                throw refuse("the password hash is none of crypt(3); make one with: openssl passwd -6")
            }
        }
        for key in user.authorizedKeys where !key.description.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) {
            throw refuse("an authorized key holds control characters")
        }
    }

    /// The home directory with the keys, owned by the user's number, which is fixed for this reason.
    private mutating func addHome(_ user: User) throws {
        func owned(_ path: String, _ kind: TreeEntry.Kind, _ mode: EntryMode) throws -> TreeEntry {
            try TreeEntry(
                path: EntryPath(path), kind: kind, mode: mode, owner: user.identifier, group: user.identifier,
                origin: "access")
        }
        let home = "home/\(user.name)"
        try insert(owned(home, .directory, .privateDirectory))
        guard !user.authorizedKeys.isEmpty else { return }
        let keys = user.authorizedKeys.map { "\($0)\n" }.joined()
        try insert(owned("\(home)/.ssh", .directory, .privateDirectory))
        try insert(owned("\(home)/.ssh/authorized_keys", .file(.text(keys)), .secret))
    }

    private mutating func addServer(_ access: Access) throws {
        var algorithms = ["ed25519"]
        var mode = "persistent"
        switch access.hostKeys {
        case .persistent: break
        case .fresh: mode = "fresh"
        case .provided(let keys):
            mode = "provided"
            algorithms = keys.map(\.algorithm)
            for key in keys {
                guard ["ed25519", "ecdsa", "rsa"].contains(key.algorithm) else {
                    throw OverlayError(
                        .invalidValue, subject: "host key \(String(reflecting: key.algorithm))",
                        detail: "is of no known kind; give an ed25519, ecdsa or rsa key")
                }
                try insert(
                    TreeEntry(
                        path: EntryPath("etc/ssh/ssh_host_\(key.algorithm)_key"), kind: .file(.bytes(key.privateKey)),
                        mode: .secret, origin: "access", isSecret: true))
            }
        }
        var hostKeys = ShellSettings("Where the SSH host keys come from; see /etc/init.d/ksbuild-hostkeys.")
        try hostKeys.assign("hostkeys_mode", mode)
        try addFile("etc/conf.d/ksbuild-hostkeys", hostKeys.text, origin: "access")
        var service = ShellSettings("The host keys are those that ksbuild-hostkeys provides.")
        try service.assign("sshd_disable_keygen", "yes")
        try addFile("etc/conf.d/sshd", service.text, origin: "access")
        let names = access.users.filter { !$0.authorizedKeys.isEmpty }.map(\.name)
        try addFile(
            "etc/ssh/sshd_config",
            """
            # Keys only, users of the recipe only. The first value of a keyword wins, so what stands here cannot be
            # changed by files in sshd_config.d.
            \(algorithms.map { "HostKey /etc/ssh/ssh_host_\($0)_key" }.joined(separator: "\n"))
            AuthenticationMethods publickey
            PubkeyAuthentication yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitEmptyPasswords no
            PermitRootLogin no
            \(names.isEmpty ? "DenyUsers *" : "AllowUsers \(names.joined(separator: " "))")
            AuthorizedKeysFile .ssh/authorized_keys
            AllowAgentForwarding no
            AllowTcpForwarding local
            GatewayPorts no
            X11Forwarding no
            Subsystem sftp internal-sftp
            Include /etc/ssh/sshd_config.d/*.conf

            """, mode: .secret, origin: "access")
    }
}
