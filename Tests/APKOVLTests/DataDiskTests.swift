import Artefact
import Node
import TestSupport
import Testing

@testable import APKOVL

/// A disk of the sandbox and what is put on it beforehand.
struct TestDisk: Sendable {
    var name: String
    var serial = "ksbuild-data"
    var megabytes = 80
    /// Shell commands that get the image as `$image`, run outside.
    var prepare = ":"

    /// An ext4 file system with the label.
    static let labelled = "mkfs.ext4 -q -L KUBESOLO \"$image\""

    /// A superblock of Linux's software RAID where a version of its format has it (`linux/raid/md_p.h`): mdadm writes one
    /// only through a kernel that has md, so it is written here and mdadm says that it is one.
    static func raid(_ version: String) -> String {
        """
        python3 - "$image" \(version) <<'SUPERBLOCK'
        import struct, sys
        name, version = sys.argv[1:]
        with open(name, "r+b") as disk:
            sectors = disk.seek(0, 2) // 512
            at = {"1.0": (sectors - 16) & ~7, "1.1": 0, "1.2": 8}[version]
            data = 2048 if version != "1.0" else 0
            block = struct.pack("<4I16s32sQ2iQ2I", 0xa92b4efc, 1, 0, 0, b"u" * 16, b"node:0", 0, 1, 0, 65536, 0, 2)
            block = block.ljust(128, b"\\0") + struct.pack("<4Q2I16s", data, 65536, at, 0, 0, 0, b"d" * 16)
            block = block.ljust(192, b"\\0") + struct.pack("<3Q2I", 0, 0, 0, 0, 2)
            block = bytearray(block.ljust(256, b"\\0") + struct.pack("<2H", 0, 1))
            total = sum(struct.unpack("<%dI" % (len(block) // 4), block))
            block[216:220] = struct.pack("<I", (total & 0xffffffff) + (total >> 32) & 0xffffffff)
            disk.seek(at * 512)
            disk.write(block)
        SUPERBLOCK
        mdadm --examine "$image" | grep -q 'Checksum : .* correct' || printf 'no RAID superblock\\n' >&2
        """
    }
}

/// What the node must say about a set of disks.
struct DiskCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let disks: [TestDisk]
    let disk: DataDisk
    /// What stands in the fact after `data `, without label; for a refusal a part of it.
    let says: String
    let code: Int

    init(_ name: String, _ disks: [TestDisk], disk: DataDisk = DataDisk(), says: String, code: Int = 1) {
        testDescription = name
        self.disks = disks
        self.disk = disk
        self.says = says
        self.code = code
    }
}

private let blank = TestDisk(name: "vda")

private func vda(_ prepare: String) -> [TestDisk] { [TestDisk(name: "vda", prepare: prepare)] }

