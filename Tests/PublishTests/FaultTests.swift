import Artefact
import Bundle
import BundleSamples
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// What may go wrong on the other side, each with its message and exit code.
struct FaultTests {
    private static func publish(
        _ project: borrowing PublishProject, _ registry: DockerRegistry, login: FilePath? = nil, _ more: [String] = []
    ) async throws -> ProgramResult {
        try await run(
            try Product.ksbuild.string,
            ["publish", "oci://\(registry.host)/a", "--ca-file", registry.authority.string] + more,
            in: project.scratch.path, environment: ["REGISTRY_AUTH_FILE": (login ?? registry.login).string])
    }

    private static func pull(_ project: borrowing PublishProject, _ registry: DockerRegistry) async throws
        -> ProgramResult
    {
        try await project.command(
            "pull", "oci://\(registry.host)/a:1.4.0", "--out", "pulled", "--retries", "1", "--ca-file",
            registry.authority.string, environment: registry.environment)
    }

    @Test func `a wrong password, a missing login and a tag that is not there have their messages`() async throws {
        let project = try PublishProject()
        let registry = try await DockerRegistry(in: project.scratch)
        try project.build("1.4.0")
        let wrong = try await Self.publish(project, registry, login: registry.wrongLogin)
        #expect(wrong.exitCode == 77)
        #expect(wrong.errors.contains("as 'somebody'") && wrong.errors.contains("wrong.json"), "\(wrong.errors)")
        #expect(wrong.errors.split(separator: "\n").count == 1)
        let empty = try project.scratch.file("none.json", "{}")
        let none = try await Self.publish(project, registry, login: empty)
        #expect(none.exitCode == 77)
        #expect(none.errors.contains("docker login \(registry.host)"), "\(none.errors)")
        let missing = try await Self.pull(project, registry)
        #expect(missing.exitCode == 66)
        #expect(missing.errors.contains("it has no tags"), "\(missing.errors)")
        let noCA = try await project.command(
            "publish", "oci://\(registry.host)/a",
            environment: registry.environment.merging(["SSL_CERT_FILE": ""]) { $1 })
        #expect(noCA.exitCode == 69)
        #expect(noCA.errors.contains("--ca-file"), "\(noCA.errors)")
    }

