import Artefact
import Bundle
import BundleSamples
import ServerSupport
import SystemPackage
import TestSupport

/// An output directory with bundles that are worth moving: a large binary, and small files that differ by version.
struct PublishProject: ~Copyable {
    let scratch: Scratch
    let out: FilePath
    private let binary: FilePath
    private let binaryDigest: Digest

    /// Makes one that is empty.
    ///
    /// - Parameter megabytes: The size of the binary that all versions share.
    init(megabytes: Int = 1) throws {
        let scratch = try Scratch()
        var random = SeededGenerator(seed: 11)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(megabytes << 20)
        for _ in 0..<(megabytes << 17) {
            let word = random.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        binary = try scratch.file("inputs/kubesolo", bytes)
        binaryDigest = Digest(of: bytes)
        out = scratch.path.appending("out")
        self.scratch = scratch
    }

    var store: BundleStore { BundleStore(out) }

    /// Builds a version.
    ///
    /// - Parameters:
    ///   - version: The version.
    ///   - name: What the bundle is called.
    ///   - overlay: What differs.
    ///   - isSecret: Whether the overlay holds a secret.
    ///   - key: Who signs.
    ///   - folder: The output directory, where it is another one.
    /// - Returns: Where it is.
    @discardableResult
    func build(
        _ version: String, name: String = "edge", architecture: String = "x86_64", overlay: String? = nil,
        isSecret: Bool = false,
        key: MinisignSecretKey? = nil,
        in folder: FilePath? = nil
    ) throws -> FilePath {
        let text = overlay ?? "overlay of \(version)"
        let stem = "\(name)-\(version)-\(architecture)"
        var description = try Samples.description(version, recipe: text)
        description.name = name
        description.architecture = architecture
        var stage = Stage(
            description,
            artefacts: [
                StagedArtefact(.overlay, file: "\(stem).apkovl.tar.gz", isSecret: isSecret, bytes: Array(text.utf8)),
                StagedArtefact(.kubesolo, file: "\(stem)-kubesolo", copying: binary, digest: binaryDigest),
                StagedArtefact(.alpineISO, file: "alpine-virt-3.23.6-x86_64.iso", bytes: Samples.iso),
                StagedArtefact(.seed, file: "\(stem)-cidata.iso", bytes: Array("seed with \(text)".utf8)),
            ])
        stage.signer = key.map { BundleSigner($0, writesSSHSignature: true) }
        return try BundleStore(folder ?? out).publish(stage).path
    }

    /// Every file of a directory with its digest and mode, a line each.
    static func contents(_ path: FilePath) throws -> [String] {
        try HostFile.names(in: path).map { name in
            let file = path.appending(name)
            return "\(name) \(try Digest(ofFile: file)) \(try HostFile.status(of: file).mode)"
        }
    }

    /// Runs the command.
    func command(_ words: String..., environment: [String: String] = [:]) async throws -> ProgramResult {
        try await run(try Product.ksbuild.string, words, in: scratch.path, environment: environment)
    }
}
