internal import Archive
public import Artefact

/// What the `.PKGINFO` of a package says: lines `NAME = VALUE`, `apk-package(5)`.
public struct PackageInformation: Hashable, Sendable {
    /// The name (`pkgname`).
    public let name: String
    /// The version (`pkgver`).
    public let version: String
    /// The architecture, or `noarch` (`arch`).
    public let architecture: String
    /// The SHA-256 of the data stream (`datahash`).
    public let dataDigest: Digest
    /// `Q1` and the SHA-1 of the control stream in base 64, as an index has it (`C:`).
    public let identity: String
    /// The size of the package file in bytes.
    public let size: UInt64
    private let values: [String: [String]]

    /// The largest `.PKGINFO` in bytes.
    static let maximumBytes = 2 << 20

    /// Reads the control stream of a package, unpacked.
    init(controlTar tar: [UInt8], identity: String, size: UInt64, named subject: String) throws {
        func fault(_ detail: String) -> UpstreamError { UpstreamError(.malformed, subject: subject, detail: detail) }
        var text: [UInt8]?
        do {
            var reader = try ArchiveReader(bytes: tar, named: subject)
            while let member = try reader.next() {
                guard member.kind == .file, member.name.hasPrefix(".") else {
                    throw fault("has \(member.name) in its control stream, where only .PKGINFO and scripts may be")
                }
                guard member.name == ".PKGINFO" else { continue }
                guard text == nil else { throw fault("holds two files named .PKGINFO") }
                text = try reader.read(limit: Self.maximumBytes)
            }
        } catch let error as ArchiveError {
            throw UpstreamError(archive: error)
        }
        guard let text else { throw fault("holds no .PKGINFO") }
        guard let lines = String(validating: text, as: UTF8.self), !text.contains(0) else {
            throw fault("has a .PKGINFO that is not UTF-8 text")
        }
        var values: [String: [String]] = [:]
        for line in lines.utf8.split(separator: 0x0a) where line.first != UInt8(ascii: "#") {
            guard let sign = Substring(line).firstRange(of: " = ") else {
                throw fault("has a .PKGINFO with a line that is no NAME = VALUE")
            }
            values[String(Substring(line)[..<sign.lowerBound]), default: []].append(
                String(Substring(line)[sign.upperBound...]))
        }
        func single(_ key: String) throws -> String {
            guard let all = values[key], all.count == 1, !all[0].isEmpty else {
                throw fault("has a .PKGINFO that does not give \(key) once")
            }
            return all[0]
        }
        name = try single("pkgname")
        version = try single("pkgver")
        architecture = try single("arch")
        let plain = { (text: String) in text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") } }
        guard plain(name), plain(version), plain(architecture) else {
            throw fault("has a .PKGINFO with a name or version that is none")
        }
        guard let digest = try? Digest(hex: single("datahash")) else {
            throw fault("has a .PKGINFO without the SHA-256 of its files (datahash)")
        }
        dataDigest = digest
        self.identity = identity
        self.size = size
        self.values = values
    }

    /// What an index says otherwise.
    func difference(from entry: PackageIndex.Package) -> String? {
        for (what, ours, theirs) in [
            ("control checksum", identity, entry.identity), ("name", name, entry.name),
            ("version", version, entry.version), ("architecture", architecture, entry.architecture),
            ("size", "\(size)", "\(entry.size)"),
        ] where ours != theirs {
            return "its \(what) is \(ours) and the index says \(theirs)"
        }
        return nil
    }

    /// The lines of an index for it, in the order in which apk writes them, with the empty line that ends them.
    var indexLines: String {
        func one(_ key: String) -> String { values[key]?.first ?? "" }
        func all(_ key: String) -> String { (values[key] ?? []).joined(separator: " ") }
        let fields = [
            ("C", identity), ("P", name), ("V", version), ("A", architecture), ("S", "\(size)"),
            ("I", one("size").isEmpty ? "0" : one("size")), ("T", one("pkgdesc")), ("U", one("url")),
            ("L", one("license")), ("o", one("origin")), ("m", one("maintainer")), ("t", one("builddate")),
            ("c", one("commit")), ("k", one("provider_priority")), ("D", all("depend")), ("p", all("provides")),
            ("i", all("install_if")),
        ]
        return fields.filter { !$0.1.isEmpty }.map { "\($0.0):\($0.1)\n" }.joined() + "\n"
    }
}
