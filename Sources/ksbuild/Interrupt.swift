import Glibc
import Synchronization

/// Whether the user wants the command to end: by Ctrl-C or SIGTERM, once gently; the second time the system ends it.
enum Interrupt {
    private static let flag = Atomic<Bool>(false)

    /// Whether it was asked for.
    static var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// From now on a signal ends the command at once, as it does by itself.
    static func release() {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }

    /// From now on the first signal only sets ``isRequested``.
    static func watch() {
        // What the handler touches exists before the first signal can come.
        flag.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interrupt.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}
