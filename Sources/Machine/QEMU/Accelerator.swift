/// How the processor of a virtual machine comes about.
public enum Accelerator: String, Codable, Hashable, Sendable, CaseIterable {
    /// Emulated in software; works everywhere, about twenty times slower than the host.
    case tcg
    /// Run by the host's own processor through `/dev/kvm`.
    case kvm

    /// How many MiB the emulation has for translated code.
    ///
    /// With much less, what a boot translates is thrown away many times; with much more, what is stale lengthens the lists
    /// that each page of new code is looked up in.
    static let translationBuffer = 192

    /// The options for QEMU.
    ///
    /// Under emulation the processor is a model without ERMS: with it, Alpine's kernel clears pages by one long
    /// `rep stosb`, which QEMU 7.2 carries out a byte at a time. Its model number is that of an Atom that does not
    /// speculate, as the emulation does not: for any other Intel's, Linux keeps page tables of its own (PTI), and each
    /// system call then empties the emulated TLB twice, a third of a boot's time.
    var arguments: [String] {
        switch self {
        case .tcg: ["-accel", "tcg,tb-size=\(Self.translationBuffer)", "-cpu", "Nehalem,model=28"]
        case .kvm: ["-accel", "kvm", "-cpu", "host"]
        }
    }
}
