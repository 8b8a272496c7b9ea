public import Artefact
public import Node
public import SystemPackage

/// A file that a recipe refers to, as it was read.
public struct RecipeInput: Hashable, Sendable {
    /// The key that refers to it.
    public let keyPath: String
    /// Where it is.
    public let path: FilePath
    /// Its size in bytes.
    public let size: UInt64
    /// Its digest; `nil` where it is a secret.
    public let digest: Digest?
    /// Whether its bytes, and what follows from them, must not be shown.
    public let isSecret: Bool
}

/// A recipe that was read without a fault, and all that came with it.
public struct DecodedRecipe: Hashable, Sendable {
    /// The recipe as it was named.
    public let file: String
    /// What it says.
    public let recipe: Recipe
    /// What is doubtful about it, in the order in which it stands.
    public let warnings: [ConfigurationFault]
    /// The recipe itself and the files that it refers to.
    public let inputs: [RecipeInput]
    /// The time of the build: `SOURCE_DATE_EPOCH`, else the recipe's, else ``BuildStamp/defaultEpoch``.
    public let epoch: Int64

    /// The digest of the recipe's own bytes.
    public var digest: Digest { inputs.first?.digest ?? Digest(of: []) }

    /// The same with another recipe.
    func replacing(_ recipe: Recipe) -> DecodedRecipe {
        DecodedRecipe(file: file, recipe: recipe, warnings: warnings, inputs: inputs, epoch: epoch)
    }

    /// The same at another time of the build, in seconds since 1970; at its own where that is `nil`.
    public func dated(_ epoch: Int64?) -> DecodedRecipe {
        DecodedRecipe(file: file, recipe: recipe, warnings: warnings, inputs: inputs, epoch: epoch ?? self.epoch)
    }

    /// Makes every choice that the recipe leaves open, for a build of the version given.
    public func node(version: String = BuildStamp.developmentVersion) -> NodeImage {
        recipe.node(stamp: BuildStamp(version: version, epoch: epoch))
    }

    /// The same for one node of the fleet.
    public func node(_ member: FleetNode, version: String = BuildStamp.developmentVersion) -> NodeImage {
        recipe.node(member, stamp: BuildStamp(version: version, epoch: epoch))
    }
}

/// Reading recipes.
public enum RecipeFile {
    /// The name of a recipe where none is given.
    public static let defaultName = "ksbuild.yaml"

    /// Reads a recipe and the files that it refers to, and finds everything that is wrong with it.
    ///
    /// A recipe that is a pipe is waited for until it is written. It has no directory, and neither has one below `/dev`
    /// or `/proc`, such as `/dev/stdin`: what it refers to is found from the working directory.
    ///
    /// - Parameters:
    ///   - path: The recipe, relative to the working directory or absolute; messages name it as it is given.
    ///   - surroundings: What the recipe may refer to.
    /// - Returns: The recipe and what came with it.
    /// - Throws: ``RecipeFaults`` with all faults at once; ``FailureClass/noInput`` where the recipe does not exist.
    public static func decode(_ path: FilePath, surroundings: Surroundings) throws(RecipeFaults) -> DecodedRecipe {
        let (bytes, directory) = try read(path, surroundings)
        return try decode(bytes, named: path.string, directory: directory, surroundings: surroundings)
    }

    /// The bytes of a recipe, and what relative paths in it start from.
    static func read(
        _ path: FilePath, _ surroundings: Surroundings
    ) throws(RecipeFaults) -> (bytes: [UInt8], directory: FilePath) {
        let place = surroundings.workingDirectory.pushing(path)
        do {
            let kind = try HostFile.status(of: place).kind
            guard kind != .directory else { throw ArtefactError.system("read", place, .isDirectory) }
            let isStream = kind == .special || place.starts(with: "/dev") || place.starts(with: "/proc")
            let bytes = try HostFile.read(place, limit: SourceText.maximumBytes, waitingForWriter: true)
            return (bytes, isStream ? surroundings.workingDirectory : place.removingLastComponent())
        } catch {
            throw unreadable(path, error)
        }
    }

