internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

/// Lines of an index that must be refused, where and why.
struct BadIndex: Sendable, CustomTestStringConvertible {
    let what: String
    let bytes: [UInt8]
    let message: String

    init(_ what: String, _ text: String, _ message: String) {
        self.init(what, bytes: Array(text.utf8), message)
    }

    init(_ what: String, bytes: [UInt8], _ message: String) {
        self.what = what
        self.bytes = bytes
        self.message = message
    }

    var testDescription: String { what }

    static let all: [BadIndex] = [
        BadIndex("empty", "", "index: lists no package"),
        BadIndex("blank lines", "\n\n\n", "index: lists no package"),
        BadIndex("no colon", "P:a\nV 1\n", "index:2:1: expected LETTER:VALUE"),
        BadIndex("a lone letter", "P", "index:1:1: expected LETTER:VALUE"),
        BadIndex("a digit as a letter", "1:a\n", "index:1:1: expected LETTER:VALUE"),
        BadIndex("no name", "C:Q1abc=\nV:1\n\n", "index:1:1: begins a package without a name"),
        BadIndex("no version", "P:a\nV:1\n\nP:b\n\n", "index:4:1: begins package b, which has no version"),
        BadIndex("empty name", "P:\nV:1\n", "index:1:3: expected a name"),
        BadIndex("name with a blank", "P:a b\nV:1\n", "index:1:3: expected a name"),
        BadIndex("name with a slash", "P:../a\nV:1\n", "index:1:3: expected a name"),
        BadIndex("version with a slash", "P:a\nV:1/../..\n", "index:2:3: expected a name"),
        BadIndex("a field twice", "P:a\nV:1\nP:b\n", "index:3:1: gives 'P:' twice"),
        BadIndex("size not a number", "P:a\nV:1\nS:-5\n", "index:3:3: expected a size"),
        BadIndex("size too large", "P:a\nV:1\nI:99999999999999999999\n", "index:3:3: expected a size"),
        BadIndex(
            "not UTF-8", bytes: Array("P:a\nV:1\nT:".utf8) + [0xff, 0x0a], "index:3:3: has a value that is not UTF-8"),
        BadIndex("NUL", "P:a\nV:1\nT:x\0y\n", "index:3:3: has a value that is not UTF-8"),
        BadIndex("carriage returns", "P:a\r\nV:1\r\n", "index:1:3: expected a name"),
        BadIndex(
            "a long line", bytes: Array("P:a\nV:1\nT:".utf8) + Array(repeating: 0x78, count: 1 << 20),
            "index:3:1: is longer than 1048576 bytes"),
    ]
}

/// An `APKINDEX.tar.gz` that must be refused, and why.
struct BadIndexArchive: Sendable, CustomTestStringConvertible {
    let what: String
    let bytes: [UInt8]
    let code: UpstreamError.Code
    let message: String

    init(_ what: String, _ bytes: [UInt8], _ code: UpstreamError.Code, _ message: String) {
        self.what = what
        self.bytes = bytes
        self.code = code
        self.message = message
    }

    var testDescription: String { what }

    private static let good = SmallArchive.index("P:a\nV:1\n")

    private static func signed(_ members: [SmallArchive.Member], index: [SmallArchive.Member]) -> [UInt8] {
        SmallArchive.gzip(SmallArchive.tar(members, isEnded: false)) + SmallArchive.gzip(SmallArchive.tar(index))
    }

    private static let index = SmallArchive.Member.file("APKINDEX", "P:a\nV:1\n")
    private static let signature = SmallArchive.Member.file(".SIGN.RSA.key.rsa.pub", "x")

