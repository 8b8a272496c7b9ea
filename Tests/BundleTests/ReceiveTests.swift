import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// A bundle that arrives from elsewhere, ended at every change to the disk in turn.
struct ReceiveTests {
    private struct PowerFailure: Error {}

    /// Brings a bundle of one store into another.
    private static func receive(_ bundle: FilePath, into store: BundleStore, through folder: FilePath) throws {
        let manifest = try Manifest(decoding: HostFile.read(bundle.appending(Manifest.fileName), limit: 1 << 20))
        try HostFile.makeDirectories(folder)
        for artefact in manifest.artefacts where !store.holds(artefact) {
            let file = folder.appending(artefact.sha256.hex)
            try StagedFile.write(HostFile.read(bundle.appending(artefact.file), limit: 1 << 20), to: file)
            try store.keep(file, as: artefact)
        }
        _ = try store.adopt(ReceivedBundle(manifest))
    }

    @Test func `it appears whole or not at all, and the next attempt ends it`() throws {
        let workshop = try Workshop()
        let bundle = try workshop.publish("1.4.0").path
        var last = 0
        for stop in 0... {
            let out = workshop.scratch.path.appending("there-\(stop)")
            nonisolated(unsafe) var left = stop
            let disk = StoreDisk { _ in
                guard unsafe left > 0 else { throw PowerFailure() }
                unsafe left -= 1
            }
            let folder = out.appending("arriving")
            var isDone = false
            do {
                try Self.receive(bundle, into: BundleStore(out, disk: disk), through: folder)
                isDone = true
            } catch is PowerFailure {
                // The next attempt goes on.
            }
            let there = out.pushing("bundles/1.4.0")
            if HostFile.exists(there) { #expect(try BundleVerification.read(there).isGood, "after \(stop) changes") }
            try Self.receive(bundle, into: BundleStore(out), through: folder)
            #expect(try BundleVerification.read(there).isGood)
            #expect(try HostFile.names(in: out.appending("bundles")) == ["1.4.0"], "after \(stop) changes")
            try HostFile.removeTree(out)
            last = stop
            if isDone { break }
        }
        #expect(last > 40, "\(last)")
    }

    @Test func `what the store holds under a digest is read before it counts`() throws {
        let workshop = try Workshop()
        let bundle = try workshop.publish("1.4.0").path
        let manifest = try Manifest(decoding: HostFile.read(bundle.appending(Manifest.fileName), limit: 1 << 20))
        let artefact = try #require(manifest.artefacts.first { $0.role == .kubesolo })
        let out = workshop.scratch.path.appending("there")
        let store = BundleStore(out)
        try Self.receive(bundle, into: store, through: out.appending("arriving"))
        #expect(store.holds(artefact))
        let object = out.pushing("store/sha256").appending(String(artefact.sha256.hex.prefix(2))).appending(
            "\(artefact.sha256).0555")
        try HostFile.setMode(of: object, EntryMode(0o755))
        try StagedFile.write([UInt8](repeating: 1, count: Int(artefact.size)), to: object, mode: EntryMode(0o555))
        #expect(!store.holds(artefact))
    }
}
