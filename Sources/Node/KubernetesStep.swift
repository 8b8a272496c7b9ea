/// The step between the Kubernetes of two KubeSolo releases, which upstream allows one minor release at a time.
public struct KubernetesStep: Hashable, Sendable, CustomStringConvertible {
    /// The minor release that runs, `1.34`; `nil` where it is unknown.
    public let from: String?
    /// The minor release that would run.
    public let to: String?

    /// Looks both up.
    public init(from old: KubeSoloVersion, to new: KubeSoloVersion) {
        from = KubernetesRelease.minor(ofKubeSolo: old.description)
        to = KubernetesRelease.minor(ofKubeSolo: new.description)
    }

    /// The minor releases that are stepped over, in order; empty where the step is allowed or unknown.
    public var skipped: [String] {
        guard let from, let to, let first = Self.minor(from), let last = Self.minor(to), last - first > 1,
            last - first < 100
        else { return [] }
        return ((first + 1)..<last).map { "1.\($0)" }
    }

    private static func minor(_ text: String) -> Int? {
        text.hasPrefix("1.") ? Int(text.dropFirst(2)) : nil
    }

    /// `Kubernetes 1.34 → 1.35`, with what is skipped.
    public var description: String {
        let step = "Kubernetes \(from ?? "unknown") → \(to ?? "unknown")"
        return skipped.isEmpty
            ? step : "\(step) skips \(skipped.joined(separator: ", ")); upgrade to a KubeSolo with each of them first"
    }
}
