internal import Artefact
internal import Node

/// KubeSolo's configuration in the form that its release reads: a file from v1.2.1 on, environment before.
struct KubeSoloSettings {
    private let kubesolo: KubeSolo
    private let disk: DataDisk
    private let portainer: Portainer?

    /// Where the file stands, the place that KubeSolo itself looks at.
    static let path = "etc/kubesolo/config.yaml"

    /// KubeSolo's own default for `path`.
    static let defaultPath = "/var/lib/kubesolo"

    /// Joins the parts.
    init(_ kubesolo: KubeSolo, disk: DataDisk, portainer: Portainer? = nil) {
        self.kubesolo = kubesolo
        self.disk = disk
        self.portainer = portainer
    }

    /// The one argument that KubeSolo is started with; it has no subcommands.
    var argument: String {
        kubesolo.version.readsConfigurationFile ? "--config=/\(Self.path)" : "--path=\(disk.mountPoint)"
    }

    /// The address that the configuration pins the node to.
    var nodeIP: String {
        guard case .string(let address)? = kubesolo.configuration["network"]?["nodeIP"] else { return "" }
        return address
    }

    /// Whether a key in the configuration names something that must not be shown.
    var holdsSecrets: Bool { portainer != nil || kubesolo.configuration.holdsSecrets }

    /// `config.yaml`: header, `path` where it differs from the default, and what the recipe says.
    ///
    /// - Throws: ``OverlayError`` where the recipe sets what follows from the rest of it.
    func file() throws(OverlayError) -> String {
        var pairs: [ConfigValue.Pair] = [
            .init("apiVersion", .string("kubesolo.io/v1alpha1")), .init("kind", .string("Config")),
        ]
        for pair in try own() {
            if pair.key == "path" { continue }
            pairs.append(pair)
        }
        if disk.mountPoint != Self.defaultPath { pairs.append(.init("path", .string(disk.mountPoint))) }
        return try YAMLText.document(.mapping(pairs))
    }

    /// The environment for releases that read no file, in the order of the recipe.
    ///
    /// - Throws: ``OverlayError`` with ``OverlayError/Code/unknownSetting`` for a setting that has no variable in this
    ///   release.
    func environment() throws(OverlayError) -> [(name: String, value: String)] {
        try KubeSoloVariable.assignments(own(), version: kubesolo.version)
    }

    /// What the recipe says, without what may only follow from the rest of it.
    private func own() throws(OverlayError) -> [ConfigValue.Pair] {
        guard case .mapping(let pairs) = kubesolo.configuration else {
            throw OverlayError(.invalidValue, subject: "kubesolo.config", detail: "is no mapping of settings")
        }
        for pair in pairs {
            switch pair.key {
            case "apiVersion", "kind":
                throw OverlayError(
                    .contradiction, subject: "kubesolo.config.\(pair.key)",
                    detail: "is written by ksbuild; leave it out")
            case "path" where pair.value != .string(disk.mountPoint):
                throw OverlayError(
                    .contradiction, subject: "kubesolo.config.path",
                    detail: "differs from the mount point of the data disk, \(disk.mountPoint); leave it out")
            case "portainer" where portainer != nil:
                throw OverlayError(
                    .contradiction, subject: "kubesolo.config.portainer",
                    detail: "is also said by portainer; keep one of them")
            default: continue
            }
        }
        return pairs + following(pairs)
    }

    /// What follows from the rest of the recipe: the agent of Portainer, and no upgrades in place.
    ///
    /// From v1.2.2 on KubeSolo replaces its own binary when its API is asked to. A diskless node forgets that at its next
    /// boot, while the datastore stays as the newer release has left it.
    private func following(_ pairs: [ConfigValue.Pair]) -> [ConfigValue.Pair] {
        var following: [ConfigValue.Pair] = []
        if kubesolo.version.stopsOnFirstSignal, !pairs.contains(where: { $0.key == "api" }) {
            following.append(.init("api", .mapping([.init("enabled", .bool(false))])))
        }
        if let portainer {
            let all: [(String, ConfigValue?)] = [
                ("async", .bool(portainer.isAsynchronous)), ("edgeID", .string(portainer.edgeID)),
                ("edgeKey", .string(portainer.edgeKey)), ("image", portainer.image.map { .string($0) }),
            ]
            following.append(
                .init("portainer", .mapping(all.compactMap { name, value in value.map { .init(name, $0) } })))
        }
        return following
    }
}

extension FileTree {
    /// Adds KubeSolo's configuration and the settings of the services that stage, start and watch it.
    mutating func addKubeSolo(_ node: NodeImage, binary: BinaryPin?) throws {
        let settings = KubeSoloSettings(node.kubesolo, disk: node.dataDisk, portainer: node.portainer)
        let version = node.kubesolo.version
        try settings.checkNodeIP(on: node.network)
        var service = ShellSettings("KubeSolo; see /etc/init.d/kubesolo and /usr/libexec/ksbuild/kubesolo-run.")
        // Up to v1.2.1 the first signal is noted and the second one stops.
        try service.assign("retry", version.stopsOnFirstSignal ? "TERM/90/KILL/10" : "TERM/5/TERM/60/KILL/10")
        try service.assign("kubesolo_argument", settings.argument)
        try service.assign("kubesolo_node_ip", settings.nodeIP)
        let reached = node.network.interfaces.filter { interface in
            interface.dhcp4 || interface.addresses.contains { $0.address.family == .ipv4 }
        }
        try service.assign("kubesolo_interfaces", reached.map(\.name).joined(separator: " "))
        try service.assign("kubesolo_waiting", Self.waiting(for: settings.nodeIP, on: reached))
        var isSecret = false
        if version.readsConfigurationFile {
            try insert(
                TreeEntry(
                    path: EntryPath(KubeSoloSettings.path), kind: .file(.text(settings.file())), mode: .secret,
                    origin: "kubesolo", isSecret: settings.holdsSecrets))
        } else {
            for (name, value) in try settings.environment() { try service.assign(name, value, exported: true) }
            isSecret = settings.holdsSecrets
        }
        if let proxy = node.proxy {
            for (name, value) in proxy.variables(node.network) { try service.assign(name, value, exported: true) }
            isSecret = isSecret || proxy.holdsSecrets
        }
        try insert(
            TreeEntry(
                path: EntryPath("etc/conf.d/kubesolo"), kind: .file(.text(service.text)), mode: .secret,
                origin: "kubesolo", isSecret: isSecret))
        var stage = ShellSettings("The KubeSolo binary that this node accepts; see /etc/init.d/kubesolo-stage.")
        try stage.assign("stage_digest", binary?.digest.hex ?? "")
        try stage.assign("stage_size", binary.map { String($0.size) } ?? "")
        try addFile("etc/conf.d/kubesolo-stage", stage.text, origin: "kubesolo")
        var health = ShellSettings("When KubeSolo counts as healthy, in seconds; see /etc/init.d/ksbuild-health.")
        try health.assign("health_stable", String(node.health.stable))
        try health.assign("health_timeout", String(node.health.timeout))
        try addFile("etc/conf.d/ksbuild-health", health.text, origin: "kubesolo")
    }

    /// What a node without an address says it waits for.
    private static func waiting(for nodeIP: String, on interfaces: [Interface]) -> String {
        if !nodeIP.isEmpty { return "the node has no address \(nodeIP)" }
        let names = interfaces.map(\.name).joined(separator: " ")
        if interfaces.isEmpty { return "no interface is to have an IPv4 address" }
        return interfaces.allSatisfy(\.dhcp4) ? "no DHCP lease on \(names)" : "no IPv4 address on \(names)"
    }
}
