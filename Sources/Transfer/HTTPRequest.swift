internal import Artefact
internal import CCurl
public import SystemPackage

/// A request of any kind, for what is no file: asking, telling, sending a part of a file.
public struct HTTPRequest: Sendable {
    /// What is asked of the server.
    public enum Method: String, Sendable {
        /// Give.
        case get = "GET"
        /// Say whether it is there.
        case head = "HEAD"
        /// Take and decide where it goes.
        case post = "POST"
        /// Take it as this.
        case put = "PUT"
        /// Add to what is there.
        case patch = "PATCH"
    }

    /// What goes with it.
    public enum Body: Sendable {
        /// Bytes at hand, or none.
        case bytes([UInt8])
        /// So many bytes of a file from an offset on.
        case file(FilePath, offset: UInt64, count: UInt64)

        var size: UInt64 {
            switch self {
            case .bytes(let bytes): UInt64(bytes.count)
            case .file(_, _, let count): count
            }
        }
    }

    /// What is asked of the server.
    public var method: Method
    /// Where: `https://…` or `http://…`.
    public var address: String
    /// Further fields of the head; credentials are a matter of ``TransferSettings``.
    public var headers: [(name: String, value: String)]
    /// What goes with it.
    public var body: Body
    /// The seconds that the server may say nothing, where that is more than the settings have.
    public var stallSeconds = 0

    /// Joins the parts.
    public init(
        _ method: Method, _ address: String, headers: [(name: String, value: String)] = [], body: Body = .bytes([])
    ) {
        self.method = method
        self.address = address
        self.headers = headers
        self.body = body
    }
}

/// What a server answered, whatever that is.
public struct HTTPAnswer: Sendable {
    /// The status, 200 to 599.
    public let status: Int
    /// The fields of the head in the order in which they came; names in lower case.
    public let fields: [(name: String, value: String)]
    /// The body.
    public let body: [UInt8]

    /// The first value of a field.
    public func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Every value of a field.
    public func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}

/// What a request comes to.
public enum HTTPOutcome: Sendable {
    /// The server answered.
    case answered(HTTPAnswer)
    /// It could not be reached, or the connection broke; that may pass. Whether the server acted, nobody knows.
    case broken(String)
}

extension Transfer {
    /// Makes one request, once; redirects are answers like any other.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - limit: The most bytes of a body that are taken.
    ///   - connections: Connections to use again; they are left open.
    ///   - sent: Is told how many bytes of the body have gone so far.
    ///   - isCancelled: Is asked again and again whether to stop.
    /// - Returns: What the server answered, or why it did not.
    /// - Throws: ``TransferError`` for what does not pass by itself; `ArtefactError` where the file cannot be read.
    public func send(
        _ request: HTTPRequest, limit: Int, over connections: Connections? = nil, sent: ((UInt64) -> Void)? = nil,
        isCancelled: @escaping () -> Bool = { false }
    ) throws -> HTTPOutcome {
        let address = try Address(request.address)
        guard address.scheme != "file" else {
            throw TransferError(.invalidAddress, subject: address.shown, detail: "is no address of a server")
        }
        let task = TransferTask(
            settings: settings, address: address, expectation: TransferExpectation(), limit: .max, report: nil,
            isCancelled: isCancelled, connections: connections)
        guard !isCancelled() else { throw task.cancelled }
        let taker = try RequestTaker(request, address, limit: limit, sent: sent, isCancelled: isCancelled)
        let answer = try CurlRequest(address, task).perform(request, taker)
        if let failure = taker.failure { throw failure }
        if isCancelled() { throw task.cancelled }
        // A server may answer before it has taken all, and then break the connection off.
        if taker.head.isComplete, answer.code == CURLE_OK || answer.code == CURLE_SEND_ERROR {
            return .answered(HTTPAnswer(status: taker.head.status, fields: taker.head.fields, body: taker.body))
        }
        guard case .later(let reason, _) = try Exchange.judge(answer, address, task, after: taker.sentBytes) else {
            return .broken("the connection broke")
        }
        return .broken(reason)
    }

