import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// How the command reaches servers, and how it ends where it does not.
@Suite struct FetchOptionTests {
    /// A site whose lock is written and whose cache is empty.
    private static func locked() async throws -> FetchCommandTests.Site {
        let site = try await FetchCommandTests.Site()
        _ = try await site.sh("ks fetch --quiet --update-lock --mirror $URL >/dev/null; rm -rf cache")
        return site
    }

    @Test func `certificates, passwords and tokens are those that are named`() async throws {
        let site = try await Self.locked()
        let result = try await site.sh(
            """
            code ks fetch --quiet --mirror $SECURE 2>&1
            ks fetch --quiet --mirror $SECURE --ca-file nginx/ca.pem; rm -rf cache
            SSL_CERT_FILE=nginx/ca.pem ks fetch --quiet --mirror $SECURE; rm -rf cache
            code ks fetch --quiet --mirror $URL/private 2>&1
            printf 'machine 127.0.0.1 login somebody password secret\\n' >home/.netrc
            ks fetch --quiet --mirror $URL/private; rm -rf cache home/.netrc
            code ks fetch --quiet --mirror $URL/token 2>&1
            echo opensesame >token; ks fetch --verbose --mirror $URL/token --token-file token >words 2>&1
            grep -c -e opensesame -e secret words ksbuild.lock || :
            """)
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 8, "\(result.output)")
        #expect(lines[0].contains("--ca-file") && lines[1] == "exit 69", "\(lines[0])")
        #expect(lines[2].contains("127.0.0.1") && lines[3] == "exit 77", "\(lines[2])")
        #expect(lines[4].contains("401") || lines[4].contains("credentials"), "\(lines[4])")
        #expect(lines[5] == "exit 77" && lines[6] == "words:0" && lines[7] == "ksbuild.lock:0")
        let requests = try await site.server.requests()
        #expect(requests.contains { $0.authorization == "Bearer opensesame" && $0.path.hasPrefix("/token/") })
        #expect(requests.allSatisfy { $0.authorization.isEmpty || $0.authorization == "-" || $0.status < 300 })
    }

    @Test func `a proxy is asked where one is set, and not for those that need none`() async throws {
        let site = try await Self.locked()
        let result = try await site.sh(
            """
            code env http_proxy=http://127.0.0.1:1 "$KSBUILD" fetch --quiet --retries 1 --mirror $URL 2>&1 | tail -1
            http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 ks fetch --quiet --mirror $URL && echo direct
            rm -rf cache; HTTP_PROXY=http://127.0.0.1:1 ks fetch --quiet --mirror $URL && echo direct
            """)
        #expect(result.output == "exit 69\ndirect\ndirect\n")
    }

    @Test func `what is not there, what nobody answers and a full disk have their exit codes`() async throws {
        let site = try await Self.locked()
        let result = try await site.sh(
            """
            code ks fetch --quiet --mirror $URL/nothing 2>&1
            code ks fetch --quiet --from nothing 2>&1
            code env --ignore-signal=XFSZ prlimit --fsize=2000000 "$KSBUILD" fetch --quiet --mirror $URL 2>&1
            ks fetch --quiet --mirror $URL && echo resumed
            find cache/ksbuild/inputs/partial -type f ! -name '*.lock' ! -name '*.got' | wc -l
            """)
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 8, "\(result.output)")
        #expect(lines[0].contains("none of 2 addresses gives the file") && lines[1] == "exit 66", "\(lines[0])")
        #expect(lines[3] == "exit 66" && lines[5] == "exit 74", "\(lines[2]) \(lines[4])")
        #expect(lines[6] == "resumed" && lines[7] == "0")
    }

    @Test func `Ctrl-C ends a fetch with 130, and the next one goes on where it stopped`() async throws {
        let site = try await Self.locked()
        let result = try await site.sh(
            """
            "$KSBUILD" fetch --quiet --mirror $URL/slow 2>words & fetch=$!
            while test "$(cat cache/ksbuild/inputs/partial/* 2>/dev/null | wc -c)" -lt 3000000; do sleep 0.1; done
            kill -INT $fetch; code wait $fetch; cat words
            mkdir -p cache/ksbuild/inputs/sha256; find cache/ksbuild/inputs/sha256 -size +20M | wc -l
            file=$MIRROR/alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso
            mv $file kept; echo 'please log in' >$file; code ks fetch --quiet --mirror $URL/slow 2>/dev/null; mv kept $file
            ks fetch --quiet --mirror $URL/slow
            ks cache verify
            """)
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 5, "\(result.output)")
        #expect(lines[0] == "exit 130" && lines[1].hasPrefix("ksbuild: ") && lines[2] == "0")
        // What a portal says instead of the file takes nothing away of what is there.
        #expect(lines[3] == "exit 65")
        let resumed = try await site.server.requests().filter { $0.status == 206 }
        #expect(!resumed.isEmpty, "nothing was resumed")
    }

    @Test func `no password is shown or locked, and the lock names what was asked for`() async throws {
        let site = try await FetchCommandTests.Site()
        let result = try await site.sh(
            """
            port=${URL##*:}
            ks fetch --verbose --update-lock --mirror http://bob:hunter2@127.0.0.1:$port/away >words 2>&1
            code env https_proxy='http://bob:hun/ter2@proxy:1' "$KSBUILD" fetch --retries 0 --mirror $SECURE --cache other \\
              >>words 2>&1
            sed -i 's/^name: edge/name: edge\\nkubesolo: { release: latest }/' ksbuild.yaml
            code ks fetch --update-lock --mirror http://bob:hunter2@127.0.0.1:$port >>words 2>&1
            grep -c -e hunter2 -e hun/ter2 words ksbuild.lock || :
            grep -c ':.*/away/' ksbuild.lock
            grep -o 'exit .*' words
            """)
        #expect(result.output == "words:0\nksbuild.lock:0\n2\nexit 69\nexit 65\n", "\(result.output)")
    }

    @Test func `a cache may be named from where one is`() async throws {
        let site = try await FetchCommandTests.Site()
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL --cache here >/dev/null
            ks bundle --quiet --version 1.0.0 --offline --cache here && test ! -e cache && echo built
            """)
        #expect(result.output == "built\n")
    }

    @Test func `a bundle fetches what its lock names on request, and refuses what it does not need`() async throws {
        let site = try await FetchCommandTests.Site("apiVersion: ksbuild/v1\nname: edge\npackages: [iptables]\n")
        let result = try await site.sh(
            """
            ks fetch --quiet --update-lock --mirror $URL >/dev/null; rm -rf cache
            ks bundle --quiet --version 1.0.0 --fetch && echo built
            sed -i '/^packages/d' ksbuild.yaml
            code ks bundle --quiet --version 1.1.0 2>&1; ls out/bundles
            """)
        #expect(
            result.output.hasPrefix(
                "built\nksbuild: ksbuild.lock:4:11: alpine/v3.23/main/x86_64/APKINDEX.tar.gz is locked"))
        #expect(
            result.output.contains("and not needed; run 'ksbuild fetch --update-lock' to drop it (and "),
            "\(result.output)")
        #expect(result.output.hasSuffix("exit 65\n1.0.0\n"), "\(result.output)")
    }
}
