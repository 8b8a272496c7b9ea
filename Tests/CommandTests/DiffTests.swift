import Artefact
import SystemPackage
import TestSupport
import Testing

/// What `diff` and `plan --against` say of two real builds, and of small cases to the letter.
@Suite struct DiffTests {
    /// Runs a script with functions that build and compare, and `$MIRROR` and `$LAB`.
    private func run(_ script: String, in scratch: borrowing Scratch) async throws -> ProgramResult {
        let preparation = """
            bundle() { ksbuild bundle --quiet --no-medium --mirror "$MIRROR" --version "$@"; }
            says() { set +e; "$@"; echo "exit $?"; set -e; }
            recipe() { printf 'apiVersion: ksbuild/v1\\nhostname: edge-001\\n' >ksbuild.yaml; cat >>ksbuild.yaml; }
            ksbuild() { "$KSBUILD" "$@"; }
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string, "LAB": Product.lab.string,
            ])
    }

    @Test func `two bundles differ in what a person would name, and the way back of the data is judged`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            """
            recipe <<'E'
            kubesolo: { release: v1.2.2 }
            E
            bundle 1.0.0; ksbuild activate --quiet 1.0.0
            recipe <<'E'
            kubesolo: { release: v1.3.0 }
            packages: [iptables, nftables]
            kernel: { console: [tty0], parameters: [mitigations=off] }
            E
            bundle 1.1.0
            says ksbuild diff current 1.1.0
            says ksbuild diff out/bundles/1.1.0 1.0.0 >back
            says ksbuild diff 1.1.0 out/bundles/1.1.0
            tail -n 2 back
            """, in: scratch)
        #expect(result.succeeded, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        for line in [
            "about", "  ~ version: 1.0.0 -> 1.1.0", "  ~ kubesolo: offline v1.2.2 -> offline v1.3.0",
            "  ~ kubernetes: 1.35 -> 1.36", "  ~ datastore: kine-sqlite of KubeSolo 1.2 -> kine-sqlite of KubeSolo 1.3",
            "kernel arguments", "  - boot medium: console=ttyS0,115200", "  + boot medium: mitigations=off", "world",
            "  + iptables", "  + nftables", "packages", "artefacts", "files of the overlay",
            "going from 1.1.0 to 1.0.0: needs-snapshot, KubeSolo 1.2 does not start on what 1.3 has written",
            "1.1.0 and out/bundles/1.1.0: no difference",
            "going from out/bundles/1.1.0 to 1.0.0: needs-snapshot, KubeSolo 1.2 does not start on what 1.3 has written",
        ] {
            #expect(lines.contains(line), "\(line)\n\(result.output)")
        }
        #expect(lines.contains { $0.firstMatch(of: #/^  \+ nftables: 1\.\S+-r\d+$/#) != nil }, "\(result.output)")
        #expect(lines.contains { $0.hasPrefix("  ~ kubesolo: ") && $0.hasSuffix("…") }, "\(result.output)")
        #expect(!lines.contains { $0.hasPrefix("  ~ alpine-iso") })
        #expect(lines.filter { $0.hasPrefix("exit ") } == ["exit 1", "exit 0", "exit 1"], "\(result.output)")
    }

    @Test func `what is secret is told to differ, and neither it nor its digest is shown`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            """
            for number in 1 2; do
                printf '$6$saltsalt$%086d\\n' $number >hash; ssh-keygen -q -t ed25519 -N '' -f key$number
                recipe <<E
            access: { hostKeys: "file:key$number", users: [ { name: bo, passwordHash: 'file:hash' } ] }
            E
                bundle 1.0.0 --out out$number
                tar -xzOf out$number/bundles/1.0.0/*.apkovl.tar.gz --wildcards '*ssh_host*key' >private
                for file in hash key$number private; do
                    tail -n 3 $file | head -n 1 >>secrets; sha256sum $file | cut -c1-16 >>secrets
                done
                echo "$(head -c 40 hash)" >>secrets
            done
            for options in "" --text "--json --text"; do
                says ksbuild diff out1/bundles/1.0.0 out2/bundles/1.0.0 $options; done >told
            ! grep -F -f <(sort -u secrets) told; grep -c . secrets; cat told
            """, in: scratch)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let secret = #/  ~ etc/ssh/ssh_host_ed25519_key: file 0600 0:0, secret -> file 0600 0:0, secret, another/#
        #expect(result.output.contains(secret), "\(result.output)")
        #expect(result.output.contains("  ~ user-data: file 0600 0:0, secret -> "), "\(result.output)")
        #expect(result.output.split(separator: "\n").filter { $0 == "exit 1" }.count == 3)
    }

    /// Two overlays, made by tar.
    private static let overlays = """
        make() { mkdir -p $1/etc/runlevels/default; cd $1/etc; printf 'one\\ntwo\\nthree\\n' >text; echo $1 >hostname
            for file in shadow token; do printf 'base\\n%s\\n' $1 | install -m 0600 /dev/stdin $file; done; chmod 0644 shadow;
            ln -s /etc/init.d/$1 runlevels/default/$1; mkdir apk
            printf 'alpine-base\\n%s\\n' $1 >apk/world; echo "\u{1b}[31m" >colour; cd ../..; }
        make a; make b; sed -i 's/two/2/' b/etc/text; chmod 0755 b/etc/text; rm b/etc/colour
        for name in a b; do tar -C $name --owner=0 --group=0 --sort=name -czf $name.apkovl.tar.gz etc; done
        """

    @Test func `two overlays are told apart to the letter`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            """
            \(Self.overlays)
            digest() { sha256sum $1 | cut -c1-16; }
            says ksbuild diff a.apkovl.tar.gz b.apkovl.tar.gz --text
            digest a/etc/apk/world; digest b/etc/apk/world; digest a/etc/colour; digest a/etc/hostname
            digest b/etc/hostname; digest a/etc/text; digest b/etc/text
            stat -c %s a.apkovl.tar.gz b.apkovl.tar.gz
            """, in: scratch)
        let lines = result.output.split(separator: "\n").map(String.init)
        try #require(result.succeeded && lines.count > 9, "\(result.output)\(result.errors)")
        let d = Array(lines.suffix(9))
        let expected = """
            about
              ~ host name: a -> b
            services
              - default: a
              + default: b
            world
              - a
              + b
            files of the overlay
              ~ etc/apk/world: file 0644 0:0, 14 bytes, sha256 \(d[0])… -> file 0644 0:0, 14 bytes, sha256 \(d[1])…
                  @@ -1,2 +1,2 @@
                   alpine-base
                  -a
                  +b
              - etc/colour: file 0644 0:0, 6 bytes, sha256 \(d[2])…
                  @@ -1 +0,0 @@
                  -\\u{1b}[31m
              ~ etc/hostname: file 0644 0:0, 2 bytes, sha256 \(d[3])… -> file 0644 0:0, 2 bytes, sha256 \(d[4])…
                  @@ -1 +1 @@
                  -a
                  +b
              - etc/runlevels/default/a: symlink 0777 0:0 -> /etc/init.d/a
              + etc/runlevels/default/b: symlink 0777 0:0 -> /etc/init.d/b
              ~ etc/shadow: file 0644 0:0, secret -> file 0644 0:0, secret, another
              ~ etc/text: file 0644 0:0, 14 bytes, sha256 \(d[5])… -> file 0755 0:0, 12 bytes, sha256 \(d[6])…
                  @@ -1,3 +1,3 @@
                   one
                  -two
                  +2
                   three
              ~ etc/token: file 0600 0:0, secret -> file 0600 0:0, secret, another
            size: \(d[7]) -> \(d[8]) bytes
            exit 1
            """
        #expect(lines.dropLast(9).joined(separator: "\n") == expected)
    }

    @Test func `the JSON document is the one that is documented`() async throws {
        let scratch = try Scratch()
        let script = """
            import json
            d = json.load(open("document"))
            assert sorted(d) == ["a", "b", "changes", "equal", "format", "notCompared", "verdict"], sorted(d)
            assert d["format"] == "ksbuild-diff/1" and d["equal"] is False and d["notCompared"] == []
            assert d["a"] == {"kind": "bundle", "name": "1.0.0", "size": d["a"]["size"]}
            assert d["verdict"] == {"kind": "impossible", "from": "1.1.0", "to": "1.0.0",
                "reason": "it is the node edge-001, and the data is that of edge-002"}, d["verdict"]
            keys = {key for change in d["changes"] for key in change}
            assert keys == {"section", "item", "old", "new", "lines"}, keys
            assert {"section": "about", "item": "host name", "old": "edge-001", "new": "edge-002"} in d["changes"]
            assert [c["lines"] for c in d["changes"] if c["item"] == "etc/hostname"] == \\
                [["@@ -1 +1 @@", "-edge-001", "+edge-002"]]
            d = json.load(open("overlay"))
            assert d["notCompared"] == ["kernel arguments", "packages", "artefacts", "files of the seed"], d["notCompared"]
            assert "verdict" not in d and d["b"]["kind"] == "overlay" and d["a"]["name"] == "1.0.0"
            d = json.load(open("same"))
            assert d["equal"] is True and d["changes"] == []
            """
        try scratch.file("check.py", script)
        let result = try await run(
            """
            recipe </dev/null; bundle 1.0.0; sed -i s/001/002/ ksbuild.yaml; bundle 1.1.0
            says ksbuild diff 1.0.0 1.1.0 --json --text >document; sed -i '$d' document
            says ksbuild diff --json 1.0.0 out/bundles/1.0.0/*.apkovl.tar.gz >overlay; sed -i '$d' overlay
            ksbuild diff --json 1.0.0 1.0.0 >same
            python3 check.py
            """, in: scratch)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    @Test func `images are compared file by file, and by what they start and install`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            """
            recipe <<<'packages: [iptables]'; ksbuild medium --quiet --mirror "$MIRROR" -o a.iso
            recipe <<<'kernel: { parameters: [mitigations=off] }'
            ksbuild medium --quiet --mirror "$MIRROR" -o b.iso
            says ksbuild diff a.iso b.iso --text
            """, in: scratch)
        #expect(result.succeeded, "\(result.errors)")
        for part in [
            "  + boot/syslinux/syslinux.cfg 'virt': mitigations=off\n", "world\n  - iptables\n",
            "packages\n  - iptables: 1.", "files of the image\n", "  - ksbuild/main/x86_64/iptables-1.",
            "      -iptables\n", "  ~ edge-001.apkovl.tar.gz: file 0644 0:0, ", "exit 1\n",
        ] {
            #expect(result.output.contains(part), "\(part)\n\(result.output)")
        }
        #expect(
            !result.output.contains("~ boot/vmlinuz") && !result.output.contains("not compared"), "\(result.output)")
    }

    @Test func `a plan is held against a bundle, and an unchanged recipe is no difference`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            """
            printf '$6$saltsalt$%086d\\n' 1 >hash
            recipe <<'E'
            access: { users: [ { name: bo, passwordHash: 'file:hash' } ] }
            packages: [iptables]
            E
            bundle 1.4.0; ksbuild activate --quiet 1.4.0
            says ksbuild plan --against current --mirror "$MIRROR"
            echo 'kubesolo: { release: v1.2.0 }' >>ksbuild.yaml
            says ksbuild plan --against 1.4.0 --mirror "$MIRROR" --verbose 2>/dev/null
            says ksbuild plan --against 9.0.0
            """, in: scratch)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output.contains("1.4.0 and what would be built: no difference\n"), "\(result.output)")
        #expect(result.output.contains("  ~ kubesolo: offline v1.2.2 -> offline v1.2.0\n"), "\(result.output)")
        #expect(
            result.output.contains("going from what would be built to 1.4.0: safe, both are KubeSolo 1.2\n"),
            "\(result.output)")
        #expect(
            result.output.split(separator: "\n").filter { $0.hasPrefix("exit ") } == ["exit 0", "exit 1", "exit 66"],
            "\(result.output)")
    }

    @Test func `what cannot be read is an error with its reason and no difference`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            """
            \(Self.overlays)
            recipe </dev/null; bundle 1.0.0; cp -r out/bundles/1.0.0 bad; chmod -R u+w bad; printf x >>bad/*.apkovl.tar.gz
            mkdir empty; echo text >file; head -c 100 a.apkovl.tar.gz >short
            for other in 2.0.0 current none bad empty file short; do says ksbuild diff a.apkovl.tar.gz $other; done 2>&1
            """, in: scratch)
        let codes = result.output.split(separator: "\n").filter { $0.hasPrefix("exit ") }.map { $0.dropFirst(5) }
        #expect(codes == ["66", "66", "66", "65", "66", "65", "65"], "\(result.output)\(result.errors)")
        let errors = result.output.split(separator: "\n").filter { !$0.hasPrefix("exit ") }
        #expect(errors.count == 7 && errors.allSatisfy { $0.hasPrefix("ksbuild: ") }, "\(result.output)")
        #expect(errors[3].contains("is not as it was published"), "\(errors)")
    }

    @Test func `patch makes the new text of the old one and what is shown of the difference`() async throws {
        let scratch = try Scratch()
        let script = """
            import random, sys
            random.seed(int(sys.argv[1]))
            for number in range(200):
                old = [random.choice("abcd") * random.randint(0, 2) for _ in range(random.randint(0, 40))]
                new = list(old)
                for _ in range(random.randint(1, 6)):
                    place = random.randint(0, len(new))
                    if random.random() < 0.5: new[place:place + random.randint(1, 3)] = []
                    else: new[place:place] = [random.choice("abcdxyz")] * random.randint(1, 3)
                for name, lines in (("a", old), ("b", new)):
                    open(f"{name}/etc/{number:03}", "w").write("".join(line + "\\n" for line in lines))
            """
        try scratch.file("texts.py", script)
        let check = """
            import json, subprocess
            changes = {c["item"]: c for c in json.load(open("document"))["changes"] if c["section"].startswith("files")}
            count = 0
            for number in range(200):
                old, new = (open(f"{name}/etc/{number:03}").read() for name in "ab")
                change = changes.get(f"etc/{number:03}")
                assert (change is None) == (old == new), number
                if change is None: continue
                text = "--- t\\n+++ t\\n" + "".join(line + "\\n" for line in change["lines"])
                open("t", "w").write(old)
                subprocess.run(["patch", "-s", "--fuzz=0", "t"], input=text, text=True, check=True)
                assert open("t").read() == new, number
                count += 1
            print(count > 150)
            """
        try scratch.file("check.py", check)
        let seed = UInt16.random(in: .min ... .max)
        let result = try await run(
            """
            mkdir -p a/etc b/etc; python3 texts.py \(seed)
            for name in a b; do tar -C $name -czf $name.apkovl.tar.gz etc; done
            says ksbuild diff --json --text a.apkovl.tar.gz b.apkovl.tar.gz >document; sed -i '$d' document
            python3 check.py
            """, in: scratch)
        #expect(result.output == "True\n", "seed \(seed): \(result.output)\(result.errors)")
    }
}
