public import Artefact

/// An Alpine release and the flavour of its ISO image.
public struct AlpineRelease: Hashable, Sendable, CustomStringConvertible {
    /// The flavours whose ISO images boot diskless with a kernel of their own.
    public enum Flavor: String, Hashable, Sendable, CaseIterable {
        /// For virtual machines; kernel flavour `virt`.
        case virt
        /// For hardware; kernel flavour `lts`.
        case standard
        /// For hardware, with more packages on the image; kernel flavour `lts`.
        case extended

        /// The flavour of kernel, initramfs and modloop on the image: the suffix of `boot/vmlinuz-…`.
        public var kernel: String { self == .virt ? "virt" : "lts" }
    }

    /// The exact version, `3.23.6`.
    public var version: String
    /// The flavour of the image.
    public var flavor: Flavor
    /// The digest that recipe or lock pins the image to.
    public var sha256: Digest?

    /// Joins the parts.
    public init(version: String, flavor: Flavor, sha256: Digest? = nil) {
        self.version = version
        self.flavor = flavor
        self.sha256 = sha256
    }

    /// The branch that mirrors file the release under: `v3.23`.
    public var branch: String { "v" + version.split(separator: ".").prefix(2).joined(separator: ".") }

    /// The image's file name on a mirror: `alpine-virt-3.23.6-x86_64.iso`.
    public func imageName(_ architecture: Architecture) -> String {
        "alpine-\(flavor.rawValue)-\(version)-\(architecture.alpineName).iso"
    }

    /// `alpine-virt 3.23.6`.
    public var description: String { "alpine-\(flavor.rawValue) \(version)" }
}
