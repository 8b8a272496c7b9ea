import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// From the servers of the upstreams to a bundle, over a real web server with the laboratory's mirror.
@Suite struct FetchCommandTests {
    /// A project, a web server and a mirror of its own that it serves.
    struct Site: ~Copyable {
        let scratch: Scratch
        let server: Nginx
        var folder: FilePath { scratch.path }
        /// What the server serves.
        var mirror: FilePath { server.root }

        init(_ recipe: String = "apiVersion: ksbuild/v1\nname: edge\n") async throws {
            let scratch = try Scratch()
            let server = try await Nginx(in: scratch)
            let copying = try await run("cp", ["-RsL", "\(Product.mirror)/.", server.root.string])
            try #require(copying.succeeded, "\(copying.errors)")
            try scratch.file("ksbuild.yaml", recipe)
            try HostFile.makeDirectories(scratch.path.appending("home"))
            self.scratch = scratch
            self.server = server
        }

        /// Runs a script in the project, with `ks` for the command.
        func sh(_ script: String, check: Bool = true) async throws -> ProgramResult {
            let result = try await run(
                "bash",
                [
                    "-euo", "pipefail", "-c",
                    "ks() { \"$KSBUILD\" \"$@\"; }; code() { set +e; \"$@\"; echo \"exit $?\"; set -e; }\n" + script,
                ], in: folder,
                environment: [
                    "KSBUILD": try Product.ksbuild.string, "URL": server.plain, "SECURE": server.secure,
                    "MIRROR": mirror.string,
                    "XDG_CACHE_HOME": folder.appending("cache").string, "HOME": folder.appending("home").string,
                    "http_proxy": "", "https_proxy": "", "HTTPS_PROXY": "",
                ])
            if check { #expect(result.succeeded, "\(script)\n\(result.output)\(result.errors)") }
            return result
        }
    }

    @Test func `a lock is written, fetched again from nothing, and built from without a network`() async throws {
        let site = try await Site("apiVersion: ksbuild/v1\nname: edge\npackages: [iptables, nftables]\n")
        let made = try await site.sh("ks fetch --quiet --update-lock --mirror $URL; cat ksbuild.lock")
        #expect(made.output.contains("+ alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso: "))
        #expect(made.output.contains("+ alpine/v3.23/main/x86_64/APKINDEX.tar.gz: "))
        #expect(made.output.contains("/iptables-1.8.11-r1.apk: "))
        #expect(made.output.contains("index "))
        let served = try await site.server.requests().count
        let again = try await site.sh(
            """
            ks fetch
            cp ksbuild.lock before; ks fetch --quiet --update-lock --mirror $URL | tail -1; cmp before ksbuild.lock
            ks bundle --quiet --version 1.0.0 --offline
            ks bundle --quiet --version 1.0.0 --out direct --mirror $MIRROR
            cd out/bundles/1.0.0; sha256sum -c --quiet ../../../direct/bundles/1.0.0/SHA256SUMS --ignore-missing
            """)
        #expect(again.output.contains(" inputs are in the cache"))
        #expect(again.output.contains("ksbuild.lock: nothing changed"))
        let requests = try await site.server.requests()
        #expect(requests.count > served)
        #expect(requests.dropFirst(served).allSatisfy { !$0.path.hasSuffix(".iso") }, "an image came twice")
    }

