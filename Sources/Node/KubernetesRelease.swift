/// Which Kubernetes a KubeSolo is: a table, since nothing in a release says it before it runs.
public enum KubernetesRelease {
    /// The minor release of Kubernetes by the minor release of KubeSolo.
    private static let minors = ["1.1": "1.34", "1.2": "1.35", "1.3": "1.36"]

    /// The minor release of Kubernetes in a KubeSolo.
    ///
    /// - Parameter version: `1.2`, or a whole version such as `v1.2.2`.
    /// - Returns: `1.35`, or `nil` for a KubeSolo that is not in the table.
    public static func minor(ofKubeSolo version: String) -> String? {
        let numbers = version.drop { $0 == "v" }.split(separator: ".", omittingEmptySubsequences: false).prefix(2)
        return minors[numbers.joined(separator: ".")]
    }
}
