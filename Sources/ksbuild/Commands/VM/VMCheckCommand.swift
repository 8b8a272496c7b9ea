import ArgumentParser
import Artefact
import Machine
import SystemPackage

struct VMCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what virtual machines need on this host, whether it is there, and what mends it.",
        discussion: "Ends with 0 where all that is required is there, else with 1. Changes nothing.")

    @Option(
        help: ArgumentHelp("What runs machines: libvirt or plain, which is QEMU alone.", valueName: "backend"),
        transform: { text in
            guard let backend = MachineBackend(rawValue: text) else {
                throw ValidationError("--backend takes libvirt or plain, not '\(text)'")
            }
            return backend
        })
    var backend = MachineBackend.libvirt

    @Option(
        help: ArgumentHelp(
            "The libvirt to use; by default LIBVIRT_DEFAULT_URI, else qemu:///system for root and the group libvirt, "
                + "else qemu:///session.", valueName: "uri"))
    var connect: String?

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var folder: OutputFolder

    func run() async throws {
        let uri = connect ?? LibvirtConnection.defaultURI(environment: Host.environment, user: Host.person)
        let connection = backend == .plain ? .system : try LibvirtConnection(uri)
        let check = HostCheck(
            backend: backend, connection: connection, folder: Host.workingDirectory.pushing(folder.path),
            user: Host.person, distribution: try? Distribution(osRelease: Host.osRelease()))
        let rows = try await check.run()
        let obstacles = rows.filter(\.isObstacle).map(\.name)
        if json {
            Console.print(
                try JSONText.of(Report(backend: backend, uri: backend == .libvirt ? uri : nil, rows: rows)))
        } else {
            Console.print(Self.table(rows))
            let ways = backend == .libvirt ? "libvirt at \(connection)" : "QEMU alone"
            Console.error(
                obstacles.isEmpty
                    ? "virtual machines can run here with \(ways)"
                    : "virtual machines cannot run here with \(ways), for want of: \(obstacles.joined(separator: ", "))"
            )
        }
        if !obstacles.isEmpty { throw Outcome(failureClass: .findings) }
    }

    func validate() throws {
        if backend == .plain && connect != nil { throw ValidationError("--connect goes with --backend libvirt") }
    }

    /// One line for each row: how it stands, what it is, what was found, what mends it.
    static func table(_ rows: [HostCheckRow]) -> String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { row in
            let state = row.state.rawValue + (row.required || row.state == .ok ? "" : " (optional)")
            let name = row.name + String(repeating: " ", count: width - row.name.count)
            let mend = row.mend.map { "; mend: \($0)" } ?? ""
            return state + String(repeating: " ", count: max(1, 20 - state.count))
                + printable("\(name)  \(row.detail)\(mend)")
        }.joined(separator: "\n")
    }

    /// What `--json` says.
    private struct Report: Encodable {
        var format = "ksbuild-vm-check/1"
        let backend: String
        let uri: String?
        let ready: Bool
        let rows: [HostCheckRow]

        init(backend: MachineBackend, uri: String?, rows: [HostCheckRow]) {
            self.backend = backend.rawValue
            self.uri = uri
            self.rows = rows
            ready = !rows.contains(where: \.isObstacle)
        }
    }
}
