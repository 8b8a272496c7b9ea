import Artefact
import Glibc
import Node
import SystemPackage
import TestSupport

@testable import APKOVL

/// The laboratory's real Alpine root with an overlay unpacked over it, in name spaces of its own: nothing outside
/// changes, whatever a script does.
struct Sandbox: ~Copyable {
    private let scratch: Scratch

    /// The directory that stands over the root; files may be added before a run.
    var upper: FilePath { scratch.path.appending("upper") }

    init(_ tree: FileTree = FileTree()) throws {
        // Everything that can fail comes before the property is set, as a type without copies demands.
        let scratch = try Scratch()
        for name in ["upper", "root"] { try HostFile.makeDirectory(scratch.path.appending(name)) }
        try tree.write(below: scratch.path.appending("upper"))
        self.scratch = scratch
    }

    /// Adds or replaces a file.
    func file(_ name: String, _ text: String, mode: EntryMode = .file) throws {
        try scratch.file("upper/\(name)", text, mode: mode)
    }

    /// Unpacks a package of the laboratory's mirror over the root.
    func unpack(_ package: String) async throws {
        let packages = labRoot.removingLastComponent().pushing("mirror/alpine/v3.23/main/x86_64")
        let name = try HostFile.names(in: packages).first { name in
            name.hasPrefix(package + "-") && name.dropFirst(package.utf8.count + 1).first?.isNumber == true
        }
        guard let name else { throw ArtefactError(.system, subject: package, detail: "is not in the laboratory") }
        let result = try await TestSupport.run(
            "tar", ["-C", upper.string, "-xzf", packages.appending(name).string, "--exclude=.*", "--warning=no-all"])
        guard result.succeeded else {
            throw ArtefactError(.system, subject: package, detail: "cannot be unpacked: \(result.errors)")
        }
    }

    /// Runs a script of busybox ash inside, as root, with few devices, `/proc`, an empty `/sys` and `/shared`, and no
    /// network.
    ///
    /// `before` runs outside, with the root at `$root`, once everything is mounted; the loop devices that it names in
    /// `$loops` are given back at the end.
    func run(_ script: String, before: String = "") async throws -> ProgramResult {
        let outer = """
            set -eu
            loops=
            trap 'for loop in $loops; do losetup -d "$loop"; done' EXIT
            base=\(scratch.path.string)
            root=$base/root
            mount -t tmpfs none "$root"
            mkdir "$root/changes" "$root/work" "$root/all"
            mount -t overlay -o "lowerdir=$base/upper:\(labRoot.string),upperdir=$root/changes,workdir=$root/work" \
                none "$root/all"
            root=$root/all
            mount -t proc none "$root/proc"
            mount -t tmpfs none "$root/dev"
            mount -t tmpfs none "$root/run"
            mount -t tmpfs none "$root/sys"
            for node in null:1:3 zero:1:5 urandom:1:9 kmsg:1:3; do
                name=${node%%:*} number=${node#*:}
                mknod -m 666 "$root/dev/$name" c ${number%:*} ${number#*:}
            done
            mkdir -p "$root/shared"
            mount -t tmpfs none "$root/shared"
            \(before)
            code=0
            env -i PATH=/usr/libexec/ksbuild:/usr/sbin:/usr/bin:/sbin:/bin SHELL=/bin/sh HOME=/root \
                chroot "$root" /bin/sh -c "$INNER" || code=$?
            exit $code
            """
        let words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", outer]
        // What makes name spaces and device nodes needs root.
        let prefix = geteuid() == 0 ? [] : ["sudo", "-n", "--preserve-env=INNER"]
        let all = prefix + words
        return try await TestSupport.run(all[0], Array(all.dropFirst()), environment: ["INNER": script])
    }
}

/// What the scripts would have said on a console: the sandbox has one that is a file.
let consoleScript = """
    #!/bin/sh
    [ "$1" = -c ] && shift 2
    printf 'ksbuild: %s\\n' "$1"
    """

/// A sandbox with the example overlay whose reports go to standard output.
func reportingSandbox(_ pin: BinaryPin? = nil, _ change: (inout NodeImage) -> Void = { _ in }) throws -> Sandbox {
    let sandbox = try Sandbox(Overlay(node: .example(change), binary: pin, resources: resources).tree)
    try sandbox.file("usr/libexec/ksbuild/report", consoleScript, mode: .executable)
    return sandbox
}

/// Mounts a small file system of its own where the data disk is.
let mountData = "mkdir -p /var/lib/kubesolo; mount -t tmpfs -o size=1m none /var/lib/kubesolo\n"
