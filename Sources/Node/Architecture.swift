/// A processor architecture and what each upstream calls it.
public enum Architecture: String, Hashable, Sendable, CaseIterable {
    /// 64-bit x86.
    case x86_64
    /// 64-bit ARM.
    case aarch64

    /// The name in Alpine's release and package names: `x86_64`, `aarch64`.
    public var alpineName: String { rawValue }

    /// The name in KubeSolo's release names: `amd64`, `arm64`.
    public var kubeSoloName: String {
        switch self {
        case .x86_64: "amd64"
        case .aarch64: "arm64"
        }
    }

    /// `e_machine` of its ELF files (System V gABI, figure 4-4).
    public var elfMachine: UInt16 {
        switch self {
        case .x86_64: 62
        case .aarch64: 183
        }
    }
}
