import Bundle
import Machine
import SystemPackage

/// The store's pointer and history as the books of a machine's replacements.
struct StoreBook {
    private let store: BundleStore
    /// The machine, which of a fleet's bundle is the node of its name.
    private let machine: String

    init(_ options: MachineOptions, machine: String) {
        store = BundleStore(options.out, isPatient: true)
        self.machine = machine
    }

    /// The entries; each may be made twice.
    var book: ReleaseBook {
        let store = store
        return ReleaseBook(
            take: { replacement in
                guard try store.current()?.description != replacement.to.version else { return }
                let (version, occasion) = (try Version(replacement.to.version), try occasion(replacement))
                switch replacement.kind {
                case .upgrade: _ = try store.activate(version, occasion)
                case .rollback: _ = try store.rollback(to: version, occasion)
                }
            },
            confirm: { replacement in
                let version = try Version(replacement.to.version)
                guard try store.current() == version else { return }
                _ = try store.confirm(version, occasion(replacement))
            },
            giveUp: { replacement in
                let to = try Version(replacement.to.version)
                // Where it was live before, for other machines, it stays so.
                let before = try Version(replacement.liveBefore ?? replacement.from.version)
                guard before != to, try store.current() == to else { return }
                let occasion = try occasion(replacement)
                switch replacement.kind {
                case .upgrade: _ = try store.rollback(to: before, occasion, insisting: true)
                case .rollback: _ = try store.activate(before, occasion, insisting: true, allowingDowngrade: true)
                }
            })
    }

    private func occasion(_ replacement: Replacement) throws -> Occasion {
        let why = replacement.why.map { "\(replacement.title): \($0)" } ?? replacement.title
        var occasion = Host.occasion(why: why)
        occasion.evidence = try replacement.evidence.flatMap { evidence in
            evidence.isEmpty ? nil : try told(evidence, of: Version(replacement.to.version))
        }
        return occasion
    }

    /// What the machine's node has said, with its name where the version is one of a fleet.
    private func told(_ evidence: String, of version: Version) -> String {
        store.description(of: version)?.evidence(evidence, of: machine) ?? evidence
    }

    /// Confirms the live version where it is the one that was seen healthy and is not confirmed yet.
    func note(healthy version: String, evidence: String) throws {
        let version = try Version(version)
        guard try store.current() == version else { return }
        var occasion = Host.occasion(why: "a virtual machine is healthy with it")
        occasion.evidence = told(evidence, of: version)
        _ = try store.confirm(version, occasion)
    }
}
