import Artefact
import SystemPackage
import TestSupport
import Testing

/// Every bad input ends in its documented exit code, one clear line, and nothing half-written.
@Suite struct ExitStatusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// What a shell does before, in a folder with a good recipe.
        var before = ":"
        var command: String
        var code: Int
        var says: String
        var testDescription: String { command }
    }

    static let cases: [Case] = [
        .init(command: "nonsense", code: 64, says: "nonsense"),
        .init(command: "bundle", code: 64, says: "--version"),
        .init(command: "overlay --quiet --verbose", code: 64, says: "exclude each other"),
        .init(before: "rm ksbuild.yaml", command: "overlay", code: 66, says: "ksbuild init"),
        .init(before: "echo 'hostnam: x' >> ksbuild.yaml", command: "plan", code: 65, says: "did you mean 'hostname'"),
        .init(before: "printf 'a: [' > ksbuild.yaml", command: "overlay", code: 65, says: "ksbuild.yaml:"),
        .init(before: "echo 'layers: [site]' >> ksbuild.yaml", command: "overlay", code: 65, says: "ksbuild.yaml:2:"),
        .init(command: "overlay --iso none.iso", code: 66, says: "none.iso"),
        .init(command: "bundle --version 1.0.0", code: 66, says: "--iso FILE"),
        .init(command: "bundle --version one", code: 64, says: "one"),
        .init(command: "bundle --version 1.0.0 -q --verbose", code: 64, says: "exclude each other"),
        .init(command: "bundle --version 1.0.0 --mirror .", code: 66, says: "the mirror does not hold alpine-virt"),
        .init(before: "echo '<html>' > a.iso", command: "overlay --iso a.iso", code: 65, says: "HTML page"),
        .init(before: "head -c 900000 \"$ISO\" > a.iso", command: "overlay --iso a.iso", code: 65, says: "a.iso"),
        .init(
            before: "cp \"$ISO\" a.iso; printf X | dd of=a.iso bs=1 seek=40000000 conv=notrunc status=none; "
                + "printf '%s  a.iso\\n' $(cut -c1-64 \"$ISO.sha256\") > a.iso.sha256",
            command: "overlay --iso a.iso", code: 65, says: "SHA-256"),
        .init(before: "echo x > k", command: "overlay --kubesolo k", code: 65, says: "k: "),
        .init(
            before: "cp /bin/ls k", command: "overlay --kubesolo k", code: 65, says: "glibc"),
        .init(command: "overlay -o /dev/null", code: 73, says: "/dev/null"),
        .init(command: "overlay -o none/a.apkovl.tar.gz", code: 73, says: "directory does not exist"),
        .init(before: "mkdir a", command: "overlay -o a", code: 73, says: "a: "),
        .init(command: "init", code: 73, says: "is there already"),
        .init(command: "verify none", code: 66, says: "none"),
        .init(command: "verify 1.0.0", code: 66, says: "1.0.0"),
        .init(
            before: "echo x > f", command: "verify f --sha256 \(String(repeating: "0", count: 64))", code: 1,
            says: "SHA-256"),
        .init(before: "echo x > f", command: "verify f --sha256 zz", code: 64, says: "SHA-256 digest"),
        .init(
            before: "mkdir -p out/bundles/1.0.0", command: "verify 1.0.0 --sha256 \(String(repeating: "0", count: 64))",
            code: 64, says: "--sha256 goes with a file"),
        .init(
            before: "mkdir b", command: "verify b --sha256 \(String(repeating: "0", count: 64))", code: 64,
            says: "--sha256 goes with a file"),
        .init(command: "activate 1.0.0", code: 66, says: "no store is there"),
        .init(command: "rollback", code: 66, says: "no store is there"),
        .init(before: "mkdir -p out/bundles", command: "activate 1.0.0", code: 66, says: "version 1.0.0"),
        .init(before: "mkdir -p out/bundles", command: "rollback", code: 66, says: "no version is live"),
        .init(
            before: "printf '\\037\\213x' > a.apkovl.tar.gz", command: "inspect a.apkovl.tar.gz", code: 65,
            says: "a.apkovl"),
        .init(
            before: "mkdir t && echo x > t/y && tar -C t -czf a.apkovl.tar.gz ./y", command: "inspect a.apkovl.tar.gz",
            code: 1, says: "member-dot-slash"),
        .init(command: "boot 9.9.9", code: 66, says: "9.9.9"),
        .init(command: "cidata --add nothing", code: 64, says: "nothing"),
        .init(command: "cidata --add none:a", code: 66, says: "none"),
        .init(command: "plan --version ../../x", code: 64, says: "../../x"),
        .init(command: "overlay -o ''", code: 64, says: "-o"),
        .init(command: "overlay -o folder/", code: 64, says: "folder/"),
        .init(command: "overlay -o /dev/stdout | cat", code: 0, says: "/dev/stdout: cannot write"),
        .init(command: "overlay -o ksbuild.yaml", code: 64, says: "ksbuild.yaml: is an input of this build"),
        .init(before: "ln ksbuild.yaml b", command: "overlay -o b", code: 64, says: "b: is an input"),
        .init(
            before: "cp \"$ISO\" a.iso", command: "cidata --iso a.iso -o a.iso", code: 64, says: "a.iso: is an input"),
        .init(before: "echo x > a", command: "cidata --add a:a -o a", code: 64, says: "a: is an input"),
        .init(before: "echo x > f", command: "overlay --out f", code: 73, says: "f: cannot create directory"),
        .init(command: "overlay --out /proc/x", code: 73, says: "/proc/x: cannot create directory"),
        .init(before: "echo x > f", command: "init f", code: 73, says: "f: cannot create directory"),
        .init(command: "overlay --iso .", code: 66, says: "Is a directory"),
        .init(command: "plan > /dev/full", code: 74, says: "standard output: cannot write"),
        .init(command: "inspect none", code: 66, says: "none"),
        .init(command: "inspect 1.0.0", code: 66, says: "1.0.0"),
        .init(command: "inspect .", code: 1, says: "manifest.json"),
        .init(command: "inspect /dev/null", code: 65, says: "/dev/null: is no regular file"),
        .init(command: "init --key ksbuild.yaml sub", code: 65, says: "ksbuild.yaml: does not begin with a type"),
    ]

    @Test(arguments: cases)
    func `it ends as documented`(trap: Case) async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let script = """
            \(trap.before)
            status=0; "$KSBUILD" \(trap.command) || status=$?
            ls -A . out 2>/dev/null | grep -E 'partial|[.]work' && exit 99
            exit $status
            """
        let iso = Product.mirror.pushing("alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso")
        let result = try await run(
            "sh", ["-c", script], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "ISO": iso.string])
        #expect(result.exitCode == trap.code, "\(result.output)\(result.errors)")
        #expect((result.output + result.errors).contains(trap.says), "\(result.output)\(result.errors)")
        #expect(!result.errors.contains("Fatal error") && !result.errors.contains("Swift/"))
        for line in result.errors.split(separator: "\n") {
            #expect(
                line.hasPrefix("ksbuild: ") || line.hasPrefix("warning: ") || line.hasPrefix("not checked: ")
                    || line.contains("% of "), "\(line)")
        }
    }

    @Test func `several faults of a recipe are told together, each with its place`() async throws {
        let scratch = try Scratch()
        try scratch.file(
            "ksbuild.yaml",
            "apiVersion: ksbuild/v1\nhostname: Bad_Name\nnetwork:\n  interfaces:\n    eth0: { addresses: [192.0.2.300/24] }\n"
        )
        let result = try await ksbuild("plan", in: scratch.path)
        #expect(result.exitCode == 65)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("ksbuild: ksbuild.yaml:2:11: hostname: ") })
        #expect(lines.contains { $0.hasPrefix("ksbuild: ksbuild.yaml:5:") })
    }

    @Test func `a secret is in no plan, no log and no file that others may read`() async throws {
        let scratch = try Scratch()
        let secret = "$6$saltsalt$" + String(repeating: "Ab1./", count: 17) + "x"
        try scratch.file("hash", secret + "\n", mode: .secret)
        try scratch.file(
            "ksbuild.yaml",
            "apiVersion: ksbuild/v1\naccess: { users: [ { name: bo, passwordHash: 'file:hash' } ] }\n")
        for command in [["plan"], ["plan", "--json"], ["overlay", "--verbose"], ["cidata", "--verbose"]] {
            let result = try await run(try Product.ksbuild.string, command, in: scratch.path)
            #expect(result.succeeded, "\(result.errors)")
            #expect(!(result.output + result.errors).contains(secret))
        }
        for name in ["kubesolo.apkovl.tar.gz", "cidata.iso"] {
            #expect(try HostFile.status(of: scratch.path.pushing("out").appending(name)).mode == .secret)
        }
    }
}
