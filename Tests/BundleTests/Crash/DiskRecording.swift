import Artefact
import SystemPackage

/// What processes did to the names and files below one directory, in order, by inode.
struct DiskRecording: Sendable {
    /// A name in a directory, and what it leads to; `nil` where it goes away.
    struct Name: Hashable, Sendable {
        let directory: Int
        let name: String
        let inode: Int?
    }

    enum Kind: Hashable, Sendable {
        case directory
        case file
        case symlink(String)
    }

    enum Operation: Hashable, Sendable {
        /// Names change, all at once.
        case names([Name])
        /// Bytes are written; only at the end of what is there already.
        case append(inode: Int, bytes: [UInt8])
        case truncate(inode: Int, size: Int)
        case mode(inode: Int, bits: Int)
        case synchronise(inode: Int)
    }

    /// The inode of the directory below which everything happens.
    static let root = 0
    /// What each inode is, and the mode it was made with.
    private(set) var inodes: [(kind: Kind, mode: Int)] = [(.directory, 0o755)]
    private(set) var operations: [Operation] = []
    /// For each synchronisation by its place among the operations, what was synchronised in which command, without what
    /// differs from one version to another.
    private(set) var synchronised: [Int: String] = [:]
    /// Calls that this recording cannot explain.
    private(set) var unknown: [String] = []

    private let base: String
    private var entries: [Int: [String: Int]] = [root: [:]]
    private var sizes: [Int: Int] = [:]
    private var command = ""

    /// Begins with an empty directory.
    init(below directory: FilePath) { base = directory.string + "/" }

    private mutating func make(_ kind: Kind, mode: Int) -> Int {
        inodes.append((kind, mode & ~0o022))
        if kind == .directory { entries[inodes.count - 1] = [:] }
        return inodes.count - 1
    }

    /// The directory and the last part of a path below the base.
    private func locate(_ path: String) -> (directory: Int, name: String)? {
        guard path.hasPrefix(base) else { return nil }
        var parts = path.dropFirst(base.utf8.count).split(separator: "/").map(String.init)
        guard let last = parts.popLast() else { return nil }
        var directory = Self.root
        for part in parts {
            guard let next = entries[directory]?[part], inodes[next].kind == .directory else { return nil }
            directory = next
        }
        return (directory, last)
    }

    private func inode(_ path: String) -> Int? {
        if path + "/" == base { return Self.root }
        return locate(path).flatMap { entries[$0.directory]?[$0.name] }
    }

    private mutating func change(_ names: [Name]) {
        for name in names { entries[name.directory]?[name.name] = name.inode }
        operations.append(.names(names))
    }

    /// An open file of the process.
    private struct OpenFile {
        let inode: Int?
        /// Where a file outside is copied from.
        let source: String
        var offset = 0
    }

    /// Adds what one process did.
    mutating func add(_ calls: [SystemCall], of command: String) throws {
        self.command = command
        var files: [Int: OpenFile] = [:]
        for call in calls { try add(call, &files) }
    }

    private mutating func add(_ call: SystemCall, _ files: inout [Int: OpenFile]) throws {
        switch call.name {
        case "openat": open(call, &files)
        case "close": files[call.number(0)] = nil
        case "lseek": files[call.number(0)]?.offset = call.result
        case "write": append(Array(call.bytes(1).prefix(call.result)), to: call.number(0), files)
        case "copy_file_range", "sendfile":
            let isRange = call.name == "copy_file_range"
            let (from, to) = isRange ? (call.number(0), call.number(2)) : (call.number(1), call.number(0))
            guard let source = files[from] else { return note(call) }
            guard files[to]?.inode != nil else { return }
            let bytes = try HostFile.read(FilePath(source.source), limit: 64 << 20)
            append(Array(bytes.dropFirst(source.offset).prefix(call.result)), to: to, files)
            files[from]?.offset += call.result
        case "ftruncate":
            guard let inode = files[call.number(0)]?.inode else { return }
            sizes[inode] = call.number(1)
            operations.append(.truncate(inode: inode, size: call.number(1)))
        case "fsync", "fdatasync":
            if let file = files[call.number(0)], let inode = file.inode {
                synchronised[operations.count] = "\(command): \(place(file.source))"
                operations.append(.synchronise(inode: inode))
            }
        case "syncfs":
            // Everything that there is; as one place, so that it can be left out as one.
            for inode in inodes.indices {
                synchronised[operations.count] = "\(command): all"
                operations.append(.synchronise(inode: inode))
            }
        case "fchmod": changeMode(files[call.number(0)]?.inode, call.number(1))
        case "chmod": changeMode(inode(call.path(0)), call.number(1))
        case "fchmodat": changeMode(inode(call.path(1)), call.number(2))
        case "mkdir": makeName(call.path(0)) { $0.make(.directory, mode: call.number(1)) }
        case "mkdirat": makeName(call.path(1)) { $0.make(.directory, mode: call.number(2)) }
        case "symlink": makeName(call.path(1)) { $0.make(.symlink(call.path(0)), mode: 0o777) }
        case "symlinkat": makeName(call.path(2)) { $0.make(.symlink(call.path(0)), mode: 0o777) }
        case "link": if let from = inode(call.path(0)) { makeName(call.path(1)) { _ in from } }
        case "linkat":
            let from = call.path(1)
            let open = from.hasPrefix("/proc/self/fd/") ? Int(from.dropFirst(14)).flatMap { files[$0]?.inode } : nil
            if let from = open ?? inode(from) { makeName(call.path(3)) { _ in from } }
        case "rename": rename(call.path(0), call.path(1))
        case "renameat", "renameat2": rename(call.path(1), call.path(3))
        case "unlink", "rmdir": removeName(call.path(0))
        case "unlinkat": removeName(call.path(1))
        case "ioctl", "dup", "dup2", "dup3": break
        default: note(call)
        }
    }

