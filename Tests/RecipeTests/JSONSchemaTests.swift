import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct JSONSchemaTests {
    /// Asks python3-jsonschema which documents the schema takes.
    private func verdicts(of documents: [String], by schema: String = Recipe.jsonSchema) async throws -> [Bool] {
        let program = """
            import json, sys
            from jsonschema import Draft202012Validator
            given = json.load(sys.stdin)
            Draft202012Validator.check_schema(given["schema"])
            validator = Draft202012Validator(given["schema"])
            print("".join("1" if validator.is_valid(document) else "0" for document in given["documents"]))
            """
        let input = "{\"schema\": \(schema), \"documents\": [\(documents.joined(separator: ","))]}"
        let result = try await run("/usr/bin/python3", ["-W", "error", "-c", program], input: input)
        #expect(result.succeeded, "\(result.errors)")
        return result.output.filter { $0 == "0" || $0 == "1" }.map { $0 == "1" }
    }

    @Test func `the schema and the decoder know the same keys`() throws {
        var paths: Set<String> = []
        func collect(_ schema: ConfigValue, _ path: String) {
            if case .mapping(let properties) = schema["properties"] {
                for pair in properties {
                    let below = path.isEmpty ? pair.key : "\(path).\(pair.key)"
                    paths.insert(below)
                    collect(pair.value, below)
                }
                #expect(schema["additionalProperties"] == .bool(false), "\(path)")
            } else if let value = schema["additionalProperties"] {
                collect(value, "\(path).*")
            }
            if let items = schema["items"] { collect(items, "\(path)[]") }
        }
        // The schema is JSON, and JSON is YAML: the decoder's own parser reads it.
        let (root, faults) = SourceParser.parse(try SourceText(Array(Recipe.jsonSchema.utf8), file: "s"), file: "s")
        #expect(faults.isEmpty)
        collect(try #require(root).configValue, "")
        #expect(paths == Set(RecipeSchema.root.keyPaths()))
        #expect(paths.count > 60)
    }

    @Test func `the schema and the decoder agree on every recipe of the corpus`() async throws {
        let corpus = brokenDocuments + brokenKeys + brokenValues + brokenNetworks + brokenAccess
        var documents: [String] = []
        var expected: [(verdict: Bool, name: String)] = []
        for broken in corpus {
            let result = reading(broken.text)
            // What is no YAML, or not YAML that a recipe may be, has no JSON.
            guard let source = result.source, result.faults.allSatisfy({ !$0.isYAML }) else { continue }
            documents.append(source.configValue.json)
            expected.append((!result.faults.contains { $0.isStructural }, broken.marked))
        }
        for good in ["apiVersion: ksbuild/v1\n", fullRecipe] {
            documents.append(try #require(reading(good).source).configValue.json)
            expected.append((true, good))
        }
        #expect(documents.count > 140)
        let verdicts = try await verdicts(of: documents)
        #expect(verdicts.count == documents.count)
        for (verdict, wanted) in zip(verdicts, expected) { #expect(verdict == wanted.verdict, "\(wanted.name)") }
        #expect(verdicts.count { !$0 } > 70)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `the schema and the decoder agree on what chance makes of a recipe`(seed: UInt64) async throws {
        var chance = SeededGenerator(state: seed)
        let good = try #require(reading(fullRecipe).source).configValue
        var documents: [String] = []
        var expected: [Bool] = []
        for _ in 0..<500 {
            var value = good
            for _ in 0..<Int.random(in: 1...2, using: &chance) { value = mutated(value, &chance) }
            let text = value.json
            documents.append(text)
            expected.append(try structuralFaults(text).isEmpty)
        }
        let verdicts = try await verdicts(of: documents)
        #expect(verdicts.count == documents.count)
        for index in documents.indices where verdicts[index] != expected[index] {
            let faults = try structuralFaults(documents[index])
            Issue.record(
                "seed \(seed), recipe \(index): schema \(verdicts[index]), decoder \(faults)\n\(documents[index])")
        }
        #expect(verdicts.contains(true) && verdicts.contains(false))
    }

    @Test func `each form of text means the same to the schema and the decoder, at every length that matters`()
        async throws
    {
        let forms = RecipeSchema.root.forms + [TextForm.byteCount]
        let constraints = forms.enumerated().map { ConfigValue.Pair("f\($0)", .mapping($1.jsonConstraints)) }
        let schema = ConfigValue.object(("properties", .mapping(constraints))).json
        let lengths = [
            0, 1, 2, 14, 15, 16, 17, 20, 31, 32, 33, 45, 46, 62, 63, 64, 65, 66, 127, 128, 129, 252, 253, 254, 255, 256,
            257,
        ]
        let long = [1023, 1024, 1025, 4094, 4095, 4096, 4097, 8191, 8192, 8193]
        let starts = [
            "", "/", "file:", "env:", "/dev/disk/by-id/", "https://", "v1.2.3-", "tty", "ttyS", "a.", "_", "-", ".",
        ]
        var texts = starts.flatMap { start in lengths.map { start + String(repeating: "a", count: $0) } }
        texts += starts.flatMap { start in lengths.prefix(9).map { start + String(repeating: "1", count: $0) } }
        texts += starts.flatMap { start in long.map { start + String(repeating: "a", count: max(0, $0 - start.count)) }
        }
        texts +=
            (0..<256).map { "a" + String(UnicodeScalar(UInt8($0))) }
            + (0..<128).map { String(UnicodeScalar(UInt8($0))) }
        texts += [
            "a.b", "a..b", "a-b", "a-", "A", "é", "aé", "😀", "a\u{85}", "a\n", "\n", "1.2.3", "1.2", "1.2.3.4",
            "v1.2.3", "v1.2.3-",
            "192.0.2.1/24", "::/0", "1/", "/1", "1GiB", "01GiB", "1GB", "9999999999999999999GiB", "hvc0", "hvc10",
            "ttyAMA0",
            "persistent", "fresh", "file:", "env:", "file:é", "/a/b", "/a//b", "/a/", "/../a", "/.a", "http://x/y",
            "https://",
            "a.a." + String(repeating: "b", count: 63) + ".c", String(repeating: "a.", count: 31) + "a",
            String(repeating: "a.", count: 40) + "a",
        ]
        var documents: [String] = []
        var expected: [(verdict: Bool, form: String, text: String)] = []
        for (index, form) in forms.enumerated() {
            for text in texts + texts.filter(form.accepts).map({ $0 + "\n" }) {
                documents.append(ConfigValue.object(("f\(index)", .string(text))).json)
                expected.append((form.accepts(text), form.noun, text))
            }
        }
        let verdicts = try await verdicts(of: documents, by: schema)
        #expect(verdicts.count == documents.count)
        for (verdict, wanted) in zip(verdicts, expected) where verdict != wanted.verdict {
            Issue.record("\(wanted.form): schema \(verdict), decoder \(wanted.verdict): \(shown(wanted.text))")
        }
        #expect(Set(expected.filter(\.verdict).map(\.form)).count > 20)
    }

    @Test func `the schema and the decoder agree on sizes around every bound`() async throws {
        let least: [Int64] = [1, 9, 10, 64 << 20, 128 << 20, 512 << 20, 999_999, 1 << 40, 199 << 40]
        var documents: [String] = []
        var expected: [(verdict: Bool, text: String)] = []
        for (index, least) in least.enumerated() {
            for unit in SizeUnit.allCases {
                let low = (least - 1) / unit.bytes + 1
                var numbers = [low - 1, low, low + 1, low * 10, low / 10, 0, 1, 9, 10, 99, 100, 9999, 99999]
                let most = (0..<unit.maximumDigits).reduce(Int64(1)) { power, _ in power * 10 }
                numbers += [most - 1, most, most / 10, most * 9, .max]
                for text in numbers.map({ "\($0)\(unit.rawValue)" }) {
                    documents.append(ConfigValue.object(("f\(index)", .string(text))).json)
                    let count = TextForm.byteCount.accepts(text) ? SizeUnit.byteCount(text) : nil
                    expected.append((count.map { $0 >= least } ?? false, "\(text), at least \(least)"))
                    documents.append(ConfigValue.object(("f\(index)", .string(text + "\n"))).json)
                    expected.append((false, "\(text) and a line feed"))
                }
            }
        }
        let properties = least.enumerated().map {
            ConfigValue.Pair("f\($0)", .mapping([TextPattern.size(atLeast: $1).jsonConstraint]))
        }
        let verdicts = try await verdicts(
            of: documents, by: ConfigValue.object(("properties", .mapping(properties))).json)
        #expect(verdicts.count == documents.count)
        for (verdict, wanted) in zip(verdicts, expected) { #expect(verdict == wanted.verdict, "\(wanted.text)") }
    }

    /// What the decoder finds of what a schema can find; the rest of its work is left out.
    private func structuralFaults(_ text: String) throws -> [ConfigurationFault] {
        let (root, faults) = SourceParser.parse(try SourceText(Array(text.utf8), file: "s"), file: "s")
        #expect(faults.isEmpty)
        return SchemaCheck.check(try #require(root), file: "s").faults.filter { $0.isStructural }
    }

    /// The value with one change somewhere.
    private func mutated(_ value: ConfigValue, _ chance: inout SeededGenerator) -> ConfigValue {
        let goesDown = Int.random(in: 0..<6, using: &chance) > 0
        switch value {
        case .mapping(var pairs) where !pairs.isEmpty:
            let index = Int.random(in: pairs.indices, using: &chance)
            if goesDown {
                pairs[index].value = mutated(pairs[index].value, &chance)
            } else {
                switch Int.random(in: 0..<4, using: &chance) {
                case 0: pairs.remove(at: index)
                case 1: pairs[index].key = mutated(pairs[index].key, &chance)
                case 2:
                    pairs.append(
                        ConfigValue.Pair(
                            ["extra", "name", "dhcp4", "release"].randomElement(using: &chance) ?? "", anything(&chance)
                        ))
                default: pairs[index].value = anything(&chance)
                }
                var seen: Set<String> = []
                pairs = pairs.filter { seen.insert($0.key).inserted }
            }
            return .mapping(pairs)
        case .sequence(var values) where !values.isEmpty && goesDown:
            let index = Int.random(in: values.indices, using: &chance)
            values[index] = mutated(values[index], &chance)
            return .sequence(values)
        case .string(let text) where goesDown: return .string(mutated(text, &chance))
        case .integer(let number) where goesDown:
            return .integer(
                [number &+ 1, -number, 0, number &* 1000, .max, 67, 4095].randomElement(using: &chance) ?? 0)
        default: return anything(&chance)
        }
    }

    private func mutated(_ text: String, _ chance: inout SeededGenerator) -> String {
        var characters = Array(text)
        let index = Int.random(in: 0...characters.count, using: &chance)
        let new = Array("aZ09-_./:@ é😀=$'\"\\\n\t~").randomElement(using: &chance) ?? "a"
        switch Int.random(in: 0..<5, using: &chance) {
        case 0: characters.insert(new, at: index)
        case 1 where index < characters.count: characters[index] = new
        case 2 where index < characters.count: characters.remove(at: index)
        case 3: characters += characters
        default: characters = characters.reversed()
        }
        return String(characters)
    }

    private func anything(_ chance: inout SeededGenerator) -> ConfigValue {
        let values: [ConfigValue] = [
            .null, .bool(true), .bool(false), .integer(0), .integer(-5), .integer(7), .integer(.max), .real(1.5),
            .string(""), .string("virt"), .string("eth0"), .string("1GiB"), .string("1KiB"), .string("9999999TiB"),
            .string("0"), .string("true"),
            .string("192.0.2.1"), .string("file:x"), .string(String(repeating: "a", count: 64)),
            .string(String(repeating: "a", count: 5000)), .sequence([]), .sequence([.string("a")]), .mapping([]),
            .sequence([.mapping([ConfigValue.Pair("name", .string("a"))])]),
            .mapping([ConfigValue.Pair("a", .string("b"))]), .mapping([ConfigValue.Pair("eth0", .mapping([]))]),
        ]
        return values.randomElement(using: &chance) ?? .null
    }
}

extension ConfigurationFault {
    /// Whether it is about the YAML and not about what it says.
    var isYAML: Bool {
        [
            "given twice", "anchor", "directive", "alias", "the tag", "no YAML", "merged", "key that is a list",
            "second document",
            "holds the character", "holds a carriage", "is empty; write", "nested deeper",
        ].contains {
            description.contains($0)
        }
    }
}

extension SourceNode {
    /// The value as a reader of YAML's core schema sees it.
    var configValue: ConfigValue {
        switch value {
        case .sequence(let items): return .sequence(items.map(\.configValue))
        case .mapping(let pairs): return .mapping(pairs.map { ConfigValue.Pair($0.key, $0.value.configValue) })
        case .scalar(let text, let isPlain):
            switch ScalarMeaning(text, isPlain: isPlain) {
            case .null, .notFinite: return .null
            case .flag(let flag): return .bool(flag)
            case .integer(let number): return .integer(number)
            case .real(let number): return .real(number)
            case .text(let text): return .string(text)
            }
        }
    }
}

extension Schema {
    /// The forms of all texts and keys below this value.
    fileprivate var forms: [TextForm] {
        switch self {
        case .object(let fields): fields.flatMap(\.schema.forms)
        case .table(let form, let value): [form] + value.forms
        case .list(let value, _): value.forms
        case .text(let form): [form]
        case .choice, .flag, .integer, .byteCount, .configuration: []
        }
    }
}
