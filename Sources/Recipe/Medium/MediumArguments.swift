internal import Node

/// What the kernel of a boot medium is told besides what Alpine's image tells it.
enum MediumArguments {
    /// The seconds after which a node restarts when its kernel or init gives up: the shell that init would open instead
    /// is root's and asks for no password.
    static let panicDelay = 10
    /// The speed of a serial console that states none, as Alpine's own boot loader has it.
    static let serialSpeed = 115_200

    /// The words, in their order: the overlay, the consoles, what the recipe adds.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - overlay: The name of the overlay in the first root; init takes a path without a colon as it is, and looks for
    ///     no other overlay then (`initramfs-init`, `prepare_apkovl`).
    /// - Returns: Words without blanks.
    static func words(_ node: NodeImage, overlay: String) -> [String] {
        var words = ["apkovl=/\(overlay)"]
        words += node.consoles.map { console in
            let isBareSerial = console.hasPrefix("ttyS") && !console.contains(",")
            return "console=\(console)\(isBareSerial ? ",\(serialSpeed)" : "")"
        }
        if !node.kernelParameters.contains(where: { $0 == "panic" || $0.hasPrefix("panic=") }) {
            words.append("panic=\(panicDelay)")
        }
        return words + node.kernelParameters
    }
}
