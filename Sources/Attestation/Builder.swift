/// What makes bundles, and the names that documents use for it and for what it does.
///
/// The names are identifiers and no addresses: nothing answers there. `docs/bundle.md` says what they stand for.
public enum Builder {
    /// The version of this ksbuild.
    public static let version = "0.1.0"
    /// What SLSA calls `builder.id`: a ksbuild on a host that nothing is known of.
    public static let identifier = "urn:ksbuild:builder:host:v1"
    /// What SLSA calls `buildType`: a recipe and its inputs become one bundle.
    public static let buildType = "urn:ksbuild:buildtype:bundle:v1"
    /// How the namespaces of SPDX documents begin.
    static let documents = "urn:ksbuild:spdx:"
}
