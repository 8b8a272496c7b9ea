import Artefact
import Bundle
import SystemPackage
import TestSupport
import Testing

/// Going back when it matters: with the live bundle gone, the pointer broken or written in another way.
struct RollbackTests {
    private func v(_ text: String) throws -> Version { try Version(text) }

    /// A store in which 1.0.0, 1.1.0 and 1.2.0 were made live one after the other.
    private func prepare() throws -> Workshop {
        let workshop = try Workshop()
        let versions = ["1.0.0", "1.1.0", "1.2.0"]
        try workshop.publishAll(versions)
        for version in versions { _ = try workshop.store.activate(v(version), Samples.occasion) }
        return workshop
    }

    private func repoint(_ workshop: borrowing Workshop, to target: String) throws {
        let pointer = workshop.out.appending("current")
        try HostFile.remove(pointer)
        try HostFile.makeSymlink(pointer, to: target)
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
        #expect(try workshop.store.rollback(Samples.occasion).to == v("1.0.0"))
    }

    @Test func `an absolute link into another store is no link to a bundle of this one`() throws {
        let workshop = try prepare()
        let other = try prepare()
        try repoint(workshop, to: other.out.pushing("bundles/1.0.0").string)
        let error = #expect(throws: BundleError.self) { try workshop.store.current() }
        #expect(error?.code == .brokenPointer)
    }

    /// One line of a history, and what the whole says.
    @Test(arguments: [
        ("activated 1, activated 2, repaired -", "2", "1"),
        ("activated 1, activated 2, activated 3, rolled-back 1, failed 3", "3", "2 1"),
        ("activated 1, activated 2, activated 3, rolled-back 1, repaired 3", "3", "2 1"),
        ("activated 1, failed -", "", ""),
        ("activated 1, activated 2, repaired -, activated 3, failed -", "2", "1"),
        ("activated 1, activated 2, activated 1, failed 2", "2", "1"),
        ("repaired -", "", ""),
    ])
    func `a switch that did not happen takes nothing from the way back`(
        lines: String, live: String, wayBack: String
    ) throws {
        let text = lines.split(separator: ", ").map { line in
            let parts = line.split(separator: " ")
            let to = parts[1] == "-" ? "" : "\"to\":\"\(parts[1]).0.0\","
            return "{\(to)\"result\":\"\(parts[0])\",\"when\":\"2026-02-02T02:40:00Z\",\"who\":\"a\",\"why\":\"b\"}\n"
        }
        let history = History(decoding: Array(text.joined().utf8))
        #expect(history.damagedLines == [])
        #expect((history.live?.description ?? "") == (live.isEmpty ? "" : "\(live).0.0"))
        #expect(history.wayBack.map(\.description) == wayBack.split(separator: " ").map { "\($0).0.0" })
    }
}
