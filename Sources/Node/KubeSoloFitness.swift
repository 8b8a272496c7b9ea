/// Which releases of KubeSolo a diskless Alpine node can run.
extension KubeSoloVersion {
    /// How well a release runs on Alpine.
    public enum Fitness: Hashable, Sendable {
        /// Not at all, and why: a sentence without the release as its subject.
        case unfit(String)
        /// With a drawback: a predicate such as "needs a second SIGTERM to stop".
        case doubtful(String)
        /// Without a known drawback.
        case fit
    }

    /// The oldest release that runs on Alpine.
    public static let oldestOnAlpine = KubeSoloVersion(major: 1, minor: 1, patch: 3)
    /// The oldest release without a known drawback there.
    public static let recommended = KubeSoloVersion(major: 1, minor: 2, patch: 2)

    /// How well this release runs on Alpine.
    public var fitness: Fitness {
        if self < .oldestOnAlpine {
            return .unfit("before v1.1.3 its cgroup driver is always systemd's, which OpenRC does not have")
        }
        guard self < .recommended else { return .fit }
        return .doubtful(
            readsConfigurationFile
                ? "needs a second SIGTERM to stop" : "wipes its images at every start or has no configuration file")
    }
}
