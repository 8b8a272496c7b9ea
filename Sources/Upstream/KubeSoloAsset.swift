public import Node

/// A release asset of KubeSolo by its name: `kubesolo-TAG-linux-ARCH[-musl][-offline].tar.gz`.
public struct KubeSoloAsset: Hashable, Sendable, CustomStringConvertible {
    /// The C library that the binary in it is built against.
    public enum Library: Hashable, Sendable {
        /// Dynamic, glibc 2.34 or newer; no suffix in the name.
        case glibc
        /// Static; `-musl` in the name.
        case musl
    }

    /// The release.
    public let version: KubeSoloVersion
    /// The architecture in upstream's words: `amd64`, `arm64`, `arm`, `riscv64`.
    public let architectureName: String
    /// The C library.
    public let library: Library
    /// Whether it carries its images.
    public let variant: KubeSolo.Variant

    /// The asset that a node takes: always the static one.
    public init(_ kubesolo: KubeSolo, _ architecture: Architecture) {
        version = kubesolo.version
        architectureName = architecture.kubeSoloName
        library = .musl
        variant = kubesolo.variant
    }

    /// Reads a name.
    ///
    /// - Returns: `nil` when it is not of upstream's form, which says nothing about the file.
    public init?(name: String) {
        guard name.hasPrefix("kubesolo-"), name.hasSuffix(".tar.gz") else { return nil }
        var parts = name.dropFirst(9).dropLast(7).split(separator: "-", omittingEmptySubsequences: false)
        variant = parts.last == "offline" ? .offline : .online
        if variant == .offline { parts.removeLast() }
        library = parts.last == "musl" ? .musl : .glibc
        if library == .musl { parts.removeLast() }
        guard let architecture = parts.popLast(), Self.architectures.contains(String(architecture)),
            parts.popLast() == "linux", let version = KubeSoloVersion(parts.joined(separator: "-"))
        else { return nil }
        self.version = version
        architectureName = String(architecture)
    }

    private static let architectures: Set<String> = ["amd64", "arm64", "arm", "riscv64"]

    /// The name.
    public var description: String {
        "kubesolo-\(version)-linux-\(architectureName)\(library == .musl ? "-musl" : "")"
            + "\(variant == .offline ? "-offline" : "").tar.gz"
    }

    /// Demands that the name says what the recipe says.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongRelease``, ``UpstreamError/Code/wrongArchitecture``,
    ///   ``UpstreamError/Code/wrongLibrary`` or ``UpstreamError/Code/wrongFlavor``.
    func require(_ wanted: KubeSoloAsset, subject: String) throws(UpstreamError) {
        func fault(_ code: UpstreamError.Code, _ what: String) -> UpstreamError {
            UpstreamError(code, subject: subject, detail: "\(what); take \(wanted)")
        }
        guard version == wanted.version else {
            throw fault(.wrongRelease, "is KubeSolo \(version) by its name and the recipe says \(wanted.version)")
        }
        guard architectureName == wanted.architectureName else {
            throw fault(
                .wrongArchitecture,
                "is for \(architectureName) by its name and the node is \(wanted.architectureName)")
        }
        guard library == wanted.library else {
            throw fault(.wrongLibrary, "is the glibc build by its name, which Alpine cannot start")
        }
        guard variant == wanted.variant else {
            throw fault(
                .wrongFlavor,
                "is the \(variant.rawValue) variant by its name and the recipe says \(wanted.variant.rawValue)")
        }
    }
}
