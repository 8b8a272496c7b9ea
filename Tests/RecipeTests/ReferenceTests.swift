import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

/// The top of the checkout.
private let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

struct ReferencePageTests {
    @Test func `the reference page is what the schema says`() throws {
        let page = checkout.pushing("docs/recipe.md")
        guard HostFile.exists(page) else {
            try StagedFile.write(Array(RecipeReference.markdown.utf8), to: page)
            Issue.record("docs/recipe.md was missing and has been written; commit it")
            return
        }
        let written = String(decoding: try HostFile.read(page, limit: 1 << 20), as: UTF8.self)
        #expect(
            written == RecipeReference.markdown,
            "docs/recipe.md is not what the schema says; remove it, run this test again and commit what it writes")
    }

    @Test func `the reference page has a row for every key`() {
        let rows = RecipeReference.markdown.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count == RecipeSchema.root.keyPaths().count)
        for row in rows { #expect(row.replacing("\\|", with: "").count { $0 == "|" } == 5, "\(row)") }
    }
}

struct StarterRecipeTests {
    private let templates = checkout.appending("templates")

    @Test func `the first recipe says what the defaults say, and names what KubeSolo needs besides`() throws {
        let text = try Recipe.starter(templates: templates, keys: [])
        let recipe = try decoded(text)
        let shortest = try decoded("apiVersion: ksbuild/v1\n")
        var node = shortest.node()
        node.packages = (node.packages + ["ca-certificates", "iptables", "nftables"]).sorted()
        #expect(recipe.node() == node)
        #expect(recipe.recipe.machine == shortest.recipe.machine)
        #expect(recipe.warnings.map(\.keyPath) == ["access.users"])
    }

    @Test func `keys take their place in the first recipe`() throws {
        let scratch = try Scratch()
        try scratch.file(".ssh/it's.pub", publicKey)
        let comment = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIhYmQ1C4hVUPK8vuVFqVq0oULRxBIGyz4LXjLw3ek1i it's: #1 "
        let text = try Recipe.starter(templates: templates, keys: ["file:~/.ssh/it's.pub", comment])
        let recipe = try decoded(text, home: scratch.path)
        #expect(recipe.warnings.isEmpty)
        #expect(recipe.node().access.users.first?.authorizedKeys.map(\.comment) == ["admin@example", "it's: #1"])
    }

    @Test func `a template without a place for keys is refused`() throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        #expect(throws: ArtefactError.self) { try Recipe.starter(templates: scratch.path, keys: []) }
    }

    @Test func `what ksbuild makes is ignored by git`() async throws {
        let scratch = try Scratch()
        try scratch.file("work/.gitignore", try Recipe.starterIgnoreList(templates: templates))
        for name in ["out/x.iso", "alpine.secret", ".env", "ksbuild.yaml"] { try scratch.file("work/\(name)", "x") }
        let work = scratch.path.appending("work")
        #expect(try await run("git", ["init", "-q"], in: work).succeeded)
        let status = try await run("git", ["status", "--porcelain", "-uall"], in: work)
        #expect(status.output == "?? .gitignore\n?? ksbuild.yaml\n")
    }
}

struct SuggestionTests {
    @Test(arguments: [
        ("hostnme", "hostname"), ("Hostname", "hostname"), ("hsotname", "hostname"), ("pakages", "packages"),
        ("virtual", "virt"), ("seeds", "seed"), ("apiversion", "apiVersion"),
    ])
    func `a slip is recognised`(word: String, meant: String) {
        let known = ["hostname", "packages", "virt", "seed", "apiVersion", "standard", "epoch"]
        #expect(NearestWord.find(word, among: known, orKin: .prefix) == meant)
    }

    @Test(arguments: ["zzz", "", "x", String(repeating: "a", count: 100)])
    func `what is like nothing gets no suggestion`(word: String) {
        #expect(NearestWord.find(word, among: ["hostname", "packages", "seed"], orKin: .prefix) == nil)
    }
}

struct ScalarMeaningTests {
    @Test(arguments: [
        ("", ScalarMeaning.null), ("~", .null), ("null", .null), ("nULL", .text("nULL")), ("true", .flag(true)),
        ("FALSE", .flag(false)), ("yes", .text("yes")), ("on", .text("on")), ("0", .integer(0)), ("-12", .integer(-12)),
        ("+7", .integer(7)), ("0x1F", .integer(31)), ("0o17", .integer(15)), ("0b1", .text("0b1")),
        ("017", .integer(17)),
        ("1_000", .text("1_000")), ("1:30", .text("1:30")), ("3.23", .real(3.23)), ("3.23.6", .text("3.23.6")),
        (".5", .real(0.5)), ("5.", .real(5)), ("1e3", .real(1000)), ("1e", .text("1e")), (".", .text(".")),
        ("-", .text("-")),
        ("-.inf", .notFinite), (".NaN", .notFinite), ("9223372036854775807", .integer(.max)),
        ("9223372036854775808", .real(9223372036854775808)), ("1e999", .real(.greatestFiniteMagnitude)),
        ("0x", .text("0x")), ("0xg", .text("0xg")), ("0xffffffffffffffffff", .real(.greatestFiniteMagnitude)),
        ("2026-01-01", .text("2026-01-01")),
    ])
    func `a plain scalar means what the core schema of YAML says`(text: String, meaning: ScalarMeaning) {
        #expect(ScalarMeaning(text, isPlain: true) == meaning)
        #expect(ScalarMeaning(text, isPlain: false) == .text(text))
    }
}
