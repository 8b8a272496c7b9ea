public import Artefact
internal import FoundationEssentials

/// When, by whom and why something was done; values, because the store knows neither clock nor user.
public struct Occasion: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public var when: Int64
    /// The user, such as `alice@build-7`.
    public var who: String
    /// The reason given.
    public var why: String
    /// What shows it, such as the line with which the node reported its health, where there is something.
    public var evidence: String?

    /// Joins the parts.
    public init(when: Int64, who: String, why: String, evidence: String? = nil) {
        self.when = when
        self.who = who
        self.why = why
        self.evidence = evidence
    }
}

/// What happened to the store's versions, in order: the file `history.jsonl`, to which lines are only ever added.
///
/// A line stands in the file before the pointer moves, so a switch that is recorded may not have happened, but none
/// happens unrecorded. Where the two disagree, the next command that changes the store adds a line that says so. What
/// the lines come to is ``Standing``.
public struct History: Hashable, Sendable {
    /// What a line tells.
    public enum Result: String, Hashable, Sendable, CaseIterable {
        /// A version was made live; it is pending until it is confirmed.
        case activated
        /// The live version has proven itself.
        case confirmed
        /// The pointer left a version, which counts as failed from then on.
        case rolledBack = "rolled-back"
        /// The bundle of a version was removed; the line has no version that is live after it.
        case pruned
        /// The switch on the line before did not happen: the system refused it.
        case undone
        /// The switch on the line before did not happen, or the pointer was moved by something else; without a version
        /// where it led to no bundle.
        case repaired
    }

    /// One line.
    public struct Entry: Hashable, Sendable {
        /// The version that was live before, where one was; of ``Result/pruned`` the one that is gone.
        public var from: Version?
        /// The version that is live after it, where one is.
        public var to: Version?
        /// The digest of that version's manifest, of ``Result/activated``, ``Result/confirmed``, ``Result/rolledBack``.
        public var manifest: Digest?
        /// When, by whom and why.
        public var occasion: Occasion
        /// What it came to.
        public var result: Result

        /// Joins the parts.
        public init(from: Version?, to: Version?, manifest: Digest? = nil, occasion: Occasion, result: Result) {
            self.from = from
            self.to = to
            self.manifest = manifest
            self.occasion = occasion
            self.result = result
        }
    }

    /// The lines that can be read, oldest first.
    public let entries: [Entry]
    /// The numbers of lines that cannot be read, such as one that a power failure cut short.
    public let damagedLines: [Int]

    /// The largest history that is read as a whole, in bytes: more than 200,000 switches.
    public static let maximumBytes = 64 << 20

    /// Reads a file's bytes; what cannot be read is noted, never guessed.
    public init(decoding bytes: [UInt8]) {
        var entries: [Entry] = []
        var damaged: [Int] = []
        let decoder = JSONDecoder()
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.isEmpty, !line.starts(with: Checkpoint.mark) else { continue }
            if let wire = try? decoder.decode(Line.self, from: Data(line)), let entry = wire.entry {
                entries.append(entry)
            } else {
                damaged.append(number)
            }
        }
        self.entries = entries
        damagedLines = damaged
    }

    /// What the lines come to, each taken for itself; ``BundleStore/standing()`` begins at the last checkpoint.
    public var standing: Standing {
        var standing = Standing()
        for entry in entries { standing.take(entry) }
        return standing
    }

    /// A time as it stands in a line: `2026-02-02T02:40:00Z`.
    static func date(_ seconds: Int64) -> String { Date(timeIntervalSince1970: Double(seconds)).ISO8601Format() }

    /// The line for an entry, without its end.
    static func line(_ entry: Entry) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(Line(entry)))
    }

    private struct Line: Codable {
        let from: String?
        let to: String?
        let manifest: String?
        let when: String
        let who: String
        let why: String
        let evidence: String?
        let result: String

        init(_ entry: Entry) {
            from = entry.from?.description
            to = entry.to?.description
            manifest = entry.manifest?.hex
            when = History.date(entry.occasion.when)
            who = String(entry.occasion.who.prefix(255))
            why = String(entry.occasion.why.prefix(4096))
            evidence = entry.occasion.evidence.map { String($0.prefix(4096)) }
            result = entry.result.rawValue
        }

        var entry: Entry? {
            guard let result = Result(rawValue: result), let date = try? Date(when, strategy: .iso8601) else {
                return nil
            }
            let versions = [from, to].map { text in text.map { try? Version($0) } }
            let digest = manifest.map { try? Digest(hex: $0) }
            guard !versions.contains(where: { $0 == .some(nil) }), digest != .some(nil) else { return nil }
            return Entry(
                from: versions[0] ?? nil, to: versions[1] ?? nil, manifest: digest ?? nil,
                occasion: Occasion(
                    when: Int64(date.timeIntervalSince1970.rounded()), who: who, why: why, evidence: evidence),
                result: result)
        }
    }
}