    @Test func `behind an air gap a mirror of the lock is enough`() async throws {
        let site = try await Site("apiVersion: ksbuild/v1\nname: edge\npackages: [iptables, nftables]\n")
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            ks mirror stick | cut -d, -f1; (cd stick; sha256sum --quiet -c SHA256SUMS; find . -type f | wc -l)
            ks mirror stick --quiet
            rm -rf cache
            code ks bundle --version 1.0.0 2>&1
            code ks bundle --version 1.0.0 --offline --fetch 2>&1
            unshare -rn sh -ec 'ip link | grep -c UP && exit 1; "$KSBUILD" fetch --from stick
              "$KSBUILD" bundle --quiet --version 1.0.0 --offline && "$KSBUILD" verify out/bundles/1.0.0'
            """)
        let count = result.output.split(separator: "\n").first { $0.hasPrefix("stick: ") }?.split(separator: " ")[1]
        #expect(result.output.contains("\n\((count.flatMap { Int($0) } ?? 0) + 1)\n"), "\(result.output)")
        #expect(result.output.contains("is locked and not in the cache, as are "))
        #expect(result.output.contains("; run 'ksbuild fetch', or add --fetch\nexit 66\n"))
        #expect(result.output.contains("--fetch and --offline exclude each other"))
    }

    @Test func `a branch and the latest KubeSolo become exact in the lock, and older ones are not taken back`()
        async throws
    {
        let recipe = "apiVersion: ksbuild/v1\nname: edge\nalpine: { release: '3.23' }\nkubesolo: { release: latest }\n"
        let site = try await Site(recipe)
        try Self.releases(["v1.2.0", "v1.3.0", "v1.2.2"], in: site)
        let result = try await site.sh(
            """
            code ks plan 2>&1
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            grep -o 'kubesolo-v.*musl.*gz' ksbuild.lock | head -1
            ks plan --json | grep -o '"release": "[^"]*"'
            ks bundle --quiet --version 1.0.0 --offline && ks list
            """)
        #expect(
            result.output.contains(
                "alpine.release: '3.23': names no exact release, and ksbuild.lock has none for it; run 'ksbuild fetch "
                    + "--update-lock' to choose one\nexit 65\n"), "\(result.output)")
        #expect(result.output.contains("kubesolo-v1.3.0-linux-amd64-musl-offline.tar.gz\n"))
        #expect(result.output.contains("\"release\": \"3.23.6\"\n\"release\": \"v1.3.0\"\n"))
        #expect(result.output.contains("alpine-virt 3.23.6, KubeSolo v1.3.0"))
        // A mirror that fell behind.
        try Self.releases(["v1.2.2", "v1.2.0"], in: site)
        let behind = try await site.sh("code ks fetch --update-lock --mirror $URL 2>&1")
        #expect(behind.output.contains("lists v1.2.2 as the newest, and v1.3.0 is known already"))
        #expect(behind.output.hasSuffix("exit 65\n"))
    }

    @Test func `what is newer is told, with the Kubernetes it brings`() async throws {
        let site = try await Site()
        try Self.releases(["v1.2.0", "v1.2.2"], in: site)
        let none = try await site.sh(
            "ks fetch --quiet --update-lock --mirror $URL >/dev/null; ks outdated --mirror $URL 2>/dev/null")
        #expect(none.output == "nothing is newer than what ksbuild.lock names\n")
        try Self.releases(["v1.2.0", "v1.3.0", "v1.2.2"], in: site)
        let newer = try await site.sh(
            """
            list=$MIRROR/alpine/v3.23/releases/x86_64/latest-releases.yaml
            sed -i 's/3\\.23\\.6/3.23.9/' $list
            code ks outdated --mirror $URL 2>/dev/null
            code ks outdated --json --mirror $URL 2>/dev/null
            """)
        #expect(newer.output.contains("alpine  3.23.6 → 3.23.9\n"))
        #expect(newer.output.contains("kubesolo  v1.2.2 → v1.3.0  (Kubernetes "))
        #expect(newer.output.contains("\"newest\" : \"v1.3.0\""))
        #expect(newer.output.hasSuffix("exit 1\n"))
    }

    @Test func `an image is believed to be Alpine's only with the signature of the key that is meant`() async throws {
        let site = try await Site()
        let result = try await site.sh(
            """
            export GNUPGHOME=$PWD/gpg; mkdir -m 700 gpg
            for name in right wrong; do
              gpg --batch --quiet --passphrase '' --quick-gen-key $name@example.org ed25519 sign never 2>/dev/null
              gpg --armor --export $name@example.org >$name.asc
              gpg --with-colons --list-keys $name@example.org | awk -F: '$1 == "fpr" { print $10; exit }' >$name.fpr
            done
            image=$MIRROR/alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso
            code ks fetch --update-lock --mirror $URL --alpine-key right.asc 2>&1 | tail -2
            gpg --batch --quiet -u right@example.org --armor --detach-sign --output $image.asc $image
            code ks fetch --update-lock --mirror $URL --alpine-key right.asc 2>&1 | tail -2
            code ks fetch --update-lock --mirror $URL --alpine-key wrong.asc --alpine-key-fingerprint $(cat wrong.fpr) 2>&1 | tail -2
            test ! -e ksbuild.lock
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            ks fetch --quiet --update-lock --mirror $URL --alpine-key right.asc \
              --alpine-key-fingerprint $(cat right.fpr) | grep -c 'trust checksum file → signature'
            grep -c "signature $(cat right.fpr)" ksbuild.lock
            code ks fetch --update-lock --mirror $URL --alpine-key wrong.asc \
              --alpine-key-fingerprint $(cat wrong.fpr) 2>&1 | tail -2
            code ks fetch --update-lock --mirror $URL alpine-virt-3.23.6-x86_64.iso 2>&1 | tail -2
            gpgconf --kill all
            """)
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 12, "\(result.output)")
        #expect(lines[0].contains("alpine-virt-3.23.6-x86_64.iso.asc: is not on the mirror") && lines[1] == "exit 65")
        #expect(lines[2].contains("0482D84022F52DF1C4E7CD43293ACD0907D9495A") && lines[3] == "exit 65")
        #expect(lines[4].contains("which wrong.asc does not hold"), "\(lines[4])")
        #expect(lines[5] == "exit 65" && lines[6] == "1" && lines[7] == "1")
        // What the lock says is no reason to believe it, and nobody vouches less from one day to the next.
        #expect(lines[8].contains("alpine-virt-3.23.6-x86_64.iso") && lines[9] == "exit 65", "\(lines[8])")
        #expect(lines[10].contains("would be locked by 'checksum file'") && lines[11] == "exit 65", "\(lines[10])")
    }

    @Test func `a lock that is edited, stale or not met is refused with the command that mends it`() async throws {
        let site = try await Site()
        let result = try await site.sh(
            """
            code ks fetch 2>&1
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            cp ksbuild.lock good
            sed -i 's/size: 6/size:  6/' ksbuild.lock; code ks plan 2>&1; cp good ksbuild.lock
            sed -i 's/sha256: .*/sha256: "'$(printf 0%.0s $(seq 64))'"/' ksbuild.lock; rm -rf cache
            code ks fetch --quiet --mirror $URL 2>&1; cp good ksbuild.lock; rm -rf cache
            ks fetch --quiet
            echo 'kubesolo: { release: v1.3.0 }' >>ksbuild.yaml
            code ks bundle --version 1.0.0 2>&1
            printf '<<<<<<< HEAD\n' >>ksbuild.lock
            ks fetch --quiet --update-lock --mirror $URL --dry-run | tail -1; cp good ksbuild.lock
            ks fetch --quiet --update-lock --mirror $URL | cut -c1-30
            ks bundle --quiet --version 1.0.0
            code ks fetch --quiet --update-lock --mirror $URL nothing.iso 2>&1
            """)
        #expect(
            result.output.hasPrefix(
                "ksbuild: ksbuild.lock: is not there; run 'ksbuild fetch --update-lock' to write it\nexit 66\n"))
        #expect(
            result.output.contains(
                "ksbuild: ksbuild.lock:6:11: the size is no number; run 'ksbuild fetch --update-lock'\nexit 65\n"))
        #expect(result.output.contains("fetch --update-lock"))
        #expect(result.output.contains("0000000000000000000000000000000000000000000000000000000000000000"))
        #expect(
            result.output.contains(
                "ksbuild.lock: kubesolo/v1.3.0/kubesolo-v1.3.0-linux-amd64-musl-offline.tar.gz is needed and not locked; run"
            ))
        #expect(result.output.contains("ksbuild.lock: would be written\n"))
        #expect(result.output.contains("- kubesolo/v1.2.2/"))
        #expect(result.output.contains("+ kubesolo/v1.3.0/"))
        #expect(
            result.output.hasSuffix(
                "ksbuild: nothing.iso: is no input of this recipe; 'ksbuild fetch --list' names them\nexit 64\n"),
            "\(result.output)")
    }

    @Test func `the list is what curl, wget and people take`() async throws {
        let site = try await Site()
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            ks fetch --list --format curl >curl.config; mkdir got; cd got; curl --silent --config ../curl.config
            ks() { "$KSBUILD" "$@" --recipe ../ksbuild.yaml; }
            ks fetch --list | while read -r digest size url; do
              file=$(find . -name "${url##*/}"); test $(stat -c %s $file) = $size; echo "$digest  $file" | sha256sum -c --quiet
            done
            ks fetch --list --format wget | wget --quiet --input-file=- --spider && echo spider
            ks fetch --list --format json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'
            """)
        #expect(result.output == "spider\n2\n", "\(result.output)")
    }

