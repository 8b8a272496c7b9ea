import ArgumentParser
import Artefact
import Registry
import SystemPackage
import Transfer

/// How registries are reached.
struct RegistryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Certificates to trust instead of the system's, in PEM form.", valueName: "file"))
    var caFile: String?

    @Option(help: ArgumentHelp("How many times is tried again what does not get on.", valueName: "n"))
    var retries = 5

    @Flag(name: .customLong("plain-http"), help: "Speak to the registry without TLS.")
    var isPlain = false

    @Option(
        name: .long,
        help: ArgumentHelp("A repository of the same registry that may have files already.", valueName: "repository"))
    var mountFrom: [String] = []

    func validate() throws {
        guard (0...100).contains(retries) else { throw ValidationError("--retries takes 0 to 100") }
        for name in mountFrom where !RegistryReference.isRepository(name) {
            throw ValidationError("--mount-from: '\(name)' is no repository")
        }
    }

    /// A client for a repository.
    ///
    /// - Parameters:
    ///   - reference: The repository.
    ///   - out: The output directory, in which is noted how far uploads have come.
    ///   - report: Who shows what is waited for.
    /// - Returns: The client.
    func client(_ reference: RegistryReference, out: FilePath, report: PublishReporter) -> RegistryClient {
        var access = RegistryAccess(
            settings: .ofHost(caFile: caFile, retries: retries),
            credentials: CredentialFiles(environment: Host.environment, home: Host.home))
        access.isPlain = isPlain
        access.mountedFrom = mountFrom
        access.notes = out.appending(".uploads")
        access.progress = report.show(movedBytes:)
        access.waiting = report.show(waiting:seconds:)
        access.isCancelled = { Interrupt.isRequested }
        return RegistryClient(reference, access)
    }
}
