internal import Archive
internal import Artefact
public import ISOBuild

extension MediumReport {
    /// Reads a medium.
    ///
    /// - Parameter image: The image, opened with the name space that Linux prefers, which is the default.
    /// - Throws: `ISOError` where the image is damaged; what is wrong with a file on it is a finding.
    public init(_ image: borrowing ISOReader) throws {
        let medium = try Medium(image)
        try self.init(medium, image)
    }

    private init(_ medium: Medium, _ image: borrowing ISOReader) throws {
        release = try medium.text(".alpine-release", image, limit: 4096)?.split(separator: "\n").first.map(String.init)
        for path in medium.configurations {
            guard
                let dialect = BootConfiguration.dialect(ofFile: path.split(separator: "/").last.map(String.init) ?? ""),
                let text = try medium.text(path, image, limit: BootConfiguration.maximumBytes)
            else { continue }
            commands += LoaderEntry.read(text, dialect, source: path)
        }
        var faults: [Finding] = []
        let listings = try medium.listings(of: commands, image, &faults)
        kernels = try medium.kernels(commands, listings, image)
        modloops = try medium.modloops(image, &faults)
        repositories = try medium.repositories(image, &faults)
        overlays = medium.top.filter(\.isOverlay).map(\.name)
        choice = MediumRules.choice(overlays, commands, medium, listings)
        findings = faults + MediumRules.findings(self, medium, listings, label: image.volume.volumeIdentifier)
        findings.sort { left, right in
            if left.isError != right.isError { return left.isError }
            return (left.path, left.rule) < (right.path, right.rule)
        }
    }
}

/// The entries of a medium as a system that mounted it sees them.
struct Medium {
    /// One entry.
    struct Entry {
        let name: String
        let path: String
        let isDirectory: Bool
        let isFile: Bool

        /// `nlplug-findfs` matches the name with `*.apkovl.tar.gz*`.
        var isOverlay: Bool { isFile && name.contains(".apkovl.tar.gz") }
    }

    /// The root in the order of the directory.
    let top: [Entry]
    /// Everything by path.
    let entries: [String: ISOEntry]
    /// Whether the medium has plain names only.
    let isPlain: Bool

    /// The most bytes of a kernel that are read for its version.
    private static let headBytes = 64 << 10
    /// The most configurations, initial RAM file systems and repositories that are read.
    private static let most = 64

    init(_ image: borrowing ISOReader) throws {
        let isPlain = image.nameSpace == .plain
        // Linux shows plain names in small letters (isofs, `map=normal`).
        func shown(_ path: String) -> String { isPlain ? path.lowercased() : path }
        top = try image.rootListing().map { entry in
            Entry(
                name: shown(entry.name), path: shown(entry.path), isDirectory: entry.isDirectory,
                isFile: entry.kind == .file)
        }
        entries = Dictionary(try image.entries().map { (shown($0.path), $0) }, uniquingKeysWith: { first, _ in first })
        self.isPlain = isPlain
    }

    /// The configurations of boot loaders, in the order of their paths.
    var configurations: [String] {
        let found = entries.keys.filter { path in
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            return file(path) != nil && BootConfiguration.dialect(ofFile: name) != nil
        }
        return Array(found.sorted().prefix(Self.most))
    }

    /// The text of a file that is not larger than `limit`.
    func text(_ path: String, _ image: borrowing ISOReader, limit: Int) throws -> String? {
        guard let entry = entries[path], entry.kind == .file, entry.size <= UInt64(limit) else { return nil }
        return String(decoding: try image.read(entry, limit: limit), as: UTF8.self)
    }

    /// The path of a file that a configuration names; a path that does not begin with `/` is one beside it.
    func path(of name: String, in command: LoaderEntry) -> String? {
        let parts = name.split(separator: "/").filter { $0 != "." }
        guard !name.hasPrefix("/") else { return file(parts.joined(separator: "/")) }
        let folder = command.source.split(separator: "/").dropLast()
        return file((folder + parts).joined(separator: "/")) ?? file(parts.joined(separator: "/"))
    }

    private func file(_ path: String) -> String? { entries[path]?.kind == .file ? path : nil }

    // MARK: Kernels

    /// What an initial RAM file system holds.
    struct Listing {
        let paths: Set<String>
        /// What compressed the part that was not read.
        let unread: String?

        /// The directories below `lib/modules`, that of merged systems included.
        var modules: [String] {
            let names = paths.compactMap { path -> String? in
                let parts = path.split(separator: "/")
                let tail = parts.first == "usr" ? parts.dropFirst() : parts[...]
                guard tail.count == 3, tail.starts(with: ["lib", "modules"]) else { return nil }
                return tail.last.map(String.init)
            }
            return Set(names).sorted()
        }
    }

    /// What the initial RAM file systems hold that configurations name or that lie in `boot`, by path.
    func listings(
        of commands: [LoaderEntry], _ image: borrowing ISOReader, _ faults: inout [MediumReport.Finding]
    ) throws -> [String: Listing] {
        var paths = Set(commands.flatMap { command in command.initrds.compactMap { path(of: $0, in: command) } })
        paths.formUnion(entries.keys.filter { $0.hasPrefix("boot/initramfs-") && file($0) != nil })
        var listings: [String: Listing] = [:]
        var left = InitramfsReader.maximumBytes
        for path in paths.sorted().prefix(Self.most) {
            guard let entry = entries[path] else { continue }
            guard left > 0, entry.size <= image.volume.imageSize else {
                faults.append(
                    .error(
                        "initramfs", path, "is not read: together they are larger than any that boots",
                        "make it smaller"))
                continue
            }
            do {
                var reader = try InitramfsReader(named: path)
                try image.forEachChunk(of: entry) { chunk in try reader.take(chunk) }
                try reader.finish()
                left -= min(left, reader.inflated)
                listings[path] = Listing(paths: Set(reader.paths), unread: reader.unread)
            } catch let error as ArchiveError {
                faults.append(
                    .error(
                        "initramfs", path, "cannot be unpacked: \(error.detail)", "put the file on the medium again"))
            }
        }
        return listings
    }

