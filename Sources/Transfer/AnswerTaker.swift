/// Takes an answer as libcurl hands it over, and gives what goes with the request.
class AnswerTaker {
    /// Whether the user wants to stop; asked again and again.
    let isCancelled: () -> Bool

    init(isCancelled: @escaping () -> Bool) { self.isCancelled = isCancelled }

    /// Takes a line of the head, or of what follows the body.
    ///
    /// - Returns: Whether to go on.
    func takeLine(_ line: [UInt8]) -> Bool { false }

    /// Takes a piece of the body.
    ///
    /// - Returns: Whether to go on.
    func takeBody(_ bytes: Span<UInt8>) -> Bool { false }

    /// The next piece of what is sent.
    ///
    /// - Parameter limit: The most bytes that are taken.
    /// - Returns: The bytes, none where all is sent, or `nil` where they cannot be read.
    func giveBody(_ limit: Int) -> [UInt8]? { [] }
}