private let diskCases: [DiskCase] = [
    DiskCase("a blank disk with the serial", [blank], says: "state=formatted label=KUBESOLO\n", code: 0),
    DiskCase("a disk with the label", vda(TestDisk.labelled), says: "state=mounted label=KUBESOLO\n", code: 0),
    DiskCase(
        "the label counts, not the serial", [TestDisk(name: "vdb", serial: "other", prepare: TestDisk.labelled)],
        says: "state=mounted label=KUBESOLO\n", code: 0),
    DiskCase(
        "a labelled disk leaves a blank one alone", [blank, TestDisk(name: "vdb", prepare: TestDisk.labelled)],
        says: "state=mounted label=KUBESOLO\n", code: 0),
    DiskCase("no disk", [], says: "state=missing label=KUBESOLO reason=\"no disk has this label, and none has serial"),
    DiskCase(
        "a blank disk with another serial", [TestDisk(name: "vda", serial: "other")],
        says: "none has serial ksbuild-data"),
    DiskCase(
        "two labelled disks",
        [TestDisk(name: "vda", prepare: TestDisk.labelled), TestDisk(name: "vdb", prepare: TestDisk.labelled)],
        says: "state=refused label=KUBESOLO reason=\"2 devices have this label: /dev/vda /dev/vdb\""),
    DiskCase(
        "two blank disks that fit", [blank, TestDisk(name: "vdb")],
        says: "reason=\"2 disks have serial ksbuild-data: /dev/vda /dev/vdb\""),
    DiskCase(
        "formatting is off", [blank], disk: DataDisk(format: .never),
        says: "state=missing label=KUBESOLO reason=\"no disk has this label, and formatting is off\""),
    DiskCase(
        "no disk is named", [blank], disk: DataDisk(match: nil), says: "the recipe names none to format"),
    DiskCase(
        "another file system", vda("mkfs.ext4 -q -L OTHER \"$image\""),
        says: "/dev/vda has serial ksbuild-data but is not blank: it holds ext4"),
    DiskCase(
        "a file system without a label", vda("mkfs.ext4 -q \"$image\""), says: "is not blank: it holds ext4"),
    DiskCase(
        "a file system whose head was wiped",
        vda("mkfs.ext4 -q \"$image\"; dd if=/dev/zero of=\"$image\" bs=1M count=1 conv=notrunc 2>/dev/null"),
        says: "is not blank: it is not all zero in the MiB from byte 8388608 on"),
    DiskCase(
        "a physical volume of LVM",
        vda(
            "device=$(losetup -f --show \"$image\"); pvcreate -q -y \"$device\" >/dev/null 2>&1; losetup -d \"$device\""
        ),
        says: "is not blank: "),
    DiskCase(
        "LUKS 1", vda("printf pass | cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 \"$image\" -"),
        says: "is not blank: it holds crypto_LUKS"),
    DiskCase(
        "LUKS 2 whose first header was wiped",
        vda(
            """
            printf pass | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$image" -
            dd if=/dev/zero of="$image" bs=4096 count=4 conv=notrunc 2>/dev/null
            """), says: "is not blank: its first MiB is not all zero"),
    DiskCase(
        "a member of a RAID with its superblock at the end", vda(TestDisk.raid("1.0")),
        says: "is not blank: its last MiB is not all zero"),
    DiskCase(
        "a member of a RAID with its superblock at the beginning", vda(TestDisk.raid("1.1")),
        says: "is not blank: "),
    DiskCase(
        "a member of a RAID with its superblock at 4 KiB", vda(TestDisk.raid("1.2")),
        says: "is not blank: "),
    DiskCase(
        "a file system that is larger than the disk",
        vda("truncate -s 96M \"$image\"; \(TestDisk.labelled); truncate -s 80M \"$image\""),
        says: "state=refused label=KUBESOLO reason=\"e2fsck on /dev/vda says "),
    DiskCase(
        "swap space", vda("mkswap -q \"$image\" 2>/dev/null"), says: "is not blank: it holds swap"),
    DiskCase(
        "FAT with the label", vda("mkfs.vfat -n KUBESOLO \"$image\" >/dev/null"),
        says: "/dev/vda has this label but no ext4 on it"),
    DiskCase(
        "a partition table", vda("echo ',,83' | sfdisk -q \"$image\" >/dev/null 2>&1"),
        says: "is not blank: its first MiB is not all zero"),
    DiskCase(
        "GUID partitions", vda("echo 'label: gpt' | sfdisk -q \"$image\" >/dev/null 2>&1"),
        says: "is not blank: its first MiB is not all zero"),
    DiskCase(
        "a byte in the last MiB", vda("printf x | dd of=\"$image\" bs=1 seek=83886079 conv=notrunc 2>/dev/null"),
        says: "is not blank: its last MiB is not all zero"),
    DiskCase(
        "a byte at the very beginning", vda("printf x | dd of=\"$image\" bs=1 conv=notrunc 2>/dev/null"),
        says: "is not blank: its first MiB is not all zero"),
    DiskCase(
        "partitions that the kernel knows",
        vda("mkdir -p \"$root/sys/block/vda/vda1\""), says: "is not blank: it has partitions"),
    DiskCase(
        "a disk that others use", vda("mkdir -p \"$root/sys/block/vda/holders/dm-0\""),
        says: "is not blank: dm-0 uses it"),
    DiskCase(
        "a read-only disk", vda("ro=1"), says: "none has serial ksbuild-data"),
    DiskCase(
        "a disk that is too small", [TestDisk(name: "vda", megabytes: 48)],
        says: "is not blank: it is smaller than 64 MiB"),
    DiskCase(
        "the exact size", [blank, TestDisk(name: "vdb", serial: "", megabytes: 96)],
        disk: DataDisk(match: .size(96 << 20)), says: "state=formatted label=KUBESOLO\n", code: 0),
    DiskCase(
        "another size", [blank], disk: DataDisk(match: .size(81 << 20)), says: "none has size 84934656"),
    DiskCase(
        "a link of udev's, by the serial in its name", [blank],
        disk: DataDisk(match: .link("/dev/disk/by-id/virtio-ksbuild-data")),
        says: "state=formatted label=KUBESOLO\n", code: 0),
    DiskCase(
        "a link of udev's, by model and serial", [TestDisk(name: "sda", serial: "S3Z9NB0K")],
        disk: DataDisk(match: .link("/dev/disk/by-id/ata-Samsung_SSD_860_S3Z9NB0K")),
        says: "state=formatted label=KUBESOLO\n", code: 0),
    DiskCase(
        "a link to a partition", [blank], disk: DataDisk(match: .link("/dev/disk/by-id/virtio-ksbuild-data-part1")),
        says: "none has link /dev/disk/by-id/virtio-ksbuild-data-part1"),
    DiskCase(
        "a CD with the label is no disk", [TestDisk(name: "sr0", prepare: TestDisk.labelled)],
        says: "state=missing label=KUBESOLO"),
    DiskCase(
        "a disk with a fault that e2fsck mends itself",
        vda("\(TestDisk.labelled); debugfs -w -R 'set_super_value free_blocks_count 7' \"$image\" 2>/dev/null"),
        says: "state=mounted label=KUBESOLO\n", code: 0),
    DiskCase(
        "a disk that e2fsck cannot mend alone",
        vda("\(TestDisk.labelled); dd if=/dev/urandom of=\"$image\" bs=4096 seek=1 count=400 conv=notrunc 2>/dev/null"),
        says: "state=refused label=KUBESOLO reason=\"e2fsck on /dev/vda says "),
]

