import Artefact
import Recipe
import Upstream

/// What a lock names, for people and for programs that fetch.
enum InputList {
    /// All entries in one of the forms.
    static func text(of lock: InputLock, _ format: FetchCommand.ListFormat) throws -> String {
        switch format {
        case .text:
            return lock.entries.map { "\($0.sha256)  \($0.size)  \($0.url)\n" }.joined()
        case .wget:
            return lock.entries.map { "\($0.url)\n" }.joined()
        case .curl:
            // curl(1), --config: a line for each option, values in quotes with backslashes before quotes; neither
            // occurs in the addresses and names of a lock.
            return "create-dirs\nfail\nlocation\n"
                + lock.entries.map { "url = \"\($0.url)\"\noutput = \"\($0.name)\"\n" }.joined()
        case .json: return try JSONText.of(lock.entries.map(Row.init))
        }
    }

    private struct Row: Encodable {
        let name: String
        let url: String
        let size: UInt64
        let sha256: String
        let trust: String
        let date: String

        init(_ entry: InputLock.Entry) {
            name = entry.name
            url = entry.url
            size = entry.size
            sha256 = entry.sha256.hex
            trust = entry.trust.description
            date = entry.date.description
        }
    }
}
