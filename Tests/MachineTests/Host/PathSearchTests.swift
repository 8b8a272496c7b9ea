import Artefact
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Machine

/// Whether a user comes through a directory is held against the kernel: the same user tries it.
@Suite struct PathSearchTests {
    static let user: UInt32 = 65_534
    static let group: UInt32 = 65_533
    static let other: UInt32 = 65_532

    struct Case: Sendable, CustomTestStringConvertible {
        /// What a shell does with the directory `d`.
        let script: String
        var testDescription: String { script }
    }

    static let cases: [Case] = [
        Case(script: "chmod 0700 d"), Case(script: "chmod 0711 d"), Case(script: "chmod 0755 d"),
        Case(script: "chmod 0710 d; chgrp \(group) d"), Case(script: "chmod 0701 d; chgrp \(group) d"),
        Case(script: "chmod 0710 d; chgrp \(other) d"), Case(script: "chmod 0100 d; chown \(user) d"),
        Case(script: "chmod 0011 d; chown \(user) d"), Case(script: "chmod 0700 d; setfacl -m u:\(user):x d"),
        Case(script: "chmod 0700 d; setfacl -m u:\(other):x d"), Case(script: "chmod 0755 d; setfacl -m u:\(user):- d"),
        Case(script: "chmod 0700 d; setfacl -m u:\(user):x d; setfacl -m m::r d"),
        Case(script: "chmod 0700 d; setfacl -m g:\(group):x d"),
        Case(script: "chmod 0755 d; setfacl -m g:\(group):r d"),
        Case(script: "chmod 0700 d; setfacl -m g:\(group):x d; setfacl -m m::r d"),
        Case(script: "chmod 0755 d; chgrp \(group) d; setfacl -m g::-,g:\(other):x d"),
    ]

    @Test(arguments: cases) func `modes and access control lists`(_ example: Case) async throws {
        let scratch = try Scratch()
        let prepared = try await run("sh", ["-euc", "chmod 0711 .; mkdir d; \(example.script)"], in: scratch.path)
        try #require(prepared.succeeded, "\(prepared.errors)")
        let directory = scratch.path.appending("d")
        let kernel = try await run(
            "setpriv",
            ["--reuid", "\(Self.user)", "--regid", "\(Self.group)", "--clear-groups", "test", "-x", directory.string])
        try #require([0, 1].contains(kernel.exitCode), "\(kernel.errors)")
        let search = PathSearch(HostAccount(identifier: Self.user, groups: [Self.group]))
        #expect(try search.obstacle(on: directory) == (kernel.succeeded ? nil : directory))
    }

    @Test func `the first closed directory is named, behind a link and before what is yet to be made`()
        async throws
    {
        let scratch = try Scratch()
        let script =
            "chmod 0711 .; mkdir -p a/b/c; chmod 0711 a; chmod 0700 a/b/c a/b; ln -s a/b/c link; mkdir -m 0711 open"
        #expect(try await run("sh", ["-euc", script], in: scratch.path).succeeded)
        let search = PathSearch(HostAccount(identifier: Self.user, groups: [Self.group]))
        let closed = scratch.path.pushing("a/b")
        #expect(try search.obstacle(on: scratch.path.pushing("a/b/c")) == closed)
        #expect(try search.obstacle(on: scratch.path.pushing("link/new/out")) == closed)
        #expect(try search.obstacle(on: scratch.path.pushing("open/new/out")) == nil)
        #expect(try PathSearch(HostAccount(identifier: 0, groups: [0])).obstacle(on: closed) == nil)
    }

    @Test(arguments: [[], [2, 0, 0, 0, 1], [1, 0, 0, 0], [2, 0, 0, 0, 3, 0, 7, 0, 0, 0, 0, 0]] as [[UInt8]])
    func `what is no access control list is not taken for one`(_ bytes: [UInt8]) {
        #expect(AccessList(attribute: bytes) == nil)
    }

    @Test func `an account has the groups that id prints`() async throws {
        let name = try #require(Product.environment("USER") ?? (getuid() == 0 ? "root" : nil))
        let told = try await run("id", ["-G", name]).output.split(whereSeparator: \.isWhitespace).compactMap {
            UInt32($0)
        }
        let account = try #require(HostAccount(named: name))
        #expect(Set(account.groups) == Set(told))
        #expect(HostAccount(named: "no-such-user") == nil)
    }
}
