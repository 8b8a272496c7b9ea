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

    init(_ reason: String, isAnswer: Bool = false) {
        self.reason = reason
        self.isAnswer = isAnswer
    }
}
