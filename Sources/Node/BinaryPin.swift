public import Artefact

/// The bare KubeSolo binary that a node accepts: what it hashes to and how large it is.
///
/// The node finds the binary on its media by the digest, not by name or place, and checks it again at every start.
public struct BinaryPin: Hashable, Sendable {
    /// The digest of the ELF file as it stands on the medium, not of the archive it came in.
    public let digest: Digest
    /// Its size in bytes.
    public let size: UInt64

    /// Joins the two.
    public init(digest: Digest, size: UInt64) {
        self.digest = digest
        self.size = size
    }
}
