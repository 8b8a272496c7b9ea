internal import Archive
internal import Artefact
internal import ISOBuild
internal import SystemPackage

/// What the initramfs of an image holds that decides what a node believes.
struct InitramfsTrust {
    /// The keys for packages, `/etc/apk/keys/*.pub`.
    let keys: AlpineKeys
    /// Whether it holds a key for the modloop, `/var/cache/misc/*modloop*.SIGN.RSA.*.pub`; init adds openssl then.
    let verifiesModloop: Bool

    private static let keyFolder = "etc/apk/keys/"
    private static let modloopFolder = "var/cache/misc/"

    /// Reads an initramfs: gzip and cpio, streamed.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/incomplete`` where there is no initramfs or no key in it, with
    ///   other codes where it cannot be read; `ISOError` for the image.
    init(ofImage image: FilePath, initramfs: String) throws {
        let reader = try ISOReader(image)
        let subject = "\(image)(\(initramfs))"
        guard let entry = try reader.entry(at: initramfs), entry.kind == .file else {
            throw UpstreamError(.incomplete, subject: image.string, detail: "has no \(initramfs)")
        }
        var files: [String: [UInt8]] = [:]
        do {
            var archive = try InitramfsReader(
                named: subject, keeping: { Self.key($0) != nil || Self.isModloopKey($0) })
            try reader.forEachChunk(of: entry) { chunk in
                try archive.take(chunk)
                for piece in archive.drain() {
                    files[piece.path] = (piece.isBeginning ? [] : files[piece.path, default: []]) + piece.bytes
                    guard files.count <= AlpineKeys.maximumKeys,
                        files[piece.path, default: []].count <= AlpineKeys.maximumKeyBytes
                    else {
                        throw ArchiveError(
                            .limitExceeded, subject: subject,
                            detail: "holds more than \(AlpineKeys.maximumKeys) keys, or one of more than"
                                + " \(AlpineKeys.maximumKeyBytes) bytes (\(printable(piece.path)))")
                    }
                }
            }
            try archive.finish()
        } catch let error as ArchiveError {
            throw UpstreamError(archive: error)
        }
        // What is no key there is none to apk either.
        keys = AlpineKeys(
            readable: files.compactMap { path, bytes in
                Self.key(path).map { ($0, String(decoding: bytes, as: UTF8.self)) }
            })
        guard !keys.names.isEmpty else {
            throw UpstreamError(.incomplete, subject: subject, detail: "holds no key below /\(Self.keyFolder)")
        }
        verifiesModloop = files.keys.contains { Self.isModloopKey($0) }
    }

    /// What was read, to be noted: whether there is a key for the modloop, then names and texts of the others, each ended
    /// by a zero byte.
    var extract: [UInt8] {
        keys.names.reduce(into: [verifiesModloop ? 1 : 0]) { bytes, name in
            bytes += Array(name.utf8) + [0] + Array((keys[name] ?? "").utf8) + [0]
        }
    }

    /// Takes what was noted; `nil` for what is no such note.
    init?(extract: [UInt8]) {
        guard let flag = extract.first, flag <= 1, extract.last == 0 else { return nil }
        let parts = extract.dropFirst().dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count % 2 == 0 else { return nil }
        let texts = parts.map { String(decoding: $0, as: UTF8.self) }
        keys = AlpineKeys(
            readable: stride(from: 0, to: texts.count, by: 2).map { (name: texts[$0], text: texts[$0 + 1]) })
        verifiesModloop = flag == 1
        guard keys.names.count == texts.count / 2, !keys.names.isEmpty, self.extract == extract else { return nil }
    }

    /// The file name of a key for packages.
    private static func key(_ name: String) -> String? {
        guard name.hasPrefix(keyFolder), name.hasSuffix(".pub") else { return nil }
        let file = name.dropFirst(keyFolder.count)
        return file.contains("/") ? nil : String(file)
    }

    private static func isModloopKey(_ name: String) -> Bool {
        guard name.hasPrefix(modloopFolder), name.hasSuffix(".pub") else { return false }
        let file = name.dropFirst(modloopFolder.count)
        guard !file.contains("/"), let modloop = file.firstRange(of: "modloop") else { return false }
        return file[modloop.upperBound...].firstRange(of: ".SIGN.RSA.") != nil
    }
}
