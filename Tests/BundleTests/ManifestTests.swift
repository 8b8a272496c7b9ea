import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

struct ManifestTests {
    private func sample() throws -> Manifest {
        let digest = Digest(of: Array("overlay".utf8))
        return try Manifest(
            try Samples.description("1.4.0"),
            artefacts: [
                .init(role: .seed, file: "edge-cidata.iso", size: 71680, sha256: digest, mode: EntryMode(0o400)),
                .init(
                    role: .kubesolo, file: "edge-kubesolo", size: 9_223_372_036_854_704_127, sha256: digest,
                    mode: EntryMode(0o555)),
                .init(role: .alpineISO, file: "alpine.iso", size: 0, sha256: digest, mode: EntryMode(0o444)),
            ])
    }

    @Test func `the text of a manifest is fixed to the byte`() throws {
        let text = String(decoding: try sample().encoded(), as: UTF8.self)
        let digest = Digest(of: Array("overlay".utf8)).hex
        let tar = Digest(of: Array("tar".utf8)).hex
        let recipe = Digest(of: Array("recipe".utf8)).hex
        #expect(
            text == """
                {
                  "alpine" : {
                    "flavor" : "virt",
                    "release" : "3.23.6"
                  },
                  "architecture" : "x86_64",
                  "artefacts" : [
                    {
                      "file" : "alpine.iso",
                      "mode" : "0444",
                      "role" : "alpine-iso",
                      "sha256" : "\(digest)",
                      "size" : 0
                    },
                    {
                      "file" : "edge-cidata.iso",
                      "mode" : "0400",
                      "role" : "seed",
                      "sha256" : "\(digest)",
                      "size" : 71680
                    },
                    {
                      "file" : "edge-kubesolo",
                      "mode" : "0555",
                      "role" : "kubesolo",
                      "sha256" : "\(digest)",
                      "size" : 9223372036854704127
                    }
                  ],
                  "datastore" : {
                    "format" : "kine-sqlite",
                    "kubesolo" : "1.2"
                  },
                  "epoch" : 1767225600,
                  "hostname" : "edge-001",
                  "inputs" : [
                    {
                      "name" : "kubesolo.tar.gz",
                      "sha256" : "\(tar)",
                      "trust" : "pinned"
                    }
                  ],
                  "kubesolo" : {
                    "variant" : "offline",
                    "version" : "v1.2.2"
                  },
                  "name" : "edge",
                  "recipe" : "\(recipe)",
                  "schema" : "ksbuild/bundle/v1",
                  "secrets" : true,
                  "version" : "1.4.0"
                }

                """)
    }

    @Test func `a manifest reads back as it was written`() throws {
        let manifest = try sample()
        #expect(try Manifest(decoding: try manifest.encoded()) == manifest)
        var description = try Samples.description("2.0.0-rc.1")
        description.hostname = nil
        let other = try Manifest(description, artefacts: manifest.artefacts)
        #expect(try Manifest(decoding: try other.encoded()) == other)
    }

    @Test func `python's json module reads the same values`() async throws {
        let scratch = try Scratch()
        let path = try scratch.file("manifest.json", try sample().encoded())
        let program =
            "import json,sys; m=json.load(open(sys.argv[1])); print(m['artefacts'][2]['size'], m['epoch'], m['secrets'])"
        let result = try await run("python3", ["-c", program, path.string])
        #expect(result.output == "9223372036854704127 1767225600 True\n", "\(result.errors)")
    }

    @Test(arguments: [
        ManifestFault(old: "ksbuild/bundle/v1", new: "ksbuild/bundle/v2", reason: "follows 'ksbuild/bundle/v2'"),
        ManifestFault(old: "\"epoch\" : 1767225600,", new: "", reason: "lacks 'epoch'"),
        ManifestFault(
            old: "\"epoch\" : 1767225600", new: "\"epoch\" : \"x\"", reason: "'epoch' has a value of the wrong type"),
        ManifestFault(old: "\"epoch\" : 1767225600", new: "\"epoch\" : -1", reason: "'epoch' is before 1970"),
        ManifestFault(old: "\"epoch\" : 1767225600", new: "\"epoch\" : 1767225600.0", reason: "canonical"),
        ManifestFault(old: "\"size\" : 71680", new: "\"size\" : -1", reason: "a number that does not fit"),
        ManifestFault(
            old: "\"size\" : 71680", new: "\"size\" : 9223372036854775808", reason: "a size that no file can have"),
        ManifestFault(
            old: "\"size\" : 71680", new: "\"size\" : 18446744073709551615", reason: "a size that no file can have"),
        ManifestFault(old: "\"size\" : 71680", new: "\"size\" : 71681", reason: "and more together"),
        ManifestFault(old: "\"role\" : \"seed\"", new: "\"role\" : \"virus\"", reason: "unknown role 'virus'"),
        ManifestFault(old: "\"mode\" : \"0400\"", new: "\"mode\" : \"0777\"", reason: "has mode 0777"),
        ManifestFault(old: "\"mode\" : \"0400\"", new: "\"mode\" : \"+400\"", reason: "canonical"),
        ManifestFault(old: "\"mode\" : \"0400\"", new: "\"mode\" : \"4444\"", reason: "has mode 4444"),
        ManifestFault(old: "edge-cidata.iso", new: "../cidata.iso", reason: "no name that a file of a bundle may have"),
        ManifestFault(old: "edge-cidata.iso", new: "alpine.iso", reason: "'alpine.iso' is listed twice"),
        ManifestFault(old: "\"secrets\" : true", new: "\"secrets\" : false", reason: "'secrets' disagrees"),
        ManifestFault(old: "\"version\" : \"1.4.0\"", new: "\"version\" : \"1.4\"", reason: "is no semantic version"),
        ManifestFault(old: "\"name\" : \"edge\"", new: "\"name\" : \"\"", reason: "'name' is not"),
        ManifestFault(old: "\"name\" : \"edge\"", new: "\"name\" : \"a\\nb\"", reason: "'name' is not"),
        ManifestFault(old: "\"trust\" : \"pinned\"", new: "\"trust\" : \"sure\"", reason: "unknown trust 'sure'"),
        ManifestFault(old: "\"trust\" : \"pinned\"", new: "\"trust\" : \"pinned\", \"x\" : 1", reason: "'inputs.x'"),
        ManifestFault(old: "\"secrets\" : true", new: "\"secrets\" : true, \"secrets\" : true", reason: "canonical"),
        ManifestFault(old: "\"secrets\" : true", new: "\"secrets\" : true, \"z\" : {}", reason: "'z'"),
        ManifestFault(old: "\n}\n", new: "\n}", reason: "canonical"),
        ManifestFault(old: "\n}\n", new: "\n}\n\n", reason: "canonical"),
        ManifestFault(old: "\n}\n", new: "\n} x", reason: "is no JSON"),
        ManifestFault(old: "\n}\n", new: "", reason: "is no JSON"),
        ManifestFault(old: "{\n  \"alpine\"", new: "{ \"alpine\"", reason: "canonical"),
    ])
    func `a manifest that breaks the contract is refused with the reason`(fault: ManifestFault) throws {
        let text = String(decoding: try sample().encoded(), as: UTF8.self)
        let broken = replacingFirst(fault.old, with: fault.new, in: text)
        #expect(broken != text)
        let error = #expect(throws: BundleError.self) { try Manifest(decoding: Array(broken.utf8)) }
        #expect(error?.code == .invalidManifest)
        #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `in a large manifest no key is searched for`() throws {
        let text = String(decoding: try sample().encoded(), as: UTF8.self)
        for (count, reason) in [(1000, "unknown or stands twice: 'z'"), (1 << 18, "is not in canonical form")] {
            let list = Array(repeating: "[{}]", count: count).joined(separator: ",")
            let broken = replacingFirst("\"secrets\" : true", with: "\"secrets\" : true, \"z\" : [\(list)]", in: text)
            let error = #expect(throws: BundleError.self) { try Manifest(decoding: Array(broken.utf8)) }
            #expect(error?.detail.contains(reason) == true, "\(error?.detail ?? "")")
        }
    }

    @Test func `hostile documents are refused in bounded time`() throws {
        let deep = String(repeating: "[", count: 500_000)
        let documents: [[UInt8]] = [
            [], [0], [0xff, 0xfe, 0x7b, 0x00], Array(deep.utf8), Array("null".utf8), Array("{}".utf8), Array("[]".utf8),
            Array("{\"schema\":\"ksbuild/bundle/v1\",\"x\":\(deep)".utf8),
            [UInt8](repeating: UInt8(ascii: " "), count: Manifest.maximumBytes + 1),
            Array("\u{feff}{}".utf8), Array("{\"schema\":\"\\ud800\"}".utf8),
        ]
        for bytes in documents {
            #expect(throws: BundleError.self) { try Manifest(decoding: bytes) }
        }
    }
}

