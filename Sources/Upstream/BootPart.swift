/// The three files that make one kernel of an Alpine image: they belong together and are useless apart.
enum BootPart: String, CaseIterable {
    case kernel = "vmlinuz"
    case initramfs
    case modloop

    /// Smaller files are not whole, whatever the flavour: real ones have several MiB.
    static let smallestPlausibleBytes: UInt64 = 256 * 1024

    /// What to call it.
    var title: String {
        switch self {
        case .kernel: "kernel"
        case .initramfs: "initramfs"
        case .modloop: "squashfs with kernel modules"
        }
    }

    /// Whether a file begins as one of its kind does.
    ///
    /// x86 kernels have `HdrS` at 0x202 (Linux boot protocol); arm64 ones `ARM\x64` at 56, or are EFI programs or gzip.
    func recognises(_ head: [UInt8], _ architecture: String) -> Bool {
        func holds(_ bytes: [UInt8], at offset: Int) -> Bool {
            head.count >= offset + bytes.count && head[offset..<(offset + bytes.count)].elementsEqual(bytes)
        }
        switch self {
        case .kernel where architecture == "x86_64": return holds(Array("HdrS".utf8), at: 0x202)
        case .kernel:
            return holds([0x41, 0x52, 0x4d, 0x64], at: 56) || holds([0x4d, 0x5a], at: 0) || holds([0x1f, 0x8b], at: 0)
        case .initramfs:
            let marks: [[UInt8]] = [
                [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0xfd, 0x37, 0x7a, 0x58], [0x30, 0x37, 0x30, 0x37],
                [0x02, 0x21, 0x4c, 0x18], [0x5d, 0x00, 0x00], [0x42, 0x5a, 0x68], [0x89, 0x4c, 0x5a, 0x4f],
            ]
            return marks.contains { holds($0, at: 0) }
        case .modloop: return holds(Array("hsqs".utf8), at: 0)
        }
    }

    /// The version in an x86 kernel's header: the first word of the text that the field at 0x20e points to.
    static func kernelVersion(_ head: [UInt8]) -> String? {
        guard head.count > 0x210, head[0x202..<0x206].elementsEqual("HdrS".utf8) else { return nil }
        let pointer = Int(head[0x20e]) | Int(head[0x20f]) << 8
        guard pointer > 0, pointer + 0x200 < head.count else { return nil }
        let word = head[(pointer + 0x200)...].prefix(128).prefix { (0x21...0x7e).contains($0) }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }
}
