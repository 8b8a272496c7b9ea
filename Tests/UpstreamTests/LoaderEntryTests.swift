import Testing

@testable import Upstream

/// The configurations of boot loaders.
@Suite struct LoaderEntryTests {
    static func read(_ text: String, _ source: String) -> [String] {
        LoaderEntry.read(text, source.hasSuffix("grub.cfg") ? .grub : .syslinux, source: source).map { entry in
            "\(entry.title)|\(entry.kernel)|\(entry.initrds.joined(separator: ","))|\(entry.parameters.joined(separator: " "))"
        }
    }

    @Test func `SYSLINUX's keywords have any case, and APPEND before the labels is for all`() {
        let text = """
            # a comment
            append root=here
            DEFAULT one
            Label one
              menu label The first
              Kernel /boot/vmlinuz
              Initrd /boot/a.img , /boot/b.img
            LABEL two
            \tLINUX /boot/other
            \tAPPEND\tinitrd=/a,/b  quiet apkovl=/x apkovl=/y
            LABEL three
              KERNEL memdisk
              APPEND -
            LABEL none
              LOCALBOOT 0
            """
        #expect(
            Self.read(text, "boot/syslinux/syslinux.cfg") == [
                "one|/boot/vmlinuz|/boot/a.img,/boot/b.img|root=here",
                "two|/boot/other|/a,/b|initrd=/a,/b quiet apkovl=/x apkovl=/y", "three|memdisk||",
            ])
        let entries = LoaderEntry.read(text, .syslinux, source: "isolinux.cfg")
        #expect(entries.map { $0.value(of: "apkovl") } == [nil, "/y", nil])
    }

    @Test func `GRUB's words have quotes, lines go on, and entries nest`() {
        let text = #"""
            set timeout=1 # a comment
            submenu 'More "choices"' {
              menuentry "Linux virt" --class alpine {
                linux /boot/vmlinuz-virt modules=loop,squashfs \
                    quiet "apkovl=/a b" # no comment of the kernel's
                initrd /boot/initramfs-virt /boot/node.img
              }
              menuentry 'EFI' { linuxefi /k
              initrdefi /i; }
            }
            linux /outside a
            """#
        #expect(
            Self.read(text, "boot/grub/grub.cfg") == [
                "Linux virt|/boot/vmlinuz-virt|/boot/initramfs-virt,/boot/node.img|modules=loop,squashfs quiet apkovl=/a b",
                "EFI|/k|/i|", "|/outside||a",
            ])
    }

    @Test func `any text is read to its end`() {
        for text in [
            "", "\n", "LABEL", "APPEND", "\"", "'", "{", "}", "\\", "menuentry", "linux", "LABEL a\nKERNEL", "\u{0}",
        ] {
            #expect(Self.read(text, "grub.cfg").allSatisfy { $0.hasPrefix("|") })
            #expect(Self.read(text, "syslinux.cfg").allSatisfy { $0.hasSuffix("|||") || $0.hasSuffix("||") })
        }
    }
}
