import Archive
import Artefact
import Glibc
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

private func overlay(
    _ pin: BinaryPin? = nil, _ change: (inout NodeImage) -> Void = { _ in }
) throws -> Overlay {
    try Overlay(node: .example(change), binary: pin, resources: resources)
}

struct OverlayTests {
    /// One line for each entry: kind and mode, owner, path, and the target of a link.
    private func listing(_ tree: FileTree) -> String {
        tree.entries.map { entry in
            let owner = "\(entry.owner):\(entry.group)"
            return switch entry.kind {
            case .directory: "d\(entry.mode) \(owner) \(entry.path)/\n"
            case .file: "-\(entry.mode) \(owner) \(entry.path)\n"
            case .symlink(let target): "l\(entry.mode) \(owner) \(entry.path) -> \(target)\n"
            }
        }.joined()
    }

    @Test func `the starter recipe comes to this tree`() throws {
        let golden = FilePath(#filePath).removingLastComponent().removingLastComponent()
            .pushing("Golden/overlay.txt")
        let listing = listing(try overlay().tree)
        if unsafe getenv("KSBUILD_RECORD") != nil { try StagedFile.write(Array(listing.utf8), to: golden) }
        let expected = String(decoding: try HostFile.read(golden, limit: 1 << 20), as: UTF8.self)
        #expect(listing == expected)
    }

    @Test func `overlays of several nodes have the bytes of each by itself, the files ksbuild brings along first`()
        throws
    {
        let scratch = try Scratch()
        let layer = scratch.path.appending("layer")
        try HostFile.makeDirectories(layer.pushing("etc/init.d"))
        try StagedFile.write(
            Array("#!/sbin/openrc-run\n".utf8), to: layer.pushing("etc/init.d/kubesolo"), mode: .executable)
        let nodes: [NodeImage] = [
            .example { _ in }, .example { $0.layers = [layer] }, .example { $0.hostname = "other" },
            .example { $0.stamp = BuildStamp(version: "1.0.0", epoch: $0.stamp.epoch + 1) }, .example { _ in },
        ]
        let shared = try OverlaySources(resources: resources)
        let target = scratch.path.appending("o.apkovl.tar.gz")
        func bytes(_ node: NodeImage, _ sources: OverlaySources) throws -> [UInt8] {
            _ = try Overlay(node: node, binary: nil, sources: sources).write(to: target)
            return try HostFile.read(target, limit: 1 << 20)
        }
        for node in nodes { #expect(try bytes(node, shared) == bytes(node, OverlaySources(resources: resources))) }

        let own = try Set(OverlaySources(resources: resources).base.entries.map(\.path.string))
        for (node, others) in [(nodes[0], 0), (nodes[1], 1)] {
            _ = try bytes(node, shared)
            var reader = try ArchiveReader(target)
            var seen: Set<String> = []
            var names: [String] = []
            while let member = try reader.next() {
                let path = OverlayContents.place(of: member.name)
                if let slash = path.lastIndex(of: "/") { #expect(seen.contains(String(path[..<slash])), "\(path)") }
                seen.insert(path)
                names.append(path)
            }
            let end = try #require(names.firstIndex { !own.contains($0) })
            // What a layer covers comes later.
            #expect(names[end...].count(where: own.contains) == others)
            #expect(names[..<end].contains("etc/init.d/kubesolo") == (others == 0))
            #expect(names[..<end].contains("usr/libexec/ksbuild/stage"))
        }
    }

    @Test func `every runlevel is there in full, and each link has its script`() async throws {
        let tree = try overlay().tree
        let levels = [
            "sysinit": "cgroups devfs dmesg hwdrivers mdev modloop",
            "boot": "bootmisc hostname ksbuild-clock ksbuild-hostkeys ksbuild-users kubesolo-data localmount modules "
                + "networking seedrng sysctl syslog",
            "default": "acpid chronyd ksbuild-health ksbuild-report kubesolo kubesolo-stage sshd",
            "shutdown": "killprocs mount-ro savecache",
        ]
        for (level, services) in levels {
            let links = tree.entries.filter { $0.path.parent?.string == "etc/runlevels/\(level)" }
            #expect(links.map(\.path.name).joined(separator: " ") == services)
            for link in links { #expect(link.kind == .symlink(target: "/etc/init.d/\(link.path.name)")) }
        }
        #expect(tree[try EntryPath("etc/.default_boot_services")] == nil)
    }

    @Test func `links follow the packages`() throws {
        let tree = try overlay { $0.packages = ["e2fsprogs"] }.tree
        let absent = [
            "etc/runlevels/default/sshd", "etc/runlevels/default/chronyd", "etc/runlevels/boot/ksbuild-hostkeys",
            "etc/ssh/sshd_config", "etc/doas.d/ksbuild.conf",
        ]
        for path in absent { #expect(tree[try EntryPath(path)] == nil) }
        let server = try overlay { $0.packages = ["openssh-server"] }.tree
        #expect(server[try EntryPath("etc/runlevels/default/sshd")] != nil)
    }

    @Test func `services the release brings exist in it`() async throws {
        // Those of packages that are not in the root come from the laboratory's mirror.
        let sandbox = try Sandbox(try overlay().tree)
        for package in ["busybox-mdev-openrc", "openssh-server-common-openrc", "chrony-openrc"] {
            try await sandbox.unpack(package)
        }
        let result = try await sandbox.run("for link in /etc/runlevels/*/*; do [ -x $link ] || echo $link; done")
        #expect(result.output == "")
    }

    @Test func `OpenRC knows the order of the services`() async throws {
        let sandbox = try Sandbox(try overlay().tree)
        for package in ["busybox-mdev-openrc", "openssh-server-common-openrc", "chrony-openrc"] {
            try await sandbox.unpack(package)
        }
        // What OpenRC makes of every depend(), as `depinfo_N_service='a'` and `depinfo_N_iafter_M='b'`.
        let result = try await sandbox.run(
            """
            PATH=$PATH:/usr/libexec/rc/bin:/usr/libexec/rc/sbin
            mkdir -p /run/openrc/started
            rc-depend -u >/dev/null
            cat /run/openrc/deptree
            """)
        var names: [String: String] = [:]
        var earlier: [String: Set<String>] = [:]
        var provided: [String: Set<String>] = [:]
        for line in result.output.split(separator: "\n") {
            let halves = line.split(separator: "=", maxSplits: 1).map(String.init)
            let words = halves[0].split(separator: "_").map(String.init)
            guard halves.count == 2, words.count >= 3, words[0] == "depinfo" else { continue }
            let value = halves[1].filter { $0 != "'" }
            if words[2] == "service" { names[words[1]] = value }
            guard let name = names[words[1]] else { continue }
            if words[2] == "iprovide" { provided[name, default: []].insert(value) }
            if ["ineed", "iuse", "iwant", "iafter"].contains(words[2]) { earlier[name, default: []].insert(value) }
        }
        // What is asked of `logger` is asked of whoever provides it, and the other way round.
        for (service, names) in provided {
            for name in names { earlier[service, default: []].formUnion(earlier[name] ?? []) }
        }
        for (service, before) in earlier {
            let providers = provided.filter { !$0.value.isDisjoint(with: before) }.keys
            earlier[service]?.formUnion(providers.filter { $0 != service })
        }
        func all(before service: String) -> Set<String> {
            var found: Set<String> = []
            var open = [service]
            while let next = open.popLast() {
                for one in earlier[next] ?? [] where found.insert(one).inserted { open.append(one) }
            }
            return found
        }
        let orders: [String: Set<String>] = [
            "kubesolo-data": ["localmount", "modules", "bootmisc", "modloop", "hwdrivers"],
            "ksbuild-clock": ["kubesolo-data", "hwclock"],
            "syslog": ["kubesolo-data", "ksbuild-clock", "ksbuild-users"],
            "networking": ["ksbuild-clock", "ksbuild-users", "kubesolo-data"],
            "ksbuild-hostkeys": ["kubesolo-data", "ksbuild-clock", "seedrng"],
            "sshd": ["ksbuild-hostkeys", "ksbuild-users", "networking"],
            "kubesolo": [
                "kubesolo-data", "kubesolo-stage", "cgroups", "networking", "chronyd", "ksbuild-clock", "syslog",
            ],
            "ksbuild-health": ["kubesolo"], "ksbuild-report": ["kubesolo", "sshd", "chronyd", "acpid"],
        ]
        for (service, expected) in orders {
            #expect(expected.subtracting(all(before: service)) == [], "\(service)")
            #expect(!all(before: service).contains(service), "\(service) comes after itself")
        }
    }

    @Test func `every script is clean to shellcheck`() async throws {
        let base = resources.appending("base")
        let programs = try HostFile.names(in: base.pushing("usr/libexec/ksbuild")).map { "usr/libexec/ksbuild/\($0)" }
        let services = try HostFile.names(in: base.pushing("etc/init.d")).map { "etc/init.d/\($0)" }
        let common = ["--norc", "-x", "-s", "dash", "-P", base.string]
        for (files, exclusions) in [(programs, [String]()), (services + ["etc/conf.d/syslog"], ["-e", "SC1008"])] {
            let result = try await TestSupport.run("shellcheck", common + exclusions + files, in: base)
            #expect(result.succeeded, "\(result.output)")
        }
    }

    @Test func `every script parses in the node's own shell`() async throws {
        let sandbox = try Sandbox(try overlay().tree)
        let result = try await sandbox.run(
            """
            for file in /etc/init.d/k* /usr/libexec/ksbuild/* /etc/conf.d/[ks]* /etc/ksbuild/release; do
                sh -n $file || echo $file
            done
            """)
        #expect(result.output + result.errors == "")
    }

    @Test func `the same node gives the same bytes, whatever the umask`() throws {
        let scratch = try Scratch()
        let first = try overlay().write(to: scratch.path.appending("1.apkovl.tar.gz"))
        let mask = umask(0o077)
        defer { umask(mask) }
        let second = try overlay().write(to: scratch.path.appending("2.apkovl.tar.gz"))
        #expect(first.digest == second.digest)
    }

    @Test(arguments: ["busybox tar -x -z -f", "tar -x -z --numeric-owner -f", "bsdtar -x -z -p --numeric-owner -f"])
    func `each tar extracts what was meant`(program: String) async throws {
        let scratch = try Scratch()
        let tree = try overlay().tree
        let file = scratch.path.appending("o.apkovl.tar.gz")
        _ = try overlay().write(to: file)
        let out = scratch.path.appending("out")
        try HostFile.makeDirectory(out)
        let words = program.split(separator: " ").map(String.init)
        let result = try await TestSupport.run(words[0], Array(words.dropFirst()) + [file.string, "-C", out.string])
        #expect(result.succeeded, "\(result.errors)")
        let found = try await TestSupport.run(
            "find", [".", "-mindepth", "1", "-printf", "%y%m %U:%G %P %l %T@\\n"], in: out)
        let isRoot = geteuid() == 0
        let expected = tree.entries.map { entry in
            let kind = entry.isDirectory ? "d" : entry.size == 0 && entry.mode == .symlink ? "l" : "f"
            let target = if case .symlink(let target) = entry.kind { target } else { "" }
            let owner = isRoot ? "\(entry.owner):\(entry.group)" : "\(geteuid()):\(getegid())"
            return "\(kind)\(String(entry.mode.bits, radix: 8)) \(owner) \(entry.path) \(target)"
        }
        let lines = found.output.split(separator: "\n").map { line in
            String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)])
        }
        #expect(Set(lines).symmetricDifference(expected) == [])
        #expect(lines.count == expected.count)
    }

    @Test func `only secrets make the file unreadable for others`() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("o.apkovl.tar.gz")
        _ = try overlay().write(to: path)
        #expect(try HostFile.status(of: path).mode == .file)
        _ = try overlay { $0.access.hostKeys = .provided([.init(algorithm: "ed25519", privateKey: [1])]) }.write(
            to: path)
        #expect(try HostFile.status(of: path).mode == .secret)
    }

    @Test func `the world is sorted and holds alpine-base`() throws {
        let made = try overlay { $0.packages = ["zsh", "e2fsprogs", "openssh", "e2fsprogs"] }
        #expect(made.world == ["alpine-base", "e2fsprogs", "openssh", "zsh"])
        #expect(try made.tree.text("etc/apk/world") == "alpine-base\ne2fsprogs\nopenssh\nzsh\n")
        #expect(try made.tree.text("etc/apk/repositories") == nil)
    }

    @Test func `repositories are written where the recipe names some`() throws {
        let tree = try overlay { $0.repositories = ["https://a.example/main", "@x https://b.example/x"] }.tree
        #expect(try tree.text("etc/apk/repositories") == "https://a.example/main\n@x https://b.example/x\n")
        #expect(throws: OverlayError.self) { try overlay { $0.repositories = ["a\nb"] } }
        #expect(throws: OverlayError.self) { try overlay { $0.packages = ["a b"] } }
    }

    @Test func `each console has a login and its reports`() throws {
        let tree = try overlay { $0.consoles = ["tty0", "ttyS0", "ttyAMA0", "hvc0"] }.tree
        let inittab = try #require(try tree.text("etc/inittab"))
        let gettys = inittab.split(separator: "\n").filter { $0.contains("getty") }
        #expect(
            gettys == [
                "tty1::respawn:/sbin/getty 38400 tty1", "ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100",
                "ttyAMA0::respawn:/sbin/getty -L 115200 ttyAMA0 vt100",
                "hvc0::respawn:/sbin/getty -L 115200 hvc0 vt100",
            ])
        #expect(try tree.text("etc/ksbuild/consoles") == "tty1\nttyS0 115200\nttyAMA0 115200\nhvc0 115200\n")
        #expect(throws: OverlayError.self) { try overlay { $0.consoles = ["ttyS0::respawn:/bin/sh"] } }
    }