    func kernels(
        _ commands: [LoaderEntry], _ listings: [String: Listing], _ image: borrowing ISOReader
    ) throws -> [MediumReport.Kernel] {
        var initrds: [String: Set<String>] = [:]
        for path in entries.keys where path.hasPrefix("boot/vmlinuz-") && file(path) != nil {
            let own = "boot/initramfs-" + path.dropFirst(13)
            initrds[path] = file(own).map { [$0] } ?? []
        }
        for command in commands {
            guard let kernel = path(of: command.kernel, in: command) else { continue }
            initrds[kernel, default: []].formUnion(command.initrds.compactMap { path(of: $0, in: command) })
        }
        return try initrds.sorted { $0.key < $1.key }.map { path, initrds in
            MediumReport.Kernel(
                path: path, version: BootPart.kernelVersion(try head(path, image)),
                initramfsModules: Dictionary(
                    initrds.compactMap { initrd in listings[initrd].map { (initrd, $0.modules) } },
                    uniquingKeysWith: { first, _ in first }))
        }
    }

    /// The kernels for which each `boot/modloop-*` has modules; `firmware` lies beside them.
    func modloops(
        _ image: borrowing ISOReader, _ faults: inout [MediumReport.Finding]
    ) throws -> [String: [String]?] {
        var found: [String: [String]?] = [:]
        for path in entries.keys.sorted() where path.hasPrefix("boot/modloop-") && found.count < Self.most {
            guard let entry = entries[path], entry.kind == .file else { continue }
            do {
                let modules = try SquashFSReader.directories(in: ["modules"], named: path) { offset, count in
                    try image.bytes(of: entry, at: offset, count: count)
                }
                found[path] = .some((modules ?? []).filter { $0 != "firmware" }.sorted())
            } catch let error as ArchiveError where error.code == .unsupportedCompression {
                found[path] = .some(nil)
            } catch let error as ArchiveError {
                faults.append(.error("modloop", path, "\(error.detail)", "put the file on the medium again"))
            }
        }
        return found
    }

    private func head(_ path: String, _ image: borrowing ISOReader) throws -> [UInt8] {
        guard let entry = entries[path] else { return [] }
        struct Enough: Error {}
        var bytes: [UInt8] = []
        do {
            try image.forEachChunk(of: entry) { chunk in
                let piece = chunk.extracting(first: min(chunk.count, Self.headBytes - bytes.count))
                unsafe piece.withUnsafeBufferPointer { buffer in unsafe bytes.append(contentsOf: buffer) }
                guard bytes.count < Self.headBytes else { throw Enough() }
            }
        } catch is Enough { return bytes }
        return bytes
    }

    // MARK: Repositories

    func repositories(
        _ image: borrowing ISOReader, _ faults: inout [MediumReport.Finding]
    ) throws -> [MediumReport.Repository] {
        let mark = ".boot_repository"
        var found: [MediumReport.Repository] = []
        for path in entries.keys.sorted() where entries[path]?.kind == .file {
            let parts = path.split(separator: "/")
            guard parts.last == mark[...] else { continue }
            let folder = parts.dropLast().joined(separator: "/")
            // `find /media/* -maxdepth 3` counts the mount point as 0.
            guard parts.count <= 3 else {
                faults.append(
                    .warning(
                        "repository-too-deep", path, "init looks for it in three levels of directories and not below",
                        "put the repository nearer to the root"))
                continue
            }
            guard found.count < Self.most else { break }
            found.append(
                MediumReport.Repository(
                    path: folder, isSeenFirst: parts.count == 2, indexes: try indexes(of: folder, image, &faults)))
        }
        return found
    }

    private func indexes(
        of folder: String, _ image: borrowing ISOReader, _ faults: inout [MediumReport.Finding]
    ) throws -> [MediumReport.Repository.Index] {
        let prefix = folder.isEmpty ? "" : folder + "/"
        let paths = entries.keys.filter { path in
            path.hasPrefix(prefix) && path.hasSuffix("/APKINDEX.tar.gz")
                && path.dropFirst(prefix.count).split(separator: "/").count == 2
        }
        if paths.isEmpty {
            faults.append(
                .error(
                    "repository-without-index", prefix + ".boot_repository",
                    "marks a repository in which no ARCHITECTURE/APKINDEX.tar.gz is, so apk finds no package in it",
                    "write the index with apk index"))
        }
        return try paths.sorted().prefix(Self.most).map { path in
            guard let entry = entries[path], entry.size <= UInt64(PackageIndex.maximumCompressedBytes) else {
                return MediumReport.Repository.Index(path: path, packages: nil, absent: [])
            }
            do {
                let index = try PackageIndex(
                    archive: image.read(entry, limit: PackageIndex.maximumCompressedBytes), named: path)
                let folder = path.dropLast("APKINDEX.tar.gz".count)
                let absent = index.packages.filter { package in
                    let file = entries[folder + package.fileName]
                    return file?.kind != .file || file?.size != package.size
                }
                return MediumReport.Repository.Index(path: path, packages: index, absent: absent.map(\.fileName))
            } catch let error as UpstreamError {
                faults.append(
                    .error("repository-index", path, "apk cannot read it: \(error.detail)", "write the index again"))
                return MediumReport.Repository.Index(path: path, packages: nil, absent: [])
            }
        }
    }
}
