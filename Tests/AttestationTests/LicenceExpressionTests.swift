import Attestation
import TestSupport
import Testing

@Suite struct LicenceExpressionTests {
    private static let valid = [
        "MIT", "GPL-2.0-only", "GPL-2.0+", "GPL-2.0-or-later WITH GCC-exception-3.1", "MIT AND (ISC OR 0BSD)",
        "(MIT)", "((MIT OR ISC) AND (Zlib))", "MPL-2.0 AND MIT", "GPL-2.0-or-later OR LGPL-3.0-or-later", "SSH-OpenSSH",
        "GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception", "curl", "X11",
    ]
    private static let invalid = [
        "", " ", "custom", "Public-Domain", "MIT ISC", "custom ISC", "MIT AND", "AND MIT", "(MIT", "MIT)", "()",
        "MIT WITH MIT", "WITH GCC-exception-3.1", "GCC-exception-3.1", "LicenseRef-mine", "MIT AND OR ISC",
        "0BSD AND Public-Domain", "MIT WITH GCC-exception-3.1 WITH GCC-exception-3.1", "MIT/ISC", "GPL",
    ]

    @Test func `an expression of the list is one, and nothing else is`() {
        #expect(Self.valid.filter { !LicenceExpression.isValid($0) } == [])
        #expect(Self.invalid.filter(LicenceExpression.isValid) == [])
    }

    @Test func `others agree`() async throws {
        let program = """
            import sys
            from license_expression import get_spdx_licensing
            licensing = get_spdx_licensing()
            for line in sys.stdin.read().split("\\n"):
                try:
                    print(int(bool(line.strip()) and not licensing.validate(line, strict=True).errors))
                except Exception:
                    print(0)
            """
        let texts = (Self.valid + Self.invalid).filter { !["LicenseRef-mine", "GPL"].contains($0) }
        let result = try await run("python3", ["-c", program], input: texts.joined(separator: "\n"))
        #expect(result.succeeded, "\(result.errors)")
        let answers = result.output.split(separator: "\n").map { $0 == "1" }
        try #require(answers.count == texts.count)
        for (text, answer) in zip(texts, answers) {
            #expect(LicenceExpression.isValid(text) == answer, "\(text)")
        }
    }

    @Test func `depth and length have an end`() {
        let nested = { (depth: Int) in
            String(repeating: "(", count: depth) + "MIT" + String(repeating: ")", count: depth)
        }
        #expect(LicenceExpression.isValid(nested(32)))
        #expect(!LicenceExpression.isValid(nested(33)))
        #expect(!LicenceExpression.isValid(Array(repeating: "MIT", count: 700).joined(separator: " AND ")))
    }
}
