internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

private let hex = String(repeating: "0123456789abcdef", count: 4)

private func entry(
    _ name: String, url: String? = nil, size: UInt64 = 71_303_168, sha256: String = hex, trust: LockTrust = .pin,
    date: String = "2026-11-28T07:00:00Z"
) throws -> InputLock.Entry {
    try InputLock.Entry(
        name: name, url: url ?? "https://mirror.example.org/\(name)", size: size, sha256: Digest(hex: sha256),
        trust: trust, date: #require(LockDate(date)))
}

private let image = "alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso"
private let tarball = "kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz"
private let index = "alpine/v3.23/main/x86_64/APKINDEX.tar.gz"
private let package = "alpine/v3.23/main/x86_64/libstdc++-15.2.0-r2.apk"

private func sample() throws -> InputLock {
    let key = "alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub"
    return try InputLock([
        entry(tarball, url: "https://github.com/portainer/\(tarball)", size: 98_566_144, trust: .githubDigest),
        entry(package, size: 12, trust: .index(key: key)), entry(image, trust: .signature(.alpineReleases)),
        entry(index, url: "file:///srv/mirror/\(index)", size: 1, trust: .firstUse),
    ])
}

/// The one text of the sample.
private let golden = """
    # What every input of a build must be; `ksbuild fetch --update-lock` writes this file, edit nothing.
    version: 1
    inputs:
      - name: alpine/v3.23/main/x86_64/APKINDEX.tar.gz
        url: "file:///srv/mirror/alpine/v3.23/main/x86_64/APKINDEX.tar.gz"
        size: 1
        sha256: "\(hex)"
        trust: first use
        date: "2026-11-28T07:00:00Z"
      - name: alpine/v3.23/main/x86_64/libstdc++-15.2.0-r2.apk
        url: "https://mirror.example.org/alpine/v3.23/main/x86_64/libstdc++-15.2.0-r2.apk"
        size: 12
        sha256: "\(hex)"
        trust: index alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub
        date: "2026-11-28T07:00:00Z"
      - name: alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso
        url: "https://mirror.example.org/alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso"
        size: 71303168
        sha256: "\(hex)"
        trust: signature 0482D84022F52DF1C4E7CD43293ACD0907D9495A
        date: "2026-11-28T07:00:00Z"
      - name: kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz
        url: "https://github.com/portainer/kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz"
        size: 98566144
        sha256: "\(hex)"
        trust: github digest
        date: "2026-11-28T07:00:00Z"

    """

/// A change to the golden text, and how the refusal begins.
struct BadLock: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let message: String
    let code: LockError.Code

    var testDescription: String { "\(old) → \(new)" }

    init(_ old: String, _ new: String, _ message: String, _ code: LockError.Code = .notCanonical) {
        self.old = old
        self.new = new
        self.message = message
        self.code = code
    }

    static let all: [BadLock] = [
        BadLock("# What", "# Was", "L:1:4: '# What every input of a …' is expected on this line; run 'ksbuild fetch"),
        BadLock("version: 1\n", "version: 2\n", "L:2:10: follows version 2 of the format", .unknownVersion),
        BadLock("version: 1\n", "version: one\n", "L:2:10: is no version"),
        BadLock("version: 1\n", "version:  1\n", "L:2:10: is no version"),
        BadLock("version: 1\n", "version: 1\r\n", "L:2:11: is no printable character"),
        BadLock("inputs:\n", "inputs: []\n", "L:4:1: follows a list that is empty"),
        BadLock("inputs:\n", "inputs: \n", "L:3:8: 'inputs:' is expected"),
        BadLock("inputs:\n", "inputs:\n\n", "L:4:1: '  - name: ' is expected"),
        BadLock("inputs:\n", "inputs:\n  # a note\n", "L:4:3: '  - name: ' is expected"),
        BadLock("inputs:\n", "inputs:\n<<<<<<< HEAD\n", "L:4:1: is a conflict that version control left"),
        BadLock("name: alpine/v3.23/main/x86_64/APK", "name: alpine/../APK", "L:4:11: the name has a part that begins"),
        BadLock("name: alpine/v3.23/main/x86_64/APK", "name: /etc/APK", "L:4:11: the name has a part that begins"),
        BadLock("    size: 1\n", "    size: 01\n", "L:6:11: the size is no number"),
        BadLock("    size: 1\n", "    size: 0\n", "L:6:11: the size is no number"),
        BadLock("    size: 1\n", "    size: 0x1\n", "L:6:11: the size is no number"),
        BadLock("    size: 1\n", "    size: 1099511627777\n", "L:6:11: the size is 1099511627777 bytes"),
        BadLock("    size: 1\n", "    size: 9999999999999999999\n", "L:6:11: the size is 99999"),
        BadLock("    size: 1\n", "    size: 1\n    size: 1\n", "L:7:6: '    sha256: \"' is expected"),
        BadLock("    size: 1\n", "", "L:6:6: '    size: ' is expected"),
        BadLock("\"0123456789abcdef", "\"0123456789ABCDEF", "L:7:14: is no SHA-256 digest"),
        BadLock("\"0123456789abcdef", "\"123456789abcdef", "L:7:14: is no SHA-256 digest"),
        BadLock("trust: first use", "trust: firstuse", "L:8:12: is no kind of trust"),
        BadLock("trust: first use", "trust: signature 0482d84022f52df1c4e7cd43293acd0907d9495a", "L:8:12: is no kind"),
        BadLock("trust: first use", "trust: index a b", "L:8:12: is no kind of trust"),
        BadLock("trust: first use", "trust: ", "L:8:12: ends where more is expected"),
        BadLock("date: \"2026-11-28T07:00:00Z\"", "date: \"2026-02-29T07:00:00Z\"", "L:9:12: is no time"),
        BadLock("date: \"2026-11-28T07:00:00Z\"", "date: 2026-11-28T07:00:00Z", "L:9:11: '    date: \"' is expected"),
        BadLock("url: \"file:///srv", "url: \"ftp://srv", "L:5:11: the address does not begin with https://"),
        BadLock("url: \"https://mirror", "url: \"https://a:b@mirror", "L:11:11: the address holds credentials"),
        BadLock("url: \"https://mirror.example.org/", "url: \"https:///", "L:11:11: the address names no server"),
        BadLock("APKINDEX.tar.gz\"", "APK INDEX.tar.gz\"", "L:5:11: the address holds a blank"),
        BadLock("APKINDEX.tar.gz\"", "APKINDEX.tar.gz#x\"", "L:5:11: the address has a fragment"),
        BadLock("APKINDEX.tar.gz\"", "APKINDEX.tar.gz", "L:5:70: ends where more is expected"),
        BadLock("APKINDEX.tar.gz\"", "APKINDEX\u{1b}[2J\"", "L:5:63: is no printable character"),
        BadLock("name: kubesolo/", "name: alpine/", "L:22:11: alpine/v1.2.2/"),
        BadLock("name: \(package)", "name: \(index)", "L:10:11: \(index) is locked twice", .ambiguous),
    ]
}

