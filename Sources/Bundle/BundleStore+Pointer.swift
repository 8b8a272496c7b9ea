internal import Artefact
internal import SystemPackage

/// What `current` is.
enum Pointed: Hashable {
    /// Nothing has the name.
    case nothing
    /// A link to a bundle that is there.
    case version(Version)
    /// Something else that a switch replaces, and what.
    case broken(String)
    /// A directory, which no switch replaces.
    case directory

    /// The version it leads to.
    var version: Version? {
        guard case .version(let version) = self else { return nil }
        return version
    }

    /// What follows "current".
    var manner: String {
        switch self {
        case .nothing: "is not there"
        case .version(let version): "points to \(version)"
        case .broken(let why): why
        case .directory: "is a directory"
        }
    }
}

/// Reading the pointer.
extension BundleStore {
    /// The live version, or `nil` where none was ever activated.
    ///
    /// - Throws: ``BundleError`` with ``BundleError/Code/brokenPointer`` where `current` is not a link to a bundle that
    ///   is there, ``ArtefactError`` where that cannot be read.
    public func current() throws -> Version? {
        switch try pointed() {
        case .nothing: return nil
        case .version(let version): return version
        case .broken(let why):
            throw BundleError(
                .brokenPointer, subject: pointer.string,
                detail: "\(why); activate a version to point it somewhere, or roll back")
        case .directory: throw Self.directory(at: pointer, .brokenPointer)
        }
    }

    /// Refuses what a rename cannot replace, before anything is written.
    func requireReplaceablePointer() throws {
        guard try pointed() == .directory else { return }
        throw Self.directory(at: pointer, .system(.cannotCreate))
    }

    private static func directory(at pointer: FilePath, _ code: BundleError.Code) -> BundleError {
        BundleError(
            code, subject: pointer.string,
            detail: "is a directory, where the link to the live bundle belongs; move it away or remove it")
    }

    /// What `current` is, whoever made it: a link to a bundle of this store counts however it is written.
    func pointed() throws -> Pointed {
        guard let status = try HostFile.present(pointer) else { return .nothing }
        guard status.kind != .directory else { return .directory }
        guard status.kind == .symlink else { return .broken("is no symbolic link") }
        let target: String
        do throws(ArtefactError) {
            target = try HostFile.target(ofLink: pointer)
        } catch {
            guard error.code == .invalidPath else { throw error }
            return .broken(error.detail)
        }
        guard let version = version(atLink: target) else {
            return .broken("does not point to a bundle but to '\(target.prefix(200))'")
        }
        guard try HostFile.present(path(of: version))?.kind == .directory else {
            return .broken("points to version \(version), which is not there")
        }
        return .version(version)
    }

    /// The version whose bundle a link in the output directory names: relative or absolute, but never by way of `..`.
    private func version(atLink target: String) -> Version? {
        let path = FilePath(target)
        guard let name = path.lastComponent?.string, let version = try? Version(name),
            !path.components.contains(where: { $0.kind == .parentDirectory })
        else { return nil }
        let parent = path.removingLastComponent()
        if parent == FilePath("bundles") { return version }
        guard let named = try? HostFile.status(of: out.pushing(parent)), let own = try? HostFile.status(of: bundles)
        else { return nil }
        return named.identity == own.identity ? version : nil
    }
}

extension HostFile {
    /// What stands at `path`, links not followed, or `nil` where nothing does.
    static func present(_ path: FilePath) throws(ArtefactError) -> Status? {
        do {
            return try status(of: path, followingLinks: false)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }
}
