import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

struct SwitchTests {
    private func v(_ text: String) throws -> Version { try Version(text) }

    @Test func `nothing is live until a version is activated, and then the pointer is one link`() throws {
        let workshop = try Workshop()
        #expect(try workshop.store.current() == nil)
        try workshop.publishAll(["1.4.0"])
        #expect(try workshop.store.current() == nil)
        let change = try workshop.store.activate(v("1.4.0"), Samples.occasion)
        #expect(change.from == nil && change.isChange)
        #expect(try workshop.store.current() == v("1.4.0"))
        #expect(try HostFile.target(ofLink: workshop.out.appending("current")) == "bundles/1.4.0")
        #expect(try workshop.store.list().map(\.isLive) == [true])
    }

    @Test func `every switch is one line of JSON with from, to, when, who, why and result`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.4.0", "1.5.0"])
        _ = try workshop.store.activate(v("1.4.0"), Samples.occasion)
        _ = try workshop.store.activate(v("1.5.0"), Occasion(when: 1_770_000_060, who: "bob", why: "\"new\"\nkernel"))
        _ = try workshop.store.rollback(to: v("1.4.0"), Occasion(when: 1_770_000_120, who: "bob", why: "no"))
        let proof = Occasion(when: 1_770_000_180, who: "bob", why: "it runs", evidence: "health state=healthy")
        _ = try workshop.store.confirm(nil, proof)
        let manifests = try ["1.4.0", "1.5.0"].map { version in
            try Digest(ofFile: workshop.out.pushing(FilePath("bundles/\(version)/manifest.json"))).hex
        }
        let text = String(
            decoding: try HostFile.read(workshop.out.appending("history.jsonl"), limit: 4096), as: UTF8.self)
        #expect(
            text == #"""
                {"manifest":"\#(manifests[0])","result":"activated","to":"1.4.0","when":"2026-02-02T02:40:00Z","who":"alice@build-7","why":"test"}
                {"from":"1.4.0","manifest":"\#(manifests[1])","result":"activated","to":"1.5.0","when":"2026-02-02T02:41:00Z","who":"bob","why":"\"new\"\nkernel"}
                {"from":"1.5.0","manifest":"\#(manifests[0])","result":"rolled-back","to":"1.4.0","when":"2026-02-02T02:42:00Z","who":"bob","why":"no"}
                {"evidence":"health state=healthy","from":"1.4.0","manifest":"\#(manifests[0])","result":"confirmed","to":"1.4.0","when":"2026-02-02T02:43:00Z","who":"bob","why":"it runs"}

