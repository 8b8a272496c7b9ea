/// Looks through the forwarded ports whether somebody answers in the guest.
///
/// QEMU's user network takes a connection before it knows whether the guest does, so that a connection alone proves
/// nothing: each probe waits for bytes.
enum NetworkProbe {
    /// What a probe of the API port found.
    enum APIAnswer: String, Hashable, Sendable {
        /// A TLS server: it answered a ClientHello with a handshake or alert record (RFC 8446 §5.1).
        case tls = "a TLS server answers"
        /// Somebody who does not speak TLS.
        case other = "answers, but not with TLS"
    }

    /// The identification of the SSH server, `SSH-2.0-…` (RFC 4253 §4.2).
    ///
    /// - Returns: `nil` when none came in time.
    static func sshBanner(port: UInt16, within limit: Duration) async -> String? {
        let bytes = await firstBytes(port: port, sending: [], until: UInt8(ascii: "\n"), within: limit)
        guard let line = bytes.split(separator: UInt8(ascii: "\n")).first, line.starts(with: "SSH-2.0-".utf8) else {
            return nil
        }
        return String(decoding: line.prefix(255).filter { $0 >= 0x20 && $0 < 0x7f }, as: UTF8.self)
    }

    /// Who answers on the API port.
    ///
    /// - Returns: `nil` when nobody did in time.
    static func api(port: UInt16, within limit: Duration) async -> APIAnswer? {
        let bytes = await firstBytes(port: port, sending: clientHello, until: nil, within: limit)
        guard let first = bytes.first else { return nil }
        return first == 0x16 || first == 0x15 ? .tls : .other
    }

    private static func firstBytes(
        port: UInt16, sending request: [UInt8], until end: UInt8?, within limit: Duration
    ) async -> [UInt8] {
        guard let socket = try? StreamSocket(loopbackPort: port) else { return [] }
        let deadline = ContinuousClock.now.advanced(by: limit)
        var unsent = request
        var received: [UInt8] = []
        while ContinuousClock.now < deadline, received.count < 4096 {
            if !unsent.isEmpty {
                guard let count = socket.write(unsent) else { return [] }
                unsent.removeFirst(count)
            }
            guard case .bytes(let bytes) = socket.read() else { return received }
            received += bytes
            if !received.isEmpty, end.map(received.contains) ?? true { return received }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return [] }
        }
        return received
    }

    /// A ClientHello of TLS 1.2 (RFC 5246 §7.4.1.2) with what a server of today asks for: elliptic curves and signatures.
    private static var clientHello: [UInt8] {
        let extensions: [UInt8] =
            [0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17]  // supported_groups: x25519, secp256r1
            + [0x00, 0x0b, 0x00, 0x02, 0x01, 0x00]  // ec_point_formats: uncompressed
            + [0x00, 0x0d, 0x00, 0x0a, 0x00, 0x08, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x01]  // signatures
        let suites: [UInt8] = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8]
        let body: [UInt8] =
            [0x03, 0x03] + Array("ksbuild boot test: is it up?    ".utf8)  // version, 32 bytes of random
            + [0x00]  // no session
            + [0x00, UInt8(suites.count)] + suites + [0x01, 0x00]  // no compression
            + [0x00, UInt8(extensions.count)] + extensions
        let handshake: [UInt8] = [0x01, 0x00, 0x00, UInt8(body.count)] + body
        return [0x16, 0x03, 0x01, 0x00, UInt8(handshake.count)] + handshake
    }
}
