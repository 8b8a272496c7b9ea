internal import Artefact
internal import SystemPackage

/// A value that stands elsewhere: `file:PATH` or `env:NAME`.
enum Reference {
    case file(String)
    case environment(String)

    /// Takes a reference; `nil` for any other text.
    init?(_ text: String) {
        if text.hasPrefix("file:") {
            self = .file(String(text.dropFirst("file:".count)))
        } else if text.hasPrefix("env:") {
            self = .environment(String(text.dropFirst("env:".count)))
        } else {
            return nil
        }
    }
}

/// Why a reference leads nowhere.
struct ReferenceProblem: Error {
    let detail: String
    let hint: String
}

/// Follows references, relative to the recipe's directory.
///
/// A file is read once: all that refer to it see the same bytes and share them, however many nodes a fleet has.
struct ReferenceReader {
    /// What was read so far.
    private final class Shelf {
        var files: [FilePath: [UInt8]] = [:]
    }

    let directory: FilePath
    let surroundings: Surroundings
    private let shelf = Shelf()

    init(directory: FilePath, surroundings: Surroundings) {
        self.directory = directory
        self.surroundings = surroundings
    }

    /// The path that a recipe means: absolute, below the home directory, or relative to the recipe.
    func path(_ text: String) throws(ReferenceProblem) -> FilePath {
        if text == "~" || text.hasPrefix("~/") {
            guard let home = surroundings.home else {
                throw ReferenceProblem(
                    detail: "begins with '~', and no home directory is known", hint: "write the path out")
            }
            return home.pushing(FilePath(String(text.dropFirst(2))))
        }
        guard !text.hasPrefix("~") else {
            throw ReferenceProblem(detail: "names another user's home directory", hint: "write the path out")
        }
        return directory.pushing(FilePath(text)).lexicallyNormalized()
    }

    /// The bytes that a reference leads to, at most `limit` of them, and the file that they come from.
    func bytes(
        of reference: Reference, limit: Int
    ) throws(ReferenceProblem) -> (bytes: [UInt8], path: FilePath?) {
        switch reference {
        case .environment(let name):
            guard let value = surroundings.environment[name] else {
                throw ReferenceProblem(
                    detail: "refers to the environment variable \(shown(name)), which is not set", hint: "set it")
            }
            guard value.utf8.count <= limit else {
                throw ReferenceProblem(detail: "refers to more than \(limit) bytes", hint: "")
            }
            return (Array(value.utf8), nil)
        case .file(let text):
            let path = try path(text)
            do {
                let known = shelf.files[path]
                let status = try known == nil ? HostFile.status(of: path) : nil
                if let status, status.kind != .file {
                    let noun = status.kind == .directory ? "a directory" : "no regular file"
                    throw ReferenceProblem(
                        detail: "refers to \(shown(path.string)), which is \(noun)", hint: "name a file")
                }
                guard status?.size ?? UInt64(known?.count ?? 0) <= UInt64(limit) else {
                    throw ReferenceProblem(
                        detail: "refers to \(shown(path.string)), which is larger than \(limit) bytes", hint: "")
                }
                let bytes = try known ?? HostFile.read(path, limit: limit)
                shelf.files[path] = bytes
                return (bytes, path)
            } catch let problem as ReferenceProblem {
                throw problem
            } catch let error as ArtefactError {
                throw Self.unreadable(path, error)
            } catch {
                throw ReferenceProblem(detail: "refers to \(shown(path.string)), which cannot be read", hint: "")
            }
        }
    }

    private static func unreadable(_ path: FilePath, _ error: ArtefactError) -> ReferenceProblem {
        let refers = "refers to \(shown(path.string)), which"
        switch error.errno {
        case .noSuchFileOrDirectory, .notDirectory:
            return ReferenceProblem(
                detail: "\(refers) does not exist", hint: "check the path; it is relative to the recipe")
        case .permissionDenied, .notPermitted:
            return ReferenceProblem(detail: "\(refers) may not be read by this user", hint: "check its mode and owner")
        default: return ReferenceProblem(detail: "\(refers) cannot be read (\(error.detail))", hint: "")
        }
    }
}
