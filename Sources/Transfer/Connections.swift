internal import CCurl

/// Connections that stay open from one request to the next, with what TLS and name resolution have found out.
///
/// One transfer at a time uses them: they are for those who ask one server many things in a row.
@safe
public final class Connections {
    private let share: UnsafeMutableRawPointer?

    /// Begins without any.
    public init() {
        guard CurlRequest.isReady, let share = unsafe curl_share_init() else {
            unsafe self.share = nil
            return
        }
        unsafe self.share = share
        for kind in [CURL_LOCK_DATA_CONNECT, CURL_LOCK_DATA_SSL_SESSION, CURL_LOCK_DATA_DNS] {
            unsafe _ = ksbuild_share(share, kind)
        }
    }

    deinit { unsafe _ = curl_share_cleanup(share) }

    /// Has a request use them.
    ///
    /// - Returns: Whether it does.
    func attach(to handle: UnsafeMutableRawPointer) -> Bool {
        guard let share = unsafe share else { return true }
        return unsafe ksbuild_setPointer(handle, CURLOPT_SHARE, share) == CURLE_OK
    }
}
