internal import Artefact
internal import Node
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

/// An ELF file, or something that claims to be one, that a node must not run, and why.
struct BadProgram: Sendable, CustomTestStringConvertible {
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

    init(_ what: String, _ file: ELFFile, _ code: UpstreamError.Code, _ message: String) {
        self.init(what, file.bytes, code, message)
    }

    var testDescription: String { what }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }
    private static let good = ELFFile.staticProgram().bytes

    static let all: [BadProgram] = [
        BadProgram("empty", [], .wrongKind, "an empty file"),
        BadProgram("gzip", [0x1f, 0x8b, 8, 0], .wrongKind, "a gzip archive"),
        BadProgram("HTML", text(" <!DOCTYPE HTML><p>404"), .wrongKind, "an HTML page"),
        BadProgram("JSON", text("{\"message\": \"Not Found\"}"), .wrongKind, "a JSON document"),
        BadProgram("XML", text("<?xml version=\"1.0\"?><Error>"), .wrongKind, "an XML document"),
        BadProgram("script", text("#!/bin/sh\nexit 0\n"), .wrongKind, "a script"),
        BadProgram("text", text("Not Found\n"), .wrongKind, "a text file"),
        BadProgram("zip", text("PK\u{3}\u{4}"), .wrongKind, "a zip archive"),
        BadProgram("Windows", text("MZ") + [0x90, 0], .wrongKind, "a Windows or EFI program"),
        BadProgram("macOS", [0xcf, 0xfa, 0xed, 0xfe, 7], .wrongKind, "a macOS program"),
        BadProgram("zeros", [UInt8](repeating: 0, count: 4096), .wrongKind, "a file of zeros"),
        BadProgram("noise", [0x81, 0x02, 0xff, 0x11], .wrongKind, "something else"),
        BadProgram("mark alone", [0x7f, 0x45, 0x4c, 0x46], .truncated, "within its ELF header"),
        BadProgram("51 bytes", Array(good.prefix(51)), .truncated, "within its ELF header"),
        BadProgram("60 bytes of 64", Array(good.prefix(60)), .truncated, "within its ELF header"),
        BadProgram("cut in the program headers", Array(good.prefix(100)), .truncated, "before its program headers"),
        BadProgram("cut in a segment", Array(good.dropLast()), .truncated, "describe 768 bytes and it has 767"),
        BadProgram("class 3", [0x7f, 0x45, 0x4c, 0x46, 3] + good.dropFirst(5), .malformed, "class 3"),
        BadProgram("byte order 0", [0x7f, 0x45, 0x4c, 0x46, 2, 0] + good.dropFirst(6), .malformed, "byte order 0"),
        BadProgram("version 2", ELFFile(version: 2), .malformed, "version 2"),
        BadProgram("odd program headers", ELFFile(headerSize: 48), .malformed, "program headers of 48 bytes"),
        BadProgram("too many program headers", ELFFile(headerCount: 65_535), .malformed, "65535 program headers"),
        BadProgram("program headers beyond the end", ELFFile(headerOffset: 1 << 40), .truncated, "before its program"),
        BadProgram("program headers at 2^64 - 1", ELFFile(headerOffset: .max), .truncated, "before its program"),
        BadProgram(
            "a segment that overflows", ELFFile(segments: [.init(type: 1, offset: .max, size: .max)]), .truncated,
            "describe \(UInt64.max) bytes"),
        BadProgram(
            "sections beyond the end", ELFFile(sectionOffset: 4000, sectionCount: 3), .truncated, "describe 4192"),
        BadProgram("no segment", ELFFile(headerCount: 0), .wrongKind, "cannot be started"),
        BadProgram(
            "no executable segment", ELFFile(segments: [.init(type: 1, offset: 0, size: 64, flags: 4)]), .wrongKind,
            "cannot be started"),
        BadProgram(
            "an entry outside of its segments", ELFFile(entry: 0x50_0000), .wrongKind, "cannot be started"),
        BadProgram("FreeBSD", ELFFile(system: 9), .wrongKind, "for another system than Linux (OS ABI 9)"),
        BadProgram("ARM", ELFFile(machine: 183), .wrongArchitecture, "is built for aarch64 and the node is x86_64"),
        BadProgram("RISC-V", ELFFile(machine: 243), .wrongArchitecture, "is built for riscv64"),
        BadProgram("unknown machine", ELFFile(machine: 999), .wrongArchitecture, "is built for machine 999"),
        BadProgram("i386", ELFFile(is64: false, machine: 3), .wrongArchitecture, "is built for i386"),
        BadProgram("x32", ELFFile(is64: false), .wrongArchitecture, "is a 32-bit program for x86_64"),
        BadProgram("big-endian", ELFFile(isBig: true), .wrongArchitecture, "is a big-endian program"),
        BadProgram("object", ELFFile(type: 1), .wrongKind, "is no program but an object file"),
        BadProgram("memory dump", ELFFile(type: 4), .wrongKind, "is no program but a memory dump"),
        BadProgram("type 0xfe00", ELFFile(type: 0xfe00), .wrongKind, "an ELF file of type 65024"),
        BadProgram("library", ELFFile(type: 3, dynamic: [(14, 1), (0, 0)]), .wrongKind, "a shared library"),
        BadProgram("library without entry", ELFFile(type: 3, entry: 0), .wrongKind, "a shared library"),
        BadProgram("no loader", ELFFile(dynamic: [(1, 1), (0, 0)]), .wrongLibrary, "names no loader"),
        BadProgram(
            "glibc", .dynamicProgram(loader: "/lib64/ld-linux-x86-64.so.2"), .wrongLibrary,
            "is a glibc build (loader /lib64/ld-linux-x86-64.so.2)"),
        BadProgram(
            "dynamic musl", .dynamicProgram(loader: "/lib/ld-musl-x86_64.so.1"), .wrongLibrary,
            "is linked dynamically against musl"),
        BadProgram("other loader", .dynamicProgram(loader: "/nix/ld.so"), .wrongLibrary, "needs the loader /nix/ld.so"),
        BadProgram("loader without NUL", ELFFile(interpreter: Array("/lib/ld".utf8)), .malformed, "damaged PT_INTERP"),
        BadProgram("loader with a line break", ELFFile(interpreter: [0x2f, 0x0a, 0]), .malformed, "damaged PT_INTERP"),
        BadProgram(
            "loader of 5000 bytes", ELFFile(interpreter: Array(repeating: 0x61, count: 5000)), .malformed, "5000 bytes"),
        BadProgram("empty loader", ELFFile(interpreter: [0]), .malformed, "damaged PT_INTERP"),
        BadProgram(
            "loader beyond the end", ELFFile(segments: [.init(type: 3, offset: 1 << 50, size: 10)]), .truncated,
            "before its interpreter"),
    ]
}

