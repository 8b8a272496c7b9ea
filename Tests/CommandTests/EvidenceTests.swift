import Artefact
import SystemPackage
import TestSupport
import Testing

/// What a bundle says of what it holds and where it comes from, judged by the programs of others.
@Suite struct EvidenceTests {
    /// A recipe and what it refers to, as a shell script.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let script: String
        /// How many files of the overlay are secrets.
        let secrets: Int

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "plain", script: "recipe", secrets: 0),
        Case(
            name: "packages beside the image", script: "recipe 'packages: [nftables, curl]'",
            secrets: 0),
        Case(
            name: "layers, one over the other",
            script: """
                mkdir -p site/etc/site other/etc/site
                echo a >site/etc/site/a; echo b >site/etc/site/b; echo over >other/etc/site/b; echo 'ü' >'other/etc/site/ü b'
                recipe 'layers: [site, other]'
                """, secrets: 0),
        Case(
            name: "packages of one's own",
            script: """
                "$KSBUILD" keygen --quiet me@example.org; mkdir own
                cp "$MIRROR"/alpine/v3.23/main/x86_64/nftables-*.apk own/
                recipe 'packages: [nftables]' 'ownPackages: { directory: own, key: me@example.org.rsa }'
                """, secrets: 0),
        Case(name: "secrets of every kind", script: everySecret, secrets: 5),
    ]

    /// Every kind of secret that a recipe can have; each holds the word `secretive`.
    static let everySecret = """
        mkdir -p site/etc/site; echo secretive-layer >site/etc/site/token; chmod 600 site/etc/site/token
        echo '$6$secretive$JXs9rNk0UJ4Y3sY6zv3d8sHcE5Q2oYh0o9mR7l1Wq8mXb1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u/' >hash
        echo secretiveedgekey >edge; echo http://me:secretive@proxy.example.org:3128 >proxy
        printf '#cloud-config\\nwrite_files: [{path: /x, content: secretive}]\\n' >user-data
        ssh-keygen -q -t ed25519 -N '' -C secretive -f host
        recipe 'layers: [site]' 'access: { hostKeys: "file:host", users: [{ name: admin, passwordHash: "file:hash" }] }' \
            'portainer: { edgeID: device-1, edgeKey: "file:edge" }' 'seed: { userData: "file:user-data" }' \
            'proxy: { http: "file:proxy" }' \
            'kubesolo: { config: { registry: { password: secretive } } }'
        """

    /// Runs a script in a folder of its own.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            recipe() { printf '%s\\n' 'apiVersion: ksbuild/v1' 'hostname: edge-1' "$@" >ksbuild.yaml; }
            bundle() { "$KSBUILD" bundle --quiet --mirror "$MIRROR" --version "$@"; }
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string,
                "PEERS": Product.checkout.pushing("Tests/Peers").string, "TMPDIR": scratch.path.string,
            ])
    }

    @Test(arguments: cases)
    func `spdx-tools, in-toto and a schema find nothing wrong with a bundle of`(sample: Case) async throws {
        let result = try await run(
            """
            \(sample.script)
            "$KSBUILD" keygen --quiet --signing release; bundle 1.0.0 --sign release.key
            python3 "$PEERS/evidence.py" out/bundles/1.0.0
            "$KSBUILD" plan --quiet --json --mirror "$MIRROR" | python3 -c 'import json, sys
            plan = json.load(sys.stdin)
            files = [e for e in plan["trees"][0]["entries"] if e["kind"] == "file"]
            secrets = [e for e in files if e.get("secret")]
            print("packages", len(plan["packages"]), "files", len(files) - len(secrets), "secrets", len(secrets))'
            pyspdxtools --infile out/bundles/1.0.0/*.spdx.json
            "$KSBUILD" verify --quiet 1.0.0 --trust release.pub
            """)
        #expect(result.succeeded, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 3, "\(result.output)")
        #expect(lines[0] == lines[2] && lines[0].hasSuffix(" secrets \(sample.secrets)"), "\(result.output)")
    }

    @Test func `no secret is in it, nor the digest of one`() async throws {
        let result = try await run(
            """
            \(Self.everySecret)
            "$KSBUILD" keygen --quiet --signing release; bundle 1.0.0 --sign release.key
            mkdir tree; tar -xzf out/bundles/1.0.0/*.apkovl.tar.gz -C tree
            cd out/bundles/1.0.0; base64 -d <<<"$(sed 's/.*"payload":"\\([^"]*\\)".*/\\1/' *.intoto.jsonl)" >/tmp/$$.payload
            trap 'rm -f /tmp/$$.payload' EXIT
            grep -rlE secretive ../../../tree | wc -l
            for file in *.spdx.json *.provenance.json *.intoto.jsonl /tmp/$$.payload manifest.json; do
                ! grep -qi secretive "$file" || echo "a secret is in $file"
                for secret in ../../../{hash,edge,proxy,user-data,host,site/etc/site/token} $(grep -rl secretive ../../../tree); do
                    for sum in sha1sum sha256sum sha512sum; do
                        ! grep -q "$($sum "$secret" | cut -d' ' -f1)" "$file" || echo "$sum of $secret is in $file"
                    done
                done
            done
            grep -c 'secret, digest omitted: ./etc/site/token' *.spdx.json
            grep -c '"edgeKey": "(secret)"' *.provenance.json
            """)
        #expect(result.succeeded, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines.dropFirst() == ["1", "1"], "\(result.output)")
        #expect((lines.first.flatMap { Int($0) } ?? 0) >= 4, "\(result.output)")
    }

    @Test func `the envelope is verified by openssl alone, as the page on bundles says`() async throws {
        let page = String(
            decoding: try HostFile.read(Product.checkout.pushing("docs/bundle.md"), limit: 1 << 20), as: UTF8.self)
        let example = try #require(
            page.split(separator: "```").map(String.init).first { $0.contains("openssl pkeyutl") })
        let commands = example.split(separator: "\n").dropFirst().joined(separator: "\n")
        #expect(commands.contains("-rawin"))
        let result = try await run(
            """
            recipe; "$KSBUILD" keygen --quiet --signing release; "$KSBUILD" keygen --quiet --signing other
            recipe 'name: edge'; bundle 1.4.0 --sign release.key
            (\(commands))
            mv release.pub mine.pub; cp other.pub release.pub
            ! (\(commands)) || echo 'another key is taken'
            cp mine.pub release.pub; chmod u+w out/bundles/1.4.0 out/bundles/1.4.0/*.provenance.json
            sed -i 's/edge-1/edge-2/' out/bundles/1.4.0/*.provenance.json
            ! (\(commands)) || echo 'another statement is taken'
            """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(
            result.output.split(separator: "\n").filter { $0.hasPrefix("Signature Verified") || $0.contains("taken") }
                == ["Signature Verified Successfully"], "\(result.output)\(result.errors)")
    }

    @Test func `the statement names what the lock names, by the addresses of the upstreams`() async throws {
        let result = try await run(
            """
            recipe 'packages: [nftables]'
            "$KSBUILD" fetch --quiet --update-lock --mirror "$MIRROR" --cache cache >/dev/null
            "$KSBUILD" bundle --quiet --version 1.0.0 --cache cache
            python3 - <<'END'
            import glob, json, re
            lock = open("ksbuild.lock").read()
            locked = dict(zip(re.findall(r'name: ([^ \\n]+)', lock), re.findall(r'sha256: "?([0-9a-f]{64})', lock)))
            statement = json.load(open(glob.glob("out/bundles/1.0.0/*.provenance.json")[0]))
            used = {d["name"]: d for d in statement["predicate"]["buildDefinition"]["resolvedDependencies"]}
            binary = [name for name in locked if name.startswith("kubesolo/")][0]
            print(set(locked) - {binary} == set(used) - {binary + "#kubesolo"}, len(used) > 10)
            print(all(used[name]["digest"]["sha256"] == locked[name] for name in set(locked) - {binary}))
            print(all(d["uri"].startswith(("https://dl-cdn.alpinelinux.org/alpine/v3.23/", "https://github.com/portainer/"))
                for d in used.values()))
            END
            mkdir by-hand; "$KSBUILD" bundle --quiet --version 1.0.0 --mirror "$MIRROR" --out by-hand
            cmp out/bundles/1.0.0/*.provenance.json by-hand/bundles/1.0.0/*.provenance.json
            cmp out/bundles/1.0.0/*.spdx.json by-hand/bundles/1.0.0/*.spdx.json
            """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "True True\nTrue\nTrue\n", "\(result.output)\(result.errors)")
    }

    @Test func `what nothing vouches for has neither maker nor address, and a layer has its digest`() async throws {
        let result = try await run(
            """
            recipe 'layers: [site]' 'packages: [nftables]'; mkdir -p site/etc; echo 1 >site/etc/one
            (umask 077; echo s >site/etc/secret)
            cp "$MIRROR"/alpine/v3.23/releases/x86_64/alpine-virt-*-x86_64.iso .
            tar -xzf "$MIRROR"/kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz kubesolo
            mkdir mirror; ln -s "$MIRROR/alpine" mirror/alpine
            cat >look.py <<'END'
            import glob, json, sys
            folder = "out/bundles/" + sys.argv[1]
            definition = json.load(open(glob.glob(folder + "/*.provenance.json")[0]))["predicate"]["buildDefinition"]
            inputs = [d for d in definition["resolvedDependencies"] if "releases/" in d["name"] or "kubesolo" in d["name"]]
            packages = json.load(open(glob.glob(folder + "/*.spdx.json")[0]))["packages"]
            named = {p["SPDXID"]: p for p in packages}
            kinds = {tuple(c["algorithm"] for c in p.get("checksums", [])) for p in packages if p["downloadLocation"] != "NOASSERTION"}
            print(["uri" in d for d in inputs], [named["SPDXRef-" + n].get("supplier") for n in ("Alpine", "KubeSolo")],
                [named["SPDXRef-" + n]["downloadLocation"][-9:] for n in ("Alpine", "KubeSolo")],
                "externalRefs" in named["SPDXRef-KubeSolo"], kinds)
            print([(x["path"], x["sha256"][:4]) for x in definition["externalParameters"]["recipe"]["layers"]])
            END
            build() { "$KSBUILD" bundle --quiet --version "$@"; }
            build 1.0.0 --mirror "$MIRROR"; python3 look.py 1.0.0
            build 2.0.0 --iso alpine-virt-*-x86_64.iso --kubesolo kubesolo --mirror mirror 2>/dev/null; python3 look.py 2.0.0
            echo 2 >site/etc/one; build 3.0.0 --mirror "$MIRROR"; python3 look.py 3.0.0 | tail -n 1
            echo 1 >site/etc/one; echo t >site/etc/secret; build 4.0.0 --mirror "$MIRROR"; python3 look.py 4.0.0 | tail -n 1
            echo s >site/etc/secret
            for iso in "--iso $(echo alpine-virt-*) --kubesolo kubesolo --mirror mirror" "--mirror $MIRROR"; do
                for version in 1.0.0 2.0.0; do
                    "$KSBUILD" verify $version --rebuild --json $iso 2>/dev/null | python3 -c 'import json, sys
            document = json.load(sys.stdin)
            print(document["rebuilt"], len(document["unverifiedInputs"]))'
                done
            done
            "$KSBUILD" verify 2.0.0 --rebuild --iso alpine-virt-* --kubesolo kubesolo --mirror mirror 2>/dev/null | tail -n 1
            """)
        #expect(result.succeeded, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 11, "\(result.output)")
        #expect(
            lines[0] == "[True, True] ['Organization: Alpine Linux', 'Organization: Portainer'] "
                + "['86_64.iso', '#kubesolo'] True {('SHA256',)}")
        #expect(lines[2] == "[False, False] [None, None] ['ASSERTION', 'ASSERTION'] False {('SHA256',)}")
        #expect(
            lines[1].hasPrefix("[('site', '") && lines[3] == lines[1] && lines[4] != lines[1] && lines[5] == lines[1])
        #expect(lines[6...9] == ["True 2", "True 2", "True 0", "True 0"], "\(lines[6...])")
        #expect(lines[10].hasPrefix("  nothing vouches for "), "\(lines[10])")
    }
}
