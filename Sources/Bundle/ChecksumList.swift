public import Artefact

/// A `SHA256SUMS` file: what `sha256sum` of coreutils writes and `sha256sum -c` reads, for the files of one directory and
/// those of a fleet's nodes below it.
public struct ChecksumList: Hashable, Sendable {
    /// The name of the file in a bundle.
    public static let fileName = "SHA256SUMS"
    /// The largest checksum file that is read, in bytes.
    public static let maximumBytes = 8 << 20

    /// Digests by the places of the files.
    public let digests: [String: Digest]

    /// Takes digests by file name.
    public init(_ digests: [String: Digest]) { self.digests = digests }

    /// The digests of a bundle: each artefact's, and the manifest's.
    public init(of manifest: Manifest) throws(BundleError) {
        var digests: [String: Digest] = [Manifest.fileName: Digest(of: try manifest.encoded())]
        for artefact in manifest.artefacts { digests[artefact.path] = artefact.sha256 }
        self.digests = digests
    }

    /// The text form: digest, two spaces, name, newline; sorted by the bytes of the names.
    public func encoded() -> [UInt8] {
        let names = digests.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return Array(names.map { name in (digests[name]?.hex ?? "") + "  " + name + "\n" }.joined().utf8)
    }

    /// Reads text (`DIGEST  NAME`) and binary (`DIGEST *NAME`) form, and refuses everything else.
    ///
    /// A name with `/` but for `nodes/NODE/NAME`, a control character, a leading `.`, or coreutils' escapes (a line that begins with `\`) is
    /// refused: a list that arrives with a bundle must not reach outside its directory.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: What messages call it.
    /// - Throws: ``BundleError`` with ``BundleError/Code/invalidChecksums``, line and reason.
    public init(decoding bytes: [UInt8], named name: String = ChecksumList.fileName) throws(BundleError) {
        func refuse(_ line: Int, _ why: String) -> BundleError {
            BundleError(.invalidChecksums, subject: line > 0 ? "\(name):\(line)" : name, detail: why)
        }
        guard bytes.count <= Self.maximumBytes else {
            throw refuse(0, "is larger than \(Self.maximumBytes) bytes")
        }
        guard !bytes.isEmpty else { throw refuse(0, "is empty") }
        guard bytes.last == UInt8(ascii: "\n") else { throw refuse(0, "is truncated: its last line has no end") }
        var digests: [String: Digest] = [:]
        var number = 0
        for line in bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard line.count > 66, line.first != UInt8(ascii: "\\") else {
                throw refuse(number, "is not 64 hexadecimal digits, two spaces and a file name")
            }
            let start = line.startIndex
            let marker = line[start + 65]
            guard line[start + 64] == UInt8(ascii: " "), marker == UInt8(ascii: " ") || marker == UInt8(ascii: "*")
            else { throw refuse(number, "is not 64 hexadecimal digits, two spaces and a file name") }
            guard let file = String(validating: line[(start + 66)...], as: UTF8.self),
                file.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { throw refuse(number, "has a name that is no printable UTF-8") }
            guard !file.utf8.contains(UInt8(ascii: "/")) || BundleNode.isPlace(file), !file.hasPrefix(".") else {
                throw refuse(number, "names '\(file.prefix(80))', which is not simply a file in the same directory")
            }
            guard let digest = try? Digest(hex: String(decoding: line[start..<(start + 64)], as: UTF8.self)) else {
                throw refuse(number, "is not 64 hexadecimal digits, two spaces and a file name")
            }
            guard digests.updateValue(digest, forKey: file) == nil else {
                throw refuse(number, "names '\(file)' a second time")
            }
        }
        self.digests = digests
    }
}
