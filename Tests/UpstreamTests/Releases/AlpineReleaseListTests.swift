internal import Artefact
internal import Node
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

private func read(_ text: String) throws -> AlpineReleaseList {
    try AlpineReleaseList(bytes: Array(text.utf8), named: "L")
}

private func listed(_ version: String, _ architecture: Architecture = .x86_64) throws -> AlpineReleaseList {
    try read(AlpineListSamples.list(version, architecture.alpineName))
}

/// A list that must be refused, and how the message begins.
struct BadReleaseList: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let message: String
    let code: UpstreamError.Code

    init(_ what: String, _ text: String, _ message: String, _ code: UpstreamError.Code = .malformed) {
        testDescription = what
        self.text = text
        self.message = message
        self.code = code
    }

    /// A list of one image with one text in it replaced.
    init(_ what: String, _ old: String, by new: String, _ message: String, _ code: UpstreamError.Code = .malformed) {
        let text = AlpineListSamples.virt { text in
            text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                line.hasPrefix(old) ? new + line.dropFirst(old.count) : String(line)
            }.joined(separator: "\n")
        }
        self.init(what, text, message, code)
    }

    private static let file = "alpine-virt-3.23.6-x86_64.iso"

    static let all: [BadReleaseList] = [
        BadReleaseList("empty", "", "L: is empty"),
        BadReleaseList("a comment", "# nothing\n", "L: is empty"),
        BadReleaseList("a table", "a: b\n", "L:1:1: is a table where a list of releases is expected"),
        BadReleaseList("an HTML page", "<html><body>404</body></html>\n", "L:1:1: is text where a list"),
        BadReleaseList("a text as image", "- a\n", "L:1:3: is text where an image is expected"),
        BadReleaseList("a second document", AlpineListSamples.virt() + "---\n- a\n", "L:19:1: is no YAML"),
        BadReleaseList("a directive", "%YAML 1.1\n---\n- a: b\n", "L:1:1: is a directive"),
        BadReleaseList("a tag", "  title: ", by: "  title: !x ", "L:3:10: has a tag"),
        BadReleaseList("a tagged image", "---\n- !x { a: b }\n", "L:2:3: has a tag"),
        BadReleaseList("an anchor", "  title: ", by: "  title: &a ", "L:3:10: has an anchor"),
        BadReleaseList("an alias", "  title: \"Virtual\"", by: "  title: *a", "L:3:10: is an alias"),
        BadReleaseList(
            "an alias to an anchor", "- &a { flavor: x }\n- *a\n", "L:1:3: has an anchor"),
        BadReleaseList("a merge", "  title: \"Virtual\"", by: "  <<: { a: b }", "L:3:3: is merged from elsewhere"),
        BadReleaseList("a list as key", "- [a]: b\n", "L:1:3: has a key that is no text"),
        BadReleaseList("a key twice", "  title:", by: "  flavor: a\n  title:", "L:3:3: has a key twice: 'flavor'"),
        BadReleaseList("a key twice after an escape", "- \"\\x61\": 1\n  a: 2\n", "L:1:3: has a key twice: 'a'"),
        BadReleaseList(
            "deep in blocks", "- a:\n  - b:\n    - c\n", "L:3:5: is nested deeper than 4 levels", .tooComplex),
        BadReleaseList(
            "deep in brackets", "- " + String(repeating: "[", count: 5000), "L:1:", .tooComplex),
        BadReleaseList(
            "deep in dashes", String(repeating: "- ", count: 5000) + "a", "L:1:", .tooComplex),
        BadReleaseList(
            "too large", String(repeating: "#", count: AlpineReleaseList.maximumBytes + 1), "L: is larger than",
            .tooComplex),
        BadReleaseList(
            "too many images", String(repeating: "- { flavor: a }\n", count: 257), "L: lists 257 images", .tooComplex),
        BadReleaseList(
            "too many values", "- [\(String(repeating: "a,", count: 20_000))]\n", "L:1:", .tooComplex),
        BadReleaseList("a NUL", "- a: \0\n", "L:1:6: is the character U+0"),
        BadReleaseList("private use", "- a: \u{e000}\n", "L:1:6: is the character U+e000"),
        BadReleaseList("a lone carriage return", "- a\rb\n", "L:1:5: follows a carriage return"),
        BadReleaseList("a tab as indentation", "-\n\ta: b\n", "L:2:1: is no YAML"),
        BadReleaseList("no flavour", "  flavor: alpine-virt", by: "  taste: sweet", "L:3:3: has no 'flavor'"),
        BadReleaseList("no processor", "  arch: ", by: "  ark: ", "L:3:3: has no 'arch'"),
        BadReleaseList("no version", "  version: ", by: "  vers: ", "L:3:3: has no 'version'"),
        BadReleaseList("no branch", "  branch: ", by: "  twig: ", "L:3:3: has no 'branch'"),
        BadReleaseList("no file", "  file: ", by: "  pile: ", "L:3:3: has no 'file'"),
        BadReleaseList("no size", "  size: ", by: "  sighs: ", "L:3:3: has no 'size'"),
        BadReleaseList("no digest", "  sha256: ", by: "  sha1: ", "L:3:3: has no 'sha256'"),
        BadReleaseList("a list as version", "  version: 3.23.6", by: "  version: [3]", "L:10:12: version is a list"),
        BadReleaseList("another branch", "  branch: v3.23", by: "  branch: v3.22", "L:8:11: branch is 'v3.22' and the"),
        BadReleaseList(
            "another version", "  version: 3.23.6", by: "  version: 3.23.5", "L:12:9: file is '\(file)' where flavour"),
        BadReleaseList(
            "a zero before a number", "  version: 3.23.6", by: "  version: 3.23.06", "L:10:12: version is no"),
        BadReleaseList("a path as file", "  file: ", by: "  file: ../../", "L:12:9: file is '../../alpine-virt"),
        BadReleaseList("a path as image", "  iso: ", by: "  iso: /etc/", "L:13:8: iso is '/etc/alpine-virt"),
        BadReleaseList(
            "another processor's file", "  arch: x86_64", by: "  arch: aarch64", "L:12:9: file is '\(file)'"),
        BadReleaseList("no bytes", "  size: 69206016", by: "  size: 0", "L:16:9: size is '0'"),
        BadReleaseList("fewer than none", "  size: ", by: "  size: -", "L:16:9: size is '-69206016'"),
        BadReleaseList("too many bytes", "  size: 69206016", by: "  size: 4294967297", "L:16:9: size is '4294967297'"),
        BadReleaseList(
            "more than a number holds", "  size: ", by: "  size: 99999999999999999999", "L:16:9: size is '9999"),
        BadReleaseList("a short digest", "  sha256: ", by: "  sha256: 0", "L:17:11: sha256 is no SHA-256 digest"),
        BadReleaseList("a digest of other digits", "  sha256: ", by: "  sha256: x", "L:17:11: sha256 is no SHA-256"),
        BadReleaseList("a short long digest", "  sha512: ", by: "  sha512: 0", "L:18:11: sha512 is no SHA-512 digest"),
        BadReleaseList(
            "an image twice", AlpineListSamples.virt() + AlpineListSamples.item("virt", "3.23.6", "x86_64"),
            "L:20:1: lists alpine-virt for x86_64 again (first on line 3)"),
    ]
}

