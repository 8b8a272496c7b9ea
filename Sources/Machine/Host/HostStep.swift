/// One step on the way to a host that can run virtual machines.
public struct HostStep: Hashable, Sendable {
    /// What is done in a step.
    public enum Action: Hashable, Sendable {
        /// A program with its arguments is run, and reads `input`.
        case run([String], input: String?)
        /// A person has to do what the text says.
        case byHand(String)
    }

    /// A name that no other step of the plan has.
    public let name: String
    /// What the step does, as in "install packages: …".
    public let what: String
    /// Why virtual machines need it.
    public let why: String
    /// What is done.
    public let action: Action
    /// Whether only root can do it.
    public let needsRoot: Bool
    /// How it is known whether it was done, as in "dpkg-query lists them as installed".
    public let evidence: String
    /// Whether it was done already.
    public let isDone: Bool
    /// Whether the evidence can be seen by this process; a step of which it cannot counts as done once it ended well.
    public let isVerifiable: Bool
    /// What to try where it fails.
    public let advice: String?

    init(
        _ name: String, _ what: String, why: String, _ action: Action, needsRoot: Bool = true, evidence: String,
        isDone: Bool, isVerifiable: Bool = true, advice: String? = nil
    ) {
        self.name = name
        self.what = what
        self.why = why
        self.action = action
        self.needsRoot = needsRoot
        self.evidence = evidence
        self.isDone = isDone
        self.isVerifiable = isVerifiable
        self.advice = advice
    }

    /// The step as lines for a POSIX shell: comments with what and why, then the command.
    ///
    /// - Parameter elevation: The program that runs another as root; `nil` for root.
    /// - Returns: The lines, without a newline at the end.
    public func shellText(elevation: String?) -> String {
        switch action {
        case .run(let words, let input):
            "# \(what): \(why)\n\(ShellLine(Self.elevated(words, needsRoot ? elevation : nil), input: input))"
        case .byHand(let text): "# \(what): \(why)\n# by hand: \(text)"
        }
    }

    /// The words of a command with the program in front that runs it as root.
    static func elevated(_ words: [String], _ elevation: String?) -> [String] { (elevation.map { [$0] } ?? []) + words }
}
