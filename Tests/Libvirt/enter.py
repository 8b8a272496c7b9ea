"""enter.py HOLDER USER COMMAND...: runs a command in the namespaces of a process, as a user of the jail.

The command has this process's terminal, working directory and environment, less what names homes and daemons of the
host. Signals that are sent to this process reach the command; when this process is killed, so is the command. The end
of the command, by code or by signal, becomes the end of this process.
"""
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
FORWARDED = {
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT,
}
DROPPED = ("LIBVIRT_DEFAULT_URI", "VIRSH_DEFAULT_CONNECT_URI", "KUBECONFIG", "SSH_AUTH_SOCK", "SUDO_USER", "SUDO_UID",
           "SUDO_GID", "DBUS_SESSION_BUS_ADDRESS")

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        sys.exit("jail: cannot %s: %s" % (what, os.strerror(number)))


def run(spaces, user, command):
    """Becomes the command; runs in the child, which is in the jail's PID namespace already."""
    folder = os.getcwd()
    for kind in ("net", "mnt"):
        checked(libc.setns(spaces[kind], 0), "enter the jail's %s namespace" % kind)
    os.chdir(folder)
    entry = pwd.getpwnam(user)
    environment = {
        name: value for name, value in os.environ.items() if name not in DROPPED and not name.startswith("XDG_")
    }
    environment.update(HOME=entry.pw_dir, USER=user, LOGNAME=user, XDG_RUNTIME_DIR="/run/user/%d" % entry.pw_uid)
    if entry.pw_uid != 0:
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    # Not earlier: a change of the user takes it back.
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "follow the parent")
    # The parent is outside of the PID namespace and has no number in it, as long as it lives.
    if os.getppid() != 0:
        os._exit(1)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvpe(command[0], command, environment)


def wait(child):
    """Waits for the child, hands on signals, and ends as the child ends."""
    while True:
        received = signal.sigwaitinfo(FORWARDED | {signal.SIGCHLD})
        # A signal that the kernel sends comes from the terminal, and the child has got it, too.
        if received.si_signo != signal.SIGCHLD:
            if received.si_code <= 0:
                os.kill(child, received.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if ended == 0:
            continue
        if os.WIFSTOPPED(status):
            os.kill(os.getpid(), signal.SIGSTOP)
            os.kill(child, signal.SIGCONT)
        elif os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.kill(os.getpid(), number)
        else:
            sys.exit(os.WEXITSTATUS(status))


def main():
    holder, user, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    try:
        spaces = {
            kind: os.open("/proc/%s/ns/%s" % (holder, kind), os.O_RDONLY | os.O_CLOEXEC) for kind in ("pid", "net", "mnt")
        }
    except OSError as error:
        sys.exit("jail: cannot enter: %s" % error)
    # Affects children alone.
    checked(libc.setns(spaces["pid"], 0), "enter the jail's PID namespace")
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED | {signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        try:
            run(spaces, user, command)
        except (OSError, KeyError) as error:
            print("jail: cannot run %s: %s" % (command[0], error), file=sys.stderr)
        os._exit(127)
    wait(child)


main()
