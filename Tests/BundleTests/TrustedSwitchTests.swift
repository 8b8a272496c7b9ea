import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

struct TrustedSwitchTests {
    @Test func `only what a trusted key signed becomes live, forwards and backwards`() throws {
        let workshop = try Workshop()
        let store = workshop.store
        let key = MinisignSecretKey.generate()
        let trusted = [key.publicKey]
        try workshop.publish("1.0.0", overlay: "a", signer: nil)
        try workshop.publish("1.1.0", overlay: "b", signer: BundleSigner(MinisignSecretKey.generate()))
        try workshop.publish("1.2.0", overlay: "c", signer: BundleSigner(key))
        for version in ["1.0.0", "1.1.0"] {
            let error = #expect(throws: BundleError.self) {
                try store.activate(Version(version), Samples.occasion, trusting: trusted)
            }
            #expect(error?.code == .untrusted && error?.failureClass == .findings)
            #expect(error?.description.contains("version \(version): is not trusted (SHA256SUMS.minisig: ") == true)
            #expect(try store.current() == nil)
        }
        #expect(!HostFile.exists(workshop.out.appending("history.jsonl")))
        #expect(try store.activate(Version("1.0.0"), Samples.occasion).isChange)
        _ = try store.confirm(nil, Samples.occasion)
        #expect(try store.activate(Version("1.2.0"), Samples.occasion, trusting: trusted).isChange)
        for target in [nil, try Version("1.1.0")] as [Version?] {
            let error = #expect(throws: BundleError.self) {
                try store.rollback(to: target, Samples.occasion, trusting: trusted)
            }
            #expect(error?.code == .untrusted)
            #expect(try store.current() == Version("1.2.0"))
        }
        #expect(try store.rollback(Samples.occasion).to == Version("1.0.0"))
    }
}
