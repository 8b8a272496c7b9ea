import Artefact
import SystemPackage

/// Where the files are that go into images: found relative to the executable, wherever that was moved.
enum Resources {
    /// The directory `overlays`: what every node's overlay is made of.
    static func overlays() throws(ArtefactError) -> FilePath { try find("overlays") }

    /// The directory `templates`: the starter recipe.
    static func templates() throws(ArtefactError) -> FilePath { try find("templates") }

    /// Looks in `../share/ksbuild` beside the executable's directory, as `make install` lays it out, then in the
    /// directories above it, where a checkout has `Package.swift`.
    private static func find(_ name: String) throws(ArtefactError) -> FilePath {
        let executable = FilePath(try HostFile.target(ofLink: "/proc/self/exe"))
        var directory = executable.removingLastComponent()
        let installed = directory.removingLastComponent().pushing("share/ksbuild").appending(name)
        if HostFile.exists(installed) { return installed }
        while directory.lastComponent != nil {
            directory = directory.removingLastComponent()
            if HostFile.exists(directory.appending("Package.swift")), HostFile.exists(directory.appending(name)) {
                return directory.appending(name)
            }
        }
        throw ArtefactError(
            .system, subject: installed.string,
            detail: "is missing beside \(executable.string); install share/ksbuild together with bin/ksbuild",
            errno: .noSuchFileOrDirectory)
    }
}