@Suite(.timeLimit(.minutes(5))) struct AlpineReleaseListTests {
    @Test(arguments: ["3.19.7", "3.21.3", "3.23.6"], Architecture.allCases)
    func `a mirror's list names its images`(_ version: String, _ architecture: Architecture) throws {
        let list = try listed(version, architecture)
        let virt = try list.entry(.virt, architecture)
        #expect(virt.version.description == version)
        #expect(virt.release == AlpineRelease(version: version, flavor: .virt))
        let name = "alpine-virt-\(version)-\(architecture.alpineName).iso"
        #expect(virt.input.name == name)
        #expect(virt.sha256.hex == AlpineListSamples.sha256(name))
        #expect(virt.sha512?.utf8.count == 128)
        #expect(virt.size == 69_206_016)
        let flavors = list.entries.map(\.flavor)
        #expect(flavors == (architecture == .x86_64 ? [.virt, .standard, .extended] : [.standard, .virt]))
    }

    @Test func `what is not listed is said with what is`() throws {
        let list = try listed("3.21.3", .aarch64)
        let error = #expect(throws: UpstreamError.self) { try list.entry(.extended, .aarch64) }
        #expect(error?.code == .notListed)
        #expect(
            error?.description.hasPrefix(
                "L: lists no release of alpine-extended for aarch64 (it lists alpine-standard-3.21.3-aarch64.iso, "
                    + "alpine-virt-3.21.3-aarch64.iso); take") == true)
        #expect(throws: UpstreamError.self) { try list.entry(.virt, .x86_64) }
    }

    @Test(arguments: BadReleaseList.all) func `a list that breaks the rules is refused with its place`(
        _ bad: BadReleaseList
    ) {
        let error = #expect(throws: UpstreamError.self) { try read(bad.text) }
        #expect(error?.code == bad.code)
        #expect(error?.failureClass == .data)
        #expect(error?.description.hasPrefix(bad.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.utf8.contains(0x0a) == false)
    }

    @Test func `release candidates, snapshots and other processors are left out`() throws {
        let text =
            "---\n" + AlpineListSamples.item("virt", "3.24.0_rc2", "x86_64")
            + AlpineListSamples.item("virt", "20251016", "x86_64") + AlpineListSamples.item("virt", "3.23.6", "armv7")
            + AlpineListSamples.item("standard", "3.23.6", "x86_64")
        #expect(try read(text).entries.map(\.flavor) == [.standard])
    }

    @Test func `other layouts of the same YAML are read alike`() throws {
        let plain = try read(AlpineListSamples.virt())
        let returns = AlpineListSamples.virt().split(separator: "\n").map { "\($0)\r\n" }.joined()
        let flow = AlpineListSamples.virt().split(separator: "\n").filter {
            $0.hasPrefix("  ") && !$0.hasPrefix("    ")
        }
        .filter { !$0.contains("desc") && !$0.contains("title") }.map { $0.dropFirst(2) }.joined(separator: ", ")
        for text in [returns, "[{\(flow)}]"] {
            let list = try read(text)
            #expect(list.entries.map(\.sha256) == plain.entries.map(\.sha256))
            #expect(list.entries.map(\.size) == plain.entries.map(\.size))
        }
    }

    @Test func `another reader of YAML sees the same`() async throws {
        let scratch = try Scratch()
        let path = try scratch.file("list.yaml", AlpineListSamples.list("3.23.6", "x86_64"))
        let script = """
            import sys, yaml
            for item in yaml.safe_load(open(sys.argv[1])):
                print(item["flavor"], item["version"], item["size"], item["sha256"])
            """
        let result = try await run("/usr/bin/python3", ["-c", script, path.string])
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 6, "\(result.errors)")
        for entry in try listed("3.23.6").entries {
            #expect(lines.contains("alpine-\(entry.flavor.rawValue) \(entry.version) \(entry.size) \(entry.sha256)"))
        }
    }

    @Test func `hostile lists of the largest size are answered in bounded time`() {
        let size = AlpineReleaseList.maximumBytes - 64
        let hostile = [
            String(repeating: "[", count: size), String(repeating: "- ", count: size / 2),
            String(repeating: "? ", count: size / 2), String(repeating: "{a: ", count: size / 4),
            String(repeating: "&a ", count: size / 3), String(repeating: "*a ", count: size / 3),
            (0..<(size / 20)).map { "k\($0): v\n" }.joined(), String(repeating: "- a\n", count: size / 4),
            "- \"" + String(repeating: "\\u002a", count: size / 7) + "\"",
            "- &a [x]\n" + (0..<(size / 40)).map { "- &b\($0) [*a, *a, *a, *a]\n" }.joined(),
        ]
        for text in hostile {
            let start = ContinuousClock.now
            #expect(throws: UpstreamError.self) { try read(text) }
            #expect(ContinuousClock.now - start < .seconds(30), "\(text.prefix(8))")
        }
    }

    @Test func `random changes give a list or an error`() {
        var random = SeededGenerator(seed: 20_261_128)
        let inputs = [AlpineListSamples.list("3.23.6", "x86_64"), AlpineListSamples.virt(), "[{a: b}]"].map {
            Array($0.utf8)
        }
        for round in 0..<3000 {
            let bytes = changed(inputs[round % inputs.count], &random)
            do { _ = try AlpineReleaseList(bytes: bytes, named: "L") } catch {
                #expect(!error.description.utf8.contains(0x0a), "round \(round)")
            }
        }
    }
}