    /// Decodes the bytes of a recipe that stands, or would stand, in `directory`.
    ///
    /// - Parameters:
    ///   - bytes: The recipe.
    ///   - name: What messages call it.
    ///   - directory: What relative paths in it start from.
    ///   - surroundings: What it may refer to.
    /// - Returns: The recipe and what came with it.
    /// - Throws: ``RecipeFaults`` with all faults at once.
    public static func decode(
        _ bytes: [UInt8], named name: String, directory: FilePath, surroundings: Surroundings
    ) throws(RecipeFaults) -> DecodedRecipe {
        var reading = Reading(bytes, named: name, directory: directory, surroundings: surroundings)
        let (override, environmentFault) = sourceDateEpoch(surroundings.environment)
        if let environmentFault { reading.faults.append(environmentFault) }
        guard reading.faults.isEmpty else {
            throw RecipeFaults(reading.faults.sorted(by: ConfigurationFault.precedes))
        }
        let place = FilePath(name)
        let own = RecipeInput(
            keyPath: "",
            path: place.isAbsolute ? place : place.lastComponent.map { directory.appending($0) } ?? directory,
            size: UInt64(bytes.count), digest: Digest(of: bytes),
            isSecret: false)
        return DecodedRecipe(
            file: name, recipe: reading.recipe,
            warnings: reading.warnings.sorted(by: ConfigurationFault.precedes), inputs: [own] + reading.inputs,
            epoch: override ?? reading.recipe.epoch ?? BuildStamp.defaultEpoch)
    }

    /// The time of what is built without a recipe: `SOURCE_DATE_EPOCH`, else ``BuildStamp/defaultEpoch``.
    ///
    /// - Throws: ``RecipeFaults`` for a value that is no time.
    public static func epoch(_ surroundings: Surroundings) throws(RecipeFaults) -> Int64 {
        let (override, fault) = sourceDateEpoch(surroundings.environment)
        if let fault { throw RecipeFaults([fault]) }
        return override ?? BuildStamp.defaultEpoch
    }

    /// The time that reproducible-builds.org's `SOURCE_DATE_EPOCH` gives, or what is wrong with it.
    private static func sourceDateEpoch(
        _ environment: [String: String]
    ) -> (epoch: Int64?, fault: ConfigurationFault?) {
        guard let text = environment["SOURCE_DATE_EPOCH"], !text.isEmpty else { return (nil, nil) }
        let isDecimal = text.utf8.allSatisfy { (48...57).contains($0) }
        if isDecimal, let epoch = Int64(text), RecipeSchema.epochs.contains(epoch) { return (epoch, nil) }
        let fault = ConfigurationFault(
            file: "SOURCE_DATE_EPOCH", position: .none, keyPath: "",
            problem: "\(shown(text)) is no number of seconds from 0 to \(RecipeSchema.epochs.upperBound)",
            hint: "set it with: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)")
        return (nil, fault)
    }

    private static func unreadable(_ path: FilePath, _ error: any Error) -> RecipeFaults {
        func faults(_ problem: String, _ hint: String, _ failure: FailureClass) -> RecipeFaults {
            let fault = ConfigurationFault(
                file: path.string, position: .none, keyPath: "", problem: problem, hint: hint)
            return RecipeFaults([fault], failure)
        }
        guard let error = error as? ArtefactError else { return faults("cannot be read", "", .io) }
        switch error.errno {
        case .noSuchFileOrDirectory, .notDirectory:
            return faults(
                "there is no such recipe", "write one with 'ksbuild init', or name another with --recipe", .noInput)
        case .isDirectory: return faults("is a directory", "name the recipe in it", .noInput)
        case .fileTooLarge:
            return faults("is larger than \(SourceText.maximumBytes) bytes, which no recipe needs", "", .data)
        default: return faults("cannot be read (\(error.errno?.description ?? error.detail))", "", error.failureClass)
        }
    }
}

/// One pass over a recipe, faults and all.
struct Reading {
    var faults: [ConfigurationFault] = []
    var warnings: [ConfigurationFault] = []
    var inputs: [RecipeInput] = []
    var recipe = Recipe()
    /// The tree as it is written, where the text is YAML.
    var source: SourceNode?
    /// The keys that the decoder asked for.
    var keysTaken: Set<String> = []

    init(_ bytes: [UInt8], named name: String, directory: FilePath, surroundings: Surroundings) {
        let text: SourceText
        do {
            text = try SourceText(bytes, file: name)
        } catch {
            faults = [error]
            return
        }
        let (root, sourceFaults) = SourceParser.parse(text, file: name)
        faults = sourceFaults
        source = root
        guard let root else { return }
        let (checked, schemaFaults) = SchemaCheck.check(root, file: name)
        faults += schemaFaults
        guard let checked else { return }
        var reader = RecipeReader(
            file: name, references: ReferenceReader(directory: directory, surroundings: surroundings),
            refused: Set(schemaFaults.map(\.keyPath)))
        reader.faults = faults
        reader.read(checked)
        reader.readFleet(checked)
        faults = reader.faults
        warnings = reader.warnings
        inputs = reader.inputs
        recipe = reader.recipe
        keysTaken = reader.keysTaken
    }
}
