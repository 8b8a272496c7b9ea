import Artefact
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// What commands print as JSON against the contracts that `docs/json.md` is made from.
@Suite struct JSONContractTests {
    private static let contracts = Product.checkout.pushing("Tests/Contracts")
    private static let check = contracts.appending("check").string

    /// The contracts of documents that one script cannot have printed, and the tests that hold those.
    private static let elsewhere: Set<String> = ["boot", "boot-upgrade", "vm-status", "sarif"]

    @Test func `every document is as its contract says, and every key of a contract is in some document`() async throws
    {
        let scratch = try Scratch()
        let printing = try await run(
            Self.contracts.appending("documents").string, [], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
        try #require(printing.succeeded, "\(printing.errors)")
        let names = try HostFile.names(in: Self.contracts).filter { $0.hasSuffix(".json") }.map { $0.dropLast(5) }
        var documents: [String] = []
        for name in names where !Self.elsewhere.contains(String(name)) {
            let files = try HostFile.names(in: scratch.path).filter { $0.hasPrefix("\(name).") }
            #expect(!files.isEmpty, "no document of \(name)")
            documents += files.map { "\(name)=\($0)" }
        }
        let result = try await run(Self.check, ["--all-keys"] + documents, in: scratch.path)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    @Test func `the status of a machine is as its contract says`() async throws {
        let project = try TalkingProject()
        try #require(try await project.make().exitCode == 0)
        let status = try await project.vm("status", "--json", "--name", "node")
        let document = try project.scratch.file("status.json", status.output)
        let result = try await run(Self.check, ["vm-status=\(document)"])
        #expect(result.succeeded, "\(status.output)\(status.errors)\(result.output)\(result.errors)")
    }

    @Test func `a key that no contract has, that is missing or of another type is found`() async throws {
        let scratch = try Scratch()
        let digest = String(repeating: "0", count: 64)
        try scratch.file("good", "[{\"sha256\": \"\(digest)\", \"size\": 1, \"lastUsed\": 2}]")
        try scratch.file("more", "[{\"sha256\": \"\(digest)\", \"size\": 1, \"lastUsed\": 2, \"new\": 3}]")
        try scratch.file("less", "[{\"sha256\": \"\(digest)\", \"size\": 1}]")
        try scratch.file("other", "[{\"sha256\": \"\(digest)\", \"size\": \"1\", \"lastUsed\": 2}]")
        for (name, says) in [
            ("good", ""), ("more", "'new' was unexpected"), ("less", "'lastUsed' is a required"),
            ("other", "'integer'"),
        ] {
            let result = try await run(Self.check, ["cache-list=\(name)"], in: scratch.path)
            #expect(result.succeeded == says.isEmpty)
            #expect(result.output.contains(says), "\(result.output)")
        }
    }

    @Test func `every command that prints JSON has a contract, and the page is made from the contracts`() async throws {
        let script = """
            import glob, json, os, subprocess, sys
            tool = json.loads(subprocess.run([sys.argv[1], "--experimental-dump-help"], capture_output=True).stdout)
            printing = set()
            def walk(command, words):
                for argument in command.get("arguments", []):
                    if any(name["name"] == "json" for name in argument.get("names", [])): printing.add(" ".join(words))
                for child in command.get("subcommands", []): walk(child, words + [child["commandName"]])
            walk(tool["command"], ["ksbuild"])
            titles = [json.load(open(file))["title"] for file in glob.glob(sys.argv[2] + "/*.json")]
            for name in sorted(printing):
                if not any(title == name or title.startswith(name + " ") for title in titles): print("no contract of", name)
            for title in titles:
                if not any(title == name or title.startswith(name + " ") for name in printing | {"ksbuild fetch", "ksbuild --sarif"}):
                    print(title, "prints no JSON")
            """
        let result = try await run(
            "python3", ["-c", script, try Product.ksbuild.string, Self.contracts.string])
        #expect(result.output.isEmpty && result.succeeded, "\(result.output)\(result.errors)")
        let described = try await run(Self.contracts.appending("describe").string, [])
        let page = try HostFile.read(Product.checkout.pushing("docs/json.md"), limit: 1 << 20)
        #expect(
            described.output == String(decoding: page, as: UTF8.self),
            "Tests/Contracts/describe > docs/json.md writes the page anew")
    }
}