    static let all: [BadIndexArchive] = [
        BadIndexArchive("empty", [], .wrongKind, "is no package index but an empty file"),
        BadIndexArchive("HTML", Array("<html>".utf8), .wrongKind, "but an HTML page"),
        BadIndexArchive("apk v3", Array("ADBd".utf8), .wrongKind, "but an apk v3 file"),
        BadIndexArchive("lines without an archive", Array("P:a\nV:1\n".utf8), .wrongKind, "but a text file"),
        BadIndexArchive("cut", Array(good.dropLast(30)), .truncated, ""),
        BadIndexArchive(
            "signature alone", SmallArchive.gzip(SmallArchive.tar([signature])), .malformed, "no file named APKINDEX"),
        BadIndexArchive("bytes after it", good + [1, 2, 3], .malformed, "bytes after"),
        BadIndexArchive(
            "two indexes", signed([signature], index: [index, index]), .malformed, "two files named APKINDEX"),
        BadIndexArchive(
            "a program before it", signed([.file("sh", "x")], index: [index]), .malformed, "where only signatures"),
        BadIndexArchive(
            "kind of signature", signed([.file(".SIGN.MD5.key", "x")], index: [index]), .malformed, "where only"),
        BadIndexArchive(
            "key with a path", signed([.file(".SIGN.RSA.../key", "x")], index: [index]), .malformed, "where only"),
        BadIndexArchive(
            "signature without key", signed([.file(".SIGN.RSA.", "x")], index: [index]), .malformed, "where only"),
        BadIndexArchive(
            "a directory in it", signed([signature], index: [.directory("d/"), index]), .malformed, "which is no file"),
        BadIndexArchive(
            "a link in it",
            signed([signature], index: [SmallArchive.Member(name: "APKINDEX", type: 0x32, link: "/etc/passwd")]),
            .malformed, "which is no file"),
        BadIndexArchive(
            "many files", signed([signature], index: (0..<70).map { .file("f\($0)", "") } + [index]), .malformed,
            "more than 64"),
        BadIndexArchive("no package", SmallArchive.index("\n"), .malformed, "(APKINDEX): lists no package"),
    ]
}

