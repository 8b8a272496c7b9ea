internal import Artefact
internal import Node
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

private let virt = AlpineRelease(version: "3.23.6", flavor: .virt)

/// A medium that must be refused, and why.
struct BadMedium: Sendable, CustomTestStringConvertible {
    let what: String
    let medium: SmallMedium
    let code: UpstreamError.Code
    let message: String

    init(_ what: String, _ medium: SmallMedium, _ code: UpstreamError.Code, _ message: String) {
        self.what = what
        self.medium = medium
        self.code = code
        self.message = message
    }

    init(_ what: String, _ path: String, _ bytes: [UInt8]?, _ code: UpstreamError.Code, _ message: String) {
        self.init(what, SmallMedium(changes: [path: bytes]), code, message)
    }

    var testDescription: String { what }

    private static let index = "apks/x86_64/APKINDEX.tar.gz"

    static let all: [BadMedium] = [
        BadMedium(
            "other flavour", SmallMedium(flavor: "standard"), .wrongFlavor,
            "is of another flavour: it is alpine-standard 3.23.6 for x86_64 and the recipe says alpine-virt 3.23.6 for x86_64; "
                + "take alpine-virt-3.23.6-x86_64.iso"),
        BadMedium("extended", SmallMedium(flavor: "extended"), .wrongFlavor, "it is alpine-extended 3.23.6"),
        BadMedium("older release", SmallMedium(version: "3.22.1"), .wrongRelease, "it is alpine-virt 3.22.1"),
        BadMedium(
            "other processor", SmallMedium(architecture: "aarch64"), .wrongArchitecture, "3.23.6 for aarch64 and"),
        BadMedium(
            "everything other", SmallMedium(flavor: "standard", version: "3.20.0", architecture: "aarch64"),
            .wrongArchitecture, "it is alpine-standard 3.20.0 for aarch64"),
        BadMedium("no release file", ".alpine-release", nil, .wrongKind, "none of Alpine's: it has no .alpine-release"),
        BadMedium("nonsense release", ".alpine-release", [0x78], .malformed, "names no flavour and version"),
        BadMedium("large release", ".alpine-release", [UInt8](repeating: 1, count: 5000), .malformed, "has 5000 bytes"),
        BadMedium(
            "other label", SmallMedium(label: "ALPINE"), .malformed, "has the label \"ALPINE\", and its boot loader"),
        BadMedium(
            "no kernel", "boot/vmlinuz-virt", nil, .incomplete, "boot/vmlinuz-virt is missing; boot/ has initramfs-virt"
        ),
        BadMedium("no initramfs", "boot/initramfs-virt", nil, .incomplete, "boot/initramfs-virt is missing"),
        BadMedium("no modloop", "boot/modloop-virt", nil, .incomplete, "boot/modloop-virt is missing"),
        BadMedium("empty modloop", "boot/modloop-virt", [], .incomplete, "boot/modloop-virt has 0 bytes"),
        BadMedium("short kernel", "boot/vmlinuz-virt", [1, 2, 3], .incomplete, "boot/vmlinuz-virt has 3 bytes"),
        BadMedium(
            "kernel of zeros", "boot/vmlinuz-virt", [UInt8](repeating: 0, count: 1 << 19), .incomplete,
            "boot/vmlinuz-virt is no kernel but a file of zeros"),
        BadMedium(
            "kernel of another flavour", "boot/vmlinuz-virt", SmallMedium.kernel(version: "6.18.56-0-lts"), .incomplete,
            "is a kernel of another flavour (6.18.56-0-lts)"),
        BadMedium(
            "initramfs of text", "boot/initramfs-virt", [UInt8](repeating: 0x61, count: 1 << 19), .incomplete,
            "boot/initramfs-virt is no initramfs but a text file"),
        BadMedium(
            "modloop of another kind", "boot/modloop-virt", [0x1f, 0x8b] + [UInt8](repeating: 0, count: 1 << 19),
            .incomplete,
            "is no squashfs with kernel modules but a gzip archive"),
        BadMedium(
            "no boot loader",
            SmallMedium(changes: ["boot/syslinux/isolinux.bin": nil, "efi/boot/bootx64.efi": []]),
            .incomplete,
            "it has no boot loader for x86_64"),
        BadMedium("no repository mark", "apks/.boot_repository", nil, .incomplete, "apks/.boot_repository is missing"),
        BadMedium("no index", index, nil, .incomplete, "APKINDEX.tar.gz is missing"),
        BadMedium("empty index", index, [], .incomplete, "APKINDEX.tar.gz is missing or empty"),
        BadMedium("index of text", index, [0x50, 0x3a], .wrongKind, "is no package index but a text file"),
        BadMedium("unsigned index", SmallMedium(signature: nil), .unsigned, "apk ignores an unsigned index at boot"),
        BadMedium(
            "index with a bad line", index, SmallArchive.index("P:a\nnonsense\n"), .malformed,
            "(APKINDEX):2:1: expected"),
        BadMedium(
            "a package that is listed and not there", "apks/x86_64/chrony-1.0-r0.apk", nil, .incomplete,
            "its index lists packages that are not on it or have another size: chrony-1.0-r0.apk"),
        BadMedium(
            "a package of another size", "apks/x86_64/chrony-1.0-r0.apk", [1], .incomplete,
            "have another size: chrony-1.0-r0.apk"),
        BadMedium(
            "an index of another processor", index, SmallArchive.index("P:a\nV:1\nA:aarch64\n"), .incomplete,
            "a-1.apk, which is for aarch64"),
        BadMedium(
            "terminal codes in the release", ".alpine-release", Array("alpine-virt-3\u{1b}[2J".utf8), .malformed,
            "names no flavour and version"),
        BadMedium(
            "no alpine-base", SmallMedium(packages: ["busybox", "openssh"]), .missingPackages,
            "apk leaves that out without failing"),
    ]
}