                """#)
        #expect(
            try workshop.store.history().entries.map(\.occasion.when) == [
                1_770_000_000, 1_770_000_060, 1_770_000_120, 1_770_000_180,
            ])
    }

    @Test func `activating what is live verifies it and changes nothing`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.4.0"])
        _ = try workshop.store.activate(v("1.4.0"), Samples.occasion)
        let before = try snapshot(workshop.out)
        #expect(try workshop.store.activate(v("1.4.0"), Samples.occasion).isChange == false)
        #expect(try snapshot(workshop.out) == before)
    }

    @Test func `a version that is missing or damaged is not activated, and what was live stays`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.4.0", "1.5.0"])
        _ = try workshop.store.activate(v("1.4.0"), Samples.occasion)
        try corrupt(workshop.out.pushing("bundles/1.5.0/edge-1.5.0-x86_64-cidata.iso"), at: 3)
        let before = try snapshot(workshop.out)
        let damaged = #expect(throws: BundleError.self) { try workshop.store.activate(v("1.5.0"), Samples.occasion) }
        #expect(damaged?.code == .damaged)
        #expect(damaged?.description.contains("edge-1.5.0-x86_64-cidata.iso") == true)
        let missing = #expect(throws: BundleError.self) { try workshop.store.activate(v("9.0.0"), Samples.occasion) }
        #expect(missing?.code == .notFound)
        #expect(try snapshot(workshop.out) == before)
    }

    @Test(arguments: ["../../etc", "bundles/9.9.9", "bundles/../bundles/1.0.0", "/bundles/1.0.0", "bundles/1.0", ""])
    func `a pointer to anything but a bundle is reported, and activating mends it`(target: String) throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0"])
        let pointer = workshop.out.appending("current")
        if target.isEmpty {
            try HostFile.makeDirectory(pointer)
        } else {
            try HostFile.makeSymlink(pointer, to: target)
        }
        let error = #expect(throws: BundleError.self) { try workshop.store.current() }
        #expect(error?.code == .brokenPointer)
        #expect(try workshop.store.list().map(\.isLive) == [false])
        if target.isEmpty {
            let refusal = #expect(throws: BundleError.self) {
                try workshop.store.activate(v("1.0.0"), Samples.occasion)
            }
            #expect(refusal?.failureClass == .cannotCreate)
            #expect(refusal?.description.contains("is a directory") == true)
            #expect(refusal?.description.contains("remove it") == true)
            #expect(try workshop.store.history().entries.isEmpty)
        } else {
            _ = try workshop.store.activate(v("1.0.0"), Samples.occasion)
            #expect(try workshop.store.current() == v("1.0.0"))
        }
    }

    @Test func `a pointer that was moved by hand is noted before the next switch`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0", "2.0.0", "3.0.0"])
        _ = try workshop.store.activate(v("1.0.0"), Samples.occasion)
        let pointer = workshop.out.appending("current")
        try HostFile.remove(pointer)
        try HostFile.makeSymlink(pointer, to: "bundles/2.0.0")
        _ = try workshop.store.activate(v("3.0.0"), Samples.occasion)
        let entries = try workshop.store.history().entries
        #expect(entries.map(\.result) == [.activated, .repaired, .activated])
        #expect(try entries.map(\.to) == [v("1.0.0"), v("2.0.0"), v("3.0.0")])
    }

    @Test func `a last line that was cut short stays apart and is reported`() throws {
        let workshop = try Workshop()
        try workshop.publishAll(["1.0.0", "2.0.0"])
        _ = try workshop.store.activate(v("1.0.0"), Samples.occasion)
        let path = workshop.out.appending("history.jsonl")
        let line = try HostFile.read(path, limit: 4096)
        for length in [1, line.count / 2, line.count - 1] {
            let torn = line + Array(line.prefix(length))
            try StagedFile.write(torn, to: path)
            #expect(try workshop.store.history().entries.count == (length == line.count - 1 ? 2 : 1))
            _ = try workshop.store.activate(v("2.0.0"), Samples.occasion, insisting: true)
            let bytes = try HostFile.read(path, limit: 4096)
            #expect(bytes.starts(with: torn + [UInt8(ascii: "\n")]))
            let history = try workshop.store.history()
            #expect(history.damagedLines == (length == line.count - 1 ? [] : [2]))
            #expect(try history.standing.live == v("2.0.0"))
            _ = try workshop.store.rollback(to: v("1.0.0"), Samples.occasion)
        }
    }

    @Test func `versions are listed by precedence, with the reason where one cannot be read`() throws {
        let workshop = try Workshop()
        #expect(try workshop.store.list().isEmpty)
        try workshop.publishAll(["1.10.0", "1.9.0", "1.10.0-rc.1"])
        try HostFile.makeDirectory(workshop.out.pushing("bundles/2.0.0"))
        try HostFile.makeDirectory(workshop.out.pushing("bundles/notes"))
        try HostFile.makeDirectory(workshop.out.pushing("bundles/.staging-3.0.0"))
        let list = try workshop.store.list()
        #expect(list.map(\.version.description) == ["1.9.0", "1.10.0-rc.1", "1.10.0", "2.0.0"])
        #expect(list.map { $0.problem == nil } == [true, true, true, false])
        #expect(throws: (any Error).self) { try workshop.store.activate(v("2.0.0"), Samples.occasion) }
    }
}
