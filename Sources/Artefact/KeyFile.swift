internal import Glibc
public import SystemPackage

/// Files that hold a key: made anew, never in the place of another.
public enum KeyFile {
    /// The error that says that a file is there already.
    public static func isThere(_ path: FilePath) -> ArtefactError {
        ArtefactError(
            .creation, subject: path.string, detail: "is there already, and a key is never replaced; take another name")
    }

    /// Writes a text durably to a name that is free; the directory is for the caller to synchronise.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - text: What it holds.
    ///   - mode: Its permission bits from the start, less those of the umask.
    /// - Throws: ``ArtefactError`` where something has the name already, or the file cannot be written.
    public static func create(_ path: FilePath, _ text: String, _ mode: UInt16) throws(ArtefactError) {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: FilePermissions(rawValue: CInterop.Mode(mode)))
        } catch {
            let errno = error as? Errno ?? .ioError
            guard errno != .fileExists else { throw isThere(path) }
            throw ArtefactError(.creation, subject: path.string, detail: "cannot create", errno: errno)
        }
        do {
            try file.closeAfter {
                _ = try file.writeAll(text.utf8)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: Glibc.errno) }
            }
        } catch {
            try? HostFile.remove(path)
            throw .system("write", path, error as? Errno ?? .ioError)
        }
    }
}
