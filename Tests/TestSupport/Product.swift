internal import Artefact
internal import Glibc
public import SystemPackage

/// What the tests are built from and beside: the checkout, the built command and the laboratory.
public enum Product {
    /// The root of the checkout.
    public static let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent()

    /// The command that was built together with the tests.
    public static var ksbuild: FilePath {
        get throws {
            let bundle = FilePath(try HostFile.target(ofLink: "/proc/self/exe"))
            for folder in [bundle.removingLastComponent(), checkout.pushing(".build/debug")] {
                let command = folder.appending("ksbuild")
                if HostFile.exists(command) { return command }
            }
            throw ArtefactError.system("find the built ksbuild beside", bundle, .noSuchFileOrDirectory)
        }
    }

    /// The laboratory that `make lab` keeps: a real Alpine image, stand-ins for KubeSolo, keys.
    public static var lab: FilePath {
        if let folder = environment("KSBUILD_LAB") { return FilePath(folder) }
        if let cache = environment("XDG_CACHE_HOME") { return FilePath(cache).appending("ksbuild-lab") }
        return FilePath(environment("HOME") ?? "/root").pushing(".cache/ksbuild-lab")
    }

    /// The laboratory's mirror, with the layout of upstream's releases.
    public static var mirror: FilePath { lab.appending("mirror") }

    /// Reads a variable of the environment.
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// Runs the built command to its end.
public func ksbuild(
    _ arguments: String..., in directory: FilePath, environment: [String: String] = [:]
) async throws -> ProgramResult {
    try await run(try Product.ksbuild.string, arguments, in: directory, environment: environment)
}
