internal import Artefact
internal import Glibc
internal import SystemPackage

/// Where the upload of a blob goes on, in a file that only its owner reads: `FOLDER/DIGEST`, lines of text.
///
/// ```
/// ksbuild/upload/v1
/// location ADDRESS
/// end SHA256              of the lines above
/// ```
///
/// What is not exactly of this form counts as nothing, and what cannot be written saves nothing: the upload begins
/// anew.
final class UploadNote {
    private static let schema = "ksbuild/upload/v1"
    private static let maximumBytes = 16 << 10

    private let file: FilePath?
    private var lock: FileDescriptor?

    /// Names the note of an upload; while another process has it, nothing is noted and nothing read.
    init(_ folder: FilePath?, _ subject: String) {
        guard let folder else {
            file = nil
            return
        }
        let file = folder.appending(Digest(of: subject.utf8).hex)
        self.file = file
        try? HostFile.makeDirectories(folder.removingLastComponent())
        try? HostFile.makeDirectory(folder, mode: .privateDirectory)
        lock = try? FileDescriptor.open(
            FilePath(file.string + ".lock"), .readWrite, options: [.create, .closeOnExec, .noFollow],
            permissions: .ownerReadWrite)
        guard let held = lock, flock(held.rawValue, LOCK_EX | LOCK_NB) != 0 else { return }
        try? held.close()
        lock = nil
    }

    deinit { try? lock?.close() }

    /// The address, where there is one that can be believed.
    func read() -> String? {
        guard lock != nil, let file, let bytes = try? HostFile.read(file, limit: Self.maximumBytes),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[1].hasPrefix("location ") else { return nil }
        let location = String(lines[1].dropFirst(9))
        return Self.text(location) == text ? location : nil
    }

    /// Notes the address.
    func write(_ location: String) {
        guard lock != nil, let file else { return }
        _ = try? StagedFile.write(Array(Self.text(location).utf8), to: file, mode: EntryMode(0o600))
    }

    /// Forgets it: nothing is to be gone on with.
    func remove() {
        guard lock != nil, let file else { return }
        try? HostFile.remove(file)
        try? HostFile.remove(FilePath(file.string + ".lock"))
        // Gone with the last of them.
        let folder = file.removingLastComponent()
        _ = unsafe folder.withPlatformString { name in unsafe rmdir(name) }
    }

    private static func text(_ location: String) -> String {
        let body = "\(schema)\nlocation \(location)\n"
        return body + "end \(Digest(of: body.utf8))\n"
    }
}