struct AlpineSelectorTests {
    @Test(arguments: [
        ("3.21.3", "v3.21/releases/aarch64/latest-releases.yaml"),
        ("3.21", "v3.21/releases/aarch64/latest-releases.yaml"),
        ("latest-stable", "latest-stable/releases/aarch64/latest-releases.yaml"),
    ])
    func `three ways to name a release lead to one list each`(_ text: String, _ path: String) throws {
        let selector = try AlpineSelector(text, named: "alpine.release")
        #expect(selector.description == text)
        #expect(selector.listPath(.aarch64) == FilePath(path))
    }

    @Test(arguments: [
        "", "edge", "v3.21", "3", "3.21.3.1", "3.021", "3.21.x", "latest", "3.21.3 ", "../3.21", "3.9999999",
    ])
    func `anything else names none`(_ text: String) {
        let error = #expect(throws: UpstreamError.self) { try AlpineSelector(text, named: "alpine.release") }
        #expect(error?.description.hasPrefix("alpine.release: '\(text)' is no release of Alpine; ") == true)
    }

    @Test func `a branch and latest-stable take the newest, and exact takes itself`() throws {
        let list = try listed("3.21.3")
        for text in ["3.21", "latest-stable", "3.21.3"] {
            let found = try AlpineSelector(text, named: "a").resolve(in: list, flavor: .virt, architecture: .x86_64)
            #expect(found == .listed(try list.entry(.virt, .x86_64)))
        }
        let older = try AlpineSelector("3.21.1", named: "a").resolve(in: list, flavor: .virt, architecture: .x86_64)
        #expect(older == .unlisted(AlpineRelease(version: "3.21.1", flavor: .virt)))
        #expect(older.release.version == "3.21.1")
    }

