import Artefact
import Bundle
import Machine
import SystemPackage

extension BootCommand {
    /// Goes from one version of the store to another on one data disk, and back where the new one is not healthy; the
    /// store's pointer and history go along.
    func upgrade(from: String, to: String, _ choice: AcceleratorChoice, in scratch: FilePath) async throws {
        let (old, new) = (try Version(from), try Version(to))
        let disk = dataDisk.map { FilePath($0) } ?? scratch.appending("data.img")
        let first = try prepare(from, in: scratch, dataDisk: disk)
        let second = try prepare(to, in: scratch, dataDisk: disk)
        let store = BundleStore(folder.path)
        let words = "upgrade from \(old) to \(new)"
        if try store.current() != old { _ = try store.activate(old, Host.occasion(why: words)) }
        if !report.quiet { Console.error("\(words) (\(choice))") }
        let test = UpgradeTest(
            from: .init(machine: first.0, test: first.1), to: .init(machine: second.0, test: second.1))
        let isTalkative = !report.quiet && !json
        let outcome = try await test.run(
            accelerator: choice.accelerator,
            progress: { version, result in
                if isTalkative { Console.error("\(version)  \(BootReport.row()(result))") }
            }
        ) { step in
            let told = { (version: String, line: String) throws -> String in
                guard let name = node.node else { return line }
                return try store.description(of: Version(version))?.evidence(line, of: name) ?? line
            }
            var occasion = Host.occasion(why: words)
            switch step {
            case .proven(let version, let evidence):
                occasion.evidence = try told(version, evidence)
                _ = try store.confirm(Version(version), occasion)
                let extent = node.node.map { " for the whole fleet, on the evidence of the node \($0)" } ?? ""
                if isTalkative { Console.error("\(version) is confirmed\(extent)") }
            case .switched(let version):
                _ = try store.activate(Version(version), occasion)
                if isTalkative { Console.error("\(version) is live, pending") }
            case .failed(let version, let why, let evidence):
                occasion.why = "\(words): \(why)"
                occasion.evidence = try told(version, evidence)
                _ = try store.rollback(to: old, occasion)
                if isTalkative { Console.error("\(version) \(why); back to \(old)") }
            }
        }
        if let junit { try StagedFile.write(Array(BootReport.junit(of: outcome.boots).utf8), to: FilePath(junit)) }
        if json {
            Console.print(try outcome.json)
        } else if !report.quiet {
            for boot in outcome.boots { Console.print(boot.table) }
            Console.print("\(words): \(outcome.outcome.rawValue)")
        }
        if let failure = outcome.failure { throw failure }
    }
}
