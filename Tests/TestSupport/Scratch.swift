public import Artefact
internal import Glibc
public import SystemPackage

/// A directory for one test, removed with all it holds when the test lets go of it.
public struct Scratch: ~Copyable {
    public let path: FilePath

    /// Makes it.
    ///
    /// - Parameter inMemory: Whether on a file system in memory, where synchronising takes no time.
    public init(inMemory: Bool = false) throws {
        var template = Array("\(inMemory ? "/dev/shm" : "/tmp")/ksbuild-test-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { name in
            unsafe name.baseAddress.map { start in unsafe mkdtemp(start) != nil } ?? false
        }
        guard made else { throw ArtefactError.system("create directory", "/tmp", Errno(rawValue: errno)) }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { try? HostFile.removeTree(path) }

    /// Writes a file below the directory, with the directories above it.
    @discardableResult
    public func file(_ name: String, _ bytes: [UInt8], mode: EntryMode = .file) throws -> FilePath {
        let target = path.pushing(FilePath(name))
        try HostFile.makeDirectories(target.removingLastComponent())
        try StagedFile.write(bytes, to: target, mode: mode)
        return target
    }

    @discardableResult
    public func file(_ name: String, _ text: String, mode: EntryMode = .file) throws -> FilePath {
        try file(name, Array(text.utf8), mode: mode)
    }
}
