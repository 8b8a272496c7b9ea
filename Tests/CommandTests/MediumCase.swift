import Artefact
import SystemPackage
import TestSupport
import Testing

/// A small medium with Alpine's layout, and changes to it.
///
/// Its parts are what the programs make of them: cpio and gzip the initramfs, mksquashfs the modloop, tar the index and the
/// overlay, xorriso the image. The kernel is a header with a version.
struct MediumCase: Sendable, CustomTestStringConvertible {
    /// What the case shows.
    let name: String
    /// The rules of the findings, those of the overlay itself left out.
    let rules: Set<String>
    /// Shell commands in the folder that holds `tree`, in which everything is that goes onto the medium.
    let change: String
    /// The arguments of xorriso's mkisofs emulation.
    var image = "-R -J -V 'alpine-virt 3.23.6 x86_64'"

    var testDescription: String { name }

    init(_ name: String, _ rules: Set<String>, _ change: String, image: String? = nil) {
        self.name = name
        self.rules = rules
        self.change = change
        if let image { self.image = image }
    }

    /// Makes the image `medium.iso` in a folder.
    func make(in scratch: borrowing Scratch) async throws {
        let made = try await run(
            "bash", ["-euc", "\(Self.medium)\n\(change)\nxorriso -as mkisofs -quiet \(image) -o medium.iso tree"],
            in: scratch.path)
        try #require(made.succeeded, "\(made.output)\(made.errors)")
    }

    /// The findings and the text that `inspect` prints of `medium.iso`.
    func inspect(in scratch: borrowing Scratch) async throws -> (rules: Set<String>, text: String, exitCode: Int) {
        let script = """
            import json, sys
            document = json.load(open("document"))
            for finding in document["findings"]:
                if ": " not in finding["path"]: print(finding["rule"])
            """
        let told = try await run(
            "bash",
            ["-uc", "'\(try Product.ksbuild)' inspect --json medium.iso >document; exec python3 -c '\(script)'"],
            in: scratch.path)
        try #require(told.succeeded, "\(told.errors)")
        let text = try await ksbuild("inspect", "medium.iso", in: scratch.path)
        return (
            Set(told.output.split(separator: "\n").map(String.init)), text.output + text.errors, text.exitCode
        )
    }

    /// Functions, and a medium of which there is nothing to say.
    private static let medium = #"""
        kernel() { python3 - "$1" "$2" <<'EOF'
        import sys
        head = bytearray(4096)
        head[0x202:0x206] = b"HdrS"
        head[0x20e:0x210] = (0x400 - 0x200).to_bytes(2, "little")
        text = sys.argv[1].encode() + b" (builder) #1"
        head[0x400:0x400 + len(text)] = text
        open(sys.argv[2], "wb").write(head)
        EOF
        }
        initramfs() { # VERSION FILE
            rm -rf ram; mkdir -p "ram/lib/modules/$1/kernel"
            (cd ram; find . | sort | cpio -o -H newc --quiet) | gzip -n >"$2"
        }
        modloop() { # VERSION FILE
            rm -rf loop; mkdir -p "loop/modules/$1/kernel" loop/modules/firmware
            mksquashfs loop "$2" -comp xz -noappend -quiet
        }
        index() { # FOLDER SIGNED: lists FOLDER/NAME-1.apk
            python3 - "$1" "$2" <<'EOF'
        import gzip, io, os, sys, tarfile
        folder, signed = sys.argv[1:]
        blocks = []
        for name in sorted(os.listdir(folder)):
            if name.endswith("-1.apk"):
                size = os.path.getsize(os.path.join(folder, name))
                blocks.append(f"C:Q1MEYyO7pdAiPFDkFd7JCrp4ZyuXE=\nP:{name[:-6]}\nV:1\nA:x86_64\nS:{size}\nI:{size}\nT:t\n")
        def tar(files, cut):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for name, data in files:
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
            data = out.getvalue()
            end = sum(512 + (len(d) + 511) // 512 * 512 for _, d in files)
            return gzip.compress(data[:end] if cut else data, mtime=0)
        text = ("\n".join(blocks) + "\n").encode()
        with open(os.path.join(folder, "APKINDEX.tar.gz"), "wb") as file:
            if signed == "signed": file.write(tar([(".SIGN.RSA.lab.rsa.pub", b"x" * 256)], True))
            file.write(tar([("DESCRIPTION", b"d"), ("APKINDEX", text)], False))
        EOF
        }
        overlay() { # FILE WORD...
            rm -rf over; mkdir -p over/etc/apk; file=$1; shift
            echo node >over/etc/hostname; printf '%s\n' "$@" >over/etc/apk/world
            tar -C over --owner=0 --group=0 -czf "$file" etc
        }
        mkdir -p tree/boot/syslinux tree/apks/x86_64
        kernel 6.18.56-0-virt tree/boot/vmlinuz-virt
        initramfs 6.18.56-0-virt tree/boot/initramfs-virt
        modloop 6.18.56-0-virt tree/boot/modloop-virt
        echo 'alpine-virt-3.23.6 261015' >tree/.alpine-release
        touch tree/apks/.boot_repository
        echo package >tree/apks/x86_64/alpine-base-1.apk
        echo package >tree/apks/x86_64/openssh-1.apk
        index tree/apks/x86_64 signed
        printf '%s\n' 'DEFAULT virt' 'LABEL virt' ' KERNEL /boot/vmlinuz-virt' ' INITRD /boot/initramfs-virt' \
            ' APPEND modules=loop quiet' >tree/boot/syslinux/syslinux.cfg
        """#
}
