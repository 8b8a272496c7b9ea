import APKOVL
import Artefact
import Bundle
import SystemPackage

/// A bundle: what its manifest says, whether its bytes agree, and what a node booted with its overlay would be.
struct BundleInspection: Inspection {
    let kind = "bundle"
    let path: String
    let name: String?
    let version: String?
    let architecture: String?
    let hostname: String?
    let nodes: [Node]?
    let alpine: String?
    let kubesolo: String?
    let datastore: String?
    let holdsSecrets: Bool?
    let signer: String?
    let artefacts: [Artefact]
    let inputs: [Input]
    let media: [WireMedium]
    let boot: OverlayInspection.Boot?
    let findings: [Finding]

    init(_ path: FilePath) throws {
        let reading = try BundleVerification.read(path)
        let about = reading.manifest?.description
        self.path = path.string
        name = about?.name
        version = about.map { "\($0.version)" }
        architecture = about?.architecture
        hostname = about?.hostname
        nodes = about.flatMap { $0.nodes.isEmpty ? nil : $0.nodes.map(Node.init) }
        alpine = about.map { "\($0.alpine.flavor) \($0.alpine.release)" }
        kubesolo = about.map { "\($0.kubesolo.variant) \($0.kubesolo.version)" }
        datastore = about.map { "\($0.datastore.format) of KubeSolo \($0.datastore.kubesolo)" }
        holdsSecrets = reading.manifest?.secrets
        signer = reading.signature.signer
        artefacts = reading.manifest?.artefacts.map(Artefact.init) ?? []
        inputs = about?.inputs.map(Input.init) ?? []
        media = reading.manifest?.media.map(WireMedium.init) ?? []
        var findings = reading.findings.map {
            Finding(severity: .error, rule: $0.problem.rawValue, path: $0.file, message: $0.detail)
        }
        var boot: OverlayInspection.Boot?
        if let file = reading.manifest?.artefacts.first(where: { $0.role == .overlay && $0.node == nil })?.file,
            !reading.findings.contains(where: { $0.file == file })
        {
            let overlay = try OverlayInspection(path.appending(file))
            boot = overlay.boot
            findings += overlay.findings
        }
        self.boot = boot
        self.findings = findings
    }

    var lines: [String] {
        let rows = [
            ("name", name), ("version", version), ("architecture", architecture), ("host name", hostname),
            ("alpine", alpine), ("kubesolo", kubesolo), ("datastore", datastore),
            ("secrets", holdsSecrets.map { $0 ? "yes" : "no" }),
            ("signed by", signer.map { "\($0), which is not checked here" }),
        ]
        return ["\(path): bundle"] + rows.compactMap { row in row.1.map { "  \(row.0): \($0)" } }
            + (nodes ?? []).map(\.line)
            + artefacts.map { "  \($0.mode)  \($0.size)  \($0.sha256.prefix(16))…  \($0.file) (\($0.role))" }
            + inputs.map { "  from \($0.name), \($0.sha256.prefix(16))…, \($0.trust)" }
            + media.map(\.line) + (boot?.lines ?? [])
    }

    /// Those of the bundle are each of one of its files; the others are of members of its overlay.
    var placedFindings: [PlacedFinding] {
        let folder = FilePath(path)
        let overlay = artefacts.first { $0.role == Manifest.Role.overlay.rawValue }?.file
        return findings.map { finding in
            guard BundleFinding.Problem(rawValue: finding.rule) == nil, let overlay else {
                return PlacedFinding(finding, in: PlacedFinding.file(finding.path, in: folder), isWhole: true)
            }
            return PlacedFinding(finding, in: folder.pushing(FilePath(overlay)))
        }
    }

    /// One file of the bundle.
    struct Artefact: Encodable {
        let role: String
        let file: String
        let size: UInt64
        let sha256: String
        let mode: String

        init(_ artefact: Manifest.Artefact) {
            role = artefact.role.rawValue
            file = artefact.path
            size = artefact.size
            sha256 = artefact.sha256.hex
            mode = "\(artefact.mode)"
        }
    }

    /// One node of a fleet.
    struct Node: Encodable {
        let name: String
        let hostname: String
        let mac: String?
        let uuid: String?

        init(_ node: BundleNode) {
            name = node.name
            hostname = node.hostname
            mac = node.hardwareAddress
            uuid = node.uuid
        }

        var line: String {
            "  node \(name): " + ["host name \(hostname)", mac, uuid].compactMap { $0 }.joined(separator: ", ")
        }
    }

    /// One file of somebody else's that went into it.
    struct Input: Encodable {
        let name: String
        let sha256: String
        let trust: String

        init(_ input: BundleDescription.Input) {
            name = input.name
            sha256 = input.sha256.hex
            trust = input.trust.rawValue
        }
    }
}

extension WireMedium {
    /// What a person is told of it.
    fileprivate var line: String {
        "  composes to \(file) (\(kind)), "
            + (size.flatMap { size in sha256.map { "\(size) bytes, \($0.prefix(16))…" } } ?? "not composed yet")
            + (arguments.map { ", told: \($0.joined(separator: " "))" } ?? "")
    }
}
