import ArgumentParser
import Artefact
import Bundle
import Machine
import SystemPackage

struct VMStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say what the machine does, with which version, and how the node is.",
        discussion: "The exit code is 0 where it runs and the node is healthy, and 3 otherwise.")

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var options: MachineOptions

    func run() async throws {
        let status = try await MachineStatus(options.made(), options.out)
        if json { Console.print(try JSONText.of(status)) } else { Console.print(status.text) }
        guard status.isWell else { throw Outcome(failureClass: .unhealthy) }
    }
}

struct VMInfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Say what the machine is made of, and where its files are.")

    @OptionGroup var options: MachineOptions

    func run() async throws {
        let made = try options.made()
        let machine = made.machine
        let network =
            switch machine.network {
            case .libvirt(let name): "the libvirt network \(name)"
            case .user(let ssh, let api):
                "QEMU's user network; 127.0.0.1:\(ssh) leads to SSH, 127.0.0.1:\(api) to the API"
            }
        var rows = [
            ("name", machine.name), ("uuid", machine.uuid), ("run by", made.life.hypervisor.title),
            ("firmware", machine.firmware.rawValue),
            ("processors", "\(machine.processors) (\(machine.accelerator.rawValue))"),
            ("memory", "\(machine.memory) MiB"), ("network", network), ("user", machine.user),
            ("version", machine.media.version), ("boots from", machine.media.boot),
        ]
        if let seed = machine.media.seed { rows.append(("seed", seed)) }
        rows.append(("data disk", "\(made.folder.dataDisk), \(try await size(of: made))"))
        rows.append(("console log", made.folder.serialLog.string))
        for (name, value) in rows {
            Console.print("\(name)\(String(repeating: " ", count: 12 - name.count))\(printable(value))")
        }
    }
}

extension VMInfoCommand {
    /// The size of the data disk; while the machine runs on libvirt it belongs to the daemon's QEMU.
    private func size(of made: MadeMachine) async throws -> String {
        do {
            return "\(try await made.life.diskSize() >> 20) MiB"
        } catch let error as MachineError where error.code == .notPermitted {
            return "in use by QEMU's user"
        }
    }
}

/// What is known of a machine at one moment: what runs, which version, and what the node has said.
private struct MachineStatus: Encodable {
    let name: String
    let host: String
    let state: String
    let reason: String?
    let version: String
    let live: String?
    let health: String
    let healthLine: String?
    let address: String?
    let ssh: String?
    let api: String?
    let unfinished: String?

    var isWell: Bool { state == "running" && health == "healthy" && unfinished == nil }

    init(_ made: MadeMachine, _ out: FilePath) async throws {
        let life = made.life
        let state = try await life.hypervisor.state()
        name = made.machine.name
        host = life.hypervisor.title
        self.state = state.word
        reason = if case .paused(let reason) = state { reason } else { nil }
        version = made.machine.media.version
        live = try? BundleStore(out).current()?.description
        let said = state.isAlive ? life.saidHealth() : nil
        health = said?.state ?? "unknown"
        healthLine = said?.line
        let access = made.access()
        let isRunning = state == .running
        address = isRunning ? try? await access.address() : nil
        ssh = isRunning ? (try? await access.ssh()).map { "\($0.address):\($0.port)" } : nil
        api = isRunning ? (try? await access.api()).map { "https://\($0.address):\($0.port)" } : nil
        unfinished = try life.unfinished().map { "\($0.title) (\($0.step.rawValue))" }
    }

    var text: String {
        var rows = [
            ("name", name), ("state", reason.map { "\(state) (\($0))" } ?? state), ("run by", host),
            ("version", version),
            ("health", healthLine ?? health),
        ]
        if let live, live != version { rows.append(("live", live)) }
        for (name, value) in [("address", address), ("ssh", ssh), ("API", api)] {
            if let value { rows.append((name, value)) }
        }
        if let unfinished { rows.append(("unfinished", "\(unfinished); 'ksbuild vm start' takes it up")) }
        return rows.map { "\($0.0)\(String(repeating: " ", count: 11 - $0.0.count))\(printable($0.1))" }
            .joined(separator: "\n")
    }
}