    /// An address that a server gave, seen from the one that was asked.
    ///
    /// - Throws: ``TransferError`` with ``TransferError/Code/invalidAddress``.
    public static func address(_ reference: String, from base: String) throws -> String {
        try Address(base).following(reference).location
    }

    /// Whether two addresses lie on one server, so that one may see the credentials of the other.
    ///
    /// - Throws: ``TransferError`` with ``TransferError/Code/invalidAddress``.
    public static func shareOrigin(_ address: String, _ other: String) throws -> Bool {
        try Address(address).sharesOrigin(with: Address(other))
    }

    /// Whether a host, as it stands in addresses, is this one itself by the names that nobody can change: `localhost`,
    /// `[::1]` and 127.0.0.0/8.
    public static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "[::1]"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// An address as messages show it: without user, password and query.
    ///
    /// - Throws: ``TransferError`` with ``TransferError/Code/invalidAddress``.
    public static func shown(_ address: String) throws -> String { try Address(address).shown }
}

/// Takes any answer into memory and gives the bytes that are sent.
private final class RequestTaker: AnswerTaker {
    private(set) var head = ResponseHead()
    private(set) var body: [UInt8] = []
    private(set) var failure: (any Error)?
    private(set) var sentBytes: UInt64 = 0
    private let request: HTTPRequest
    private let address: Address
    private let limit: Int
    private let sent: ((UInt64) -> Void)?
    private let file: FileDescriptor?

    init(
        _ request: HTTPRequest, _ address: Address, limit: Int, sent: ((UInt64) -> Void)?,
        isCancelled: @escaping () -> Bool
    ) throws {
        self.request = request
        self.address = address
        self.limit = limit
        self.sent = sent
        if case .file(let path, _, _) = request.body { file = try HostFile.open(path) } else { file = nil }
        super.init(isCancelled: isCancelled)
    }

    deinit { try? file?.close() }

    override func takeLine(_ line: [UInt8]) -> Bool {
        guard head.take(line) else { return refuse("the head of the answer is too long") }
        return true
    }

    override func takeBody(_ bytes: Span<UInt8>) -> Bool {
        guard body.count + bytes.count <= limit else {
            return refuse("the answer is larger than \(limit) bytes, which is no answer to this request")
        }
        unsafe bytes.withUnsafeBufferPointer { piece in unsafe body.append(contentsOf: piece) }
        return true
    }

    override func giveBody(_ limit: Int) -> [UInt8]? {
        let rest = request.body.size - sentBytes
        let count = Int(min(UInt64(limit), rest))
        guard count > 0 else { return [] }
        var piece: [UInt8]
        switch request.body {
        case .bytes(let bytes):
            let start = Int(sentBytes)
            piece = Array(bytes[start..<(start + count)])
        case .file(let path, let offset, _):
            do {
                piece = try read(path, offset + sentBytes, count)
            } catch {
                failure = error
                return nil
            }
        }
        sentBytes += UInt64(piece.count)
        sent?(sentBytes)
        return piece
    }

    private func read(_ path: FilePath, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
        guard let file else { return [] }
        var piece = [UInt8](repeating: 0, count: count)
        let read: Int
        do {
            read = unsafe try piece.withUnsafeMutableBytes { bytes in
                unsafe try file.read(fromAbsoluteOffset: Int64(clamping: offset), into: bytes)
            }
        } catch {
            throw ArtefactError.system("read", path, error as? Errno ?? .ioError)
        }
        guard read > 0 else {
            throw ArtefactError(
                .changedWhileReading, subject: path.string, detail: "became shorter while it was sent; run again")
        }
        piece.removeLast(count - read)
        return piece
    }

    private func refuse(_ detail: String) -> Bool {
        failure = TransferError(.unavailable, subject: address.shown, detail: detail)
        return false
    }
}
