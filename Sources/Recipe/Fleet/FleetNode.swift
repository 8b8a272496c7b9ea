public import Artefact
public import Node

/// One node of a fleet as the recipe has it.
public struct FleetNode: Hashable, Sendable {
    /// Its name in the recipe, in its files' names and of its directory in a bundle.
    public let name: String
    /// The address of the card that it boots from, in lower case: `52:54:00:12:34:56`.
    public let hardwareAddress: String?
    /// Its SMBIOS UUID in lower case.
    public let uuid: String?
    /// The recipe with what it says of this node laid over it.
    let recipe: Recipe
}

extension Recipe {
    /// Makes every choice that the recipe leaves open for one node of its fleet.
    ///
    /// What a node cannot say comes from the recipe as it is now, so that a choice made after it was read, such as that
    /// of a lock, counts for all. Its `instance-id` follows from its name and the version, unless the recipe gives one.
    ///
    /// - Parameters:
    ///   - member: The node.
    ///   - stamp: Version and time of the build.
    /// - Returns: The node, all choices made.
    public func node(_ member: FleetNode, stamp: BuildStamp) -> NodeImage {
        var own = member.recipe
        own.alpine = alpine
        own.kubesolo.release = kubesolo.release
        own.kubesolo.isLatest = kubesolo.isLatest
        own.kubesolo.variant = kubesolo.variant
        own.kubesolo.sha256 = kubesolo.sha256
        if !own.isInstanceIdentifierGiven {
            own.seed.instanceIdentifier = .fixed("\(member.name)-\(stamp.version)")
        }
        var image = own.node(stamp: stamp)
        image.member = member.name
        return image
    }
}
