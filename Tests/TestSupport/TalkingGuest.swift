internal import Artefact
public import SystemPackage

/// A guest of a few dozen bytes on a bootable CD: it says a text on the first serial port, echoes what is typed, and
/// powers the machine off when the power button is pressed. It is up in about a second.
public enum TalkingGuest {
    /// Writes the CD image (El Torito 1.0, no emulation).
    public static func write(
        saying text: String, heedsPowerButton: Bool = true, to scratch: borrowing Scratch
    ) throws -> FilePath {
        try BootableCD.write(code(heedsPowerButton: heedsPowerButton) + Array(text.utf8) + [0], to: scratch)
    }

    /// Writes the CD image of a guest that shows a text on the screen and says nothing.
    public static func write(showing rows: [String], to scratch: borrowing Scratch) throws -> FilePath {
        let code: [UInt8] = [
            0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0xfc,  // cli; xor ax, ax; mov ds, ax; cld
            0xb8, 0x00, 0xb8, 0x8e, 0xc0, 0x31, 0xff, 0xb4, 0x07,  // es:di = b800:0; grey on black
            0xbe, 0x1d, 0x7c, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xab, 0xeb, 0xf8,  // copy the text
            0xf4, 0xeb, 0xfd,  // halt: hlt; jmp halt
        ]
        let text = rows.map { row in row + String(repeating: " ", count: max(0, 80 - row.utf8.count)) }.joined()
        return try BootableCD.write(code + Array(text.utf8) + [0], to: scratch)
    }

    private static func code(heedsPowerButton: Bool) -> [UInt8] {
        let parts: [[UInt8]] = [
            [0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0xfc],  // cli; xor ax, ax; mov ds, ax; cld
            [0xba, 0x02, 0x06, 0xb8, 0x00, heedsPowerButton ? 0x01 : 0x00, 0xef],  // PM1_EN: power button
            [0xbe, 0x46, 0x7c],  // mov si, text
            [0xac, 0x84, 0xc0, 0x74, 0x12, 0x88, 0xc4],  // next: lodsb; test al, al; jz listen; mov ah, al
            [0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb],  // wait until the port takes a byte
            [0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xe9],  // send it; jmp next
            [0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0x07],  // listen: PM1_STS: power button?
            [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef],  // PM1_CNT: SLP_EN, S5
            [0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xe8],  // a byte typed? else jmp listen
            [0xba, 0xf8, 0x03, 0xec, 0xee, 0xeb, 0xe1],  // echo it; jmp listen
        ]
        return parts.flatMap { $0 }
    }

    /// What a node that is well says, with the noise of a real console around it.
    public static let healthyLines = [
        "\u{1b}[2J\u{1b}[1;1HISOLINUX 6.04\r",
        "[    0.000000] Linux version 6.18.56-0-virt\r",
        " * Mounting boot media: ok.\r",
        "ksbuild: release name=kubesolo version=1.4.0 hostname=edge-001\r",
        "ksbuild: data state=formatted label=KUBESOLO\r",
        "ksbuild: hostkey type=ssh-ed25519 fingerprint=SHA256:abcDEF state=made\r",
        "Welcome to Alpine\r", "edge-001 login: ksbuild: address interface=eth0 ipv4=10.0.2.15/24\r",
        "ksbuild: data state=mounted label=KUBESOLO\r",
        "ksbuild: stage state=rea[   12.345678] random: crng init done\r",
        "dy digest=00ff\r",
        "ksbuild: kubesolo state=starting version=v1.2.2\r",
        "ksbuild: health state=unhealthy version=v1.2.2 reason=\"not yet: \\\"livez\\\"\"\r",
        "ksbuild: health state=healthy version=v1.2.2\r",
        "ksbuild: boot state=complete runlevel=default\r", "edge-001 login: ",
    ]
    public static let healthyTranscript = healthyLines.joined(separator: "\n")
}