struct DataDiskTests {
    /// Runs the node's script over these disks.
    private func run(_ disks: [TestDisk], disk: DataDisk, inside: String) async throws -> ProgramResult {
        let tree = try Overlay(node: .example { $0.dataDisk = disk }, binary: nil, resources: resources).tree
        let sandbox = try Sandbox(tree)
        try sandbox.file("usr/libexec/ksbuild/report", consoleScript, mode: .executable)
        for name in ["mdev", "sleep"] {
            try sandbox.file("usr/libexec/ksbuild/\(name)", "#!/bin/sh\n", mode: .executable)
        }
        let outside = disks.map { one in
            """
            image=$root/shared/\(one.name).img
            entry=$root/sys/block/\(one.name)
            ro=0
            truncate -s \(one.megabytes)M "$image"
            mkdir -p "$entry/holders"
            \(one.prepare)
            loop=$(losetup -f --show "$image")
            loops="$loops $loop"
            cp -a "$loop" "$root/dev/\(one.name)"
            echo $((\(one.megabytes) * 2048)) >"$entry/size"
            echo $ro >"$entry/ro"
            [ -z '\(one.serial)' ] || printf '%s' '\(one.serial)' >"$entry/serial"
            """
        }
        return try await sandbox.run(inside, before: outside.joined(separator: "\n"))
    }

