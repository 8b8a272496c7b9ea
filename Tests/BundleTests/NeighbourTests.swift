import Artefact
import Bundle
import BundleSamples
import Glibc
import SystemPackage
import TestSupport
import Testing

/// A store in the middle of other things: other users' files, file systems without hard links, names of any bytes.
struct NeighbourTests {
    private func v(_ text: String) throws -> Version { try Version(text) }

    @Test(arguments: [Errno.notPermitted, .tooManyLinks, .improperLink])
    func `where the system refuses a hard link, files are copied`(errno: Errno) throws {
        let workshop = try Workshop()
        try workshop.publish("1.0.0", overlay: "one")
        let disk = StoreDisk { change in
            if case .link(let path) = change { throw ArtefactError.system("link", path, errno) }
        }
        let stage = try Samples.stage("2.0.0", overlay: "two", iso: workshop.iso)
        let publication = try BundleStore(workshop.out, disk: disk).publish(stage)
        #expect(publication.outcome == .published)
        #expect(publication.newBytes == 3 + 13)
        #expect(try workshop.store.verify(v("2.0.0")).findings == [])
        #expect(try hasNoLeftovers(workshop.out))
        for artefact in publication.manifest.artefacts {
            #expect(try HostFile.status(of: publication.path.appending(artefact.file)).links == 1)
        }
        #expect(try workshop.publish("3.0.0", overlay: "two").newBytes == 0)
    }

    @Test func `any other reason for which a link is refused is an error`() throws {
        let workshop = try Workshop()
        let disk = StoreDisk { change in
            if case .link(let path) = change { throw ArtefactError.system("link", path, .noSpace) }
        }
        #expect(throws: ArtefactError.self) {
            try BundleStore(workshop.out, disk: disk).publish(try Samples.stage("1.0.0", iso: workshop.iso))
        }
    }

    @Test func `names that are not UTF-8 do not stand in the way, and are findings inside a bundle`() async throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0", "2.0.0"])
        let script = #"for folder in . bundles; do : > "$folder/$(printf 'a\377b')"; done"#
        #expect(try await run("sh", ["-ec", script], in: workshop.out).succeeded)
        for version in ["1.0.0", "2.0.0"] { try workshop.prove(version) }
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.0.0"))
        #expect(try workshop.store.list().map(\.version.description) == ["1.0.0", "2.0.0"])
        try workshop.publish("3.0.0")
        let stray = #"chmod u+w bundles/3.0.0; : > "bundles/3.0.0/$(printf 'a\377b')"; chmod u-w bundles/3.0.0"#
        #expect(try await run("sh", ["-ec", stray], in: workshop.out).succeeded)
        #expect(try workshop.store.verify(v("3.0.0")).findings.map(\.problem) == [.extra])
        #expect(try await run("sh", ["-ec", "rm -rf bundles/3.0.0 a* bundles/a*"], in: workshop.out).succeeded)
    }

    @Test func `a name that is too long for a bundle is refused with both numbers`() throws {
        let workshop = try Workshop()
        let stage = Stage(
            try Samples.description("1.0.0"),
            artefacts: [StagedArtefact(.overlay, file: String(repeating: "n", count: 217), bytes: [1])])
        let error = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(error?.code == .invalidStage)
        #expect(error?.description.contains("too long") == true)
        #expect(error?.description.contains("(217 of 200 bytes)") == true)
        #expect(!HostFile.exists(workshop.out))
    }

    @Test func `switching where no store is makes nothing`() throws {
        let workshop = try Workshop()
        for isThere in [false, true] {
            if isThere { try HostFile.makeDirectory(workshop.out) }
            let activating = #expect(throws: BundleError.self) {
                try workshop.store.activate(v("1.0.0"), Samples.occasion)
            }
            let returning = #expect(throws: BundleError.self) { try workshop.store.rollback(Samples.occasion) }
            for error in [activating, returning] {
                #expect(error?.code == .notFound)
                #expect(error?.description.contains("no store is there") == true)
            }
            #expect(HostFile.exists(workshop.out) == isThere)
        }
        #expect(try snapshot(workshop.out).isEmpty)
    }

    @Test func `a history that cannot be one is refused with the way out`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0"])
        let path = workshop.out.appending("history.jsonl")
        for kind in ["large", "directory", "link", "pipe"] {
            switch kind {
            case "large":
                try StagedFile.write([], to: path)
                let file = try FileDescriptor.open(path, .writeOnly)
                try file.resize(to: Int64(History.maximumBytes) + 1)
                try file.close()
            case "directory": try HostFile.makeDirectory(path)
            case "link": try HostFile.makeSymlink(path, to: "elsewhere")
            default: #expect(unsafe path.withPlatformString { name in unsafe mkfifo(name, 0o600) } == 0)
            }
            let error = #expect(throws: BundleError.self) {
                try workshop.store.activate(v("1.0.0"), Samples.occasion)
            }
            #expect(error?.code == .invalidHistory, "\(kind)")
            #expect(error?.description.contains("move it away") == true, "\(kind)")
            #expect(try workshop.store.current() == nil)
            try HostFile.removeTree(path)
        }
        _ = try workshop.store.activate(v("1.0.0"), Samples.occasion)
    }

    @Test func `a bundle is verified through a link to it, but a link in a store is no bundle`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0"])
        _ = try workshop.store.activate(v("1.0.0"), Samples.occasion)
        #expect(try BundleVerification.read(workshop.out.appending("current")).isGood)
        try HostFile.makeSymlink(workshop.out.pushing("bundles/2.0.0"), to: "1.0.0")
        #expect(throws: BundleError.self) { try workshop.store.verify(v("2.0.0")) }
        #expect(throws: BundleError.self) { try workshop.store.activate(v("2.0.0"), Samples.occasion) }
        let dangling = workshop.out.appending("dangling")
        try HostFile.makeSymlink(dangling, to: "bundles/3.0.0")
        let error = #expect(throws: BundleError.self) { try BundleVerification.read(dangling) }
        #expect(error?.code == .notFound)
        #expect(error?.description.contains("'bundles/3.0.0'") == true)
    }

    @Test func `a pointer to a name that is not UTF-8 is a broken one`() async throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0"])
        let script = #"ln -s "$(printf 'a\377b')" current"#
        #expect(try await run("sh", ["-ec", script], in: workshop.out).succeeded)
        let error = #expect(throws: BundleError.self) { try workshop.store.current() }
        #expect(error?.code == .brokenPointer)
        #expect(try workshop.store.activate(v("1.0.0"), Samples.occasion).isChange)
    }
}
