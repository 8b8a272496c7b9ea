internal import Artefact
internal import Node
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

private let name = "kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz"
private let program = ELFFile.staticProgram().bytes

/// A file that must not become a node's KubeSolo, and why.
struct BadRelease: Sendable, CustomTestStringConvertible {
    let what: String
    var fileName = name
    let bytes: [UInt8]
    let code: UpstreamError.Code
    let message: String

    init(
        _ what: String, named fileName: String = name, _ bytes: [UInt8], _ code: UpstreamError.Code, _ message: String
    ) {
        self.what = what
        self.fileName = fileName
        self.bytes = bytes
        self.code = code
        self.message = message
    }

    init(_ what: String, _ members: [SmallArchive.Member], _ code: UpstreamError.Code, _ message: String) {
        self.init(what, SmallArchive.gzip(SmallArchive.tar(members)), code, message)
    }

    var testDescription: String { what }

    private static let good = SmallArchive.gzip(SmallArchive.tar([.file("kubesolo", program)]))

    private static func link(_ name: String, type: Unicode.Scalar, to target: String) -> SmallArchive.Member {
        SmallArchive.Member(name: name, type: UInt8(ascii: type), link: target)
    }

    static let all: [BadRelease] = [
        BadRelease("empty", [UInt8](), .wrongKind, "but an empty file (0 bytes)"),
        BadRelease("HTML", Array("<html>Not Found".utf8), .wrongKind, "but an HTML page"),
        BadRelease("zip", [0x50, 0x4b, 3, 4], .wrongKind, "but a zip archive"),
        BadRelease("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], .wrongKind, "but an xz archive"),
        BadRelease("no tar in it", SmallArchive.gzip(Array(repeating: 0x61, count: 2048)), .wrongKind, ""),
        BadRelease("cut in gzip", Array(good.dropLast(40)), .truncated, "truncated"),
        BadRelease("cut at the first byte", Array(good.prefix(12)), .truncated, ""),
        BadRelease(
            "tar cut", SmallArchive.gzip(Array(SmallArchive.tar([.file("kubesolo", program)]).prefix(700))), .truncated,
            ""),
        BadRelease("checksum wrong", good.dropLast(8) + [0, 0, 0, 0] + good.suffix(4), .malformed, ""),
        BadRelease(
            "nothing in it", [SmallArchive.Member](), .incomplete, "holds no file named kubesolo (it holds nothing)"),
        BadRelease("another file", [.file("k3s", program)], .incomplete, "(it holds k3s)"),
        BadRelease(
            "two of them", [.file("kubesolo", program), .file("bin/kubesolo", program)], .ambiguous,
            "kubesolo and bin/kubesolo"),
        BadRelease(
            "symbolic link", [link("kubesolo", type: "2", to: "/bin/sh")], .ambiguous, "as a symbolic link to /bin/sh"),
        BadRelease(
            "hard link", [.file("x", program), link("kubesolo", type: "1", to: "x")], .ambiguous, "as a hard link to x"),
        BadRelease(
            "device", [SmallArchive.Member(name: "kubesolo", type: UInt8(ascii: "3"))], .ambiguous, "character device"),
        BadRelease("FIFO", [SmallArchive.Member(name: "kubesolo", type: UInt8(ascii: "6"))], .ambiguous, "FIFO"),
        BadRelease(
            "file and link", [.file("a/kubesolo", program), link("b/kubesolo", type: "2", to: "x")], .ambiguous,
            "symbolic link"),
        BadRelease(
            "a script", [.file("kubesolo", "#!/bin/sh\n")], .wrongKind,
            "(kubesolo): is no program for Linux (no ELF file) but a script"),
        BadRelease("empty binary", [.file("kubesolo", "")], .wrongKind, "but an empty file"),
        BadRelease(
            "glibc", [.file("kubesolo", ELFFile.dynamicProgram(loader: "/lib64/ld-linux-x86-64.so.2").bytes)],
            .wrongLibrary, "glibc build"),
        BadRelease(
            "ARM", [.file("kubesolo", ELFFile.staticProgram(machine: 183).bytes)], .wrongArchitecture,
            "built for aarch64"),
        BadRelease("binary cut", [.file("kubesolo", Array(program.dropLast(5)))], .truncated, "its headers describe"),
        BadRelease(
            "bare ARM", named: "kubesolo", ELFFile.staticProgram(machine: 183).bytes, .wrongArchitecture,
            "built for aarch64"),
        BadRelease(
            "other tag", named: "kubesolo-v1.2.1-linux-amd64-musl-offline.tar.gz", good, .wrongRelease,
            "is KubeSolo v1.2.1 by its name"),
        BadRelease(
            "other processor", named: "kubesolo-v1.2.2-linux-arm64-musl-offline.tar.gz", good, .wrongArchitecture,
            "for arm64 by its name"),
        BadRelease(
            "glibc by name", named: "kubesolo-v1.2.2-linux-amd64-offline.tar.gz", good, .wrongLibrary,
            "is the glibc build by its name"),
        BadRelease(
            "online by name", named: "kubesolo-v1.2.2-linux-amd64-musl.tar.gz", good, .wrongFlavor,
            "is the online variant by its name"),
    ]
}

struct KubeSoloBinaryTests {
    private static func kubesolo(_ pin: Digest? = nil) throws -> KubeSolo {
        KubeSolo(version: try #require(KubeSoloVersion("v1.2.2")), variant: .offline, sha256: pin)
    }

    private static func load(_ path: FilePath, pin: Digest? = nil, list: FilePath? = nil) throws -> KubeSoloBinary {
        try KubeSoloBinary.load(
            path, kubesolo: kubesolo(pin), architecture: .x86_64,
            staging: path.removingLastComponent().appending("staged"), checksumFile: list)
    }

    private static func tarball(_ members: [SmallArchive.Member] = [.file("kubesolo", program)]) -> [UInt8] {
        SmallArchive.gzip(SmallArchive.tar(members))
    }

    @Test(arguments: BadRelease.all) func `what cannot run on the node is refused and leaves nothing behind`(
        _ bad: BadRelease
    ) throws {
        let scratch = try Scratch()
        let path = try scratch.file(bad.fileName, bad.bytes)
        for pin in [nil, Digest(of: bad.bytes)] {
            let error = #expect(throws: UpstreamError.self) { try Self.load(path, pin: pin) }
            #expect(error?.code == bad.code, "\(error?.description ?? "")")
            #expect(error?.description.contains(bad.message) == true, "\(error?.description ?? "")")
            #expect(error?.description.hasPrefix(path.string) == true && error?.description.contains("\n") == false)
            #expect(try HostFile.names(in: scratch.path) == [bad.fileName])
        }
    }

    @Test(arguments: [
        [SmallArchive.Member.file("kubesolo", program)],
        [.directory("kubesolo/"), .file("kubesolo/kubesolo", program)],
        [.file("./kubesolo", program), .file("README", "x"), .file("kubesolo.txt", "x")],
        [.file("a/b/kubesolo", program)],
    ])
    func `the binary is taken from any directory of the tarball`(_ members: [SmallArchive.Member]) throws {
        let scratch = try Scratch()
        let path = try scratch.file(name, Self.tarball(members))
        let binary = try Self.load(path)
        #expect(try HostFile.read(binary.path, limit: 1 << 20) == program)
        #expect(binary.pin == BinaryPin(digest: Digest(of: program), size: UInt64(program.count)))
        #expect(try HostFile.status(of: binary.path).mode == EntryMode(0o555))
        #expect(binary.form == .tarball && binary.trust == .unverified && binary.pinnedForm == nil)
        #expect(try binary.sourceDigest == Digest(ofFile: path) && binary.asset?.description == name)
    }

    @Test func `a pin may name the tarball or the binary in it`() throws {
        let scratch = try Scratch()
        let tarball = try scratch.file(name, Self.tarball())
        let bare = try scratch.file("kubesolo", program)
        let inner = Digest(of: program)
        #expect(try Self.load(tarball, pin: Digest(of: Self.tarball())).pinnedForm == .tarball)
        #expect(try Self.load(tarball, pin: inner).pinnedForm == .binary)
        #expect(try Self.load(bare, pin: inner).pinnedForm == .binary)
        #expect(try Self.load(bare, pin: inner).trust == .pinned)
        let error = #expect(throws: UpstreamError.self) { try Self.load(tarball, pin: Digest(of: [1])) }
        #expect(error?.code == .tampered)
        for digest in [Digest(of: Self.tarball()), inner, Digest(of: [1])] {
            #expect(error?.description.contains(digest.hex) == true)
        }
        #expect(!HostFile.exists(scratch.path.appending("staged")))
    }

    @Test func `upstream's SHA256SUMS beside the file is used, and must list an asset`() async throws {
        let scratch = try Scratch()
        let path = try scratch.file(name, Self.tarball())
        let sums = try await run("sha256sum", ["-b", name], in: scratch.path)
        let list = try scratch.file("SHA256SUMS", sums.output)
        #expect(try Self.load(path).trust == .checksumFile(list, .sha256))
        let bare = try scratch.file("kubesolo", program)
        #expect(try Self.load(bare).trust == .unverified)
        let error = #expect(throws: UpstreamError.self) { try Self.load(bare, list: list) }
        #expect(error?.code == .notListed)
        try scratch.file("SHA256SUMS", "\(Digest(of: [1]))  kubesolo-v1.2.1-linux-amd64-musl-offline.tar.gz\n")
        let unlisted = #expect(throws: UpstreamError.self) { try Self.load(path) }
        #expect(unlisted?.code == .notListed && unlisted?.description.hasPrefix(list.string) == true)
        try scratch.file("SHA256SUMS", "\(Digest(of: [1]))  \(name)\n")
        let tampered = #expect(throws: UpstreamError.self) { try Self.load(path) }
        #expect(tampered?.code == .tampered && tampered?.description.contains("SHA256SUMS:1 says") == true)
        let own = try scratch.file("\(name).sha256", "\(Digest(of: Self.tarball()))  \(name)\n")
        #expect(try Self.load(path).trust == .checksumFile(own, .sha256))
    }

    @Test func `a reason that explains another digest is given instead of it`() throws {
        let scratch = try Scratch()
        let pin = Digest(of: [1])
        func code(_ bytes: [UInt8]) throws -> UpstreamError.Code? {
            let path = try scratch.file(name, bytes)
            return #expect(throws: UpstreamError.self) { try Self.load(path, pin: pin) }?.code
        }
        #expect(try code(Array(Self.tarball().dropLast(100))) == .truncated)
        #expect(
            try code(Self.tarball([.file("kubesolo", ELFFile.staticProgram(machine: 183).bytes)])) == .wrongArchitecture
        )
        #expect(try code(Self.tarball([.file("k3s", program)])) == .tampered)
    }

