internal import Transfer

/// What a request to a registry comes to that is made once.
enum Attempt {
    /// The registry answered, and asking again brings the same.
    case answered(HTTPAnswer)
    /// It may answer otherwise later.
    case later(Delay)
}

/// Why something is tried again after a while.
struct Delay {
    /// What went wrong, without the name of the place.
    let reason: String
    /// Whether the registry itself said so; else it could not be reached, or the connection broke.
    let isAnswer: Bool
    /// The seconds that the registry would have the client wait; 0 where it says nothing of that.
    let seconds: Int

    /// The longest that a registry may have the client wait, in seconds.
    private static let longestWait = 60

    /// What is the matter, as far as the client sees it.
    init(_ reason: String) {
        self.reason = reason
        isAnswer = false
        seconds = 0
    }

    /// What the registry answered; `Retry-After` counts where it gives seconds (RFC 9110, section 10.2.3), a date not.
    init(_ reason: String, _ answer: HTTPAnswer) {
        self.reason = reason
        isAnswer = true
        let told = answer.field("retry-after").flatMap { Int($0) } ?? 0
        seconds = min(max(told, 0), Self.longestWait)
    }
}
