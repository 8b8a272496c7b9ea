internal import Artefact
internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// Which accelerator this host has, found out by running a guest.
///
/// That `/dev/kvm` exists says little: it may belong to another user, or to a hypervisor beneath that does not carry out
/// what it promises. So the probe runs a guest of 512 bytes that prints a word and ends the machine, and believes what it
/// sees.
public struct AcceleratorChoice: Hashable, Sendable, CustomStringConvertible {
    /// The accelerator to use.
    public let accelerator: Accelerator
    /// Why it is not the other one; for a notice.
    public let reason: String

    /// `tcg (/dev/kvm: …)`.
    public var description: String { "\(accelerator.rawValue) (\(reason))" }

    /// How long the guest of the probe may take.
    public static let probeLimit = Duration.seconds(5)

    private static let remembered = Mutex<Task<AcceleratorChoice, Never>?>(nil)

    /// The choice for this host; the probe runs once in a process.
    public static func forThisHost() async -> AcceleratorChoice {
        let task = remembered.withLock { remembered in
            let task = remembered ?? Task { await probe() }
            remembered = task
            return task
        }
        return await task.value
    }

    private static func probe() async -> AcceleratorChoice {
        let device = unsafe open("/dev/kvm", O_RDWR | O_CLOEXEC)
        guard device >= 0 else {
            return AcceleratorChoice(accelerator: .tcg, reason: "/dev/kvm: \(Errno(rawValue: errno))")
        }
        // KVM_GET_API_VERSION of <linux/kvm.h>; the answer has been 12 since 2007.
        let version = ioctl(device, 0xae00, CInt(0))
        _ = close(device)
        guard version == 12 else {
            return AcceleratorChoice(accelerator: .tcg, reason: "/dev/kvm: does not answer as KVM does")
        }
        let usable = await runsGuest(.kvm, within: probeLimit)
        return usable
            ? AcceleratorChoice(accelerator: .kvm, reason: "a guest ran on /dev/kvm")
            : AcceleratorChoice(accelerator: .tcg, reason: "/dev/kvm: no guest runs on it within \(probeLimit)")
    }

    /// Whether a tiny guest runs to its end.
    ///
    /// - Parameters:
    ///   - accelerator: What runs it.
    ///   - limit: The longest time. The answer comes at most two seconds later, also when the process that runs the guest
    ///     cannot be killed because it hangs in the kernel.
    /// - Returns: Whether it did.
    static func runsGuest(_ accelerator: Accelerator, within limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            Task { answer.give(await attempt(accelerator, within: limit)) }
            Task {
                try? await Task.sleep(for: limit + .seconds(2))
                answer.give(false)
            }
        }
    }

    private static func attempt(_ accelerator: Accelerator, within limit: Duration) async -> Bool {
        guard let program = try? await BootMachine.resolve(QEMUCommand.program, package: QEMUCommand.package),
            let scratch = try? MachineScratch()
        else { return false }
        let image = scratch.path.appending("guest")
        guard (try? StagedFile.write(guestImage, to: image)) != nil else { return false }
        let arguments =
            ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", "-m", "16"]
            + accelerator.arguments + [
                "-drive", "file=\(image.string),format=raw,if=ide", "-serial", "stdio",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            ]
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                let outcome = try? await Subprocess.run(
                    .path(program), arguments: Arguments(arguments), output: .string(limit: 65_536), error: .discarded)
                guard case .exited(guestExitCode)? = outcome?.terminationStatus else { return false }
                return outcome?.standardOutput.contains(guestWord) ?? false
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// What the guest prints.
    private static let guestWord = "ksbuild"
    /// `isa-debug-exit` ends QEMU with twice the value that the guest wrote, plus one.
    private static let guestExitCode: CInt = 0x10 * 2 + 1

    /// A boot sector: prints the word on the first serial port, then writes to the port of `isa-debug-exit`.
    private static var guestImage: [UInt8] {
        let code: [UInt8] = [
            0x31, 0xc0,  // xor ax, ax
            0x8e, 0xd8,  // mov ds, ax
            0xbe, 0x19, 0x7c,  // mov si, 0x7c19: the word
            0xba, 0xf8, 0x03,  // mov dx, 0x3f8
            0xac,  // next: lodsb
            0x84, 0xc0,  // test al, al
            0x74, 0x03,  // jz end
            0xee,  // out dx, al
            0xeb, 0xf8,  // jmp next
            0xb0, 0x10,  // end: mov al, 0x10
            0xe6, 0xf4,  // out 0xf4, al
            0xf4,  // halt: hlt
            0xeb, 0xfd,  // jmp halt
        ]
        var sector = code + Array(guestWord.utf8) + [0]
        sector += [UInt8](repeating: 0, count: 510 - sector.count) + [0x55, 0xaa]
        // A track, so that the BIOS finds a geometry.
        return sector + [UInt8](repeating: 0, count: 63 * 512)
    }
}

/// Hands the first of several answers to whoever waits, and drops the others.
private final class FirstAnswer: Sendable {
    private let waiting: Mutex<CheckedContinuation<Bool, Never>?>

    init(_ continuation: CheckedContinuation<Bool, Never>) { waiting = Mutex(continuation) }

    func give(_ answer: Bool) {
        waiting.withLock { waiting in
            waiting?.resume(returning: answer)
            waiting = nil
        }
    }
}
