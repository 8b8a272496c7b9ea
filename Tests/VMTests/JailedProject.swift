import Artefact
import LibvirtSupport
import MachineSamples
import SystemPackage
import TestSupport
import Testing

/// An output directory with bundles of nodes that are up in a second, and the built command on it in a jail with libvirt.
struct JailedProject: ~Copyable {
    let project: TalkingProject
    let jail: LibvirtJail
    /// The machine's name, which no other test has.
    let name: String
    /// A copy of the built command that every user may run.
    private let command: FilePath

    /// Makes one.
    ///
    /// - Parameters:
    ///   - name: The machine's name.
    ///   - out: The name of the output directory.
    ///   - jail: The jail; the one that all suites share by default.
    init(_ name: String, out: String = "out", in jail: LibvirtJail? = nil) async throws {
        let project = try TalkingProject(out: out)
        let home = if let jail { jail } else { try await LibvirtJail.shared }
        let command = project.scratch.path.appending("ksbuild")
        let copied = try await run("cp", ["--reflink=auto", try Product.ksbuild.string, command.string])
        try #require(copied.succeeded)
        self.project = project
        self.jail = home
        self.name = name
        self.command = command
    }

    /// Runs `ksbuild vm` on the output directory.
    func vm(_ words: String...) async throws -> ProgramResult { try await vm(words) }

    /// Runs `ksbuild vm` on the output directory, as root or as a user of the jail.
    func vm(_ words: [String], as user: String? = nil) async throws -> ProgramResult {
        try await jail.run(command.string, project.words(words), as: user, in: project.scratch.path)
    }

    /// Starts `ksbuild vm` on the output directory and lets it run.
    func background(_ words: String...) -> BackgroundCommand {
        BackgroundCommand(
            LibvirtJail.jail, jail.words(command.string, project.words(words)), in: project.scratch.path)
    }

    /// Publishes 1.0.0, makes it live and confirms it, and makes the machine.
    func make(_ temper: TalkingProject.Temper = .healthy, _ words: String...) async throws {
        try project.publish("1.0.0", temper)
        try project.activate("1.0.0")
        try await create(words)
    }

    /// Makes the machine.
    func create(_ words: [String] = []) async throws {
        let words = ["create", "--name", name] + TalkingProject.small + words
        let made = try await vm(words)
        try #require(made.succeeded, "\(made.errors)")
    }

    /// What the machine is doing, the word that `vm status` has for it.
    func state() async throws -> String {
        let status = try await vm("status", "--json", "--name", name)
        let line = status.output.split(separator: "\n").first { $0.contains("\"state\"") }
        return line.map { String($0.split(separator: "\"").last { $0 != "," } ?? "") } ?? status.errors
    }

    /// Waits until the machine is in a state, at most for fifty questions.
    func reaches(_ wanted: String) async throws -> Bool {
        for _ in 0..<50 {
            if try await state() == wanted { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// Ends the machine.
    func end() async throws { _ = try await jail.virsh("destroy", name) }
}
