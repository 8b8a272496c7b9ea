import ArgumentParser
import Artefact
import Bundle
import Machine
import Node
import Recipe
import SystemPackage

struct BootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot",
        abstract: "Boot a bundle in QEMU and wait until the node is what its build says.",
        discussion: """
            The bundle is read in full first and never written to. The data disk is blank and gone with the machine \
            unless one is named; a data disk that is named and not there is made.
            """)

    @Argument(
        help: ArgumentHelp("The bundle's directory, or its version.", valueName: "bundle"),
        completion: Completion.version)
    var bundle: String?

    @Option(
        help: ArgumentHelp(
            "Boot this version first, then that of --to on the same data disk, and go back where it is not healthy.",
            valueName: "version"), completion: Completion.version)
    var upgradeFrom: String?

    @Option(help: ArgumentHelp("The version to upgrade to.", valueName: "version"), completion: Completion.version)
    var to: String?

    @Option(help: ArgumentHelp("The data disk to use and keep.", valueName: "file"), completion: .file())
    var dataDisk: String?

    @Flag(help: "Start under UEFI instead of BIOS.")
    var uefi = false

    @Option(
        help: ArgumentHelp("What the boot medium is plugged in as: cd, disk or usb.", valueName: "kind"),
        transform: { text in
            guard let attachment = BootMachine.Attachment(rawValue: text) else {
                throw ValidationError("--attach takes cd, disk or usb, not '\(text)'")
            }
            return attachment
        })
    var attach = BootMachine.Attachment.cd

    @Flag(help: "Boot Alpine's image and the seed image, each in a drive of its own, instead of the boot medium.")
    var twoMedia = false

    @Option(
        help: ArgumentHelp(
            "Boot over the network by the iPXE script at this address, as the machine sees it: what the host serves on"
                + " 127.0.0.1 is at 10.0.2.2.", valueName: "url"))
    var netboot: String?

    @Option(help: ArgumentHelp("The machine's memory in MiB.", valueName: "mib"))
    var memory = BootMachine.defaultMemory

    @Option(help: "The machine's processors.")
    var cpus = 2

    @Option(help: ArgumentHelp("The longest time for the node to become healthy.", valueName: "seconds"))
    var timeout = Int(BootTest.defaultLimit.components.seconds)

    @Option(help: ArgumentHelp("A private key to prove with that SSH works.", valueName: "file"), completion: .file())
    var sshKey: String?

    @Option(help: ArgumentHelp("Who logs in with that key.", valueName: "user"))
    var sshUser = Recipe.defaultUser

    @Option(
        help: ArgumentHelp(
            "An address to expect, ADDRESS/LENGTH; the machine's network is that of it.", valueName: "cidr"))
    var expectAddress: String?

    @Option(help: ArgumentHelp("Where a JUnit report goes.", valueName: "file"), completion: .file())
    var junit: String?

    @Flag(help: "Print the report as one JSON document.")
    var json = false

    @OptionGroup var node: NodeOption
    @OptionGroup var folder: OutputFolder
    @OptionGroup var report: ReportOptions

    func run() async throws {
        let work = try folder.makeWorkFolder()
        let choice = await AcceleratorChoice.forThisHost()
        if let upgradeFrom, let to {
            return try await upgrade(from: upgradeFrom, to: to, choice, in: work.path)
        }
        let (machine, test) = try prepare(bundle ?? "", in: work.path)
        if !report.quiet { Console.error("booting \(test.expectations.name) \(test.expectations.version) (\(choice))") }
        let isTalkative = !report.quiet && !json
        let outcome = try await test.run(machine, accelerator: choice.accelerator) { result in
            if isTalkative { Console.error(BootReport.row()(result)) }
        }
        if let junit { try StagedFile.write(Array(outcome.junit.utf8), to: FilePath(junit)) }
        if json { Console.print(try outcome.json) } else if !report.quiet { Console.print(outcome.table) }
        if let failure = outcome.failure { throw failure }
    }

    func validate() throws {
        if twoMedia && attach != .cd { throw ValidationError("--two-media boots from CD drives alone") }
        if netboot != nil && (twoMedia || attach != .cd) {
            throw ValidationError("--netboot boots from no medium; leave --two-media and --attach out")
        }
        if netboot != nil && uefi {
            throw ValidationError("--netboot boots under BIOS, where QEMU's card has iPXE; leave --uefi out")
        }
        if netboot != nil && upgradeFrom != nil {
            throw ValidationError("--netboot boots what its address stands for; leave --upgrade-from and --to out")
        }
        guard (upgradeFrom == nil) == (to == nil) else {
            throw ValidationError("--upgrade-from VERSION and --to VERSION go together")
        }
        guard to == nil || to != upgradeFrom else {
            throw ValidationError("--to names another version than --upgrade-from")
        }
        guard (bundle == nil) != (to == nil) else {
            throw ValidationError("name one bundle, or two versions with --upgrade-from and --to")
        }
    }

    /// The machine that boots a bundle, and what is expected of it.
    func prepare(
        _ bundle: String, in scratch: FilePath, dataDisk disk: FilePath? = nil
    ) throws -> (BootMachine, BootTest) {
        let source = try PublishedBundle(bundle, in: folder, node: node.choice)
        let about = source.manifest.description
        let work = scratch.appending("\(about.version)")
        try HostFile.makeDirectory(work)
        let machine = BootMachine(
            bootImage: try bootImage(of: source, in: work),
            seedImage: twoMedia ? try medium(.seed, of: source, in: work) : nil,
            dataDisk: (disk ?? dataDisk.map { FilePath($0) }).map { .kept($0, size: Self.dataDiskSize) }
                ?? .scratch(size: Self.dataDiskSize),
            serialLog: try serialLogPath(source), firmware: uefi ? .uefi : .bios, memory: memory,
            processors: cpus, network: network(of: source.node), attachment: attach, uuid: source.node?.uuid)
        let test = BootTest(
            expecting: BootExpectations(
                name: about.name, version: about.version.description, hostname: source.hostname,
                address: expectAddress),
            login: sshKey.map { SSHLogin(user: sshUser, identity: FilePath($0)) }, limit: .seconds(timeout))
        return (machine, test)
    }

    /// What the machine boots from, unless it boots over the network.
    private func bootImage(of source: PublishedBundle, in scratch: FilePath) throws -> FilePath? {
        guard netboot == nil else { return nil }
        return twoMedia ? try source.file(.alpineISO) : try medium(.boot, of: source, in: scratch)
    }

    /// The network of the machine: that of the address which is expected, with the hardware address of the node.
    private func network(of node: BundleNode?) -> BootMachine.GuestNetwork {
        var network = BootMachine.GuestNetwork(hardwareAddress: node?.hardwareAddress, bootFile: netboot)
        if let text = expectAddress, let expected = InterfaceAddress(text), expected.address.family == .ipv4 {
            let prefix = expected.address.network(prefixLength: expected.prefixLength)
            network.network = "\(prefix)/\(expected.prefixLength)"
            network.guestAddress = expected.address.description
        }
        return network
    }

    /// A medium of the bundle, composed for this boot alone.
    private func medium(
        _ kind: MediumRecipe.Kind, of source: PublishedBundle, in scratch: FilePath
    ) throws -> FilePath {
        let target = scratch.appending("\(kind.rawValue).iso")
        return try source.composer.compose(
            source.medium(kind), for: target, scratch: scratch
        ).commit().path
    }

    private static let dataDiskSize: UInt64 = 2 << 30

    /// Every boot's console is kept beside the results, the latest under one name.
    private func serialLogPath(_ source: PublishedBundle) throws -> FilePath {
        let logs = folder.path.appending("boot")
        try HostFile.makeDirectories(logs)
        let stem = [source.manifest.description.name, source.node?.name, "\(source.manifest.version)"]
        return logs.appending(stem.compactMap { $0 }.joined(separator: "-") + ".console.log")
    }
}
