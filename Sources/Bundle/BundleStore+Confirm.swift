internal import Artefact
internal import SystemPackage

/// A version that has proven itself is the one to go back to.
extension BundleStore {
    /// What a confirmation came to.
    public struct Confirmation: Hashable, Sendable {
        /// The version that is confirmed.
        public let version: Version
        /// Whether that is new; not where this content was confirmed already.
        public let isChange: Bool
    }

    /// Notes that the live version has proven itself, after re-reading every byte of it.
    ///
    /// - Parameters:
    ///   - expected: The version that is meant, or `nil` for whichever is live.
    ///   - occasion: When, by whom and why, and what shows it.
    /// - Returns: What is confirmed.
    /// - Throws: ``BundleError`` with ``BundleError/Code/notLive`` where nothing or another version is live,
    ///   ``BundleError/Code/damaged`` where the bundle is not as it was published, or ``BundleError/Code/busy``.
    public func confirm(_ expected: Version? = nil, _ occasion: Occasion) throws -> Confirmation {
        try changing {
            guard let live = try current() else {
                throw BundleError(.notLive, subject: out.string, detail: "no version is live; activate one")
            }
            if let expected, expected != live {
                throw BundleError(
                    .notLive, subject: "version \(expected)",
                    detail: "is not live, \(live) is; only what runs can prove itself")
            }
            let reading = try verify(live)
            guard reading.isGood, let manifest = reading.manifest else {
                throw reading.refusal("version \(live)", remedy: "'verify' lists everything; roll back")
            }
            // The pointer must last before anything is said of what it points to.
            try disk.synchronise(directory: out)
            let digest = Digest(of: try manifest.encoded())
            let (standing, repair) = try reckon(on: occasion)
            guard !standing.isConfirmed(live, manifest: digest) else {
                return Confirmation(version: live, isChange: false)
            }
            let entry = History.Entry(
                from: live, to: live, manifest: digest, occasion: occasion, result: .confirmed)
            try append([repair, entry])
            return Confirmation(version: live, isChange: true)
        }
    }
}
