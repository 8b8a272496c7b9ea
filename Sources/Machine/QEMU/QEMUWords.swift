/// What QEMU and libvirt say when they refuse, what it means, and what to do.
enum QEMUWords {
    private static let meanings: [(words: [String], code: MachineError.Code, sentence: String)] = [
        (
            ["Failed to get", "lock"], .inUse, "its data disk is in use by another machine; stop that one first"
        ),
        (
            ["Could not set up host forwarding rule"], .inUse,
            "a port that leads to it is taken by another program; end that, or give others with"
                + " 'ksbuild vm destroy' and 'ksbuild vm create --ssh-port N --api-port N'"
        ),
        (
            ["network", "is not active"], .hostUnavailable,
            "its network is switched off; 'virsh net-start NETWORK' switches it on"
        ),
        (
            ["etwork not found"], .hostUnavailable,
            "its network does not exist; 'ksbuild vm setup' makes the network 'default'"
        ),
        (["No space left on device"], .noRoom, "there is no room on the disk"),
        (
            ["failed to get domain"], .notMade,
            "libvirt does not know it any more; 'ksbuild vm create' makes it again, on its data disk"
        ),
        (["No such file or directory"], .imageMissing, "one of its files is gone"),
        (["Permission denied"], .notPermitted, "QEMU may not open one of its files; 'ksbuild vm check' says how"),
    ]

    /// The error for a command that was refused.
    ///
    /// - Parameters:
    ///   - words: What was said.
    ///   - command: What was asked, as it follows "refused".
    ///   - machine: The machine's name.
    ///   - host: Who refused.
    /// - Returns: The error, with what to do where that is known.
    static func failure(_ words: String, _ command: String, _ machine: String, by host: String) -> MachineError {
        for meaning in meanings where meaning.words.allSatisfy(words.contains) {
            return MachineError(meaning.code, subject: machine, detail: "\(meaning.sentence) (\(words))")
        }
        return MachineError(.refused, subject: machine, detail: "\(host) refused \(command) (\(words))")
    }
}
