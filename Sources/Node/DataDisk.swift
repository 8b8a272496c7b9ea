/// The disk that keeps a node's state: found by label, and formatted only when it is named and blank.
public struct DataDisk: Hashable, Sendable {
    /// How a disk without the label is recognised as the one to format.
    ///
    /// A position such as `/dev/vda` is not among them: which disk that is changes with the media attached.
    public enum Match: Hashable, Sendable {
        /// The serial number that the disk reports, at most 20 bytes on virtio.
        case serial(String)
        /// The exact size in bytes, a multiple of 512.
        case size(UInt64)
        /// A link below `/dev/disk/by-id` or `/dev/disk/by-path`.
        case link(String)
    }

    /// Whether a matching disk may be formatted.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// When nothing at all is on it.
        case ifBlank = "if-blank"
        /// Under no circumstances.
        case never
    }

    /// The label of the ext4 file system, at most 16 bytes.
    public var label: String
    /// Where it is mounted; also KubeSolo's `path`.
    public var mountPoint: String
    /// Which disk may be formatted.
    public var match: Match?
    /// Whether it may be formatted.
    public var format: Format
    /// How many snapshots of the datastore are kept, at least 1.
    public var snapshots: Int

    /// The serial number that ksbuild's own virtual machines give the data disk.
    public static let defaultSerial = "ksbuild-data"

    /// Makes a data disk; the defaults suit ksbuild's own virtual machines.
    public init(
        label: String = "KUBESOLO", mountPoint: String = "/var/lib/kubesolo", match: Match? = .serial(defaultSerial),
        format: Format = .ifBlank, snapshots: Int = 3
    ) {
        self.label = label
        self.mountPoint = mountPoint
        self.match = match
        self.format = format
        self.snapshots = snapshots
    }
}