struct PackageIndexTests {
    @Test(arguments: BadIndexArchive.all) func `a file that is no index is refused with the reason`(
        _ bad: BadIndexArchive
    ) {
        let error = #expect(throws: UpstreamError.self) {
            try PackageIndex(archive: bad.bytes, named: "APKINDEX.tar.gz")
        }
        #expect(error?.code == bad.code, "\(error?.description ?? "")")
        #expect(error?.description.contains(bad.message) == true, "\(error?.description ?? "")")
    }

    @Test(.timeLimit(.minutes(20))) func `an index that inflates without end is refused`() async throws {
        let scratch = try Scratch()
        let made = try await run("sh", ["-c", "head -c 200000000 /dev/zero | gzip -9 > bomb"], in: scratch.path)
        try #require(made.succeeded)
        let bomb = try HostFile.read(scratch.path.appending("bomb"), limit: 1 << 20)
        let error = #expect(throws: UpstreamError.self) { try PackageIndex(archive: bomb, named: "index") }
        #expect(error?.code == .malformed)
    }

    @Test func `signatures are recorded by kind and key, and their absence is a fault`() throws {
        let text = "P:a\nV:1\n"
        let index = try PackageIndex(
            archive: SmallArchive.index(text, signature: ".SIGN.RSA256.alpine@x-1.rsa.pub"), named: "i")
        #expect(index.signatures.map(\.kind) == ["RSA256"] && index.signatures.map(\.keyName) == ["alpine@x-1.rsa.pub"])
        try index.requireSignature()
        let unsigned = try PackageIndex(archive: SmallArchive.index(text, signature: nil), named: "i")
        #expect(#expect(throws: UpstreamError.self) { try unsigned.requireSignature() }?.code == .unsigned)
        let inOne = SmallArchive.gzip(SmallArchive.tar([.file(".SIGN.RSA.key", "x"), .file("APKINDEX", text)]))
        #expect(try PackageIndex(archive: inOne, named: "i").signatures.isEmpty)
    }

    @Test(arguments: [0, 1, 127, 200, 2048]) func `a signature of no possible size counts as none`(size: Int) throws {
        let body = SmallArchive.gzip(SmallArchive.tar([.file("APKINDEX", "P:a\nV:1\n")]))
        let name = ".SIGN.RSA.key.rsa.pub"
        let signature = SmallArchive.tar([.file(name, [UInt8](repeating: 7, count: size))], isEnded: false)
        let index = try PackageIndex(archive: SmallArchive.gzip(signature) + body, named: "i")
        let error = #expect(throws: UpstreamError.self) { try index.requireSignature() }
        #expect(error?.code == .unsigned && error?.detail.contains("\(size) bytes") == true)
    }

    @Test func `what a package of the world needs must be there as well, however far away`() throws {
        let text = """
            P:top
            V:1
            D:middle>=2 !other

            P:middle
            V:2
            D:so:lib.so.1 virtual

            P:lib
            V:1
            p:so:lib.so.1=1
            D:nothing-has-this

            P:one
            V:1
            p:virtual
            D:nor-this

            P:two
            V:1
            p:virtual
            """
        let index = try PackageIndex(text: Array(text.utf8), named: "i")
        let missing = index.missingDependencies(world: ["top", "!one"])
        #expect(missing.map { "\($0.package) \($0.word)" } == ["lib nothing-has-this"])
        #expect(index.missingDependencies(world: ["one", "two"]).map(\.word) == ["nor-this"])
        #expect(index.missingDependencies(world: ["top"].map { $0 + "-not" }).isEmpty)
    }

    @Test func `what Alpine's apk lists of the lab's packages is what is read`() async throws {
        let path = Product.mirror.pushing("alpine/v3.23/main/x86_64/APKINDEX.tar.gz")
        let index = try PackageIndex(archive: HostFile.read(path, limit: 1 << 20), named: path.string)
        let listing = try await run(
            "sh", ["-c", "gzip -dc '\(path)' | tar -xOf - --ignore-zeros APKINDEX | grep -c ^P:"])
        #expect(Int(listing.output.dropLast()) == index.packages.count)
        #expect(index.missing(world: ["alpine-base", "openssh", "busybox", "musl"]).isEmpty)
    }

    private static let text = """
        C:Q1abcdefghijklmnopqrstuvwxy=
        P:musl
        V:1.2.5-r23
        A:x86_64
        S:414902
        I:667648
        T:the musl c library (libc) implementation
        o:musl
        p:so:libc.musl-x86_64.so.1=1 cmd:ldd=1.2.5-r23

        P:busybox
        V:1.37.0-r30
        k:100
        D:so:libc.musl-x86_64.so.1 !busybox-old
        p:/bin/sh cmd:sh=1.37.0-r30
        i:a b
        Z:unknown

        P:openssh-server
        V:9.2_p1-r0
        """

    private static func index() throws -> PackageIndex { try PackageIndex(text: Array(text.utf8), named: "index") }

    @Test func `the fields of a package are read`() throws {
        let index = try Self.index()
        #expect(index.packages.map(\.name) == ["musl", "busybox", "openssh-server"])
        #expect(index.packages.map(\.line) == [1, 11, 19])
        let musl = index.packages[0]
        #expect(musl.version == "1.2.5-r23" && musl.architecture == "x86_64" && musl.size == 414_902)
        #expect(musl.installedSize == 667_648 && musl.origin == "musl" && musl.identity.hasPrefix("Q1"))
        #expect(musl.fileName == "musl-1.2.5-r23.apk")
        #expect(musl.provides.map(\.name) == ["so:libc.musl-x86_64.so.1", "cmd:ldd"])
        #expect(musl.provides[1].version == PackageVersion("1.2.5-r23"))
        let busybox = index.packages[1]
        #expect(busybox.providerPriority == 100 && busybox.installIf == ["a", "b"])
        #expect(busybox.dependencies == ["so:libc.musl-x86_64.so.1", "!busybox-old"])
        #expect(busybox.provides[0].name == "/bin/sh" && busybox.provides[0].version == nil)
    }

    @Test func `a word of the world is missing unless a package is named so or provides it`() throws {
        let index = try Self.index()
        let world = [
            "musl", "/bin/sh", "cmd:sh", "so:libc.musl-x86_64.so.1", "!anything", "musl>1", "nftables", "musl>2", "a",
            "cmd:ldd=2",
        ]
        #expect(index.missing(world: world) == ["nftables", "musl>2", "a", "cmd:ldd=2"])
        #expect(index.offers("cmd:sh") && !index.offers("nftables"))
    }

    @Test(arguments: [
        ("busibox", "busybox"), ("opnessh-server", "openssh-server"), ("openssh", "openssh-server"), ("muls", "musl"),
        ("openssh-server-pam", "openssh-server"), ("kubernetes", nil), ("", nil), ("x", nil),
        (String(repeating: "musl", count: 99), nil),
    ])
    func `the nearest name is the one that may have been meant`(_ name: String, _ nearest: String?) throws {
        #expect(try Self.index().nearestName(to: name) == nearest)
    }

    @Test(arguments: BadIndex.all) func `a line that breaks the rules is refused with its place`(_ bad: BadIndex) {
        let error = #expect(throws: UpstreamError.self) { try PackageIndex(text: bad.bytes, named: "index") }
        #expect(error?.code == .malformed)
        #expect(error?.description.hasPrefix(bad.message) == true, "\(error?.description ?? "")")
    }
}