    @Test(arguments: diskCases)
    func `each disk is mounted, formatted or refused with its reason`(disks: DiskCase) async throws {
        let inside = """
            cat /dev/[sv]d? 2>/dev/null | md5sum >/shared/before
            data-disk
            code=$?
            if mountpoint -q /var/lib/kubesolo; then
                sed -n 's/^\\([^ ]*\\) .var.lib.kubesolo \\([^ ]*\\) \\([^ ]*\\).*/mounted \\2 \\3/p' /proc/mounts
                ls /var/lib/kubesolo | tr '\\n' ' '
                echo
            else
                cat /dev/[sv]d? 2>/dev/null | md5sum | cmp -s - /shared/before || echo TOUCHED
            fi
            exit $code
            """
        let result = try await run(disks.disks, disk: disks.disk, inside: inside)
        #expect(result.output.contains("ksbuild: data state="), "\(result.errors)")
        #expect(result.output.contains(disks.says), "\(result.output)\(result.errors)")
        #expect(result.exitCode == disks.code, "\(result.output)\(result.errors)")
        if disks.code == 0 {
            #expect(result.output.contains("mounted ext4 rw,noatime\nbin logs lost+found"), "\(result.output)")
        } else if !disks.says.contains("e2fsck") {
            #expect(!result.output.contains("TOUCHED"))
        }
    }

