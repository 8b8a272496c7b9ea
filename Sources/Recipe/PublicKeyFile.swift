internal import Artefact
internal import Node
public import SystemPackage

/// Files of public keys, as `authorizedKeys` refers to them.
public enum PublicKeyFile {
    /// The largest file of keys that is read, in bytes.
    static let maximumBytes = 1 << 20

    /// Requires that a file holds public keys and nothing else, so that a recipe may refer to it.
    ///
    /// - Throws: ``BuildError`` with ``BuildError/Code/invalidKey`` that repeats nothing of the file, or
    ///   `ArtefactError` where it cannot be read.
    public static func check(_ path: FilePath) throws {
        let text = String(decoding: try HostFile.read(path, limit: maximumBytes), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).filter { line in
            !line.hasPrefix("#") && line.contains { $0 != " " && $0 != "\t" }
        }
        func refuse(_ why: String) -> BuildError { BuildError(.invalidKey, subject: path.string, detail: why) }
        guard !lines.isEmpty else { throw refuse("holds no public key") }
        for line in lines {
            do {
                _ = try SSHPublicKey(parsing: String(line))
            } catch {
                throw refuse(error.hint.isEmpty ? error.detail : "\(error.detail); \(error.hint)")
            }
        }
    }
}
