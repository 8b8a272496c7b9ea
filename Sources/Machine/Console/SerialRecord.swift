/// What a machine has said on its serial line so far: lines, facts and signs of failure, each with its time.
struct SerialRecord: Sendable {
    /// The number of lines that are kept to be shown when a boot fails.
    static let tailLimit = 40
    /// The number of facts that are kept; a node reports a dozen in a boot, and more when its health changes.
    static let factLimit = 4096

    private var decoder = SerialDecoder()
    /// The facts, oldest first.
    private(set) var facts: [SerialFact] = []
    /// The first sign that the boot cannot go on.
    private(set) var failure: GuestFailure?
    /// The last lines.
    private(set) var tail: [String] = []
    /// The number of bytes so far.
    private(set) var byteCount = 0
    private var searched = ""

    /// The last lines and what stands on the current one.
    var shownTail: [String] { decoder.partial.isEmpty ? tail : tail + [decoder.partial] }

    /// Takes bytes that came at `time` after the start.
    mutating func take(_ bytes: [UInt8], at time: Duration) {
        byteCount += bytes.count
        for line in decoder.take(bytes) {
            if let fact = SerialFact(line: line, time: time) {
                if facts.count == Self.factLimit { facts.removeFirst(Self.factLimit / 2) }
                facts.append(fact)
            }
            if failure == nil { failure = GuestFailure(line: line, time: time) }
            if tail.count == Self.tailLimit { tail.removeFirst() }
            tail.append(line)
            searched += line + "\n"
        }
        // The UEFI shell waits for a key on a line that it does not end.
        if failure == nil { failure = GuestFailure(line: decoder.partial, time: time) }
        if searched.utf8.count > 1 << 20 { searched = String(searched.suffix(1 << 18)) }
    }

    /// Notes a failure that shows on the screen alone.
    mutating func fail(_ failure: GuestFailure, screen rows: [String]) {
        guard self.failure == nil else { return }
        self.failure = failure
        let first = rows.firstIndex(of: failure.line) ?? 0
        tail = Array((tail + ["(on the screen:)"] + rows[max(0, first - 12)...]).suffix(Self.tailLimit))
    }

    /// Begins a new search: what was said before is no longer found by ``contains(_:)``.
    mutating func mark() { searched = "" }

    /// Whether a text was said since the last ``mark()``, on a complete line or on the current one.
    func contains(_ text: String) -> Bool { searched.contains(text) || decoder.partial.contains(text) }

    /// What was said since the last ``mark()``.
    var sinceMark: String { searched + decoder.partial }

    /// The latest fact about a subject.
    func latest(_ subject: String) -> SerialFact? { facts.last { $0.subject == subject } }

    /// Forgets facts and failure, as after a reset of the machine.
    mutating func restart() {
        facts = []
        failure = nil
        mark()
    }
}
