internal import CZlib

/// A zlib stream that takes gzip members apart.
///
/// zlib keeps a pointer back to the `z_stream`, so that one lives on the heap and never moves.
@safe
struct Inflater: ~Copyable {
    /// What one step did.
    struct Step {
        /// How many bytes of the input were used up.
        var consumed: Int
        /// How many bytes were put at the start of the output.
        var produced: Int
        /// How it ended.
        var outcome: Outcome
    }

    /// How a step ended.
    enum Outcome {
        /// More input or more room is needed.
        case more
        /// The member is complete and its checksum and length match.
        case end
        /// The checksum or the length in the trailer does not match.
        case badChecksum(String)
        /// The bytes are no valid gzip; zlib's reason.
        case malformed(String)
    }

    private let stream: UnsafeMutablePointer<z_stream>

    init(named name: String) throws(ArchiveError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe ksbuild_inflateInit2(stream, 15 + 16) == Z_OK else {
            unsafe stream.deallocate()
            throw ArchiveError(.system, subject: name, detail: "zlib cannot begin (out of memory)")
        }
        unsafe self.stream = unsafe stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Prepares for another member.
    mutating func reset() { unsafe _ = inflateReset(stream) }

    /// Inflates part of `input[range]` into `output` from its start.
    mutating func step(_ input: inout [UInt8], _ range: Range<Int>, into output: inout [UInt8]) -> Step {
        let room = output.count
        let status = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = source.baseAddress.map { unsafe $0 + range.lowerBound }
                unsafe stream.pointee.avail_in = UInt32(clamping: range.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(clamping: target.count)
                return unsafe inflate(stream, Z_NO_FLUSH)
            }
        }
        let consumed = unsafe min(range.count, Int(UInt32.max)) - Int(stream.pointee.avail_in)
        let produced = unsafe room - Int(stream.pointee.avail_out)
        let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib status \(status)"
        let outcome: Outcome =
            switch status {
            case Z_OK, Z_BUF_ERROR: .more
            case Z_STREAM_END: .end
            default:
                reason == "incorrect data check" || reason == "incorrect length check"
                    ? .badChecksum(reason) : .malformed(reason)
            }
        return Step(consumed: consumed, produced: produced, outcome: outcome)
    }
}
