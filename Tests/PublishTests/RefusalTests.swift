import Artefact
import Bundle
import BundleSamples
import Publish
import Registry
import SystemPackage
import TestSupport
import Testing

/// What a pull does not take, each with its reason and nothing left behind.
struct RefusalTests {
    /// A layout with one version of a bundle, whose manifest a test may change.
    private static func layout(_ project: borrowing PublishProject) async throws -> (ImageLayout, ImageManifest) {
        let bundle = try BundleFolder(try project.build("1.4.0"))
        let layout = ImageLayout(project.scratch.path.appending("layout"))
        try layout.create()
        _ = try await RepositoryPublication(bundle, in: layout).run()
        let found = try #require(try await layout.manifest(.tag("1.4.0")))
        return (layout, try ImageManifest(decoding: found.bytes, named: "m"))
    }

    private static func refusal(
        _ project: borrowing PublishProject, _ manifest: ImageManifest, in layout: ImageLayout
    ) async throws -> PublishError {
        _ = try await layout.push(manifest: manifest.encoded(), mediaType: ImageManifest.mediaType, as: .tag("bad"))
        let out = project.scratch.path.appending("pulled")
        let error = await #expect(throws: PublishError.self) {
            try await RepositoryPull(
                from: layout, tag: "bad", digest: nil, into: BundleStore(out), accepting: Acceptance()
            ).run()
        }
        if HostFile.exists(out) { #expect(try HostFile.names(in: out) == []) }
        return try #require(error)
    }

    @Test func `an artefact of another kind is no bundle`() async throws {
        let project = try PublishProject()
        var (layout, manifest) = try await Self.layout(project)
        manifest.artifactType = "application/vnd.other.v1"
        let error = try await Self.refusal(project, manifest, in: layout)
        #expect(error.code == .notABundle)
        #expect(error.description.contains("application/vnd.other.v1"))
        manifest.artifactType = nil
        #expect(try await Self.refusal(project, manifest, in: layout).description.contains("oci.empty"))
    }

    @Test(arguments: ["../x", "/etc/x", "a/../b", ".hidden", "a//b", "", "a\u{0}b", "edge-1.4.0-x86_64-kubesolo"])
    func `a file outside of the bundle, without a name or named twice is not taken`(_ title: String) async throws {
        let project = try PublishProject()
        var (layout, manifest) = try await Self.layout(project)
        manifest.layers[0].annotations[Descriptor.title] = title
        let error = try await Self.refusal(project, manifest, in: layout)
        #expect(error.code == .notABundle, "\(error)")
    }

    @Test func `a layer without a title, one too many and one too few are told of`() async throws {
        let project = try PublishProject()
        let (layout, manifest) = try await Self.layout(project)
        var changed = manifest
        changed.layers[1].annotations = [:]
        #expect(try await Self.refusal(project, changed, in: layout).description.contains("without a title"))
        changed = manifest
        changed.layers.append(.empty)
        changed.layers[changed.layers.count - 1].annotations[Descriptor.title] = "extra.bin"
        #expect(try await Self.refusal(project, changed, in: layout).description.contains("does not list: 'extra.bin'"))
        for index in manifest.layers.indices {
            changed = manifest
            let title = try #require(changed.layers.remove(at: index).annotations[Descriptor.title])
            #expect(try await Self.refusal(project, changed, in: layout).description.contains("lacks '\(title)'"))
        }
    }

