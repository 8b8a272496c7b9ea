import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// The two documents that a bundle may have, and the name of the envelope that follows from one of them.
@Suite struct EvidenceRoleTests {
    private func artefact(_ role: Manifest.Role, _ file: String) -> Manifest.Artefact {
        .init(role: role, file: file, size: 1, sha256: Digest(of: [1]), mode: EntryMode(0o444))
    }

    private func manifest(_ artefacts: Manifest.Artefact...) throws -> Manifest {
        try Manifest(Samples.description("1.4.0"), artefacts: artefacts)
    }

    @Test func `the envelope is called as the statement is`() throws {
        let statement = artefact(.provenance, "edge-1.4.0-x86_64.provenance.json")
        let both = try manifest(artefact(.sbom, "edge-1.4.0-x86_64.spdx.json"), statement)
        #expect(both.envelopeName == "edge-1.4.0-x86_64.intoto.jsonl")
        #expect(both.signatureNames == ["SHA256SUMS.minisig", "SHA256SUMS.sig", "edge-1.4.0-x86_64.intoto.jsonl"])
        #expect(try Manifest(decoding: both.encoded()) == both)
        #expect(try manifest(artefact(.provenance, "origin")).envelopeName == "origin.intoto.jsonl")
        let neither = try manifest(artefact(.overlay, "edge.apkovl.tar.gz"))
        #expect(neither.envelopeName == nil && neither.signatureNames == ["SHA256SUMS.minisig", "SHA256SUMS.sig"])
    }

    @Test func `no artefact has the name of the envelope, and there is one statement at most`() {
        func refusal(_ artefacts: Manifest.Artefact...) -> String {
            do {
                _ = try Manifest(Samples.description("1.4.0"), artefacts: artefacts)
                return "none"
            } catch { return "\(error)" }
        }
        let statement = artefact(.provenance, "a.provenance.json")
        #expect(refusal(statement, artefact(.overlay, "A.intoto.jsonl")).contains("which is the name of a signature"))
        #expect(refusal(statement, artefact(.provenance, "b")).contains("more than one artefact of role 'provenance'"))
        #expect(refusal(artefact(.sbom, "a"), artefact(.sbom, "b")).contains("more than one artefact of role 'sbom'"))
        #expect(refusal(statement, artefact(.overlay, "b.intoto.jsonl")) == "none")
    }

    @Test func `an envelope has no place in a bundle without a statement`() throws {
        let workshop = try Workshop()
        let stage = try Samples.stage("1.4.0", iso: workshop.iso)
        let publication = try workshop.store.publish(stage)
        let name = "edge-1.4.0-x86_64.intoto.jsonl"
        try HostFile.setMode(of: publication.path, EntryMode(0o755))
        try StagedFile.write(Array("{}\n".utf8), to: publication.path.appending(name), mode: EntryMode(0o444))
        try HostFile.setMode(of: publication.path, EntryMode(0o555))
        let reading = try BundleVerification.read(publication.path)
        #expect(reading.findings.map { "\($0.file) \($0.problem.rawValue)" } == ["\"\(name)\" extra"])
    }

    @Test func `a signed bundle is published with the envelope, and reads back`() throws {
        let workshop = try Workshop()
        var stage = try Samples.stage("1.4.0", iso: workshop.iso)
        let payload = Array(#"{"_type":"any"}"#.utf8)
        stage.artefacts.append(StagedArtefact(.provenance, file: "edge.provenance.json", bytes: payload))
        let key = MinisignSecretKey.generate()
        stage.signer = BundleSigner(key)
        let publication = try workshop.store.publish(stage)
        #expect(HostFile.exists(publication.path.appending("edge.intoto.jsonl")))
        #expect(try BundleVerification.read(publication.path, trusting: [key.publicKey]).isGood)
        #expect(try workshop.store.publish(stage).outcome == .identical)
        stage.signer = BundleSigner(MinisignSecretKey.generate())
        let error = #expect(throws: BundleError.self) { try workshop.store.publish(stage) }
        #expect(error?.code == .versionTaken)
    }

    @Test func `an envelope of another statement or another key is found`() throws {
        let workshop = try Workshop()
        let keys = [MinisignSecretKey.generate(), MinisignSecretKey.generate()]
        var envelopes: [[UInt8]] = []
        func publish(_ version: String, by key: MinisignSecretKey) throws -> FilePath {
            var stage = try Samples.stage(version, iso: workshop.iso)
            let payload = Array(#"{"version":"\#(version)"}"#.utf8)
            stage.artefacts.append(StagedArtefact(.provenance, file: "edge.provenance.json", bytes: payload))
            stage.signer = BundleSigner(key)
            let path = try workshop.store.publish(stage).path
            envelopes.append(try HostFile.read(path.appending("edge.intoto.jsonl"), limit: 1 << 20))
            return path
        }
        let bundle = try publish("1.4.0", by: keys[0])
        let other = try publish("1.5.0", by: keys[0])
        try HostFile.removeTree(other)
        _ = try publish("1.5.0", by: keys[1])
        // The statement of the one with the signature of the other.
        let mark = #""sig":""#
        let halves = envelopes.map { String(decoding: $0, as: UTF8.self).split(separator: mark) }
        envelopes.append(Array("\(halves[0][0])\(mark)\(halves[1][1])".utf8))
        for (index, envelope) in envelopes.enumerated() {
            try HostFile.setMode(of: bundle, EntryMode(0o755))
            try StagedFile.write(envelope, to: bundle.appending("edge.intoto.jsonl"), mode: EntryMode(0o444))
            try HostFile.setMode(of: bundle, EntryMode(0o555))
            let reading = try BundleVerification.read(bundle, trusting: [keys[0].publicKey])
            #expect(reading.findings.map(\.problem) == (index == 0 ? [] : [.badSignature]), "\(reading.findings)")
        }
    }
}
