internal import Artefact
internal import FoundationEssentials
internal import Transfer

/// What a registry says is wrong: the status and, where it gives one, its own code and words (OCI distribution
/// specification 1.1, "Error Codes").
struct RegistryProblem: CustomStringConvertible {
    private struct Document: Decodable {
        struct Entry: Decodable { let code: String?, message: String? }
        let errors: [Entry]?
    }

    let status: Int
    let code: String
    let message: String
    /// Whether the registry has no room left, as far as it says so.
    let isFull: Bool

    init(_ answer: HTTPAnswer) {
        status = answer.status
        let document = try? JSONDecoder().decode(Document.self, from: Data(answer.body))
        code = String((document?.errors?.first?.code ?? "").prefix(60))
        message = String((document?.errors?.first?.message ?? "").prefix(200))
        // Docker's registry gives the error of the system as a structure in which 28 is ENOSPC.
        let text = String(decoding: answer.body.prefix(4096), as: UTF8.self)
        isFull =
            status == 507
            || status >= 500
                && (text.contains("no space left") || text.contains("\"Err\":28") || text.contains("\"Err\":122"))
    }

    /// `500 (UNKNOWN: unknown error)`.
    var description: String {
        let words = [code, message].filter { !$0.isEmpty }.joined(separator: ": ")
        return words.isEmpty ? "\(status)" : "\(status) (\(printable(words)))"
    }
}
