import Artefact
import Node
import TestSupport
import Testing

@testable import APKOVL

struct UsersTests {
    private let show = """
        cat /etc/passwd | grep -E '^(root|alpine|second):'; grep -E '^(alpine|second):' /etc/group
        cut -d: -f1,2 /etc/shadow | grep -E '^(root|alpine|second):'; stat -c '%u:%g %a %n' /home/* /etc/shadow
        """

    private func overlay(_ change: (inout NodeImage) -> Void = { _ in }) throws -> FileTree {
        try Overlay(node: .example(change), binary: nil, resources: resources).tree
    }

    @Test func `users have their fixed numbers, root and users without a hash are locked with a star`() async throws {
        let sandbox = try Sandbox(
            overlay { node in
                node.access.users.append(
                    User(name: "second", identifier: 2000, passwordHash: "$6$salt$abcdefghijklmnopqrstuvw"))
            })
        let result = try await sandbox.run("users && echo done; \(show)")
        #expect(
            result.output == """
                done
                root:x:0:0:root:/root:/bin/sh
                alpine:x:1000:1000::/home/alpine:/bin/sh
                second:x:2000:2000::/home/second:/bin/sh
                alpine:x:1000:alpine
                second:x:2000:second
                root:*
                alpine:*
                second:$6$salt$abcdefghijklmnopqrstuvw
                1000:1000 700 /home/alpine
                2000:2000 700 /home/second
                0:0 640 /etc/shadow

                """)
    }

    @Test func `a second run changes nothing`() async throws {
        let sandbox = try Sandbox(overlay())
        let result = try await sandbox.run(
            "users; md5sum /etc/passwd /etc/group /etc/shadow >/tmp/1; users && md5sum -c /tmp/1")
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    @Test func `a user of the release is never taken over, and root is locked all the same`() async throws {
        let sandbox = try Sandbox(overlay { $0.access.users[0].name = "ftp" })
        try sandbox.file("usr/libexec/ksbuild/report", consoleScript, mode: .executable)
        let result = try await sandbox.run("users; echo code $?; grep ^root: /etc/shadow | cut -d: -f2; id -u ftp")
        #expect(
            result.output == """
                ksbuild: users state=refused user=ftp reason="the release has a user of this name with number 21"
                code 1
                *
                21

                """)
    }

    @Test func `a number that is taken is refused`() async throws {
        let sandbox = try Sandbox(overlay { $0.access.users.append(User(name: "second", identifier: 1000)) })
        try sandbox.file("usr/libexec/ksbuild/report", consoleScript, mode: .executable)
        let result = try await sandbox.run("users; echo code $?; id -u second")
        #expect(result.output.contains("users state=refused user=second"))
        #expect(result.output.contains("code 1"))
        #expect(result.errors.contains("unknown user"))
    }

    @Test func `keys belong to the user alone`() throws {
        let tree = try overlay()
        let folder = try #require(tree[try EntryPath("home/alpine/.ssh")])
        let keys = try #require(tree[try EntryPath("home/alpine/.ssh/authorized_keys")])
        #expect((folder.mode, folder.owner, folder.group) == (.privateDirectory, 1000, 1000))
        #expect((keys.mode, keys.owner, keys.group) == (.secret, 1000, 1000))
        #expect(try tree.text("home/alpine/.ssh/authorized_keys") == "\(exampleKey)\n")
    }

    @Test(arguments: ["root", "", "Über", "-x", "a b", "x:y", "9lives", String(repeating: "a", count: 32)])
    func `a name that no account can have is refused`(name: String) {
        #expect(throws: OverlayError.self) { try overlay { $0.access.users[0].name = name } }
    }

    @Test(arguments: ["x", "a:b:cdefghijklmnop", "has space in it yes", "line\nbreak-in-the-hash"])
    func `what is no password hash is refused`(hash: String) {
        #expect(throws: OverlayError.self) { try overlay { $0.access.users[0].passwordHash = hash } }
    }

    @Test func `a password hash makes the overlay a secret`() throws {
        #expect(try !overlay().holdsSecrets)
        #expect(try overlay { $0.access.users[0].passwordHash = "$6$salt$abcdefghijklmnopqrstuvw" }.holdsSecrets)
    }

    @Test func `root cannot log in at a terminal while its password is still empty`() async throws {
        func login(_ change: String, answer: String, then words: String) async throws -> String {
            let sandbox = try Sandbox(overlay())
            let result = try await sandbox.run(
                "cat /shared/login",
                before: """
                    mkdir "$root/dev/pts"
                    mount --bind /dev/pts "$root/dev/pts"
                    \(change)
                    heard() {
                        tries=0
                        until grep -q "$1" "$root/shared/login"; do
                            tries=$((tries + 1))
                            [ $tries -lt 1200 ] || exit 1
                            sleep 0.1
                        done
                    }
                    : >"$root/shared/login"
                    (heard login:; echo root; heard '\(answer)'; \(words)) |
                        timeout 120 script -q -c "chroot $root /bin/login" /dev/null >>"$root/shared/login" || true
                    """)
            return result.output
        }
        async let refused = login("", answer: "incorrect", then: ":")
        // The stock password is empty: without our file root is let in, so what is seen with it is the file's doing.
        async let accepted = login(
            "rm -f \"$root/etc/securetty\"", answer: "# ",
            then: "echo 'echo I am $(id -u)'; heard 'I am 0'; echo exit")
        #expect(try await refused.contains("Login incorrect"))
        #expect(try await accepted.contains("I am 0"))
    }

    @Test func `what init adds for the consoles it finds lets nobody in`() async throws {
        let sandbox = try Sandbox(overlay { $0.consoles = ["ttyS0"] })
        // The very function of Alpine's init, on a root that is not mounted yet.
        let result = try await sandbox.run(
            """
            mkdir -p /shared/sysroot /shared/rom/sys/class/tty/console
            echo ttyS0 tty1 hvc0 >/shared/rom/sys/class/tty/console/active
            mv /etc /shared/sysroot/etc
            stty() { :; }
            ROOT=/shared/rom sysroot=/shared/sysroot KOPT_consoles=ttyS9 ovl=
            init=/usr/share/mkinitfs/initramfs-init
            eval "$(sed -n '/^list_console_devices()/,/^}/p; /^detect_serial_consoles()/,/^}/p' $init)"
            eval "$(sed -n '/^setup_inittab_console()/,/^}/p' $init)"
            setup_inittab_console
            grep -v '^#' /shared/sysroot/etc/ksbuild/securetty
            readlink /shared/sysroot/etc/securetty
            grep -c ^ttyS0: /shared/sysroot/etc/inittab
            grep -c ^hvc0: /shared/sysroot/etc/inittab
            """)
        #expect(result.output == "none\n/etc/ksbuild/securetty\n1\n1\n", "\(result.errors)")
    }
}
