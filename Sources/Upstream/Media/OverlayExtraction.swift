internal import Archive
internal import Artefact
public import ISOBuild
public import SystemPackage

extension MediumReport {
    /// Writes the overlay that init takes into a file.
    ///
    /// - Parameters:
    ///   - image: The image that the report is about.
    ///   - file: The file, which is replaced.
    /// - Returns: `false` where the medium does not hold the overlay: there is none, or it is on a network or another disk.
    /// - Throws: `ISOError`, `ArchiveError` or `ArtefactError`.
    public func extractOverlay(of image: borrowing ISOReader, to file: FilePath) throws -> Bool {
        switch choice {
        case .none, .commandLine(_, initrd: nil): return false
        case .found(let path):
            guard let entry = try Medium(image).entries[path], entry.size <= image.volume.imageSize else {
                return false
            }
            var staged = try StagedFile(file)
            try image.forEachChunk(of: entry) { chunk in try staged.write(chunk) }
            _ = try staged.commit(mode: .file)
        case .commandLine(let value, .some(let initrd)):
            guard let entry = try Medium(image).entries[initrd], entry.size <= image.volume.imageSize else {
                return false
            }
            var staged = try StagedFile(file)
            let wanted = MediumRules.inRAM(value)
            var reader = try InitramfsReader(named: initrd, keeping: { $0 == wanted })
            try image.forEachChunk(of: entry) { chunk in
                try reader.take(chunk)
                for piece in reader.drain() {
                    if piece.isBeginning { staged = try StagedFile(file) }
                    try staged.write(piece.bytes)
                }
            }
            _ = try staged.commit(mode: .file)
        }
        return true
    }
}
