internal import Artefact
internal import Node
internal import SystemPackage

/// Makes a ``Recipe`` of a tree that fits the schema, and finds what no schema can say.
struct RecipeReader {
    let file: String
    let references: ReferenceReader
    /// The paths of the keys whose values do not fit the schema: what was read lacks them, and yet they are given.
    let refused: Set<String>
    var recipe = Recipe()
    var faults: [ConfigurationFault] = []
    var warnings: [ConfigurationFault] = []
    var inputs: [RecipeInput] = []
    /// Whether what is read is what the nodes of a fleet share, which each of them may complete.
    private(set) var isShared = false
    /// The keys that were asked for, as the schema writes their paths.
    private(set) var keysTaken: Set<String> = []

    init(file: String, references: ReferenceReader, refused: Set<String> = []) {
        self.file = file
        self.refused = refused
        self.references = references
    }

    /// Reads the whole recipe.
    mutating func read(_ root: CheckedNode) {
        isShared = root["nodes"].map { !$0.entries.isEmpty } ?? false
        _ = take("apiVersion", of: root)
        recipe.name = take("name", of: root)?.text
        recipe.hostname = take("hostname", of: root)?.text
        if let alpine = take("alpine", of: root) { readAlpine(alpine) }
        if let kubesolo = take("kubesolo", of: root) { readKubeSolo(kubesolo) }
        if let network = take("network", of: root) { readNetwork(network) }
        let access = take("access", of: root)
        if let access { readAccess(access) }
        warnWithoutKeys(access)
        if let storage = take("storage", of: root), let data = take("data", of: storage) { readDataDisk(data) }
        readPackages(root)
        readLayers(root)
        if let own = take("ownPackages", of: root) { readOwnPackages(own) }
        if let kernel = take("kernel", of: root) { readKernel(kernel) }
        if let seed = take("seed", of: root) { readSeed(seed) }
        readServices(root)
        readTrust(root)
        recipe.epoch = take("epoch", of: root)?.integer
        if let machine = take("vm", of: root) { readMachine(machine) }
    }

    /// The value of a key, where it is given and fits.
    mutating func take(_ key: String, of node: CheckedNode) -> CheckedNode? {
        keysTaken.insert(node.schemaPath.isEmpty ? key : "\(node.schemaPath).\(key)")
        return node[key]
    }

    mutating func fault(_ node: CheckedNode, _ problem: String, _ hint: String = "") {
        fault(node.position, node.path, problem, hint)
    }

    mutating func fault(_ position: SourcePosition, _ path: String, _ problem: String, _ hint: String = "") {
        faults.append(ConfigurationFault(file: file, position: position, keyPath: path, problem: problem, hint: hint))
    }

    mutating func warn(_ node: CheckedNode?, _ path: String, _ problem: String, _ hint: String = "") {
        warn(node?.position ?? .none, path, problem, hint)
    }

    mutating func warn(_ position: SourcePosition, _ path: String, _ problem: String, _ hint: String = "") {
        warnings.append(ConfigurationFault(file: file, position: position, keyPath: path, problem: problem, hint: hint))
    }

    /// Notes keys that another reader of the same recipe asked for.
    mutating func noteKeys(_ keys: [String]) { keysTaken.formUnion(keys) }

    /// The texts of a list; one that stands there twice is a fault.
    mutating func distinctTexts(_ list: CheckedNode?) -> [String] {
        var texts: [String] = []
        for item in list?.items ?? [] {
            guard let text = item.text else { continue }
            if texts.contains(text) {
                fault(item, "\(shown(text)) is listed twice", "keep one of them")
            } else {
                texts.append(text)
            }
        }
        return texts
    }

    /// Follows a reference and notes the file as an input.
    mutating func follow(_ node: CheckedNode, _ reference: Reference, limit: Int, isSecret: Bool) -> [UInt8]? {
        do {
            let (bytes, path) = try references.bytes(of: reference, limit: limit)
            if let path {
                inputs.append(
                    RecipeInput(
                        keyPath: node.path, path: path, size: UInt64(bytes.count),
                        digest: isSecret ? nil : Digest(of: bytes), isSecret: isSecret))
            }
            return bytes
        } catch {
            fault(node, error.detail, error.hint)
            return nil
        }
    }

    /// A digest; its form has been checked.
    mutating func digest(_ key: String, of node: CheckedNode) -> Digest? {
        take(key, of: node)?.text.flatMap { try? Digest(hex: $0) }
    }
}

extension RecipeReader {
    private mutating func readAlpine(_ alpine: CheckedNode) {
        recipe.alpine.release = take("release", of: alpine)?.text
        recipe.alpine.flavor = take("flavor", of: alpine)?.text.flatMap(AlpineRelease.Flavor.init)
        recipe.alpine.architecture = take("arch", of: alpine)?.text.flatMap(Architecture.init)
        recipe.alpine.sha256 = digest("sha256", of: alpine)
    }

