import ArgumentParser
import Artefact
import Bundle
import SystemPackage
import Upstream

struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a key that signs packages which are not Alpine's own, or bundles.",
        discussion: """
            Writes NAME.rsa, which only its owner may read and which belongs into no repository and no bundle, and \
            NAME.rsa.pub, by which nodes know what it signs. With --signing, a key of minisign for bundles: NAME.key, which \
            only its owner may read, NAME.pub, and NAME.allowed_signers for ssh-keygen. A file that is there is never \
            replaced.
            """)

    @Argument(help: "What nodes call the key: letters, digits, '@', '.', '_' and '-'.")
    var name: String

    @Flag(help: "Make a key that signs bundles.")
    var signing = false

    @Option(
        name: [.short, .long], help: ArgumentHelp("The directory for the files.", valueName: "dir"),
        completion: .directory)
    var output = "."

    @Option(help: "The size of a key for packages: 2048, 3072 or 4096 bits (default: 4096).")
    var bits: Int?

    @OptionGroup var report: ReportOptions

    func validate() throws {
        if signing, bits != nil { throw ValidationError("--bits goes with keys for packages, not with --signing") }
        guard SigningKey.sizes.contains(bits ?? 4096) else { throw ValidationError("--bits takes 2048, 3072 or 4096") }
    }

    func run() throws {
        guard !signing else {
            let files = try MinisignSecretKey.generate().write(named: name, in: FilePath(output))
            if !report.quiet {
                Console.print("\(files.privateKey)\n\(files.publicKey)\n\(files.allowedSigners)")
            }
            return
        }
        let paths = try SigningKey.generate(name: name, bits: bits ?? 4096).write(in: FilePath(output))
        if !report.quiet { Console.print("\(paths.privateKey)\n\(paths.publicKey)") }
    }
}
