import APKOVL
import Artefact
import SystemPackage

/// Findings as a log of SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): one run, one result a finding.
///
/// The same findings give the same bytes: the log has no time, no identifier and no path that was not named.
struct SARIF: Encodable {
    private let schema = "https://json.schemastore.org/sarif-2.1.0.json"
    private let version = "2.1.0"
    private let runs: [Run]

    /// Makes the log of some findings, in their order; it is one also where there are none.
    init(_ findings: [PlacedFinding]) { runs = [Run(findings)] }

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case version, runs
    }

    private struct Run: Encodable {
        let tool: Tool
        /// Columns count Unicode scalars (§3.14.17).
        let columnKind = "unicodeCodePoints"
        let results: [Result]

        init(_ findings: [PlacedFinding]) {
            let rules = Set(findings.map(\.rule)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let indexes = Dictionary(uniqueKeysWithValues: zip(rules, rules.indices))
            tool = Tool(driver: Driver(version: KSBuild.version, rules: rules.map(Rule.init)))
            results = findings.map { Result($0, ruleIndex: indexes[$0.rule] ?? 0) }
        }
    }

    private struct Tool: Encodable {
        let driver: Driver
    }

    private struct Driver: Encodable {
        let name = "ksbuild"
        let version: String
        let rules: [Rule]
    }

    private struct Rule: Encodable {
        let id: String
        let shortDescription: Message

        init(_ id: String) {
            self.id = id
            shortDescription = Message(text: id.split(separator: "-").joined(separator: " "))
        }
    }

    private struct Message: Encodable {
        let text: String
    }

    private struct Result: Encodable {
        let ruleId: String
        let ruleIndex: Int
        let level: String
        let message: Message
        let locations: [Location]

        init(_ finding: PlacedFinding, ruleIndex: Int) {
            ruleId = finding.rule
            self.ruleIndex = ruleIndex
            level = finding.level.rawValue
            message = Message(text: printable(finding.message))
            locations = [Location(finding)]
        }
    }

    private struct Location: Encodable {
        let physicalLocation: PhysicalLocation
        let logicalLocations: [LogicalLocation]?

        init(_ finding: PlacedFinding) {
            physicalLocation = PhysicalLocation(
                artifactLocation: ArtifactLocation(uri: SARIF.reference(to: finding.file)),
                region: finding.line > 0 ? Region(startLine: finding.line, startColumn: max(1, finding.column)) : nil)
            logicalLocations = finding.member.map {
                [LogicalLocation(fullyQualifiedName: printable($0.name), kind: $0.kind)]
            }
        }
    }

    private struct PhysicalLocation: Encodable {
        let artifactLocation: ArtifactLocation
        let region: Region?
    }

    private struct ArtifactLocation: Encodable {
        let uri: String
    }

    private struct Region: Encodable {
        let startLine: Int
        let startColumn: Int
    }

    private struct LogicalLocation: Encodable {
        let fullyQualifiedName: String
        let kind: String
    }

    /// A path as a URI reference (RFC 3986): relative as it was named, else with the scheme `file`; every byte that is not
    /// unreserved is percent-encoded, a colon too, so that no path looks like a scheme.
    static func reference(to path: FilePath) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in path.lexicallyNormalized().string.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                text.append(byte)
            default: text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return (path.isAbsolute ? "file://" : "") + String(decoding: text, as: UTF8.self)
    }
}
