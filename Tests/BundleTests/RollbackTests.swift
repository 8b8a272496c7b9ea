import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Going back when it matters: to what has proven itself, and with the live bundle gone or the pointer broken.
struct RollbackTests {
    private func v(_ text: String) throws -> Version { try Version(text) }

    /// A store in which three versions were made live and confirmed, one after the other.
    private func prepare() throws -> Workshop {
        let workshop = try Workshop()
        let versions = ["1.0.0", "1.1.0", "1.2.0"]
        try workshop.publishAll(versions)
        for version in versions { try workshop.prove(version) }
        return workshop
    }

    private func repoint(_ workshop: borrowing Workshop, to target: String) throws {
        let pointer = workshop.out.appending("current")
        try HostFile.remove(pointer)
        try HostFile.makeSymlink(pointer, to: target)
    }

    @Test func `the way back leads to what was confirmed last, never to what merely was before`() throws {
        let workshop = try Workshop()
        let store = workshop.store
        try workshop.publishAll(["1.0.0", "2.0.0", "3.0.0", "4.0.0"])
        try workshop.prove("1.0.0")
        try workshop.prove("2.0.0")
        _ = try store.activate(v("3.0.0"), Samples.occasion)
        #expect(try store.activate(v("4.0.0"), Samples.occasion).isPending)
        #expect(try store.list().map(\.isWayBack) == [false, true, false, false])
        let back = try store.rollback(Samples.occasion)
        #expect(try back.from == v("4.0.0") && back.to == v("2.0.0") && !back.isPending)
        #expect(try store.list().map(\.state) == [.confirmed, .confirmed, .kept, .failed(Samples.occasion)])
        #expect(try store.rollback(Samples.occasion).to == v("1.0.0"))
        let error = #expect(throws: BundleError.self) { try store.rollback(Samples.occasion) }
        #expect(error?.code == .noWayBack)
        #expect(try store.current() == v("1.0.0"))
    }

