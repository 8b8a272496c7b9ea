internal import Artefact
internal import Node

/// Reading `access`.
extension RecipeReader {
    /// The largest file of public keys in bytes.
    static let keyFileLimit = 256 << 10

    mutating func readAccess(_ access: CheckedNode) {
        if let list = take("users", of: access) {
            var users: [Recipe.User] = []
            for item in list.items { if let user = readUser(item, after: users) { users.append(user) } }
            recipe.users = users
        }
        guard let node = take("hostKeys", of: access), let text = node.text else { return }
        switch text {
        case "persistent": recipe.hostKeys = .persistent
        case "fresh": recipe.hostKeys = .fresh
        default:
            guard let reference = Reference(text),
                let bytes = follow(node, reference, limit: Access.HostKey.maximumBytes, isSecret: true)
            else { return }
            do {
                recipe.hostKeys = .provided([try Access.HostKey(parsing: bytes)])
            } catch {
                fault(node, "the file \(error.detail)", error.hint)
            }
        }
    }

    /// Says so when nobody can log in over the network.
    mutating func warnWithoutKeys(_ access: CheckedNode?) {
        let users = recipe.users ?? []
        guard users.allSatisfy(\.authorizedKeys.isEmpty) else { return }
        let given = access?["users"]
        let path = given?.path ?? "access.users"
        guard !faults.contains(where: { $0.keyPath.hasPrefix(path) }) else { return }
        // Where no one gives users, no node is to blame for it, whatever else it says of access.
        let place = given ?? access.flatMap { $0.isBelowNodes ? nil : $0 }
        warn(
            place, path, "gives no user a key, so that nobody can log in over SSH",
            "add authorizedKeys: [file:~/.ssh/id_ed25519.pub]")
    }

    private mutating func readUser(_ node: CheckedNode, after others: [Recipe.User]) -> Recipe.User? {
        let name = take("name", of: node)
        var user = Recipe.User(name: name?.text ?? "")
        if let name, let text = name.text {
            if let problem = UserName.problem(with: text) {
                fault(name, "\(shown(text)) is not a user name: it \(problem)", "choose another")
            } else if others.contains(where: { $0.name == text }) {
                fault(name, "\(shown(text)) is listed twice", "keep one of them")
            }
        }
        if let uid = take("uid", of: node), let number = uid.integer {
            let identifier = UInt32(clamping: number)
            if let other = others.first(where: { $0.identifier == identifier }) {
                fault(uid, "\(identifier) is also the number of \(shown(other.name))", "give each user its own")
            }
            user.identifier = identifier
        }
        user.doas = take("doas", of: node)?.flag
        for item in take("authorizedKeys", of: node)?.items ?? [] { readKeys(item, &user) }
        if let hash = take("passwordHash", of: node) { user.passwordHash = readHash(hash) }
        return name == nil ? nil : user
    }

    private mutating func readKeys(_ item: CheckedNode, _ user: inout Recipe.User) {
        guard let text = item.text else { return }
        guard let reference = Reference(text) else {
            do {
                add(try SSHPublicKey(parsing: text), from: item, to: &user)
            } catch {
                fault(item, error.detail, error.hint)
            }
            return
        }
        guard let bytes = follow(item, reference, limit: Self.keyFileLimit, isSecret: false) else { return }
        guard let content = String(validating: bytes, as: UTF8.self) else {
            fault(item, "refers to something that is not text", "name a .pub file")
            return
        }
        if content.contains("PRIVATE KEY") || content.hasPrefix("PuTTY-User-Key-File") {
            inputs.removeAll { $0.keyPath == item.path }
            fault(
                item, "refers to a private key, which must never get into an image",
                "name the public key, which ends in .pub")
            return
        }
        var found = false
        for (index, line) in content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = String(line).trimmingBlanks
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            found = true
            do {
                add(try SSHPublicKey(parsing: line), from: item, to: &user)
            } catch {
                fault(item, "line \(index + 1) of what it refers to \(error.detail)", error.hint)
            }
        }
        if !found { fault(item, "refers to something that holds no key", "name a .pub file") }
    }

    private mutating func add(_ key: SSHPublicKey, from item: CheckedNode, to user: inout Recipe.User) {
        if user.authorizedKeys.contains(where: { $0.type == key.type && $0.base64 == key.base64 }) {
            warn(item, item.path, "is a key that this user already has", "keep one of them")
        } else {
            user.authorizedKeys.append(key)
        }
    }

    private mutating func readHash(_ node: CheckedNode) -> String? {
        guard let text = node.text, let reference = Reference(text),
            let bytes = follow(node, reference, limit: 4096, isSecret: true)
        else { return nil }
        let content = String(decoding: bytes, as: UTF8.self)
        let lines = content.split(whereSeparator: \.isNewline).map { String($0).trimmingBlanks }
        guard lines.count == 1, let hash = lines.first else {
            fault(node, "refers to \(lines.isEmpty ? "nothing" : "more than one line")", "one line holds the hash")
            return nil
        }
        if let problem = PasswordHash.problem(with: hash) {
            fault(node, "refers to a text that \(problem)", "make one with: openssl passwd -6")
            return nil
        }
        return hash
    }
}

extension String {
    /// The text without blanks and tabs at either end.
    fileprivate var trimmingBlanks: String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
