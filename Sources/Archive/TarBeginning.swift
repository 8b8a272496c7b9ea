public import Artefact
internal import Synchronization

/// The members that several archives begin with, compressed once for all of them.
///
/// Each archive goes on from the same state of the compressor, so its bytes are those that compressing it whole gives.
public final class TarBeginning: Sendable {
    /// The members, each directory before what it holds.
    public let entries: [TreeEntry]
    /// The time of every entry that states none, in seconds since 1970-01-01.
    public let epoch: Int64
    /// What is compressed so far, from the header of the gzip member on.
    let bytes: [UInt8]
    private let deflater: Mutex<Deflater>

    /// Compresses the members.
    ///
    /// - Parameters:
    ///   - entries: The members, each directory before what it holds.
    ///   - epoch: The time of every entry that states none, in seconds since 1970-01-01.
    /// - Throws: ``ArtefactError`` when a content has changed or cannot be read, ``ArchiveError`` with
    ///   ``ArchiveError/Code/system`` when there is no memory.
    public init(_ entries: [TreeEntry], epoch: Int64) throws {
        var bytes = Deflater.header
        var deflater = try Deflater()
        try TarGzip.writeMembers(entries, epoch: epoch) { piece in
            try deflater.write(piece) { output in
                unsafe output.withUnsafeBufferPointer { pieces in unsafe bytes.append(contentsOf: pieces) }
            }
        }
        self.entries = entries
        self.epoch = epoch
        self.bytes = bytes
        self.deflater = Mutex(deflater)
    }

    /// A compressor that goes on after the members.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/system`` when there is no memory.
    func continued() throws -> Deflater { try deflater.withLock { deflater in try deflater.copy() } }
}
