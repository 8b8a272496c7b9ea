internal import Artefact
internal import ISOBuild
internal import SystemPackage
internal import TestSupport

/// Writes ISO images with the layout of Alpine's and little in them, so that each part can be wrong on purpose.
struct SmallMedium {
    var flavor = "virt"
    var version = "3.23.6"
    var architecture = "x86_64"
    var label: String?
    var releaseText: String?
    /// Files beside or instead of the usual ones; `nil` leaves one out.
    var changes: [String: [UInt8]?] = [:]
    var packages = ["alpine-base", "busybox", "openssh", "chrony"]
    var signature: String? = ".SIGN.RSA.builder@lab-1.rsa.pub"

    private static let bootBytes = 300 * 1024

    /// A kernel as far as its header goes.
    static func kernel(version: String, size: Int = bootBytes) -> [UInt8] {
        var bytes = [UInt8](repeating: 0x11, count: size)
        bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        bytes.replaceSubrange(0x20e..<0x210, with: [0x00, 0x30])
        bytes.replaceSubrange(0x3200..<(0x3200 + version.utf8.count + 1), with: Array(version.utf8) + [0x20])
        return bytes
    }

    private var files: [String: [UInt8]] {
        let kernel = flavor == "virt" ? "virt" : "lts"
        let text = packages.map { "C:Q1\nP:\($0)\nV:1.0-r0\nS:4\np:cmd:\($0)=1.0-r0\n" }.joined(separator: "\n")
        var files: [String: [UInt8]] = [
            ".alpine-release": Array((releaseText ?? "alpine-\(flavor)-\(version) 261015\n").utf8),
            "boot/vmlinuz-\(kernel)": Self.kernel(version: "6.18.56-0-\(kernel)"),
            "boot/initramfs-\(kernel)": [0x1f, 0x8b] + [UInt8](repeating: 0x22, count: Self.bootBytes),
            "boot/modloop-\(kernel)": Array("hsqs".utf8) + [UInt8](repeating: 0x33, count: Self.bootBytes),
            "boot/syslinux/isolinux.bin": [1], "efi/boot/bootx64.efi": [1], "apks/.boot_repository": [],
            "apks/\(architecture)/APKINDEX.tar.gz": SmallArchive.index(text, signature: signature),
        ]
        for package in packages { files["apks/\(architecture)/\(package)-1.0-r0.apk"] = Array("pack".utf8) }
        if architecture == "aarch64" {
            files["efi/boot/bootaa64.efi"] = [1]
            files["efi/boot/bootx64.efi"] = nil
            files["boot/syslinux/isolinux.bin"] = nil
            files["boot/vmlinuz-\(kernel)"] = [0x4d, 0x5a] + [UInt8](repeating: 0, count: Self.bootBytes)
        }
        for (path, bytes) in changes { files[path] = bytes }
        return files
    }

    private var volumeIdentifier: String {
        label ?? "alpine-\(["standard": "std", "extended": "ext"][flavor] ?? flavor) \(version) \(architecture)"
    }

    /// The image, as ksbuild's own writer makes it.
    func write(to path: FilePath) throws {
        var tree = FileTree()
        for (path, bytes) in files {
            try tree.insert(TreeEntry(path: EntryPath(path), kind: .file(.bytes(bytes)), mode: .file, origin: "test"))
        }
        let writer = ISOWriter(volumeIdentifier: volumeIdentifier, epoch: 1_767_225_600)
        _ = try writer.write(tree, to: path, mode: .file, digesting: false)
    }

    /// The image, as xorriso makes it with the options of Alpine's `mkimage.sh`.
    func master(to path: FilePath, in scratch: borrowing Scratch) async throws {
        for (name, bytes) in files { try scratch.file("medium/\(name)", bytes) }
        let result = try await run(
            "xorrisofs",
            [
                "-quiet", "-output", path.string, "-full-iso9660-filenames", "-joliet", "-rational-rock", "-sysid",
                "LINUX",
                "-volid", volumeIdentifier, scratch.path.appending("medium").string,
            ])
        guard result.succeeded else { throw ArtefactError.system("run xorrisofs for", path, .ioError) }
    }
}
