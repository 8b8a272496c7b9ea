internal import Artefact
internal import ISOBuild
internal import SystemPackage

/// The files of an ISO image that make it a boot medium of Alpine, as `mkimage.sh` lays them out.
struct AlpineMedium: ~Copyable {
    /// What a boot medium holds besides its identity.
    struct Contents {
        let kernelVersion: String?
        let packages: PackageIndex
    }

    /// The largest `.alpine-release`.
    private static let maximumReleaseBytes = 4096
    /// The bytes of each boot file that are looked at.
    private static let headBytes = 64 * 1024

    private let reader: ISOReader
    private let entries: [String: ISOEntry]
    private let subject: String

    /// Opens an image and lists it.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongKind``, ``UpstreamError/Code/truncated`` or
    ///   ``UpstreamError/Code/malformed``; `ArtefactError` when it cannot be read.
    init(_ path: FilePath) throws {
        do {
            let reader = try ISOReader(path)
            let listing = try reader.entries()
            self.entries = Dictionary(listing.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
            self.reader = reader
            self.subject = path.string
        } catch let error as ISOError {
            throw try Self.translate(error, path)
        }
    }

    /// The label of the volume.
    var volumeIdentifier: String { reader.volume.volumeIdentifier }

    /// What the image says it is.
    func identity() throws -> AlpineIdentity {
        guard let entry = entries[".alpine-release"], entry.kind == .file else {
            throw UpstreamError(
                .wrongKind, subject: subject,
                detail: "is an ISO image but none of Alpine's: it has no .alpine-release (its label is "
                    + "\(String(reflecting: volumeIdentifier)))")
        }
        let text = String(decoding: try read(entry, limit: Self.maximumReleaseBytes), as: UTF8.self)
        let architectures = entries.values.filter { $0.isDirectory && $0.path.hasPrefix("apks/") }
            .map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard let identity = AlpineIdentity(releaseLine: text, architectures: architectures) else {
            throw UpstreamError(
                .malformed, subject: subject,
                detail:
                    "has an .alpine-release that names no flavour and version: \(String(reflecting: String(text.prefix(80))))"
            )
        }
        return identity
    }

    /// What a boot needs, each part demanded.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/incomplete``, ``UpstreamError/Code/unsigned`` or
    ///   ``UpstreamError/Code/malformed``.
    func contents(_ wanted: AlpineIdentity) throws -> Contents {
        let architecture = wanted.architectures.first ?? ""
        guard volumeIdentifier == wanted.volumeIdentifier else {
            throw UpstreamError(
                .malformed, subject: subject,
                detail: "has the label \(String(reflecting: volumeIdentifier)), and its boot loader looks for "
                    + "\(String(reflecting: wanted.volumeIdentifier)); take the image as Alpine publishes it")
        }
        let kernel = wanted.flavor == "virt" ? "virt" : "lts"
        var kernelVersion: String?
        for part in BootPart.allCases {
            let head = try head(of: "boot/\(part.rawValue)-\(kernel)", atLeast: BootPart.smallestPlausibleBytes)
            guard part.recognises(head, architecture) else {
                let nature = FileNature.name(of: Array(head.prefix(FileNature.headBytes))) ?? "something else"
                throw incomplete("boot/\(part.rawValue)-\(kernel) is no \(part.title) but \(nature)")
            }
            if part == .kernel { kernelVersion = BootPart.kernelVersion(head) }
        }
        if let kernelVersion, !kernelVersion.hasSuffix("-\(kernel)") {
            throw incomplete("boot/vmlinuz-\(kernel) is a kernel of another flavour (\(kernelVersion))")
        }
        let loaders = [
            "x86_64": ["boot/syslinux/isolinux.bin", "efi/boot/bootx64.efi"], "aarch64": ["efi/boot/bootaa64.efi"],
        ]
        let names = loaders[architecture] ?? []
        guard names.contains(where: { (entries[$0]?.size ?? 0) > 0 }) else {
            throw incomplete("it has no boot loader for \(architecture) (\(names.joined(separator: " or ")))")
        }
        guard entries["apks/.boot_repository"]?.kind == .file else {
            throw incomplete("apks/.boot_repository is missing, by which init finds the packages")
        }
        return Contents(kernelVersion: kernelVersion, packages: try packages(architecture))
    }

    /// The index, signed, with every package that it lists on the medium.
    private func packages(_ architecture: String) throws -> PackageIndex {
        let path = "apks/\(architecture)/APKINDEX.tar.gz"
        guard let entry = entries[path], entry.kind == .file, entry.size > 0 else {
            throw incomplete("\(path) is missing or empty")
        }
        let index = try PackageIndex(
            archive: read(entry, limit: PackageIndex.maximumCompressedBytes), named: "\(subject)(\(path))")
        try index.requireSignature()
        if let odd = index.packages.first(where: { !["", "noarch", architecture].contains($0.architecture) }) {
            throw incomplete("its index lists \(odd.fileName), which is for \(odd.architecture)")
        }
        let absent = index.packages.filter { package in
            let file = entries["apks/\(architecture)/\(package.fileName)"]
            return file?.kind != .file || file?.size != package.size
        }
        guard absent.isEmpty else {
            let names = absent.lazy.map(\.fileName).listed(most: 3)
            throw incomplete("its index lists packages that are not on it or have another size: \(names)")
        }
        return index
    }

    /// The first bytes of a file that must be there and have a plausible size.
    private func head(of path: String, atLeast smallest: UInt64) throws -> [UInt8] {
        guard let entry = entries[path], entry.kind == .file else {
            let others = entries.keys.filter { $0.hasPrefix("boot/") && !$0.dropFirst(5).contains("/") }.sorted()
            let present =
                others.isEmpty ? "" : "; boot/ has \(others.prefix(6).map { $0.dropFirst(5) }.joined(separator: ", "))"
            throw incomplete("\(path) is missing\(present)")
        }
        guard entry.size >= smallest else {
            throw incomplete("\(path) has \(entry.size) bytes, which is too little to be whole")
        }
        struct Enough: Error {}
        var bytes: [UInt8] = []
        do {
            try reader.forEachChunk(of: entry) { chunk in
                let piece = chunk.extracting(first: min(chunk.count, Self.headBytes - bytes.count))
                unsafe piece.withUnsafeBufferPointer { buffer in unsafe bytes.append(contentsOf: buffer) }
                guard bytes.count < Self.headBytes else { throw Enough() }
            }
        } catch is Enough {
            return bytes
        } catch let error as ISOError {
            throw try Self.translate(error, FilePath(subject))
        }
        return bytes
    }

    private func read(_ entry: ISOEntry, limit: Int) throws -> [UInt8] {
        do { return try reader.read(entry, limit: limit) } catch let error as ISOError {
            throw try Self.translate(error, FilePath(subject))
        }
    }

    private func incomplete(_ what: String) -> UpstreamError {
        UpstreamError(
            .incomplete, subject: subject, detail: "cannot boot a node: \(what); take the image as Alpine publishes it")
    }

    /// Says what a file is that the reader did not accept as an image.
    private static func translate(_ error: ISOError, _ path: FilePath) throws -> UpstreamError {
        let reason =
            error.description.hasPrefix("\(error.subject): ")
            ? String(error.description.dropFirst(error.subject.count + 2)) : error.description
        switch error.code {
        case .truncated:
            return UpstreamError(.truncated, subject: path.string, detail: reason)
        case .notISO9660:
            let source = try ByteSource(path)
            let nature = FileNature.name(of: try source.read(at: 0, count: FileNature.headBytes))
            let what = nature.map { "is no ISO image but \($0)" } ?? reason
            return UpstreamError(
                .wrongKind, subject: path.string, detail: "\(what) (\(source.size) bytes); fetch the image again")
        default:
            return UpstreamError(.malformed, subject: path.string, detail: reason)
        }
    }
}
