internal import FoundationEssentials

/// A signed envelope, DSSE version 1, with one signature.
///
/// Source: <https://github.com/secure-systems-lab/dsse>, `protocol.md` and `envelope.md`. The text is one line of JSON, as
/// in-toto's `.intoto.jsonl` files have one envelope a line, and has exactly one form.
public struct DSSEEnvelope: Hashable, Sendable {
    /// The largest envelope that is read, in bytes.
    public static let maximumBytes = 16 << 20
    /// The largest payload that is signed, in bytes: base64 makes four of three.
    public static let maximumPayloadBytes = 11 << 20

    /// What the payload is, ``Statement/payloadType``.
    public let payloadType: String
    /// What is signed.
    public let payload: [UInt8]
    /// The name of the key.
    public let key: String
    /// The signature over ``preAuthenticationEncoding``: 64 bytes of Ed25519.
    public let signature: [UInt8]

    /// Joins the parts; `key` and `payloadType` hold nothing that JSON escapes.
    public init(payloadType: String = Statement.payloadType, payload: [UInt8], key: String, signature: [UInt8]) {
        self.payloadType = payloadType
        self.payload = payload
        self.key = key
        self.signature = signature
    }

    /// What is signed of a payload: `DSSEv1 LENGTH TYPE LENGTH PAYLOAD`.
    public static func preAuthenticationEncoding(
        payloadType: String = Statement.payloadType, _ payload: [UInt8]
    ) -> [UInt8] {
        Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
    }

    /// The bytes that ``signature`` signs.
    public var preAuthenticationEncoding: [UInt8] {
        Self.preAuthenticationEncoding(payloadType: payloadType, payload)
    }

    /// The one text.
    public func encoded() -> [UInt8] {
        let text =
            #"{"payload":"\#(Self.base64(payload))","payloadType":"\#(payloadType)","#
            + #""signatures":[{"keyid":"\#(key)","sig":"\#(Self.base64(signature))"}]}"# + "\n"
        return Array(text.utf8)
    }

    /// Takes the bytes of a file and accepts nothing but what ``encoded()`` gives.
    ///
    /// - Parameter bytes: The whole file.
    /// - Throws: ``DSSEFault`` with the reason.
    public init(decoding bytes: [UInt8]) throws(DSSEFault) {
        guard bytes.count <= Self.maximumBytes else { throw DSSEFault("is larger than \(Self.maximumBytes) bytes") }
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(bytes)) else {
            throw DSSEFault("is no DSSE envelope")
        }
        guard wire.signatures.count == 1, let only = wire.signatures.first else {
            throw DSSEFault("has \(wire.signatures.count) signatures instead of one")
        }
        guard wire.payloadType == Statement.payloadType else {
            throw DSSEFault("holds '\(wire.payloadType.prefix(60))' and not '\(Statement.payloadType)'")
        }
        guard let payload = Data(base64Encoded: wire.payload), let signature = Data(base64Encoded: only.sig),
            signature.count == 64
        else { throw DSSEFault("holds no payload or no Ed25519 signature in base64") }
        self.init(
            payloadType: wire.payloadType, payload: Array(payload), key: only.keyid, signature: Array(signature))
        guard encoded() == bytes else { throw DSSEFault("is not in canonical form (one line, keys in order)") }
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private struct Wire: Decodable {
        struct Signature: Decodable { let keyid: String, sig: String }
        let payload: String
        let payloadType: String
        let signatures: [Signature]
    }
}

/// Why a text is no envelope.
public struct DSSEFault: Error, Hashable {
    /// What is wrong, as what follows the name of the file.
    public let detail: String

    init(_ detail: String) { self.detail = detail }
}
