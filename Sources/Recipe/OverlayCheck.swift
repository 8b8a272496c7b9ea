internal import APKOVL
internal import Archive
internal import Artefact
internal import SystemPackage
internal import Upstream

/// Reading overlays back: as an archive, and as Alpine's init would take them.
enum OverlayCheck {
    /// Reads every member of an archive and every byte of it.
    ///
    /// - Throws: `ArchiveError`.
    static func readToEnd(_ path: FilePath) throws {
        var reader = try ArchiveReader(path)
        while try reader.next() != nil { try reader.forEachChunk { _ in } }
    }

    /// Reads an overlay that was just written as Alpine's init would, and refuses one whose node would not be what it
    /// says.
    ///
    /// - Throws: ``BuildError`` with ``BuildError/Code/unbootable``.
    static func require(_ path: FilePath, packages: NodePackages?, _ report: BuildReport) throws {
        let findings = try OverlayLint.inspect(path, packages: packages.map { index in { index.offers($0) } }).findings
        for finding in findings where finding.severity == .warning { report(.warning("the overlay: \(finding)")) }
        let errors = findings.filter { $0.severity == .error && $0.rule != "file-name" }
        guard errors.isEmpty else {
            throw BuildError(
                .unbootable, subject: "the overlay",
                detail: "would not boot as it is: \(errors.map(\.description).joined(separator: "; "))")
        }
    }
}
