internal import Artefact
internal import Glibc
internal import SystemPackage

/// The names in a directory that others may write to as well: those that are not UTF-8 do not stand in the way.
struct DirectoryNames: Hashable, Sendable {
    /// The names in byte order, without `.` and `..`.
    let readable: [String]
    /// The names that are not UTF-8, as well as they can be shown.
    let others: [String]

    /// Lists a directory.
    init(of directory: FilePath) throws(ArtefactError) {
        guard let stream = unsafe directory.withPlatformString({ name in unsafe opendir(name) }) else {
            throw .system("list", directory, Errno(rawValue: Glibc.errno))
        }
        defer { unsafe _ = closedir(stream) }
        var readable: [String] = []
        var others: [String] = []
        while true {
            Glibc.errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard Glibc.errno == 0 else { throw .system("list", directory, Errno(rawValue: Glibc.errno)) }
                break
            }
            unsafe withUnsafeBytes(of: &entry.pointee.d_name) { field in
                let bytes = unsafe field.prefix { $0 != 0 }
                if let name = unsafe String(validating: bytes, as: UTF8.self) {
                    if name != "." && name != ".." { readable.append(name) }
                } else {
                    unsafe others.append(String(decoding: bytes, as: UTF8.self))
                }
            }
        }
        self.readable = readable.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.others = others.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