struct AlpineImageTests {
    /// Verifies, expects a refusal and gives its message.
    private static func refusal(
        _ path: FilePath, _ code: UpstreamError.Code, release: AlpineRelease = virt, world: [String] = [],
        checksumFile: FilePath? = nil
    ) -> String {
        let error = #expect(throws: UpstreamError.self) {
            try AlpineImage.verify(
                path, release: release, architecture: .x86_64, world: world, checksumFile: checksumFile)
        }
        #expect(error?.code == code, "\(error?.description ?? "nothing")")
        #expect(error?.description.utf8.contains(0x0a) == false)
        return error?.description ?? ""
    }

    @Test func `the lab's image is verified by the list beside it`() throws {
        var last: (UInt64, UInt64) = (0, 0)
        let image = try AlpineImage.verify(
            Lab.alpineImage, release: virt, architecture: .x86_64, world: ["openssh", "e2fsprogs", "!nftables"]
        ) { last = ($0, $1) }
        #expect(image.trust == .checksumFile(FilePath("\(Lab.alpineImage).sha256"), .sha256))
        #expect(last.0 == image.size && last.1 == image.size)
        #expect(image.volumeIdentifier == "alpine-virt 3.23.6 x86_64" && image.built.utf8.count == 6)
        #expect(image.kernelVersion?.hasSuffix("-virt") == true)
        #expect(image.packages.signatures.isEmpty == false)
        let sums = try ChecksumFile(FilePath("\(Lab.alpineImage).sha256"))
        #expect(sums.entries.first?.hex == image.digest.hex)
    }

    @Test func `a pin, a list by name, SHA-512 and nothing at all give the trust they deserve`() async throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("renamed.iso")
        try await SmallMedium().master(to: path, in: scratch)
        func verify(_ release: AlpineRelease = virt, _ list: FilePath? = nil) throws -> AlpineImage {
            try AlpineImage.verify(
                path, release: release, architecture: .x86_64, world: ["openssh", "!nftables"], checksumFile: list)
        }
        #expect(try verify().trust == .unverified)
        let sums = try await run("sha512sum", [path.string])
        let list = try scratch.file("renamed.iso.sha512", sums.output)
        let image = try verify()
        #expect(image.trust == .checksumFile(list, .sha512))
        let other = try scratch.file("SUMS", "\(image.digest)  alpine-virt-3.23.6-x86_64.iso\n")
        #expect(try verify(virt, other).trust == .checksumFile(other, .sha256))
        #expect(try verify(AlpineRelease(version: "3.23.6", flavor: .virt, sha256: image.digest)).trust == .pinned)
        #expect(image.kernelVersion == "6.18.56-0-virt" && image.built == "261015")
        #expect(image.packages.signatures.first?.keyName == "builder@lab-1.rsa.pub")
    }

    @Test func `every flavour and processor that a recipe can name is read`() throws {
        let scratch = try Scratch()
        for flavor in AlpineRelease.Flavor.allCases {
            for architecture in Architecture.allCases {
                let path = scratch.path.appending("\(flavor)-\(architecture).iso")
                let medium = SmallMedium(flavor: flavor.rawValue, architecture: architecture.alpineName)
                try medium.write(to: path)
                let release = AlpineRelease(version: "3.23.6", flavor: flavor)
                let image = try AlpineImage.verify(
                    path, release: release, architecture: architecture, world: ["chrony"])
                #expect(image.packages.packages.count == 4)
            }
        }
    }

    @Test(arguments: ["alpine-virt-3.23.6 261015\n", "alpine-virt 3.23.6 261015", "alpine-virt-3.23.6"])
    func `the release file is read in each of its forms`(_ text: String) throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        try SmallMedium(releaseText: text).write(to: path)
        #expect(try AlpineImage.verify(path, release: virt, architecture: .x86_64, world: []).release == virt)
    }

    @Test(arguments: BadMedium.all) func `a medium that a node cannot boot from is refused with the reason`(
        _ bad: BadMedium
    ) throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        try bad.medium.write(to: path)
        let message = Self.refusal(path, bad.code)
        #expect(message.hasPrefix(path.string) && message.contains(bad.message), "\(message)")
    }

    @Test func `what the world names and the image lacks is listed with what may help`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        try SmallMedium().write(to: path)
        let message = Self.refusal(
            path, .missingPackages,
            world: ["openssh", "nftables", "chrnoy", "busybox=2.0-r0", "no such", "zzzzzz", "nftables"])
        #expect(
            message.hasSuffix(
                ": nftables (flavor: extended carries it), chrnoy (did you mean chrony?), busybox=2.0-r0 (1.0-r0 is there), "
                    + "no such (no valid word of a world), zzzzzz"), "\(message)")
    }

    @Test func `an image that is cut short says both sizes, whatever its digest`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        try SmallMedium().write(to: path)
        let whole = try HostFile.read(path, limit: 16 << 20)
        let pinned = AlpineRelease(version: "3.23.6", flavor: .virt, sha256: Digest(of: whole))
        for length in [whole.count - 1, whole.count / 2, 40_000] {
            let cut = try scratch.file("cut.iso", Array(whole.prefix(length)))
            let message = Self.refusal(cut, .truncated, release: pinned)
            #expect(message.contains("\(length)") && message.contains("truncated"), "\(message)")
            if length > 40_000 { #expect(message.contains("\(whole.count)"), "\(message)") }
        }
        for length in [0, 1, 32_768] {
            let cut = try scratch.file("cut.iso", Array(whole.prefix(length)))
            #expect(Self.refusal(cut, .wrongKind).contains("(\(length) bytes)"))
        }
    }

    @Test func `an image with a changed byte says both digests and where the right one comes from`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("alpine.iso")
        try SmallMedium().write(to: path)
        var bytes = try HostFile.read(path, limit: 16 << 20)
        let digest = Digest(of: bytes)
        let list = try scratch.file("alpine.iso.sha256", "\(digest)  alpine.iso\n")
        bytes[bytes.count / 2] ^= 1
        try scratch.file("alpine.iso", bytes)
        let changed = Digest(of: bytes)
        #expect(Self.refusal(path, .tampered).contains("its SHA-256 is \(changed) and \(list):1 says \(digest)"))
        let pinned = AlpineRelease(version: "3.23.6", flavor: .virt, sha256: digest)
        let message = Self.refusal(path, .tampered, release: pinned)
        #expect(message.contains("is \(changed) and recipe or lock pins \(digest)"))
        for index in 0x8000..<0x9800 where index % 7 == 0 { bytes[index] ^= 0xff }
        bytes.replaceSubrange(0x8000..<0x8008, with: [1] + Array("CD001".utf8) + [1, 0])
        try scratch.file("alpine.iso", bytes)
        _ = #expect(throws: UpstreamError.self) {
            try AlpineImage.verify(path, release: pinned, architecture: .x86_64, world: [])
        }
    }

    @Test func `another image says what it is, not that its digest differs`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        try SmallMedium(flavor: "standard").write(to: path)
        let pinned = AlpineRelease(version: "3.23.6", flavor: .virt, sha256: Digest(of: [1]))
        #expect(Self.refusal(path, .wrongFlavor, release: pinned).contains("alpine-standard"))
    }

    @Test(arguments: [
        ("<!DOCTYPE html><title>404</title>", "an HTML page"), ("\u{1f}\u{8b}", "something"), ("", "an empty file"),
        ("Not Found", "a text file"), ("PK\u{3}\u{4}", "a zip archive"), ("#!/bin/sh", "a script"),
    ])
    func `a file that is no image says what it is`(_ text: String, _ what: String) throws {
        let scratch = try Scratch()
        let message = Self.refusal(try scratch.file("a.iso", text), .wrongKind)
        #expect(what == "something" || message.contains("is no ISO image but \(what)"), "\(message)")
    }

    @Test func `an image of somebody else is not Alpine's`() async throws {
        let scratch = try Scratch()
        try scratch.file("tree/readme", "x")
        let path = scratch.path.appending("other.iso")
        let made = try await run(
            "xorrisofs", ["-quiet", "-o", path.string, "-V", "OTHER", scratch.path.appending("tree").string])
        try #require(made.succeeded, "\(made.errors)")
        #expect(Self.refusal(path, .wrongKind).contains("has no .alpine-release (its label is \"OTHER\")"))
    }

    @Test func `a checksum file that does not list the image, or is broken, is said so`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.iso")
        try SmallMedium().write(to: path)
        let list = try scratch.file("a.iso.sha256", "\(Digest(of: [1]))  b.iso\n")
        #expect(Self.refusal(path, .notListed).hasPrefix("\(list): does not list a.iso"))
        try scratch.file("a.iso.sha256", "<html>\n")
        #expect(Self.refusal(path, .malformed).hasPrefix("\(list):1:1: expected a SHA-256"))
    }

    @Test func `a file that is not there or no file is told by the system`() throws {
        let scratch = try Scratch()
        for path in [scratch.path.appending("none.iso"), scratch.path] {
            #expect(throws: (any Error).self) {
                try AlpineImage.verify(path, release: virt, architecture: .x86_64, world: [])
            }
        }
    }
}
