import Attestation
import Testing

@Suite struct DSSEEnvelopeTests {
    private static let sample = DSSEEnvelope(
        payload: Array(#"{"a/b": 1}"#.utf8), key: "88C3D2E9867412F9", signature: Array(0..<64))

    @Test func `what is signed is what the protocol's own example says`() {
        // protocol.md, "Test vectors".
        let encoded = DSSEEnvelope.preAuthenticationEncoding(
            payloadType: "http://example.com/HelloWorld", Array("hello world".utf8))
        #expect(String(decoding: encoded, as: UTF8.self) == "DSSEv1 29 http://example.com/HelloWorld 11 hello world")
        // Lengths are those of bytes.
        let letters = DSSEEnvelope.preAuthenticationEncoding(payloadType: "ü", Array("€".utf8))
        #expect(String(decoding: letters, as: UTF8.self) == "DSSEv1 2 ü 3 €")
    }

    @Test func `an envelope is one line, and what was written is read again`() throws {
        let text = String(decoding: Self.sample.encoded(), as: UTF8.self)
        #expect(
            text.hasPrefix(
                #"{"payload":"eyJhL2IiOiAxfQ==","payloadType":"application/vnd.in-toto+json","signatures":["#))
        #expect(text.hasSuffix("\n") && text.split(separator: "\n").count == 1)
        #expect(try DSSEEnvelope(decoding: Self.sample.encoded()) == Self.sample)
    }

    @Test(arguments: [
        ("application/vnd.in-toto+json", "text/plain", "holds 'text/plain'"),
        ("\"keyid\"", "\"KeyID\"", "no DSSE envelope"),
        ("{\"payload\"", "{ \"payload\"", "canonical form"),
        ("}]}", "}]} ", "canonical form"),
        ("}]}", "},{\"keyid\":\"a\",\"sig\":\"\"}]}", "2 signatures"),
        ("eyJhL2IiOiAxfQ==", "eyJhL2IiOiAxfQ", "base64"),
        ("eyJhL2IiOiAxfQ==", "eyJhL2IiOiAxfR==", "canonical form"),
        ("\"sig\":\"AA", "\"sig\":\"", "base64"),
        ("{", "", "no DSSE envelope"),
    ])
    func `another text for it is refused`(old: String, new: String, why: String) throws {
        let text = String(decoding: Self.sample.encoded(), as: UTF8.self)
        let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2, "\(old) is not in \(text)")
        let fault = #expect(throws: DSSEFault.self) {
            _ = try DSSEEnvelope(decoding: Array((parts[0] + new + parts[1]).utf8))
        }
        #expect(fault?.detail.contains(why) == true, "\(fault?.detail ?? "")")
    }

    @Test func `an envelope that no bundle needs is not read`() {
        let fault = #expect(throws: DSSEFault.self) {
            _ = try DSSEEnvelope(decoding: [UInt8](repeating: 32, count: DSSEEnvelope.maximumBytes + 1))
        }
        #expect(fault?.detail.contains("larger than") == true)
    }
}
