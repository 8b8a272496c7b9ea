internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

struct MediumRepositoryTests {
    /// Puts the files of a tree below a directory.
    private static func write(_ tree: FileTree, to root: FilePath) throws {
        for entry in tree.entries {
            let path = root.pushing(FilePath(entry.path.string))
            guard case .file(let content) = entry.kind else {
                try HostFile.makeDirectories(path)
                continue
            }
            var file = try StagedFile(path)
            try content.forEachChunk { chunk in try file.write(chunk) }
            try file.commit(mode: entry.mode)
        }
    }

    /// Has apk install a world into a new root, from these repositories alone.
    private static func install(
        _ world: [String], from repositories: [FilePath], keys: FilePath, into root: FilePath
    ) async throws -> ProgramResult {
        let file = root.removingLastComponent().appending("repositories")
        try StagedFile.write(Array(repositories.map { "\($0)\n" }.joined().utf8), to: file)
        return try await Lab.apk(
            [
                "--root", root.string, "--arch", "x86_64", "--no-network", "--keys-dir", keys.string,
                "--repositories-file", file.string, "--no-scripts", "--initdb", "add",
            ] + world)
    }

    @Test func `a world is installed by Alpine's apk from what the medium holds, and nothing else is`() async throws {
        let scratch = try Scratch()
        let keys = try AlpineKeys(ofImage: Lab.alpineImage, initramfs: "boot/initramfs-virt")
        let extracted = try await run(
            "xorriso",
            ["-osirrox", "on", "-indev", Lab.alpineImage.string, "-extract", "/apks", "apks"], in: scratch.path)
        try #require(extracted.succeeded, "\(extracted.errors)")
        let apks = scratch.path.appending("apks")
        let image = try PackageIndex(
            archive: HostFile.read(apks.pushing("x86_64/APKINDEX.tar.gz"), limit: 1 << 20), named: "image",
            trusting: keys)
        let main = try LocalRepository(
            directory: PackageFileTests.main, name: "main", title: "main", trusting: keys)
        try scratch.file(
            "mine/first.apk", SmallPackage.bytes(name: "own-tool", rest: "depend = curl\nprovides = cmd:own=1"))
        try scratch.file("mine/second.apk", SmallPackage.bytes(name: "own-extra", rest: "depend = own-tool>=1"))
        try scratch.file("mine/third.apk", SmallPackage.bytes(name: "own-spare"))
        // Another build of a version that the image has, which apk takes when it finds this repository first.
        let doas = try #require(image.packages.first { $0.name == "doas" })
        try scratch.file("mine/twin.apk", SmallPackage.bytes(name: "doas", version: doas.version))
        let key = try SigningKey.generate(name: "me@example.org-1", bits: 2048)
        let own = try LocalRepository(
            ownPackagesIn: scratch.path.appending("mine"), name: "own", title: "mine", architecture: "x86_64", key: key,
            epoch: 1_767_225_600)
        let world = ["alpine-base", "openssh", "nftables", "iptables", "own-extra", "doas"]
        let resolver = PackageResolver(
            [.init(name: "image", index: image), main.resolved, own.resolved], architecture: "x86_64")
        let closure = try resolver.resolve(world: world)
        let composed = try MediumRepository.compose(
            closure, from: [main, own], placed: .onImage, architecture: "x86_64", trusting: keys)
        #expect(composed.map(\.name) == ["main", "own"])
        #expect(composed[1].packages.map(\.information.name) == ["own-extra", "own-tool"])
        #expect(composed[0].key == nil && composed[1].key?.name == "me@example.org-1.rsa.pub")
        // What the image carries is not copied.
        #expect(!composed[0].packages.contains { $0.information.name == "busybox" })
        #expect(composed[0].packages.contains { $0.information.name == "curl" })

        let medium = scratch.path.appending("medium")
        var repositories = [apks]
        for repository in composed {
            try Self.write(repository.tree, to: medium)
            repositories.append(medium.appending("ksbuild").appending(repository.name))
            #expect(HostFile.exists(medium.pushing(FilePath("ksbuild/\(repository.name)/.boot_repository"))))
        }
        let trusted = scratch.path.appending("keys")
        for name in keys.names { try scratch.file("keys/\(name)", try #require(keys[name])) }
        let refused = try await Lab.apk([
            "--root", scratch.path.appending("none").string, "--initdb", "--arch", "x86_64", "--no-network",
            "--keys-dir",
            trusted.string, "--repository", repositories[2].string, "add", "own-spare",
        ])
        #expect(!refused.succeeded, "apk must not take the index without its key")
        let file = try #require(composed[1].key)
        try scratch.file("keys/\(file.name)", file.text)
        let root = scratch.path.appending("root")
        let added = try await Self.install(world, from: repositories, keys: trusted, into: root)
        #expect(added.succeeded, "\(added.output) \(added.errors)")
        let listed = try await Lab.apk(["--root", root.string, "--no-network", "info", "-v"])
        let theirs = listed.output.split(separator: "\n").map(String.init).sorted()
        #expect(theirs == closure.members.map { "\($0.package.name)-\($0.package.version)" }.sorted())
        #expect(HostFile.exists(scratch.path.pushing("root/usr/share/own-tool")))
        #expect(!HostFile.exists(scratch.path.pushing("root/usr/share/doas")))

        // On another medium it holds enough to be found first.
        let other = scratch.path.appending("other")
        for repository in try MediumRepository.compose(
            closure, from: [main, own], architecture: "x86_64", trusting: keys)
        {
            try Self.write(repository.tree, to: other)
        }
        let reversed = try await Self.install(
            world, from: [other.pushing("ksbuild/own"), other.pushing("ksbuild/main"), apks], keys: trusted,
            into: scratch.path.appending("reversed"))
        #expect(reversed.succeeded, "\(reversed.output) \(reversed.errors)")
        #expect(HostFile.exists(scratch.path.pushing("reversed/usr/share/doas")))
        let misplaced = try await Self.install(
            world, from: Array(repositories.reversed()), keys: trusted, into: scratch.path.appending("misplaced"))
        #expect(!misplaced.succeeded, "apk looks for a file in every repository that lists it by now")

        // Each package that was copied is needed: without it apk fails.
        let curl = try #require(composed[0].packages.first { $0.information.name == "curl" })
        try HostFile.remove(
            medium.pushing(FilePath("ksbuild/main/x86_64/curl-\(curl.information.version).apk")))
        let incomplete = try await Self.install(
            world, from: repositories, keys: trusted, into: scratch.path.appending("root2"))
        #expect(!incomplete.succeeded && (incomplete.output + incomplete.errors).contains("curl"))
    }

    @Test func `an own index depends on packages, key and epoch alone`() async throws {
        let scratch = try Scratch()
        let key = try SigningKey.generate(name: "k", bits: 2048)
        let written = try key.write(in: scratch.path)
        func archive(_ folder: String, _ epoch: Int64, _ key: SigningKey) throws -> [UInt8] {
            try LocalRepository(
                ownPackagesIn: scratch.path.appending(folder), name: "own", title: "t", architecture: "x86_64",
                key: key,
                epoch: epoch
            ).archive
        }
        for (folder, names) in [("a", ["x", "y"]), ("b", ["2", "1"])] {
            try scratch.file("\(folder)/\(names[0]).apk", SmallPackage.bytes(name: "one"))
            try scratch.file("\(folder)/\(names[1]).apk", SmallPackage.bytes(name: "two", version: "2_rc1-r3"))
        }
        let first = try archive("a", 5, key)
        #expect(try first == archive("b", 5, SigningKey(written.privateKey)))
        #expect(try first != archive("a", 6, key))
        // apk itself reads the index, and openssl finds the signature right.
        try scratch.file("r/x86_64/APKINDEX.tar.gz", first)
        let solver = try await ApkSolver(in: scratch.path)
        let answers = try await solver.answers([([scratch.path.appending("r")], ["one", "two"])])
        #expect(answers == [["one-1.0-r0", "two-2_rc1-r3"]])
        let stream = try PackageIndex(archive: first, named: "i")
        #expect(stream.signatures.map(\.kind) == ["RSA256"] && stream.signatures.map(\.keyName) == ["k.rsa.pub"])
    }

    @Test func `a key is written once, for its owner alone, and openssl reads it`() async throws {
        let scratch = try Scratch()
        let key = try SigningKey.generate(name: "me", bits: 3072)
        let paths = try key.write(in: scratch.path)
        #expect(paths.privateKey.lastComponent == "me.rsa" && paths.publicKey.lastComponent == "me.rsa.pub")
        #expect(try HostFile.status(of: paths.privateKey).mode == EntryMode(0o600))
        #expect(throws: ArtefactError.self) { try SigningKey.generate(name: "me", bits: 2048).write(in: scratch.path) }
        let derived = try await run("openssl", ["rsa", "-in", paths.privateKey.string, "-pubout"])
        #expect(derived.output == key.publicText)
        #expect(try SigningKey(paths.privateKey).publicText == key.publicText)
        for name in ["", "../x", "a b", ".x", "-x"] {
            #expect(throws: UpstreamError.self) { try SigningKey.generate(name: name, bits: 2048) }
        }
        #expect(throws: UpstreamError.self) { try SigningKey(paths.publicKey) }
    }

    @Test func `packages of one's own that cannot be offered are refused`() throws {
        let scratch = try Scratch()
        let key = try SigningKey.generate(name: "k", bits: 2048)
        func load(_ folder: String) throws {
            _ = try LocalRepository(
                ownPackagesIn: scratch.path.appending(folder), name: "own", title: "t", architecture: "aarch64",
                key: key, epoch: 0)
        }
        try HostFile.makeDirectories(scratch.path.appending("empty"))
        try scratch.file("other/a.apk", SmallPackage.bytes(name: "a"))
        for letter in ["a", "b"] {
            try scratch.file("twice/\(letter).apk", SmallPackage.bytes("pkgname = n\npkgver = 1\narch = noarch"))
        }
        for (folder, code) in [
            ("empty", UpstreamError.Code.incomplete), ("other", .wrongArchitecture), ("twice", .ambiguous),
        ] {
            #expect(#expect(throws: UpstreamError.self) { try load(folder) }?.code == code)
        }
    }
}
