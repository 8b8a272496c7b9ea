internal import Artefact
internal import SystemPackage

/// Bytes that are read at any offset, from a file or from memory; a read past the end gives what there is.
struct ByteSource: ~Copyable {
    private enum Origin {
        case bytes([UInt8])
        case file(FileDescriptor)
    }

    private let origin: Origin
    /// What to call it in messages.
    let name: String
    /// How many bytes there are.
    let size: UInt64

    /// Takes bytes at hand.
    init(bytes: [UInt8], named name: String) {
        origin = .bytes(bytes)
        self.name = name
        size = UInt64(bytes.count)
    }

    /// Opens a regular file.
    ///
    /// - Throws: `ArtefactError` when it cannot be read or is no regular file.
    init(_ path: FilePath, named: String? = nil) throws(ArtefactError) {
        let status = try HostFile.status(of: path)
        guard status.kind == .file else { throw .system("read: it is no regular file", path, .isDirectory) }
        origin = .file(try HostFile.open(path))
        name = named ?? path.string
        size = status.size
    }

    deinit {
        if case .file(let descriptor) = origin { try? descriptor.close() }
    }

    /// The bytes from `offset` on, at most `count` of them.
    ///
    /// - Throws: `ArtefactError` when the file cannot be read.
    func read(at offset: UInt64, count: Int) throws(ArtefactError) -> [UInt8] {
        guard offset < size, count > 0 else { return [] }
        let wanted = Int(clamping: min(UInt64(count), size - offset))
        switch origin {
        case .bytes(let bytes):
            let start = Int(clamping: offset)
            return Array(bytes[start..<(start + wanted)])
        case .file(let descriptor):
            guard let position = Int64(exactly: offset) else { return [] }
            var buffer = [UInt8](repeating: 0, count: wanted)
            var filled = 0
            while filled < wanted {
                do {
                    let count = unsafe try buffer.withUnsafeMutableBytes { bytes in
                        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
                        return unsafe try descriptor.read(fromAbsoluteOffset: position + Int64(filled), into: rest)
                    }
                    guard count > 0 else { break }
                    filled += count
                } catch {
                    throw .system("read", FilePath(name), error as? Errno ?? .ioError)
                }
            }
            return Array(buffer.prefix(filled))
        }
    }
}