    @Test func `names resolve to the node itself`() throws {
        #expect(
            try overlay().tree.text("etc/hosts") == """
                127.0.0.1\tnode1 localhost localhost.localdomain
                ::1\t\tnode1 localhost localhost.localdomain

                """)
        #expect(
            try overlay { $0.hostname = "a.b.example" }.tree.text("etc/hosts")?.contains("\ta.b.example a localhost")
                == true)
        #expect(throws: OverlayError.self) { try overlay { $0.hostname = "a b" } }
    }

    @Test func `warnings name what is missing`() throws {
        #expect(try overlay().warnings.count == 1)
        let bare = try overlay { $0.packages = [] }.warnings
        for word in ["nftables", "e2fsprogs", "e2fsprogs-extra", "openssl", "openssh", "doas"] {
            #expect(bare.contains { $0.contains(word) }, "\(word)")
        }
        let old = try overlay { $0.kubesolo.version = KubeSoloVersion("v1.1.2") ?? $0.kubesolo.version }.warnings
        #expect(old.contains { $0.contains("v1.1.3 or newer") })
        let inPlace = try overlay { node in
            node.kubesolo.configuration = .mapping([.init("api", .mapping([.init("enabled", .bool(true))]))])
        }
        #expect(inPlace.warnings.contains { $0.hasPrefix("kubesolo.config.api.enabled: ") })
        let pin = BinaryPin(digest: Digest(of: []), size: 0)
        #expect(try overlay(pin) { $0.packages += ["nftables"] }.warnings == [])
    }

    @Test func `without the files it brings along nothing is made`() throws {
        let scratch = try Scratch()
        #expect {
            try Overlay(node: .example(), binary: nil, resources: scratch.path)
        } throws: { ($0 as? OverlayError)?.code == .missingResources }
    }

    @Test func `the name is the host's`() { #expect(Overlay.fileName(.example()) == "node1.apkovl.tar.gz") }
}