struct ELFImageTests {
    @Test(arguments: BadProgram.all) func `a program that a node cannot run is refused with the reason`(
        _ bad: BadProgram
    ) {
        let error = #expect(throws: UpstreamError.self) {
            try ELFImage(bytes: bad.bytes, named: "kubesolo").requireStaticProgram(for: .x86_64)
        }
        #expect(error?.code == bad.code, "\(error?.description ?? "")")
        #expect(error?.description.contains(bad.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("kubesolo: ") == true)
    }

    @Test func `another processor is the reason even when the file ends early`() {
        let error = #expect(throws: UpstreamError.self) {
            let bytes = Array(ELFFile(machine: 183).bytes.dropLast(9))
            try ELFImage(bytes: bytes, named: "kubesolo").requireStaticProgram(for: .x86_64)
        }
        #expect(error?.code == .wrongArchitecture)
    }

    @Test(arguments: Architecture.allCases) func `a static program for the node is accepted`(
        _ architecture: Architecture
    ) throws {
        for type in [UInt16(2), 3] {
            let file = ELFFile(
                type: type, machine: architecture.elfMachine,
                dynamic: type == 3 ? [(0x6fff_fffb, 0x0800_0000), (0, 0)] : [])
            let image = try ELFImage(bytes: file.bytes, named: "kubesolo")
            try image.requireStaticProgram(for: architecture)
            #expect(image.isStatic && !image.isTruncated && image.kind.isProgram)
        }
    }

    @Test func `what gcc and musl-gcc link is told apart as readelf tells it apart`() async throws {
        let scratch = try Scratch()
        try scratch.file("a.c", "int main(void) { return 0; }\n")
        let builds: [(name: String, compiler: String, flags: [String], code: UpstreamError.Code?, text: String)] = [
            ("glibc", "gcc", [], .wrongLibrary, "glibc build"), ("glibc-static", "gcc", ["-static"], nil, ""),
            ("glibc-static-pie", "gcc", ["-static-pie"], nil, ""),
            ("musl", "musl-gcc", [], .wrongLibrary, "against musl"),
            ("musl-static", "musl-gcc", ["-static"], nil, ""), ("object", "gcc", ["-c"], .wrongKind, "object file"),
            ("library", "gcc", ["-shared", "-fPIC"], .wrongKind, "shared library"),
            ("bare", "gcc", ["-shared", "-fPIC", "-nostdlib"], .wrongKind, "shared library"),
        ]
        for build in builds {
            let made = try await run(build.compiler, build.flags + ["-o", build.name, "a.c"], in: scratch.path)
            try #require(made.succeeded, "\(made.errors)")
            let path = scratch.path.appending(build.name)
            let image = try ELFImage(path)
            try await Self.compare(image, path)
            if let code = build.code {
                let error = #expect(throws: UpstreamError.self) { try image.requireStaticProgram(for: .x86_64) }
                #expect(
                    error?.code == code && error?.description.contains(build.text) == true,
                    "\(build.name) \(error?.description ?? "")")
            } else {
                try image.requireStaticProgram(for: .x86_64)
            }
            let whole = try HostFile.read(path, limit: 16 << 20)
            for length in [whole.count / 2, whole.count - 1] {
                let cut = try? ELFImage(bytes: Array(whole.prefix(length)), named: "cut")
                #expect(cut?.isTruncated != false, "\(build.name) cut to \(length)")
            }
        }
    }

    @Test(arguments: ["/bin/ls", "/usr/bin/readelf", "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"])
    func `what readelf says of the host's files is what is read`(_ path: String) async throws {
        try await Self.compare(ELFImage(FilePath(path)), FilePath(path))
    }

    @Test func `a directory and a file that is not there are no programs`() throws {
        let scratch = try Scratch()
        #expect(throws: ArtefactError.self) { try ELFImage(scratch.path) }
        #expect(throws: ArtefactError.self) { try ELFImage(scratch.path.appending("none")) }
    }

    private static func compare(_ image: ELFImage, _ path: FilePath) async throws {
        let listing = try await run("readelf", ["-hlW", path.string], environment: ["LC_ALL": "C"])
        try #require(listing.succeeded, "\(listing.errors)")
        #expect(listing.output.contains("Class:                             ELF64") == (image.width == .bits64))
        #expect(listing.output.contains("little endian") == (image.byteOrder == .little))
        #expect(listing.output.contains("X86-64") == (image.machine == 62))
        let requested = listing.output.split(separator: "\n").first { $0.contains("Requesting program interpreter: ") }
        let interpreter = requested?.split(separator: ": ").last.map { String($0.dropLast()) }
        #expect(interpreter == image.interpreter)
        #expect(!image.isTruncated)
    }
}
