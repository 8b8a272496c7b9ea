internal import FoundationEssentials

/// When, by whom and why something was done; values, because the store knows neither clock nor user.
public struct Occasion: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public var when: Int64
    /// The user, such as `alice@build-7`.
    public var who: String
    /// The reason given.
    public var why: String

    /// Joins the parts.
    public init(when: Int64, who: String, why: String) {
        self.when = when
        self.who = who
        self.why = why
    }
}

/// What happened to the pointer `current`, in order: the file `history.jsonl`, to which lines are only ever added.
///
/// A line stands in the file before the pointer moves, so a switch that is recorded may not have happened, but none
/// happens unrecorded. Where the two disagree, the next command that changes the store adds a line that says so.
public struct History: Hashable, Sendable {
    /// What a line tells.
    public enum Result: String, Hashable, Sendable, CaseIterable {
        /// A version was made live.
        case activated
        /// The pointer went back to a version that was live before.
        case rolledBack = "rolled-back"
        /// The switch on the line before did not happen: the system refused it.
        case failed
        /// The switch on the line before did not happen, or the pointer was moved by something else; without a version
        /// where it led to no bundle.
        case repaired
    }

    /// One line.
    public struct Entry: Hashable, Sendable {
        /// The version that was live before, where one was.
        public var from: Version?
        /// The version that is live after it, where one is.
        public var to: Version?
        /// When, by whom and why.
        public var occasion: Occasion
        /// What it came to.
        public var result: Result

        /// Joins the parts.
        public init(from: Version?, to: Version?, occasion: Occasion, result: Result) {
            self.from = from
            self.to = to
            self.occasion = occasion
            self.result = result
        }
    }

    /// The lines that can be read, oldest first.
    public let entries: [Entry]
    /// The numbers of lines that cannot be read, such as one that a power failure cut short.
    public let damagedLines: [Int]

    /// The largest history that is read, in bytes: more than 200,000 switches.
    public static let maximumBytes = 64 << 20

    /// Reads a file's bytes; what cannot be read is noted, never guessed.
    public init(decoding bytes: [UInt8]) {
        var entries: [Entry] = []
        var damaged: [Int] = []
        let decoder = JSONDecoder()
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.isEmpty else { continue }
            if let wire = try? decoder.decode(Line.self, from: Data(line)), let entry = wire.entry {
                entries.append(entry)
            } else {
                damaged.append(number)
            }
        }
        self.entries = entries
        damagedLines = damaged
    }

    /// The version that the lines say is live; a line that tells of no bundle that is live changes nothing here.
    public var live: Version? { standing.last }

    /// The versions one can go back to from where the history ends, the one to go to first.
    ///
    /// Activating a version puts it on top; going back takes off all above the one gone back to. So a version that was
    /// left by rolling back is not gone back to again, and rolling back twice goes back two steps. A switch that did not
    /// happen is taken back.
    public var wayBack: [Version] { standing.dropLast().reversed() }

    /// The same history with one more line.
    func adding(_ entry: Entry?) -> History {
        History(entries: entries + (entry.map { [$0] } ?? []), damagedLines: damagedLines)
    }

    private init(entries: [Entry], damagedLines: [Int]) {
        self.entries = entries
        self.damagedLines = damagedLines
    }

    /// What the lines come to: the versions that were live and were not gone back from, the live one last.
    private var standing: [Version] {
        var stack: [Version] = []
        var beforeSwitch: [Version] = []
        func goBack(to version: Version) {
            if let index = stack.lastIndex(of: version) {
                stack.removeSubrange((index + 1)...)
            } else {
                stack.append(version)
            }
        }
        for entry in entries {
            switch (entry.result, entry.to) {
            case (.failed, _): stack = beforeSwitch
            case (.repaired, let to?) where to == beforeSwitch.last: stack = beforeSwitch
            case (.repaired, let to?): goBack(to: to)
            case (.activated, let to?):
                beforeSwitch = stack
                stack.removeAll { $0 == to }
                stack.append(to)
            case (.rolledBack, let to?):
                beforeSwitch = stack
                goBack(to: to)
            case (_, nil): break
            }
        }
        return stack
    }

    /// The line for an entry, without its end.
    static func line(_ entry: Entry) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(Line(entry)))
    }

    private struct Line: Codable {
        let from: String?
        let to: String?
        let when: String
        let who: String
        let why: String
        let result: String

        init(_ entry: Entry) {
            from = entry.from?.description
            to = entry.to?.description
            when = Date(timeIntervalSince1970: Double(entry.occasion.when)).ISO8601Format()
            who = String(entry.occasion.who.prefix(255))
            why = String(entry.occasion.why.prefix(4096))
            result = entry.result.rawValue
        }

        var entry: Entry? {
            guard let result = Result(rawValue: result), let date = try? Date(when, strategy: .iso8601) else {
                return nil
            }
            let versions = [from, to].map { text in text.map { try? Version($0) } }
            guard !versions.contains(where: { $0 == .some(nil) }) else { return nil }
            return Entry(
                from: versions[0] ?? nil, to: versions[1] ?? nil,
                occasion: Occasion(when: Int64(date.timeIntervalSince1970.rounded()), who: who, why: why),
                result: result)
        }
    }
}