    @Test func `a mix of two versions is refused, whichever file is of the other one`() async throws {
        let project = try PublishProject()
        let (layout, manifest) = try await Self.layout(project)
        let other = try BundleFolder(
            project.build("1.4.0", overlay: "other", in: project.scratch.path.appending("other")))
        _ = try await RepositoryPublication(other, in: layout, tag: "other").run()
        let found = try #require(try await layout.manifest(.tag("other")))
        let theirs = try ImageManifest(decoding: found.bytes, named: "m")
        var mixed = 0
        for (index, layer) in theirs.layers.enumerated() where layer.digest != manifest.layers[index].digest {
            var changed = manifest
            changed.layers[index] = layer
            let error = try await Self.refusal(project, changed, in: layout)
            #expect(error.description.contains("two bundles"), "\(error)")
            mixed += 1
        }
        // Overlay, seed, manifest and checksums.
        #expect(mixed == 4)
        var changed = manifest
        changed.annotations["org.opencontainers.image.version"] = "1.3.0"
        #expect(
            try await Self.refusal(project, changed, in: layout).description.contains("says that it is version '1.3.0'")
        )
    }

    @Test func `an older version is refused where a newer one was confirmed, unless that is wanted`() async throws {
        let project = try PublishProject()
        for version in ["1.4.0", "1.5.0"] {
            try project.build(version)
            #expect(try await project.command("publish", "oci-layout:layout", version).succeeded)
        }
        #expect(try await project.command("pull", "oci-layout:layout:1.5.0", "--out", "a").succeeded)
        #expect(try await project.command("activate", "1.5.0", "--out", "a").succeeded)
        #expect(try await project.command("confirm", "--out", "a").succeeded)
        // A replayed tag: `latest` leads to the old version.
        let replayed = try await run(
            "skopeo", ["copy", "oci:layout:1.4.0", "oci:layout:latest"], in: project.scratch.path)
        #expect(replayed.succeeded, "\(replayed.errors)")
        let refused = try await project.command("pull", "oci-layout:layout", "--out", "a")
        #expect(refused.exitCode == 1)
        #expect(refused.errors.contains("is older than 1.5.0"), "\(refused.errors)")
        #expect(try HostFile.names(in: project.scratch.path.pushing("a/bundles")) == ["1.5.0"])
        #expect(try await project.command("pull", "oci-layout:layout", "--allow-downgrade", "--out", "a").succeeded)
    }

    @Test func `a digest that does not fit, another key and no signature are refused`() async throws {
        let project = try PublishProject()
        let made = try await project.command("keygen", "--signing", "own")
        #expect(made.succeeded, "\(made.errors)")
        #expect(try await project.command("keygen", "--signing", "other").succeeded)
        let key = try MinisignSecretKey(ofFile: project.scratch.path.appending("own.key"))
        let bundle = try project.build("1.4.0", key: key)
        try project.build("1.5.0")
        for version in ["1.4.0", "1.5.0"] {
            #expect(try await project.command("publish", "oci-layout:layout", version).succeeded)
        }
        let layout = ImageLayout(project.scratch.path.appending("layout"))
        let digests = [
            try #require(try await layout.manifest(.tag("1.4.0"))).descriptor.name,
            try #require(try await layout.manifest(.tag("1.5.0"))).descriptor.name,
        ]
        let zeros = "sha256:" + String(repeating: "0", count: 64)
        for (source, words, code) in [
            ("oci-layout:layout:1.4.0@\(digests[1])", [], 1), ("oci-layout:layout:1.4.0@\(zeros)", [], 66),
            ("oci-layout:layout:1.4.0", ["--verify-key", "other.pub"], 1),
            ("oci-layout:layout:1.5.0", ["--verify-key", "own.pub"], 1), ("oci-layout:layout:9.9.9", [], 66),
        ] as [(String, [String], Int)] {
            let refused = try await run(
                try Product.ksbuild.string, ["pull", source, "--out", "a"] + words, in: project.scratch.path)
            #expect(refused.exitCode == code, "\(source) \(words): \(refused.errors)")
            // Nothing large was fetched to find that out.
            #expect(!HostFile.exists(project.scratch.path.pushing("a/store")))
            #expect(!HostFile.exists(project.scratch.path.pushing("a/bundles")))
        }
        let taken = try await project.command(
            "pull", "oci-layout:layout@\(digests[0])", "--verify-key", "own.pub", "--out", "a")
        #expect(taken.succeeded, "\(taken.errors)")
        let there = project.scratch.path.pushing("a/bundles/1.4.0")
        #expect(try PublishProject.contents(there) == PublishProject.contents(bundle))
        #expect(try HostFile.names(in: there).contains("SHA256SUMS.minisig"))
    }

    @Test func `another bundle under a version that the store has is refused`() async throws {
        let project = try PublishProject()
        try project.build("1.4.0")
        #expect(try await project.command("publish", "oci-layout:layout").succeeded)
        try project.build("1.4.0", overlay: "other", in: project.scratch.path.appending("a"))
        let refused = try await project.command("pull", "oci-layout:layout:1.4.0", "--out", "a")
        #expect(refused.exitCode == 73)
        #expect(refused.errors.contains("another content"), "\(refused.errors)")
        // The very same one is no change.
        let same = try await project.command("pull", "oci-layout:layout:1.4.0")
        #expect(same.succeeded, "\(same.errors)")
    }

    @Test func `a tag that stands for something else is moved only when that is said`() async throws {
        let project = try PublishProject()
        try project.build("1.4.0")
        try project.build("1.5.0")
        #expect(try await project.command("publish", "oci-layout:layout:stable", "1.4.0").succeeded)
        let refused = try await project.command("publish", "oci-layout:layout:stable", "1.5.0")
        #expect(refused.exitCode == 73)
        #expect(refused.errors.contains("--replace"), "\(refused.errors)")
        #expect(try await project.command("publish", "oci-layout:layout:stable", "1.5.0", "--replace").succeeded)
        #expect(try await project.command("publish", "oci-layout:layout", "1.5.0", "--latest").succeeded)
        let older = try await project.command("publish", "oci-layout:layout", "1.4.0", "--latest")
        #expect(older.succeeded)
        #expect(older.errors.contains("'latest' stays at 1.5.0"), "\(older.errors)")
    }

    @Test func `a tag that moves is taken from nothing but older versions of the same bundle`() async throws {
        let project = try PublishProject()
        let (layout, manifest) = try await Self.layout(project)
        var foreign = manifest
        foreign.artifactType = "application/vnd.other.v1"
        _ = try await layout.push(manifest: foreign.encoded(), mediaType: ImageManifest.mediaType, as: .tag("latest"))
        try project.build("1.5.0")
        let refused = try await project.command("publish", "oci-layout:layout", "1.5.0", "--latest")
        #expect(
            refused.exitCode == 73
                && refused.errors.contains("layout:latest: stands for something that is no version of edge"))
        #expect(try await layout.manifest(.tag("1.5.0")) == nil)
        #expect(try await project.command("publish", "oci-layout:layout", "1.5.0", "--latest", "--replace").succeeded)
        let other = try project.build("1.6.0", name: "other", in: project.scratch.path.appending("other"))
        let another = try await project.command("publish", "oci-layout:layout", other.string, "--latest")
        #expect(another.exitCode == 73 && another.errors.contains("no version of other"), "\(another.errors)")
        try project.build("1.7.0")
        #expect(try await project.command("publish", "oci-layout:layout", "1.7.0", "--latest").succeeded)
    }

    @Test func `each signature has the type of its own format`() async throws {
        let project = try PublishProject()
        #expect(try await project.command("keygen", "--signing", "own").succeeded)
        let key = try MinisignSecretKey(ofFile: project.scratch.path.appending("own.key"))
        let bundle = try BundleFolder(try project.build("1.4.0", key: key))
        let layout = ImageLayout(project.scratch.path.appending("layout"))
        try layout.create()
        _ = try await RepositoryPublication(bundle, in: layout).run()
        let found = try #require(try await layout.manifest(.tag("1.4.0")))
        let layers = try ImageManifest(decoding: found.bytes, named: "m").layers
        let types = Dictionary(
            uniqueKeysWithValues: layers.map { ($0.annotations[Descriptor.title] ?? "", $0.mediaType) })
        #expect(types["SHA256SUMS.minisig"] == "application/vnd.ksbuild.signature.v1+minisign")
        #expect(types["SHA256SUMS.sig"] == "application/vnd.ksbuild.signature.v1+sshsig")
    }
}
