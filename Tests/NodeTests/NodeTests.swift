import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Node

struct NameTests {
    @Test(arguments: [
        "a", "edge-001", "edge-001.example.org", "0", "a--b", String(repeating: "a", count: 63),
        String(repeating: "a", count: 32) + "." + String(repeating: "b", count: 31),
    ])
    func `a host name of RFC 1123 is taken`(name: String) { #expect(HostName.problem(with: name) == nil) }

    @Test(arguments: [
        ("", "is empty"), ("Edge", "capital"), ("a_b", "other than"), ("-a", "begins or ends"),
        ("a-", "begins or ends"),
        ("a..b", "empty label"), (".a", "empty label"), ("a.", "empty label"), ("ä", "other than"),
        (String(repeating: "a", count: 64), "label of 64 bytes"),
        (String(repeating: "a.", count: 32) + "aa", "66 bytes long"), ("a b", "other than"), ("a\n", "other than"),
    ])
    func `anything else is no host name`(name: String, why: String) throws {
        #expect(try #require(HostName.problem(with: name)).contains(why))
    }

    @Test func `a domain name may be longer than a host name`() {
        let name = Array(repeating: String(repeating: "a", count: 62), count: 4).joined(separator: ".")
        #expect(HostName.problem(with: name) != nil)
        #expect(DomainName.problem(with: name) == nil)
        #expect(DomainName.problem(with: name + ".a.b") != nil)
    }

    @Test(arguments: ["eth0", "br-lan", "eth0.100", "wlp2s0", "_x", "abcdefghijklmno"])
    func `an interface name needs no quoting anywhere`(name: String) {
        #expect(InterfaceName.problem(with: name) == nil)
    }

    @Test(arguments: ["", "abcdefghijklmnop", "eth 0", "eth/0", "eth0:1", "..", ".", "-e", "lo", "all", "default", "é"])
    func `anything else is no interface name`(name: String) { #expect(InterfaceName.problem(with: name) != nil) }

    @Test(arguments: ["alpine", "_svc", "a-b_c9", String(repeating: "a", count: 32)])
    func `a user name is plain`(name: String) { #expect(UserName.problem(with: name) == nil) }

    @Test(arguments: [
        "", "root", "nobody", "wheel", "9a", "-a", "Alpine", "a.b", "a:b", "a b", String(repeating: "a", count: 33),
    ])
    func `a user name that Alpine has or cannot have is refused`(name: String) {
        #expect(UserName.problem(with: name) != nil)
    }
}

struct PasswordHashTests {
    @Test(arguments: [
        "$6$saltsalt$", "$6$rounds=5000$salt$", "$5$salt$", "$y$j9T$saltsalt$", "$2b$05$abcdefghijklmnopqrstuu",
    ])
    func `a hash that crypt makes is taken, and a shorter one is not`(setting: String) async throws {
        let made = try await run("perl", ["-e", "print crypt('secret', $ARGV[0])", setting])
        #expect(made.succeeded && made.output.count > 20)
        #expect(PasswordHash.problem(with: made.output) == nil)
        #expect(PasswordHash.problem(with: String(made.output.dropLast())) != nil)
        #expect(PasswordHash.problem(with: made.output + "x") != nil)
    }

    @Test func `a hash of openssl is taken`() async throws {
        for option in ["-6", "-5"] {
            let made = try await run("openssl", ["passwd", option, "secret"])
            #expect(made.succeeded)
            #expect(PasswordHash.problem(with: String(made.output.dropLast())) == nil)
        }
    }

    @Test(arguments: [
        "", "secret", "$1$salt$hash", "*", "!", "$6$$", "$6$salt$short", "$9$a$b", "a:b", "$6$a b$c", "\n",
    ])
    func `anything else is refused, and the answer does not repeat it`(text: String) throws {
        let problem = try #require(PasswordHash.problem(with: text))
        #expect(!problem.contains("secret"))
    }
}
