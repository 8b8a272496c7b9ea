internal import Glibc
public import SystemPackage

/// A staged file that begins as the copy of another one.
extension StagedFile {
    /// Puts the bytes of `source` at the beginning of a file to which nothing was written yet.
    ///
    /// Shares blocks where the file system can, else lets the kernel copy, else reads and writes.
    ///
    /// - Parameters:
    ///   - source: A regular file; it is only read.
    ///   - expected: The bytes it has; one that has another size by now is refused.
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system`` or
    ///   ``ArtefactError/Code/changedWhileReading``.
    public mutating func copy(_ source: FilePath, size expected: UInt64) throws {
        precondition(canCopy, "a file is copied into one that is empty and not digested")
        let from = try HostFile.open(source)
        defer { try? from.close() }
        try HostFile.copyBytes(of: from, named: source, to: file, named: target)
        let end = lseek(file.rawValue, 0, SEEK_END)
        guard end >= 0, UInt64(end) == expected else {
            throw ArtefactError(
                .changedWhileReading, subject: source.string,
                detail: "changed while it was being copied (it had \(expected) bytes); run again when nothing writes to"
                    + " it")
        }
        extend(to: expected)
    }

    /// Replaces bytes that were written before.
    ///
    /// - Throws: ``ArtefactError`` with ``ArtefactError/Code/system``.
    public mutating func overwrite(at offset: UInt64, _ bytes: [UInt8]) throws(ArtefactError) {
        try flush()
        var done = 0
        while done < bytes.count {
            do {
                done += unsafe try bytes.withUnsafeBytes { all in
                    unsafe try file.write(
                        toAbsoluteOffset: Int64(clamping: offset + UInt64(done)),
                        UnsafeRawBufferPointer(rebasing: all[done...]))
                }
            } catch {
                throw .system("write", target, error as? Errno ?? .ioError)
            }
        }
    }
}
