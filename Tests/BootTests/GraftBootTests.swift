import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Images that others made start as before when files were grafted onto them, in each firmware that they support.
@Suite(.boots(1)) struct GraftBootTests {
    /// How an image is attached, what starts it, and what it then says on the screen or the serial line.
    struct Start: Sendable, CustomTestStringConvertible {
        let image: String
        let isDisk: Bool
        let isUEFI: Bool
        let says: String
        var testDescription: String { "\(image), \(isDisk ? "disk" : "CD"), \(isUEFI ? "UEFI" : "BIOS")" }

        init(_ image: String, disk: Bool, uefi: Bool = false, says: String) {
            self.image = image
            isDisk = disk
            isUEFI = uefi
            self.says = says
        }
    }

    static let starts = [
        Start("/usr/lib/grub-rescue/grub-rescue-cdrom.iso", disk: false, says: "GNU GRUB"),
        Start("/usr/lib/grub-rescue/grub-rescue-cdrom.iso", disk: true, says: "GNU GRUB"),
        Start("/usr/lib/ipxe/ipxe.iso", disk: false, says: "iPXE initialising devices"),
        Start("/usr/lib/ipxe/ipxe.iso", disk: true, says: "iPXE initialising devices"),
        Start("/usr/lib/ipxe/ipxe.iso", disk: false, uefi: true, says: "iPXE initialising devices"),
        Start("/usr/lib/ipxe/ipxe.iso", disk: true, uefi: true, says: "iPXE initialising devices"),
        Start("/usr/lib/memtest86+/memtest86+x64.iso", disk: false, says: "Loading Memtest86+"),
        Start("/usr/lib/memtest86+/memtest86+x64.iso", disk: true, says: "Loading Memtest86+"),
        // It writes no text under UEFI: the firmware tells that it started it.
        Start(
            "/usr/lib/memtest86+/memtest86+x64.iso", disk: false, uefi: true,
            says: "BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM"),
        Start(
            "/usr/lib/memtest86+/memtest86+x64.iso", disk: true, uefi: true,
            says: "BdsDxe: starting Boot0001 \"UEFI QEMU HARDDISK"),
        Start("grub-mkrescue", disk: false, says: Self.grafted),
        Start("grub-mkrescue", disk: true, says: Self.grafted),
        Start("grub-mkrescue", disk: false, uefi: true, says: Self.grafted),
        Start("grub-mkrescue", disk: true, uefi: true, says: Self.grafted),
    ]

    private static let grafted = "GRUB reads what was grafted"

    @Test(arguments: starts) func `a grafted image starts`(_ start: Start) async throws {
        let scratch = try Scratch()
        let image = scratch.path.appending("grafted.iso")
        var source = FilePath(start.image)
        var tree = FileTree()
        try tree.addFile("added/" + String(repeating: "long", count: 50), "new", origin: "test")
        if start.image == "grub-mkrescue" {
            source = scratch.path.appending("source.iso")
            try scratch.file("tree/boot/grub/grub.cfg", Self.menu(saying: "GRUB reads the source"))
            let made = try await run("grub-mkrescue", ["-o", source.string, scratch.path.appending("tree").string])
            try #require(made.succeeded, "\(made.errors)")
            try tree.addFile("boot/grub/grub.cfg", Self.menu(saying: Self.grafted), origin: "test")
        }
        try ISOGraft(source, epoch: BuildStamp.defaultEpoch).write(tree, to: image)
        let result = try await run(
            "sh",
            [
                "-c", Self.machine, "sh", image.string, start.isDisk ? "disk" : "cdrom",
                start.isUEFI ? "/usr/share/ovmf/OVMF.fd" : "", start.says,
            ], in: scratch.path)
        #expect(result.succeeded, "\(result.output.suffix(1500)) \(result.errors)")
    }

    private static func menu(saying text: String) -> String {
        "serial --unit=0 --speed=115200\nterminal_output serial\necho \"\(text)\"\nsleep 60\n"
    }

    /// Starts a machine and looks each second at its text screen, where the attribute of plain text is 7, and at its
    /// serial line.
    private static let machine = """
        image=$1 media=$2 firmware=$3 wanted=$4
        seen() { tr -d '\\007' <screen | grep -aqF -e "$wanted" - serial || grep -aqF -e "$wanted" serial; }
        : >screen
        : >serial
        set -- -accel tcg,tb-size=64 -cpu Nehalem,model=28 -m 256 -nodefaults -no-user-config -vga std -display none -no-reboot \\
            -serial file:serial -monitor stdio \\
            -drive "file=$image,format=raw,if=ide,snapshot=on,media=$media"
        [ -z "$firmware" ] || set -- "$@" -bios "$firmware"
        {
            second=0
            while [ $second -lt 60 ] && ! seen; do
                echo 'pmemsave 0xb8000 4000 screen'
                sleep 1
                second=$((second + 1))
            done
            echo quit
        } | timeout 90 qemu-system-x86_64 "$@" >monitor 2>&1
        seen || { tr -dc '[:print:]' <screen; tail -c 800 serial; cat monitor; exit 1; }
        """
}
