internal import Node

/// Reading what surrounds KubeSolo: `health`, `portainer`, `proxy`, `registries`.
extension RecipeReader {
    mutating func readServices(_ root: CheckedNode) {
        if let health = take("health", of: root) { readHealth(health) }
        if let portainer = take("portainer", of: root) { readPortainer(portainer) }
        if let proxy = take("proxy", of: root) { readProxy(proxy) }
        for entry in take("registries", of: root)?.entries ?? [] {
            let mirrors = distinctTexts(take("mirrors", of: entry.value))
            if mirrors.isEmpty, entry.value.isBelowNodes {
                // What the recipe says of this registry does not hold for this node.
                continue
            } else if mirrors.isEmpty {
                warn(entry.value, entry.value.path, "names no mirror, so nothing changes", "name one, or remove it")
            } else {
                recipe.registries.append(RegistryMirrors(registry: entry.key, mirrors: mirrors))
            }
        }
    }

    private mutating func readHealth(_ health: CheckedNode) {
        if let timeout = take("timeout", of: health)?.integer { recipe.health.timeout = Int(timeout) }
        guard let node = take("stable", of: health), let stable = node.integer else { return }
        recipe.health.stable = Int(stable)
        if recipe.health.stable >= recipe.health.timeout {
            fault(
                node, "is \(stable) s, which never pass within the timeout of \(recipe.health.timeout) s",
                "make it shorter, or health.timeout longer")
        }
    }

    private mutating func readPortainer(_ portainer: CheckedNode) {
        let identifier = take("edgeID", of: portainer)?.text
        for key in ["edgeID", "edgeKey"] where portainer[key] == nil && !isShared {
            let path = joined(portainer.path, key)
            guard !refused.contains(path), !refused.contains("portainer.\(key)") else { continue }
            fault(portainer.position, path, "is missing", "add it")
        }
        let image = take("image", of: portainer)?.text
        let isAsynchronous = take("async", of: portainer)?.flag ?? false
        if recipe.kubesolo.configuration.contains(where: { $0.key == "portainer" }) {
            fault(portainer, "is also said by kubesolo.config.portainer", "keep one of them")
        }
        guard let node = take("edgeKey", of: portainer) else { return }
        // Portainer's keys are base64 without padding.
        let key = secretLine(node) { line in
            line.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } ? nil : "holds something other than an edge key"
        }
        guard let identifier, let key else { return }
        recipe.portainer = Portainer(
            edgeID: identifier, edgeKey: key, image: image, isAsynchronous: isAsynchronous)
    }

    private mutating func readProxy(_ node: CheckedNode) {
        let http = proxyURL("http", of: node)
        let https = proxyURL("https", of: node)
        let exceptions = distinctTexts(take("noProxy", of: node))
        if take("http", of: node) == nil, take("https", of: node) == nil {
            warn(node, node.path, "names no proxy, so none is used", "give http, https or both")
            return
        }
        recipe.proxy = Proxy(http: http, https: https, exceptions: exceptions)
    }

    private mutating func proxyURL(_ key: String, of proxy: CheckedNode) -> String? {
        guard let node = take(key, of: proxy), let text = node.text else { return nil }
        guard Reference(text) != nil else { return text }
        return secretLine(node) { line in
            let isURL =
                (line.hasPrefix("http://") || line.hasPrefix("https://"))
                && line.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }
            return isURL ? nil : "is no URL of a proxy"
        }
    }

    /// The one line that a reference to a secret leads to.
    private mutating func secretLine(_ node: CheckedNode, _ problem: (String) -> String?) -> String? {
        guard let text = node.text, let reference = Reference(text),
            let bytes = follow(node, reference, limit: 8192, isSecret: true)
        else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        guard lines.count == 1, let line = lines.first else {
            fault(node, "refers to \(lines.isEmpty ? "nothing" : "more than one line")", "one line holds the secret")
            return nil
        }
        if let problem = problem(line) {
            fault(node, "refers to a text that \(problem)", "check what it refers to")
            return nil
        }
        return line
    }
}
