internal import CCurl

/// An address of a file: `http`, `https` or `file`, taken apart by libcurl so that what is checked is what is asked
/// for.
struct Address: Hashable, Sendable {
    static let maximumBytes = 8192

    let scheme: String
    /// In lower case; empty for `file`.
    let host: String
    let port: String
    /// The path, still with percent signs.
    let path: String
    /// The whole address without user, password and fragment.
    let location: String
    let user: String?
    let password: String?

    /// What messages show: without user, password and query.
    let shown: String

    /// Reads an address.
    ///
    /// - Throws: ``TransferError`` with ``TransferError/Code/invalidAddress``.
    init(_ text: String) throws(TransferError) { try self.init(text, from: nil, shown: "address") }

    /// Reads where a server sends the client on to, seen from this address.
    ///
    /// - Throws: As reading an address does.
    func following(_ reference: String) throws(TransferError) -> Address {
        try Address(reference, from: location, shown: shown)
    }

    /// Whether both lie on one server, so that one may see the credentials of the other.
    func sharesOrigin(with other: Address) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    private init(_ text: String, from base: String?, shown subject: String) throws(TransferError) {
        func invalid(_ detail: String) -> TransferError {
            // The text may hold a password, and what cannot be taken apart is not shown.
            TransferError(.invalidAddress, subject: subject, detail: detail)
        }
        guard text.utf8.count <= Self.maximumBytes else {
            throw invalid("is longer than \(Self.maximumBytes) bytes")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f || base != nil && $0 == 0x20 }) else {
            throw invalid("holds a blank or a control character; write it with a percent sign")
        }
        // libcurl takes `http:///a` for `http://a/`.
        let isLax = text.contains(":///") && !text.lowercased().hasPrefix("file:")
        guard !isLax, let parts = AddressParts(text, from: base) else {
            throw invalid(
                "is no address of the form https://HOST/PATH, http://HOST/PATH or file:///PATH"
                    + (base == nil ? "" : ", though the server sends the client there"))
        }
        guard let scheme = parts.part(CURLUPART_SCHEME)?.lowercased(), ["http", "https", "file"].contains(scheme) else {
            throw invalid("has a scheme other than https, http and file")
        }
        let host = parts.part(CURLUPART_HOST)?.lowercased() ?? ""
        let port = parts.part(CURLUPART_PORT, CURLU_DEFAULT_PORT) ?? ""
        let path = parts.part(CURLUPART_PATH) ?? "/"
        let user = parts.part(CURLUPART_USER, CURLU_URLDECODE)
        let password = parts.part(CURLUPART_PASSWORD, CURLU_URLDECODE)
        let query = parts.part(CURLUPART_QUERY)
        guard let location = parts.withoutCredentials else { throw invalid("is no address that can be fetched") }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.user = user
        self.password = password
        self.location = location
        guard query != nil, let mark = location.firstIndex(of: "?") else {
            shown = location
            return
        }
        shown = String(location[..<mark])
    }
}

/// An address taken apart.
@safe private struct AddressParts: ~Copyable {
    private let handle: OpaquePointer

    init?(_ text: String, from base: String?) {
        guard let handle = unsafe curl_url() else { return nil }
        let flags = base == nil ? 0 : UInt32(CURLU_URLENCODE)
        var code = CURLUE_OK
        if let base { unsafe code = curl_url_set(handle, CURLUPART_URL, base, 0) }
        if code == CURLUE_OK { unsafe code = curl_url_set(handle, CURLUPART_URL, text, flags) }
        guard code == CURLUE_OK else {
            unsafe curl_url_cleanup(handle)
            return nil
        }
        unsafe self.handle = handle
    }

    deinit { unsafe curl_url_cleanup(handle) }

    func part(_ part: CURLUPart, _ flags: Int32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, UInt32(flags)) == CURLUE_OK, let text = unsafe text else {
            return nil
        }
        defer { unsafe curl_free(text) }
        return unsafe String(validatingCString: text)
    }

    /// The whole; the parts that may be secret are gone from now on.
    var withoutCredentials: String? {
        for part in [CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT] {
            guard unsafe curl_url_set(handle, part, nil, 0) == CURLUE_OK else { return nil }
        }
        return part(CURLUPART_URL)
    }
}
