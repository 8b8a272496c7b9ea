internal import Artefact
public import SystemPackage

/// A repository of packages in a directory of this host, with an index that a node will believe.
public struct LocalRepository: Hashable, Sendable {
    /// The largest number of packages in a directory of one's own.
    public static let maximumOwnPackages = 4096

    /// Its name on the medium: `main`, `community`, `own`.
    public let name: String
    /// What messages and plans call it: `main of /srv/mirror`.
    public let title: String
    /// The directory that holds the package files under the names that apk gives them.
    public let directory: FilePath
    /// The bytes of its `APKINDEX.tar.gz`.
    public let archive: [UInt8]
    /// What they say.
    public let index: PackageIndex
    /// The key by which the index is signed: the file name and its text; `nil` where it is one of the ISO's.
    public let ownKey: KeyFile?
    /// The files of the packages that are not named as apk names them, by that name.
    let files: [String: FilePath]

    /// A public key that has to travel in the overlay's `etc/apk/keys`.
    public struct KeyFile: Hashable, Sendable {
        /// Its file name, by which the index refers to it.
        public let name: String
        /// Its content in PEM.
        public let text: String
    }

    /// Takes one of Alpine's repositories, or a mirror of it, as it stands.
    ///
    /// - Parameters:
    ///   - directory: The directory with `APKINDEX.tar.gz` and the packages, such as `v3.23/main/x86_64`.
    ///   - name: Its name on the medium.
    ///   - title: What messages call it.
    ///   - keys: The keys that the node trusts; one of them must have signed the index.
    /// - Throws: ``UpstreamError``; `ArtefactError` when the index cannot be read.
    public init(directory: FilePath, name: String, title: String, trusting keys: AlpineKeys) throws {
        let path = directory.appending("APKINDEX.tar.gz")
        archive = try HostFile.read(path, limit: PackageIndex.maximumCompressedBytes)
        index = try PackageIndex(archive: archive, named: path.string, trusting: keys)
        self.directory = directory
        self.name = name
        self.title = title
        ownKey = nil
        files = [:]
    }

    /// Makes a repository of package files that are not Alpine's, with an index signed by a key of one's own.
    ///
    /// Every file is verified but for its signature: the index vouches for it. The index depends on nothing but the
    /// packages, the key and the epoch.
    ///
    /// - Parameters:
    ///   - directory: A directory with files `*.apk` of any name.
    ///   - name: Its name on the medium.
    ///   - title: What messages call it.
    ///   - architecture: Alpine's name of the processor, which the packages must be for.
    ///   - key: The key that signs the index.
    ///   - epoch: The time of the files in the index, in seconds since 1970-01-01.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongArchitecture``, ``UpstreamError/Code/ambiguous`` for
    ///   two files of one name and version, ``UpstreamError/Code/incomplete`` where there are none, and what
    ///   ``PackageFile/verify(_:against:keys:)`` throws.
    public init(
        ownPackagesIn directory: FilePath, name: String, title: String, architecture: String, key: SigningKey,
        epoch: Int64
    ) throws {
        let names = try HostFile.names(in: directory).filter { $0.hasSuffix(".apk") }
        guard !names.isEmpty, names.count <= Self.maximumOwnPackages else {
            throw UpstreamError(
                .incomplete, subject: directory.string,
                detail: names.isEmpty
                    ? "holds no file *.apk" : "holds more than \(Self.maximumOwnPackages) packages")
        }
        var packages: [PackageInformation] = []
        var files: [String: FilePath] = [:]
        for name in names {
            let path = directory.appending(name)
            let package = try PackageFile.verify(path, against: nil, keys: nil).information
            guard [architecture, "noarch"].contains(package.architecture) else {
                throw UpstreamError(
                    .wrongArchitecture, subject: path.string,
                    detail: "is for \(package.architecture), and the node is \(architecture)")
            }
            let fileName = "\(package.name)-\(package.version).apk"
            if let other = files.updateValue(path, forKey: fileName) {
                throw UpstreamError(
                    .ambiguous, subject: path.string, detail: "and \(other) are both \(fileName); leave one of them")
            }
            packages.append(package)
        }
        archive = try IndexArchive.write(packages, description: name, key: key, epoch: epoch)
        index = try PackageIndex(archive: archive, named: title, trusting: key.asKeys)
        ownKey = KeyFile(name: key.publicName, text: key.publicText)
        self.directory = directory
        self.name = name
        self.title = title
        self.files = files
    }

    /// Where the file of a package stands.
    func path(of package: PackageIndex.Package) -> FilePath {
        files[package.fileName] ?? directory.appending(package.fileName)
    }

    /// What the resolver is given.
    public var resolved: PackageResolver.Repository { .init(name: title, index: index) }
}
