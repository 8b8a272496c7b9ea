import Artefact
import SystemPackage
import TestSupport
import Testing

/// What `list`, `verify` and `activate` say of a store that is not as it should be.
@Suite struct StoreCommandTests {
    /// Runs a script in a folder that every user may enter, with a published and live bundle 1.0.0 in `out`.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        try HostFile.setMode(of: scratch.path, EntryMode(0o755))
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let preparation = """
            cp "$BUILT" ksbuild; chmod 0755 ksbuild
            "$BUILT" bundle --quiet --version 1.0.0 --mirror "$MIRROR"
            ./ksbuild activate --quiet 1.0.0
            nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups ./ksbuild "$@"; }
            says() { set +e; "$@"; echo "exit $?"; set -e; }
            """
        return try await TestSupport.run(
            "sh", ["-ec", "\(preparation)\n\(script)"], in: scratch.path,
            environment: ["BUILT": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
    }

    @Test func `a pointer that leads nowhere is an error of list, and the bundles are listed`() async throws {
        let result = try await run(
            """
            rm out/current; ln -s bundles/2.0.0 out/current
            says ./ksbuild list
            says ./ksbuild list --json
            rm out/current; mkdir out/current
            says ./ksbuild list
            says ./ksbuild activate 1.0.0
            grep -c . out/history.jsonl
            """)
        let lines = result.output.split(separator: "\n")
        #expect(lines.filter { $0 == "exit 1" }.count == 3, "\(result.output)")
        #expect(lines.filter { $0 == "exit 73" }.count == 1)
        #expect(lines.last == "1")
        #expect(lines.filter { $0.hasPrefix("1.0.0  ") && !$0.contains("live") }.count == 2)
        #expect(result.output.contains("\"live\" : false"))
        let errors = result.errors.split(separator: "\n")
        #expect(
            errors.filter { $0 == errors.first }.count == 2
                && errors.first?.hasPrefix("ksbuild: out/current: points to version 2.0.0, which is not there") == true,
            "\(result.errors)")
        #expect(errors.suffix(2).allSatisfy { $0.hasPrefix("ksbuild: out/current: is a directory") })
    }

    @Test func `a bundle that may not be read is unreadable, not damaged`() async throws {
        let result = try await run(
            """
            chmod 0700 out/bundles/1.0.0
            says nobody list
            says nobody list --json
            says nobody verify out/bundles/1.0.0
            says nobody verify 1.0.0
            """)
        #expect(
            result.output.contains("1.0.0  live, pending  manifest.json: unreadable: cannot read (Permission denied)"))
        #expect(
            result.output.contains("\"problem\" : \"manifest.json: unreadable: cannot read (Permission denied)\""))
        #expect(result.output.split(separator: "\n").filter { $0 == "exit 77" }.count == 2, "\(result.output)")
        #expect(
            result.errors
                == String(
                    repeating:
                        "ksbuild: out/bundles/1.0.0: manifest.json: unreadable: cannot read (Permission denied)\n",
                    count: 2))
    }

    @Test func `verify names the problem of each finding, in text and in JSON`() async throws {
        let result = try await run(
            """
            says ./ksbuild verify out/current
            chmod 0755 out/bundles/1.0.0; rm out/bundles/1.0.0/SHA256SUMS; : > out/bundles/1.0.0/stray
            chmod 0555 out/bundles/1.0.0
            says ./ksbuild verify 1.0.0
            says ./ksbuild verify out/current --json 2>/dev/null
            """)
        #expect(result.output.hasPrefix("out/current: good, "))
        #expect(
            result.errors == """
                ksbuild: out/bundles/1.0.0: "stray": extra: is not in the manifest
                ksbuild: out/bundles/1.0.0: SHA256SUMS: missing: is not there

                """)
        #expect(
            result.output.contains(
                """
                    {
                      "detail" : "is not there",
                      "file" : "SHA256SUMS",
                      "problem" : "missing"
                    }
                """), "\(result.output)")
    }

    @Test func `a lock that another user left says what may be done`() async throws {
        let result = try await run(
            """
            chmod 0777 out; : > out/.lock; chmod 0644 out/.lock
            says nobody activate 1.0.0
            """)
        #expect(result.output == "exit 77\n")
        #expect(
            result.errors
                == "ksbuild: out/.lock: was left by another user (number 0); it may be removed when no ksbuild runs\n")
    }

    @Test func `names that are not UTF-8 beside a store do not stop a build`() async throws {
        let result = try await run(
            """
            : > "out/$(printf 'a\\377b')"
            ./ksbuild list; "$BUILT" bundle --version 1.0.0 --mirror "$MIRROR"
            """)
        #expect(result.output.hasSuffix("identical, nothing changed\n"), "\(result.errors)")
    }

    @Test func `results go where the directory above may be entered and not read`() async throws {
        let scratch = try Scratch()
        try HostFile.setMode(of: scratch.path, EntryMode(0o755))
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let script = """
            mkdir -p bin share/ksbuild; cp "$1" bin/; cp -R "$2/overlays" "$2/templates" share/ksbuild/
            chmod -R a+rX bin share; mkdir -m 0733 drop
            setpriv --reuid=65534 --regid=65534 --clear-groups bin/ksbuild overlay --quiet --out drop/out
            test -s drop/out/kubesolo.apkovl.tar.gz
            """
        let result = try await TestSupport.run(
            "sh", ["-ec", script, "sh", try Product.ksbuild.string, Product.checkout.string], in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
    }

    @Test func `a file of the store that may not be read is replaced`() async throws {
        let scratch = try Scratch()
        try HostFile.setMode(of: scratch.path, EntryMode(0o755))
        let script = """
            mkdir -p bin share/ksbuild inputs; cp "$1" bin/; cp -R "$2/overlays" "$2/templates" share/ksbuild/
            cp "$3"/alpine/v3.23/releases/x86_64/alpine-virt-*.iso inputs/
            cp "$3"/kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz inputs/
            mkdir project; cd project
            printf '$6$saltsalt$%086d\\n' 0 > hash; chmod 0400 hash
            cat > ksbuild.yaml <<'RECIPE'
            apiVersion: ksbuild/v1
            access: { users: [ { name: bo, passwordHash: 'file:hash' } ] }
            RECIPE
            chown -R 65534:65534 .; chmod -R a+rX ../bin ../share ../inputs
            build() {
                setpriv --reuid=65534 --regid=65534 --clear-groups ../bin/ksbuild bundle --quiet --version 1.0.0 \
                    --iso ../inputs/*.iso --kubesolo ../inputs/*.tar.gz
            }
            build
            rm -r out/bundles/1.0.0; chown 0:0 out/store/sha256/*/*.0400
            build
            find out/store out/bundles -name '*.0400' -uid 65534 | grep -c .
            """
        let result = try await TestSupport.run(
            "sh",
            ["-ec", script, "sh", try Product.ksbuild.string, Product.checkout.string, Product.mirror.string],
            in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "2\n", "\(result.output)")
    }
}
