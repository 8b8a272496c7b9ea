import Artefact
import ISOBuild
import SystemPackage
import TestSupport
import Testing

/// Reads the images of generated trees with the kernel that will read the real ones.
@Suite(.boots(1)) struct KernelISOTests {
    static let seed: UInt64 = 20_260_101
    static let count = 500
    /// Every tenth image is read by its Joliet names as well.
    static let jolietStep = 10

    @Test func `Linux reads what was written, for 500 generated trees`() async throws {
        let scratch = try Scratch()
        let disk = scratch.path.appending("disk.raw")
        let root = scratch.path.appending("initramfs")
        var wanted: [String] = []
        var index = ""
        var offset: UInt64 = 0
        var images = try StagedFile(disk)
        let writer = ISOWriter(volumeIdentifier: "cidata", epoch: BuildStamp.defaultEpoch)
        let image = scratch.path.appending("one.iso")
        for number in 0..<Self.count {
            let tree = try Self.shortened(TreeGenerator.tree(number, seed: Self.seed))
            let written = try writer.write(tree, to: image, mode: .file, digesting: false)
            wanted.append("rockridge \(number) \(Self.digest(Self.lines(of: tree)))")
            let isJoliet = number % Self.jolietStep == 0
            if isJoliet { wanted.append("joliet \(number) \(Self.digest(try Self.jolietLines(of: image)))") }
            index += "\(number) \(offset) \(isJoliet ? 1 : 0)\n"
            try HostFile.forEachChunk(of: image) { chunk in try images.write(chunk) }
            offset += written.size
        }
        var long = FileTree()
        try long.addDirectory(String(repeating: "n", count: 255), origin: "test")
        let written = try writer.write(long, to: image, mode: .file, digesting: false)
        try HostFile.forEachChunk(of: image) { chunk in try images.write(chunk) }
        index += "\(Self.count) \(offset) 0\n"
        offset += written.size
        var cut = FileTree()
        try cut.addDirectory(String(repeating: "n", count: 250), origin: "test")
        wanted.append("rockridge \(Self.count) \(Self.digest(Self.lines(of: cut)))")
        try images.commit()
        try await Self.makeInitramfs(at: root, index: index)
        let (found, output) = try await Self.readings(of: disk, initramfs: root)
        let missing = wanted.filter { !Set(found).contains($0) }
        #expect(
            found == wanted,
            "seed \(Self.seed), \(missing.count) differ: \(missing.prefix(10)); \(output.suffix(400))")
    }

    /// Starts the guest.
    ///
    /// - Returns: What it tells of each image, and all that it printed.
    static func readings(of disk: FilePath, initramfs root: FilePath) async throws -> ([String], String) {
        let result = try await run(
            "timeout",
            [
                "400", "qemu-system-x86_64", "-accel", "tcg,tb-size=64", "-cpu", "Nehalem,model=28", "-m", "256",
                "-nodefaults",
                "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
                "-kernel", Product.lab.pushing("root/boot/vmlinuz-virt").string, "-initrd", root.string + ".cpio",
                "-append", "console=ttyS0 quiet panic=-1",
                "-drive", "file=\(disk.string),format=raw,if=virtio,readonly=on",
            ])
        let found = result.output.split(whereSeparator: \.isNewline).map(String.init).filter {
            $0.hasPrefix("rockridge ") || $0.hasPrefix("joliet ")
        }
        return (found, result.output)
    }

    /// The longest name that Linux takes from Rock Ridge entries, in bytes; of a longer one it drops whole `NM` entries.
    static let longestName = 253

    /// The tree without the names that Linux cannot show as they are.
    private static func shortened(_ tree: FileTree) throws -> FileTree {
        var short = FileTree()
        for entry in tree.entries where !entry.path.components.contains(where: { $0.utf8.count > longestName }) {
            try short.insert(entry)
        }
        return short
    }

    static func digest(_ lines: [[UInt8]]) -> String {
        Digest(of: lines.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 + [0x0A] }).hex
    }

    /// What the guest prints of a tree: type and mode in hexadecimal, owner, group, size, time, name; and the SHA-256.
    private static func lines(of tree: FileTree) -> [[UInt8]] {
        tree.entries.flatMap { entry in
            let mode = { (type: UInt16) in String(type | entry.mode.bits, radix: 16) }
            let owner = "\(entry.owner) \(entry.group)"
            let time = "\(entry.modified ?? BuildStamp.defaultEpoch)"
            let path = "./\(entry.path)"
            switch entry.kind {
            case .directory: return ["\(mode(0o040000)) \(owner) \(time) \(path)"]
            case .symlink(let target): return ["\(mode(0o120000)) \(owner) \(time) '\(path)' -> '\(target)'"]
            case .file(let content):
                guard case .bytes(let bytes) = content else { return [] }
                return ["\(mode(0o100000)) \(owner) \(bytes.count) \(time) \(path)", "\(Digest(of: bytes))  \(path)"]
            }
        }.map { Array($0.utf8) }
    }

    static func jolietLines(of image: FilePath) throws -> [[UInt8]] {
        let reader = try ISOReader(image, nameSpace: .joliet)
        return try reader.entries().map { entry in
            if entry.isDirectory { return Array("./\(entry.path)".utf8) }
            return Array("\(Digest(of: try reader.read(entry, limit: 1 << 20)))  ./\(entry.path)".utf8)
        }
    }

    static func makeInitramfs(at root: FilePath, index: String) async throws {
        try HostFile.makeDirectories(root)
        try StagedFile.write(Array(guest.utf8), to: root.appending("init"), mode: .executable)
        try StagedFile.write(Array(index.utf8), to: root.appending("index"))
        let script = """
            set -e
            cp "$(command -v busybox)" busybox
            for module in drivers/block/virtio_blk drivers/block/loop drivers/cdrom/cdrom fs/isofs/isofs fs/nls/nls_utf8
            do
                ./busybox gzip -dc "$1"/lib/modules/*/kernel/$module.ko.gz > "${module##*/}.ko"
            done
            ./busybox find . | LC_ALL=C ./busybox sort | ./busybox cpio -o -H newc > "$2"
            """
        let result = try await run(
            "sh", ["-c", script, "sh", Product.lab.appending("root").string, root.string + ".cpio"], in: root)
        #expect(result.succeeded, "\(result.errors)")
    }

    /// The program of the guest; it prints one digest for each image and powers off.
    private static let guest = """
        #!/busybox sh
        /busybox mkdir -p /proc /sys /dev /bin /m
        /busybox --install -s /bin
        export PATH=/bin LC_ALL=C
        mount -t proc proc /proc
        mount -t devtmpfs dev /dev
        for module in virtio_blk loop cdrom isofs nls_utf8; do insmod /$module.ko; done
        while read number offset joliet; do
            losetup -r -o $offset /dev/loop0 /dev/vda
            mount -t iso9660 -o ro /dev/loop0 /m && cd /m
            {
                find . -mindepth 1 -type d -exec stat -c '%f %u %g %Y %n' {} +
                find . -type f -exec stat -c '%f %u %g %s %Y %n' {} +
                find . -type l -exec stat -c '%f %u %g %Y %N' {} +
                find . -type f -exec sha256sum {} +
            } > /list
            cd /
            umount /m
            echo "rockridge $number $(sort /list | sha256sum | cut -d ' ' -f 1)"
            if [ $joliet = 1 ]; then
                mount -t iso9660 -o ro,norock,utf8,check=s /dev/loop0 /m && cd /m
                {
                    find . -mindepth 1 -type d
                    find . -type f -exec sha256sum {} +
                } > /list
                cd /
                umount /m
                echo "joliet $number $(sort /list | sha256sum | cut -d ' ' -f 1)"
            fi
            losetup -d /dev/loop0
        done < /index
        poweroff -f

        """
}
