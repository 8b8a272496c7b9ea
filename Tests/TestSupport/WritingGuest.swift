internal import Artefact
public import SystemPackage

/// A guest of a few dozen bytes on a bootable CD that says a text on the first serial port and then fills the first hard
/// disk from its start on, through the firmware's calls.
public enum WritingGuest {
    /// Writes the CD image.
    public static func write(saying text: String, to scratch: borrowing Scratch) throws -> FilePath {
        let parts: [[UInt8]] = [
            [0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xfc],  // ds, ss = 0; sp = 7c00; cld
            [0xbe, 0x4c, 0x7c],  // mov si, text
            [0xac, 0x84, 0xc0, 0x74, 0x12, 0x88, 0xc4],  // next: lodsb; test al, al; jz fill; mov ah, al
            [0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb],  // wait until the port takes a byte
            [0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xe9],  // send it; jmp next
            [0xb8, 0x00, 0x43, 0xb2, 0x80, 0xbe, 0x3c, 0x7c, 0xcd, 0x13],  // fill: INT 13h, extended write
            [0x83, 0x06, 0x44, 0x7c, 0x40, 0x83, 0x16, 0x46, 0x7c, 0x00],  // 64 sectors on
            [0xeb, 0xea, 0x90, 0x90],  // jmp fill
            // The packet: 64 sectors of whatever is at 0000:8000, from sector 0 on.
            [0x10, 0x00, 0x40, 0x00, 0x00, 0x80, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        return try BootableCD.write(parts.flatMap { $0 } + Array(text.utf8) + [0], to: scratch)
    }
}
