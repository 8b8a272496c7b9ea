internal import Artefact
internal import Node
internal import SystemPackage

extension NodeImage {
    /// The node as data, in the words of the recipe, with a note in the place of each secret.
    var planned: ConfigValue {
        .object(
            ("name", .string(name)), ("hostname", .string(hostname)), ("version", .string(stamp.version)),
            ("epoch", .integer(stamp.epoch)),
            (
                "alpine",
                .object(
                    ("release", .string(alpine.version)), ("flavor", .string(alpine.flavor.rawValue)),
                    ("arch", .string(architecture.rawValue)), ("sha256", alpine.sha256.map { .string($0.hex) }))
            ),
            (
                "kubesolo",
                .object(
                    ("release", .string(kubesolo.version.description)), ("variant", .string(kubesolo.variant.rawValue)),
                    ("sha256", kubesolo.sha256.map { .string($0.hex) }),
                    ("config", kubesolo.configuration.withoutSecrets))
            ), ("network", plannedNetwork),
            (
                "access",
                .object(("users", .sequence(access.users.map(\.planned))), ("hostKeys", .string(plannedHostKeys)))
            ), ("storage", .object(("data", plannedDisk))), ("packages", .texts(packages)),
            ("repositories", .texts(repositories)), ("layers", .texts(layers.map(\.string))),
            (
                "ownPackages",
                ownPackages.map {
                    .object(("directory", .string($0.directory.string)), ("key", .string($0.key.string)))
                }
            ),
            ("kernel", .object(("console", .texts(consoles)), ("parameters", .texts(kernelParameters)))),
            (
                "health",
                .object(("timeout", .integer(Int64(health.timeout))), ("stable", .integer(Int64(health.stable))))
            ), ("portainer", portainer?.planned), ("proxy", proxy?.planned), ("registries", plannedRegistries),
            ("seed", plannedSeed))
    }

    private var plannedNetwork: ConfigValue {
        .object(
            ("interfaces", .sequence(network.interfaces.map(\.planned))),
            ("nameservers", .texts(network.nameservers.map(\.description))), ("search", .texts(network.searchDomains)))
    }

    private var plannedHostKeys: String {
        switch access.hostKeys {
        case .persistent: "persistent"
        case .fresh: "fresh"
        case .provided(let keys): "provided: " + keys.map(\.algorithm).joined(separator: ", ")
        }
    }

    private var plannedDisk: ConfigValue {
        let match: (String, ConfigValue)? =
            switch dataDisk.match {
            case .serial(let serial): ("serial", .string(serial))
            case .size(let size): ("size", .integer(Int64(clamping: size)))
            case .link(let link): ("device", .string(link))
            case nil: nil
            }
        return .object(
            ("label", .string(dataDisk.label)), (match?.0 ?? "serial", match?.1),
            ("mount", .string(dataDisk.mountPoint)), ("format", .string(dataDisk.format.rawValue)),
            ("snapshots", .integer(Int64(dataDisk.snapshots))))
    }

    private var plannedRegistries: ConfigValue? {
        guard !registries.isEmpty else { return nil }
        return .mapping(
            registries.map { .init($0.registry, .object(("mirrors", .texts($0.mirrors)))) })
    }

    private var plannedSeed: ConfigValue {
        let identifier =
            switch seed.instanceIdentifier {
            case .content: "content"
            case .fixed(let text): text
            }
        func note(_ bytes: [UInt8]?) -> ConfigValue? { bytes.map { .string("(secret, \($0.count) bytes)") } }
        return .object(
            ("instanceID", .string(identifier)), ("userData", note(seed.userData)),
            ("vendorData", note(seed.vendorData)))
    }
}

extension Portainer {
    fileprivate var planned: ConfigValue {
        .object(
            ("edgeID", .string(edgeID)), ("edgeKey", .string("(secret)")), ("image", image.map { .string($0) }),
            ("async", .bool(isAsynchronous)))
    }
}

extension Proxy {
    fileprivate var planned: ConfigValue {
        func shown(_ url: String?) -> ConfigValue? { url.map { .string($0.contains("@") ? "(secret)" : $0) } }
        return .object(("http", shown(http)), ("https", shown(https)), ("noProxy", .texts(exceptions)))
    }
}

extension Interface {
    fileprivate var planned: ConfigValue {
        var kindPair: (String, ConfigValue) = ("kind", .string("physical"))
        switch kind {
        case .physical: break
        case .vlan(let identifier, let link):
            kindPair = ("vlan", .object(("id", .integer(Int64(identifier))), ("link", .string(link))))
        case .bridge(let ports): kindPair = ("bridge", .object(("ports", .texts(ports))))
        case .bond(let members, let mode):
            kindPair = ("bond", .object(("members", .texts(members)), ("mode", .string(mode))))
        }
        return .object(
            ("name", .string(name)), kindPair, ("dhcp4", .bool(dhcp4)), ("acceptRA", .bool(acceptRouterAdvertisements)),
            ("addresses", .texts(addresses.map(\.description))),
            ("gateway4", gateway4.map { .string($0.description) }),
            ("gateway6", gateway6.map { .string($0.description) }), ("mtu", mtu.map { .integer(Int64($0)) }))
    }
}

extension User {
    fileprivate var planned: ConfigValue {
        .object(
            ("name", .string(name)), ("uid", .integer(Int64(identifier))), ("doas", .bool(doas)),
            ("authorizedKeys", .texts(authorizedKeys.map(\.description))),
            ("passwordHash", passwordHash == nil ? nil : .string("(secret)")))
    }
}
