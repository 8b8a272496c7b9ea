internal import APKOVL
internal import Artefact
internal import Attestation
internal import Node
internal import SystemPackage
internal import Upstream

extension NodeBuild {
    /// What a bundle was made from and how, for everybody to read.
    ///
    /// It says the same wherever and by whomever the same is built: places are as the recipe writes them, inputs have the
    /// addresses of the upstreams' own servers, and what an input was packed in does not matter. An input that nothing
    /// vouches for has no address.
    ///
    /// - Parameters:
    ///   - recipe: The recipe that the node was resolved from.
    ///   - artefacts: The other artefacts by name.
    ///   - repositories: The packages that the bundle carries.
    ///   - fleet: The nodes of a fleet.
    /// - Returns: The statement.
    /// - Throws: `ArtefactError` where a file of a layer cannot be read.
    func statement(
        _ recipe: DecodedRecipe, about artefacts: [String: WrittenFile], carrying repositories: [MediumRepository],
        of fleet: Fleet? = nil
    ) throws -> Statement {
        try Statement(
            subjects: artefacts.compactMap { name, file in file.digest.map { .init(name: name, sha256: $0) } },
            parameters: parameters(recipe, fleet), dependencies: dependencies(repositories))
    }

    private func parameters(_ recipe: DecodedRecipe, _ fleet: Fleet?) throws -> ConfigValue {
        let common = node.asWritten(recipe.recipe).planned
        let nodes = fleet.map { fleet in
            ConfigValue.mapping(
                fleet.nodes.map { member in
                    let own = fleet.image(of: member).asWritten(recipe.recipe).planned
                    return .init(member.name, own.differing(from: common))
                })
        }
        let referred = recipe.inputs.dropFirst().map { input in
            ConfigValue.object(
                ("key", .string(input.keyPath)), ("sha256", .string(input.digest?.hex ?? "(secret)")))
        }
        let layers = try distinctLayers(fleet).map { layer in
            ConfigValue.object(
                ("path", .string(recipe.recipe.placesAsWritten[layer] ?? layer.string)),
                ("sha256", .string(try sources.digest(of: layer).hex)))
        }
        return .object(
            ("version", .string(node.stamp.version)), ("epoch", .integer(node.stamp.epoch)),
            (
                "recipe",
                .object(
                    ("sha256", .string(recipe.digest.hex)), ("content", common),
                    ("files", .sequence(referred)), ("layers", .sequence(layers)), ("nodes", nodes))
            ))
    }

    /// The layers of all nodes, each once, in the order in which they are laid.
    private func distinctLayers(_ fleet: Fleet?) -> [FilePath] {
        var seen: Set<FilePath> = []
        let layers = node.layers + (fleet?.nodes.flatMap { fleet?.image(of: $0).layers ?? [] } ?? [])
        return layers.filter { seen.insert($0).inserted }
    }

    private func dependencies(_ repositories: [MediumRepository]) -> [Statement.Dependency] {
        var dependencies: [Statement.Dependency] = []
        if let image = inputs.alpineImage {
            let name = UpstreamInput.alpineImage(node.alpine, node.architecture).lockName
            dependencies.append(
                .init(
                    name: name, uri: isImageVouchedFor ? UpstreamServer.address(name) : nil, sha256: image.digest))
        }
        if let binary = inputs.kubesolo {
            let name = UpstreamInput.kubeSolo(KubeSoloAsset(node.kubesolo, node.architecture)).lockName
            dependencies.append(
                .init(
                    name: "\(name)#kubesolo",
                    uri: isBinaryVouchedFor ? "\(UpstreamServer.address(name))#kubesolo" : nil,
                    sha256: binary.pin.digest))
        }
        for repository in repositories {
            let isOwn = repository.key != nil
            let base = isOwn ? repository.name : carriedName(of: repository)
            func add(_ file: String, _ digest: Digest) {
                let name = "\(base)/\(file)"
                dependencies.append(.init(name: name, uri: isOwn ? nil : UpstreamServer.address(name), sha256: digest))
            }
            // The index of packages of one's own is made by the build.
            if !isOwn { add("APKINDEX.tar.gz", repository.indexDigest) }
            for package in repository.packages {
                add("\(package.information.name)-\(package.information.version).apk", package.digest)
            }
        }
        return dependencies
    }

    /// The name that the files of one of Alpine's repositories have in a lock, but for the last part.
    func carriedName(of repository: MediumRepository) -> String {
        "alpine/\(node.alpine.branch)/\(repository.name)/\(node.architecture.alpineName)"
    }
}

extension ConfigValue {
    /// The keys of a mapping whose values are not those of another one.
    fileprivate func differing(from other: ConfigValue) -> ConfigValue {
        guard case .mapping(let pairs) = self else { return self }
        return .mapping(pairs.filter { other[$0.key] != $0.value })
    }
}

extension NodeImage {
    /// The same node with places as the recipe writes them, and without digests that a lock may have filled in.
    fileprivate func asWritten(_ recipe: Recipe) -> NodeImage {
        func place(_ path: FilePath) -> FilePath { recipe.placesAsWritten[path].map { FilePath($0) } ?? path }
        var node = self
        node.layers = layers.map(place)
        node.ownPackages = ownPackages.map { OwnPackages(directory: place($0.directory), key: place($0.key)) }
        node.alpine.sha256 = nil
        node.kubesolo.sha256 = nil
        return node
    }
}
