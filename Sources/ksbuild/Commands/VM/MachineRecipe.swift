import ArgumentParser
import Artefact
import Bundle
import Machine
import Node
import Recipe
import SystemPackage

/// What a machine is made of: the recipe's `vm`, and what the command line says instead.
struct MachineMaking: ParsableArguments {
    @Option(
        help: ArgumentHelp("The bundle to start with; by default the live one.", valueName: "version"),
        completion: Completion.version)
    var version: String?

    @Option(help: ArgumentHelp("libvirt's daemon; by default qemu:///system where you may use it.", valueName: "uri"))
    var connect: String?

    @Option(help: "Who runs the machine: libvirt, or plain for QEMU alone.")
    var backend = Backend.libvirt

    @Option(help: ArgumentHelp("The memory: MiB, or a size such as 2GiB.", valueName: "size"))
    var memory: String?

    @Option(help: "The processors.")
    var cpus: Int?

    @Option(help: ArgumentHelp("The size of a data disk that is made: GiB, or a size such as 8GiB.", valueName: "size"))
    var disk: String?

    @Option(
        help: ArgumentHelp("The libvirt network, or 'user' for QEMU's own with forwarded ports.", valueName: "network"))
    var network: String?

    @Option(help: ArgumentHelp("The port of 127.0.0.1 that leads to SSH on a user network.", valueName: "port"))
    var sshPort: UInt16?

    @Option(help: ArgumentHelp("The port of 127.0.0.1 that leads to the API on a user network.", valueName: "port"))
    var apiPort: UInt16?

    @Option(help: ArgumentHelp("Who logs in; by default the recipe's first user.", valueName: "user"))
    var sshUser: String?

    @Flag(help: "Start under UEFI instead of BIOS.")
    var uefi = false

    @Flag(help: "Boot Alpine's image and the seed image, each in a drive of its own, instead of the boot medium.")
    var twoMedia = false

    @Option(help: "What runs the processor: kvm, tcg, or auto for kvm where a guest really runs on it.")
    var accelerator = AcceleratorOption.auto

    @OptionGroup var recipe: RecipeOption

    enum Backend: String, ExpressibleByArgument, CaseIterable { case libvirt, plain }
    enum AcceleratorOption: String, ExpressibleByArgument, CaseIterable { case auto, kvm, tcg }

    /// The recipe, where there is one.
    private func decoded() throws -> DecodedRecipe? {
        guard HostFile.exists(FilePath(recipe.recipe)) else { return nil }
        return try recipe.decode()
    }

    /// The name of a machine that has none.
    func defaultName() throws -> String? { try decoded()?.recipe.name }

    /// Describes the machine, with its media composed.
    ///
    /// - Returns: The machine, and the size of a data disk to be made.
    func describe(
        _ folder: MachineFolder, _ options: MachineOptions, _ steps: StepReporter
    ) async throws -> (machine: VirtualMachine, diskSize: UInt64) {
        let decoded = try decoded()
        let settings = decoded?.recipe.machine ?? MachineSettings()
        let host = try host()
        let choice = await choice(steps)
        let fleet = decoded?.fleet()
        let node =
            fleet.flatMap { fleet in fleet.nodes.first { $0.name == folder.name }.map { fleet.image(of: $0) } }
            ?? decoded?.node()
        let interfaces = node?.network.interfaces.filter { $0.kind == .physical }.count ?? 1
        let network = try network(host, settings)
        let size = try disk.map { try Self.bytes($0, unit: 1 << 30, "--disk") } ?? settings.disk
        let memory = try memory.map { try Self.bytes($0, unit: 1 << 20, "--memory") } ?? settings.memory
        var machine = VirtualMachine(
            name: folder.name, folder: folder.path, host: host, network: network,
            media: VirtualMachine.Media(version: "", boot: folder.media),
            user: sshUser ?? node?.access.users.first?.name ?? Recipe.defaultUser, firmware: uefi ? .uefi : .bios,
            accelerator: choice, memory: Int(clamping: memory >> 20),
            processors: cpus ?? (choice == .tcg ? 1 : settings.processors),
            interfaces: max(1, interfaces))
        try await MachineLife(machine, in: folder).requireUnmade(machine)
        let version = try wanted(options)
        let media = MachineMedia(options, folder, twoMedia: twoMedia)
        let before = try folder.machine()?.media.version
        try media.requireNode(in: version)
        // Pinned before it is read, so that nothing is pruned that the machine is about to boot from.
        try folder.pin([before, version.description].compactMap { $0 })
        do {
            machine.media = try media.compose(version, steps).media
        } catch {
            try folder.pin([before].compactMap { $0 })
            throw error
        }
        return (machine, size)
    }

    /// The version that is named, or the live one.
    func wanted(_ options: MachineOptions) throws -> Version {
        if let version { return try Version(version) }
        guard let live = try BundleStore(options.out).current() else {
            throw MachineError(
                .notMade, subject: options.folder.out,
                detail:
                    "has no live bundle; 'ksbuild bundle --version V' and 'ksbuild activate V' make one, or give --version"
            )
        }
        return live
    }

    private func host() throws -> VirtualMachine.Host {
        guard backend == .libvirt else { return .plain }
        let uri = connect ?? LibvirtConnection.defaultURI(environment: Host.environment, user: Host.person)
        return .libvirt(uri: try LibvirtConnection(uri).uri)
    }

