import Artefact
import SystemPackage
import TestSupport
import Testing

/// What `inspect` says of media, and each trap that it knows.
@Suite struct InspectMediaTests {
    static let traps = [
        MediumCase("nothing to say", [], ""),
        MediumCase("an overlay in the root", [], "overlay tree/node.apkovl.tar.gz openssh"),
        MediumCase(
            "two overlays", ["several-overlays"],
            "overlay tree/a.apkovl.tar.gz openssh; overlay tree/b.apkovl.tar.gz openssh"),
        MediumCase(
            "a checksum that is taken for an overlay", ["several-overlays", "overlay-suffix"],
            "overlay tree/a.apkovl.tar.gz openssh; (cd tree; sha256sum *.gz >a.apkovl.tar.gz.sha256)"),
        MediumCase(
            "an overlay in a directory", ["overlay-in-directory"],
            "mkdir tree/conf; overlay tree/conf/a.apkovl.tar.gz openssh"),
        MediumCase(
            "an older overlay in a directory beside the one in the root", [],
            "mkdir tree/old; overlay tree/old/a.apkovl.tar.gz; overlay tree/a.apkovl.tar.gz openssh"),
        MediumCase(
            "an overlay in capitals", ["overlay-letters"], "overlay tree/A.APKOVL.TAR.GZ openssh"),
        MediumCase(
            "plain names", ["plain-names", "repository-without-index"],
            "rm -r tree/boot tree/.alpine-release; overlay tree/a.apkovl.tar.gz",
            image: "-iso-level 3 -V ALPINE --norock"),
        MediumCase("an unsigned repository", ["repository-unsigned"], "index tree/apks/x86_64 unsigned"),
        MediumCase(
            "a repository without an index", ["repository-without-index"], "rm tree/apks/x86_64/APKINDEX.tar.gz"),
        MediumCase(
            "an index that is none", ["repository-index"], "echo x >tree/apks/x86_64/APKINDEX.tar.gz"),
        MediumCase(
            "a package that is not there", ["package-file-missing"], "rm tree/apks/x86_64/openssh-1.apk"),
        MediumCase(
            "a package of another size", ["package-file-missing"], "echo more >>tree/apks/x86_64/openssh-1.apk"),
        MediumCase(
            "a repository that is too deep", ["repository-too-deep"],
            "mkdir -p tree/a/b; mv tree/apks tree/a/b/apks"),
        MediumCase(
            "a repository that keeps no medium mounted", ["repository-not-mounted"],
            "mkdir -p tree/a; mv tree/apks tree/a/apks"),
        MediumCase(
            "a repository two levels down beside an overlay", [],
            "mkdir -p tree/a; mv tree/apks tree/a/apks; overlay tree/a.apkovl.tar.gz openssh"),
        MediumCase(
            "a second medium that ends the search", ["scan-ends-early"],
            "rm -r tree/boot tree/.alpine-release; overlay tree/a.apkovl.tar.gz openssh"),
        MediumCase(
            "a modloop of another kernel", ["modloop-of-another-kernel"], "modloop 6.12.1-0-virt tree/boot/modloop-virt"
        ),
        MediumCase("a modloop of two kernels", [], "modloop 6.12.1-0-virt tree/boot/modloop-lts"),
        MediumCase("a modloop that is none", ["modloop"], "echo x >tree/boot/modloop-virt"),
        MediumCase("no modloop", ["modloop-missing"], "rm tree/boot/modloop-virt"),
        MediumCase(
            "an initramfs of another kernel", ["initramfs-of-another-kernel"],
            "initramfs 6.12.1-0-virt tree/boot/initramfs-virt"),
        MediumCase(
            "an initramfs that ends early", ["initramfs"],
            "truncate -s -9 tree/boot/initramfs-virt"),
        MediumCase(
            "a boot file that is missing", ["boot-file-missing"],
            "sed -i 's/initramfs-virt/initramfs-lts/' tree/boot/syslinux/syslinux.cfg"),
        MediumCase(
            "apkovl= that no initrd holds", ["overlay-not-in-initrd"],
            "sed -i 's/quiet/apkovl=\\/a.apkovl.tar.gz/' tree/boot/syslinux/syslinux.cfg"),
        MediumCase(
            "apkovl= on a disk", [],
            "sed -i 's/quiet/apkovl=\\/dev\\/vda:a.apkovl.tar.gz/' tree/boot/syslinux/syslinux.cfg"),
        MediumCase(
            "apkovl= in one entry of two", ["overlay-by-entry"],
            """
            printf '%s\n' 'LABEL two' ' KERNEL /boot/vmlinuz-virt' ' INITRD /boot/initramfs-virt' \
                ' APPEND apkovl=/dev/vda:a.apkovl.tar.gz' >>tree/boot/syslinux/syslinux.cfg
            """),
        MediumCase("another label", ["label"], "", image: "-R -J -V OTHER"),
    ]

    @Test(arguments: traps)
    func `a trap is told, and nothing else`(_ medium: MediumCase) async throws {
        let scratch = try Scratch()
        try await medium.make(in: scratch)
        let (rules, text, exitCode) = try await medium.inspect(in: scratch)
        #expect(rules == medium.rules, "\(text)")
        #expect(exitCode == 1 || medium.rules.isEmpty)
    }

