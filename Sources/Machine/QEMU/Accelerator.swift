/// How the processor of a virtual machine comes about.
public enum Accelerator: String, Codable, Hashable, Sendable, CaseIterable {
    /// Emulated in software; works everywhere, about twenty times slower than the host.
    case tcg
    /// Run by the host's own processor through `/dev/kvm`.
    case kvm

    /// The options for QEMU.
    ///
    /// Under emulation the processor is a model without ERMS: with it, Alpine's kernel clears pages by one long
    /// `rep stosb`, which QEMU 7.2 carries out a byte at a time. A translation buffer of 64 MiB holds a whole boot.
    var arguments: [String] {
        switch self {
        case .tcg: ["-accel", "tcg,tb-size=64", "-cpu", "Nehalem"]
        case .kvm: ["-accel", "kvm", "-cpu", "host"]
        }
    }
}
