/// The two values that tell one build from another, its version and its time; neither comes from the clock.
public struct BuildStamp: Hashable, Sendable {
    /// The version that artefacts carry, such as `1.4.0`.
    public let version: String
    /// Seconds since 1970-01-01T00:00:00Z that every time stamp in every artefact has.
    public let epoch: Int64

    /// The epoch of builds for which neither `SOURCE_DATE_EPOCH` nor the recipe gives one: 2026-01-01T00:00:00Z.
    public static let defaultEpoch: Int64 = 1_767_225_600

    /// The version of artefacts that are built outside a bundle.
    public static let developmentVersion = "0.0.0-dev"

    /// Joins a version and an epoch.
    public init(version: String, epoch: Int64) {
        self.version = version
        self.epoch = epoch
    }
}
