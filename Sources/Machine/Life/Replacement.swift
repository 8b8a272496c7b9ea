internal import Artefact

/// An upgrade, or a way back: another medium, the same data disk, and the way back from that where the node is not well.
///
/// Each step is durable before the next begins (`replacement.json`), and each can be done twice. What is cut off between
/// two is taken up by ``MachineLife/settle(_:)``: undone as long as the new version was not healthy, finished once it
/// was.
public struct Replacement: Codable, Hashable, Sendable {
    /// Which way it goes.
    public enum Kind: String, Codable, Hashable, Sendable {
        /// To a version that has yet to prove itself.
        case upgrade
        /// To one that has.
        case rollback
    }

    /// How far it has come; each is written before what follows it is begun.
    public enum Step: String, Codable, Hashable, Sendable, CaseIterable {
        /// The machine is to be shut down and its disk kept.
        case begun
        /// The disk is kept in a snapshot; the version is to be switched.
        case kept
        /// The new medium is in the drive; the machine is to be started.
        case switched
        /// The new version is healthy; the snapshot is to be dropped.
        case proven
        /// The new version is not well; the disk is to be made what it was.
        case failed
        /// The disk is what it was; the old version is to be put back.
        case reverted
        /// The old version is back and is to be started.
        case returned
    }

    /// Which way.
    public var kind: Kind
    /// The version that is left, and its media.
    public var from: NodeRelease
    /// The media of the version that is left.
    public var oldMedia: VirtualMachine.Media
    /// The version that is gone to.
    public var to: NodeRelease
    /// Its media.
    public var newMedia: VirtualMachine.Media
    /// Whether the machine ran when it began.
    public var wasRunning: Bool
    /// The version that the books called live when it began, which other machines may share.
    public var liveBefore: String?
    /// How far it has come.
    public var step: Step
    /// Why the new version is left, once it is.
    public var why: String?
    /// What the node said about that, or about its health.
    public var evidence: String?

    /// The name of the snapshot on the data disk.
    static let snapshot = "ksbuild-before"

    /// Describes one that is about to begin.
    public init(
        _ kind: Kind, from: NodeRelease, _ oldMedia: VirtualMachine.Media, to: NodeRelease,
        _ newMedia: VirtualMachine.Media, wasRunning: Bool, liveBefore: String? = nil
    ) {
        self.kind = kind
        self.from = from
        self.oldMedia = oldMedia
        self.to = to
        self.newMedia = newMedia
        self.wasRunning = wasRunning
        self.liveBefore = liveBefore
        step = .begun
    }

    /// `upgrade from 1.0.0 to 1.1.0`.
    public var title: String { "\(kind.rawValue) from \(from.version) to \(to.version)" }
}

/// The books on which version is live; they are kept elsewhere, and every entry may be made twice.
public struct ReleaseBook: Sendable {
    /// Makes the new version the live one, not yet confirmed.
    public var take: @Sendable (Replacement) throws -> Void
    /// Notes that the live version has proven itself.
    public var confirm: @Sendable (Replacement) throws -> Void
    /// Makes the old version the live one again, and notes why.
    public var giveUp: @Sendable (Replacement) throws -> Void

    /// Joins the three.
    public init(
        take: @escaping @Sendable (Replacement) throws -> Void,
        confirm: @escaping @Sendable (Replacement) throws -> Void,
        giveUp: @escaping @Sendable (Replacement) throws -> Void
    ) {
        self.take = take
        self.confirm = confirm
        self.giveUp = giveUp
    }
}

/// How a replacement ended.
public enum ReplacementOutcome: Hashable, Sendable {
    /// The new version is live and healthy.
    case replaced(NodeRelease)
    /// The old version is live again and healthy; why the new one is not.
    case returned(NodeRelease, why: String)
    /// The old version is live again, and not well either.
    case lost(NodeRelease, why: String, since: String)
    /// Nothing had been switched; the machine is as it was.
    case undone(NodeRelease)
}
