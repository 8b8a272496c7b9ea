import Artefact
import Fetch
import Node
import Recipe
import SystemPackage
import Upstream

/// The lock of a recipe, where it is and what it says.
struct LockFile {
    /// Where it is, or would be.
    let path: FilePath
    /// What it says; `nil` where it is not there.
    let lock: InputLock?
    /// What is wrong with it, where that does not matter.
    let fault: LockError?

    /// Reads it.
    ///
    /// - Parameters:
    ///   - option: The recipe, and where its lock is.
    ///   - isReplaced: Whether it will be written anew, so that one that is not there or not right is none.
    /// - Throws: `LockError`, `ArtefactError`.
    init(_ option: RecipeOption, isReplaced: Bool = false) throws {
        let recipe = FilePath(option.recipe)
        let isStream = recipe.starts(with: "/dev") || recipe.starts(with: "/proc")
        path =
            option.lock.map { FilePath($0) }
            ?? (isStream ? FilePath(InputLock.fileName) : recipe.removingLastComponent().appending(InputLock.fileName))
        guard option.lock != nil && !isReplaced || HostFile.exists(path) else {
            lock = nil
            fault = nil
            return
        }
        do {
            lock = try InputLock(
                decoding: HostFile.read(path, limit: InputLock.maximumBytes), named: path.string)
            fault = nil
        } catch let error as LockError where isReplaced {
            lock = nil
            fault = error
        }
    }

    /// What it says.
    ///
    /// - Throws: `FetchError` where it is not there.
    func required() throws -> InputLock {
        guard let lock else {
            throw FetchError(
                .noLock, subject: path.string, detail: "is not there; run 'ksbuild fetch --update-lock' to write it")
        }
        return lock
    }
}

extension InputOptions {
    /// Where the inputs of a build are: as the options say, else as the lock has them in the cache.
    ///
    /// - Parameters:
    ///   - file: The lock.
    ///   - cache: The cache.
    ///   - node: What is built.
    ///   - areRequired: Whether one that is not in the cache is an error.
    ///   - folder: Where a directory of links is made.
    ///   - report: Is told what is not in the cache.
    /// - Returns: The inputs.
    /// - Throws: `FetchError` for one that is needed and not in the cache.
    func sources(
        locked file: LockFile, in cache: InputCache, for node: UpstreamNames, areRequired: Bool,
        folder: FilePath, report: BuildReport
    ) throws -> InputSources {
        var sources = sources
        guard mirror == nil, let lock = file.lock else { return sources }
        let missingEntries = lock.findings(needed: [node.image, node.kubesolo], named: file.path.string)
            .filter { $0.kind == .missing }
        if areRequired, let error = FetchError.stale(missingEntries) { throw error }
        for finding in missingEntries { report(.unchecked(finding.description)) }
        var found: [(name: String, path: FilePath)] = []
        var missing: [InputLock.Entry] = []
        for entry in lock.entries {
            if let path = try cache.find(entry.sha256) {
                found.append((entry.name, path))
            } else if !(entry.name == node.image && iso != nil || entry.name == node.kubesolo && kubesolo != nil) {
                missing.append(entry)
            }
        }
        guard missing.isEmpty || !areRequired else { throw FetchError.notCached(missing) }
        for entry in missing {
            report(.unchecked("\(entry.name) is locked and not in the cache; 'ksbuild fetch' brings it there"))
        }
        let view = try LockedView.make(found, in: folder.appending("inputs"))
        func place(_ name: String) -> FilePath? {
            found.contains { $0.name == name } ? view.root.pushing(FilePath(name)) : nil
        }
        sources.alpineImage = sources.alpineImage ?? place(node.image)
        sources.kubesolo = sources.kubesolo ?? place(node.kubesolo)
        // What a mirror lacks is an error, so it serves only where nothing has to be looked up there but packages.
        if sources.alpineImage != nil, sources.kubesolo != nil { sources.mirror = view.root }
        return sources
    }
}

/// The names of the inputs that every build has, as a lock has them.
struct UpstreamNames {
    let image: String
    let kubesolo: String
}

extension Project {
    /// The names of the inputs that it has in any case.
    var upstreamNames: UpstreamNames {
        UpstreamNames(
            image: UpstreamInput.alpineImage(node.alpine, node.architecture).lockName,
            kubesolo: UpstreamInput.kubeSolo(KubeSoloAsset(node.kubesolo, node.architecture)).lockName)
    }

    /// Demands that the lock holds nothing but what a build takes.
    ///
    /// - Throws: `FetchError` with the first entry that nothing needs, and the command that mends it.
    func requireNothingUnused(_ gathered: BuildInputs) throws {
        guard let lock = lockFile.lock, let packages = gathered.packages else { return }
        let base = "alpine/\(node.alpine.branch)"
        let files = packages.repositoryFiles.map {
            "\(base)/\($0.repository)/\(node.architecture.alpineName)/\($0.name)"
        }
        let needed = Set([upstreamNames.image, upstreamNames.kubesolo] + files)
        let unused = lock.findings(needed: needed, named: lockFile.path.string).filter { $0.kind == .unused }
        if let error = FetchError.stale(unused) { throw error }
    }
}
