internal import Node

/// Reading `kubesolo.config`, which is passed on.
extension RecipeReader {
    /// Takes the configuration; what is wrong or doubtful in it is told where it is given, be that the recipe or a node.
    mutating func readConfiguration(_ entries: [CheckedNode.ConfigurationEntry]) {
        for entry in entries {
            guard let origin = entry.origins.last else { continue }
            let path = joined(origin.path, entry.key)
            switch entry.key {
            case "apiVersion", "kind":
                fault(
                    origin.keyPosition, path, "is written by ksbuild, which knows what the release takes", "remove it")
            case "path":
                fault(
                    origin.keyPosition, path, "follows from the mount point of the data disk",
                    "set storage.data.mount instead")
            default: recipe.kubesolo.configuration.append(ConfigValue.Pair(entry.key, entry.value))
            }
        }
        for steps in ConfigValue.mapping(recipe.kubesolo.configuration).secretPaths {
            guard let origin = origin(of: steps, among: entries) else { continue }
            let path = steps.reduce(origin.path) { path, step in
                switch step {
                case .key(let key): joined(path, key)
                case .item(let index): "\(path)[\(index)]"
                }
            }
            warn(
                origin.position, path, "is a secret that stands in the recipe for all to read",
                "keep the recipe private")
        }
        let api = recipe.kubesolo.configuration.first { $0.key == "api" }?.value
        if api?["enabled"] == .bool(true), let origin = origin(of: [.key("api"), .key("enabled")], among: entries) {
            warn(
                origin.position, joined(origin.path, "api"),
                "lets KubeSolo replace its own binary, which a diskless node forgets at its next boot while the migrated "
                    + "datastore stays", "upgrade by building a new bundle")
        }
    }

    /// Who gives what stands at the end of a path: of those that have it, the last, which is laid over the others.
    private func origin(
        of steps: [ConfigValue.Step], among entries: [CheckedNode.ConfigurationEntry]
    ) -> CheckedNode.ConfigurationEntry.Origin? {
        guard case .key(let key)? = steps.first, let entry = entries.last(where: { $0.key == key }) else { return nil }
        return entry.origins.last { $0.value.reaches(steps.dropFirst()) } ?? entry.origins.last
    }
}

extension ConfigValue {
    /// Whether something stands at the end of a path.
    fileprivate func reaches(_ steps: ArraySlice<Step>) -> Bool {
        guard let step = steps.first else { return true }
        switch (self, step) {
        case (.mapping(let pairs), .key(let key)):
            return pairs.last { $0.key == key }?.value.reaches(steps.dropFirst()) ?? false
        case (.sequence(let values), .item(let index)):
            return values.indices.contains(index) && values[index].reaches(steps.dropFirst())
        default: return false
        }
    }
}
