import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Answers that end early: what is there is kept where it is surely the beginning of the same file, and only there.
struct ResumeTests {
    @Test(arguments: ["half", "truncated", "chunks", "reset", "stall", "dated"])
    func `a body that breaks off is gone on with`(_ what: String) async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let fetched = try fetch(
            "\(server.base)/\(what)", into: scratch, TransferExpectation(size: UInt64(server.body.count)))
        #expect(fetched.sha256 == server.digest)
        #expect(try arrived(scratch) == server.body)
        try #require(server.requests.count == 2)
        let validator = what == "dated" ? "Mon, 01 Jan 2024 00:00:00 GMT" : "\"a\""
        #expect(server.requests[1].contains("range=bytes=150000- ifrange=\(validator) "), "\(server.requests)")
    }

    @Test(arguments: ["changed", "liar", "range", "shifted", "weak"])
    func `what cannot be gone on with is begun anew, and nothing of the old is left`(_ what: String) async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let body = what == "changed" || what == "liar" ? server.body.reversed() : server.body
        let fetched = try fetch("\(server.base)/\(what)", into: scratch)
        #expect(fetched.sha256 == Digest(of: body), "\(server.requests)")
        #expect(try arrived(scratch) == body)
        #expect(fetched.hasStatedSize)
        if what == "weak" { #expect(server.requests.allSatisfy { $0.contains("range=- ") }) }
    }

    @Test func `a rest that does not fit what was there costs one whole download, and no more`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        _ = try failure("\(server.base)/damaged", into: scratch, TransferExpectation(), quick(retries: 0))
        let fetched = try fetch("\(server.base)/damaged", into: scratch, TransferExpectation(sha256: server.digest))
        #expect(fetched.sha256 == server.digest)
        #expect(server.requests.count == 3, "\(server.requests)")
        let other = try Scratch()
        _ = try failure("\(server.base)/damaged?2", into: other, TransferExpectation(), quick(retries: 0))
        let wrong = Digest(of: Array("other".utf8))
        let error = try failure("\(server.base)/damaged?2", into: other, TransferExpectation(sha256: wrong))
        #expect(error.code == .wrongDigest)
        #expect(server.requests.count == 6, "\(server.requests)")
    }

    @Test func `a rest that does not fit is noticed within one transfer, too`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let fetched = try fetch("\(server.base)/damaged", into: scratch, TransferExpectation(sha256: server.digest))
        #expect(fetched.sha256 == server.digest)
        #expect(server.requests.count == 3, "\(server.requests)")
    }

    @Test func `a server that refuses every part is given up`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let error = try failure("\(server.base)/never", into: scratch)
        #expect(error.code == .unavailable)
        #expect(server.requests.count < 8, "\(server.requests)")
    }

    @Test func `a server that never gives the rest is given up, and what is there stays for later`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let error = try failure("\(server.base)/always", into: scratch)
        #expect(error.code == .unavailable)
        #expect(error.failureClass == .unavailable)
        #expect(error.description.contains("after 150000 bytes"), "\(error)")
        #expect(server.requests.count == 4)
        #expect(try arrived(scratch) == Array(server.body.prefix(150_000)))
    }

    @Test func `a partial file goes on in another transfer, but for another address it is begun anew`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        _ = try failure("\(server.base)/half", into: scratch, TransferExpectation(), quick(retries: 0))
        #expect(try arrived(scratch).count == 150_000)
        try fetch("\(server.base)/half", into: scratch)
        try #require(server.requests.count == 2)
        #expect(server.requests[1].contains("range=bytes=150000- "))
        // Whole, but without a digest to judge it: only its last byte is asked for.
        try fetch("\(server.base)/half", into: scratch)
        try #require(server.requests.count == 3)
        #expect(server.requests[2].contains("range=bytes=299999- "), "\(server.requests)")
        // With a digest, nothing is.
        try fetch("\(server.base)/half", into: scratch, TransferExpectation(sha256: server.digest))
        #expect(server.requests.count == 3)
        try fetch("\(server.base)/good", into: scratch)
        #expect(server.requests.last?.contains("range=- ") == true)
        #expect(try arrived(scratch) == server.body)
    }

    @Test func `a partial file whose state is torn, foreign or missing is begun anew`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let state = Transfer.statePath(of: scratch.path.appending("part"))
        for (number, change) in ["torn", "missing", "edited"].enumerated() {
            let address = "\(server.base)/half?\(number)"
            _ = try failure(address, into: scratch, TransferExpectation(), quick(retries: 0))
            let text = String(decoding: try HostFile.read(state, limit: 4096), as: UTF8.self)
            switch change {
            case "torn": try StagedFile.write(Array(text.utf8.dropLast(10)), to: state)
            case "missing": try HostFile.remove(state)
            default: try StagedFile.write(text.utf8.map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 }, to: state)
            }
            try fetch(address, into: scratch)
            #expect(try arrived(scratch) == server.body)
            #expect(server.requests.last?.contains("range=- ") == true, "\(change) \(server.requests)")
        }
    }

    @Test func `without any stated size, the end of the connection is the end of the file`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let fetched = try fetch("\(server.base)/nosize", into: scratch)
        #expect(fetched.sha256 == server.digest)
        #expect(!fetched.hasStatedSize)
        let size = UInt64(server.body.count)
        for expectation in [
            TransferExpectation(size: size), TransferExpectation(sha256: server.digest),
            TransferExpectation(size: size, sha256: server.digest),
        ] {
            #expect(try fetch("\(server.base)/nosize", into: scratch, expectation).size == size)
        }
        #expect(server.requests.count == 4)
        let error = try failure(
            "\(server.base)/cut", into: scratch, TransferExpectation(size: UInt64(server.body.count)), quick(retries: 1)
        )
        #expect(error.code == .unavailable)
        #expect(error.description.contains("after 150000 of 300000 bytes"), "\(error)")
    }
}
