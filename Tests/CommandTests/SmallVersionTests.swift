import Artefact
import SystemPackage
import TestSupport
import Testing

/// A version that changes nothing but the configuration costs little: of the disk, and of the time.
@Suite struct SmallVersionTests {
    @Test func `it takes no more of the disk than its own small files and 64 KiB`() async throws {
        let scratch = try Scratch()
        let script = """
            recipe() { printf 'apiVersion: ksbuild/v1\\nhostname: edge-%s\\npackages: [iptables]\\n' $1 >ksbuild.yaml; }
            used() { du -s --block-size=1 out | cut -f1; }
            own() { cat out/bundles/$1/*.apkovl.tar.gz out/bundles/$1/*.cidata.iso out/bundles/$1/*.json \
                out/bundles/$1/SHA256SUMS out/store/verified | wc -c; }
            recipe 1; "$1" bundle --quiet --version 1.0.0 --mirror "$2"; first=$(used)
            recipe 2; "$1" bundle --quiet --version 1.1.0 --mirror "$2"; second=$(used)
            recipe 3; "$1" bundle --quiet --version 1.2.0 --mirror "$2" --no-medium; third=$(used)
            echo $first $((second - first - $(own 1.1.0))) $((third - second - $(own 1.2.0))) $(own 1.1.0)
            """
        let result = try await run(
            "bash", ["-euc", script, "bash", try Product.ksbuild.string, Product.mirror.string], in: scratch.path)
        try #require(result.succeeded, "\(result.errors)")
        let figures = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(figures.count == 4, "\(result.output)")
        #expect(figures[0] > 50 << 20, "\(result.output)")
        #expect(figures[3] < 512 << 10, "\(result.output)")
        #expect(figures[1] <= 64 << 10 && figures[2] <= 64 << 10, "\(result.output)")
    }

    @Test func `media that were not composed with the bundle come out the same, and nothing is said to vouch for them`()
        async throws
    {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\nhostname: edge-001\npackages: [iptables]\n")
        let script = """
            "$1" bundle --quiet --version 1.0.0 --mirror "$2" --no-medium
            "$1" bundle --quiet --version 1.0.0 --mirror "$2" --out other
            "$1" medium 1.0.0 -o boot.iso; "$1" medium 1.0.0 --seed -o seed.iso
            for file in boot.iso seed.iso; do
                grep -c "$(sha256sum $file | cut -d' ' -f1)" out/bundles/1.0.0/manifest.json other/bundles/1.0.0/manifest.json || true
            done
            "$1" verify --quiet 1.0.0; "$1" verify --quiet 1.0.0 --out other
            "$1" medium --quiet 1.0.0 --out other; ls other
            "$1" bundle --version 1.0.0 --mirror "$2"
            bsdtar -xOf seed.iso ksbuild/kubesolo | cmp - out/bundles/1.0.0/*.kubesolo
            bsdtar -xOf seed.iso edge-001.apkovl.tar.gz | cmp - out/bundles/1.0.0/*.apkovl.tar.gz
            blkid -p -o value -s LABEL seed.iso
            """
        let result = try await run(
            "bash", ["-euc", script, "bash", try Product.ksbuild.string, Product.mirror.string], in: scratch.path)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.errors.split(separator: "\n").filter { $0.contains("nothing vouches for") }.count == 2)
        let counts = result.output.split(separator: "\n").filter { $0.contains("manifest.json:") }
        #expect(
            counts.map { $0.suffix(1) } == ["0", "1", "0", "1"], "\(result.output)")
        #expect(result.output.contains("kubesolo-1.0.0-x86_64.iso"), "\(result.output)")
        #expect(result.output.contains("identical, nothing changed"), "\(result.output)")
        #expect(result.output.hasSuffix("cidata\n"), "\(result.output)")
        let refused = try await ksbuild("medium", "--seed", in: scratch.path)
        #expect(refused.exitCode == 64 && refused.errors.contains("--seed goes with a bundle"), "\(refused.errors)")
    }

    @Test func `inputs that were read before are not read again, and a paranoid build reads them`() async throws {
        let scratch = try Scratch()
        let script = """
            cp "$2"/alpine/v3.23/releases/x86_64/alpine-virt-*.iso a.iso
            cp "$3"/kubesolo/v1.2.2/kubesolo-v1.2.2-linux-amd64-musl-offline.tar.gz k.tar.gz; sleep 0.1
            build() {
                printf 'apiVersion: ksbuild/v1\\nhostname: edge-%s\\n' $2 >ksbuild.yaml
                sh -ec '"$@" --iso a.iso --kubesolo k.tar.gz; sed -n "s/rchar: //p" /proc/$$/io' sh \
                    "$1" bundle --quiet --no-medium --version "$2" $3
                grep -e kubesolo$ -e alpine out/bundles/$2/SHA256SUMS | cut -c1-64 >$2
            }
            stat -c %s a.iso; build "$1" 1.0.0 ''; build "$1" 1.1.0 ''; build "$1" 1.2.0 --paranoid
            cmp 1.0.0 1.1.0; cmp 1.0.0 1.2.0
            """
        let result = try await run(
            "bash",
            ["-euc", script, "bash", try Product.ksbuild.string, Product.mirror.string, Product.lab.string],
            in: scratch.path)
        try #require(result.succeeded, "\(result.errors)")
        let bytes = result.output.split(separator: "\n").compactMap { Int($0) }
        try #require(bytes.count == 4, "\(result.output)")
        #expect(bytes[1] > bytes[0] && bytes[2] < bytes[0] / 2 && bytes[3] > bytes[0], "\(bytes)")
    }
}
