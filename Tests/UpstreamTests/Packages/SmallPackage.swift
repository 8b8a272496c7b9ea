internal import Artefact
internal import TestSupport

/// Packages of format 2 put together by hand.
enum SmallPackage {
    /// An unsigned package with one file of one line.
    static func bytes(_ information: String, file: String = "own") -> [UInt8] {
        // apk demands the SHA-1 of each file in a record of its own.
        let checksum = (key: "APK-TOOLS.checksum.SHA1", value: "6fcf9dfbd479ed82697fee719b9f8c610a11ff2a")
        let data = SmallArchive.gzip(
            RawTar.bytes([
                .directory("usr/"), .directory("usr/share/"), .records(checksum),
                RawTar.Member("usr/share/\(file)", "x\n"),
            ]))
        let text = information + "\ndatahash = \(Digest(of: data).hex)\n"
        return SmallArchive.gzip(SmallArchive.tar([.file(".PKGINFO", text)], isEnded: false)) + data
    }

    static func bytes(name: String, version: String = "1.0-r0", rest: String = "") -> [UInt8] {
        bytes(
            "# made by hand\npkgname = \(name)\npkgver = \(version)\npkgdesc = A package\nurl = x\nsize = 2\n"
                + "arch = x86_64\nlicense = MIT\n\(rest)", file: name)
    }
}
