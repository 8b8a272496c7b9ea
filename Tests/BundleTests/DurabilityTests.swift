import Artefact
import Bundle
import BundleSamples
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// What must be on the disk before a bundle counts as published, down to the names of the directories.
struct DurabilityTests {
    /// Keeps what a store changes, in order.
    private final class Recorder: Sendable {
        private let changes = Mutex<[StoreDisk.Change]>([])
        var disk: StoreDisk { StoreDisk { change in self.changes.withLock { $0.append(change) } } }
        var all: [StoreDisk.Change] { changes.withLock { $0 } }
    }

    @Test(arguments: [false, true])
    func `the names of all directories of a store are durable before a bundle appears`(isThere: Bool) throws {
        let workshop = try Workshop()
        // As a command leaves them that is killed between making directories and synchronising them.
        if isThere {
            for name in ["", "bundles", "store", "store/sha256"] {
                try HostFile.makeDirectory(workshop.out.pushing(FilePath(name)))
            }
        }
        let recorder = Recorder()
        _ = try BundleStore(workshop.out, disk: recorder.disk).publish(try Samples.stage("1.0.0", iso: workshop.iso))
        let end = try #require(recorder.all.firstIndex(of: .rename(workshop.out.pushing("bundles/1.0.0"))))
        let synchronised = recorder.all[..<end].compactMap { change -> FilePath? in
            guard case .synchronise(let path) = change else { return nil }
            return path
        }
        for path in [
            workshop.scratch.path, workshop.out, workshop.out.appending("store"), workshop.out.pushing("store/sha256"),
        ] {
            #expect(synchronised.contains(path), "\(path)")
        }
    }

    @Test func `each directory that is made for results is synchronised in the one above it`() throws {
        let scratch = try Scratch()
        let parent = scratch.path.appending("parent")
        try HostFile.makeDirectory(parent)
        let watch = FileDescriptor(rawValue: inotify_init1(Int32(IN_NONBLOCK)))
        defer { try? watch.close() }
        let added = unsafe parent.withPlatformString { name in
            unsafe inotify_add_watch(watch.rawValue, name, UInt32(IN_OPEN) | UInt32(IN_CREATE))
        }
        #expect(added >= 0)
        try HostFile.makeDirectories(parent.appending("a").appending("b"))
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe try buffer.withUnsafeMutableBytes { bytes in unsafe try watch.read(into: bytes) }
        // An event is a watch, a mask, a cookie and the length of the name that follows; the directory itself has none.
        var masks: [UInt32] = []
        var offset = 0
        while offset + 16 <= count {
            let words = stride(from: offset, to: offset + 16, by: 4).map { start in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(buffer[start + $1]) << (8 * UInt32($1)) }
            }
            if words[3] == 0 || words[1] & UInt32(IN_CREATE) != 0 { masks.append(words[1] & 0xfff) }
            offset += 16 + Int(words[3])
        }
        #expect(masks.first == UInt32(IN_CREATE))
        #expect(masks.dropFirst().contains(UInt32(IN_OPEN)), "the directory above was not opened to be synchronised")
    }
}
