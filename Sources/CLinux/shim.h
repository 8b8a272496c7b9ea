#pragma once
#include <sys/types.h>

/// `<unistd.h>` declares it only to GNU programs, and Swift does not import it.
ssize_t copy_file_range(int from, off_t *fromOffset, int to, off_t *toOffset, size_t count, unsigned flags);

/// The same with `<fcntl.h>`.
int sync_file_range(int file, off_t offset, off_t count, unsigned flags);

/// The same with `<unistd.h>`.
int syncfs(int file);

/// `SYNC_FILE_RANGE_WRITE` of `<linux/fs.h>`: begin to write, and do not wait for it.
static const unsigned ksbuild_beginWriting = 2;

// getxattr, for access control lists; the Glibc module lacks it.
#include <sys/xattr.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Has the kernel refuse every socket of this process that is not of the family AF_UNIX; 0, or -1 and errno. Whoever makes
/// calls of another architecture is refused all of them.
static inline int ksbuild_deny_network(void) {
#if defined(__x86_64__)
    const unsigned architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    const unsigned architecture = AUDIT_ARCH_AARCH64;
#endif
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 7),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        // The calls of x32 have numbers of their own.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENETUNREACH),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    // Every thread that there is gets the filter, and those that are to come inherit it.
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}
