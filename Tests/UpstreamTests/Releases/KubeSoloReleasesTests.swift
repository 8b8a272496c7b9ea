internal import Artefact
internal import Node
internal import TestSupport
internal import Testing
internal import Upstream

/// GitHub's answer about some releases, with the fields that it has besides those that are read.
enum KubeSoloListSamples {
    static let digest = String(repeating: "0123456789abcdef", count: 4)

    static func asset(_ name: String, _ tag: String, size: String = "98566144", digest: String? = digest) -> String {
        """
        {"url": "https://api.github.com/repos/portainer/kubesolo/releases/assets/1", "id": 1, "name": "\(name)",
         "label": "", "uploader": {"login": "github-actions[bot]"}, "content_type": "application/gzip",
         "state": "uploaded", "size": \(size), "digest": \(digest.map { "\"sha256:\($0)\"" } ?? "null"),
         "browser_download_url": "https://github.com/portainer/kubesolo/releases/download/\(tag)/\(name)"}
        """
    }

    static func release(
        _ tag: String, isDraft: Bool = false, isPrerelease: Bool = false, assets: [String]? = nil
    ) -> String {
        let names =
            ["amd64", "amd64-musl", "amd64-musl-offline", "arm64-musl", "arm64-musl-offline"]
            .map { "kubesolo-\(tag)-linux-\($0).tar.gz" } + ["kubesoloctl-linux-amd64", "SHA256SUMS"]
        let assets = assets ?? names.map { asset($0, tag) }
        return """
            {"url": "https://api.github.com/repos/portainer/kubesolo/releases/1", "tag_name": "\(tag)", "name": "\(tag)",
             "draft": \(isDraft), "prerelease": \(isPrerelease), "published_at": "2026-10-11T09:00:00Z",
             "assets": [\(assets.joined(separator: ","))], "body": "# Notes\\r\\n* \\ud83d\\ude80"}
            """
    }

    static func list(_ releases: [String]) -> String { "[\(releases.joined(separator: ",\n"))]" }
}

private func read(_ releases: String...) throws -> KubeSoloReleases {
    try KubeSoloReleases(bytes: Array(KubeSoloListSamples.list(releases).utf8), named: "R")
}

private func release(_ tag: String) -> String { KubeSoloListSamples.release(tag) }

private func refusal(_ text: String) -> UpstreamError? {
    #expect(throws: UpstreamError.self) { try KubeSoloReleases(bytes: Array(text.utf8), named: "R") }
}

