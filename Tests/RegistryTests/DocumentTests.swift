import Artefact
import Registry
import Testing

/// Manifests and indexes that others wrote, some of them to do harm.
struct DocumentTests {
    private static let hex = String(repeating: "ab", count: 32)
    private static let layer = #"{"mediaType":"text/plain","digest":"sha256:\#(hex)","size":4}"#
    private static let config =
        #"{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"#
        + #""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#

    private static func manifest(_ layers: String, config: String = config, more: String = "") -> String {
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\#(more)"#
            + #""config":\#(config),"layers":[\#(layers)]}"#
    }

    @Test func `a manifest has one text, which reads back`() throws {
        let manifest = ImageManifest(
            artifactType: "application/x",
            layers: [Descriptor(mediaType: "text/plain", of: [1, 2], annotations: ["b": "1", "a": "/"])],
            annotations: ["z": "1", "a": "2"])
        let bytes = try manifest.encoded()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix(#"{"annotations":{"a":"2","z":"1"},"artifactType":"application/x","config":{"digest":"#))
        #expect(!text.contains(" ") && !text.contains(#"\/"#))
        #expect(try ImageManifest(decoding: bytes, named: "m") == manifest)
        #expect(Descriptor.empty.digest.hex == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    }

    @Test(arguments: [
        ("", "is no JSON"), ("nonsense", "is no JSON"), ("[]", "wrong type"), ("{}", "schema"),
        (#"{"schemaVersion":1}"#, "schema 1"),
        (#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#, "image.index"),
        (#"{"schemaVersion":2}"#, "lacks 'config'"),
        (manifest(layer.replacing(#""size":4"#, with: #""size":-4"#)), "is negative"),
        (manifest(layer.replacing(#""size":4"#, with: #""size":9223372036854775808"#)), "a number that does not fit"),
        (manifest(layer.replacing(#""size":4"#, with: #""size":1.5"#)), "a number that does not fit"),
        (manifest(layer.replacing(#""size":4"#, with: #""size":"4""#)), "layers.[0].size"),
        (manifest(layer.replacing("sha256:", with: "md5:")), "'sha256:' digest"),
        (manifest(layer.replacing("sha256:ab", with: "sha256:AB")), "'sha256:' digest"),
        (manifest(layer.replacing("sha256:ab", with: "sha256:../")), "'sha256:' digest"),
        (manifest(layer.replacing("text/plain", with: "text")), "no media type"),
        (manifest(layer.replacing("text/plain", with: "text/plain\\r\\nX: y")), "no media type"),
        (manifest(layer.replacing(#","size":4"#, with: "")), "lacks 'layers.[0].size'"),
        (manifest("4"), "wrong type"), (manifest(layer, more: #""annotations":{"a":1},"#), "wrong type"),
        (String(repeating: "[", count: 100_000), "is no JSON"),
        (manifest(layer, more: #""annotations":\#(String(repeating: #"{"a":"#, count: 50_000))"#), "is no JSON"),
    ])
    func `a manifest that is none is refused with the reason`(_ text: String, _ why: String) {
        let error = #expect(throws: RegistryError.self) { try ImageManifest(decoding: Array(text.utf8), named: "m") }
        #expect(error?.description.contains(why) == true, "\(String(describing: error))")
        #expect(error?.failureClass == .data)
        #expect((error?.description.utf8.count ?? 0) < 400)
    }

    @Test func `what is larger or longer than any manifest is refused before it costs much`() {
        let large = [UInt8](repeating: 0x20, count: 5 << 20)
        #expect(throws: RegistryError.self) { try ImageManifest(decoding: large, named: "m") }
        let many = Self.manifest([String](repeating: Self.layer, count: 20_000).joined(separator: ","))
        let error = #expect(throws: RegistryError.self) { try ImageManifest(decoding: Array(many.utf8), named: "m") }
        #expect(error?.code == .invalidDocument)
    }

    @Test func `an index keeps what others put into it`() throws {
        let text = #"""
            {"schemaVersion":2,"annotations":{"org.example":"kept"},"x":[1,-2.5,null,true,{"y":"z"}],"manifests":[
            {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:\#(Self.hex)","size":7,
            "platform":{"os":"linux","architecture":"amd64"},"data":"e30="}]}
            """#
        var index = try ImageIndex(decoding: Array(text.utf8), named: "i")
        let own = Descriptor(mediaType: ImageManifest.mediaType, of: [1])
        let isNew = index.insert(own)
        let isNewAgain = index.insert(own)
        #expect(isNew && !isNewAgain)
        let again = String(decoding: try index.encoded(), as: UTF8.self)
        for part in [
            #""annotations":{"org.example":"kept"}"#, #""x":[1,-2.5,null,true,{"y":"z"}]"#,
            #""platform":{"os":"linux","architecture":"amd64"}"#, #""data":"e30=""#, own.name,
        ] {
            #expect(again.contains(part), "\(again)")
        }
    }

    /// Entries that an index may have and that mean nothing here, or are wrong.
    static let foreign = [
        #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha512:\#(hex)\#(hex)","size":7}"#,
        #"{"digest":"sha256:\#(hex)","mediaType":"application/x; charset=utf-8", "size":7}"#,
        #"{"mediaType":"a/b","digest":"sha256:\#(hex)","size":7,"annotations":{"n":[1.0, 1e3, 12345678901234567890123]}}"#,
        #"{ "mediaType" : "a/b", "digest" : "sha256:\#(hex)", "size" : -1, "x,]}" : "\\\",\/\u0041" }"#,
        #"{"digest":"blake3:00","annotations":{"org.opencontainers.image.ref.name":"theirs"}}"#, "[]", "null",
        #"",[{""#,
    ]

    @Test func `entries of an index that mean nothing here keep their bytes and hinder no other`() throws {
        let own = Descriptor(mediaType: ImageManifest.mediaType, of: [1])
        for first in [true, false] {
            let known = #"{"size":1,"mediaType":"\#(own.mediaType)","digest":"\#(own.name)"}"#
            let list = first ? [known] + Self.foreign : Self.foreign + [known]
            let text = #"{"schemaVersion":2,"x":1.0,"manifests":[\#(list.joined(separator: " ,\n"))]}"#
            var index = try ImageIndex(decoding: Array(text.utf8), named: "i")
            #expect(index.manifests == [own])
            let isNew = index.insert(Descriptor(mediaType: ImageManifest.mediaType, of: [2]))
            #expect(isNew)
            let again = try index.encoded()
            let written = String(decoding: again, as: UTF8.self)
            #expect(written.contains(#""manifests":[\#(list.joined(separator: ",")),{"#), "\(written)")
            #expect(written.hasSuffix(#","schemaVersion":2,"x":1.0}"#), "\(written)")
            #expect(try ImageIndex(decoding: again, named: "i").encoded() == again)
        }
    }

    @Test(arguments: [
        ("", "is no JSON"), ("[]", "wrong type"), ("{}", "lacks 'manifests'"),
        (#"{"manifests":[]}"#, "no OCI image index"),
        (#"{"schemaVersion":1,"manifests":[]}"#, "no OCI image index"),
        (#"{"schemaVersion":2,"mediaType":"a/b","manifests":[]}"#, "no OCI image index"),
        (#"{"schemaVersion":2,"manifests":{}}"#, "wrong type"),
        (#"{"schemaVersion":2,"manifests":[],"a":1,"\u0061":2}"#, "a key twice"),
        (#"{"schemaVersion":2,"manifests":[\#(String(repeating: "[", count: 50_000))"#, "is no JSON"),
    ])
    func `an index that is none is refused with the reason`(_ text: String, _ why: String) {
        let error = #expect(throws: RegistryError.self) { try ImageIndex(decoding: Array(text.utf8), named: "i") }
        #expect(error?.code == .invalidDocument)
        #expect(error?.description.contains(why) == true, "\(String(describing: error))")
    }
}