    private func choice(_ steps: StepReporter) async -> Accelerator {
        switch accelerator {
        case .kvm: return .kvm
        case .tcg: return .tcg
        case .auto:
            let found = await AcceleratorChoice.forThisHost()
            if found.accelerator == .tcg {
                steps.show("the processor will be emulated, about twenty times slower than the host's: \(found.reason)")
                if cpus == nil {
                    // While Linux patches its own code, QEMU's emulation of several processors now and then runs the
                    // breakpoint that it sets meanwhile, and the kernel panics.
                    steps.show("one processor is emulated, for safety; --cpus N asks for more")
                }
            }
            return found.accelerator
        }
    }

    private func network(_ host: VirtualMachine.Host, _ settings: MachineSettings) throws -> VirtualMachine.Network {
        let isUser: Bool
        switch host {
        case .plain:
            guard network == nil || network == "user" else {
                throw ValidationError("--network \(network ?? "") goes with libvirt; QEMU alone has its user network")
            }
            isUser = true
        case .libvirt(let uri): isUser = network == "user" || (network == nil && isSession(uri))
        }
        guard isUser else {
            guard sshPort == nil, apiPort == nil else {
                throw ValidationError("--ssh-port and --api-port go with --network user")
            }
            return .libvirt(network ?? settings.network)
        }
        let free = try LoopbackPort.pick(2)
        return .user(ssh: sshPort ?? free[0], api: apiPort ?? free[1])
    }

    private func isSession(_ uri: String) -> Bool { (try? LibvirtConnection(uri).daemon) == .session }

    /// A size, or a number of units.
    private static func bytes(_ text: String, unit: UInt64, _ option: String) throws -> UInt64 {
        if let number = UInt64(text), number > 0, number < 1 << 30 { return number * unit }
        guard let size = SizeUnit.byteCount(text), size > 0 else {
            throw ValidationError("\(option) takes a number, or a size such as 2GiB, not '\(text)'")
        }
        return UInt64(size)
    }
}

/// The media of a version for one machine.
struct MachineMedia {
    let options: MachineOptions
    let folder: MachineFolder
    let isTwoMedia: Bool

    init(_ options: MachineOptions, _ folder: MachineFolder, twoMedia: Bool) {
        self.options = options
        self.folder = folder
        isTwoMedia = twoMedia
    }

    /// Which node of a bundle the machine is: that of its name, of the kind that it was so far.
    private var choice: NodeChoice {
        get throws {
            let present = try folder.machine().flatMap { try? Version($0.media.version) }
            let description = present.flatMap { BundleStore(options.out).description(of: $0) }
            return .machine(folder.name, isOfFleet: description.map { !$0.nodes.isEmpty })
        }
    }

    /// Says whether a version has the machine's node, by its manifest alone.
    ///
    /// - Throws: `BuildError` with `BuildError.Code.otherNode`.
    func requireNode(in version: Version) throws {
        let store = BundleStore(options.out)
        guard let description = store.description(of: version) else { return }
        _ = try choice.name(among: description.nodes.map(\.name), in: store.path(of: version).string)
    }

    /// Composes what the machine boots from; what can be used where it stands is not copied.
    ///
    /// - Parameters:
    ///   - version: The version, whose every byte is read again.
    ///   - steps: Told of each step.
    ///   - token: The line by which a node gives up what a confirmed version has written, where it is to.
    /// - Returns: The media, and the bundle's manifest.
    /// - Throws: `BundleError` for a bundle that is not as it was published, or what composing throws.
    func compose(
        _ version: Version, _ steps: StepReporter, token: String? = nil
    ) throws -> (media: VirtualMachine.Media, manifest: Manifest) {
        steps.show("reading the bundle \(version)")
        let source = try PublishedBundle(
            options.out.pushing("bundles").appending(version.description).string, in: options.folder,
            node: choice)
        try HostFile.makeDirectories(folder.media)
        let work = try TemporaryFolder(in: folder.path, prefix: ".media-")
        let boot: FilePath
        var seed: FilePath?
        if isTwoMedia {
            boot = try alpineImage(of: source)
            seed = try write(.seed, of: source, in: work.path, token)
        } else {
            boot = try write(.boot, of: source, in: work.path, token)
        }
        return (
            VirtualMachine.Media(version: version.description, boot: boot, seed: seed), source.manifest
        )
    }

    /// Alpine's image where the bundle has it; a copy where only the bundle's owner may go there.
    private func alpineImage(of source: PublishedBundle) throws -> FilePath {
        let image = try source.file(.alpineISO)
        guard try HostFile.status(of: source.path).mode.bits & 0o001 == 0 else { return image }
        var copy = try StagedFile(folder.media.appending(image.lastComponent?.string ?? "alpine.iso"), digesting: false)
        try copy.copy(image, size: HostFile.status(of: image).size)
        return try copy.commit().path
    }

    private func write(
        _ kind: MediumRecipe.Kind, of source: PublishedBundle, in work: FilePath, _ token: String?
    ) throws -> FilePath {
        let recipe = try source.medium(kind)
        let target = folder.media.appending(recipe.file)
        let medium = source.composer
        guard let token else { return try medium.compose(recipe, for: target, scratch: work).commit().path }
        let plain = try medium.compose(recipe, for: work.appending(recipe.file), scratch: work).commit()
        return try medium.write(plain.path, withRestoreToken: token, to: target)
    }
}
