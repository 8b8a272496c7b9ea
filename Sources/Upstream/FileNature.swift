/// What a file is, told from its first bytes, for messages about a file that is not what it should be.
///
/// A download that went wrong is most often a server's page about the failure, an archive that was not unpacked, or
/// nothing at all; saying which spares a search.
enum FileNature {
    /// How many bytes from the start of a file are enough.
    static let headBytes = 1024

    /// The first bytes of formats that begin with a fixed mark, and what to call them.
    private static let marks: [(bytes: [UInt8], name: String)] = [
        ([0x7f, 0x45, 0x4c, 0x46], "an ELF program"),
        ([0x1f, 0x8b], "a gzip archive"),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "an xz archive"),
        ([0x28, 0xb5, 0x2f, 0xfd], "a zstd archive"),
        ([0x42, 0x5a, 0x68], "a bzip2 archive"),
        ([0x50, 0x4b, 0x03, 0x04], "a zip archive"),
        ([0x51, 0x46, 0x49, 0xfb], "a qcow2 disk image"),
        ([0x68, 0x73, 0x71, 0x73], "a squashfs image"),
        ([0xcf, 0xfa, 0xed, 0xfe], "a macOS program"),
        ([0x4d, 0x5a], "a Windows or EFI program"),
        (Array("-----BEGIN PGP".utf8), "an OpenPGP signature"),
        (Array("#!".utf8), "a script"),
        (Array("ADB".utf8), "an apk v3 file"),
    ]

    /// What the file is, with its article, or `nil` where the bytes say nothing.
    static func name(of head: [UInt8]) -> String? {
        guard !head.isEmpty else { return "an empty file" }
        for mark in marks where head.starts(with: mark.bytes) { return mark.name }
        if head.count >= 262, head[257..<262].elementsEqual("ustar".utf8) { return "a tar archive" }
        let text = head.drop { [0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf].contains($0) }.prefix(64)
            .map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        for start in ["<!doctype html", "<html", "<head", "<body"] where text.starts(with: start.utf8) {
            return "an HTML page, perhaps a server's error or log-in page"
        }
        if text.starts(with: "<?xml".utf8) { return "an XML document, perhaps a server's error" }
        if text.first == UInt8(ascii: "{") { return "a JSON document, perhaps a server's error" }
        let isZero = head.allSatisfy { $0 == 0 }
        if isZero { return "a file of zeros" }
        let isText = head.allSatisfy { (0x20...0x7e).contains($0) || (0x09...0x0d).contains($0) }
        return isText ? "a text file" : nil
    }
}
