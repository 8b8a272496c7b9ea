internal import Artefact
internal import TestSupport

/// Lists of releases in the form in which Alpine's mirrors have them.
enum AlpineListSamples {
    /// An image of a list, by the end of its flavour and its file.
    private static let kinds: [String: (title: String, lines: [String], ending: String)] = [
        "netboot": ("Netboot", ["Kernel, initramfs and modloop for", "netboot."], "tar.gz"),
        "minirootfs": (
            "Mini root filesystem", ["Minimal root filesystem.", "For use in containers", "and minimal chroots."],
            "tar.gz"
        ),
        "virt": ("Virtual", ["Similar to standard.", "Slimmed down kernel.", "Optimized for virtual systems."], "iso"),
        "xen": (
            "Xen",
            ["Built-in support for Xen Hypervisor.", "Includes packages targetted at Xen usage.", "Use for Xen Dom0."],
            "iso"
        ),
        "standard": (
            "Standard",
            ["Alpine as it was intended.", "Just enough to get you started.", "Network connection is required."], "iso"
        ),
        "extended": (
            "Extended",
            [
                "Most common used packages included.", "Suitable for routers and servers.", "Runs from RAM.",
                "Includes AMD and Intel microcode updates.",
            ], "iso"
        ),
        "rpi": (
            "Raspberry Pi",
            [
                "First generation Pis including Zero/W will work with", "the armhf image?",
                "*Not* all of them: see below & beyond!",
            ], "tar.gz"
        ),
        "uboot": (
            "Generic U-Boot",
            ["Has default ARM kernel.", "Includes the uboot bootloader.", "Supports armv7 and aarch64."], "tar.gz"
        ),
    ]

    /// The flavours of a processor's list, in its order.
    static func flavors(_ architecture: String) -> [String] {
        architecture == "aarch64"
            ? ["rpi", "uboot", "standard", "virt", "netboot", "minirootfs"]
            : ["virt", "xen", "standard", "extended", "netboot", "minirootfs"]
    }

    /// The digest that a sample names for a file.
    static func sha256(_ file: String) -> String { Digest(of: file.utf8).hex }

    /// One image.
    static func item(_ flavor: String, _ version: String, _ architecture: String, size: Int = 69_206_016) -> String {
        let kind = kinds[flavor] ?? ("Other", ["Other."], "img.gz")
        let branch = "v" + version.split(separator: ".").prefix(2).joined(separator: ".")
        let file = "alpine-\(flavor)-\(version)-\(architecture).\(kind.ending)"
        return """
            -
              title: "\(kind.title)"
              desc: |
            \(kind.lines.map { "    " + $0 }.joined(separator: "\n"))
              branch: \(branch)
              arch: \(architecture)
              version: \(version)
              flavor: alpine-\(flavor)
              file: \(file)
              iso: \(file)
              date: 2025-02-13
              time: 23:04:08
              size: \(size)
              sha256: \(sha256(file))
              sha512: \(sha256(file))\(sha256("2" + file))

            """
    }

    /// A whole list.
    static func list(_ version: String, _ architecture: String) -> String {
        "---\n" + flavors(architecture).map { item($0, version, architecture) }.joined()
    }

    /// One image whose fields a test changes.
    static func virt(_ change: (String) -> String = { $0 }) -> String {
        "---\n" + change(item("virt", "3.23.6", "x86_64"))
    }
}

/// Bytes with random changes: cut, doubled, flipped, swapped for others that occur in them.
func changed(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: bytes = Array(bytes[..<index])
        case 1: bytes += bytes[index...]
        case 2: bytes.insert(bytes[Int.random(in: bytes.indices, using: &random)], at: index)
        case 3: bytes.remove(at: index)
        case 4: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 5: bytes.insert(contentsOf: [0x0a, 0x2d, 0x20], at: index)
        case 6: bytes[index] = Array("&*!|>[]{}?%:-\"'#@".utf8)[Int.random(in: 0..<17, using: &random)]
        case 7:
            let end = Int.random(in: index..<bytes.count, using: &random)
            bytes.removeSubrange(index...min(end, index + 40))
        default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
    }
    return bytes
}