@Suite(.timeLimit(.minutes(10))) struct InputLockTests {
    @Test func `a lock has one text, which is read back`() throws {
        let lock = try sample()
        #expect(String(decoding: try lock.encoded(), as: UTF8.self) == golden)
        #expect(try InputLock(decoding: Array(golden.utf8)) == lock)
        #expect(lock.entry(image)?.trust == .signature(.alpineReleases))
        #expect(lock.entry(image + "x") == nil)
        let empty = try InputLock()
        let text = try empty.encoded()
        #expect(String(decoding: text, as: UTF8.self).hasSuffix("\nversion: 1\ninputs: []\n"))
        #expect(try InputLock(decoding: text) == empty)
    }

    @Test func `another reader of YAML sees texts and numbers where ksbuild does`() async throws {
        let scratch = try Scratch()
        let path = try scratch.file("ksbuild.lock", golden)
        let script = """
            import sys, yaml
            for i in yaml.safe_load(open(sys.argv[1]))["inputs"]:
                assert all(isinstance(v, str) for k, v in i.items() if k != "size"), i
                print(i["name"], i["url"], i["size"] + 0, i["sha256"], i["trust"], i["date"])
            """
        let result = try await run("/usr/bin/python3", ["-c", script, path.string])
        let expected = try sample().entries.map {
            "\($0.name) \($0.url) \($0.size) \($0.sha256) \($0.trust) \($0.date)\n"
        }
        #expect(result.output == expected.joined(), "\(result.errors)")
    }

    @Test(arguments: BadLock.all) func `any other text is refused with its place`(_ bad: BadLock) throws {
        #expect(golden.contains(bad.old))
        let text = golden.replacing(bad.old, with: bad.new, maxReplacements: 1)
        let error = #expect(throws: LockError.self) { try InputLock(decoding: Array(text.utf8), named: "L") }
        #expect(error?.code == bad.code)
        #expect(error?.failureClass == .data)
        #expect(error?.description.hasPrefix(bad.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.utf8.contains(0x0a) == false)
        if bad.code == .notCanonical {
            #expect(error?.description.hasSuffix("run 'ksbuild fetch --update-lock'") == true)
        }
    }

    @Test func `a text that ends early is refused but where an entry ends`() {
        let bytes = Array(golden.utf8)
        let accepted = bytes.indices.filter { (try? InputLock(decoding: Array(bytes[..<$0]))) != nil }
        #expect(accepted.count == 3)
        for count in accepted { #expect(bytes[..<count].suffix(3).elementsEqual("Z\"\n".utf8), "\(count)") }
    }

    @Test func `ten thousand random changes are refused or change nothing`() throws {
        var random = SeededGenerator(seed: 20_261_132)
        let bytes = Array(golden.utf8)
        for round in 0..<10_000 {
            let text = changed(bytes, &random)
            do {
                let lock = try InputLock(decoding: text)
                #expect(try lock.encoded() == text, "round \(round)")
            } catch {
                #expect(!error.description.utf8.contains(0x0a), "round \(round)")
            }
        }
    }

    @Test func `locks that are too large are neither read nor written`() throws {
        let large = [UInt8](repeating: 0x23, count: InputLock.maximumBytes + 1)
        let error = #expect(throws: LockError.self) { try InputLock(decoding: large) }
        #expect(error?.code == .tooLarge)
        let entries = try (0...InputLock.maximumEntries).map { try entry("a/\($0)", url: "https://a/") }
        let many = #expect(throws: LockError.self) { try InputLock(entries) }
        #expect(many?.code == .tooLarge)
        let url = "https://a/" + String(repeating: "a", count: 2000)
        let wide = try InputLock((0..<2500).map { try entry("a/\($0)", url: url) })
        #expect(throws: LockError.self) { try wide.encoded() }
        let most = try InputLock(entries.dropLast())
        #expect(try most.encoded().count <= InputLock.maximumBytes)
        #expect(try InputLock(decoding: most.encoded()) == most)
    }

    @Test(arguments: [
        ("alone", "has no '/'"), ("a//b", "has a part"), ("a/.hidden", "has a part"), ("a/-b", "has a part"),
        ("a/b c", "holds a character"), ("a/ü", "has a part"), ("a/b\n", "holds a character"), ("", "has no '/'"),
        ("a/" + String(repeating: "b", count: 511), "is longer than 512 bytes"),
    ])
    func `names stay below the directory of an upstream`(_ name: String, _ why: String) {
        let error = #expect(throws: LockError.self) { try entry(name, url: "https://a/b") }
        #expect(error?.detail.hasPrefix("the name \(why)") == true, "\(error?.detail ?? "")")
    }

    @Test func `one name is locked once`() throws {
        let twice = [try entry("a/b", url: "https://a/1"), try entry("a/c"), try entry("a/b", url: "https://a/2")]
        let error = #expect(throws: LockError.self) { try InputLock(twice) }
        #expect(error?.code == .ambiguous)
        #expect(error?.description == "a/b: is locked twice; keep one of the two")
    }

    @Test func `what changes is shown before it is written`() throws {
        let old = try sample()
        let new = try InputLock([
            entry(image, sha256: String(repeating: "f", count: 64), trust: .signature(.alpineReleases)),
            old.entries[0], old.entries[1], entry("kubesolo/v1.3.0/a", size: 5),
        ])
        let other = String(repeating: "f", count: 64)
        #expect(
            InputLock.changes(from: old, to: new).map(\.description) == [
                "~ \(image): sha256 \(hex) → \(other)", "- \(tarball)",
                "+ kubesolo/v1.3.0/a: 5 bytes, sha256 \(hex), pin",
            ])
        #expect(InputLock.changes(from: old, to: old).isEmpty)
        #expect(InputLock.changes(from: try InputLock(), to: old).map(\.name) == old.entries.map(\.name))
        #expect(InputLock.changes(from: old, to: try InputLock()).count == 4)
    }

    @Test func `a date alone changes no lock`() throws {
        let old = try sample()
        let later = "2027-01-01T00:00:00Z"
        let same = old.entries[2]
        let again = try entry(same.name, url: same.url, size: same.size, trust: same.trust, date: later)
        let moved = try entry(index, url: "https://a/b", size: 1, trust: .firstUse, date: later)
        let new = try old.replaced(by: [again, moved])
        #expect(new.entry(same.name)?.date.description == "2026-11-28T07:00:00Z")
        #expect(new.entry(index)?.date.description == later)
        #expect(new.entries.count == 2)
    }

    @Test func `what is missing and what is left over is said with the command that mends it`() throws {
        let lock = try sample()
        let findings = lock.findings(needed: [image, index, package, "kubesolo/v1.3.0/a"], named: "L")
        #expect(
            findings.map(\.description) == [
                "L: kubesolo/v1.3.0/a is needed and not locked; run 'ksbuild fetch --update-lock kubesolo/v1.3.0/a'",
                "L:22:11: \(tarball) is locked and not needed; run 'ksbuild fetch --update-lock' to drop it",
            ])
        let line = golden.split(separator: "\n", omittingEmptySubsequences: false)[21]
        #expect(line == "  - name: \(tarball)")
        #expect(lock.findings(needed: Set(lock.entries.map(\.name))).isEmpty)
    }

    @Test func `dates are those of the calendar`() async throws {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-11-28T07:00:00Z", 1_795_849_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] as [(String, Int64)] {
            #expect(LockDate(text)?.seconds == seconds)
            #expect(LockDate(seconds: seconds)?.description == text)
        }
        for text in [
            "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z",
            "2026-11-31T00:00:00Z", "2026-11-28T24:00:00Z", "2026-11-28T00:60:00Z", "2026-11-28T00:00:60Z",
            "1969-12-31T23:59:59Z", "2026-11-28 07:00:00Z", "2026-11-28T07:00:00", "+026-11-28T07:00:00Z", "",
        ] { #expect(LockDate(text) == nil, "\(text)") }
        #expect(LockDate(seconds: -1) == nil)
        var random = SeededGenerator(seed: 20_261_133)
        let seconds = (0..<400).map { _ in Int64.random(in: 0...253_402_300_799, using: &random) }
        let result = try await run(
            "date", ["-u", "-f", "-", "+%Y-%m-%dT%H:%M:%SZ"], input: seconds.map { "@\($0)\n" }.joined())
        #expect(result.output == seconds.map { "\(LockDate(seconds: $0)?.description ?? "-")\n" }.joined())
        for second in seconds {
            #expect(LockDate(seconds: second).flatMap { LockDate($0.description) }?.seconds == second)
        }
    }

    @Test func `trust says whether it tells who made an input`() {
        let all: [LockTrust] = [
            .pin, .signature(.alpineReleases), .index(key: "a@b-c.rsa.pub"), .githubDigest, .checksumFile, .firstUse,
        ]
        #expect(all.map(\.isAuthentic) == [true, true, true, false, false, false])
        for trust in all { #expect(LockTrust(trust.description) == trust) }
        for text in ["", "Pin", "index ", "index -a", "signature", "signature 0482", "github  digest"] {
            #expect(LockTrust(text) == nil)
        }
    }
}
