import Artefact
import Bundle
import BundleSamples
import SystemPackage
import TestSupport
import Testing

/// `publish --netboot`: what a web server offers, for whom, and what is refused.
@Suite struct NetbootCommandTests {
    /// Runs a script in a folder with a layer and recipes of a node and of a fleet.
    private func run(_ script: String) async throws -> ProgramResult {
        let scratch = try Scratch()
        let preparation = """
            k() { "$KSBUILD" "$@"; }
            says() { set +e; "$@"; echo "exit $?"; set -e; }
            build() { k bundle --quiet --no-medium --mirror "$MIRROR" "$@"; }
            lay() { k publish --netboot srv --url http://192.0.2.9/ksbuild "$@"; }
            tree() { (cd "$1"; find . -type f -exec sha256sum {} + | sort); }
            printf 'apiVersion: ksbuild/v1\\nname: edge\\n' | tee one.yaml >fleet.yaml
            cat >>fleet.yaml <<'RECIPE'
            nodes:
              a: { mac: 52:54:00:12:34:01 }
              b: { mac: 52:54:00:12:34:02, uuid: 01234567-89ab-cdef-0123-456789abcdef, hostname: bee }
            RECIPE
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: [
                "KSBUILD": try Product.ksbuild.string, "MIRROR": Product.mirror.string, "TMPDIR": scratch.path.string,
            ])
    }

    private func codes(_ result: ProgramResult) -> [Int] {
        result.output.split(separator: "\n").compactMap { $0.hasPrefix("exit ") ? Int($0.dropFirst(5)) : nil }
    }

    @Test func `words for the kernel that iPXE would take for its own are refused`() async throws {
        let result = try await run(
            """
            for word in 'a=${net0/ip}' '||' '&&'; do
                sed "\\$ a kernel: { parameters: ['$word'] }" one.yaml >word.yaml
                rm -rf out; build --recipe word.yaml --version 1.0.0
                says lay 1.0.0; test ! -e srv
            done
            sed '$ a kernel: { parameters: ["a=$net0", "b=|"] }' one.yaml >word.yaml
            rm -rf out; build --recipe word.yaml --version 1.0.0
            says lay 1.0.0; grep -c 'a=$net0 b=|' srv/boot.ipxe
            """)
        #expect(codes(result) == [65, 65, 65, 0], "\(result)")
        #expect(result.errors.contains("tells its kernel 'a=${net0/ip}', which iPXE would take for its own"))
        #expect(result.output.hasSuffix("exit 0\n1\n"), "\(result.output)")
    }

    @Test func `each node finds its own overlay, and the same again changes nothing`() async throws {
        let result = try await run(
            """
            build --recipe fleet.yaml --version 1.0.0
            lay 1.0.0; find srv -type f -printf '%P\\n' | grep -v /apks/ | sort
            tar -xzOf srv/1.0.0/overlays/52:54:00:12:34:02.apkovl.tar.gz etc/hostname
            cmp srv/1.0.0/overlays/52:54:00:12:34:02.apkovl.tar.gz \\
                srv/1.0.0/overlays/01234567-89ab-cdef-0123-456789abcdef.apkovl.tar.gz
            cmp srv/1.0.0/overlays/52:54:00:12:34:01.apkovl.tar.gz out/bundles/1.0.0/nodes/a/*.apkovl.tar.gz
            mkdir first; (cd first; for of in '52:54:00:12:34:01' 01234567-89ab-cdef-0123-456789abcdef; do
                cpio --quiet -idu <"../srv/1.0.0/overlays/$of.cpio"; ls; cmp *.gz "../srv/1.0.0/overlays/$of.apkovl.tar.gz"
            done)
            cmp srv/1.0.0/kubesolo out/bundles/1.0.0/*.kubesolo
            tree srv >before; lay 1.0.0; tree srv | diff before -
            build --recipe fleet.yaml --version 1.1.0; lay 1.1.0 --quiet; sed -n 3p srv/boot.ipxe
            lay 1.0.0 --quiet; tree srv | grep -v /1.1.0/ | diff before -
            build --recipe one.yaml --version 2.0.0; lay 2.0.0 | tail -n 1; ls srv/2.0.0/overlays
            ls -A srv
            """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(
            result.output == """
                srv/1.0.0: written, 3 overlays
                  boot: http://192.0.2.9/ksbuild/boot.ipxe
                1.0.0/initramfs-virt
                1.0.0/kubesolo
                1.0.0/modloop-virt
                1.0.0/overlays/01234567-89ab-cdef-0123-456789abcdef.apkovl.tar.gz
                1.0.0/overlays/01234567-89ab-cdef-0123-456789abcdef.cpio
                1.0.0/overlays/52:54:00:12:34:01.apkovl.tar.gz
                1.0.0/overlays/52:54:00:12:34:01.cpio
                1.0.0/overlays/52:54:00:12:34:02.apkovl.tar.gz
                1.0.0/overlays/52:54:00:12:34:02.cpio
                1.0.0/vmlinuz-virt
                boot-by-uuid.ipxe
                boot.ipxe
                bee
                ksbuild.apkovl.tar.gz
                ksbuild.apkovl.tar.gz
                srv/1.0.0: identical, 3 overlays
                  boot: http://192.0.2.9/ksbuild/boot.ipxe
                set base http://192.0.2.9/ksbuild/1.1.0
                  boot: http://192.0.2.9/ksbuild/boot.ipxe
                node.apkovl.tar.gz
                node.cpio
                1.0.0
                1.1.0
                2.0.0
                boot.ipxe

                """, "\(result.output)")
    }

    @Test func `one script finds every node by what it is known by`() async throws {
        let result = try await run(
            """
            sed -i 's/mac: .*:02, uuid/uuid/' fleet.yaml; build --recipe fleet.yaml --version 1.0.0; lay 1.0.0 --quiet
            ls srv/1.0.0/overlays
            for script in boot boot-by-uuid; do grep -E '^(imgfetch|chain)' srv/$script.ipxe; done
            sed -i '/^  a:/d' fleet.yaml; build --recipe fleet.yaml --version 1.1.0; lay 1.1.0 --quiet; cat srv/boot.ipxe
            """)
        let byUUID = "imgfetch --name overlay ${base}/overlays/${uuid}.cpio && goto found ||"
        let words =
            "initrd=overlay initrd=initramfs-virt ip=${ip}::${gateway}:${netmask}:::none:${dns} BOOTIF=01-${mac:hexhyp}"
            + " alpine_repo=${base}/apks modloop=${base}/modloop-virt ksbuild.kubesolo=${base}/kubesolo"
            + " apkovl=/ksbuild.apkovl.tar.gz console=tty0 console=ttyS0,115200 panic=10"
        #expect(
            result.output == """
                01234567-89ab-cdef-0123-456789abcdef.apkovl.tar.gz
                01234567-89ab-cdef-0123-456789abcdef.cpio
                52:54:00:12:34:01.apkovl.tar.gz
                52:54:00:12:34:01.cpio
                imgfetch --name overlay ${base}/overlays/${mac}.cpio && goto found ||
                \(byUUID)
                chain --replace http://192.0.2.9/ksbuild/boot.ipxe || goto start
                \(byUUID)
                chain --replace http://192.0.2.9/ksbuild/boot-by-uuid.ipxe || goto start
                #!ipxe
                # edge 1.1.0
                set base http://192.0.2.9/ksbuild/1.1.0
                :start
                isset ${ip} || dhcp || goto failed
                \(byUUID)
                echo edge 1.1.0: ${base}/overlays has none for this machine, ${uuid}; it is not started without.
                goto again
                :found
                kernel ${base}/vmlinuz-virt \(words) || goto failed
                initrd ${base}/initramfs-virt || goto failed
                boot || goto failed
                :failed
                echo edge 1.1.0 cannot be booted from ${base}.
                :again
                imgfree
                echo Trying again in 30 s; Ctrl-C ends this.
                sleep 30 || exit 1
                chain --replace http://192.0.2.9/ksbuild/boot.ipxe || goto start

                """, "\(result)")
    }

    @Test func `the same version under another address changes the scripts alone`() async throws {
        let result = try await run(
            """
            build --recipe fleet.yaml --version 1.0.0; lay 1.0.0 --quiet; tree srv/1.0.0 >before
            # What an earlier ksbuild has left in there.
            cp srv/*.ipxe srv/1.0.0
            k publish --netboot srv --url http://192.0.2.10/other 1.0.0
            rm srv/1.0.0/*.ipxe; tree srv/1.0.0 | diff before -; grep -h ^set.base srv/*.ipxe; grep -rl 192.0.2.9 srv || :
            mv srv/1.0.0/kubesolo k; says lay 1.0.0; mv k srv/1.0.0/kubesolo
            echo x >srv/1.0.0/overlays/more; says lay 1.0.0
            """)
        #expect(codes(result) == [73, 73], "\(result)")
        #expect(
            result.output.hasPrefix(
                """
                srv/1.0.0: identical, 3 overlays
                  boot: http://192.0.2.10/other/boot.ipxe
                set base http://192.0.2.10/other/1.0.0
                set base http://192.0.2.10/other/1.0.0
                exit
                """), "\(result)")
        for what in ["lacks 'kubesolo'", "has 'overlays/more'"] {
            #expect(result.errors.contains("holds another content (it \(what)); a published version"), "\(result)")
        }
    }

    @Test func `a version that is there with other content stays, and so does what cannot boot`() async throws {
        let result = try await run(
            """
            build --recipe one.yaml --version 1.0.0; lay 1.0.0 --quiet
            echo x >>srv/1.0.0/modloop-virt; tree srv >before; says lay 1.0.0; tree srv | diff before -
            sed -i 's/mac: .*:02, uuid: [^,]*, //' fleet.yaml; build --recipe fleet.yaml --version 1.1.0; says lay 1.1.0
            mkdir -p site/etc; (umask 077; echo x >site/etc/token); echo 'layers: [site]' >>one.yaml
            build --recipe one.yaml --version 1.2.0; says lay 1.2.0
            says lay 9.9.9
            ls -A srv; lay 1.2.0 --quiet --allow-secrets; ls -A srv
            """)
        #expect(codes(result) == [73, 65, 77, 66], "\(result.output)\(result.errors)")
        #expect(result.succeeded && result.output.hasSuffix("\n1.0.0\nboot.ipxe\n1.0.0\n1.2.0\nboot.ipxe\n"))
        let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("ksbuild: ") }
        let words = [
            "ksbuild: srv/1.0.0: holds another content (it has another 'modloop-virt'); a published",
            "cannot be told apart over the network (b); give each 'mac'",
            "ksbuild: version 1.2.0: holds secrets", "version 9.9.9",
        ]
        #expect(errors.count == words.count, "\(errors)")
        for (error, word) in zip(errors, words) { #expect(error.contains(word)) }
    }

    @Test func `a flavour whose initramfs has no drivers for network cards is refused`() async throws {
        let workshop = try Workshop()
        var stage = try Samples.stage("1.0.0", iso: workshop.iso)
        stage.description.alpine.flavor = "standard"
        let bundle = try workshop.store.publish(stage).path
        let result = try await ksbuild(
            "publish", "--netboot", "srv", "--url", "http://192.0.2.9", bundle.string, in: workshop.scratch.path)
        #expect(result.exitCode == 65)
        #expect(result.errors.contains("is of Alpine's flavour standard, whose initramfs has no drivers"))
        #expect(!HostFile.exists(workshop.scratch.path.appending("srv")))
    }

    @Test(arguments: [
        "https://192.0.2.9", "192.0.2.9/x", "http://", "ftp://192.0.2.9", "http://192.0.2.9/a b",
        "http://h/${net0/mac}",
        "http://h/a\"b", "http://h/a#b", "http://h/a?b&c", "http://h/ü", "",
    ])
    func `an address that a node cannot fetch from is a usage error`(url: String) async throws {
        let workshop = try Workshop()
        let bundle = try workshop.store.publish(Samples.stage("1.0.0", iso: workshop.iso)).path
        let result = try await ksbuild(
            "publish", "--netboot", "srv", "--url", url, bundle.string, in: workshop.scratch.path)
        #expect(result.exitCode == 64, "\(result.errors)")
        #expect(result.errors.hasPrefix("ksbuild: --url: takes the address under which"), "\(result.errors)")
        #expect(!HostFile.exists(workshop.scratch.path.appending("srv")))
    }

    @Test(arguments: [
        ["--netboot", "srv"], ["--url", "http://h"], ["--netboot", "srv", "--url", "http://h", "--json"],
        ["--netboot", "srv", "--url", "http://h", "--tag", "x"],
        ["--netboot", "srv", "--url", "http://h", "dir:x", "1.0.0"],
    ])
    func `options that do not go together are usage errors`(words: [String]) async throws {
        let scratch = try Scratch()
        let result = try await TestSupport.run(
            try Product.ksbuild.string, ["publish"] + words, in: scratch.path)
        #expect(result.exitCode == 64, "\(result.errors)")
    }
}
