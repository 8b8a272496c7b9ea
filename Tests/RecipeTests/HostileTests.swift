import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct HostileRecipeTests {
    private func faults(_ text: String) -> [String] { reading(text).faults.map(\.problem) }

    @Test func `what two thousand accidents make of a recipe is judged and nothing more`() async throws {
        let scratch = try Scratch()
        _ = try await makeSite(scratch)
        let seed: UInt64 = 20_260_101
        var chance = SeededGenerator(state: seed)
        let good = Array(fullRecipe.utf8)
        let alphabet = Array("\n\t :-#[]{}'\"|>&*!%@`?,<~\\x0e\u{0}\u{85}aZ=".utf8) + [0xff, 0xc3, 0xe2]
        var fine = 0
        for round in 0..<2000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &chance) {
                let index = Int.random(in: bytes.indices, using: &chance)
                let length = Int.random(in: 1...40, using: &chance)
                let range = index..<min(bytes.count, index + length)
                switch Int.random(in: 0..<6, using: &chance) {
                case 0: bytes.removeSubrange(range)
                case 1: bytes.insert(contentsOf: Array(bytes[range]), at: Int.random(in: bytes.indices, using: &chance))
                case 2: bytes[index] = UInt8.random(in: 0...255, using: &chance)
                case 3: bytes.insert(alphabet.randomElement(using: &chance) ?? 0, at: index)
                case 4: bytes[index] = alphabet.randomElement(using: &chance) ?? 0
                default: bytes.swapAt(index, Int.random(in: bytes.indices, using: &chance))
                }
            }
            let surroundings = Surroundings(environment: surroundingValues, workingDirectory: scratch.path)
            do throws(RecipeFaults) {
                let recipe = try RecipeFile.decode(
                    bytes, named: "r.yaml", directory: scratch.path, surroundings: surroundings)
                fine += recipe.node().hostname.isEmpty ? 0 : 1
            } catch {
                let lines = bytes.count { $0 == 0x0a || $0 == 0x0d } + 2
                #expect(!error.faults.isEmpty)
                for fault in error.faults {
                    #expect(!fault.description.contains { $0.isNewline }, "seed \(seed), round \(round)")
                    #expect((0...lines).contains(fault.line), "seed \(seed), round \(round): \(fault)")
                    #expect(!fault.description.contains(hashOfAlice) && !fault.description.contains(hashOfBob))
                }
            }
        }
        #expect((1..<1500).contains(fine))
    }

    @Test func `a recipe of more than two mebibytes is refused`() throws {
        let text = "apiVersion: ksbuild/v1\n" + String(repeating: "# comment\n", count: 220_000)
        #expect(faults(text) == ["is larger than 2097152 bytes, which no recipe needs"])
        let scratch = try Scratch()
        try scratch.file("r.yaml", text)
        let error = #expect(throws: RecipeFaults.self) {
            try RecipeFile.decode("r.yaml", surroundings: Surroundings(workingDirectory: scratch.path))
        }
        #expect(error?.failureClass == .data)
        #expect(error?.description == "r.yaml: is larger than 2097152 bytes, which no recipe needs")
    }

    @Test func `thirty-two levels are taken and one more is not`() {
        func nested(_ levels: Int) -> String {
            "apiVersion: ksbuild/v1\nkubesolo: { config: { a: "
                + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + " } }\n"
        }
        #expect(faults(nested(29)).isEmpty)
        #expect(faults(nested(30)) == ["is nested deeper than 32 levels"])
        #expect(faults(nested(5000)) == ["is nested deeper than 32 levels"])
        let block = "apiVersion: ksbuild/v1\nkubesolo:\n  " + String(repeating: "- ", count: 5000) + "a\n"
        #expect(faults(block) == ["is nested deeper than 32 levels"])
    }

    @Test(arguments: ["[", "{", "- ", "? ", "[a: ", "{a: ", "[{", "'a': [", "!!x [", "- - ? "])
    func `a document that never stops nesting is refused in time`(opening: String) {
        let text = String(repeating: opening, count: 1_000_000 / opening.utf8.count)
        var found: [String] = []
        let time = ContinuousClock().measure { found = faults(text) }
        #expect(!found.isEmpty && time < .seconds(60))
    }

    @Test func `lists and mappings that close again are refused in time`() {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("{{", "}: 1}: 1"), ("[[a]: ", "]")] {
            for levels in [40, 400, 900, 5000] {
                let text = "a: " + String(repeating: open, count: levels) + String(repeating: close, count: levels)
                #expect(!faults(text).isEmpty)
            }
        }
    }

    @Test func `more values than a recipe has are refused`() {
        let text =
            "apiVersion: ksbuild/v1\nkubesolo: { config: { a: [" + String(repeating: "1,", count: 260_000) + "] } }\n"
        #expect(faults(text).contains("is one value too many: a recipe holds at most 250000"))
    }

    @Test(.timeLimit(.minutes(20))) func `an alias bomb is refused at its anchors`() {
        var text = "apiVersion: ksbuild/v1\na0: &a0 [x, x]\n"
        for level in 1..<200 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        text += "? *a199\n: x\n"
        let result = reading(text).faults
        #expect(result.count == SourceParser.maximumAnchors)
        #expect(result.allSatisfy { $0.problem.hasPrefix("has an anchor") })
        #expect(result.first?.line == 2 && result.first?.column == 5)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["name: a\nname: b\n", "name: [\n", "'name': a\n'name': b\n: 1\n: 2\n"])
    func `no alias is followed, whatever else is wrong`(flaw: String) {
        var text = "apiVersion: ksbuild/v1\na0: &a0 [x, x]\n"
        for level in 1..<10 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        text += "? *a9\n: x\n"
        #expect(!reading(text + flaw).faults.isEmpty)
        #expect(!reading(flaw + text).faults.isEmpty)
        #expect(reading("%TAG !e! tag:e*,2000:\n---\n" + text).source == nil)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["? ", "{? ", "[? ", "- ? ", "? - "])
    func `keys inside keys around a long list are refused in time`(opening: String) {
        let list = "[" + String(repeating: "1,", count: 450_000) + "]"
        let text = "apiVersion: ksbuild/v1\n" + String(repeating: opening, count: 400) + list + "\n"
        #expect(!faults(text).isEmpty)
        let end = opening.hasPrefix("{") ? "}" : opening.hasPrefix("[") ? "]" : ""
        #expect(!faults(text + String(repeating: end, count: 400)).isEmpty)
    }

    @Test func `a stand-in is not taken for what a recipe says`() throws {
        let text = #"""
            apiVersion: ksbuild/v1
            kubesolo:
              config:
                stars: "*\ue000*\\ue001 \U0000e002"
                '*key*': 'a*'
                block: |
                  *not an alias, &not an anchor, ? no key
                plain: a*b *c
                ? last
                : ?what
                marks: \#(String(repeating: "?", count: 100)) 'and' ? more
            """#
        let result = reading(text)
        #expect(result.faults.isEmpty, "\(result.faults)")
        let config = ConfigValue.mapping(result.recipe.kubesolo.configuration)
        #expect(config["stars"] == .string("*\u{e000}*\\ue001 \u{e002}"))
        #expect(config["*key*"] == .string("a*") && config["plain"] == .string("a*b *c"))
        #expect(config["block"] == .string("*not an alias, &not an anchor, ? no key\n"))
        #expect(config["marks"] == .string(String(repeating: "?", count: 100) + " 'and' ? more"))
        #expect(config["last"] == .string("?what"))
    }

    @Test func `a recipe that names every character of private use is refused`() {
        let names = (0xe000...0xf8ff).map { "\\u" + String($0, radix: 16) }.joined()
        #expect(faults("apiVersion: ksbuild/v1\nname: \"\(names)\"\n").first?.hasPrefix("names thousands") == true)
    }

    @Test func `text that only looks like anchors and aliases is text`() {
        let text = "apiVersion: ksbuild/v1\nkubesolo: { config: { a: 'x & *y', b: \"&c\", c: a&b, d: '*' } }\n# &a *b\n"
        #expect(faults(text).isEmpty)
    }

    @Test func `many keys that are given twice are found in time`() {
        let text = "apiVersion: ksbuild/v1\n" + String(repeating: "name: a\n", count: 2000)
        let result = reading(text).faults
        #expect(!result.isEmpty && result.count <= SourceParser.maximumDuplicates + 1)
    }

    @Test(.timeLimit(.minutes(1))) func `a large recipe with many repeated keys is judged in time`() {
        var text = "apiVersion: ksbuild/v1\nkubesolo:\n  config:\n"
        for index in 0..<60_000 { text += "    k\(index % 59_000): 1\n" }
        var result: [ConfigurationFault] = []
        let time = ContinuousClock().measure { result = reading(text).faults }
        #expect(result.contains { $0.problem.hasPrefix("is given twice") } && time < .seconds(10))
    }

    @Test func `keys that are given twice are reported beside a later fault of syntax`() {
        let faults = reading("apiVersion: ksbuild/v1\nvm: { cpus: 1, cpus: 2 }\nname: [\n").faults
        #expect(faults.map(\.line) == [2, 4] && faults.first?.keyPath == "cpus")
    }

    @Test func `bytes that are not UTF-8 are found where they stand`() throws {
        let error = #expect(throws: RecipeFaults.self) {
            try RecipeFile.decode(
                Array("apiVersion: ksbuild/v1\nname: a".utf8) + [0xff, 0x0a], named: "r.yaml", directory: "/",
                surroundings: Surroundings())
        }
        #expect(error?.description == "r.yaml:2:8: is not UTF-8 from here on; save the file as UTF-8")
    }

    @Test func `a byte order mark and carriage returns do no harm`() throws {
        #expect(faults("\u{feff}apiVersion: ksbuild/v1\r\nname: a\r\n").isEmpty)
        let faults = reading("\u{feff}apiVersion: ksbuild/v1\r\nnmae: a\r\n").faults
        #expect(faults.map(\.line) == [2] && faults.map(\.column) == [1])
    }

    @Test func `a fault about hostile text is one short line`() {
        let text =
            "apiVersion: ksbuild/v1\n\"a\\n\\u202e\\x1b[31m\(String(repeating: "x", count: 9000))\": 1\nname: \"\\x1b\\n\"\n"
        let console = "apiVersion: ksbuild/v1\nkernel: { console: [\"/dev/\\n\\e[2J\"] }\n"
        for fault in reading(text).faults + reading(console).faults {
            #expect(fault.description.utf8.count < 600)
            #expect(fault.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202e })
        }
    }
}
