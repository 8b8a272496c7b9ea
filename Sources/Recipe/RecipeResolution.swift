public import Artefact
public import Node

extension Recipe {
    /// Makes every choice that the recipe leaves open.
    ///
    /// The same recipe gives the same node in whatever order its keys stand.
    public func node(stamp: BuildStamp) -> NodeImage {
        let name = name ?? Self.defaultName
        return NodeImage(
            name: name, hostname: hostname ?? name, architecture: alpine.architecture ?? .x86_64,
            alpine: AlpineRelease(
                version: alpine.release ?? Self.defaultAlpineVersion, flavor: alpine.flavor ?? .virt,
                sha256: alpine.sha256),
            kubesolo: resolvedKubeSolo,
            network: Network(
                interfaces: interfaces ?? Network.dhcpOnFirstInterface.interfaces, nameservers: nameservers,
                searchDomains: searchDomains),
            access: Access(users: resolvedUsers, hostKeys: hostKeys ?? .persistent), dataDisk: resolvedDataDisk,
            packages: Set(packages + Self.basePackages).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) },
            repositories: repositories, layers: layers, consoles: consoles ?? Self.defaultConsoles,
            kernelParameters: kernelParameters, seed: seed, health: health, portainer: portainer, proxy: proxy,
            registries: registries.sorted { $0.registry.utf8.lexicographicallyPrecedes($1.registry.utf8) },
            ownPackages: ownPackages, stamp: stamp
        )
    }

    private var resolvedKubeSolo: Node.KubeSolo {
        Node.KubeSolo(
            version: kubesolo.release ?? .recommended, variant: kubesolo.variant ?? .offline, sha256: kubesolo.sha256,
            configuration: ConfigValue.mapping(kubesolo.configuration).sortedByKey)
    }

    private var resolvedUsers: [Node.User] {
        guard let users else {
            return [Node.User(name: Self.defaultUser, identifier: Node.User.firstIdentifier, doas: true)]
        }
        var taken = Set(users.compactMap(\.identifier))
        return users.map { user in
            var identifier = user.identifier ?? Node.User.firstIdentifier
            while user.identifier == nil, !taken.insert(identifier).inserted { identifier += 1 }
            return Node.User(
                name: user.name, identifier: identifier, doas: user.doas ?? false, authorizedKeys: user.authorizedKeys,
                passwordHash: user.passwordHash)
        }
    }

    private var resolvedDataDisk: Node.DataDisk {
        let fallback = Node.DataDisk()
        return Node.DataDisk(
            label: dataDisk.label ?? fallback.label, mountPoint: dataDisk.mountPoint ?? fallback.mountPoint,
            match: dataDisk.match ?? fallback.match, format: dataDisk.format ?? fallback.format,
            snapshots: dataDisk.snapshots ?? fallback.snapshots)
    }
}
