import Artefact
import Registry
import SystemPackage
import TestSupport
import Testing

/// Image layouts in directories: durable, shared with other tools, whole at every moment.
struct LayoutTests {
    private static func artefact(_ text: String) -> (ImageManifest, Descriptor, [UInt8]) {
        let bytes = Array(text.utf8)
        let blob = Descriptor(mediaType: "text/plain", of: bytes, annotations: [Descriptor.title: "file"])
        return (ImageManifest(artifactType: "application/vnd.example", layers: [blob]), blob.bare, bytes)
    }

    private static func fill(_ layout: ImageLayout, _ text: String, tag: String) async throws -> Digest {
        try layout.create()
        let (manifest, blob, bytes) = artefact(text)
        _ = try await layout.push(.empty, from: .bytes(Descriptor.emptyBytes))
        _ = try await layout.push(blob, from: .bytes(bytes))
        let document = try manifest.encoded()
        _ = try await layout.push(manifest: document, mediaType: ImageManifest.mediaType, as: .tag(tag))
        return Digest(of: document)
    }

    @Test func `skopeo reads a layout, and its own tags stay when another is added`() async throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("layout")
        let layout = ImageLayout(path)
        let digest = try await Self.fill(layout, "one", tag: "1.0")
        let copied = try await run("skopeo", ["copy", "oci:\(path):1.0", "oci:\(path):theirs"])
        #expect(copied.succeeded, "\(copied.errors)")
        _ = try await Self.fill(layout, "two", tag: "2.0")
        #expect(try await layout.tags(pages: 1) == ["1.0", "2.0", "theirs"])
        #expect(try await layout.manifest(.tag("theirs"))?.descriptor.digest == digest)
        let raw = try await run("skopeo", ["inspect", "--raw", "oci:\(path):1.0"])
        #expect(Digest(of: raw.output.utf8) == digest, "\(raw.errors)")
    }

    @Test func `a layout that a killed command began is gone on with, and a list without its mark is left alone`()
        async throws
    {
        let scratch = try Scratch()
        let path = scratch.path.appending("layout")
        _ = try await Self.fill(ImageLayout(path), "one", tag: "1.0")
        try HostFile.remove(path.appending("oci-layout"))
        #expect(throws: RegistryError.self) { try ImageLayout(path).create() }
        let empty = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        try StagedFile.write(Array(empty.utf8), to: path.appending("index.json"))
        _ = try await Self.fill(ImageLayout(path), "two", tag: "2.0")
        #expect(try await ImageLayout(path).tags(pages: 1) == ["2.0"])
    }

    @Test func `what others list in a layout stays as they wrote it, and is judged when it is asked for`() async throws
    {
        let scratch = try Scratch()
        let layout = ImageLayout(scratch.path.appending("layout"))
        let first = try await Self.fill(layout, "one", tag: "1.0")
        let file = layout.path.appending("index.json")
        let before = String(decoding: try HostFile.read(file, limit: 1 << 20), as: UTF8.self)
        let theirs = DocumentTests.foreign.joined(separator: ",")
        let text = before.replacing(#""manifests":["#, with: #""manifests":[\#(theirs),"#)
        try StagedFile.write(Array(text.utf8), to: file)
        #expect(try await layout.manifest(.tag("1.0"))?.descriptor.digest == first)
        #expect(try await layout.manifest(.digest(first))?.descriptor.digest == first)
        #expect(try await layout.tags(pages: 1) == ["1.0", "theirs"])
        let error = await #expect(throws: RegistryError.self) { try await layout.manifest(.tag("theirs")) }
        #expect(error?.code == .invalidDocument)
        #expect(
            error?.description.contains("index.json: the entry of tag 'theirs'") == true, "\(String(describing: error))"
        )
        let second = try await Self.fill(layout, "two", tag: "2.0")
        _ = try await Self.fill(layout, "three", tag: "1.0")
        #expect(try await layout.manifest(.tag("2.0"))?.descriptor.digest == second)
        let after = String(decoding: try HostFile.read(file, limit: 1 << 20), as: UTF8.self)
        #expect(after.contains(#""manifests":[\#(theirs),{"#), "\(after)")
        // A tag that is written goes over to what is written.
        _ = try await Self.fill(layout, "four", tag: "theirs")
        #expect(try await layout.tags(pages: 1) == ["1.0", "2.0", "theirs"])
        #expect(try await layout.manifest(.tag("theirs")) != nil)
    }

    @Test func `a list without its mark in which others have something is left alone`() async throws {
        let scratch = try Scratch()
        let text = #"{"schemaVersion":2,"manifests":[{"digest":"sha512:00"}]}"#
        let file = try scratch.file("layout/index.json", text)
        #expect(throws: RegistryError.self) { try ImageLayout(scratch.path.appending("layout")).create() }
        #expect(try HostFile.read(file, limit: 1 << 20) == Array(text.utf8))
    }

    @Test func `a tag moves, and what refers to a manifest is found by the tag of its digest`() async throws {
        let scratch = try Scratch()
        let layout = ImageLayout(scratch.path.appending("layout"))
        let first = try await Self.fill(layout, "one", tag: "latest")
        let second = try await Self.fill(layout, "two", tag: "latest")
        #expect(first != second)
        #expect(try await layout.manifest(.tag("latest"))?.descriptor.digest == second)
        let subject = try #require(try await layout.manifest(.tag("latest"))).descriptor
        for kind in ["application/a", "application/b", "application/a"] {
            let referrer = ImageManifest(artifactType: kind, layers: [.empty], subject: subject)
            _ = try await layout.push(referrer: referrer, of: second)
        }
        #expect(try await layout.referrers(of: second).map(\.artifactType) == ["application/a", "application/b"])
        #expect(try await layout.referrers(of: first) == [])
    }

    @Test func `a blob that has the name and not the bytes is written again, and refused when it is read`() async throws
    {
        let scratch = try Scratch()
        let layout = ImageLayout(scratch.path.appending("layout"))
        _ = try await Self.fill(layout, "content", tag: "1.0")
        let (_, blob, bytes) = Self.artefact("content")
        let file = layout.path.pushing(FilePath("blobs/sha256/\(blob.digest)"))
        try StagedFile.write(Array("CONTENT".utf8), to: file)
        let error = await #expect(throws: RegistryError.self) {
            try await layout.fetch(blob, into: scratch.path.appending("part"))
        }
        #expect(error?.code == .wrongBytes)
        #expect(!HostFile.exists(scratch.path.appending("part")))
        #expect(try await layout.push(blob, from: .bytes(bytes)) == .sent(7))
        #expect(try await layout.push(blob, from: .bytes(bytes)) == .present)
        try await layout.fetch(blob, into: scratch.path.appending("part"))
    }

    @Test func `a directory that holds something else is left alone`() async throws {
        let scratch = try Scratch()
        try scratch.file("here/letter.txt", "dear")
        let layout = ImageLayout(scratch.path.appending("here"))
        #expect(throws: RegistryError.self) { try layout.create() }
        #expect(try HostFile.names(in: layout.path) == ["letter.txt"])
        await #expect(throws: RegistryError.self) { try await layout.tags(pages: 1) }
        try scratch.file("new/oci-layout", #"{"imageLayoutVersion":"2.0.0"}"#)
        let error = #expect(throws: RegistryError.self) { try ImageLayout(scratch.path.appending("new")).create() }
        #expect(error?.description.contains("2.0.0") == true)
    }

    @Test func `on a full disk the former list stays whole`() async throws {
        let scratch = try Scratch()
        let disk = scratch.path.appending("disk")
        try HostFile.makeDirectories(disk)
        let mounted = try await run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk.string])
        try #require(mounted.succeeded, "\(mounted.errors)")
        let layout = ImageLayout(disk.appending("layout"))
        let error: (any Error)?
        let before: [UInt8]
        do {
            let digest = try await Self.fill(layout, "one", tag: "1.0")
            before = try HostFile.read(layout.path.appending("index.json"), limit: 1 << 20)
            let text = String(repeating: "x", count: 1 << 20)
            do {
                _ = try await Self.fill(layout, text, tag: "1.0")
                error = nil
            } catch let failure {
                error = failure
            }
            #expect(try HostFile.read(layout.path.appending("index.json"), limit: 1 << 20) == before)
            #expect(try await layout.manifest(.tag("1.0"))?.descriptor.digest == digest)
            #expect(try HostFile.names(in: layout.path.pushing("blobs/sha256")).allSatisfy { !$0.hasPrefix(".") })
        }
        _ = try await run("umount", [disk.string])
        #expect((error as? ArtefactError)?.failureClass == .io, "\(String(describing: error))")
    }
}
