import Artefact
import SystemPackage
import TestSupport
import Testing

/// What `make dist` packs: the same bytes wherever it is packed, and a command that works wherever it is unpacked.
@Suite(.serialized) struct DistTests {
    /// Makes a checkout with a built command in it and packs a release there.
    ///
    /// - Returns: What `make` printed, the checksums after it.
    private func pack(
        _ name: String, umask: String = "022", environment: [String: String] = [:], before: String = ":",
        in folder: FilePath
    ) async throws -> ProgramResult {
        let script = """
            mkdir -p "$3/.build-dist/release"; cp "$1" "$3/.build-dist/release/ksbuild"
            for file in Makefile README.md CHANGELOG.md CONTRIBUTING.md Packaging docs overlays templates; do
                cp -R "$2/$file" "$3/"
            done
            \(before)
            umask \(umask)
            make -s -C "$3" -o dist-command dist
            cat "$3/dist/SHA256SUMS"
            """
        return try await run(
            "sh", ["-ec", script, "sh", try Product.ksbuild.string, Product.checkout.string, name], in: folder,
            environment: ["SOURCE_DATE_EPOCH": "1700000000"].merging(environment) { $1 })
    }

    @Test func `a release is the same bit for bit wherever and by whoever it is packed`() async throws {
        let scratch = try Scratch()
        let plain = try await pack("one", in: scratch.path)
        #expect(plain.succeeded, "\(plain.errors)")
        let other = try await pack(
            "another folder", umask: "077", environment: ["TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"],
            before: "find \"$3\" -exec touch -d 2031-07-01 {} +; chmod -R go-rwx \"$3\"; chown -R 65534 \"$3\"",
            in: scratch.path)
        #expect(other.succeeded, "\(other.errors)")
        #expect(plain.output == other.output)
        #expect(
            plain.output.contains(/\n[0-9a-f]{64}  ksbuild-0\.1\.0-linux-[a-z0-9_]+\.tar\.gz\n$/), "\(plain.output)")
        let later = try await run(
            "sh",
            [
                "-ec",
                """
                cd one/dist; sha256sum --quiet -c SHA256SUMS; ls -A
                tar tvf ksbuild-*.tar.gz --utc --numeric-owner --full-time |
                    awk '{ print $1, $2, $4, $5 }' | sort -u
                """,
            ], in: scratch.path)
        let rows = later.output.split(separator: "\n").filter { $0.contains("0/0") }
        #expect(later.succeeded, "\(later.errors)")
        #expect(
            rows == [
                "-rw-r--r-- 0/0 2023-11-14 22:13:20", "-rwxr-xr-x 0/0 2023-11-14 22:13:20",
                "drwxr-xr-x 0/0 2023-11-14 22:13:20",
            ], "\(later.output)")
        #expect(later.output.split(separator: "\n").count == rows.count + 2, "\(later.output)")
    }

    @Test func `of a repository only what git knows is packed, and changes since its commit are told`() async throws {
        let scratch = try Scratch()
        let plain = try await pack("plain", in: scratch.path)
        #expect(plain.succeeded && plain.errors.isEmpty, "\(plain.errors)")
        let commit = """
            git init -q "$3"; git -C "$3" add Makefile [A-Z]*.md Packaging docs overlays templates
            git -C "$3" -c user.name=edge -c user.email=edge@example.org commit -qm "All of it"
            """
        let committed = try await pack("committed", before: commit + "\nchown -R 65534 \"$3\"", in: scratch.path)
        #expect(committed.succeeded && committed.errors.isEmpty, "\(committed.errors)")
        let sums = plain.output.split(separator: "\n").last
        #expect(sums != nil && committed.output.split(separator: "\n").last == sums)

        let changes = """
            rm "$3/docs/graft.md"; echo changed >> "$3/docs/bundle.md"
            echo new > "$3/docs/added.md"; git -C "$3" add docs/added.md
            mkdir "$3/templates/stray"
            for file in overlays/stray templates/stray/file docs/stray.md; do echo stray > "$3/$file"; done
            """
        let changed = try await pack("changed", before: commit + "\n" + changes, in: scratch.path)
        #expect(changed.succeeded, "\(changed.errors)")
        let told = /^dist: the tree differs from its commit in 6 places, first in docs\/added\.md; what .*\n$/
        #expect(changed.errors.contains(told), "\(changed.errors)")
        let compared = try await run(
            "bash",
            [
                "-ec",
                """
                list() { tar tf "$1"/dist/ksbuild-*.tar.gz | sort; }
                diff <(list plain) <(list changed) | sed -n 's|^\\([<>] \\).*/|\\1|p'
                tar xOf changed/dist/ksbuild-*.tar.gz --wildcards '*/docs/bundle.md' | tail -n 1
                """,
            ], in: scratch.path)
        #expect(compared.output == "> added.md\n< graft.md\nchanged\n", "\(compared.output)\(compared.errors)")
    }

    @Test func `a time that is none is refused`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            Product.checkout.pushing("Packaging/dist").string, ["/bin/true", "dist"], in: scratch.path,
            environment: ["SOURCE_DATE_EPOCH": "yesterday"])
        #expect(result.exitCode == 64)
        #expect(result.errors.contains("SOURCE_DATE_EPOCH is no number of seconds"))
    }

    @Test func `an unpacked release works from any folder and for any user`() async throws {
        let scratch = try Scratch()
        let packed = try await pack("checkout", in: scratch.path)
        #expect(packed.succeeded, "\(packed.errors)")
        let script = """
            mkdir "another place"; tar -C "another place" --strip-components=1 -xzf checkout/dist/ksbuild-*.tar.gz
            rm -rf checkout; chmod 755 .; mkdir -m 777 project; cd project
            as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
            for command in "init --key $1/id_ed25519.pub" "plan" "overlay --quiet"; do
                as_nobody env HOME=/nonexistent "../another place/bin/ksbuild" $command > said
            done
            test -s out/kubesolo.apkovl.tar.gz; test "$(stat -c %u out)" = 65534
            readelf -d "../another place/bin/ksbuild" | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p'
            """
        try await copyKeys(to: scratch.path)
        let result = try await run(
            "sh", ["-ec", script, "sh", scratch.path.appending("keys").string], in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
        // What is linked into a release in the place of these, the tests' own build takes from Swift's toolchain.
        let fromSwift = /^lib(swift|_?Foundation|_FoundationICU|dispatch|BlocksRuntime)/
        let page = String(
            decoding: try HostFile.read(Product.checkout.pushing("docs/pipelines.md"), limit: 1 << 20), as: UTF8.self)
        let told = Set(page.matches(of: /`((?:lib|ld-)[a-z0-9_+-]+\.so\.[0-9]+)`/).map { String($0.1) })
        for library in result.output.split(separator: "\n") where !library.contains(fromSwift) {
            #expect(told.contains(String(library)), "\(library) is needed, and docs/pipelines.md does not say so")
        }
    }

    private func copyKeys(to folder: FilePath) async throws {
        let result = try await run(
            "sh",
            [
                "-ec", "mkdir keys; cp \"$1\" keys/; chmod -R a+rX keys", "sh",
                Product.lab.pushing("keys/id_ed25519.pub").string,
            ],
            in: folder)
        #expect(result.succeeded, "\(result.errors)")
    }
}
