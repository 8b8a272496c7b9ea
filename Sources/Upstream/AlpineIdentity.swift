internal import Node

/// What an image of Alpine says it is: `.alpine-release` holds `alpine-FLAVOUR-VERSION YYMMDD`, a name below `apks/` the
/// architecture.
struct AlpineIdentity: Hashable, Sendable {
    let flavor: String
    let version: String
    let architectures: [String]
    let built: String

    /// What a recipe asks for.
    init(_ release: AlpineRelease, _ architecture: Architecture) {
        flavor = release.flavor.rawValue
        version = release.version
        architectures = [architecture.alpineName]
        built = ""
    }

    /// Reads the first line of `.alpine-release`.
    ///
    /// - Returns: `nil` when it is of another form.
    init?(releaseLine: String, architectures: [String]) {
        let words = releaseLine.split { $0 == " " || $0 == "\n" || $0 == "\t" }.map(String.init)
        guard let first = words.first, first.hasPrefix("alpine-") else { return nil }
        var parts = first.dropFirst(7).split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        var rest = words.dropFirst()
        let isVersionInName = parts.count > 1 && parts.last?.first?.isNumber == true
        guard let version = isVersionInName ? parts.popLast() : rest.popFirst(), version.first?.isNumber == true else {
            return nil
        }
        let flavor = parts.joined(separator: "-")
        let isPlain = "\(flavor)\(version)".utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte) || "._-".utf8.contains(byte)
        }
        guard !flavor.isEmpty, isPlain else { return nil }
        self.flavor = ["std": "standard", "ext": "extended"][flavor] ?? flavor
        self.version = version
        self.architectures = architectures
        built = rest.first ?? ""
    }

    /// The image's name on a mirror.
    var imageName: String { "alpine-\(flavor)-\(version)-\(architectures.first ?? "").iso" }

    /// The label that GRUB on the image looks for: standard and extended are abbreviated in it.
    var volumeIdentifier: String {
        "alpine-\(["standard": "std", "extended": "ext"][flavor] ?? flavor) \(version) \(architectures.first ?? "")"
    }

    private var title: String {
        "alpine-\(flavor) \(version) for \(architectures.isEmpty ? "no architecture" : architectures.joined(separator: ", "))"
    }

    /// Demands that an image is what the recipe asks for; what it is instead is said in full.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongArchitecture``, ``UpstreamError/Code/wrongFlavor`` or
    ///   ``UpstreamError/Code/wrongRelease``, in this order.
    func require(_ wanted: AlpineIdentity, subject: String) throws(UpstreamError) {
        let code: UpstreamError.Code
        if !architectures.contains(where: { wanted.architectures.contains($0) }) {
            code = .wrongArchitecture
        } else if flavor != wanted.flavor {
            code = .wrongFlavor
        } else if version != wanted.version {
            code = .wrongRelease
        } else {
            return
        }
        let noun =
            switch code {
            case .wrongArchitecture: "architecture"
            case .wrongFlavor: "flavour"
            default: "release"
            }
        throw UpstreamError(
            code, subject: subject,
            detail:
                "is of another \(noun): it is \(title) and the recipe says \(wanted.title); take \(wanted.imageName)")
    }
}
