internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

struct PackageFileTests {
    static let main = Product.mirror.pushing("alpine/v3.23/main/x86_64")

    private static func keys() throws -> AlpineKeys {
        try AlpineKeys(ofImage: Lab.alpineImage, initramfs: "boot/initramfs-virt")
    }

    private static func index(_ keys: AlpineKeys) throws -> PackageIndex {
        try LocalRepository(directory: main, name: "main", title: "main", trusting: keys).index
    }

    @Test func `the keys that a node trusts are those in the initramfs`() async throws {
        let keys = try Self.keys()
        let folder = Product.lab.pushing("root/etc/apk/keys")
        #expect(try keys.names == HostFile.names(in: folder))
        for name in keys.names {
            let text = String(decoding: try HostFile.read(folder.appending(name), limit: 1 << 16), as: UTF8.self)
            #expect(keys[name] == text)
        }
        #expect(throws: UpstreamError.self) { try AlpineKeys(ofImage: Lab.alpineImage, initramfs: "boot/vmlinuz-virt") }
        #expect(throws: UpstreamError.self) { try AlpineKeys(ofImage: Lab.alpineImage, initramfs: "boot/none") }
    }

    @Test func `every package of the lab is what its index says`() throws {
        let keys = try Self.keys()
        let index = try Self.index(keys)
        for package in index.packages {
            let file = try PackageFile.verify(Self.main.appending(package.fileName), against: package, keys: keys)
            #expect(file.signer == "ksbuild-lab.rsa.pub" && file.information.identity == package.identity)
            #expect(try file.digest == Digest(ofFile: Self.main.appending(package.fileName)))
        }
        #expect(index.packages.count > 60)
    }

    @Test func `bytes that are changed or missing are found`() throws {
        let scratch = try Scratch()
        let keys = try Self.keys()
        let package = try #require(try Self.index(keys).packages.first { $0.name == "nftables" })
        let good = try HostFile.read(Self.main.appending(package.fileName), limit: 1 << 20)
        let path = try scratch.file("whole.apk", good)
        _ = try PackageFile.verify(path, against: package, keys: keys)
        // What stands before the control stream is not signed itself: a change there is found or changes nothing.
        let control = try #require(good.indices.dropFirst().first { good[$0...].starts(with: [0x1f, 0x8b, 8]) })
        for place in stride(from: 0, to: good.count, by: 5) {
            var bad = good
            bad[place] ^= 0x10
            let path = try scratch.file("bad.apk", bad)
            let file = try? PackageFile.verify(path, against: package, keys: keys)
            #expect(file == nil || place < control && file?.signer == "ksbuild-lab.rsa.pub", "byte \(place)")
        }
        for count in stride(from: 0, to: good.count, by: 13) {
            let path = try scratch.file("cut.apk", Array(good.prefix(count)))
            #expect(throws: UpstreamError.self, "cut at \(count)") {
                try PackageFile.verify(path, against: nil, keys: keys)
            }
        }
    }

    @Test func `a package of another key, name, version or architecture is refused with the reason`() throws {
        let scratch = try Scratch()
        let keys = try Self.keys()
        let index = try Self.index(keys)
        let path = Self.main.appending("nftables-1.1.5-r0.apk")
        let other = try #require(index.packages.first { $0.name == "iptables" })
        let mismatch = #expect(throws: UpstreamError.self) {
            try PackageFile.verify(path, against: other, keys: keys)
        }
        #expect(mismatch?.code == .truncated || mismatch?.code == .tampered)
        let strange = try SigningKey.generate(name: "strange", bits: 2048)
        let untrusted = #expect(throws: UpstreamError.self) {
            try PackageFile.verify(path, against: nil, keys: strange.asKeys)
        }
        #expect(untrusted?.code == .untrusted)
        #expect(untrusted?.detail.contains("strange.rsa.pub") == true)
        // A key of the right name that did not sign it.
        let forged = try AlpineKeys(["ksbuild-lab.rsa.pub": strange.publicText])
        #expect(
            #expect(throws: UpstreamError.self) {
                try PackageFile.verify(path, against: nil, keys: forged)
            }?.code == .tampered)
        let own = try scratch.file("own.apk", SmallPackage.bytes(name: "own"))
        #expect(
            #expect(throws: UpstreamError.self) { try PackageFile.verify(own, against: nil, keys: keys) }?.code
                == .unsigned)
        #expect(try PackageFile.verify(own, against: nil, keys: nil).information.name == "own")
    }

    @Test(arguments: [
        ("nothing", [UInt8](), UpstreamError.Code.wrongKind, "an empty file"),
        ("apk v3", Array("ADBd".utf8), .wrongKind, "an apk v3 file"),
        ("no .PKGINFO", SmallArchive.gzip(SmallArchive.tar([.file(".SIGN.RSA.k", "x")])), .truncated, "ends after"),
        (
            "a program before the control", SmallArchive.gzip(SmallArchive.tar([.file("bin/sh", "x")])), .malformed,
            "where only signatures"
        ),
        ("no name", SmallPackage.bytes("pkgver = 1\narch = x86_64"), .malformed, "pkgname once"),
        (
            "name twice", SmallPackage.bytes("pkgname = a\npkgname = b\npkgver = 1\narch = x"), .malformed,
            "pkgname once"
        ),
        ("a path as name", SmallPackage.bytes("pkgname = ../a\npkgver = 1\narch = x"), .malformed, "that is none"),
        ("no lines", SmallPackage.bytes("pkgname"), .malformed, "no NAME = VALUE"),
        (
            "no digest of the files",
            SmallArchive.gzip(
                SmallArchive.tar([.file(".PKGINFO", "pkgname = a\npkgver = 1\narch = x\ndatahash = 12\n")])),
            .malformed, "datahash"
        ),
    ]) func `what is no package is refused with the reason`(
        _ what: String, _ bytes: [UInt8], _ code: UpstreamError.Code, _ message: String
    ) throws {
        let scratch = try Scratch()
        let path = try scratch.file("bad.apk", bytes)
        let error = #expect(throws: UpstreamError.self) { try PackageFile.verify(path, against: nil, keys: nil) }
        #expect(error?.code == code, "\(what): \(error?.description ?? "")")
        #expect(error?.detail.contains(message) == true, "\(what): \(error?.description ?? "")")
    }

    @Test func `an index is believed only as one of the keys signed it`() throws {
        let keys = try Self.keys()
        let good = try HostFile.read(Self.main.appending("APKINDEX.tar.gz"), limit: 1 << 20)
        _ = try PackageIndex(archive: good, named: "good", trusting: keys)
        var resigned = good
        let place = good.count - 20
        resigned[place] ^= 1
        #expect(throws: UpstreamError.self) { try PackageIndex(archive: resigned, named: "bad", trusting: keys) }
        let strange = try SigningKey.generate(name: "strange", bits: 2048)
        let error = #expect(throws: UpstreamError.self) {
            try PackageIndex(archive: good, named: "good", trusting: strange.asKeys)
        }
        #expect(error?.code == .untrusted)
        let unsigned = SmallArchive.index("P:a\nV:1\n", signature: nil)
        let lacking = #expect(throws: UpstreamError.self) {
            try PackageIndex(archive: unsigned, named: "unsigned", trusting: keys)
        }
        #expect(lacking?.code == .unsigned)
    }
}
