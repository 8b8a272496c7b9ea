internal import Artefact
internal import Node

extension Proxy {
    /// The nets and names of the cluster itself, at KubeSolo's defaults: what is asked of them must not leave the node.
    static let cluster = ["localhost", "127.0.0.1", "10.42.0.0/16", "10.43.0.0/16", ".svc", ".cluster.local"]

    /// The variables for KubeSolo and the programs in it; addresses that DHCP gives are added at start.
    func variables(_ network: Network) -> [(name: String, value: String)] {
        let own = network.interfaces.flatMap(\.addresses).map(\.address.description)
        var listed: Set<String> = []
        let exceptions = (Self.cluster + own + exceptions).filter { listed.insert($0).inserted }
        return [("HTTP_PROXY", http), ("HTTPS_PROXY", https), ("NO_PROXY", exceptions.joined(separator: ","))]
            .compactMap { name, value in value.map { (name, $0) } }
    }
}

extension RegistryMirrors {
    /// What containerd reads for this registry (`hosts.toml`, containerd's `docs/hosts.md`).
    ///
    /// A URL with a path is taken as it is, as that of a proxy project of Harbor's; to others containerd adds `/v2`.
    var hosts: String {
        var text = ""
        switch registry {
        case "_default": break
        // The one registry whose images are not where its name says.
        case "docker.io": text += "server = \"https://registry-1.docker.io\"\n\n"
        default: text += "server = \"https://\(registry)\"\n\n"
        }
        for mirror in mirrors {
            let url = mirror.hasSuffix("/") ? String(mirror.dropLast()) : mirror
            text += "[host.\"\(url)\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
            let parts = url.split(separator: "/", omittingEmptySubsequences: true)
            if parts.count > 2 { text += "  override_path = true\n" }
        }
        return text
    }
}

extension FileTree {
    /// Adds the mirrors of registries; `kubesolo-run` puts them where containerd looks, which is on the data disk.
    mutating func addRegistries(_ registries: [RegistryMirrors]) throws {
        for registry in registries {
            let isName =
                registry.registry == "_default"
                || !registry.registry.isEmpty
                    && registry.registry.utf8.allSatisfy {
                        (48...58).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46
                    }
            let areURLs = registry.mirrors.allSatisfy { url in
                (url.hasPrefix("https://") || url.hasPrefix("http://"))
                    && url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }
            }
            guard isName, areURLs, !registry.mirrors.isEmpty else {
                throw OverlayError(
                    .invalidValue, subject: "registry \(String(reflecting: registry.registry))",
                    detail: "needs a name such as docker.io and the URLs of its mirrors")
            }
            try addFile(
                "etc/ksbuild/registries/\(registry.registry)/hosts.toml", registry.hosts, origin: "registries")
        }
    }

    /// Lets people use the `kubectl` that a layer has brought: KubeSolo has none of its own.
    ///
    /// Root alone may read the administrator's configuration, and `doas` lets its name through.
    mutating func addKubectlSettings(_ disk: DataDisk) throws {
        guard self[try EntryPath("usr/local/bin/kubectl")] != nil else { return }
        let path = try EntryPath("etc/profile.d/kubesolo.sh")
        guard self[path] == nil else { return }
        try addFile(
            path.string,
            """
            # The kubectl of this node finds its cluster.
            export KUBECONFIG=\(ShellSettings.quoted("\(disk.mountPoint)/pki/admin/admin.kubeconfig"))

            """, origin: "kubectl")
    }
}
