import Artefact
import Bundle
import BundleSamples
import Publish
import SystemPackage
import TestSupport
import Testing

/// Directories: a folder for each version and `latest`, never half visible.
struct FolderTests {
    @Test func `a folder holds exactly the bundle, byte for byte, and the same again changes nothing`() async throws {
        let project = try PublishProject()
        let bundle = try project.build("1.4.0")
        let first = try await project.command("publish", "dir:pub")
        #expect(first.succeeded, "\(first.errors)")
        let folder = project.scratch.path.pushing("pub/1.4.0")
        #expect(try PublishProject.contents(folder) == PublishProject.contents(bundle))
        #expect(try HostFile.target(ofLink: project.scratch.path.pushing("pub/latest")) == "1.4.0")
        #expect(try HostFile.names(in: folder.removingLastComponent()) == ["1.4.0", "latest"])
        // A copy: what is done to it does not reach the store.
        #expect(try HostFile.status(of: folder.appending("manifest.json")).links == 1)
        let before = try HostFile.status(of: folder).identity
        let second = try await project.command("publish", "dir:pub", "1.4.0", "--json")
        #expect(second.output.contains("\"movedBytes\" : 0"), "\(second.output)\(second.errors)")
        #expect(try HostFile.status(of: folder).identity == before)
        let sums = try await run("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], in: folder)
        #expect(sums.succeeded)
    }

    @Test func `latest names the newest version and never goes back`() async throws {
        let project = try PublishProject()
        for version in ["1.4.0", "1.10.0", "1.9.0", "2.0.0-rc.1"] { try project.build(version) }
        let link = project.scratch.path.pushing("pub/latest")
        for (version, latest) in [
            ("1.10.0", "1.10.0"), ("1.9.0", "1.10.0"), ("1.4.0", "1.10.0"), ("2.0.0-rc.1", "1.10.0"),
        ] {
            let published = try await project.command("publish", "dir:pub", version)
            #expect(published.succeeded, "\(published.errors)")
            #expect(try HostFile.target(ofLink: link) == latest)
        }
        // Names of versions that stand for no bundle are no versions.
        try HostFile.makeDirectories(project.scratch.path.pushing("pub/9.0.0"))
        try StagedFile.write([], to: project.scratch.path.pushing("pub/8.0.0"))
        #expect(try await project.command("publish", "dir:pub", "1.9.0").succeeded)
        #expect(try HostFile.target(ofLink: link) == "1.10.0")
    }

    @Test func `where there are pre-releases alone latest names the newest, and notes on one are no version`()
        async throws
    {
        let project = try PublishProject()
        for version in ["2.0.0-rc.1", "2.0.0-rc.2", "2.0.0-rc.3"] {
            try project.build(version)
            let published = try await project.command("publish", "dir:pub", version)
            #expect(published.succeeded, "\(published.errors)")
            #expect(try HostFile.target(ofLink: project.scratch.path.pushing("pub/latest")) == version)
            // The samples cannot be looked into, so it is said what was to be.
            #expect(!published.errors.contains("CHANGES.md"), "\(published.errors)")
            try StagedFile.write([], to: project.scratch.path.appending("pub").appending("\(version).CHANGES.md"))
        }
        let missing = try await project.command("pull", "dir:pub", "--out", "pulled", "--expect", "9.9.9")
        #expect(missing.exitCode == 66 && missing.errors.contains("(the newest is 2.0.0-rc.3)"), "\(missing.errors)")
    }

    @Test func `a directory of another bundle, and one within a bundle, are left as they are`() async throws {
        let project = try PublishProject()
        try project.build("1.4.0")
        #expect(try await project.command("publish", "dir:pub").succeeded)
        let other = try project.build("2.0.0", name: "other", in: project.scratch.path.appending("other"))
        let refused = try await project.command("publish", "dir:pub", other.string)
        #expect(refused.exitCode == 73 && refused.errors.contains("holds versions of edge, and this one is of other"))
        let arm = try project.build("2.0.0", architecture: "aarch64", in: project.scratch.path.appending("arm"))
        let odd = try await project.command("publish", "dir:pub", arm.string)
        #expect(odd.exitCode == 73 && odd.errors.contains("holds versions of x86_64, and this one is of aarch64"))
        #expect(try HostFile.names(in: project.scratch.path.appending("pub")) == ["1.4.0", "latest"])
        for place in ["dir:pub/1.4.0", "dir:\(other)/deeper/still", "dir:out/bundles/1.4.0"] {
            let refused = try await project.command("publish", place)
            #expect(refused.exitCode == 73 && refused.errors.contains("lies in a bundle"), "\(refused)")
        }
        #expect(try await project.command("verify", other.string).succeeded)
        #expect(try await project.command("verify", "1.4.0").succeeded)
    }

    @Test func `what stands where latest would be and is no link is found before anything is published`() async throws {
        let project = try PublishProject()
        try project.build("1.4.0")
        try HostFile.makeDirectories(project.scratch.path.appending("pub"))
        try StagedFile.write(Array("mine".utf8), to: project.scratch.path.pushing("pub/latest"))
        let refused = try await project.command("publish", "dir:pub")
        #expect(refused.exitCode == 73 && refused.errors.contains("pub/latest: is no link"), "\(refused)")
        #expect(try HostFile.names(in: project.scratch.path.appending("pub")) == ["latest"])
    }

    @Test func `what is whole and right of an attempt that ended early is not copied again, and the rest is`() throws {
        let project = try PublishProject()
        let bundle = try project.build("1.4.0")
        let pub = project.scratch.path.appending("pub")
        let hidden = pub.appending(".1.4.0.incoming")
        try HostFile.makeDirectories(hidden)
        let names = try HostFile.names(in: bundle)
        let (whole, wrong) = (names[2], names[3])
        try StagedFile.write(HostFile.read(bundle.appending(whole), limit: 1 << 24), to: hidden.appending(whole))
        // As long as it should be, with other bytes.
        let length = try HostFile.status(of: bundle.appending(wrong)).size
        try StagedFile.write([UInt8](repeating: 9, count: Int(length)), to: hidden.appending(wrong))
        try StagedFile.write([1, 2, 3], to: hidden.appending("stranger"))
        let identity = try HostFile.status(of: hidden.appending(whole)).identity
        let outcome = try FolderPublication(BundleFolder(bundle), in: pub).run()
        #expect(outcome.presentBytes == (try HostFile.status(of: bundle.appending(whole)).size))
        #expect(try HostFile.status(of: pub.pushing("1.4.0").appending(whole)).identity == identity)
        #expect(try PublishProject.contents(pub.appending("1.4.0")) == PublishProject.contents(bundle))
        #expect(try BundleVerification.read(pub.appending("1.4.0")).isGood)
    }

    @Test func `another bundle under the same version, and a folder that was changed, are refused and left`()
        async throws
    {
        let project = try PublishProject()
        try project.build("1.4.0")
        let other = try project.build("1.4.0", overlay: "other", in: project.scratch.path.appending("other"))
        #expect(try await project.command("publish", "dir:pub").succeeded)
        let folder = project.scratch.path.pushing("pub/1.4.0")
        let before = try PublishProject.contents(folder)
        let refused = try await project.command("publish", "dir:pub", other.string)
        #expect(refused.exitCode == 73)
        #expect(refused.errors.contains("holds another bundle already"), "\(refused.errors)")
        #expect(try PublishProject.contents(folder) == before)
        try HostFile.setMode(of: folder, EntryMode(0o755))
        let changed = try await project.command("publish", "dir:pub")
        #expect(changed.exitCode == 73, "\(changed.errors)")
    }

    @Test func `a bundle that is damaged is not published`() async throws {
        let project = try PublishProject()
        let bundle = try project.build("1.4.0")
        let name = try #require(try HostFile.names(in: bundle).first { $0.hasSuffix("kubesolo") })
        let file = bundle.appending(name)
        try HostFile.setMode(of: bundle, EntryMode(0o755))
        try StagedFile.write([0], to: file, mode: EntryMode(0o555))
        try HostFile.setMode(of: bundle, EntryMode(0o555))
        for place in ["dir:pub", "oci-layout:layout"] {
            let refused = try await project.command("publish", place)
            #expect(refused.exitCode == 1)
            #expect(refused.errors.contains("truncated"), "\(refused.errors)")
        }
        #expect(!HostFile.exists(project.scratch.path.appending("pub")))
    }

    @Test func `a bundle with secrets leaves only when that is said, and keeps its modes`() async throws {
        let project = try PublishProject()
        let bundle = try project.build("1.4.0", isSecret: true)
        for place in ["dir:pub", "oci-layout:layout"] {
            let refused = try await project.command("publish", place)
            #expect(refused.exitCode == 77)
            #expect(refused.errors.contains("--allow-secrets"), "\(refused.errors)")
            #expect(try await project.command("publish", place, "--allow-secrets").succeeded)
            let from = place == "dir:pub" ? place : "\(place):1.4.0"
            let pulled = try await project.command("pull", from, "--out", "pulled-\(place.count)")
            #expect(pulled.succeeded, "\(pulled.errors)")
            let there = project.scratch.path.appending("pulled-\(place.count)").pushing("bundles/1.4.0")
            #expect(try PublishProject.contents(there) == PublishProject.contents(bundle))
        }
        let blobs = project.scratch.path.pushing("layout/blobs/sha256")
        let modes = try HostFile.names(in: blobs).map { try HostFile.status(of: blobs.appending($0)).mode }
        #expect(modes.contains(EntryMode(0o400)))
    }

    @Test func `a pull takes the latest or the version that is expected, and refuses the rest`() async throws {
        let project = try PublishProject()
        for version in ["1.4.0", "1.5.0"] {
            try project.build(version)
            #expect(try await project.command("publish", "dir:pub", version).succeeded)
        }
        #expect(try await project.command("pull", "dir:pub", "--out", "a").succeeded)
        #expect(try await project.command("pull", "dir:pub", "--expect", "1.4.0", "--out", "a").succeeded)
        #expect(try HostFile.names(in: project.scratch.path.pushing("a/bundles")) == ["1.4.0", "1.5.0"])
        #expect(!HostFile.exists(project.scratch.path.pushing("a/.pull")))
        let wrong = try await project.command("pull", "dir:pub/1.5.0", "--expect", "1.4.0", "--out", "b")
        #expect(wrong.exitCode == 1, "\(wrong.errors)")
        let none = try await project.command("pull", "dir:pub", "--expect", "9.9.9", "--out", "b")
        #expect(none.exitCode == 66)
        #expect(none.errors.contains("the newest is 1.5.0"), "\(none.errors)")
        #expect(!HostFile.exists(project.scratch.path.pushing("b/bundles")))
    }
}
