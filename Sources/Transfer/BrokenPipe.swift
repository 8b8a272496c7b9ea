internal import Glibc

/// Keeps the system from ending the process where it writes to a connection that the other side has closed.
///
/// libcurl sees to that itself only where it may use signals (`CURLOPT_NOSIGNAL`).
enum BrokenPipe {
    /// Runs something in which such a write is an error and nothing more; signals that were pending before stay so.
    static func held<Result>(_ body: () -> Result) -> Result {
        var signals = sigset_t()
        var before = sigset_t()
        var pending = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe sigpending(&pending)
        let wasPending = unsafe sigismember(&pending, SIGPIPE) == 1
        guard unsafe pthread_sigmask(SIG_BLOCK, &signals, &before) == 0 else { return body() }
        let result = body()
        if !wasPending {
            // One that came meanwhile is taken off, so that it does not end the process after all.
            var now = timespec()
            while unsafe sigtimedwait(&signals, nil, &now) == -1, errno == EINTR {}
        }
        unsafe _ = pthread_sigmask(SIG_SETMASK, &before, nil)
        return result
    }
}
