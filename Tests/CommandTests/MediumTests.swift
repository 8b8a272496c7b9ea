import Artefact
import SystemPackage
import TestSupport
import Testing

/// The boot medium as a command makes it, of a recipe and of a bundle.
@Suite struct MediumTests {
    private static let recipe = """
        apiVersion: ksbuild/v1
        hostname: edge-001
        kubesolo: { release: v1.2.2 }
        kernel: { console: [tty0, ttyS0], parameters: [mitigations=off] }

        """

    private static let words =
        "apkovl=/edge-001.apkovl.tar.gz console=tty0 console=ttyS0,115200 panic=10 mitigations=off"

    @Test func `it is Alpine's image, and what a node needs besides is on it`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", Self.recipe)
        let made = try await ksbuild("medium", "--quiet", "--mirror", Product.mirror.string, in: scratch.path)
        try #require(made.succeeded && made.output.isEmpty, "\(made.errors)")
        let script = """
            iso=out/kubesolo-x86_64.iso; alpine=$(ls "$1"/alpine/v3.23/releases/x86_64/*.iso)
            bsdtar -xOf $iso boot/syslinux/syslinux.cfg boot/grub/grub.cfg
            bsdtar -xOf $iso ksbuild/overlay.cpio >o.cpio; cpio --quiet -tv <o.cpio | cut -d' ' -f1
            cpio --quiet -i --to-stdout <o.cpio | cmp - <(bsdtar -xOf $iso edge-001.apkovl.tar.gz) && echo same
            bsdtar -xOf $iso ksbuild/kubesolo | sha256sum | cut -c1-8
            for name in boot/vmlinuz-virt boot/modloop-virt efi/boot/bootx64.efi; do
                cmp <(bsdtar -xOf $iso $name) <(bsdtar -xOf $alpine $name)
            done
            xorriso -indev $alpine -report_el_torito plain 2>/dev/null >a; xorriso -indev $iso -report_el_torito plain 2>/dev/null >b
            cmp a b && echo bootable
            """
        let found = try await run("bash", ["-euc", script, "bash", Product.mirror.string], in: scratch.path)
        #expect(found.succeeded, "\(found.errors)")
        let lines = found.output.split(separator: "\n").map(String.init)
        #expect(lines.filter { $0.hasSuffix("quiet " + Self.words) }.count == 2, "\(found.output)")
        #expect(lines.contains("\tINITRD /boot/initramfs-virt,/ksbuild/overlay.cpio"), "\(found.output)")
        #expect(lines.contains("\tinitrd\t/boot/initramfs-virt /ksbuild/overlay.cpio"), "\(found.output)")
        #expect(lines.contains("-rw-------") && lines.contains("same") && lines.contains("bootable"), "\(found.output)")
    }

    @Test func `a bundle's medium is composed again byte for byte, and verify tells one that is not`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", Self.recipe)
        let made = try await ksbuild(
            "bundle", "--version", "1.0.0", "--mirror", Product.mirror.string, in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        #expect(made.errors.contains("kernel.parameters: only the boot medium has them"), "\(made.errors)")
        let first = try await ksbuild("medium", "1.0.0", in: scratch.path)
        try #require(first.succeeded, "\(first.errors)")
        let manifest = String(
            decoding: try HostFile.read(scratch.path.pushing("out/bundles/1.0.0/manifest.json"), limit: 1 << 20),
            as: UTF8.self)
        let file = scratch.path.pushing("out/kubesolo-1.0.0-x86_64.iso")
        #expect(manifest.contains("\"sha256\" : \"\(try Digest(ofFile: file))\""))
        #expect(try HostFile.names(in: scratch.path.appending("out")).filter { $0.hasPrefix(".") } == [])
        let good = try await ksbuild("verify", "1.0.0", in: scratch.path)
        #expect(good.exitCode == 0, "\(good.errors)")
        let script = """
            cp -r out/bundles/1.0.0 other; chmod u+w other other/*
            sed -i 's/"panic=10"/"panic=11"/' other/manifest.json
            sed -i '/manifest.json/d' other/SHA256SUMS; (cd other; sha256sum manifest.json >>SHA256SUMS; sort -k2 -o SHA256SUMS SHA256SUMS; chmod a-w *; chmod a-w .)
            """
        let changed = try await run("bash", ["-euc", script], in: scratch.path)
        try #require(changed.succeeded, "\(changed.errors)")
        let bad = try await ksbuild("verify", "other", in: scratch.path)
        #expect(bad.exitCode == 1 && bad.errors.contains("is composed to SHA-256"), "\(bad.output)\(bad.errors)")
        let refused = try await ksbuild("medium", "other", "-o", "m.iso", in: scratch.path)
        #expect(refused.exitCode == 65 && !HostFile.exists(scratch.path.appending("m.iso")), "\(refused.errors)")
    }

    @Test func `a seed image cannot carry kernel parameters, and says so`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", Self.recipe)
        let refused = try await ksbuild("cidata", in: scratch.path)
        #expect(refused.exitCode == 65 && refused.errors.contains("kernel.parameters"), "\(refused.errors)")
        let alone = try await ksbuild("cidata", "--seed-only", "--quiet", in: scratch.path)
        #expect(alone.exitCode == 0, "\(alone.errors)")
    }

    @Test func `a medium with a secret is its owner's, and no input is overwritten`() async throws {
        let scratch = try Scratch()
        let lab = Product.lab.pushing("keys/id_ed25519")
        try scratch.file(
            "ksbuild.yaml", Self.recipe + "access: { hostKeys: \"file:\(lab)\" }\n")
        let made = try await ksbuild("medium", "--quiet", "--mirror", Product.mirror.string, in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        #expect(try HostFile.status(of: scratch.path.pushing("out/kubesolo-x86_64.iso")).mode == .secret)
        let refused = try await ksbuild(
            "medium", "--mirror", Product.mirror.string, "-o", "ksbuild.yaml", in: scratch.path)
        #expect(refused.exitCode == 64 && refused.errors.contains("is an input"), "\(refused.errors)")
    }

    @Test func `packages that the image lacks travel on seed, medium and bundle, and the plan says where from`()
        async throws
    {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\npackages: [iptables, nftables]\n")
        let mirror = Product.mirror.string
        let plan = try await ksbuild("plan", "--mirror", mirror, in: scratch.path)
        #expect(plan.output.contains(#/nftables-1\S+ +\d+ +main of \S+ +world: nftables/#), "\(plan.errors)")
        #expect(plan.output.contains(#/chrony-openrc-\S+ +\d+ +alpine-virt-\S+ +with openrc and chrony=/#))
        let made = try await ksbuild("bundle", "--quiet", "--version", "1.0.0", "--mirror", mirror, in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        let script = """
            cd out; "$1" medium 1.0.0 --out . --quiet -o m.iso
            rm -rf x; mkdir x; bsdtar -xf m.iso -C x ksbuild/main; ls -A x/ksbuild/main x/ksbuild/main/x86_64 | tr '\\n' ' '; echo
            "$1" medium 1.0.0 --out . --quiet --seed -o s.iso; isoinfo -d -i s.iso | grep '^Volume id'
            for image in m.iso s.iso bundles/1.0.0/*.packages.tar; do
                bsdtar -xOf $image ksbuild/main/x86_64/APKINDEX.tar.gz | cmp - "$2"/alpine/v3.23/main/x86_64/APKINDEX.tar.gz
            done
            cmp <(bsdtar -tf s.iso 'ksbuild/main/x86_64/*.apk') <(bsdtar -tf bundles/1.0.0/*.packages.tar '*.apk')
            bsdtar -tf s.iso | grep -c 'ksbuild/main/x86_64/.*apk'
            """
        let found = try await run(
            "bash", ["-euc", script, "bash", try Product.ksbuild.string, mirror], in: scratch.path)
        #expect(found.succeeded, "\(found.errors)")
        #expect(
            found.output.matches(
                of: #/\.boot_repository x86_64  x\S+: APKINDEX.tar.gz iptables-\S+.apk nftables-\S+.apk \n/#
            ).count == 1, "\(found.output)")
        // Beside the image a repository holds all that the node takes of what its index lists.
        let count = found.output.split(separator: "\n").last.flatMap { Int($0) }
        #expect(count ?? 0 > 40, "\(found.output)")
        let inspected = try await ksbuild("inspect", "out/m.iso", in: scratch.path)
        #expect(inspected.exitCode == 0, "\(inspected.output)\(inspected.errors)")
    }

    @Test func `packages of one's own travel with an index that the node believes`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir keys packages; "$1" keygen --quiet -o keys mine
            cp "$2"/alpine/v3.23/main/x86_64/nftables-*.apk packages/mine.apk
            printf 'apiVersion: ksbuild/v1\\npackages: [nftables]\\nownPackages: { directory: packages, key: keys/mine.rsa }\\n' >ksbuild.yaml
            iso=$(ls "$2"/alpine/v3.23/releases/x86_64/*.iso); solo=$(ls "$3"/kubesolo/v1.2.2/*-amd64-musl-offline.tar.gz)
            "$1" bundle --quiet --version 1.0.0 --iso $iso --kubesolo $solo; "$1" medium --quiet 1.0.0 -o m.iso
            mkdir x; bsdtar -xf m.iso -C x; tar -xzOf out/bundles/1.0.0/*.apkovl.tar.gz etc/apk/keys/mine.rsa.pub | cmp - keys/mine.rsa.pub
            ls x/ksbuild/own/x86_64; stat -c %a keys/mine.rsa; grep -rlF "$(sed -n 2p keys/mine.rsa)" x out || echo "no private key"
            """
        let made = try await run(
            "bash",
            [
                "-euc", script, "bash", try Product.ksbuild.string, Product.mirror.string, Product.lab.string,
            ], in: scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        #expect(made.output.contains("APKINDEX.tar.gz\nnftables-"), "\(made.output)")
        #expect(made.output.hasSuffix("600\nno private key\n"), "\(made.output)")
    }

    @Test func `a package that nobody has is told with the shortest way to it`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\npackages: [nftabels]\n")
        let result = try await ksbuild(
            "bundle", "--version", "1.0.0", "--mirror", Product.mirror.string, in: scratch.path)
        #expect(result.exitCode == 65 && result.errors.contains("nftabels"), "\(result.errors)")
        #expect(result.errors.contains("nftables"), "\(result.errors)")
    }
}