    @Test func `what failed is taken again only by force, and is then pending`() throws {
        let workshop = try prepare()
        let store = workshop.store
        _ = try store.rollback(Occasion(when: 1_770_000_000, who: "bob", why: "no DNS"))
        for attempt in [
            { _ = try store.activate(v("1.2.0"), Samples.occasion) },
            { _ = try store.rollback(to: v("1.2.0"), Samples.occasion) },
        ] {
            let before = try snapshot(workshop.out)
            let error = #expect(throws: BundleError.self) { try attempt() }
            #expect(error?.code == .failedBefore && error?.failureClass == .findings)
            #expect(
                error?.description
                    == "version 1.2.0: was left on 2026-02-02T02:40:00Z by bob (no DNS); --force takes it again")
            #expect(try snapshot(workshop.out) == before)
        }
        #expect(try store.activate(v("1.2.0"), Samples.occasion, insisting: true).to == v("1.2.0"))
        #expect(try store.list().map(\.state) == [.confirmed, .confirmed, .confirmed])
        #expect(try store.rollback(Samples.occasion).to == v("1.1.0"))
        #expect(try store.rollback(to: v("1.2.0"), Samples.occasion, insisting: true).to == v("1.2.0"))
    }

    @Test func `the floor rises when a version is confirmed and never stands in the way back`() throws {
        let workshop = try Workshop()
        let store = workshop.store
        try workshop.publishAll(["1.0.0", "1.5.0", "2.0.0"])
        try workshop.prove("1.0.0")
        _ = try store.activate(v("2.0.0"), Samples.occasion)
        #expect(try store.activate(v("1.5.0"), Samples.occasion).isChange, "nothing newer is confirmed yet")
        try workshop.prove("2.0.0")
        let error = #expect(throws: BundleError.self) { try store.activate(v("1.5.0"), Samples.occasion) }
        #expect(error?.code == .belowFloor)
        #expect(error?.description.hasPrefix("version 1.5.0: is older than 2.0.0, which was confirmed; ") == true)
        let publishing = #expect(throws: BundleError.self) { try workshop.publish("1.6.0") }
        #expect(publishing?.code == .belowFloor)
        #expect(try store.versions().count == 3)
        #expect(try workshop.publish("1.5.0", overlay: "overlay of 1.5.0").outcome == .identical)
        let stage = try Samples.stage("1.6.0", iso: workshop.iso)
        #expect(try store.publish(stage, allowingDowngrade: true).outcome == .published)
        #expect(try store.rollback(Samples.occasion).to == v("1.0.0"))
        #expect(try store.activate(v("1.5.0"), Samples.occasion, allowingDowngrade: true).isPending)
    }

    @Test func `only what is live is confirmed, once, and only as it is`() throws {
        let workshop = try Workshop()
        let store = workshop.store
        try workshop.publishAll(["1.0.0", "2.0.0"])
        let nothing = #expect(throws: BundleError.self) { try store.confirm(nil, Samples.occasion) }
        #expect(nothing?.code == .notLive)
        _ = try store.activate(v("1.0.0"), Samples.occasion)
        let other = #expect(throws: BundleError.self) { try store.confirm(v("2.0.0"), Samples.occasion) }
        #expect(other?.code == .notLive)
        #expect(try store.confirm(v("1.0.0"), Samples.occasion).isChange)
        let before = try snapshot(workshop.out)
        #expect(try !store.confirm(nil, Samples.occasion).isChange)
        #expect(try snapshot(workshop.out) == before)
        _ = try store.activate(v("2.0.0"), Samples.occasion)
        try corrupt(workshop.out.pushing("bundles/2.0.0/edge-2.0.0-x86_64-cidata.iso"), at: 0)
        let damaged = #expect(throws: BundleError.self) { try store.confirm(nil, Samples.occasion) }
        #expect(damaged?.code == .damaged)
        #expect(try store.history().standing.confirmed.map(\.version) == [v("1.0.0")])
    }

    @Test func `another content under a confirmed version has proven nothing`() throws {
        let workshop = try prepare()
        let store = workshop.store
        try HostFile.removeTree(workshop.out.pushing("bundles/1.1.0"))
        try HostFile.removeTree(workshop.out.pushing("bundles/1.2.0"))
        let stage = try Samples.stage("1.1.0", overlay: "another", iso: workshop.iso)
        _ = try store.publish(stage, allowingDowngrade: true)
        #expect(try store.list().map(\.state) == [.confirmed, .kept])
        #expect(try store.rollback(Samples.occasion).to == v("1.0.0"))
    }

    @Test func `a damaged version is not rolled back to`() throws {
        let workshop = try prepare()
        try corrupt(workshop.out.pushing("bundles/1.1.0/edge-1.1.0-x86_64-cidata.iso"), at: 0)
        let error = #expect(throws: BundleError.self) { try workshop.store.rollback(Samples.occasion) }
        #expect(error?.code == .damaged)
        #expect(try workshop.store.current() == v("1.2.0"))
    }

    @Test func `with the live bundle gone, rolling back goes to the one before it and on from there`() throws {
        let workshop = try prepare()
        try HostFile.removeTree(workshop.out.pushing("bundles/1.2.0"))
        #expect(throws: BundleError.self) { try workshop.store.current() }
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.1.0"))
        #expect(try workshop.store.history().entries.map(\.result).suffix(2) == [.repaired, .rolledBack])
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.0.0"))
    }

    @Test func `with the live bundle gone and another made live, the way back is still known`() throws {
        let workshop = try prepare()
        try HostFile.removeTree(workshop.out.pushing("bundles/1.2.0"))
        _ = try workshop.store.activate(v("1.1.0"), Samples.occasion)
        #expect(try workshop.store.history().entries.map(\.result).suffix(2) == [.repaired, .activated])
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.0.0"))
    }

    @Test(arguments: ["../elsewhere", "bundles/9.9.9", ""])
    func `a pointer that leads nowhere does not lose the way back`(target: String) throws {
        let workshop = try prepare()
        try HostFile.remove(workshop.out.appending("current"))
        if !target.isEmpty { try repoint(workshop, to: target) }
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.1.0"))
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.0.0"))
    }

    @Test func `a command that changes nothing adds no line to the history`() throws {
        let workshop = try prepare()
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            try HostFile.removeTree(workshop.out.pushing(FilePath("bundles/\(version)")))
        }
        let before = try snapshot(workshop.out)
        let error = #expect(throws: BundleError.self) { try workshop.store.rollback(Samples.occasion) }
        #expect(error?.code == .noWayBack)
        #expect(throws: BundleError.self) { try workshop.store.activate(v("1.1.0"), Samples.occasion) }
        #expect(throws: BundleError.self) { try workshop.store.rollback(to: v("1.1.0"), Samples.occasion) }
        #expect(try snapshot(workshop.out) == before)
    }

    @Test(arguments: [
        "bundles/1.0.0/", "OUT/bundles/1.0.0", "OUT/bundles/1.0.0/", "./bundles//1.0.0", "OUT/./bundles/1.0.0",
    ])
    func `a link to a good bundle counts however it is written`(form: String) throws {
        let workshop = try prepare()
        let target = form.hasPrefix("OUT") ? workshop.out.string + form.dropFirst(3) : form
        try repoint(workshop, to: target)
        #expect(try workshop.store.current() == v("1.0.0"))
        #expect(try workshop.store.list().map(\.isLive) == [true, false, false])
        #expect(try workshop.store.activate(v("1.0.0"), Samples.occasion).isChange == false)
        _ = try workshop.store.activate(v("1.2.0"), Samples.occasion)
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.1.0"))
    }

    @Test func `an absolute link into another store is no link to a bundle of this one`() throws {
        let workshop = try prepare()
        let other = try prepare()
        try repoint(workshop, to: other.out.pushing("bundles/1.0.0").string)
        let error = #expect(throws: BundleError.self) { try workshop.store.current() }
        #expect(error?.code == .brokenPointer)
    }

    /// The lines of a history, each a result with where the pointer came from and went to, and what the whole says.
    @Test(arguments: [
        ("activated -1, confirmed 11, activated 12, repaired 2-", "2", "1", ""),
        ("activated -1, confirmed 11, activated 12, rolled-back 21, undone 12", "2", "1", ""),
        ("activated -1, confirmed 11, activated 12, rolled-back 21, repaired 12", "2", "1", ""),
        ("activated -1, confirmed 11, activated 12, rolled-back 21", "1", "", "2"),
        ("activated -1, undone 1-", "", "", ""),
        ("activated -1, confirmed 11, activated 12, confirmed 22, activated 23, undone 32", "2", "1", ""),
        ("activated -1, confirmed 11, activated 12, rolled-back 21, activated 12, undone 21", "1", "", "2"),
        ("activated -1, confirmed 11, activated 12, rolled-back 21, activated 12, confirmed 22", "2", "1", ""),
        ("activated -1, confirmed 11, repaired 12, confirmed 22, confirmed 11", "2", "1", ""),
        ("repaired --", "", "", ""), ("pruned 1-", "", "", ""),
    ])
    func `a switch that did not happen takes nothing away`(
        lines: String, live: String, wayBack: String, failed: String
    ) throws {
        let text = lines.split(separator: ", ").map { line in
            let parts = line.split(separator: " ")
            let versions = zip(["from", "to"], parts[1]).map { $1 == "-" ? "" : "\"\($0)\":\"\($1).0.0\"," }
            return
                "{\(versions.joined())\"result\":\"\(parts[0])\",\"when\":\"2026-02-02T02:40:00Z\",\"who\":\"a\",\"why\":\"b\"}\n"
        }
        let history = History(decoding: Array(text.joined().utf8))
        #expect(history.damagedLines == [])
        let standing = history.standing
        #expect((standing.live?.description ?? "") == (live.isEmpty ? "" : "\(live).0.0"))
        #expect(standing.waysBack(from: standing.live).map { "\($0.version)" } == wayBack.map { "\($0).0.0" })
        #expect(standing.failed.keys.map(\.description) == failed.map { "\($0).0.0" })
    }
}
