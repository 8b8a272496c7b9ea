/// A boot that cannot go on, recognised by what the console says.
public struct GuestFailure: Hashable, Sendable, CustomStringConvertible {
    /// The ways in which a boot ends early.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The kernel panicked.
        case kernelPanic = "kernel panic"
        /// Alpine's init gave up and started a shell.
        case recoveryShell = "recovery shell"
        /// The firmware or the boot loader found nothing to start.
        case nothingToBoot = "nothing to boot"
    }

    /// What happened.
    public let kind: Kind
    /// The line that says so.
    public let line: String
    /// The time since the machine started.
    public let time: Duration

    /// The texts of the Linux kernel, of `initramfs-init`, and of SeaBIOS, OVMF and isolinux.
    private static let signs: [(text: String, kind: Kind)] = [
        ("Kernel panic - not syncing", .kernelPanic),
        ("Mounting boot media failed", .recoveryShell),
        ("emergency recovery shell", .recoveryShell),
        ("can't access tty; job control turned off", .recoveryShell),
        ("No bootable device", .nothingToBoot),
        ("No bootable option or device was found", .nothingToBoot),
        ("startup.nsh", .nothingToBoot),
        (">>Start PXE over", .nothingToBoot),
        ("No DEFAULT or UI configuration directive found", .nothingToBoot),
        ("Could not find kernel image", .nothingToBoot),
    ]

    /// Recognises a line of the console.
    ///
    /// - Returns: `nil` for any other line.
    init?(line: String, time: Duration) {
        guard let sign = Self.signs.first(where: { line.contains($0.text) }) else { return nil }
        kind = sign.kind
        self.line = line
        self.time = time
    }

    /// `kernel panic after 31.2 s: …`.
    public var description: String { "\(kind.rawValue) after \(time.secondsText) s: \(line)" }
}

extension Duration {
    /// Seconds with one decimal, rounded down: `31.2`.
    var secondsText: String {
        let parts = components
        return "\(parts.seconds).\(parts.attoseconds / 100_000_000_000_000_000)"
    }

    /// Seconds as a number.
    var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}
