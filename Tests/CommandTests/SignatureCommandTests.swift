import Artefact
import SystemPackage
import TestSupport
import Testing

/// Keys, signing and trust as a person meets them.
@Suite struct SignatureCommandTests {
    /// Runs a script in a folder with a recipe and two keys, `release` and `other`.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let preparation = """
            says() { set +e; "$@"; echo "exit $?"; set -e; }
            bundle() { "$KSBUILD" bundle --mirror "$MIRROR" --version "$@"; }
            for name in release other; do "$KSBUILD" keygen --quiet --signing $name; done
            trust() { printf 'apiVersion: ksbuild/v1\\ntrust: [ %s ]\\n' "$1" >ksbuild.yaml; }
            number() { sed -n 's/.*public key //p' $1.pub; }
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
    }

    @Test func `a key is made once, and the private half is told to nobody`() async throws {
        let result = try await run(
            """
            "$KSBUILD" keygen --signing me -o .
            stat -c %a me.key
            says "$KSBUILD" keygen --signing me
            says "$KSBUILD" keygen --signing me2 --bits 2048
            says "$KSBUILD" keygen --signing a/b
            minisign -R -p again.pub -s me.key </dev/null >/dev/null; tail -n 1 again.pub | cmp - <(tail -n 1 me.pub)
            secret=$(tail -n 1 me.key)
            "$KSBUILD" bundle --mirror "$MIRROR" --version 1.0.0 --sign me.key --ssh-signature --verbose >log 2>&1
            "$KSBUILD" verify 1.0.0 --trust me.pub >>log 2>&1
            says grep -rqF "${secret:80:60}" log out
            grep -c "signed by $(number me)" log
            """)
        #expect(
            result.output
                == "./me.key\n./me.pub\n./me.allowed_signers\n600\nexit 73\nexit 64\nexit 65\nexit 1\n2\n",
            "\(result.output)\(result.errors)")
    }

    @Test func `verify says who signed, and refuses what no trusted key signed`() async throws {
        let result = try await run(
            """
            bundle 1.0.0 --sign release.key --quiet
            bundle 1.1.0 --quiet
            (cd out/bundles/1.0.0; minisign -V -q -p ../../../release.pub -m SHA256SUMS; sha256sum --quiet -c SHA256SUMS)
            says "$KSBUILD" verify 1.0.0
            says "$KSBUILD" verify 1.0.0 --trust release.pub
            says "$KSBUILD" verify 1.0.0 --trust other.pub --trust "$(tail -n 1 release.pub)"
            says "$KSBUILD" verify 1.0.0 --trust other.pub
            says "$KSBUILD" verify 1.1.0 --trust other.pub
            says "$KSBUILD" verify 1.1.0
            trust file:other.pub
            says "$KSBUILD" verify 1.0.0
            says "$KSBUILD" verify 1.0.0 --trust release.pub
            says "$KSBUILD" verify 1.0.0 --recipe none.yaml
            says "$KSBUILD" verify 1.0.0 --trust release.key
            says "$KSBUILD" verify release.pub --trust release.pub
            "$KSBUILD" verify 1.0.0 --json --trust release.pub | grep -e '"sign'
            (cd out; says "$KSBUILD" verify --out . 1.0.0)
            cat release.pub other.pub
            """)
        let numbers = result.output.split(separator: "\n").filter { $0.hasPrefix("untrusted comment") }.map {
            String($0.suffix(16))
        }
        try #require(numbers.count == 2, "\(result.output)\(result.errors)")
        var lines = result.output.split(separator: "\n").map(String.init)
        for (index, line) in lines.enumerated() where line.contains(": good, ") {
            lines[index] = "good, \(line.split(separator: ",").dropFirst(2).joined(separator: ",").dropFirst())"
        }
        let unchecked =
            "good, signed by \(numbers[0]), which was not checked: no key is given with --trust or in the recipe"
        let trusted = "good, signed by \(numbers[0]), which is trusted"
        #expect(
            Array(lines.dropLast(4)) == [
                unchecked, "exit 0", trusted, "exit 0", trusted, "exit 0", "exit 1", "exit 1", "good, not signed",
                "exit 0", "exit 1", trusted, "exit 0", "exit 66", "exit 65", "exit 64",
                "  \"signature\" : \"trusted\",", "  \"signer\" : \"\(numbers[0])\"", unchecked, "exit 0",
            ], "\(result.output)\(result.errors)")
        #expect(
            result.errors.contains(
                "ksbuild: out/bundles/1.0.0: SHA256SUMS.minisig: untrusted: is by key \(numbers[0]), and trusted is only "
                    + "\(numbers[1])\n"), "\(result.errors)")
        #expect(
            result.errors.contains(
                "ksbuild: out/bundles/1.1.0: SHA256SUMS.minisig: unsigned: is not there, and only what is signed by "
                    + "\(numbers[1]) is trusted\n"), "\(result.errors)")
    }

    @Test func `bundle refuses what its recipe would not trust, before it builds anything`() async throws {
        let result = try await run(
            """
            trust "$(tail -n 1 release.pub)"
            says bundle 1.0.0
            says bundle 1.0.0 --sign other.key
            says bundle 1.0.0 --ssh-signature
            says bundle 1.0.0 --sign release.pub
            says bundle 1.0.0 --sign none.key
            chmod 0644 release.key; says bundle 1.0.0 --sign release.key; chmod 0600 release.key
            says test -e out
            mkdir -p layer/etc; cp release.key layer/etc/k; echo 'layers: [layer]' >>ksbuild.yaml
            says bundle 1.0.0 --sign release.key
            rm layer/etc/k
            says bundle 1.0.0 --sign release.key --quiet
            says bundle 1.0.0 --sign release.key
            says "$KSBUILD" verify 1.0.0 --quiet
            """)
        #expect(
            result.output.split(separator: "\n").filter { $0.hasPrefix("exit") }.joined(separator: " ")
                == "exit 64 exit 65 exit 64 exit 65 exit 66 exit 65 exit 1 exit 65 exit 0 exit 0 exit 0",
            "\(result.output)\(result.errors)")
        #expect(result.output.contains("identical, nothing changed"))
        let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("ksbuild: ") }
        try #require(errors.count == 7, "\(result.errors)")
        #expect(errors.first?.contains("name the private key with --sign") == true)
        #expect(errors[1].hasPrefix("ksbuild: other.key: is key "))
        #expect(errors[5].contains("chmod 600"))
        #expect(errors[6].contains("puts it into the overlay as etc/k"), "\(errors[6])")
    }

    @Test func `activate and rollback take only what the recipe or the command line trusts`() async throws {
        let result = try await run(
            """
            bundle 1.0.0 --quiet
            bundle 1.1.0 --sign release.key --quiet
            says "$KSBUILD" activate 1.0.0 --trust release.pub
            trust file:release.pub
            says "$KSBUILD" activate 1.0.0
            says "$KSBUILD" activate 1.1.0 --trust other.pub
            says test -e out/current
            says "$KSBUILD" activate 1.1.0 --quiet
            says "$KSBUILD" rollback --to 1.0.0
            readlink out/current
            echo 'apiVersion: ksbuild/v1' >elsewhere.yaml
            says "$KSBUILD" rollback --to 1.0.0 --quiet --recipe elsewhere.yaml
            readlink out/current
            """)
        #expect(
            result.output == """
                exit 1
                exit 1
                exit 1
                exit 1
                exit 0
                exit 1
                bundles/1.1.0
                exit 0
                bundles/1.0.0

                """, "\(result.output)\(result.errors)")
        let refusals = result.errors.split(separator: "\n").filter {
            $0.hasPrefix("ksbuild: version 1.0.0: is not trusted")
        }
        #expect(refusals.count == 3, "\(result.errors)")
    }
}
