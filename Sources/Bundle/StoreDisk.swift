internal import Artefact
internal import Glibc
package import SystemPackage

/// Every change that the store makes to the disk, one system call or one durable file at a time.
///
/// All of the room's writing goes through here. ``willChange`` sees each change before it is made and may throw
/// instead, which is how tests stop a command between any two changes and see what the next one makes of it.
package struct StoreDisk: Sendable {
    /// A change that is about to be made.
    package enum Change: Hashable, Sendable {
        /// A directory comes into being.
        case makeDirectory(FilePath)
        /// A whole file is written durably.
        case write(FilePath)
        /// A file is copied from elsewhere and synchronised.
        case copy(FilePath)
        /// Somebody else's writer makes the file.
        case generate(FilePath)
        /// A line is appended and synchronised.
        case append(FilePath)
        /// A file gets a further name.
        case link(FilePath)
        /// A symbolic link comes into being.
        case symlink(FilePath)
        /// A name is given to what had another, replacing what had it.
        case rename(FilePath)
        /// Permission bits change.
        case setMode(FilePath)
        /// A file or directory is made to last.
        case synchronise(FilePath)
        /// A name goes away.
        case remove(FilePath)
    }

    /// Sees each change before it is made.
    package let willChange: @Sendable (Change) throws -> Void

    /// Makes a disk whose changes `willChange` sees.
    package init(willChange: @escaping @Sendable (Change) throws -> Void = { _ in }) { self.willChange = willChange }

    /// Makes a directory and those above it, each durable before the next.
    ///
    /// One that is there already is made durable as well: a command that was killed after making it may not have come to
    /// that.
    func ensureDirectory(_ path: FilePath) throws {
        if HostFile.exists(path) {
            guard try HostFile.status(of: path).kind == .directory else {
                throw BundleError.system("use as a directory", path, .notDirectory)
            }
        } else {
            let parent = path.removingLastComponent()
            if !parent.isEmpty, !HostFile.exists(parent) { try ensureDirectory(parent) }
            try makeDirectory(path, mode: .directory)
        }
        try willChange(.synchronise(path.removingLastComponent()))
        try HostFile.synchronise(nameOf: path)
    }

    func makeDirectory(_ path: FilePath, mode: EntryMode) throws {
        try willChange(.makeDirectory(path))
        try HostFile.makeDirectory(path, mode: mode)
    }

    func write(_ bytes: [UInt8], to path: FilePath) throws {
        try willChange(.write(path))
        try StagedFile.write(bytes, to: path)
    }

    func copy(from source: FilePath, to target: FilePath) throws {
        try willChange(.copy(target))
        try FileCopy.copy(from: source, to: target)
    }

    func generate(everythingBelow path: FilePath, _ body: () throws -> Void) throws {
        try willChange(.generate(path))
        try body()
    }

    func generate(_ path: FilePath, _ body: () throws -> WrittenFile) throws -> WrittenFile {
        try willChange(.generate(path))
        return try body()
    }

    /// Gives a file a second name, where the system lets it.
    ///
    /// - Returns: Whether it has the name. Linux refuses a second name for another user's file
    ///   (`fs.protected_hardlinks`), and a file system one more than it can count, or any at all.
    func link(_ from: FilePath, to: FilePath) throws -> Bool {
        do {
            try willChange(.link(to))
            try HostFile.link(from, to: to)
            return true
        } catch let error as ArtefactError
            where [.notPermitted, .tooManyLinks, .improperLink].contains(error.errno)
        {
            return false
        }
    }

    /// Gives a file a second name, or where the system refuses that, makes a durable copy with its mode.
    func linkOrCopy(_ from: FilePath, to: FilePath) throws {
        guard try !link(from, to: to) else { return }
        try copy(from: from, to: to)
        try setMode(of: to, try HostFile.status(of: from).mode)
        try synchronise(file: to)
    }

    func makeSymlink(_ path: FilePath, to target: String) throws {
        try willChange(.symlink(path))
        try HostFile.makeSymlink(path, to: target)
    }

    func rename(_ from: FilePath, to: FilePath) throws {
        try willChange(.rename(to))
        try HostFile.rename(from, to: to)
    }

    func setMode(of path: FilePath, _ mode: EntryMode) throws {
        try willChange(.setMode(path))
        try HostFile.setMode(of: path, mode)
    }

    func synchronise(directory: FilePath) throws {
        try willChange(.synchronise(directory))
        try HostFile.synchronise(directory: directory)
    }

    func synchronise(file: FilePath) throws {
        try willChange(.synchronise(file))
        let descriptor = try HostFile.open(file)
        defer { try? descriptor.close() }
        guard fsync(descriptor.rawValue) == 0 else {
            throw BundleError.system("synchronise", file, Errno(rawValue: Glibc.errno))
        }
    }

    /// Makes everything that was written to the file system of a path last, names and bytes.
    func synchronise(fileSystemOf path: FilePath) throws {
        try willChange(.synchronise(path))
        try HostFile.synchronise(fileSystemOf: path)
    }

    func remove(_ path: FilePath) throws {
        guard HostFile.exists(path) else { return }
        try willChange(.remove(path))
        try HostFile.remove(path)
    }

    func removeTree(_ path: FilePath) throws {
        guard HostFile.exists(path) else { return }
        try willChange(.remove(path))
        try HostFile.removeTree(path)
    }

    /// Appends one line durably; where that fails, the file keeps the length it had.
    ///
    /// A last line without an end, left by a power failure, is ended first, so that it stays apart.
    func appendLine(_ line: [UInt8], to path: FilePath) throws {
        let isNew = !HostFile.exists(path)
        try willChange(.append(path))
        let opened = unsafe path.withPlatformString { name in
            unsafe open(name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        }
        guard opened >= 0 else { throw BundleError.system("write", path, Errno(rawValue: Glibc.errno)) }
        let file = FileDescriptor(rawValue: opened)
        defer { try? file.close() }
        do {
            let length = try file.seek(offset: 0, from: .end)
            var bytes = line + [UInt8(ascii: "\n")]
            if length > 0 {
                var last: UInt8 = 0
                unsafe try withUnsafeMutableBytes(of: &last) { byte in
                    unsafe _ = try file.read(fromAbsoluteOffset: length - 1, into: byte)
                }
                if last != UInt8(ascii: "\n") { bytes.insert(UInt8(ascii: "\n"), at: 0) }
            }
            do {
                try file.writeAll(bytes)
                guard fsync(opened) == 0 else { throw Errno(rawValue: Glibc.errno) }
            } catch {
                _ = ftruncate(opened, off_t(length))
                throw error
            }
        } catch let errno as Errno {
            throw BundleError.system("write", path, errno)
        }
        if isNew { try synchronise(directory: path.removingLastComponent()) }
    }
}
