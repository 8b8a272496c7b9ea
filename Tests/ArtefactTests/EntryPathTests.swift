import Artefact
import Testing

@Suite struct EntryPathTests {
    @Test(arguments: ["etc", "etc/hostname", "a b/c", "über/ñ", "...", "a/..b", String(repeating: "n", count: 255)])
    func `a relative, normalised path is taken as it stands`(text: String) throws {
        #expect(try EntryPath(text).string == text)
    }

    @Test(arguments: [
        "", "/", "/etc", "./etc", "etc/", "a//b", "..", "a/../b", ".", "a/.", "a\nb", "a\u{7f}",
        String(repeating: "n", count: 256), Array(repeating: "dir", count: 1100).joined(separator: "/"),
    ])
    func `an entry outside the tree or with a name no format holds is refused`(text: String) throws {
        #expect { try EntryPath(text) } throws: { error in
            (error as? ArtefactError)?.code == .invalidPath && (error as? ArtefactError)?.failureClass == .data
        }
    }

    @Test func `a directory sorts directly before what it holds`() throws {
        let paths = try ["a.b", "a/b", "a", "a/b/c", "a-b", "b"].map { try EntryPath($0) }
        #expect(paths.sorted().map(\.string) == ["a", "a/b", "a/b/c", "a-b", "a.b", "b"])
    }

    @Test func `names that Unicode calls equal stay two names`() throws {
        let composed = try EntryPath("caf\u{e9}")
        let decomposed = try EntryPath("cafe\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect((composed < decomposed) != (decomposed < composed))
    }

    @Test func `name, parent and components come apart at the slashes`() throws {
        let path = try EntryPath("etc/init.d/kubesolo")
        #expect(path.name == "kubesolo")
        #expect(path.parent?.string == "etc/init.d")
        #expect(path.components == ["etc", "init.d", "kubesolo"])
        #expect(try EntryPath("etc").parent == nil)
    }
}
