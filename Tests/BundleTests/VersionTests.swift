import Bundle
import Testing

struct VersionTests {
    @Test(arguments: [
        "0.0.0", "1.4.0", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x.7.z.92", "1.0.0-x-y-z.--",
        "1.0.0-0a", "99999999999999999999999.999999999999999999.99999999999999999", "0.0.0-dev",
    ])
    func `a semantic version is taken as written`(text: String) throws {
        #expect(try Version(text).description == text)
    }

    @Test(arguments: [
        "", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.02.3", "1.2.03", "1.2.3-", "1.2.3-01", "1.2.3-a..b",
        "1.2.3-a_b",
        "1.2.3+build", "1.2.3-a+b", " 1.2.3", "1.2.3 ", "1.2.3/..", "../1.2.3", "1.2.3\n", "1.2.-3", "a.b.c", "1.2.3-ü",
        "１.2.3", "1.2.3\0", ".staging-1.2.3", "1.2.3-" + String(repeating: "a", count: 200),
    ])
    func `anything else is refused with a reason on one line`(text: String) {
        let error = #expect(throws: BundleError.self) { try Version(text) }
        #expect(error?.code == .invalidVersion)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `precedence is that of the specification's own example`() throws {
        let ascending = try [
            "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0", "1.0.1", "1.0.10", "1.2.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0", "18446744073709551616.0.0",
        ].map { try Version($0) }
        #expect(ascending.reversed().sorted() == ascending)
        for (index, version) in ascending.enumerated() {
            for later in ascending.dropFirst(index + 1) { #expect(version < later && !(later < version)) }
            #expect(!(version < version))
        }
    }
}