    /// A path below the base without versions and digests.
    private func place(_ path: String) -> String {
        path.dropFirst(base.utf8.count).split(separator: "/").map { part in
            var words = part.split(separator: "-", omittingEmptySubsequences: false).map { word in
                word.first?.isNumber == true && word.contains(".")
                    ? "VERSION\(word.drop { $0.isNumber || $0 == "." })" : word
            }
            if part.utf8.count == 2, part.allSatisfy(\.isHexDigit) { words = ["AB"] }
            if part.utf8.count > 60 { words = ["DIGEST"] }
            return words.joined(separator: "-")
        }.joined(separator: "/")
    }

    /// The same, as if one place were never synchronised.
    func without(_ place: String) -> DiskRecording {
        var recording = self
        for (index, name) in synchronised where name == place {
            recording.operations[index] = .synchronise(inode: -1)
        }
        return recording
    }

    private mutating func note(_ call: SystemCall) {
        unknown.append("\(call.name)(\(call.arguments.map { $0.prefix(80) }))")
    }

    private mutating func open(_ call: SystemCall, _ files: inout [Int: OpenFile]) {
        let path = call.path(1)
        guard path.hasPrefix(base) || path + "/" == base else {
            files[call.result] = OpenFile(inode: nil, source: path)
            return
        }
        var found: Int?
        if call.has("O_TMPFILE", in: 2) {
            found = make(.file, mode: call.number(3))
        } else {
            found = inode(path)
            if found == nil, call.has("O_CREAT", in: 2) {
                makeName(path) { $0.make(.file, mode: call.number(3)) }
                found = inode(path)
            }
        }
        if let found, call.has("O_TRUNC", in: 2) { operations.append(.truncate(inode: found, size: 0)) }
        files[call.result] = OpenFile(inode: found, source: call.has("O_TMPFILE", in: 2) ? path + "/(new)" : path)
    }

    private mutating func append(_ bytes: [UInt8], to file: Int, _ files: [Int: OpenFile]) {
        guard let inode = files[file]?.inode else { return }
        sizes[inode, default: 0] += bytes.count
        operations.append(.append(inode: inode, bytes: bytes))
    }

    private mutating func changeMode(_ inode: Int?, _ bits: Int) {
        if let inode { operations.append(.mode(inode: inode, bits: bits)) }
    }

    private mutating func makeName(_ path: String, _ inode: (inout DiskRecording) -> Int) {
        guard let place = locate(path) else { return }
        let made = inode(&self)
        change([Name(directory: place.directory, name: place.name, inode: made)])
    }

    private mutating func removeName(_ path: String) {
        guard let place = locate(path) else { return }
        change([Name(directory: place.directory, name: place.name, inode: nil)])
    }

    private mutating func rename(_ from: String, _ to: String) {
        guard let old = locate(from), let new = locate(to), let inode = inode(from) else { return }
        change([
            Name(directory: old.directory, name: old.name, inode: nil),
            Name(directory: new.directory, name: new.name, inode: inode),
        ])
    }
}