    @Test func `what GNU tar and gzip pack is read`() async throws {
        let scratch = try Scratch()
        try scratch.file("kubesolo", program, mode: .executable)
        for (format, level) in [("gnu", "-9"), ("ustar", "-1"), ("posix", "-6")] {
            let packed = try await run(
                "sh", ["-c", "tar --format=\(format) -c kubesolo | gzip \(level) > \(name)"], in: scratch.path)
            try #require(packed.succeeded, "\(packed.errors)")
            #expect(try Self.load(scratch.path.appending(name)).pin.digest == Digest(of: program))
        }
    }

    @Test(arguments: [KubeSolo.Variant.online, .offline])
    func `the lab's releases are found in its mirror and accepted`(
        _ variant: KubeSolo.Variant
    ) throws {
        let scratch = try Scratch()
        for (tag, isListed) in [("v1.2.0", false), ("v1.2.2", true), ("v1.3.0", true)] {
            let kubesolo = KubeSolo(version: try #require(KubeSoloVersion(tag)), variant: variant)
            let input = UpstreamInput.kubeSolo(KubeSoloAsset(kubesolo, .x86_64))
            let path = try DirectoryMirror(root: Product.lab).locate(input)
            let binary = try KubeSoloBinary.load(
                path, kubesolo: kubesolo, architecture: .x86_64, staging: scratch.path.appending("kubesolo"))
            let sums = path.removingLastComponent().appending("SHA256SUMS")
            #expect(binary.trust == (isListed ? .checksumFile(sums, .sha256) : .unverified))
            #expect(try binary.pin.digest == Digest(ofFile: binary.path))
        }
    }

    @Test(arguments: [
        ("kubesolo-v1.2.2-linux-amd64.tar.gz", UpstreamError.Code.wrongLibrary),
        ("kubesolo-v1.2.2-linux-arm64-musl-offline.tar.gz", .wrongArchitecture),
    ])
    func `the lab's other builds are told apart by what is in them, whatever they are called`(
        _ asset: String, _ code: UpstreamError.Code
    ) throws {
        let scratch = try Scratch()
        let bytes = try HostFile.read(Product.lab.pushing(FilePath("kubesolo/v1.2.2/\(asset)")), limit: 64 << 20)
        let renamed = try scratch.file("download.tgz", bytes)
        for pin in [nil, Digest(of: bytes), Digest(of: [1])] {
            let error = #expect(throws: UpstreamError.self) { try Self.load(renamed, pin: pin) }
            #expect(error?.code == code, "\(error?.description ?? "")")
        }
    }

    @Test func `random changes of a tarball are refused or change nothing`() throws {
        let scratch = try Scratch()
        let seed = UInt64(20_261_015)
        var random = SeededGenerator(seed: seed)
        let whole = Self.tarball()
        for round in 0..<80 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            }
            let path = try scratch.file(name, bytes)
            if let binary = try? Self.load(path) {
                #expect(binary.pin.digest == Digest(of: program), "seed \(seed) round \(round)")
            }
            #expect(throws: UpstreamError.self) { try Self.load(path, pin: Digest(of: whole)) }
        }
    }
}