    @Test func `only fetching makes connections, and with --offline the kernel refuses them`() async throws {
        let site = try await Site()
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            traced() {
              strace -f -qq -e trace=network,prctl -o trace "$KSBUILD" "$@" >/dev/null 2>&1
              grep -cE '(socket|connect|sendto)\\(' trace || :
            }
            for words in plan overlay cidata "bundle --version 1.0.0 --offline" "verify out/bundles/1.0.0"; do traced $words; done
            ks bundle --version 1.0.1 --quiet
            strace -ff -qq -e trace=seccomp -o threads "$KSBUILD" bundle --version 1.0.2 --offline --quiet
            cat threads.* | grep -c 'SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC.* = 0$'
            """)
        #expect(result.output == "0\n0\n0\n0\n0\n1\n", "\(result.output)")
    }

    @Test func `the cache is listed, verified and pruned`() async throws {
        let site = try await Site()
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            ks cache list 2>/dev/null | sort >list; grep sha256: ksbuild.lock | grep -oE '[0-9a-f]{64}' | grep -cFf - list
            ks cache verify
            image=$(find cache/ksbuild/inputs/sha256 -name $(grep -A4 'iso$' ksbuild.lock | grep -oE '[0-9a-f]{64}' | head -1))
            chmod u+w $image; printf x | dd of=$image bs=1 seek=1000 conv=notrunc status=none
            code ks cache verify | sed 's/^[0-9a-f]*:/DIGEST:/'; test ! -e $image
            code ks bundle --version 1.0.0 2>&1 | tail -1
            ks fetch --quiet --mirror $URL >/dev/null
            ks cache prune --older-than 0 | cut -d' ' -f1,3; ks cache list 2>/dev/null | wc -l
            rm ksbuild.lock; ks cache prune --older-than 0 >/dev/null; ks cache list 2>&1 | sed 's/.*: //'
            """)
        #expect(
            result.output == """
                2
                every input is what its name says
                DIGEST: was something else; removed
                exit 1
                exit 66
                removed inputs
                2
                0 inputs, 0 MiB

                """, "\(result.output)")
    }

    @Test func `a mirror that has older packages than the lock is refused, and what is older is not newer`()
        async throws
    {
        let site = try await Site("apiVersion: ksbuild/v1\nname: edge\npackages: [iptables, nftables]\n")
        try Self.releases(["v1.2.2"], in: site)
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL >/dev/null
            sed -i 's/iptables-1\\.8\\.11-r1/iptables-1.9.0-r0/' ksbuild.lock
            ks outdated --quiet --mirror $URL
            code ks fetch --quiet --update-lock --mirror $URL 2>&1
            ks fetch --quiet --update-lock --mirror $URL iptables-1.8.11-r1.apk | cut -d: -f1
            """)
        #expect(
            result.output == """
                nothing is newer than what ksbuild.lock names
                ksbuild: alpine/v3.23/main/x86_64/iptables-1.8.11-r1.apk: is what the index has, and 1.9.0-r0 is locked; \
                take a mirror that has not fallen behind, or name it to go back
                exit 65
                + alpine/v3.23/main/x86_64/iptables-1.8.11-r1.apk
                - alpine/v3.23/main/x86_64/iptables-1.9.0-r0.apk
                ksbuild.lock

                """, "\(result.output)")
    }

    /// Writes `releases.json` with releases whose assets are those that the mirror has.
    private static func releases(_ tags: [String], in site: borrowing Site) throws {
        let rows = try tags.map { tag in
            let folder = site.mirror.appending("kubesolo").appending(tag)
            let assets = try HostFile.names(in: folder).filter { $0.hasSuffix(".tar.gz") }.map { name in
                let path = folder.appending(name)
                return """
                    {"name": "\(name)", "size": \(try HostFile.status(of: path).size), "digest": "sha256:\(try Digest(ofFile: path))",
                     "browser_download_url": "https://github.com/portainer/kubesolo/releases/download/\(tag)/\(name)"}
                    """
            }
            return """
                {"tag_name": "\(tag)", "draft": false, "prerelease": false, "assets": [\(assets.joined(separator: ","))]}
                """
        }
        try StagedFile.write(
            Array("[\(rows.joined(separator: ","))]".utf8), to: site.mirror.pushing("kubesolo/releases.json"))
    }
}
