import Artefact
import Glibc
import ServerSupport
import SystemPackage
import TestSupport
import Testing

@testable import Transfer

/// What may pass is tried again, what will not is said at once.
struct FailureTests {
    @Test func `an error of the server is tried again until the file comes`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        var waits: [String] = []
        try fetch("\(server.base)/flaky/3", into: scratch) { event in
            if case .waiting(let wait, let reason) = event { waits.append("\(wait) \(reason)") }
        }
        #expect(try arrived(scratch) == server.body)
        #expect(
            waits == ["0.005", "0.01", "0.02"].map { "\($0) seconds the server answers 500" }, "\(waits)")
        #expect(server.requests.first?.hasSuffix(" agent=ksbuild-test") == true)
    }

    @Test func `a server that says when to come back is heeded`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let start = ContinuousClock.now
        try fetch("\(server.base)/later", into: scratch)
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(server.requests.count == 2)
    }

    @Test(arguments: [
        (408, TransferError.Code.unavailable, 4), (429, .unavailable, 4), (500, .unavailable, 4),
        (503, .unavailable, 4), (404, .notFound, 1), (410, .notFound, 1), (401, .denied, 1), (403, .denied, 1),
        (400, .unavailable, 1), (204, .unavailable, 1), (206, .unavailable, 2), (416, .unavailable, 2),
    ])
    func `an answer with another status is told apart`(
        _ status: Int, _ code: TransferError.Code, _ attempts: Int
    ) async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let error = try failure("\(server.base)/status/\(status)", into: scratch)
        #expect(error.code == code, "\(error)")
        #expect(server.requests.count == attempts, "\(server.requests)")
    }

    @Test func `each failure has the class that decides the exit code`() {
        func failureClass(_ code: TransferError.Code) -> FailureClass {
            TransferError(code, subject: "a", detail: "b").failureClass
        }
        #expect(failureClass(.wrongDigest) == .data)
        #expect(failureClass(.wrongSize) == .data)
        #expect(failureClass(.notFound) == .noInput)
        #expect(failureClass(.unavailable) == .unavailable)
        #expect(failureClass(.untrustedServer) == .unavailable)
        #expect(failureClass(.withoutTLS) == .unavailable)
        #expect(failureClass(.badRedirect) == .unavailable)
        #expect(failureClass(.denied) == .permission)
        #expect(failureClass(.cancelled) == .interrupted)
    }

    @Test(arguments: ["endless", "heads", "garbage", "silent"])
    func `a server that never comes to an end is given up`(_ what: String) async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let start = ContinuousClock.now
        let error = try failure(
            "\(server.base)/\(what)", into: scratch, TransferExpectation(), quick(retries: 0), limit: 1 << 20)
        #expect(error.code == (what == "endless" ? .wrongSize : .unavailable), "\(error)")
        #expect(ContinuousClock.now - start < .seconds(15))
        let size = (try? HostFile.status(of: scratch.path.appending("part")).size) ?? 0
        #expect(size <= 1 << 20)
    }

    @Test func `nobody at the port, and no such host`() async throws {
        let scratch = try Scratch()
        let error = try failure("http://127.0.0.1:1/a", into: scratch, TransferExpectation(), quick(retries: 1))
        #expect(error.code == .unavailable)
        #expect(error.description.contains("no connection can be made"), "\(error)")
        let other = try failure(
            "http://no-such-host.invalid/a", into: scratch, TransferExpectation(), quick(retries: 1))
        #expect(other.code == .unavailable)
        #expect(other.description.contains("name is not known"), "\(other)")
    }

    @Test func `another size and another digest than expected`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let expected = UInt64(server.body.count)
        var error = try failure("\(server.base)/page", into: scratch, TransferExpectation(size: expected))
        #expect(error.code == .wrongSize)
        #expect(error.description.contains("has 18 bytes where 300000 are expected"), "\(error)")
        error = try failure("\(server.base)/good", into: scratch, limit: 1000)
        #expect(error.description.contains("has 300000 bytes where at most 1000 are taken"), "\(error)")
        error = try failure("\(server.base)/nosize", into: scratch, TransferExpectation(size: 1000))
        #expect(error.code == .wrongSize, "\(error)")
        let pin = Digest(of: Array("another".utf8))
        error = try failure("\(server.base)/page", into: scratch, TransferExpectation(sha256: pin))
        #expect(error.code == .wrongDigest)
        #expect(error.received?.size == 18)
        #expect(error.description.contains(pin.hex) && error.description.contains(error.received?.sha256.hex ?? "?"))
        #expect(!HostFile.exists(scratch.path.appending("part")))
        #expect(!HostFile.exists(Transfer.statePath(of: scratch.path.appending("part"))))
    }

    @Test func `the second digest is right, too, after a transfer that broke off`() async throws {
        let scratch = try Scratch()
        let server = try await OddServer(in: scratch)
        let fetched = try fetch("\(server.base)/half", into: scratch, TransferExpectation(wantsSHA512: true))
        let said = try await run("sha512sum", [scratch.path.appending("part").string])
        #expect(said.output.hasPrefix("\(fetched.sha512 ?? "none") "))
    }

    @Test func `who stops a transfer finds the beginning there, and goes on with it`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        var random = SeededGenerator(seed: 3)
        let body = (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        try scratch.file("nginx/root/file", body)
        var received: UInt64 = 0
        do {
            try fetch(
                "\(server.plain)/slow/file", into: scratch,
                report: { event in if case .received(let bytes, _) = event { received = bytes } },
                isCancelled: { received > 500_000 })
            Issue.record("not stopped")
        } catch let error as TransferError {
            #expect(error.code == .cancelled)
        }
        let there = try arrived(scratch)
        #expect(there.count == received && there.count < body.count)
        #expect(try fetch("\(server.plain)/slow/file", into: scratch).sha256 == Digest(of: body))
        let last = try await server.requests().last
        #expect(last?.bytes == body.count - there.count)
        #expect(last?.range == "bytes=\(there.count)-")
    }

    @Test func `a file of this host is copied`() async throws {
        let scratch = try Scratch()
        let file = try scratch.file("a b/file", "content")
        let address = "file://" + file.string.replacing(" ", with: "%20")
        #expect(try fetch(address, into: scratch).sha256 == Digest(of: "content".utf8))
        #expect(try failure(address + "x", into: scratch).code == .notFound)
        #expect(try failure("file://\(scratch.path)", into: scratch).code == .notFound)
        #expect(try failure("file://host/\(file)", into: scratch).code == .invalidAddress)
    }

    @Test(arguments: [
        "", "a", "ftp://h/a", "http://", "http:///a", "https://h/a b", "https://h/\n", "http://h:99999/", "/etc/passwd",
        "gopher://h/", "http://[::1/", "https://user:secret@/a",
    ])
    func `what is no address is refused, and not shown`(_ text: String) throws {
        let scratch = try Scratch()
        let error = try failure(text, into: scratch, TransferExpectation(), quick(retries: 0))
        #expect(error.code == .invalidAddress, "\(error)")
        #expect(!error.description.contains("secret"))
    }

    /// Were the signal not held, it would end the tests.
    @Test func `writing to what the other side has closed is an error and no end of the process`() throws {
        var ends: [Int32] = [0, 0]
        let isOpen = unsafe ends.withUnsafeMutableBufferPointer { unsafe pipe($0.baseAddress) } == 0
        try #require(isOpen)
        close(ends[0])
        defer { close(ends[1]) }
        let (count, code) = BrokenPipe.held { (unsafe write(ends[1], "x", 1), errno) }
        #expect(count == -1 && code == EPIPE)
        var pending = sigset_t()
        var blocked = sigset_t()
        unsafe sigpending(&pending)
        unsafe _ = pthread_sigmask(SIG_BLOCK, nil, &blocked)
        let (isPending, isBlocked) = unsafe (sigismember(&pending, SIGPIPE), sigismember(&blocked, SIGPIPE))
        #expect(isPending == 0 && isBlocked == 0)
    }
}
