internal import Artefact
internal import SystemPackage

/// An open image, read at given places and never outside of itself.
struct ImageFile: ~Copyable {
    let path: FilePath
    let size: UInt64
    private let descriptor: FileDescriptor

    /// Opens a file of any size.
    init(_ path: FilePath) throws {
        let status = try HostFile.status(of: path)
        guard status.kind == .file else {
            throw ISOError(.notISO9660, subject: path.string, detail: "it is no regular file")
        }
        let descriptor = try HostFile.open(path)
        self.init(path: path, size: status.size, descriptor: descriptor)
    }

    private init(path: FilePath, size: UInt64, descriptor: FileDescriptor) {
        self.path = path
        self.size = size
        self.descriptor = descriptor
    }

    deinit { try? descriptor.close() }

    /// The bytes of a structure that is needed to know how large the image is.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/truncated`` where the file ends before them.
    func descriptor(_ number: UInt32) throws -> Fields {
        let offset = UInt64(number) * UInt64(ISOFormat.sectorSize)
        guard offset + UInt64(ISOFormat.sectorSize) <= size else {
            throw ISOError(
                .truncated, subject: path.string,
                detail: "a volume descriptor would end at byte \(offset + UInt64(ISOFormat.sectorSize)), the file has"
                    + " \(size)")
        }
        return try sector(number, what: "a volume descriptor")
    }

    /// The bytes of a structure in an image that is known to be complete.
    ///
    /// - Throws: ``ISOError`` with ``ISOError/Code/damaged`` where they lie outside of the file.
    func read(at offset: UInt64, count: Int, what: String) throws -> [UInt8] {
        guard count > 0 else { return [] }
        guard offset <= size, UInt64(count) <= size - offset else {
            throw ISOError(
                .damaged, subject: path.string, detail: "\(what) lies outside of the image",
                sector: UInt32(clamping: offset / UInt64(ISOFormat.sectorSize)))
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try fill(&bytes, count: count, at: offset)
        return bytes
    }

    /// One sector.
    func sector(_ number: UInt32, what: String) throws -> Fields {
        Fields(
            bytes: try read(
                at: UInt64(number) * UInt64(ISOFormat.sectorSize), count: ISOFormat.sectorSize, what: what))
    }

    /// Hands the bytes of a range to `body` in pieces; the range must lie within the file.
    func forEachChunk(at offset: UInt64, count: UInt64, _ body: (Span<UInt8>) throws -> Void) throws {
        var position = offset
        var left = count
        var buffer = [UInt8](repeating: 0, count: Int(Swift.min(left, UInt64(HostFile.chunkSize))))
        while left > 0 {
            let piece = Int(Swift.min(left, UInt64(buffer.count)))
            try fill(&buffer, count: piece, at: position)
            try body(buffer.span.extracting(first: piece))
            position += UInt64(piece)
            left -= UInt64(piece)
        }
    }

    private func fill(_ buffer: inout [UInt8], count: Int, at offset: UInt64) throws {
        var done = 0
        while done < count {
            let got: Int
            do {
                got = unsafe try buffer.withUnsafeMutableBytes { bytes in
                    unsafe try descriptor.read(
                        fromAbsoluteOffset: Int64(clamping: offset + UInt64(done)),
                        into: UnsafeMutableRawBufferPointer(rebasing: bytes[done..<count]))
                }
            } catch {
                throw ArtefactError.system("read", path, error as? Errno ?? .ioError)
            }
            guard got > 0 else {
                throw ISOError(
                    .truncated, subject: path.string, detail: "it became shorter than \(size) bytes while it was read")
            }
            done += got
        }
    }
}
