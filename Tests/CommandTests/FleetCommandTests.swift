import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// Fleets by the commands that a person uses, from the recipe to what nodes take.
@Suite struct FleetCommandTests {
    /// Runs a script in a folder with the recipe of a fleet of three nodes and, if it is wanted, its bundle 1.0.0.
    private func run(_ script: String, bundling: Bool = true) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            k() { "$KSBUILD" "$@"; }
            says() { set +e; "$@"; echo "exit $?"; set -e; }
            build() { k bundle --quiet --mirror "$MIRROR" "$@"; }
            tree() { (cd "$1"; find . -printf '%P %y %m %T@\\n' | sort; find . -type f -exec sha256sum {} + | sort); }
            mkdir -p site/etc/site; echo hello >site/etc/site/greeting
            cat >ksbuild.yaml <<'RECIPE'
            apiVersion: ksbuild/v1
            name: edge
            epoch: 1700000000
            nodes:
              edge-001: { mac: 52:54:00:12:34:01 }
              edge-002: { mac: 52:54:00:12:34:02, uuid: 01234567-89ab-cdef-0123-456789abcdef, hostname: till.example.org }
              edge-003: { mac: 52:54:00:12:34:03, layers: [site] }
            RECIPE
            \(bundling ? "build --version 1.0.0" : "")
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string, "TMPDIR": scratch.path.string,
            ])
    }

    /// The exit codes that the script said.
    private func codes(_ result: ProgramResult) -> [Int] {
        result.output.split(separator: "\n").compactMap { $0.hasPrefix("exit ") ? Int($0.dropFirst(5)) : nil }
    }

    @Test func `secrets of single nodes are in their files alone, and keep the bundle from being published`()
        async throws
    {
        let result = try await run(
            """
            export EDGE=node-edge-key-77 PROXY=http://me:proxy-secret-88@proxy.example.org:3128
            export HASH="\\$6\\$saltofb\\$$(printf 'A%.0s' $(seq 86))"
            cat >ksbuild.yaml <<'RECIPE'
            apiVersion: ksbuild/v1
            name: edge
            nodes:
              a: { portainer: { edgeID: abc-1, edgeKey: 'env:EDGE' }, proxy: { https: 'env:PROXY' } }
              b: { access: { users: [{ name: ops, passwordHash: 'env:HASH' }] } }
              c: { kubesolo: { config: { extra: { edgeKey: config-secret-99 } } } }
            RECIPE
            build --version 1.0.0 2>said
            for secret in node-edge-key-77 proxy-secret-88 saltofb config-secret-99; do
                says grep -qs -e $secret said out/bundles/1.0.0/*.json
            done
            stat -c %a out/bundles/1.0.0/nodes/*/*.apkovl.tar.gz | sort | uniq -c | tr -s ' '
            tar -xzOf out/bundles/1.0.0/nodes/b/*.apkovl.tar.gz | grep -c saltofb >/dev/null
            says k publish dir:published
            """, bundling: false)
        #expect(result.succeeded && codes(result) == [1, 1, 1, 1, 77], "\(result.output)\(result.errors)")
    }

    @Test func `overlay, seed and medium are those of the node that is named`() async throws {
        let result = try await run(
            """
            k overlay --quiet --mirror "$MIRROR" --node edge-002 -o two
            tar -xzOf two etc/hostname
            k cidata --quiet --mirror "$MIRROR" --node edge-003; mv out/edge-003.cidata.iso three
            xorriso -indev three -find / -maxdepth 1 -name '*.apkovl.tar.gz' 2>/dev/null
            k medium 1.0.0 --quiet --node edge-001 -o one.iso
            xorriso -osirrox on -indev one.iso -extract /edge-001.apkovl.tar.gz copy 2>/dev/null
            cmp copy out/bundles/1.0.0/nodes/edge-001/*.apkovl.tar.gz
            k medium --quiet --mirror "$MIRROR" --node edge-002 -o two.iso
            xorriso -osirrox on -indev two.iso -extract /edge-002.apkovl.tar.gz copy 2>/dev/null; cmp copy two
            """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "till.example.org\n'/edge-003.apkovl.tar.gz'\n", "\(result.output)")
    }

    @Test func `a node that is none, none at all and one of what has one alone are usage errors`() async throws {
        let result = try await run(
            """
            for command in overlay cidata medium plan; do says k $command --mirror "$MIRROR" --node edge-02; done
            for command in overlay cidata medium 'medium 1.0.0'; do says k $command --mirror "$MIRROR"; done
            says k medium 1.0.0 --node edge-02; says k diff 1.0.0 1.0.0 --node edge-02
            sed -i /nodes/,\\$d ksbuild.yaml; build --version 2.0.0
            says k medium 2.0.0 --node edge-001; says k overlay --node edge-001; says k plan --node edge-001
            """)
        #expect(codes(result) == Array(repeating: 64, count: 13), "\(result.output)\(result.errors)")
        let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("ksbuild: ") }
        #expect(lines.count == 13)
        #expect(lines.filter { $0.hasSuffix(#"has no node "edge-02"; did you mean 'edge-002'?"#) }.count == 6)
        #expect(
            lines.filter { $0.hasSuffix("is for 3 nodes; name one with --node, such as --node edge-001") }.count == 4)
        #expect(lines.filter { $0.hasSuffix("is for one node; leave --node out") }.count == 3, "\(lines)")
    }

    @Test func `plan tells what the nodes share, and of one node what it is`() async throws {
        let result = try await run(
            """
            k plan --mirror "$MIRROR" | sed -n '1,6p; /^Artefacts/,/kubesolo/p; /^Not the same/,/^$/p' | sed 's/ *$//'
            k plan --mirror "$MIRROR" | grep -c 'etc/hostname\\|etc/motd'
            k plan --mirror "$MIRROR" --node edge-003 --version 2.0.0 |
                grep -E '^  (hostname|overlay|kubesolo|medium) |etc/site/|nodes|seed.instanceID|^Files' |
                grep -vF "$MIRROR" | sed "s|$PWD/||" | tr -s ' '
            says k plan --mirror "$MIRROR" --against 1.0.0; says k plan --mirror "$MIRROR" --against 1.0.0 --node edge-003
            echo goodbye >site/etc/site/greeting; sed -i 's/till/shop/' ksbuild.yaml
            says k plan --mirror "$MIRROR" --against 1.0.0 | grep -c shop
            says k plan --mirror "$MIRROR" --against 1.0.0 --node edge-003 | grep -c greeting
            """)
        #expect(result.succeeded, "\(result.errors)")
        let uuid = "01234567-89ab-cdef-0123-456789abcdef"
        #expect(
            result.output == """
                edge 0.0.0-dev, 3 nodes: alpine-virt 3.23.6 x86_64, KubeSolo v1.2.2 offline

                Nodes
                  edge-001  edge-001          52:54:00:12:34:01
                  edge-002  till.example.org  52:54:00:12:34:02  \(uuid)
                  edge-003  edge-003          52:54:00:12:34:03
                Artefacts
                  overlay        nodes/{node}/edge-{node}-0.0.0-dev-x86_64.apkovl.tar.gz
                  seed           nodes/{node}/edge-{node}-0.0.0-dev-x86_64.cidata.iso
                  kubesolo       edge-0.0.0-dev-x86_64.kubesolo
                Not the same in all nodes: 5
                  etc/hostname
                  etc/hosts
                  etc/network/interfaces
                  etc/site
                  etc/site/greeting

                2
                 hostname edge-003
                 seed.instanceID edge-003-2.0.0
                 overlay nodes/edge-003/edge-edge-003-2.0.0-x86_64.apkovl.tar.gz
                 seed nodes/edge-003/edge-edge-003-2.0.0-x86_64.cidata.iso
                 kubesolo edge-2.0.0-x86_64.kubesolo
                 medium edge-edge-003-2.0.0-x86_64.iso
                Files of the overlay: 117
                 0755 0:0 - etc/site/ layer site
                 0644 0:0 6 etc/site/greeting layer site
                Files of the seed: 3
                not compared, since only one side tells: artefacts, overlays and seeds of the nodes, which --node NAME compares
                1.0.0 and what would be built: no difference
                going from what would be built to 1.0.0: safe, both are KubeSolo 1.2
                exit 0
                not compared, since only one side tells: artefacts
                1.0.0 and what would be built: no difference
                going from what would be built to 1.0.0: safe, both are KubeSolo 1.2
                exit 0
                2
                1

                """, "\(result.output)")
    }

    @Test func `a file that one node lacks is not told to be in all of them`() async throws {
        let result = try await run(
            """
            mkdir -p all/etc/all; echo x >all/etc/all/file; sed -i 's/^nodes:/layers: [all]\\nnodes:/' ksbuild.yaml
            build --version 1.0.0; k plan --mirror "$MIRROR" | sed -n '/^Not the same/,/^$/p' | grep etc/all
            k plan --mirror "$MIRROR" | grep -c ' etc/all' || true
            python3 -c '
            import json, sys
            names = [file["fileName"] for file in json.load(open(sys.argv[1]))["files"]]
            print("./etc/motd" in names, [name for name in names if "etc/all" in name])' out/bundles/1.0.0/*.spdx.json
            """, bundling: false)
        #expect(
            result.output == "  etc/all\n  etc/all/file\n2\nTrue []\n", "\(result.output)\(result.errors)")
    }

    @Test func `list, inspect and diff tell of the nodes`() async throws {
        let result = try await run(
            """
            k list | sed 's/, [0-9]* MiB//'; k inspect 1.0.0 | grep -E '^  (node|host name)'
            echo goodbye >site/etc/site/greeting; sed -i 's/till/shop/' ksbuild.yaml; build --version 1.1.0
            says k diff 1.0.0 1.1.0 | grep -E ' node|of edge|exit|etc/' | sed 's/: .*//'
            says k diff 1.0.0 1.1.0 --node edge-003 | grep -E 'overlay:|etc/|exit| node|of edge' | sed 's/: .*//'
            says k diff 1.0.0 out/bundles/1.0.0 --node edge-002 | tail -n 1
            """)
        #expect(result.succeeded, "\(result.errors)")
        let uuid = "01234567-89ab-cdef-0123-456789abcdef"
        #expect(
            result.output == """
                1.0.0    alpine-virt 3.23.6, KubeSolo v1.2.2, x86_64, 3 nodes
                  node edge-001: host name edge-001, 52:54:00:12:34:01
                  node edge-002: host name till.example.org, 52:54:00:12:34:02, \(uuid)
                  node edge-003: host name edge-003, 52:54:00:12:34:03
                  ~ node edge-002
                  ~ overlay of edge-001
                  ~ overlay of edge-002
                  ~ overlay of edge-003
                  ~ seed of edge-001
                  ~ seed of edge-002
                  ~ seed of edge-003
                going from 1.1.0 to 1.0.0
                exit 1
                  ~ overlay
                  ~ etc/ksbuild/release
                  ~ etc/motd
                  ~ etc/site/greeting
                exit 1
                exit 0

                """, "\(result.output)")
    }

    @Test func `the verdict on a fleet is that on its nodes, in every place that tells it`() async throws {
        let result = try await run(
            """
            sed -i 's/till.example.org/shop/' ksbuild.yaml; build --version 1.1.0
            k diff 1.0.0 1.1.0 | tail -n 1 || true; k diff 1.0.0 1.1.0 --node edge-001 | tail -n 1 || true
            k diff 1.0.0 1.1.0 --node edge-002 | tail -n 1 || true; k diff 1.0.0 1.1.0 --changes | tail -n 1
            k activate 1.1.0 --quiet; k list | grep -o 'data.*'
            k list --json | grep -o '"data" *: *"[a-z]*"' | tr -d ' '
            sed -i '/nodes:/,$d' ksbuild.yaml; echo 'hostname: edge' >>ksbuild.yaml; build --version 1.2.0
            k diff 1.1.0 1.2.0 | tail -n 1 || true
            """)
        #expect(result.succeeded, "\(result.errors)")
        let why = "edge-002 there is the node till.example.org, and the data is that of shop"
        #expect(
            result.output == """
                going from 1.1.0 to 1.0.0: impossible, \(why)
                going from 1.1.0 to 1.0.0: safe, both are KubeSolo 1.2
                going from 1.1.0 to 1.0.0: impossible, it is the node till.example.org, and the data is that of shop
                From 1.1.0 to 1.0.0 with the data of a node: **impossible**, \(why).
                data impossible
                "data":"impossible"
                going from 1.2.0 to 1.1.0: impossible, it is for a fleet, and the data is that of one node

                """, "\(result.output)")
    }

    @Test func `what is not as it was in the files of nodes is found by verify, one by one`() async throws {
        let result = try await run(
            """
            b=out/bundles/1.0.0/nodes; says k verify 1.0.0 --quiet
            chmod u+w $b $b/*
            f=$(echo $b/edge-001/*.apkovl.tar.gz); cp -p $f kept; chmod u+w $f
            printf x | dd of=$f bs=1 seek=20 conv=notrunc status=none; chmod u-w $f; chmod u-w $b $b/*
            says k verify 1.0.0; chmod u+w $b $b/*; rm $f; chmod u-w $b $b/*; says k verify 1.0.0
            chmod u+w $b $b/*; cp -p kept $f; echo x >$b/edge-002/more; chmod 444 $b/edge-002/more; chmod u-w $b $b/*
            says k verify 1.0.0; chmod u+w $b $b/*; rm -f $b/edge-002/more; chmod u-w $b $b/*
            says k verify 1.0.0 --quiet
            chmod 755 $b/edge-003; says k verify 1.0.0; chmod 555 $b/edge-003; says k verify 1.0.0 --quiet
            chmod u+w $b; mv $b/edge-003 three; chmod u-w $b; says k verify 1.0.0
            """)
        #expect(codes(result) == [0, 1, 1, 1, 0, 1, 0, 1], "\(result.output)\(result.errors)")
        let errors = result.errors.replacing("ksbuild: out/bundles/1.0.0: ", with: "").split(separator: "\n")
            .filter { !$0.hasPrefix("warning: ") }
        let own = { (node: String, name: String) in "nodes/edge-\(node)/edge-edge-\(node)-1.0.0-x86_64.\(name): " }
        let beginnings = [
            own("001", "apkovl.tar.gz") + "tampered: ", own("001", "apkovl.tar.gz") + "missing: ",
            "\"nodes/edge-002/more\": extra: ", "nodes/edge-003: wrong-mode: ",
            own("003", "apkovl.tar.gz") + "missing: ", own("003", "cidata.iso") + "missing: ",
        ]
        #expect(errors.count == beginnings.count, "\(errors)")
        for (error, beginning) in zip(errors, beginnings) { #expect(error.hasPrefix(beginning)) }
    }

    @Test func `it is built again bit for bit, and the node that comes out otherwise is named`() async throws {
        let result = try await run(
            """
            says k verify 1.0.0 --quiet --rebuild --mirror "$MIRROR"
            echo goodbye >site/etc/site/greeting
            says k verify 1.0.0 --quiet --rebuild --mirror "$MIRROR"
            """)
        #expect(codes(result) == [0, 1], "\(result.output)\(result.errors)")
        let first =
            "ksbuild: out/bundles/1.0.0: nodes/edge-003/edge-edge-003-1.0.0-x86_64.apkovl.tar.gz: comes out otherwise"
        #expect(result.errors.contains(first), "\(result.errors)")
        #expect(!result.errors.contains("nodes/edge-001") && !result.errors.contains("nodes/edge-002"))
    }

    @Test func `it is published and pulled with all its nodes, bit for bit`() async throws {
        let result = try await run(
            """
            for place in dir:pub oci-layout:layout; do
                k publish $place --quiet; k pull $place --quiet --expect 1.0.0 --out pulled
                k verify 1.0.0 --quiet --out pulled
                tree out/bundles/1.0.0 | sed 's/ [0-9.]*$//' >a; tree pulled/bundles/1.0.0 | sed 's/ [0-9.]*$//' >b
                diff a b; grep -c nodes/ a; rm -rf pulled
            done
            """)
        #expect(result.succeeded && result.output == "15\n15\n", "\(result.output)\(result.errors)")
    }
}
