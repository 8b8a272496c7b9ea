public import Artefact
public import SystemPackage

/// What went wrong with a virtual machine or with what it needs on the host.
public struct MachineError: Failure, Hashable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Code: Hashable, Sendable {
        /// A program that is needed is not installed.
        case programMissing
        /// There is no UEFI firmware on the host.
        case firmwareMissing
        /// An image to boot from does not exist or cannot be read.
        case imageMissing
        /// A number in the description of the machine is out of its range.
        case invalidSpecification
        /// No port on the loopback interface could be forwarded.
        case noFreePort
        /// The virtual machine ended by itself although it was still needed.
        case exited
        /// The monitor of the virtual machine refused a command or said something that is not its protocol.
        case monitor
        /// Something that was waited for did not come in its time.
        case timeLimit
        /// The host key that the node offers is not the one that it reported on the serial line.
        case hostKeyMismatch
        /// The node booted and is not what was expected of it.
        case unhealthy
        /// Nobody answers who would run machines, or lacks what it needs for that.
        case hostUnavailable
        /// There is a machine of that name already.
        case exists
        /// There is no machine of that name.
        case notMade
        /// The machine is not in the state that is needed.
        case wrongState
        /// A disk, a port or a network is in use by something else.
        case inUse
        /// Another ksbuild changes the machine.
        case busy
        /// There is no room.
        case noRoom
        /// A file of a machine is not what was written there.
        case damagedRecord
        /// libvirt or QEMU refused what was asked of it.
        case refused
        /// The user ended it.
        case interrupted
        /// The distribution of the host is not one that can be prepared.
        case unknownDistribution
        /// A step of preparing the host failed or had no effect.
        case stepFailed
        /// Root's rights are needed and cannot be had.
        case notPermitted
        /// The system refused an operation on the host.
        case system
    }

    /// The kind of failure.
    public let code: Code
    /// The file, program or machine that is to blame.
    public let subject: String
    /// What is wrong with it and, where that helps, what to do.
    public let detail: String
    /// What the system said, for ``Code/system``.
    public let errno: Errno?

    /// Makes an error that names its subject.
    public init(_ code: Code, subject: String, detail: String, errno: Errno? = nil) {
        self.code = code
        self.subject = subject
        self.detail = detail
        self.errno = errno
    }

    /// Makes the error for a system call that failed with `errno`.
    static func system(_ operation: String, _ subject: String, _ errno: Errno) -> MachineError {
        MachineError(.system, subject: subject, detail: "cannot \(operation)", errno: errno)
    }

    /// Makes the error for a program that is not installed.
    static func missing(program: String, package: String) -> MachineError {
        MachineError(
            .programMissing, subject: program,
            detail: "is not installed (not found in PATH); install it (Debian package: \(package))")
    }

    /// One line: subject, what is wrong, what the system said.
    public var description: String {
        guard let errno else { return "\(subject): \(detail)" }
        return "\(subject): \(detail) (\(errno.description))"
    }

    /// What the failure means to the caller.
    public var failureClass: FailureClass {
        switch code {
        case .programMissing, .firmwareMissing, .hostUnavailable, .unknownDistribution, .stepFailed: .unavailable
        case .imageMissing, .notMade: .noInput
        case .exists, .noRoom: .cannotCreate
        case .damagedRecord: .data
        case .wrongState, .inUse, .busy: .busy
        case .interrupted: .interrupted
        case .refused: .io
        case .invalidSpecification: .usage
        case .noFreePort: .busy
        case .exited, .monitor: .software
        case .timeLimit, .hostKeyMismatch, .unhealthy: .unhealthy
        case .notPermitted: .permission
        case .system: errno == .permissionDenied || errno == .notPermitted ? .permission : .io
        }
    }
}
