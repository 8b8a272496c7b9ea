import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// What a manifest says of the media that its artefacts compose to.
struct MediaTests {
    private static let digest = Digest(of: Array("medium".utf8))

    private static func artefacts(_ roles: [Manifest.Role]) -> [Manifest.Artefact] {
        roles.map { role in
            .init(role: role, file: "edge.\(role.rawValue)", size: 1, sha256: digest, mode: EntryMode(0o444))
        }
    }

    private static let all: [Manifest.Role] = [.overlay, .seed, .alpineISO, .kubesolo, .packages]

    private func sample() throws -> Manifest {
        try Manifest(
            try Samples.description("1.4.0"), artefacts: Self.artefacts(Self.all),
            media: [
                MediumRecipe(file: "edge.seed.iso", composition: .seed, result: nil),
                MediumRecipe(
                    file: "edge.iso",
                    composition: .boot(overlay: "edge.apkovl.tar.gz", arguments: ["panic=10", "quiet"]),
                    result: .init(size: 7, sha256: Self.digest)),
            ])
    }

    @Test func `the text is fixed to the byte and reads back`() throws {
        let manifest = try sample()
        let text = String(decoding: try manifest.encoded(), as: UTF8.self)
        #expect(
            text.contains(
                """
                  "media" : [
                    {
                      "arguments" : [
                        "panic=10",
                        "quiet"
                      ],
                      "file" : "edge.iso",
                      "kind" : "boot",
                      "overlay" : "edge.apkovl.tar.gz",
                      "sha256" : "\(Self.digest)",
                      "size" : 7
                    },
                    {
                      "file" : "edge.seed.iso",
                      "kind" : "seed"
                    }
                  ],

                """), "\(text)")
        #expect(try Manifest(decoding: Array(text.utf8)) == manifest)
        #expect(manifest.medium(.seed)?.file == "edge.seed.iso" && manifest.medium(.boot)?.result?.size == 7)
    }

    @Test(arguments: [
        ManifestFault(old: "\"kind\" : \"seed\"", new: "\"kind\" : \"tape\"", reason: "unknown kind 'tape'"),
        ManifestFault(
            old: "\"kind\" : \"seed\"", new: "\"kind\" : \"boot\"", reason: "without 'overlay' or 'arguments'"),
        ManifestFault(old: "\"kind\" : \"boot\"", new: "\"kind\" : \"seed\"", reason: "has two media of one kind"),
        ManifestFault(old: "edge.seed.iso", new: "EDGE.iso", reason: "has two media of one name"),
        ManifestFault(old: "edge.seed.iso", new: "edge.packages", reason: "'media.file' is no name"),
        ManifestFault(old: "edge.seed.iso", new: "a/b", reason: "'media.file' is no name"),
        ManifestFault(
            old: "\"overlay\" : \"edge.", new: "\"overlay\" : \"../edge.", reason: "'media.overlay' is no name"),
        ManifestFault(old: "\"quiet\"", new: "\"a b\"", reason: "'media.arguments' are not"),
        ManifestFault(old: "\"quiet\"", new: "\"\"", reason: "'media.arguments' are not"),
        ManifestFault(old: "\"size\" : 7", new: "\"size\" : 9223372036854775808", reason: "'media.size' is a size"),
        ManifestFault(old: ",\n      \"size\" : 7", new: "", reason: "which go together"),
        ManifestFault(
            old: "\"kind\" : \"seed\"", new: "\"kind\" : \"seed\",\n      \"overlay\" : \"a\"",
            reason: "'media.overlay'"),
        ManifestFault(
            old: "\"role\" : \"seed\"", new: "\"role\" : \"packages\"", reason: "has several artefacts of packages"),
        ManifestFault(
            old: "\"role\" : \"alpine-iso\"", new: "\"role\" : \"kubesolo\"", reason: "with the role alpine-iso"),
        ManifestFault(old: "\"role\" : \"packages\"", new: "\"role\" : \"overlay\"", reason: "with the role overlay"),
    ])
    func `media that break the contract are refused with the reason`(fault: ManifestFault) throws {
        let text = String(decoding: try sample().encoded(), as: UTF8.self)
        let broken = replacingFirst(fault.old, with: fault.new, in: text)
        #expect(broken != text)
        let error = #expect(throws: BundleError.self) { try Manifest(decoding: Array(broken.utf8)) }
        #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
    }

    @Test func `a medium without a part is refused`() throws {
        for (roles, composition) in [
            ([.overlay, .kubesolo], .seed), ([.seed], .seed),
            ([.alpineISO, .overlay], .boot(overlay: "a", arguments: [])),
        ] as [([Manifest.Role], MediumRecipe.Composition)] {
            let error = #expect(throws: BundleError.self) {
                try Manifest(
                    try Samples.description("1.4.0"), artefacts: Self.artefacts(roles),
                    media: [MediumRecipe(file: "edge.iso", composition: composition, result: nil)])
            }
            #expect(error?.detail.contains("and not one artefact with the role") == true)
        }
    }

    @Test func `a bundle whose media were not composed is the same bundle, and one of other media is not`() throws {
        let workshop = try Workshop()
        func publish(_ arguments: [String], _ result: MediumRecipe.Result?) throws -> Publication {
            var stage = try Samples.stage("1.4.0", iso: workshop.iso)
            stage.media = { _, _ in
                [
                    MediumRecipe(
                        file: "edge.iso", composition: .boot(overlay: "a.apkovl.tar.gz", arguments: arguments),
                        result: result)
                ]
            }
            return try workshop.store.publish(stage)
        }
        let result = MediumRecipe.Result(size: 7, sha256: Self.digest)
        #expect(try publish(["quiet"], nil).outcome == .published)
        #expect(try publish(["quiet"], result).outcome == .identical)
        let error = #expect(throws: BundleError.self) { try publish(["loud"], nil) }
        #expect(error?.code == .versionTaken && error?.detail.contains("the media are composed otherwise") == true)
    }
}
