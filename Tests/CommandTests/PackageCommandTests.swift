internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing

struct PackageCommandTests {
    /// A recipe that asks for these packages beside the node's own.
    private static func recipe(_ packages: String, in scratch: borrowing Scratch) throws {
        try scratch.file(
            "ksbuild.yaml",
            """
            apiVersion: ksbuild/v1
            alpine: { release: 3.23.6, flavor: virt, arch: x86_64 }
            kubesolo: { release: v1.2.2, variant: offline }
            packages: [\(packages)]
            """)
    }

    @Test func `a plan shows what the node installs and what of that the image lacks`() async throws {
        let scratch = try Scratch()
        try Self.recipe("nftables, curl", in: scratch)
        let mirror = Product.mirror.string
        let text = try await ksbuild("plan", "--mirror", mirror, in: scratch.path)
        #expect(text.succeeded, "\(text.errors)")
        let package = Product.mirror.pushing("alpine/v3.23/main/x86_64/nftables-1.1.5-r0.apk")
        let size = try HostFile.status(of: package).size
        let lines = text.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(text.output.contains("\nPackages: "))
        #expect(
            lines.contains { $0.starts(with: ["busybox-1.37.0-r30"]) && $0.contains("alpine-virt-3.23.6-x86_64.iso") })
        #expect(lines.contains { $0.starts(with: ["nftables-1.1.5-r0", "\(size)", "main", "of"]) })
        let json = try await ksbuild("plan", "--json", "--mirror", mirror, in: scratch.path)
        let program = """
            import json, sys
            packages = json.load(sys.stdin)["packages"]
            added = [p["name"] for p in packages if p["repository"].startswith("main of ")]
            print(added[:3], packages[-1]["name"], packages[-1]["reason"])
            """
        let read = try await run("python3", ["-c", program], input: json.output)
        #expect(
            read.output
                == "['brotli-libs', 'c-ares', 'curl'] zstd-libs libcurl needs so:libzstd.so.1\n", "\(read.errors)")
    }

    @Test func `what nothing provides ends a plan with the chain of reasons`() async throws {
        let scratch = try Scratch()
        try Self.recipe("nftable", in: scratch)
        let plan = try await ksbuild("plan", "--mirror", Product.mirror.string, in: scratch.path)
        #expect(plan.exitCode == 65 && plan.output.isEmpty)
        #expect(
            plan.errors.contains(
                "ksbuild: packages: the world needs nftable, which nothing in alpine-virt-3.23.6-x86_64.iso or main of "
            ) && plan.errors.contains("provides; nearest: nftables-1.1.5-r0 in main of "), "\(plan.errors)")
    }

    @Test func `a key is made once`() async throws {
        let scratch = try Scratch()
        let made = try await ksbuild("keygen", "me@example.org", "--bits", "2048", in: scratch.path)
        #expect(made.output == "./me@example.org.rsa\n./me@example.org.rsa.pub\n", "\(made.errors)")
        #expect(try HostFile.status(of: scratch.path.appending("me@example.org.rsa")).mode == EntryMode(0o600))
        let before = try HostFile.read(scratch.path.appending("me@example.org.rsa"), limit: 1 << 16)
        let again = try await ksbuild("keygen", "me@example.org", "--bits", "2048", in: scratch.path)
        #expect(again.exitCode == 73 && again.errors.contains("is there already"), "\(again.errors)")
        #expect(try HostFile.read(scratch.path.appending("me@example.org.rsa"), limit: 1 << 16) == before)
        #expect(try await ksbuild("keygen", "x", "--bits", "512", in: scratch.path).exitCode == 64)
        #expect(try await ksbuild("keygen", "a/b", in: scratch.path).exitCode == 65)
    }
}
