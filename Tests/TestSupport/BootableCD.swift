internal import SystemPackage

/// A CD image that a BIOS boots (El Torito 1.0, no emulation), of a program that is loaded to 0000:7C00.
enum BootableCD {
    /// Writes the image `guest.iso`.
    static func write(_ program: [UInt8], to scratch: borrowing Scratch) throws -> FilePath {
        let sectors = (program.count + 2047) / 2048
        var image = [UInt8](repeating: 0, count: (20 + sectors) * 2048)
        func put(_ bytes: [UInt8], at offset: Int) {
            image.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        put([1] + Array("CD001".utf8) + [1], at: 16 * 2048)
        put([0] + Array("CD001".utf8) + [1] + Array("EL TORITO SPECIFICATION".utf8), at: 17 * 2048)
        put([19], at: 17 * 2048 + 0x47)
        put([255] + Array("CD001".utf8) + [1], at: 18 * 2048)
        put([1, 0], at: 19 * 2048)
        put([0xaa, 0x55, 0x55, 0xaa], at: 19 * 2048 + 28)
        let count = UInt16(sectors * 4)
        put([0x88, 0, 0, 0, 0, 0, UInt8(count & 0xff), UInt8(count >> 8), 20], at: 19 * 2048 + 32)
        put(program, at: 20 * 2048)
        return try scratch.file("guest.iso", image)
    }
}
