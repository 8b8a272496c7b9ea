import Artefact
import SystemPackage
import TestSupport
import Testing

@Suite struct ReadmeTests {
    /// The lines of the shell block that follows a heading, comments taken off.
    private func commands(below heading: String, in file: String) throws -> [String] {
        let bytes = try HostFile.read(Product.checkout.appending(file), limit: 1 << 20)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let section = try #require(lines.firstIndex(of: "## \(heading)"[...]))
        let start = try #require(lines[section...].firstIndex(of: "```sh"))
        let end = try #require(lines[start...].firstIndex(of: "```"))
        return lines[(start + 1)..<end].map { line in
            var command = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
            while command.last == " " { command.removeLast() }
            return String(command)
        }
    }

    @Test func `every command of the real use works, one after the other`() async throws {
        let scratch = try Scratch()
        let lines = try commands(below: "Real use", in: "README.md")
        // Installing is run by InstallTests, booting by the boot tests.
        let own = lines.filter { !$0.hasPrefix("make release") && !$0.hasPrefix("ksbuild boot") }
        #expect(lines.count == 10 && own.count == 8)
        let script = """
            mkdir -p bin home/.ssh; ln -s "$1" bin/ksbuild; ln -s "$2" mirror; cp "$3" home/.ssh/
            export PATH="$PWD/bin:$PATH" HOME="$PWD/home" XDG_CACHE_HOME="$PWD/cache"
            \(own.joined(separator: "\n"))
            test "$(readlink out/current)" = bundles/1.0.0
            ksbuild verify 1.0.0 && ksbuild verify 1.1.0 && ksbuild list
            (cd out/bundles/1.1.0 && sha256sum --quiet -c SHA256SUMS)
            """
        let result = try await run(
            "sh",
            [
                "-ec", script, "sh", try Product.ksbuild.string, Product.mirror.string,
                Product.lab.pushing("keys/id_ed25519.pub").string,
            ], in: scratch.path)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(result.output.contains("1.0.0  live, confirmed"))
        #expect(result.output.contains("with 1 public key"))
    }

    @Test func `the two commands for a fresh machine are targets of the Makefile`() async throws {
        for command in try commands(below: "Two commands on a fresh machine", in: "README.md") {
            let result = try await run("sh", ["-ec", "\(command) --dry-run"], in: Product.checkout)
            #expect(result.succeeded, "\(result.errors)")
        }
        #expect(try await run("make", ["help"], in: Product.checkout).output.contains("  test "))
    }

    @Test(arguments: [
        "README.md", "docs/quick-start.md", "docs/commands.md", "docs/inputs.md", "docs/bundle.md", "docs/upgrade.md",
        "docs/node.md", "docs/media.md", "docs/virtual-machine.md", "docs/publish.md", "docs/pipelines.md",
        "docs/json.md", "docs/fleets.md",
    ])
    func `every command that a page names is one`(page: String) async throws {
        let text = String(
            decoding: try HostFile.read(Product.checkout.pushing(FilePath(page)), limit: 1 << 20), as: UTF8.self)
        let help = try await ksbuild("--help", in: Product.checkout).output
        let names = Set(text.matches(of: /`?ksbuild ([a-z]+)\b/).map { String($0.1) })
        // "ksbuild takes two things" is a sentence: a command stands in code.
        let inCode = Set(text.matches(of: /(?:`|^|\n|&& )ksbuild ([a-z]+)\b/).map { String($0.1) })
        #expect(!names.isEmpty)
        for name in inCode where !["is", "builds", "takes", "was", "has", "puts"].contains(name) {
            #expect(help.contains("  \(name) "), "\(page) names ksbuild \(name)")
        }
    }

    @Test(arguments: [
        "README.md", "docs/quick-start.md", "docs/commands.md", "docs/inputs.md", "docs/bundle.md", "docs/node.md",
        "docs/testing.md", "docs/benchmarks.md", "docs/upgrade.md", "docs/virtual-machine.md", "docs/pipelines.md",
        "docs/json.md", "docs/publish.md", "docs/fleets.md",
    ])
    func `every link to a file leads to one`(page: String) throws {
        let path = Product.checkout.pushing(FilePath(page))
        let text = String(decoding: try HostFile.read(path, limit: 1 << 20), as: UTF8.self)
        for link in text.matches(of: /\]\(([^)#:]+)\)/) {
            let target = path.removingLastComponent().pushing(FilePath(String(link.1))).lexicallyNormalized()
            #expect(HostFile.exists(target), "\(page) links to \(link.1)")
        }
    }
}
