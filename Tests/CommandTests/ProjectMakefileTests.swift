import Artefact
import SystemPackage
import TestSupport
import Testing

/// What the Makefile of a project makes of its variables, without carrying it out.
@Suite struct ProjectMakefileTests {
    private static func words(_ arguments: String...) async throws -> ProgramResult {
        let scratch = try Scratch()
        let file = Product.checkout.pushing("templates/vm.mk").string
        return try await run(
            "make", ["--no-print-directory", "-f", file, "KSBUILD=ksbuild"] + arguments, in: scratch.path)
    }

    @Test func `an empty OUT is the default, and the root is refused`() async throws {
        let clean = try await Self.words("-n", "clean", "OUT=")
        #expect(clean.output == "rm -rf -- 'out'/*.iso 'out'/*.apkovl.tar.gz 'out'/boot\n", "\(clean.errors)")
        for root in ["/", "//"] {
            let refused = try await Self.words("-n", "clean", "OUT=\(root)")
            #expect(refused.exitCode == 2 && refused.output.isEmpty)
            #expect(refused.errors.contains("OUT cannot be the root of the file system"))
        }
    }

    @Test func `what a variable holds reaches ksbuild as one word`() async throws {
        let up = try await Self.words(
            "-n", "up", "OUT=it's out", "VM_NAME=edge", "VM_MEMORY=512", "VM_CPUS=2", "DATA_DISK_SIZE=8",
            "SSH_USER=alpine", "ALPINE_VERSION=3.23", "ALPINE_MINOR=6", "VERSION=1.0.0", "ARGS=--timeout 9")
        let squeezed = up.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(
            squeezed == """
                ksbuild vm up --name 'edge' --out 'it'\\''s out' --alpine '3.23.6' --memory '512' --cpus '2' --disk '8' \
                --ssh-user 'alpine' --version '1.0.0' --timeout 9
                """)
    }

    @Test func `clean takes images, and neither bundles nor machines`() async throws {
        let scratch = try Scratch()
        let goes = ["out/a.iso", "out/b.apkovl.tar.gz", "out/boot/console.log"]
        let stays = ["out/bundles/1.0.0/a.iso", "out/vm/node/data.qcow2", "out/history.jsonl", "out/store/x"]
        for name in goes + stays { try scratch.file(name, "x") }
        let file = Product.checkout.pushing("templates/vm.mk").string
        let result = try await run("make", ["-f", file, "clean"], in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
        for name in goes { #expect(!HostFile.exists(scratch.path.pushing(FilePath(name))), "\(name)") }
        for name in stays { #expect(HostFile.exists(scratch.path.pushing(FilePath(name))), "\(name)") }
        // Nobody answers: the bundles stay, and so does the machine.
        let all = try await run("make", ["-f", file, "clean-all", "KSBUILD=false"], in: scratch.path)
        #expect(all.output.contains("the bundles stay"))
        for name in stays { #expect(HostFile.exists(scratch.path.pushing(FilePath(name))), "\(name)") }
        let agreed = try await run("make", ["-f", file, "clean-all", "KSBUILD=false"], in: scratch.path, input: "y\n")
        #expect(agreed.succeeded)
        #expect(try HostFile.names(in: scratch.path.appending("out")) == ["vm"])
    }
}