    private mutating func readKubeSolo(_ kubesolo: CheckedNode) {
        if let node = take("release", of: kubesolo), let text = node.text {
            if text == "latest" {
                recipe.kubesolo.isLatest = true
            } else if let version = KubeSoloVersion(text) {
                recipe.kubesolo.release = version
                judge(version, node)
            } else {
                fault(
                    node, "\(shown(text)) is not a KubeSolo release",
                    "write one such as \(Recipe.defaultKubeSoloVersion)")
            }
        }
        recipe.kubesolo.variant = take("variant", of: kubesolo)?.text.flatMap(KubeSolo.Variant.init)
        recipe.kubesolo.sha256 = digest("sha256", of: kubesolo)
        if let configuration = take("config", of: kubesolo) { readConfiguration(configuration.configuration) }
    }

    private mutating func judge(_ version: KubeSoloVersion, _ node: CheckedNode) {
        switch version.fitness {
        case .unfit(let why):
            fault(node, "\(version) does not run on Alpine: \(why)", "use \(KubeSoloVersion.oldestOnAlpine) or newer")
        case .doubtful(let why):
            warn(node, node.path, "\(version) \(why)", "\(KubeSoloVersion.recommended) or newer is better")
        case .fit: break
        }
    }

    private mutating func readPackages(_ root: CheckedNode) {
        recipe.packages = distinctTexts(take("packages", of: root)).filter { $0 != "alpine-base" }
        recipe.repositories = distinctTexts(take("repositories", of: root))
    }

    private mutating func readLayers(_ root: CheckedNode) {
        var seen: [FilePath] = []
        for item in take("layers", of: root)?.items ?? [] {
            guard let text = item.text else { continue }
            do {
                let path = try references.path(text)
                let status = try? HostFile.status(of: path)
                if status?.kind != .directory {
                    let problem = status == nil ? "does not exist" : "is no directory"
                    fault(item, "\(shown(path.string)) \(problem)", "layers are directories, relative to the recipe")
                } else if seen.contains(path) {
                    fault(item, "\(shown(text)) is listed twice", "keep one of them")
                } else {
                    seen.append(path)
                    recipe.placesAsWritten[path] = text
                }
            } catch {
                fault(item, "\(shown(text)) \(error.detail)", error.hint)
            }
        }
        recipe.layers = seen
    }

    private mutating func readOwnPackages(_ own: CheckedNode) {
        func file(_ key: String, _ kind: HostFile.Status.Kind, _ noun: String) -> FilePath? {
            guard let item = take(key, of: own), let text = item.text else { return nil }
            do {
                let path = try references.path(text)
                if let status = try? HostFile.status(of: path), status.kind == kind {
                    recipe.placesAsWritten[path] = text
                    return path
                }
                fault(item, "\(shown(path.string)) is no \(noun)", "paths are relative to the recipe")
            } catch {
                fault(item, "\(shown(text)) \(error.detail)", error.hint)
            }
            return nil
        }
        let directory = file("directory", .directory, "directory")
        guard let key = file("key", .file, "file; make one with ksbuild keygen"), let directory else { return }
        recipe.ownPackages = OwnPackages(directory: directory, key: key)
    }

    private mutating func readKernel(_ kernel: CheckedNode) {
        if let console = take("console", of: kernel) { recipe.consoles = distinctTexts(console) }
        guard let parameters = take("parameters", of: kernel) else { return }
        recipe.kernelParameters = distinctTexts(parameters)
        for item in parameters.items {
            guard let text = item.text, let odd = Self.placeholders.first(where: { text.contains($0) }) else {
                continue
            }
            fault(item, "\(shown(text)) holds \(odd), which not every way to boot would replace", "write it without")
        }
    }

    /// What stands for a node in the words of its kernel, on media of fleets and over the network.
    private static let placeholders = ["{node}", "{MAC}", "{UUID}"]

    private mutating func readSeed(_ seed: CheckedNode) {
        if let identifier = take("instanceID", of: seed)?.text {
            recipe.seed.instanceIdentifier = identifier == "content" ? .content : .fixed(identifier)
            recipe.isInstanceIdentifierGiven = true
        }
        recipe.seed.userData = seedFile("userData", of: seed)
        recipe.seed.vendorData = seedFile("vendorData", of: seed)
    }

    /// The largest file of a seed in bytes.
    static let seedFileLimit = 4 << 20

    private mutating func seedFile(_ key: String, of seed: CheckedNode) -> [UInt8]? {
        guard let node = take(key, of: seed), let text = node.text, let reference = Reference(text) else { return nil }
        guard let bytes = follow(node, reference, limit: Self.seedFileLimit, isSecret: true) else { return nil }
        guard !bytes.isEmpty else {
            fault(node, "refers to an empty file", "write to it, or remove the key")
            return nil
        }
        return bytes
    }

    private mutating func readMachine(_ machine: CheckedNode) {
        if let node = take("memory", of: machine), let memory = node.byteCount { recipe.machine.memory = memory }
        if let cpus = take("cpus", of: machine)?.integer { recipe.machine.processors = Int(cpus) }
        if let node = take("disk", of: machine), let disk = node.byteCount {
            recipe.machine.disk = disk
            if !disk.isMultiple(of: 512) { fault(node, "is \(disk) bytes, and disks have whole sectors of 512 bytes") }
        }
        if let network = take("network", of: machine)?.text { recipe.machine.network = network }
    }
}