    @Test func `a registry that is away, and that comes back in the middle`() async throws {
        let project = try PublishProject(megabytes: 24)
        let registry = try await DockerRegistry(in: project.scratch)
        let bundle = try project.build("1.4.0")
        try await registry.stop()
        let away = try await Self.publish(project, registry, ["--retries", "0"])
        #expect(away.exitCode == 69)
        #expect(away.errors.contains("no connection can be made"), "\(away.errors)")
        try await registry.start()
        let words = ["publish", "oci://\(registry.host)/a", "--ca-file", registry.authority.string]
        let background = try await BackgroundProgram(
            [try Product.ksbuild.string] + words, in: project.scratch.path,
            log: project.scratch.path.appending("said"), environment: registry.environment)
        // As soon as the first piece of the binary is there.
        for _ in 0..<400 where !registry.requests.contains(where: { $0.hasPrefix("PATCH") }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await registry.stop()
        try await Task.sleep(for: .milliseconds(300))
        try await registry.start()
        let said = try await background.wait(for: project.scratch.path.appending("said"))
        for _ in 0..<600
        where background.isRunning && !registry.requests.contains(where: { $0.hasPrefix("PUT /v2/a/manifests/1.4.0") })
        {
            try await Task.sleep(for: .milliseconds(50))
        }
        let pulled = try await Self.pull(project, registry)
        #expect(pulled.succeeded, "\(pulled.errors) \(said)")
        let there = project.scratch.path.pushing("pulled/bundles/1.4.0")
        #expect(try PublishProject.contents(there) == PublishProject.contents(bundle))
    }

    @Test func `a full disk of the registry is told of, and what it had is not sent again`() async throws {
        let project = try PublishProject(megabytes: 12)
        try project.build("1.4.0")
        let disk = project.scratch.path.appending("disk")
        try HostFile.makeDirectories(disk)
        let mounted = try await run("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk.string])
        try #require(mounted.succeeded, "\(mounted.errors)")
        var outcome: [ProgramResult] = []
        do {
            let registry = try await DockerRegistry(in: project.scratch, storage: disk)
            outcome.append(try await Self.publish(project, registry))
            _ = try await run("mount", ["-o", "remount,size=64m", disk.string])
            outcome.append(try await Self.publish(project, registry, ["--json"]))
            try await registry.stop()
        } catch {
            Issue.record(error)
        }
        _ = try await run("umount", ["--lazy", disk.string])
        try #require(outcome.count == 2)
        #expect(outcome[0].exitCode == 69)
        #expect(outcome[0].errors.contains("the registry's disk is full"), "\(outcome[0].errors)")
        #expect(outcome[1].succeeded, "\(outcome[1].errors)")
        #expect(!outcome[1].output.contains("\"skippedBytes\" : 0"), "\(outcome[1].output)")
    }

    @Test func `a blob that is damaged on the registry's disk is refused, and nothing appears`() async throws {
        let project = try PublishProject()
        let registry = try await DockerRegistry(in: project.scratch)
        let bundle = try project.build("1.4.0")
        #expect(try await Self.publish(project, registry).succeeded)
        let manifest = try Manifest(decoding: HostFile.read(bundle.appending("manifest.json"), limit: 1 << 20))
        let binary = try #require(manifest.artefacts.first { $0.role == .kubesolo })
        let file = registry.blob(binary.sha256.hex)
        let good = try HostFile.read(file, limit: 1 << 24)
        for (bytes, what) in [
            (Array(good.dropLast() + [good[good.count - 1] ^ 1]), "flipped"), (Array(good.dropLast(9)), "short"),
        ] {
            try StagedFile.write(bytes, to: file)
            let refused = try await Self.pull(project, registry)
            #expect(refused.exitCode == 65, "\(what): \(refused.errors)")
            #expect(refused.errors.contains(binary.sha256.hex), "\(what): \(refused.errors)")
            #expect(!HostFile.exists(project.scratch.path.pushing("pulled/bundles/1.4.0")))
        }
        try HostFile.remove(file)
        let missing = try await Self.pull(project, registry)
        #expect(missing.exitCode == 66, "\(missing.errors)")
        try StagedFile.write(good, to: file)
        #expect(try await Self.pull(project, registry).succeeded)
    }

    @Test func `a full disk of this host leaves the store as it was`() async throws {
        let project = try PublishProject(megabytes: 4)
        try project.build("1.4.0")
        #expect(try await project.command("publish", "oci-layout:layout").succeeded)
        let disk = project.scratch.path.appending("disk")
        try HostFile.makeDirectories(disk)
        let mounted = try await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk.string])
        try #require(mounted.succeeded, "\(mounted.errors)")
        let pulled = try await project.command("pull", "oci-layout:layout:1.4.0", "--out", "disk/out")
        let published = try await project.command("publish", "dir:disk/pub")
        let names = try HostFile.names(in: disk.appending("pub"))
        let hasBundle = HostFile.exists(disk.pushing("out/bundles/1.4.0"))
        _ = try await run("umount", ["--lazy", disk.string])
        #expect(pulled.exitCode == 74, "\(pulled.errors)")
        #expect(published.exitCode == 74, "\(published.errors)")
        #expect(!hasBundle && names == [".1.4.0.incoming"], "\(names)")
    }

    @Test func `two commands in one place exclude each other`() async throws {
        let project = try PublishProject()
        try project.build("1.4.0")
        #expect(try await project.command("publish", "dir:pub").succeeded)
        try HostFile.makeDirectories(project.scratch.path.pushing("pulled/.pull"))
        let ksbuild = try Product.ksbuild.string
        for words in [
            ["pub", ksbuild, "publish", "dir:pub"], ["pulled/.pull", ksbuild, "pull", "dir:pub", "--out", "pulled"],
        ] {
            let refused = try await run("flock", words, in: project.scratch.path)
            #expect(refused.exitCode == 75, "\(refused.errors)")
        }
        #expect(try await project.command("pull", "dir:pub", "--out", "pulled").succeeded)
    }

    @Test(arguments: [
        ("", "is no place"), ("pub", "is no place"), ("dir:", "names no directory"),
        ("oci-layout:", "names no directory"),
        ("oci://", "names no repository"), ("oci://host", "names no repository"), ("oci://h/R", "is no repository"),
        ("oci-layout:x:bad/..:-t", "tag"), ("oci-layout:x@sha256:1", "digest"), ("https://h/r", "is no place"),
        ("https://me:s3cret@h/r", "what is given: is no place"), ("oci://me:s3cret@h/r", "login"),
    ])
    func `a place that is none is refused with the forms there are`(_ text: String, _ why: String) async throws {
        let project = try PublishProject()
        for verb in ["publish", "pull"] {
            let refused = try await project.command(verb, text)
            #expect(refused.exitCode == 64)
            #expect(refused.errors.contains(why) && !refused.errors.contains("s3cret"), "\(refused.errors)")
        }
    }
}
