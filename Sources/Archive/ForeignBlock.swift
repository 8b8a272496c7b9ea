internal import CArchive
internal import CZlib

/// Small blocks without the frame of a gzip member: of zlib, and through libarchive of what zlib does not know.
enum ForeignBlock {
    /// What compressed a block.
    enum Method {
        case zlib
        case xz
        case zstd
    }

    /// The bytes of one block of at most `limit` bytes.
    ///
    /// - Returns: `nil` where the block is damaged or larger, or where this build of libarchive does not know the method.
    @safe
    static func expand(_ block: [UInt8], _ method: Method, limit: Int) -> [UInt8]? {
        if case .zlib = method { return inflated(block, limit: limit) }
        guard let archive = unsafe archive_read_new() else { return nil }
        defer { unsafe _ = archive_read_free(archive) }
        let status =
            switch method {
            case .xz: unsafe archive_read_support_filter_xz(archive)
            case .zstd: unsafe archive_read_support_filter_zstd(archive)
            case .zlib: ARCHIVE_FATAL
            }
        // A warning means that libarchive would run a program instead.
        guard status == ARCHIVE_OK, unsafe archive_read_support_format_raw(archive) == ARCHIVE_OK else { return nil }
        return unsafe block.withUnsafeBytes { source in
            guard unsafe archive_read_open_memory(archive, source.baseAddress, source.count) == ARCHIVE_OK else {
                return nil
            }
            var entry: OpaquePointer?
            guard unsafe archive_read_next_header(archive, &entry) == ARCHIVE_OK,
                unsafe archive_filter_count(archive) > 1
            else { return nil }
            var bytes = [UInt8](repeating: 0, count: limit + 1)
            var filled = 0
            while filled <= limit {
                let count = unsafe bytes.withUnsafeMutableBytes { target in
                    unsafe archive_read_data(
                        archive, target.baseAddress.map { unsafe $0 + filled }, target.count - filled)
                }
                guard count >= 0 else { return nil }
                if count == 0 { return Array(bytes.prefix(filled)) }
                filled += count
            }
            return nil
        }
    }

    private static func inflated(_ block: [UInt8], limit: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = uLong(limit)
        let status = unsafe bytes.withUnsafeMutableBufferPointer { target in
            unsafe block.withUnsafeBufferPointer { source in
                unsafe uncompress(target.baseAddress, &count, source.baseAddress, uLong(source.count))
            }
        }
        return status == Z_OK ? Array(bytes.prefix(Int(count))) : nil
    }
}