    @Test func `what was written is there again, and the second time nothing is formatted`() async throws {
        let result = try await run(
            [TestDisk(name: "vda")], disk: DataDisk(),
            inside: """
                data-disk; echo kept >/var/lib/kubesolo/witness; umount /var/lib/kubesolo
                data-disk; cat /var/lib/kubesolo/witness
                """)
        #expect(
            result.output == """
                ksbuild: data state=formatted label=KUBESOLO
                ksbuild: data state=mounted label=KUBESOLO
                kept

                """, "\(result.errors)")
    }

    @Test func `a disk that has grown and cannot be used to its end is mounted, and that is said`() async throws {
        let prepare = "truncate -s 40M \"$image\"; \(TestDisk.labelled); truncate -s 80M \"$image\""
        let result = try await run(
            [TestDisk(name: "vda", prepare: prepare)], disk: DataDisk(), inside: "rm /usr/sbin/resize2fs; data-disk")
        #expect(
            result.output == "ksbuild: data state=mounted label=KUBESOLO reason=\"/dev/vda has grown, but there is no "
                + "resize2fs; add the package e2fsprogs-extra\"\n", "\(result.errors)")
    }

    @Test func `what a power cut left in the journal is there`() async throws {
        // The image is taken while the file system is mounted: what was synchronised is in its journal alone.
        let prepare = """
            \(TestDisk.labelled); mkdir "$root/shared/live"; mount -o loop,commit=900 "$image" "$root/shared/live"
            echo synchronised >"$root/shared/live/witness"; sync "$root/shared/live/witness"
            cp "$image" "$image.cut"; umount "$root/shared/live"; mv "$image.cut" "$image"
            dumpe2fs -h "$image" 2>/dev/null | grep -q needs_recovery || echo 'the journal is clean' >&2
            """
        let result = try await run(
            [TestDisk(name: "vda", prepare: prepare)], disk: DataDisk(),
            inside: "data-disk; cat /var/lib/kubesolo/witness")
        #expect(
            result.output == "ksbuild: data state=mounted label=KUBESOLO\nsynchronised\n", "\(result.errors)")
        #expect(!result.errors.contains("journal"))
    }

    @Test func `a disk that is read-only is refused and given back, and the second attempt says the same`() async throws
    {
        // With this feature the kernel mounts the file system, and read-only, whatever it is asked for.
        let prepare = """
            \(TestDisk.labelled); for name in bin logs; do debugfs -w -R "mkdir $name" "$image" 2>/dev/null; done
            tune2fs -O read-only "$image" >/dev/null
            """
        let result = try await run(
            [TestDisk(name: "vda", prepare: prepare)], disk: DataDisk(),
            inside: "data-disk; echo $?; mountpoint -q /var/lib/kubesolo && echo mounted; data-disk; echo $?")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(
            lines.first?.hasPrefix(
                "ksbuild: data state=refused label=KUBESOLO reason=\"/dev/vda cannot be written to: ")
                == true, "\(result.output)")
        #expect(lines.first?.hasSuffix(": Read-only file system\"") == true)
        #expect(lines == [lines.first ?? "", "1", lines.first ?? "", "1"])
    }

    @Test func `a disk that is full is mounted, and that is said`() async throws {
        let result = try await run(
            [TestDisk(name: "vda")], disk: DataDisk(),
            inside: """
                data-disk; cd /var/lib/kubesolo
                for size in 64k 512; do dd if=/dev/zero bs=$size 2>/dev/null >>fill; done
                cd /; umount /var/lib/kubesolo
                data-disk; echo $?; mountpoint -q /var/lib/kubesolo && ls -A /var/lib/kubesolo | tr '\\n' ' '
                """)
        #expect(
            result.output
                == """
                ksbuild: data state=formatted label=KUBESOLO
                ksbuild: data state=mounted label=KUBESOLO reason="/dev/vda is full; make room on it"
                0
                bin fill logs lost+found \n
                """.dropLast(), "\(result.errors)")
    }

    @Test func `in use is what is mounted, and the whole disk of a partition that is`() async throws {
        let sandbox = try Sandbox(Overlay(node: .example(), binary: nil, resources: resources).tree)
        let result = try await sandbox.run(
            """
            . /usr/libexec/ksbuild/disk-functions
            for disk in sd sda sdaa sdb sdc vdb nvme0n1 nvme0n10 mmcblk0 mmcblk1 mmcblk0boot0; do
                mkdir -p /sys/block/$disk
            done
            for device in sda10 sdb nvme0n1p1 mmcblk0p12; do mount -t tmpfs /dev/$device /mnt; done
            for device in sd sda sda1 sda10 sda100 sdaa sdb sdb1 sdc vdb nvme0n1 nvme0n1p1 nvme0n1p12 nvme0n10 \\
                mmcblk0 mmcblk0p1 mmcblk0p12 mmcblk1 mmcblk0boot0; do
                in_use /dev/$device && printf '%s ' $device
            done
            """)
        #expect(result.output == "sda sda10 sdb nvme0n1 nvme0n1p1 mmcblk0 mmcblk0p12 ", "\(result.errors)")
    }

    @Test func `a mounted disk is not mounted over`() async throws {
        let result = try await run(
            [TestDisk(name: "vda")], disk: DataDisk(),
            inside: "mkdir -p /var/lib/kubesolo; mount -t tmpfs none /var/lib/kubesolo; data-disk")
        #expect(result.output.contains("reason=\"something is mounted at /var/lib/kubesolo already\""))
        #expect(result.exitCode == 1)
    }

    @Test func `the line in fstab leaves the disk to the service and keeps those of the release`() throws {
        let tree = try Overlay(node: .example(), binary: nil, resources: resources).tree
        #expect(
            try tree.text("etc/fstab") == """
                /dev/cdrom\t/media/cdrom\tiso9660\tnoauto,ro 0 0
                /dev/usbdisk\t/media/usb\tvfat\tnoauto,ro 0 0
                # Checked and mounted by the service kubesolo-data.
                LABEL=KUBESOLO\t/var/lib/kubesolo\text4\tnoauto,noatime 0 0

                """)
    }

    @Test(arguments: [
        "relative", "/", "/etc", "/var/lib", "/usr/local/bin", "/tmp", "/a b", "/a//b", "/a/../b", "/a/", "/a'b", "/$x",
        "",
    ])
    func `a mount point that hides the system or needs quoting is refused`(path: String) {
        #expect(throws: OverlayError.self) {
            try Overlay(node: .example { $0.dataDisk.mountPoint = path }, binary: nil, resources: resources)
        }
    }

    @Test(arguments: ["", "has space", "seventeen-bytes-x", "quo\"te", "a/b", "ä"])
    func `a label that no file can hold unquoted is refused`(label: String) {
        #expect(throws: OverlayError.self) {
            try Overlay(node: .example { $0.dataDisk.label = label }, binary: nil, resources: resources)
        }
    }
}
