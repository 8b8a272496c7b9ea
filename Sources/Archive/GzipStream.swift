/// Inflates gzip members that come in pieces, checksums verified.
public struct GzipStream: ~Copyable {
    private let name: String
    private let limit: UInt64
    private var inflater: Inflater
    private var window = [UInt8](repeating: 0, count: 64 * 1024)
    private var produced: UInt64 = 0
    private var isInMember = false
    private var members = 0

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - name: What errors call it.
    ///   - limit: How many bytes may come out in all.
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/system`` when there is no memory.
    public init(named name: String, limit: UInt64) throws(ArchiveError) {
        self.name = name
        self.limit = limit
        inflater = try Inflater(named: name)
    }

    /// Takes the next bytes of the file and hands what they inflate to to `body`.
    ///
    /// - Throws: ``ArchiveError`` as ``Gzip/members(of:named:limit:first:)`` does, or what `body` throws.
    public mutating func read(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) throws -> Void) throws {
        var input: [UInt8] = []
        unsafe bytes.withUnsafeBufferPointer { pieces in unsafe input.append(contentsOf: pieces) }
        var position = 0
        while position < input.count {
            if !isInMember {
                // Zeros after a member are padding.
                if members > 0, input[position] == 0 {
                    position += 1
                    continue
                }
                if members > 0 { inflater.reset() }
                isInMember = true
            }
            let step = inflater.step(&input, position..<input.count, into: &window)
            position += step.consumed
            produced += UInt64(step.produced)
            guard produced <= limit else {
                throw ArchiveError(.limitExceeded, subject: name, detail: "inflates to more than \(limit) bytes")
            }
            if step.produced > 0 { try body(window.span.extracting(first: step.produced)) }
            switch step.outcome {
            case .more: break
            case .end:
                members += 1
                isInMember = false
            case .badChecksum(let reason):
                throw damaged(.badChecksum, reason)
            case .malformed(let reason): throw damaged(.malformed, reason)
            }
        }
    }

    private func damaged(_ code: ArchiveError.Code, _ reason: String) -> ArchiveError {
        ArchiveError(code, subject: name, detail: "the gzip stream is damaged (\(reason)); copy or fetch it again")
    }

    /// Ends the file.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/truncated`` where a member is not complete.
    public func finish() throws(ArchiveError) {
        guard members > 0, !isInMember else {
            throw ArchiveError(.truncated, subject: name, detail: "the gzip stream ends early; the file is truncated")
        }
    }
}
