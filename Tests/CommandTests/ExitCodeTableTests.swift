import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import ksbuild

/// The table of exit codes against what the command ends with.
@Suite struct ExitCodeTableTests {
    @Test func `the page has every exit code, and no other`() throws {
        let page = String(
            decoding: try HostFile.read(Product.checkout.pushing("docs/commands.md"), limit: 1 << 20), as: UTF8.self)
        let section = try #require(page.split(separator: "\n## Exit codes\n").last)
        let told = section.matches(of: #/\n\| ([0-9, ]+) \| /#).flatMap { row in
            row.1.split(separator: ", ").compactMap { Int32($0) }
        }
        // 0 is success, 143 the end by SIGTERM, neither of which is a class of failure.
        let codes = FailureClass.allCases.map(ExitStatus.code)
        #expect(told.sorted() == (codes + [0, 143]).sorted())
        #expect(Set(codes).count == codes.count)
    }
}
