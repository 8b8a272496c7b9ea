internal import Artefact
internal import CZlib

/// Writes one gzip member whose bytes follow from its content alone: RFC 1952 without name, time, comment or extra field.
///
/// The header is fixed, `1f 8b 08 00 00000000 00 03`: deflate, no flags, no time, no particular level, Unix. It and the
/// trailer are written here, because zlib would take the last two bytes from how it was built.
@safe
struct Deflater: ~Copyable {
    static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    /// zlib's default: on overlays, which are half padding, level 9 takes two and a half times as long and gains two percent.
    static let level: Int32 = 6

    private let stream: UnsafeMutablePointer<z_stream>
    private var output: [UInt8]
    private var checksum: UInt
    private var count: UInt32 = 0

    init() throws(ArchiveError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // Negative window bits: deflate without zlib's own framing. Memory level 8 is zlib's default.
        guard unsafe ksbuild_deflateInit2(stream, Self.level, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK else {
            unsafe stream.deallocate()
            throw ArchiveError(.system, subject: "zlib", detail: "cannot begin (out of memory)")
        }
        unsafe self.stream = unsafe stream
        output = [UInt8](repeating: 0, count: 64 * 1024)
        checksum = crc32(0, nil, 0)
    }

    private init(_ stream: UnsafeMutablePointer<z_stream>, checksum: UInt, count: UInt32) {
        unsafe self.stream = unsafe stream
        output = [UInt8](repeating: 0, count: 64 * 1024)
        self.checksum = checksum
        self.count = count
    }

    /// Another one in the same state: what both write from now on does not depend on the other.
    ///
    /// - Throws: ``ArchiveError`` with ``ArchiveError/Code/system`` when there is no memory.
    func copy() throws(ArchiveError) -> Deflater {
        let copied = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe copied.initialize(to: z_stream())
        guard unsafe deflateCopy(copied, stream) == Z_OK else {
            unsafe copied.deallocate()
            throw ArchiveError(.system, subject: "zlib", detail: "cannot go on (out of memory)")
        }
        return unsafe Deflater(copied, checksum: checksum, count: count)
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Compresses bytes; what comes out goes to `sink`.
    mutating func write(_ bytes: Span<UInt8>, to sink: (Span<UInt8>) throws -> Void) throws {
        var start = 0
        while start < bytes.count {
            let piece = bytes.extracting(start..<min(bytes.count, start + (1 << 30)))
            checksum = unsafe piece.withUnsafeBufferPointer { unsafe crc32(checksum, $0.baseAddress, UInt32($0.count)) }
            count &+= UInt32(piece.count)
            try run(piece, flush: Z_NO_FLUSH, to: sink)
            start += piece.count
        }
    }

    /// Ends the deflate stream and gives the trailer: CRC-32 and length modulo 2³², both little-endian.
    mutating func finish(to sink: (Span<UInt8>) throws -> Void) throws {
        let nothing: [UInt8] = []
        try run(nothing.span, flush: Z_FINISH, to: sink)
        let words = [UInt32(truncatingIfNeeded: checksum), count]
        let trailer = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        try sink(trailer.span)
    }

    private mutating func run(
        _ bytes: Span<UInt8>, flush: Int32, to sink: (Span<UInt8>) throws -> Void
    ) throws {
        unsafe stream.pointee.avail_in = UInt32(bytes.count)
        var consumed = 0
        repeat {
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe output.withUnsafeMutableBufferPointer { target in
                    unsafe stream.pointee.next_in = source.baseAddress.map {
                        unsafe UnsafeMutablePointer(mutating: $0 + consumed)
                    }
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(target.count)
                    unsafe _ = deflate(stream, flush)
                    consumed = unsafe source.count - Int(stream.pointee.avail_in)
                }
            }
            let produced = unsafe output.count - Int(stream.pointee.avail_out)
            if produced > 0 { try sink(output.span.extracting(first: produced)) }
        } while unsafe stream.pointee.avail_out == 0
    }
}