    @Test func `the overlay that an initrd holds is the one that is judged`() async throws {
        let scratch = try Scratch()
        let medium = MediumCase(
            "", [],
            """
            overlay tree/other.apkovl.tar.gz openssh; overlay node.apkovl.tar.gz openssh curl 'alpine-base>2'
            for name in vda kernel; do head -c 3000000 /dev/zero >$name; done
            printf '%s\n' vda node.apkovl.tar.gz kernel | cpio -o -H newc --quiet >tree/boot/node.img
            sed -i 's/quiet/apkovl=\\/node.apkovl.tar.gz/; s/initramfs-virt$/&,\\/boot\\/node.img/' \
                tree/boot/syslinux/syslinux.cfg
            """)
        try await medium.make(in: scratch)
        let (rules, text, _) = try await medium.inspect(in: scratch)
        #expect(rules == [])
        #expect(
            text.contains("init takes the overlay /node.apkovl.tar.gz, by its command line, out of boot/node.img\n"),
            "\(text)")
        for word in ["curl", "alpine-base>2"] {
            #expect(
                text.contains("error: node.apkovl.tar.gz: etc/apk/world: '\(word)' is in no repository"), "\(text)")
        }
        #expect(!text.contains("'openssh' is in no repository"))
    }

    @Test func `of several overlays the one that the directory lists first is named`() async throws {
        let scratch = try Scratch()
        let medium = MediumCase(
            "", ["several-overlays"],
            "for name in B a c; do overlay tree/$name.apkovl.tar.gz openssh; done")
        try await medium.make(in: scratch)
        let listed = try await run("isoinfo", ["-R", "-f", "-i", "medium.iso"], in: scratch.path)
        let first = try #require(listed.output.split(separator: "\n").first { $0.hasSuffix(".apkovl.tar.gz") })
        #expect(first == "/a.apkovl.tar.gz", "the order of the records is that of plain names")
        let (rules, text, _) = try await medium.inspect(in: scratch)
        #expect(rules == medium.rules)
        #expect(text.contains("init takes the overlay a.apkovl.tar.gz\n"), "\(text)")
    }

    @Test func `an overlay that cannot be unpacked is told`() async throws {
        let scratch = try Scratch()
        let medium = MediumCase("", ["overlay-unreadable"], "echo x >tree/a.apkovl.tar.gz")
        try await medium.make(in: scratch)
        let (rules, text, _) = try await medium.inspect(in: scratch)
        #expect(rules == medium.rules, "\(text)")
    }

    @Test func `Alpine's image with an overlay of ours is without fault`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let script = """
            "$1" overlay --quiet -o node.apkovl.tar.gz
            xorriso -indev "$2" -outdev medium.iso -boot_image any replay -map node.apkovl.tar.gz /node.apkovl.tar.gz
            """
        let image = Product.mirror.pushing("alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso")
        let made = try await run(
            "sh", ["-euc", script, "sh", try Product.ksbuild.string, image.string], in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        let told = try await ksbuild("inspect", "medium.iso", in: scratch.path)
        #expect(told.exitCode == 0, "\(told.output)")
        for line in [
            "release: alpine-virt-3.23.6 261015", "kernel: boot/vmlinuz-virt, 6.18.56-0-virt",
            "modules: boot/modloop-virt, for 6.18.56-0-virt", "  MBR: ordinary, boot code isohybrid",
            "init takes the overlay node.apkovl.tar.gz", "  host name: kubesolo",
        ] {
            #expect(told.output.contains(line + "\n"), "\(told.output)")
        }
        #expect(told.output.contains(#/repository: apks: apks/x86_64/APKINDEX.tar.gz, \d\d packages, signed by /#))
    }

    @Test(arguments: ["grub-rescue/grub-rescue-cdrom.iso", "ipxe/ipxe.iso", "memtest86+/memtest86+x64.iso"])
    func `nothing is found wrong with images that are none of Alpine's`(_ name: String) async throws {
        let told = try await ksbuild("inspect", "/usr/lib/" + name, in: "/")
        #expect(told.exitCode == 0, "\(told.output)")
        #expect(told.output.contains("  MBR: ordinary, boot code "))
    }

    @Test func `a seed of ours is without fault, and its overlay is taken`() async throws {
        let scratch = try Scratch()
        try scratch.file("ksbuild.yaml", "apiVersion: ksbuild/v1\n")
        let made = try await ksbuild("cidata", "--quiet", "--mirror", Product.mirror.string, in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        let told = try await ksbuild("inspect", "out/cidata.iso", in: scratch.path)
        #expect(told.exitCode == 0, "\(told.output)")
        #expect(told.output.contains("\ninit takes the overlay kubesolo.apkovl.tar.gz\n"), "\(told.output)")
    }

    @Test func `partition tables are told as sgdisk tells them, and their contradictions`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir tree; head -c 100000 /dev/zero >tree/efi.img
            xorriso -as mkisofs -quiet -R -e efi.img -no-emul-boot -efi-boot-part --efi-boot-image -o medium.iso tree
            cp medium.iso damaged.iso
            printf x | dd of=damaged.iso bs=1 seek=$((512 + 60)) conv=notrunc status=none
            """
        let made = try await run("sh", ["-euc", script], in: scratch.path)
        try #require(made.succeeded, "\(made.errors)")
        let told = try await ksbuild("inspect", "medium.iso", in: scratch.path)
        #expect(told.exitCode == 0)
        let listed = try await run("sgdisk", ["-p", "medium.iso"], in: scratch.path)
        let disk = listed.output.split(separator: "\n").first { $0.hasPrefix("Disk identifier (GUID): ") }
        let identifier = try #require(disk?.split(separator: " ").last, "\(listed)")
        #expect(told.output.contains("  GPT: disk \(identifier), backup in block "), "\(told.output)\(listed.output)")
        #expect(told.output.contains(" type C12A7328-F81F-11D2-BA4B-00A0C93EC93B 'EFI boot partition'\n"))
        let damaged = try await ksbuild("inspect", "damaged.iso", in: scratch.path)
        #expect(damaged.exitCode == 1)
        #expect(damaged.output.contains("the checksum of its header is wrong"), "\(damaged.output)")
    }
}