    @Test(arguments: [
        ("3.22", nil, "L:3: lists 3.21.3 where releases of v3.22"),
        ("3.20.1", nil, "lists 3.21.3 where releases of v3.20"),
        ("3.21.4", nil, "lists 3.21.3 as the newest, and 3.21.4 is asked for"),
        ("3.21", "3.21.4", "lists 3.21.3 as the newest, and 3.21.4 is known already"),
        ("latest-stable", "3.22.0", "lists 3.21.3 as the newest, and 3.22.0 is known already"),
    ])
    func `a mirror cannot answer with another branch or an older release`(
        _ text: String, _ known: String?, _ message: String
    ) throws {
        let list = try listed("3.21.3")
        let error = #expect(throws: UpstreamError.self) {
            try AlpineSelector(text, named: "a").resolve(
                in: list, flavor: .virt, architecture: .x86_64, known: known.flatMap(AlpineVersion.init))
        }
        #expect(error?.code == .wrongRelease)
        #expect(
            error?.description.contains(message.replacing("L:3:", with: "L:3:1:")) == true,
            "\(error?.description ?? "")")
    }

    @Test func `a known release of another branch does not stand in the way of a branch`() throws {
        let list = try listed("3.21.3")
        _ = try AlpineSelector("3.21", named: "a").resolve(
            in: list, flavor: .virt, architecture: .x86_64, known: AlpineVersion("3.23.6"))
        _ = try AlpineSelector("3.21.1", named: "a").resolve(
            in: list, flavor: .virt, architecture: .x86_64, known: AlpineVersion("3.21.2"))
    }
}
