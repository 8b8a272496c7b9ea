internal import Artefact
internal import Glibc
internal import SystemPackage

/// A file of this host, as `file:///PATH` names it.
enum LocalSource {
    /// Copies it.
    ///
    /// - Throws: ``TransferError`` or `ArtefactError`.
    static func copy(_ task: TransferTask, _ partial: PartialFile) throws -> Fetched {
        func error(_ code: TransferError.Code, _ detail: String) -> TransferError {
            TransferError(code, subject: task.address.shown, detail: detail)
        }
        guard ["", "localhost", "127.0.0.1"].contains(task.address.host) else {
            throw error(.invalidAddress, "names another host; file addresses are of the form file:///PATH")
        }
        guard let name = decoded(task.address.path) else {
            throw error(.invalidAddress, "has percent signs that stand for no character of a path")
        }
        let path = FilePath(name)
        guard let status = try? HostFile.status(of: path) else { throw error(.notFound, "is not there") }
        guard status.kind == .file else { throw error(.notFound, "is no regular file") }
        if let expected = task.expectation.size, expected != status.size {
            throw error(.wrongSize, "has \(status.size) bytes where \(expected) are expected")
        }
        guard status.size <= task.limit else {
            throw error(.wrongSize, "has \(status.size) bytes where at most \(task.limit) are taken")
        }
        try partial.begin(nil, total: status.size)
        try HostFile.forEachChunk(of: path) { chunk in
            guard !task.isCancelled() else { throw task.cancelled }
            guard partial.size + UInt64(chunk.count) <= task.largest else {
                throw error(.wrongSize, "grows while it is read")
            }
            try partial.append(chunk)
            task.report?(.received(partial.size, of: status.size))
        }
        guard partial.size == status.size else {
            throw error(.unavailable, "changed while it was read; run again when nothing writes to it")
        }
        return try partial.conclude(task, from: task.address, stated: status.size)
    }

    /// The path that a part of an address stands for.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                value != 0
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