func replacingFirst(_ old: String, with new: String, in text: String) -> String {
    guard let range = text.firstRange(of: old) else { return text }
    return text.replacingCharacters(in: range, with: new)
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}

struct ChecksumListTests {
    private static let digest = String(repeating: "0a", count: 32)

    @Test func `text form and binary form are read`() throws {
        let list = try ChecksumList(decoding: Array("\(Self.digest)  a b\n\(Self.digest) *c\n".utf8))
        #expect(list.digests.keys.sorted() == ["a b", "c"])
        #expect(String(decoding: list.encoded(), as: UTF8.self) == "\(Self.digest)  a b\n\(Self.digest)  c\n")
    }

    @Test(arguments: [
        "", "\n", "x", "DIGEST", "DIGEST  ", "DIGEST  a", "DIGEST a\n", "DIGEST\ta\n", "DIGEST  /a\n", "DIGEST  ../a\n",
        "DIGEST  d/a\n", "DIGEST  ..\n", "DIGEST  .a\n", "\\DIGEST  a\n", "DIGEST  a\nDIGEST  a\n",
        "DIGEST  a\n\nDIGEST  b\n",
        "DIGEST  a\r\n", "DIGEST  a\0b\n", "# comment\n", "zDIGEST  a\n",
    ])
    func `anything else is refused with line and reason`(pattern: String) throws {
        let text = pattern.split(separator: "DIGEST", omittingEmptySubsequences: false).joined(separator: Self.digest)
        let error = #expect(throws: BundleError.self) { try ChecksumList(decoding: Array(text.utf8)) }
        #expect(error?.code == .invalidChecksums)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `a name that is not UTF-8 is refused`() {
        let bytes = Array("\(Self.digest)  a".utf8) + [0xff, 0x0a]
        #expect(throws: BundleError.self) { try ChecksumList(decoding: bytes) }
    }
}
