import Artefact
import CLinux
import Glibc
import SystemPackage

/// Has the kernel refuse connections, so that a build without a network is a fact and not a promise.
enum NetworkDenial {
    /// From now on, this process and those that it starts cannot make a socket but of the kind that stays on this host.
    ///
    /// A filter of system calls (seccomp(2)) answers `socket` of any family but `AF_UNIX`, and `io_uring_setup`,
    /// through which sockets can be made as well, with `ENETUNREACH`.
    ///
    /// - Throws: `ArtefactError` where the kernel takes no filters.
    static func enforce() throws {
        guard ksbuild_deny_network() == 0 else {
            throw ArtefactError.system("refuse the network to this process", "--offline", Errno(rawValue: errno))
        }
    }
}