@Suite(.timeLimit(.minutes(5))) struct KubeSoloReleasesTests {
    @Test func `the newest is found by version, and is no draft and no pre-release`() throws {
        let list = try read(
            release("v1.2.3"), release("v1.10.0"), KubeSoloListSamples.release("v1.12.0", isDraft: true),
            KubeSoloListSamples.release("v1.11.0", isPrerelease: true), release("v1.11.0-rc.1"), release("v1.9.9"),
            release("0.1.0-beta"), release("nightly"))
        #expect(try KubeSoloSelector("latest", named: "k").resolve(in: list).version.description == "v1.10.0")
        #expect(list.releases.map(\.version.description) == ["v1.11.0", "v1.11.0-rc.1", "v1.10.0", "v1.9.9", "v1.2.3"])
        #expect(try KubeSoloSelector("v1.11.0-rc.1", named: "k").resolve(in: list).isPrerelease)
    }

    @Test func `a release has the file that a node takes, with digest and size`() throws {
        let version = try #require(KubeSoloVersion("v1.2.2"))
        let wanted = KubeSoloAsset(KubeSolo(version: version, variant: .offline), .x86_64)
        let found = try KubeSoloSelector("v1.2.2", named: "k").resolve(in: read(release("v1.2.2")))
        let asset = try found.asset(wanted, source: "R")
        #expect(asset.name == "kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz")
        #expect(asset.sha256?.hex == KubeSoloListSamples.digest)
        #expect(asset.size == 98_566_144)
        #expect(found.assets[KubeSoloReleases.checksumName] != nil)
        #expect(found.kubernetes == "1.35")
    }

    @Test func `old files have no digest, and a missing file is said with what is there`() throws {
        let version = try #require(KubeSoloVersion("v1.1.4"))
        let name = "kubesolo-v1.1.4-linux-amd64-musl.tar.gz"
        let list = try read(
            KubeSoloListSamples.release(
                "v1.1.4", assets: [KubeSoloListSamples.asset(name, "v1.1.4", digest: nil)]))
        let found = try KubeSoloSelector("v1.1.4", named: "k").resolve(in: list)
        #expect(
            try found.asset(KubeSoloAsset(KubeSolo(version: version, variant: .online), .x86_64), source: "R").sha256
                == nil)
        let error = #expect(throws: UpstreamError.self) {
            try found.asset(KubeSoloAsset(KubeSolo(version: version, variant: .offline), .aarch64), source: "R")
        }
        #expect(error?.code == .notListed)
        #expect(
            error?.description
                == "R: v1.1.4 has no kubesolo-v1.1.4-linux-arm64-musl-offline.tar.gz (it has \(name))")
    }

    @Test(arguments: ["v1.1.2", "v0.2.1", "v1.1.3-rc.1"])
    func `releases that fail on Alpine are refused with the reason`(_ tag: String) throws {
        let error = #expect(throws: UpstreamError.self) { try KubeSoloSelector(tag, named: "kubesolo.release") }
        #expect(error?.code == .wrongRelease)
        #expect(
            error?.description
                == "kubesolo.release: \(tag) does not run on Alpine: before v1.1.3 its cgroup driver is always systemd's, "
                + "which OpenRC does not have; use v1.1.3 or newer")
        if !tag.contains("-") {
            #expect(throws: UpstreamError.self) { try KubeSoloSelector.latest.resolve(in: read(release(tag))) }
        }
    }

    @Test(arguments: [
        ("v1.1.3", "wipes its images"), ("v1.2.0", "wipes its images"), ("v1.2.1", "needs a second SIGTERM"),
        ("v1.2.2", ""),
        ("v1.3.0", ""),
    ])
    func `releases with a drawback are told apart`(_ tag: String, _ why: String) throws {
        let fitness = try #require(KubeSoloVersion(tag)).fitness
        switch fitness {
        case .doubtful(let text): #expect(!why.isEmpty && text.hasPrefix(why))
        case .fit: #expect(why.isEmpty)
        case .unfit: Issue.record("\(tag) runs on Alpine")
        }
    }

    @Test(arguments: ["", "1.2.2", "v1.2", "newest", "v1.2.2.tar.gz"])
    func `anything else names no release`(_ text: String) {
        let error = #expect(throws: UpstreamError.self) { try KubeSoloSelector(text, named: "kubesolo.release") }
        #expect(error?.code == .malformed)
        #expect(error?.description.hasSuffix(text == "1.2.2" ? "; write v1.2.2" : ", or latest") == true)
    }

    @Test func `a list that ends earlier than what is known is refused, and so is a release that it lacks`() throws {
        let list = try read(release("v1.2.2"), release("v1.2.3"))
        let stale = #expect(throws: UpstreamError.self) {
            try KubeSoloSelector.latest.resolve(in: list, known: KubeSoloVersion("v1.3.0"))
        }
        #expect(stale?.code == .wrongRelease)
        let missing = #expect(throws: UpstreamError.self) {
            try KubeSoloSelector("v1.2.9", named: "k").resolve(in: list)
        }
        #expect(missing?.description == "R: lists no release v1.2.9 (the newest are v1.2.3, v1.2.2)")
        #expect(throws: UpstreamError.self) { try KubeSoloSelector.latest.resolve(in: read()) }
    }

    @Test(arguments: [
        (
            #"{"message": "API rate limit exceeded for 192.0.2.1"}"#,
            "R: is no list of releases; the server says: API rate"
        ),
        ("<html>", "R: is no JSON of GitHub's releases"), ("", "R: is no JSON"), ("[{}]", "R: [0]: has no 'tag_name'"),
        (#"[{"tag_name": 1}]"#, "R: [0].tag_name: is of another kind"),
        (KubeSoloListSamples.list([release("v1.2.2"), release("v1.2.2")]), "R: [1]: lists v1.2.2 again"),
        (String(repeating: "[", count: 1 << 20), "R: is no JSON of GitHub's releases"),
        (String(repeating: " ", count: KubeSoloReleases.maximumBytes + 1), "R: is larger than"),
        ("[\(Array(repeating: release("x"), count: 1001).joined(separator: ","))]", "R: lists 1001 releases"),
    ])
    func `a list that GitHub would not give is refused with its place`(_ text: String, _ message: String) {
        let error = refusal(text)
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("\"name\": \"a\"", "\"name\": \"a/b\"", "R: [0].assets[0].name: is no file name"),
        ("\"name\": \"a\"", "\"name\": \"..\"", "R: [0].assets[0].name: is no file name"),
        ("\"size\": 98566144", "\"size\": 98566144000", "R: [0].assets[0].size: is 98566144000 bytes"),
        ("\"size\": 98566144", "\"size\": -1", "R: "), ("\"size\": 98566144", "\"size\": 1e99", "R: "),
        ("sha256:0123", "sha256:012", "R: [0].assets[0].digest: is no SHA-256 digest"),
        ("/v1.2.2/a\"", "/v1.2.1/a\"", "R: [0].assets[0].browser_download_url: does not end with /v1.2.2/a"),
        ("https://github.com/", "http://github.com/", "R: [0].assets[0].browser_download_url"),
        ("https://github.com/", "https://github.com/\\n", "R: [0].assets[0].browser_download_url"),
    ])
    func `a file that no release has is refused`(_ old: String, _ new: String, _ message: String) {
        let text = KubeSoloListSamples.list([
            KubeSoloListSamples.release("v1.2.2", assets: [KubeSoloListSamples.asset("a", "v1.2.2")])
        ])
        #expect(text.contains(old))
        let error = refusal(text.replacing(old, with: new))
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a release with more files than any has is refused`() {
        let assets = (0...KubeSoloReleases.maximumAssets).map { KubeSoloListSamples.asset("a\($0)", "v1.2.2") }
        let text = KubeSoloListSamples.list([KubeSoloListSamples.release("v1.2.2", assets: assets)])
        #expect(refusal(text)?.description == "R: [0]: has 257 files (the most is 256)")
        let twice = Array(assets.prefix(1)) + Array(assets.prefix(1))
        let same = KubeSoloListSamples.list([KubeSoloListSamples.release("v1.2.2", assets: twice)])
        #expect(refusal(same)?.description == "R: [0].assets[1].name: stands twice: a0")
    }

    @Test func `random changes give a list or an error`() {
        var random = SeededGenerator(seed: 20_261_129)
        let bytes = Array(KubeSoloListSamples.list([release("v1.2.2"), release("v1.3.0")]).utf8)
        for round in 0..<2000 {
            do { _ = try KubeSoloReleases(bytes: changed(bytes, &random), named: "R") } catch {
                #expect(!error.description.utf8.contains(0x0a), "round \(round)")
            }
        }
    }

    @Test(arguments: [
        ("v1.1.9", "v1.2.2", "Kubernetes 1.34 → 1.35", 0),
        ("v1.1.9", "v1.3.0", "Kubernetes 1.34 → 1.36 skips 1.35; upgrade to a KubeSolo with each of them first", 1),
        ("v1.3.0", "v1.9.0", "Kubernetes 1.36 → unknown", 0), ("v1.3.0", "v1.1.9", "Kubernetes 1.36 → 1.34", 0),
    ])
    func `a step over a minor release of Kubernetes is seen`(_ old: String, _ new: String, _ text: String, _ count: Int)
        throws
    {
        let step = try KubernetesStep(from: #require(KubeSoloVersion(old)), to: #require(KubeSoloVersion(new)))
        #expect(step.description == text)
        #expect(step.skipped.count == count)
    }
}
