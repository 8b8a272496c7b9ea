import Artefact
import Bundle
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct TrustTests {
    @Test func `keys stand in the recipe or in files, and their files are inputs`() async throws {
        let scratch = try Scratch()
        try scratch.file("keys/release.pub", signingKeyFile)
        let text = "apiVersion: ksbuild/v1\ntrust: [\(signingKey), file:keys/release.pub]\n"
        let recipe = try decoded(text, directory: scratch.path)
        #expect(recipe.recipe.trust.map(\.identifier) == ["88C3D2E9867412F9", "75B003C762BF29CF"])
        #expect(recipe.inputs.map(\.keyPath) == ["", "trust[1]"])
        let plan = try BuildPlan(recipe: recipe, node: recipe.node(), outputs: [], trees: [])
        #expect(plan.text.contains("\nTrusted keys\n  88C3D2E9867412F9\n  75B003C762BF29CF\n"))
        // Who may sign changes nothing of what is built.
        #expect(recipe.node() == (try decoded("apiVersion: ksbuild/v1\n")).node())
    }

    @Test func `a private key, or what is no key, is refused and nothing of it is told`() throws {
        let scratch = try Scratch()
        let files = try MinisignSecretKey.generate().write(named: "me", in: scratch.path)
        let secret = String(decoding: try HostFile.read(files.privateKey, limit: 4096), as: UTF8.self)
        for (name, content) in [("a", secret), ("b", ""), ("c", publicKey + "\n"), ("d", "\u{0}\u{ff}")] {
            try scratch.file(name, content, mode: .secret)
            let reading = reading("apiVersion: ksbuild/v1\ntrust: ['file:\(name)']\n", directory: scratch.path)
            #expect(reading.faults.map(\.keyPath) == ["trust[0]"])
            let told = reading.faults.map(\.description).joined()
            #expect(told.contains("is no") && told.contains("public key") && !told.contains("\n"), "\(told)")
            #expect(!told.contains(secret.suffix(100)))
            #expect(reading.inputs.isEmpty)
        }
    }

    private func trust(_ text: String, in scratch: borrowing Scratch) throws -> [String] {
        try scratch.file("ksbuild.yaml", text)
        let surroundings = Surroundings(workingDirectory: scratch.path)
        return try RecipeFile.trust("ksbuild.yaml", surroundings: surroundings).map(\.identifier)
    }

    @Test func `keys are read without the secrets of the recipe, and never from one that is malformed`() throws {
        let scratch = try Scratch()
        let head = "apiVersion: ksbuild/v1\n"
        let users = "access: { users: [{ name: bo, passwordHash: env:NOT_SET }] }\n"
        #expect(try trust("\(head)\(users)trust: [\(signingKey)]\n", in: scratch) == ["88C3D2E9867412F9"])
        #expect(try trust(head, in: scratch) == [])
        for (text, problem) in [
            ("\(head)trst: [\(signingKey)]\n", "did you mean 'trust'?"),
            ("\(head)trust: [\(signingKey)]\ntrust: []\n", "is given twice"),
            ("\(head)trust: \(signingKey)\n", "must be a list"),
            ("apiVersion: ksbuild/v2\ntrust: [\(signingKey)]\n", "does not take 'ksbuild/v2'"),
            ("\(head)trust: ['file:gone.pub']\n", "does not exist"), ("\(head)name: [\n", "ksbuild.yaml:"),
            ("\u{0}", "ksbuild.yaml"), ("", "ksbuild.yaml"),
        ] {
            let error = #expect(throws: RecipeFaults.self) { try trust(text, in: scratch) }
            #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
        }
        let surroundings = Surroundings(workingDirectory: scratch.path)
        let missing = #expect(throws: RecipeFaults.self) { try RecipeFile.trust("none", surroundings: surroundings) }
        #expect(missing?.failureClass == .noInput)
    }
}
