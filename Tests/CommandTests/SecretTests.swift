import Artefact
import SystemPackage
import TestSupport
import Testing

/// What nobody may be told is in no line that a command prints, whatever it is asked to tell.
@Suite struct SecretTests {
    /// Makes a project whose recipe has every kind of secret, and runs a script in it. `say` runs the command and keeps all
    /// that it prints in `said`; `secrets` has a line for each secret.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            "$PROJECT"
            say() { "$KSBUILD" "$@" >>said 2>&1 || echo "exit $?" >>said; }
            inputs="--recipe rich.yaml --mirror $MIRROR"
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string,
                "PROJECT": Product.checkout.pushing("Tests/Contracts/project").string,
                "XDG_CACHE_HOME": scratch.path.appending("cache").string,
            ])
    }

    @Test func `no command that builds, judges or switches tells a secret`() async throws {
        let result = try await run(
            """
            for how in "" --verbose --json --sarif; do say plan $inputs $how; done
            say overlay $inputs --verbose; say medium $inputs --verbose
            sed -i '/^kernel:/d' rich.yaml; say cidata $inputs --verbose
            say bundle $inputs --verbose --version 1.0.0 --sign keys/release.key --ssh-signature
            grep -c '^exit' said || true
            echo another >>site/etc/token.key; sed -i 's/^hostname: .*/hostname: edge-002/' rich.yaml
            say bundle $inputs --verbose --version 1.1.0 --sign keys/release.key
            say diff --text --verbose 1.0.0 1.1.0; say diff --text --json 1.0.0 1.1.0
            say plan $inputs --verbose --against 1.0.0
            for how in --verbose --json --sarif; do
                say verify 1.0.0 $how --trust keys/release.pub
                for what in 1.0.0 out/bundles/1.0.0/*.apkovl.tar.gz out/bundles/1.0.0/*.cidata.iso out/*.iso; do
                    say inspect $what $how
                done
            done
            say medium 1.0.0 --verbose -o medium.iso; say activate 1.0.0 --verbose; say confirm --verbose
            say list --json; say prune --keep 1 --dry-run --verbose; say prune --keep 1 --dry-run --json
            cat out/bundles/*/manifest.json out/history.jsonl >>said
            wc -l <secrets; grep -cFf secrets said || true
            # They are where they belong, and nobody else can read that.
            tar -xzOf out/bundles/1.0.0/*.apkovl.tar.gz >overlay; bsdtar -xOf out/bundles/1.0.0/*.cidata.iso >>overlay
            while read -r secret; do grep -qaF -- "$secret" overlay && echo there || echo not; done <secrets | uniq -c
            find out medium.iso -type f -perm /0044 -exec grep -lFf secrets {} + || true
            find out medium.iso -name '*.iso' -perm /0044 ! -name 'alpine-*' -o -name '*.apkovl.tar.gz' -perm /0044
            """)
        #expect(result.succeeded, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map { $0.trimmingBlanks }
        // Signing keys and the key for packages go into no artefact, and the edge key only in the form that is given.
        #expect(lines == ["0", "12", "0", "1 there", "2 not", "3 there", "1 not", "5 there"], "\(result.output)")
    }

    @Test func `a secret that is wrong is not repeated by the complaint`() async throws {
        let result = try await run(
            """
            change() { cp -a $1 kept; printf '%s\\n' "$2" >$1; say plan $inputs; say plan $inputs --sarif; mv kept $1; }
            echo secret-wrong >>secrets
            change password secret-wrong; change password '$6$secret-wrong$x'
            change edge 'secret-wrong !'; change proxy 'ftp://bob:secret-wrong@192.0.2.9'; change proxy 'http://bob:secret-wrong@ x'
            change user-data 'secret-wrong: ['; change keys/host secret-wrong; change keys/own.rsa secret-wrong
            cp keys/release.key good; printf 'untrusted comment: x\\nsecret-wrong\\n' >keys/release.key
            say bundle $inputs --version 1.0.0 --sign keys/release.key
            chmod 644 good; say bundle $inputs --version 1.0.0 --sign good
            grep -c '^exit 65' said; grep -cFf secrets said || true
            """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "18\n0\n", "\(result.output)")
    }

    @Test func `credentials of a mirror and a proxy are not told`() async throws {
        let result = try await run(
            """
            echo secret-wrong >>secrets; printf 'machine 127.0.0.1 login bob password secret-wrong\\n' >netrc
            echo secret-wrong >token; export https_proxy=http://bob:secret-wrong@127.0.0.1:1
            for how in "--mirror http://127.0.0.1:1" "--mirror http://bob:secret-wrong@127.0.0.1:1" "" "--mirror ftp://bob:secret-wrong@x"
            do
                say fetch --recipe rich.yaml --update-lock --verbose --retries 0 --netrc netrc $how
                say fetch --recipe rich.yaml --update-lock --verbose --retries 0 --token-file token $how
            done
            say plan --mirror http://bob:secret-wrong@127.0.0.1
            grep -c '^exit' said; grep -cFf secrets said || true
            """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "9\n0\n", "\(result.output)")
    }
}

extension Substring {
    /// The text without blanks at its beginning.
    fileprivate var trimmingBlanks: String { String(drop { $0 == " " }) }
}