struct ReportTests {
    @Test func `a fact goes to every console and to the kernel's log, and a missing console holds nothing up`()
        async throws
    {
        let sandbox = try Sandbox(try overlay { $0.consoles = ["ttyS0", "ttyS9", "ttyS3"] }.tree)
        let result = try await sandbox.run(
            """
            report 'data state=mounted label=X'
            report -c t 'once'; report -c t 'once'; report -c t 'twice'
            ls /dev | tr '\\n' ' '
            """,
            before: """
                mknod "$root/dev/ttyS0" c 4 200
                """)
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output == "kmsg null ttyS0 urandom zero ")
    }

    @Test func `a quoted value reaches the shell as it is`() async throws {
        let seed: UInt64 = 20_260_101
        var random = SplitMix(state: seed)
        let alphabet = Array("'\"\\$`!#&|;<>(){}[]*?~ \tabcABC019-_=+,.:/%@^é€".unicodeScalars)
        var values = ["", "'", "''", "a'b", "$(reboot)", "`id`", "\\", "-n", "a  b", "\"", "~", "*"]
        for _ in 0..<200 {
            var text = ""
            for _ in 0..<Int(random.next() % 12) {
                text.unicodeScalars.append(alphabet[Int(random.next() % UInt64(alphabet.count))])
            }
            values.append(text)
        }
        var settings = ShellSettings("Values.")
        for (index, value) in values.enumerated() { try settings.assign("value_\(index)", value) }
        let sandbox = try Sandbox()
        try sandbox.file("etc/conf.d/values", settings.text)
        let script = """
            . /etc/conf.d/values
            i=0
            while [ $i -lt \(values.count) ]; do
                eval "printf '%s\\\\n' \\"\\$value_$i\\""
                i=$((i + 1))
            done
            """
        let result = try await sandbox.run(script)
        #expect(result.output == values.map { $0 + "\n" }.joined(), "seed \(seed)")
        #expect(throws: OverlayError.self) { try settings.assign("x", "a\nb") }
        #expect(throws: OverlayError.self) { try settings.assign("x", "a\0b") }
    }
}

/// The generator of Steele, Lea and Flood (2014), so that a run can be repeated.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
