internal import Artefact
internal import Node

/// Reading `nodes`.
extension RecipeReader {
    /// Reads every node of a fleet: what it says is laid over the recipe, and the whole is judged like any recipe.
    ///
    /// Mappings of named keys are joined key by key; an interface, a registry, a list or a text that a node gives stands in
    /// place of the recipe's. What is found is told once, as ``FleetFindings`` says.
    mutating func readFleet(_ root: CheckedNode) {
        guard let table = take("nodes", of: root) else { return }
        guard !table.entries.isEmpty else {
            return fault(table, "is empty", "name a node, or leave the key out")
        }
        let base = CheckedNode(
            value: .mapping(root.entries.filter { !["nodes", "hostname"].contains($0.key) }), position: root.position,
            path: root.path, schemaPath: root.schemaPath)
        var foundFaults = FleetFindings(file: file)
        var foundWarnings = FleetFindings(file: file)
        var knownInputs = Set(inputs)
        var claims = FleetClaims(file: file)
        var hostKeys = FleetHostKeys()
        var keys: Set<String> = []
        for entry in table.entries {
            let over = entry.value
            let whole = base.laying(over)
            var reader = RecipeReader(file: file, references: references, refused: refused)
            reader.read(whole)
            let address = reader.take("mac", of: over)
            if let address, address.text == "00:00:00:00:00:00" {
                reader.fault(
                    address, "is all zeros, which is no card's address", "write that of the card, as 'ip link' shows it"
                )
            }
            let uuid = reader.take("uuid", of: over)
            let site = reader.take("site", of: over)?.text
            reader.recipe.hostname = reader.recipe.hostname ?? entry.key
            claims.take(entry, address: address, uuid: uuid, site: site, whole: whole, reader.recipe)
            hostKeys.take(entry.key, reader.recipe.hostKeys, whole["access"]?["hostKeys"])
            foundFaults.add(reader.faults, of: entry)
            foundWarnings.add(reader.warnings, of: entry)
            inputs += reader.inputs.filter { knownInputs.insert($0).inserted }
            keys.formUnion(reader.keysTaken)
            recipe.nodes.append(
                FleetNode(
                    name: entry.key, hardwareAddress: address?.text?.lowercased(), uuid: uuid?.text?.lowercased(),
                    recipe: reader.recipe))
        }
        noteKeys(FleetSchema.keyPaths.filter { keys.contains($0.ofRecipe) || keys.contains($0.ofNode) }.map(\.ofNode))
        claims.finish()
        faults += foundFaults.beyond(faults) + claims.faults
        warnings =
            foundWarnings.confirming(warnings, ofAll: table.entries.count) + foundWarnings.beyond(warnings)
            + claims.warnings
        recipe.nodes.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for (place, names) in hostKeys.shared {
            warn(
                place, place?.path ?? "access.hostKeys",
                "gives \(names.text) the same host key, so that each can pass for the others",
                "give each node its own, or leave them to be made on the node")
        }
    }
}

extension CheckedNode {
    /// Where the names of a table stand for whole things, which are replaced and not joined.
    private var isTable: Bool { schemaPath.hasSuffix("network.interfaces") || schemaPath.hasSuffix("registries") }

    /// The keys of which a disk has one.
    private static let diskMarks = ["serial", "size", "device"]

    /// This value with another of the same kind laid over it.
    func laying(_ over: CheckedNode) -> CheckedNode {
        switch (value, over.value) {
        case (.mapping(let mine), .mapping(let theirs)):
            var entries = mine
            if over.schemaPath.hasSuffix("storage.data"), theirs.contains(where: { Self.diskMarks.contains($0.key) }) {
                entries.removeAll { Self.diskMarks.contains($0.key) }
            }
            for entry in theirs {
                if let index = entries.lastIndex(where: { $0.key == entry.key }) {
                    let joined = over.isTable ? entry.value : entries[index].value.laying(entry.value)
                    entries[index] = Entry(key: entry.key, keyPosition: entry.keyPosition, value: joined)
                } else {
                    entries.append(entry)
                }
            }
            return CheckedNode(
                value: .mapping(entries), position: over.position, path: over.path, schemaPath: schemaPath)
        case (.configuration(let mine), .configuration(let theirs)):
            var entries = mine
            for entry in theirs {
                if let index = entries.lastIndex(where: { $0.key == entry.key }) {
                    entries[index] = ConfigurationEntry(
                        key: entry.key, value: entries[index].value.laying(entry.value),
                        origins: entries[index].origins + entry.origins)
                } else {
                    entries.append(entry)
                }
            }
            return CheckedNode(
                value: .configuration(entries), position: over.position, path: over.path, schemaPath: schemaPath)
        default: return over
        }
    }
}

extension ConfigValue {
    /// Mappings joined key by key; anything else is replaced.
    fileprivate func laying(_ over: ConfigValue) -> ConfigValue {
        guard case .mapping(var pairs) = self, case .mapping(let others) = over else { return over }
        for other in others {
            if let index = pairs.lastIndex(where: { $0.key == other.key }) {
                pairs[index] = Pair(other.key, pairs[index].value.laying(other.value))
            } else {
                pairs.append(other)
            }
        }
        return .mapping(pairs)
    }
}
