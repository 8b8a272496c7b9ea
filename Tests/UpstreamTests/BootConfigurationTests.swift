import Testing
import Upstream

/// The boot loaders' configurations, edited as text.
@Suite struct BootConfigurationTests {
    private func edited(
        _ text: String, _ dialect: BootConfiguration.Dialect, _ arguments: [String] = ["apkovl=/a", "console=ttyS0"]
    ) throws -> String {
        let configuration = try BootConfiguration(Array(text.utf8), dialect: dialect, named: "test.cfg")
        return String(decoding: try configuration.adding(arguments: arguments, initrd: "/k/o.cpio"), as: UTF8.self)
    }

    @Test func `Alpine's syslinux configuration gains words and an archive, and keeps every other byte`() throws {
        let text = """
            SERIAL 0 115200
            TIMEOUT 10
            PROMPT 1
            DEFAULT virt

            LABEL virt
            \tMENU LABEL Linux virt
            \tKERNEL /boot/vmlinuz-virt
            \tINITRD /boot/initramfs-virt
            \tFDTDIR /boot/dtbs-virt
            \tAPPEND modules=loop,squashfs quiet \u{20}

            LABEL disk
            \tLOCALBOOT 0x80

            """
        let wanted =
            text
            .replacing("initramfs-virt\n", with: "initramfs-virt,/k/o.cpio\n")
            .replacing("squashfs quiet  \n", with: "squashfs quiet apkovl=/a console=ttyS0  \n")
        #expect(try edited(text, .syslinux) == wanted)
    }

    @Test func `whatever form a label has, each kernel gets both`() throws {
        let text = """
            append common=1
            label a
              linux /a
              append initrd=/one,/two quiet
            label b
              KERNEL /b
            label c
              kernel /c
              append -
            label menu
              kernel vesamenu.c32
              append other
            """
        let wanted = """
            append common=1
            label a
              linux /a
              append initrd=/one,/two,/k/o.cpio quiet apkovl=/a console=ttyS0
            label b
              KERNEL /b
              INITRD /k/o.cpio
              APPEND common=1 apkovl=/a console=ttyS0
            label c
              kernel /c
              INITRD /k/o.cpio
              APPEND apkovl=/a console=ttyS0
            label menu
              kernel vesamenu.c32
              append other
            """
        #expect(try edited(text, .syslinux) == wanted)
    }

    @Test func `lines that end in a carriage return go on doing so`() throws {
        let text = "LABEL a\r\n KERNEL /a\r\n APPEND quiet\r\n INITRD /i\r\n"
        #expect(
            try edited(text, .syslinux)
                == "LABEL a\r\n KERNEL /a\r\n APPEND quiet apkovl=/a console=ttyS0\r\n INITRD /i,/k/o.cpio\r\n")
    }

    @Test func `GRUB's configuration gains words and an archive in every entry`() throws {
        let text = """
            set timeout=1
            menuentry "Linux virt" {
            linux\t/boot/vmlinuz-virt quiet \\
                more
            initrd\t/boot/initramfs-virt \u{20}
            }
            menuentry 'two' --id x {
              linux ($root)/vmlinuz
            }
            menuentry other { chainloader /x }

            """
        let wanted = """
            set timeout=1
            menuentry "Linux virt" {
            linux\t/boot/vmlinuz-virt quiet \\
                more apkovl=/a console=ttyS0
            initrd\t/boot/initramfs-virt /k/o.cpio \u{20}
            }
            menuentry 'two' --id x {
              linux ($root)/vmlinuz apkovl=/a console=ttyS0
              initrd ($root)/k/o.cpio
            }
            menuentry other { chainloader /x }

            """
        #expect(try edited(text, .grub) == wanted)
        let configuration = try BootConfiguration(Array(text.utf8), dialect: .grub, named: "grub.cfg")
        #expect(configuration.entries.map(\.title) == ["Linux virt", "two"])
        #expect(configuration.entries[0].parameters == ["quiet", "more"])
        #expect(configuration.entries[0].initrds == ["/boot/initramfs-virt"])
    }

    @Test func `words come before a comment, a semicolon and a brace, and what cannot be told is refused`() throws {
        let text = "menuentry a { linux /a 'x # y' # z\n initrd /i; }\n"
        #expect(throws: UpstreamError.self) { try edited(text, .grub) }
        let other = "menuentry a {\n linux /a 'x # y' # z\n initrd /i; }\n"
        #expect(
            try edited(other, .grub)
                == "menuentry a {\n linux /a 'x # y' apkovl=/a console=ttyS0 # z\n initrd /i /k/o.cpio; }\n")
    }

    @Test func `words that mean something to GRUB's language do not`() throws {
        let text = "menuentry a {\n linux /a\n initrd /i\n}\n"
        #expect(try edited(text, .grub, ["a=$x;{y}"]).contains("linux /a a=\\$x\\;\\{y\\}\n"))
    }

    @Test func `a configuration without a kernel, no text, and too long a line are refused`() throws {
        #expect(throws: UpstreamError.self) { try edited("label a\n kernel menu.c32\n", .syslinux) }
        #expect(throws: UpstreamError.self) { try edited("set x=1\n", .grub) }
        let long = [String](repeating: String(repeating: "x", count: 255), count: 8)
        #expect(throws: UpstreamError.self) { try edited("menuentry a {\nlinux /a\n}\n", .grub, long) }
        for bytes: [UInt8] in [[0], [0xff, 0xfe], [UInt8](repeating: 0x20, count: 300_000)] {
            #expect(throws: UpstreamError.self) { try BootConfiguration(bytes, dialect: .grub, named: "x") }
        }
    }
}
