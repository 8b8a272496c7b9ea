internal import Artefact
internal import CCurl
internal import Glibc
internal import SystemPackage

/// A request that libcurl is to make, with all that it may show to the server.
@safe
struct CurlRequest: ~Copyable {
    /// How libcurl ended.
    struct Answer {
        let code: CURLcode
        /// What it says of that.
        let text: String
        /// What the proxy answered to a request for a tunnel; 0 where none was made.
        let proxyStatus: Int
        /// Whether the certificate is signed by somebody who is trusted, whoever it is for.
        let isChainTrusted: Bool
        /// What the system said last.
        let errno: CInt
    }

    /// The pieces in which libcurl hands over a body, in bytes.
    private static let pieceBytes = 256 << 10
    /// A transfer that brings fewer bytes a second than this stalls.
    private static let slowestBytes = 64

    private let handle: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let text: UnsafeMutablePointer<CChar>
    private let address: Address
    private let task: TransferTask

    /// Initialises libcurl once for the process.
    static let isReady = curl_global_init(ksbuild_globalDefault) == CURLE_OK

    /// Prepares a request.
    ///
    /// - Throws: ``TransferError`` where a setting cannot be used.
    init(_ address: Address, _ task: TransferTask) throws(TransferError) {
        guard Self.isReady, let handle = unsafe curl_easy_init() else {
            throw TransferError(.unavailable, subject: address.shown, detail: "libcurl cannot be started")
        }
        unsafe self.handle = handle
        unsafe headers = nil
        unsafe text = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        self.address = address
        self.task = task
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headers)
        unsafe text.deallocate()
    }

    /// Asks for what is missing of a file and hands the answer to the receiver.
    ///
    /// - Throws: ``TransferError`` where a setting cannot be used.
    consuming func perform(_ receiver: Receiver) throws(TransferError) -> Answer {
        if receiver.offset > 0, let state = receiver.partial.state {
            try set(CURLOPT_RANGE, "\(receiver.offset)-")
            try add("If-Range: \(state.validator.text)")
        }
        return try perform(receiver, stallSeconds: task.settings.stallSeconds)
    }

    /// Makes any request and hands the answer to the taker, which also gives what is sent.
    ///
    /// - Throws: ``TransferError`` where a setting cannot be used.
    consuming func perform(_ request: HTTPRequest, _ taker: AnswerTaker) throws(TransferError) -> Answer {
        for (name, value) in request.headers { try add("\(name): \(value)") }
        switch request.method {
        case .get: break
        case .head: try set(CURLOPT_NOBODY, 1)
        case .post, .put, .patch:
            try set(CURLOPT_UPLOAD, 1)
            try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            let size = curl_off_t(clamping: request.body.size)
            unsafe try require(ksbuild_setOffset(handle, CURLOPT_INFILESIZE_LARGE, size) == CURLE_OK)
            try set(CURLOPT_UPLOAD_BUFFERSIZE, Self.pieceBytes)
            // Servers that do not know it would have the client wait.
            try add("Expect:")
        }
        return try perform(taker, stallSeconds: max(request.stallSeconds, task.settings.stallSeconds))
    }

    private mutating func add(_ header: String) throws(TransferError) {
        unsafe headers = curl_slist_append(headers, header)
        try require(unsafe headers != nil)
    }

    private consuming func perform(_ taker: AnswerTaker, stallSeconds: Int) throws(TransferError) -> Answer {
        try describe()
        try connect(stallSeconds)
        try authenticate()
        if unsafe headers != nil {
            try require(unsafe ksbuild_setPointer(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK)
        }
        let code = try exchange(taker)
        var proxyStatus = 0
        // Stays 1 where the name does not fit, which is looked at before the chain is told of.
        var verification = 0
        var errno = 0
        unsafe _ = ksbuild_getLong(handle, CURLINFO_HTTP_CONNECTCODE, &proxyStatus)
        unsafe _ = ksbuild_getLong(handle, CURLINFO_SSL_VERIFYRESULT, &verification)
        unsafe _ = ksbuild_getLong(handle, CURLINFO_OS_ERRNO, &errno)
        let said = unsafe String(cString: text)
        let text = unsafe said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
        return Answer(
            code: code, text: text, proxyStatus: proxyStatus, isChainTrusted: verification <= 1,
            errno: CInt(truncatingIfNeeded: errno))
    }

    /// What is asked for.
    private func describe() throws(TransferError) {
        try set(CURLOPT_URL, address.location)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_USERAGENT, task.settings.userAgent)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_BUFFERSIZE, Self.pieceBytes)
    }

    /// How the server is reached, and when it is given up.
    private func connect(_ stallSeconds: Int) throws(TransferError) {
        let settings = task.settings
        if let connections = task.connections { unsafe try require(connections.attach(to: handle)) }
        // Other threads may be at work, so libcurl takes no signals.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT, settings.connectSeconds)
        try set(CURLOPT_LOW_SPEED_LIMIT, Self.slowestBytes)
        try set(CURLOPT_LOW_SPEED_TIME, stallSeconds)
        // Where nothing is given, an empty text keeps libcurl from looking into the environment.
        try set(CURLOPT_PROXY, settings.proxy(for: address) ?? "")
        try set(CURLOPT_NOPROXY, settings.noProxy ?? "")
        guard let certificates = settings.certificates else { return }
        guard (try? HostFile.status(of: certificates))?.kind == .file else {
            throw TransferError(
                .invalidSetting, subject: certificates.string,
                detail: "is no file that can be read; --ca-file names certificates in PEM form")
        }
        try set(CURLOPT_CAINFO, certificates.string)
        unsafe try require(ksbuild_setText(handle, CURLOPT_CAPATH, nil) == CURLE_OK)
    }

    /// What the server may know of the user: only where the task's own address leads, nothing after a redirect to
    /// another server.
    private func authenticate() throws(TransferError) {
        guard address.sharesOrigin(with: task.address) else { return }
        let settings = task.settings
        if let token = settings.token, token.host == address.host { return try present(token) }
        try set(CURLOPT_HTTPAUTH, ksbuild_authBasic)
        if let login = settings.login {
            try set(CURLOPT_USERNAME, login.user)
            try set(CURLOPT_PASSWORD, login.secret)
            return
        }
        if task.address.user != nil || task.address.password != nil {
            try set(CURLOPT_USERNAME, task.address.user ?? "")
            try set(CURLOPT_PASSWORD, task.address.password ?? "")
        } else if let netrc = settings.netrc {
            guard (try? HostFile.status(of: netrc))?.kind == .file else {
                throw TransferError(.invalidSetting, subject: netrc.string, detail: "is no file that can be read")
            }
            try set(CURLOPT_NETRC_FILE, netrc.string)
            try set(CURLOPT_NETRC, Int(CURL_NETRC_OPTIONAL.rawValue))
        }
    }

    private func present(_ token: TransferSettings.BearerToken) throws(TransferError) {
        guard !token.secret.isEmpty, token.secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw TransferError(
                .invalidSetting, subject: token.description, detail: "is not one word of visible ASCII characters")
        }
        try set(CURLOPT_HTTPAUTH, ksbuild_authBearer)
        try set(CURLOPT_XOAUTH2_BEARER, token.secret)
    }

    /// Runs the transfer; the taker lives until it ends.
    private func exchange(_ taker: AnswerTaker) throws(TransferError) -> CURLcode {
        let context = unsafe Unmanaged.passUnretained(taker).toOpaque()
        unsafe try require(
            ksbuild_setPointer(handle, CURLOPT_ERRORBUFFER, text) == CURLE_OK
                && ksbuild_setPointer(handle, CURLOPT_WRITEDATA, context) == CURLE_OK
                && ksbuild_setPointer(handle, CURLOPT_HEADERDATA, context) == CURLE_OK
                && ksbuild_setPointer(handle, CURLOPT_XFERINFODATA, context) == CURLE_OK
                && ksbuild_setPointer(handle, CURLOPT_READDATA, context) == CURLE_OK
                && ksbuild_setTaker(
                    handle, CURLOPT_READFUNCTION,
                    { bytes, size, count, context in unsafe CurlRequest.given(bytes, size &* count, context) })
                    == CURLE_OK
                && ksbuild_setTaker(
                    handle, CURLOPT_WRITEFUNCTION,
                    { bytes, size, count, context in
                        unsafe CurlRequest.taken(bytes, size &* count, context) { taker, bytes in
                            taker.takeBody(bytes)
                        }
                    }) == CURLE_OK
                && ksbuild_setTaker(
                    handle, CURLOPT_HEADERFUNCTION,
                    { bytes, size, count, context in
                        unsafe CurlRequest.taken(bytes, size &* count, context) { taker, bytes in
                            taker.takeLine(bytes.indices.map { bytes[$0] })
                        }
                    }) == CURLE_OK
                && ksbuild_setProgress(
                    handle,
                    { context, _, _, _, _ in
                        guard let context = unsafe context else { return 1 }
                        let taker = unsafe Unmanaged<AnswerTaker>.fromOpaque(context).takeUnretainedValue()
                        return taker.isCancelled() ? 1 : 0
                    }) == CURLE_OK
        )
        try set(CURLOPT_NOPROGRESS, 0)
        return withExtendedLifetime(taker) { BrokenPipe.held { unsafe curl_easy_perform(handle) } }
    }

    /// Hands a piece to the receiver.
    ///
    /// - Returns: What libcurl wants to hear: the count of bytes that were taken, which is another one to stop.
    private static func taken(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ body: (AnswerTaker, Span<UInt8>) -> Bool
    ) -> Int {
        guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
        let taker = unsafe Unmanaged<AnswerTaker>.fromOpaque(context).takeUnretainedValue()
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        let isTaken = unsafe body(taker, Span<UInt8>(_unsafeBytes: buffer))
        return isTaken ? count : count &+ 1
    }

    /// Has the taker give a piece of what is sent.
    ///
    /// - Returns: What libcurl wants to hear: the count of bytes, or that the request is given up.
    private static func given(
        _ bytes: UnsafeMutablePointer<CChar>?, _ room: Int, _ context: UnsafeMutableRawPointer?
    ) -> Int {
        guard let context = unsafe context, let bytes = unsafe bytes else { return Int(CURL_READFUNC_ABORT) }
        let taker = unsafe Unmanaged<AnswerTaker>.fromOpaque(context).takeUnretainedValue()
        guard let piece = taker.giveBody(room), piece.count <= room else { return Int(CURL_READFUNC_ABORT) }
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: room)
        unsafe buffer.copyBytes(from: piece)
        return piece.count
    }

    private func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        unsafe try require(ksbuild_setLong(handle, option, value) == CURLE_OK)
    }

    private func set(_ option: CURLoption, _ value: String) throws(TransferError) {
        unsafe try require(ksbuild_setText(handle, option, value) == CURLE_OK)
    }

    private func require(_ isDone: Bool) throws(TransferError) {
        guard isDone else {
            throw TransferError(
                .invalidSetting, subject: address.shown, detail: "libcurl does not know an option that is needed")
        }
    }
}
