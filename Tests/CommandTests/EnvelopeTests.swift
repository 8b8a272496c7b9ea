import Artefact
import SystemPackage
import TestSupport
import Testing

/// The envelope in which a bundle's statement is signed: what verify finds when it is not the one.
@Suite struct EnvelopeTests {
    /// One way to spoil a copy of a signed bundle, in its directory, and what is found with the key and without.
    struct Spoiling: Sendable, CustomTestStringConvertible {
        let name: String
        let script: String
        let trusted: String
        let untrusted: String

        var testDescription: String { name }
    }

    static let spoilings = [
        Spoiling(name: "nothing", script: ":", trusted: "", untrusted: ""),
        Spoiling(
            name: "it is gone", script: "rm $E", trusted: "$E missing is not there beside SHA256SUMS.minisig",
            untrusted: "$E missing is not there beside SHA256SUMS.minisig"),
        Spoiling(
            name: "another signature", script: #"put "$(sed 's/"sig":"..../"sig":"AAAA/' $E)""#,
            trusted: "$E bad-signature was made of another statement, by another key, or is damaged", untrusted: ""),
        Spoiling(
            name: "another payload", script: #"put "$(sed 's/"payload":"..../"payload":"AAAA/' $E)""#,
            trusted: "$E bad-signature holds another statement than $P",
            untrusted: "$E bad-signature holds another statement than $P"),
        Spoiling(
            name: "another name of the key", script: #"put "$(sed 's/"keyid":"./"keyid":"x/' $E)""#,
            trusted: "$E bad-signature is by key",
            untrusted: "$E bad-signature is by key"),
        Spoiling(
            name: "the envelope of another key", script: "put \"$(cat ../../other/bundles/1.0.0/$E)\"",
            trusted: "$E bad-signature is by key", untrusted: "$E bad-signature is by key"),
        Spoiling(
            name: "another key under the name of the right one",
            script: #"put "$(sed "s/\"keyid\":\"[0-9A-F]*/\"keyid\":\"$NUMBER/" ../../other/bundles/1.0.0/$E)""#,
            trusted: "$E bad-signature was made of another statement, by another key, or is damaged", untrusted: ""),
        Spoiling(
            name: "the envelope of another version", script: "put \"$(cat ../../out/bundles/1.1.0/*.intoto.jsonl)\"",
            trusted: "$E bad-signature holds another statement than $P",
            untrusted: "$E bad-signature holds another statement than $P"),
        Spoiling(
            name: "another spelling", script: #"put "$(sed 's/,"sig"/, "sig"/' $E)""#,
            trusted: "$E bad-signature is not in canonical form",
            untrusted: "$E bad-signature is not in canonical form"),
        Spoiling(
            name: "another statement", script: "sed -i s/edge-1/edge-2/ $P; chmod 444 $P",
            trusted: "$P tampered has other bytes", untrusted: "$P tampered has other bytes"),
        Spoiling(
            name: "no other signature", script: "rm SHA256SUMS.minisig",
            trusted: "SHA256SUMS.minisig unsigned is not there",
            untrusted: "SHA256SUMS.minisig missing is not there beside $E"),
        Spoiling(
            name: "an envelope under another name", script: "mv $E x.intoto.jsonl",
            trusted: "\"x.intoto.jsonl\" extra is not in the manifest\n$E missing is not there",
            untrusted: "\"x.intoto.jsonl\" extra is not in the manifest\n$E missing is not there"),
    ]

    @Test func `every change of it is found, as far as that can be told without the key`() async throws {
        let scratch = try Scratch()
        var script = """
            printf 'apiVersion: ksbuild/v1\\nhostname: edge-1\\n' >ksbuild.yaml
            bundle() { "$KSBUILD" bundle --quiet --no-medium --mirror "$MIRROR" "$@"; }
            for name in release other; do "$KSBUILD" keygen --quiet --signing $name; done
            bundle --version 1.0.0 --sign release.key; bundle --version 1.1.0 --sign release.key
            bundle --version 1.0.0 --sign other.key --out other
            export NUMBER=$(sed -n 's/.*public key //p' release.pub)
            export E=kubesolo-1.0.0-x86_64.intoto.jsonl P=kubesolo-1.0.0-x86_64.provenance.json
            put() { rm -f $E; printf '%s\\n' "$1" >$E; chmod 444 $E; }
            mkdir spoilt
            found() {
                { "$KSBUILD" verify --json "$@" 2>/dev/null || true; } | python3 -c 'import json, sys
            for finding in json.load(sys.stdin)["findings"]: print(finding["file"], finding["problem"], finding["detail"])'
            }

            """
        for spoiling in Self.spoilings {
            script += """
                cp -al out/bundles/1.0.0 spoilt/1.0.0; chmod u+w spoilt/1.0.0
                (cd spoilt/1.0.0; for file in *.json; do cp -p $file x; mv -f x $file; done; \(spoiling.script))
                chmod u-w spoilt/1.0.0
                echo '=='; found spoilt/1.0.0 --trust release.pub; echo '--'; found spoilt/1.0.0
                chmod u+w spoilt/1.0.0; rm -rf spoilt/1.0.0

                """
        }
        let result = try await run(
            "bash", ["-euc", script], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
        #expect(result.succeeded, "\(result.errors)")
        let answers = result.output.split(separator: "==\n", omittingEmptySubsequences: false).dropFirst()
        try #require(answers.count == Self.spoilings.count, "\(result.output)")
        for (spoiling, answer) in zip(Self.spoilings, answers) {
            let halves = answer.split(separator: "--\n", omittingEmptySubsequences: false)
            try #require(halves.count == 2)
            for (found, wanted) in zip(halves, [spoiling.trusted, spoiling.untrusted]) {
                let wanted = wanted.replacing("$E", with: "kubesolo-1.0.0-x86_64.intoto.jsonl")
                    .replacing("$P", with: "kubesolo-1.0.0-x86_64.provenance.json").split(separator: "\n")
                let lines = found.split(separator: "\n")
                let agrees = lines.count == wanted.count && zip(lines, wanted).allSatisfy { $0.hasPrefix($1) }
                #expect(agrees, "\(spoiling.name): \(found)")
            }
        }
    }

    @Test func `a bundle that is not signed has none, and signing is the same on every call`() async throws {
        let scratch = try Scratch()
        let result = try await run(
            "bash",
            [
                "-euc",
                """
                printf 'apiVersion: ksbuild/v1\\n' >ksbuild.yaml; "$KSBUILD" keygen --quiet --signing release
                bundle() { "$KSBUILD" bundle --no-medium --mirror "$MIRROR" --version 1.0.0 "$@"; }
                bundle --quiet --out plain; ls plain/bundles/1.0.0 | grep -c -e jsonl -e minisig || true
                bundle --quiet --sign release.key --out a; bundle --quiet --sign release.key --out b
                cmp a/bundles/1.0.0/*.jsonl b/bundles/1.0.0/*.jsonl
                cmp a/bundles/1.0.0/*.provenance.json plain/bundles/1.0.0/*.provenance.json
                bundle --sign release.key --out a
                cat a/bundles/1.0.0/SHA256SUMS | grep -c jsonl || true
                """,
            ], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string])
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "0\na/bundles/1.0.0: identical, nothing changed\n0\n", "\(result.output)")
    }
}
