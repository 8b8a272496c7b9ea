import APKOVL
import Archive
import SystemPackage
import TestSupport
import Testing

/// Overlays of which busybox tar, which passes over pax records of numbers, unpacks something else than is read here.
@Suite struct LintRecordsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rules: [String]
        var members: [RawTar.Member]
    }

    static let cases: [Case] = [
        .init(
            testDescription: "a size that hides a member", rules: ["record-ignored"],
            members: [.records(("size", "1024")), .init("srv/a", size: 0), .init("etc/shadow", "root::0:::::\n")]),
        .init(
            testDescription: "a size that shows a member", rules: ["record-ignored"],
            members: [.records(("size", "0")), .init("srv/a", size: 1024), .init("srv/b", "x")]),
        .init(
            testDescription: "another owner and group", rules: ["record-ignored", "record-ignored"],
            members: [.records(("uid", "0"), ("gid", "0")), .init("srv/a", "x", owner: 1000, group: 1000)]),
        .init(
            testDescription: "the same owner", rules: [],
            members: [.records(("uid", "1000")), .init("srv/a", "x", owner: 1000)]),
        .init(
            testDescription: "a name that the header alone knows", rules: ["owner-by-name"],
            members: [.records(("uname", "node")), .init("srv/a", "x", owner: 1000, ownerName: "root")]),
        .init(
            testDescription: "a name that the record alone knows", rules: [],
            members: [.records(("uname", "root")), .init("srv/a", "x", owner: 1000, ownerName: "node")]),
        .init(
            testDescription: "a time", rules: [],
            members: [.records(("mtime", "1767225600.5"), ("atime", "0")), .init("srv/a", "x")]),
    ]

    @Test(arguments: cases)
    func `what a record says and busybox tar does not is an error`(_ overlay: Case) throws {
        let scratch = try Scratch()
        let path = try scratch.file("a.apkovl.tar.gz", RawTar.bytes(OverlayLintTests.clean + overlay.members))
        let findings = try OverlayLint.inspect(path).findings.filter { $0.rule != "not-gzip" }
        #expect(findings.map(\.rule) == overlay.rules, "\(findings)")
        #expect(findings.allSatisfy { $0.rule != "record-ignored" || $0.severity == .error })
    }

    @Test func `the error says both sides`() throws {
        let scratch = try Scratch()
        let members: [RawTar.Member] = [.records(("uid", "0")), .init("srv/a", "x", owner: 1000)]
        let path = try scratch.file("a.apkovl.tar.gz", RawTar.bytes(OverlayLintTests.clean + members))
        let finding = try #require(OverlayLint.inspect(path).findings.first { $0.rule == "record-ignored" })
        #expect(finding.path == "srv/a")
        #expect(finding.message == "busybox tar reads uid 1000, not the 0 of its pax record")
    }
}
