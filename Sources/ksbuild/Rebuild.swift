import Artefact
import Bundle
import Diff
import Recipe
import SystemPackage

/// Builds a bundle a second time, in a folder that nobody keeps, and says where the two are not the same.
struct Rebuild {
    /// What is built again.
    let bundle: FilePath
    /// What it says of itself, verified.
    let manifest: Manifest
    /// The recipe that it should come from.
    let recipe: RecipeOption
    /// Where the inputs are, if not in the cache.
    let inputs: InputOptions
    /// What is shown.
    let report: ReportOptions

    /// A file that came out otherwise.
    struct Departure {
        /// Its place in the bundle.
        let file: String
        /// What is otherwise.
        let detail: String
    }

    /// What came of it.
    struct Outcome {
        /// Where the two differ, the files in the order in which they are made; empty where nothing does.
        let departures: [Departure]
        /// What differs, in the words of `diff`.
        let explanation: [String]
        /// The inputs that nothing vouched for while this was built.
        let unverified: [String]
        /// Whether the inputs were verified in another way, which is in none of the bytes but those of the manifest.
        let isVouchedForOtherwise: Bool
    }

    /// Builds and compares.
    ///
    /// - Returns: Where the two differ.
    /// - Throws: As `bundle` does; an input that is not at hand is ``FailureClass/noInput``.
    func run() throws -> Outcome {
        let description = manifest.description
        let project = try Project(
            recipe, version: description.version.description, epoch: description.epoch, report)
        guard project.decoded.digest == description.recipe else {
            return Outcome(
                departures: [
                    Departure(
                        file: Manifest.fileName,
                        detail: "was made from a recipe with SHA-256 \(description.recipe), and "
                            + "\(project.decoded.file) has \(project.decoded.digest); name the recipe with --recipe")
                ], explanation: [], unverified: [], isVouchedForOtherwise: false)
        }
        let work = try TemporaryFolder(in: Host.temporaryDirectory, prefix: "ksbuild-rebuild-")
        var build = try project.build(inputs, areRequired: true, in: work)
        build.speak(as: description)
        let isComposing = manifest.media.contains { $0.result != nil }
        let stage = try project.stage(build, isComposingMedia: isComposing)
        project.reporter.show(.step("build \(description.version) again"))
        let again = try BundleStore(work.path.appending("out")).publish(stage)
        let departures = try departures(
            from: again, in: (stage.batch?.files ?? []).map(\.path) + stage.artefacts.map(\.file))
        let explanation =
            departures.isEmpty
            ? []
            : Difference(
                try Side(bundle: bundle, named: "the bundle"), try Side(bundle: again.path, named: "the new build"),
                showsText: true
            ).changedLines
        return Outcome(
            departures: departures, explanation: explanation,
            unverified: again.manifest.description.inputs.filter { $0.trust == .none }.map(\.name),
            isVouchedForOtherwise: manifest != again.manifest)
    }

    private func departures(from again: Publication, in order: [String]) throws -> [Departure] {
        let old = Dictionary(manifest.artefacts.map { ($0.path, $0) }) { first, _ in first }
        let new = Dictionary(again.manifest.artefacts.map { ($0.path, $0) }) { first, _ in first }
        let made = Set(order)
        let names = order + old.keys.filter { !made.contains($0) }.sorted()
        var departures: [Departure] = []
        for name in names where old[name] != new[name] {
            switch (old[name], new[name]) {
            case (nil, _): departures.append(Departure(file: name, detail: "is not in the bundle"))
            case (_, nil): departures.append(Departure(file: name, detail: "does not come out of the build"))
            case (let a?, let b?) where a.sha256 != b.sha256:
                let place = try ComparedBytes.firstDifference(
                    bundle.pushing(FilePath(a.path)), again.path.pushing(FilePath(b.path)),
                    isSecret: a.isSecret || b.isSecret)
                departures.append(Departure(file: name, detail: "comes out otherwise: \(place)"))
            default: departures.append(Departure(file: name, detail: "comes out with another mode or role"))
            }
        }
        if departures.isEmpty, !again.manifest.describesTheSame(as: manifest) {
            departures.append(
                Departure(
                    file: Manifest.fileName,
                    detail: "comes out otherwise: "
                        + (try ComparedBytes.firstDifference(
                            bundle.appending(Manifest.fileName), again.path.appending(Manifest.fileName),
                            isSecret: false))))
        }
        return departures
    }
}
