/// What a failure means to whoever called, whichever room it came from.
///
/// The command line maps each case to one exit code, `sysexits.h` where that has one.
public enum FailureClass: Hashable, Sendable, CaseIterable {
    /// Something was read in full and found wanting: lint, verify or diff has findings.
    case findings
    /// A booted image did not become healthy in its time.
    case unhealthy
    /// The command line is wrong.
    case usage
    /// A recipe or an input holds wrong data.
    case data
    /// A named input does not exist or cannot be read.
    case noInput
    /// A server, mirror or program that is needed cannot be had.
    case unavailable
    /// A defect in ksbuild itself.
    case software
    /// An output cannot be created where it was asked for.
    case cannotCreate
    /// The system failed while reading or writing.
    case io
    /// Another process holds what is needed; a later attempt may succeed.
    case busy
    /// The user may not do this.
    case permission
    /// The user stopped it; what was there before is still there.
    case interrupted
}

/// An error that knows what it means to the caller and says it in one line.
///
/// `description` reads "SUBJECT: what is wrong (why); what to do", starts with the file or thing to blame and ends
/// without a full stop.
public protocol Failure: Error, CustomStringConvertible, Sendable {
    /// What the failure means to whoever called.
    var failureClass: FailureClass { get }
}
