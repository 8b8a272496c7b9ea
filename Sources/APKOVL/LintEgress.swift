internal import Archive
internal import Artefact

/// What containerd and people leave out in silence: drop-ins, registries, proxies, kubectl.
enum EgressRules {
    static func findings(_ contents: OverlayContents) -> [LintFinding] {
        dropIns(contents) + registries(contents) + proxies(contents) + kubectl(contents)
    }

    /// KubeSolo's containerd reads `*.toml` of configuration version 3 (`docs/configuration/containerd-drop-ins.md`).
    private static func dropIns(_ contents: OverlayContents) -> [LintFinding] {
        ["etc/containerd/config.d", "etc/containerd/conf.d"].flatMap { contents.paths(below: $0) }.flatMap { path in
            guard contents.entries[path]?.kind == .file else { return [LintFinding]() }
            guard path.hasSuffix(".toml") else {
                return [
                    .warning(
                        "containerd-name", path, "containerd reads no drop-in whose name does not end in .toml",
                        "rename it")
                ]
            }
            let lines = (contents.lines(path) ?? []).map { $0.filter { $0 != " " && $0 != "\t" } }
            var findings: [LintFinding] = []
            if lines.contains(where: { $0.hasPrefix("[") && $0.contains("io.containerd.grpc.v1.cri") }) {
                findings.append(
                    .warning(
                        "containerd-version", path,
                        "names the plugin io.containerd.grpc.v1.cri of version 2, which containerd ignores in silence",
                        "write it for version 3: io.containerd.cri.v1.runtime or io.containerd.cri.v1.images"))
            } else if !lines.contains(where: { $0.hasPrefix("version=3") }) {
                findings.append(
                    .warning(
                        "containerd-version", path, "does not say that it is of version 3, as KubeSolo's own file is",
                        "begin it with: version = 3"))
            }
            return findings
        }
    }

    private static func registries(_ contents: OverlayContents) -> [LintFinding] {
        let lost = contents.entries.keys.filter {
            $0.hasPrefix("etc/containerd/certs.d/") && $0.hasSuffix("/hosts.toml")
        }
        guard let first = lost.min(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) else { return [] }
        return [
            .warning(
                "registry-place", first, "KubeSolo's containerd looks for registries below its own directory, not here",
                "put it below etc/ksbuild/registries, from where it is taken to the data disk")
        ]
    }

    private static func proxies(_ contents: OverlayContents) -> [LintFinding] {
        let path = "etc/conf.d/kubesolo"
        let names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
        func value(_ name: String) -> String? {
            contents.assignment("export \(name)", in: path) ?? contents.assignment(name, in: path)
        }
        guard names.contains(where: { value($0)?.isEmpty == false }) else { return [] }
        let exceptions = Set(
            ["NO_PROXY", "no_proxy"].compactMap(value).flatMap { $0.split(separator: ",").map(String.init) })
        let missing = ["127.0.0.1", "10.42.0.0/16", "10.43.0.0/16"].filter { !exceptions.contains($0) }
        guard !missing.isEmpty else { return [] }
        return [
            .warning(
                "proxy-cluster", path,
                "sends what is for the cluster itself through the proxy: NO_PROXY lacks \(missing.joined(separator: ", "))",
                "add them, or set proxy in the recipe")
        ]
    }

    private static func kubectl(_ contents: OverlayContents) -> [LintFinding] {
        let path = "usr/local/bin/kubectl"
        guard let member = contents.entries[path], member.kind == .file, member.mode.bits & 0o111 == 0 else {
            return []
        }
        return [
            .warning("kubectl-mode", path, "is not executable (mode \(member.mode))", "make it 0755 in the layer")
        ]
    }
}
