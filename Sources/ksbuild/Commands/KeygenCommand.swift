import ArgumentParser
import Artefact
import SystemPackage
import Upstream

struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a key that signs packages which are not Alpine's own.",
        discussion: """
            Writes NAME.rsa, which only its owner may read and which belongs into no repository and no bundle, and \
            NAME.rsa.pub, by which nodes know what it signs. A file that is there is never replaced.
            """)

    @Argument(help: "What nodes call the key: letters, digits, '@', '.', '_' and '-'.")
    var name: String

    @Option(name: [.short, .long], help: ArgumentHelp("The directory for the two files.", valueName: "dir"))
    var output = "."

    @Option(help: "The size of the key: 2048, 3072 or 4096 bits.")
    var bits = 4096

    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard SigningKey.sizes.contains(bits) else { throw ValidationError("--bits takes 2048, 3072 or 4096") }
    }

    func run() throws {
        let paths = try SigningKey.generate(name: name, bits: bits).write(in: FilePath(output))
        if !report.quiet { Console.print("\(paths.privateKey)\n\(paths.publicKey)") }
    }
}
