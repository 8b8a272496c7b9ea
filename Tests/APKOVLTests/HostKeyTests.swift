import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import APKOVL

struct HostKeyTests {
    private func provide(
        _ mode: Access.HostKeys = .persistent, _ script: String
    ) async throws -> String {
        let sandbox = try reportingSandbox(nil) { $0.access.hostKeys = mode }
        try await sandbox.unpack("openssh-keygen")
        let result = try await sandbox.run(
            """
            mkdir -p /etc/ssh /var/lib/kubesolo
            \(script)
            """)
        return result.output + result.errors
    }

    @Test func `the key is made once, on the data disk, for root alone`() async throws {
        let output = try await provide(
            .persistent,
            mountData + """
                hostkeys >/tmp/1; hostkeys >/tmp/2
                sed 's/.*state=/state=/' /tmp/1 /tmp/2
                [ "$(sed 's/ state=.*//' /tmp/1)" = "$(sed 's/ state=.*//' /tmp/2)" ] && echo same
                cd /var/lib/kubesolo && stat -c '%a %u %n' ssh ssh/*
                readlink /etc/ssh/ssh_host_ed25519_key
                """)
        #expect(
            output == """
                state=made
                state=kept
                same
                700 0 ssh
                600 0 ssh/ssh_host_ed25519_key
                644 0 ssh/ssh_host_ed25519_key.pub
                /var/lib/kubesolo/ssh/ssh_host_ed25519_key

                """)
    }

    @Test func `the fact holds type and fingerprint as clients show them`() async throws {
        let output = try await provide(
            .persistent, mountData + "hostkeys; ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub")
        let lines = output.split(separator: "\n").map(String.init)
        let shown = try #require(lines.last?.split(separator: " ").dropFirst().first)
        #expect(lines.first == "ksbuild: hostkey type=ssh-ed25519 fingerprint=\(shown) state=made")
    }

    @Test func `without the data disk the key is fresh and in memory`() async throws {
        let output = try await provide(
            .persistent, "hostkeys | sed 's/.*state=/state=/'; ls /etc/ssh /var/lib/kubesolo; stat -c %a /etc/ssh/*key")
        #expect(output.hasPrefix("state=fresh reason=\"the data disk is not mounted\"\n"))
        #expect(output.contains("ssh_host_ed25519_key\n"))
        #expect(output.hasSuffix("600\n"))
        #expect(!output.contains("ssh\n\n"))
    }

    @Test func `fresh keys never touch the data disk`() async throws {
        let output = try await provide(.fresh, mountData + "hostkeys | sed 's/.*state=/state=/'; ls /var/lib/kubesolo")
        #expect(output == "state=fresh\n")
    }

    @Test func `a damaged key is set aside and made anew`() async throws {
        let output = try await provide(
            .persistent,
            mountData + """
                mkdir /var/lib/kubesolo/ssh; echo rubbish >/var/lib/kubesolo/ssh/ssh_host_ed25519_key
                hostkeys | sed 's/.*state=/state=/'; ls /var/lib/kubesolo/ssh
                """)
        #expect(output == "state=made\nssh_host_ed25519_key\nssh_host_ed25519_key.damaged\nssh_host_ed25519_key.pub\n")
    }

    /// A data disk on which nothing can be made, each in its own way.
    struct Hindrance: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let setup: String
    }

    private static let rubbish =
        "mkdir -m 700 /var/lib/kubesolo/ssh; echo rubbish >/var/lib/kubesolo/ssh/ssh_host_ed25519_key\n"
    private static let fill = "dd if=/dev/zero of=/var/lib/kubesolo/fill 2>/dev/null\n"
    private static let readOnly = "mount -o remount,ro /var/lib/kubesolo\n"

    @Test(arguments: [
        Hindrance(testDescription: "full", setup: fill),
        Hindrance(testDescription: "read-only", setup: readOnly),
        Hindrance(testDescription: "damaged key, full", setup: rubbish + fill),
        Hindrance(testDescription: "damaged key, read-only", setup: rubbish + readOnly),
    ])
    func `a data disk that takes no key gives a fresh one, with the reason`(hindrance: Hindrance) async throws {
        let output = try await provide(
            .persistent,
            mountData + hindrance.setup + """
                hostkeys 2>/dev/null | sed 's/.*state=/state=/'
                ls /etc/ssh | grep ssh_host; stat -c '%F %a' /etc/ssh/ssh_host_ed25519_key
                ssh-keygen -y -P '' -f /etc/ssh/ssh_host_ed25519_key >/dev/null && echo usable
                """)
        #expect(
            output == """
                state=fresh reason="no key can be written to the data disk"
                ssh_host_ed25519_key
                ssh_host_ed25519_key.pub
                regular file 600
                usable

                """)
    }

    @Test func `a key on a disk that has become read-only is kept`() async throws {
        let output = try await provide(
            .persistent, mountData + "hostkeys >/dev/null; \(Self.readOnly) hostkeys | sed 's/.*state=/state=/'")
        #expect(output == "state=kept\n")
    }

    @Test func `a key that the recipe brings is used as it is`() async throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("key")
        let made = try await TestSupport.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.string])
        #expect(made.succeeded)
        let key = Access.HostKey(algorithm: "ed25519", privateKey: try HostFile.read(path, limit: 4096))
        let shown = try await TestSupport.run("ssh-keygen", ["-l", "-f", path.string]).output.split(separator: " ")[1]
        let output = try await provide(.provided([key]), mountData + "hostkeys; ls /var/lib/kubesolo")
        #expect(output == "ksbuild: hostkey type=ssh-ed25519 fingerprint=\(shown) state=kept\n")
    }

    @Test func `the server takes the configuration`() async throws {
        let sandbox = try reportingSandbox()
        for package in ["openssh-keygen", "openssh-server", "openssh-server-common"] {
            try await sandbox.unpack(package)
        }
        try sandbox.file(
            "etc/ssh/sshd_config",
            try #require(
                try Overlay(node: .example(), binary: nil, resources: resources).tree.text("etc/ssh/sshd_config")))
        let result = try await sandbox.run(
            """
            mkdir -p /var/empty; grep -q ^sshd: /etc/passwd || adduser -S -D -H sshd
            hostkeys >/dev/null; sshd -t && sshd -T -C user=alpine,host=h,addr=192.0.2.1 | sort
            """)
        let settings = Set(result.output.split(separator: "\n").map(String.init))
        let expected: Set = [
            "passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin no",
            "permitemptypasswords no", "authenticationmethods publickey", "allowusers alpine",
            "hostkey /etc/ssh/ssh_host_ed25519_key", "authorizedkeysfile .ssh/authorized_keys", "x11forwarding no",
        ]
        #expect(expected.subtracting(settings) == [], "\(result.output)\(result.errors)")
    }
}
