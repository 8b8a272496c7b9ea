internal import Artefact
internal import Glibc
public import SystemPackage

/// A folder for what a build makes on the way, hidden in the output directory and removed at the end.
///
/// Its name says which process it belongs to, so that what a killed one left is removed by the next.
public struct WorkFolder: ~Copyable {
    /// Where it is.
    public let path: FilePath

    private static let prefix = ".work-"

    /// Makes the folder in `out`, and `out` itself where it is not there.
    ///
    /// - Throws: `ArtefactError` where the output directory cannot be made or written.
    public init(in out: FilePath) throws {
        try HostFile.makeDirectories(out)
        try Self.removeLeftovers(in: out)
        let path = out.appending("\(Self.prefix)\(getpid())")
        try HostFile.removeTree(path)
        try HostFile.makeDirectory(path, mode: .privateDirectory)
        self.path = path
    }

    /// Makes a folder of its own in a directory that others use too, such as `/tmp`, for a command that writes nothing.
    ///
    /// - Throws: `ArtefactError` where it cannot be made.
    public init(temporaryIn directory: FilePath) throws {
        var template = Array(directory.appending("ksbuild-XXXXXX").string.utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { name in
            unsafe name.baseAddress.map { start in unsafe mkdtemp(start) != nil } ?? false
        }
        guard isMade else { throw ArtefactError.system("create a folder in", directory, Errno(rawValue: errno)) }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { try? HostFile.removeTree(path) }

    private static func removeLeftovers(in out: FilePath) throws {
        for name in try HostFile.names(in: out) where name.hasPrefix(prefix) {
            guard let process = pid_t(name.dropFirst(prefix.count)), kill(process, 0) != 0, errno == ESRCH else {
                continue
            }
            try HostFile.removeTree(out.appending(name))
        }
    }
}
