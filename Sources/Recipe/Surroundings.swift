public import SystemPackage

/// What a recipe may refer to beyond itself; the command line reads it once and hands it down.
public struct Surroundings: Hashable, Sendable {
    /// The environment, for `env:` and `SOURCE_DATE_EPOCH`.
    public var environment: [String: String]
    /// The directory that relative paths of the command line start from.
    public var workingDirectory: FilePath
    /// The home directory, for `file:~/`.
    public var home: FilePath?

    /// Joins the parts.
    public init(environment: [String: String] = [:], workingDirectory: FilePath = ".", home: FilePath? = nil) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.home = home
    }
}
