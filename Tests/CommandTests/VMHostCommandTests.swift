import Artefact
import SystemPackage
import TestSupport
import Testing

/// Preparing a host for virtual machines and looking at it, as a person does.
@Suite struct VMHostCommandTests {
    /// Runs a script in a folder with the words of four distributions about themselves.
    private func run(_ script: String, environment: [String: String] = [:]) async throws -> ProgramResult {
        let scratch = try Scratch()
        try scratch.file("arch", "NAME=\"Arch Linux\"\nID=arch\n")
        try scratch.file("fedora", "ID=fedora\n")
        try scratch.file("ubuntu", "ID=ubuntu\nID_LIKE=debian\n")
        try scratch.file("alpine", "ID=alpine\n")
        try scratch.file("nixos", "ID=nixos\nPRETTY_NAME=\"NixOS 25.05\"\n")
        // No libvirtd answers here, whatever runs on this host; root's own name servers and groups stay as they are.
        let preparation = """
            ks() { set +e; "$KSBUILD" vm "$@" </dev/null; echo "exit $?"; set -e; }
            none="--connect qemu+unix:///system?socket=$PWD/none"
            """
        return try await TestSupport.run(
            "bash", ["-euc", "\(preparation)\n\(script)"], in: scratch.path,
            environment: ["KSBUILD": try Product.ksbuild.string, "LIBVIRT_DEFAULT_URI": ""].merging(environment) { $1 })
    }

    @Test func `a dry run prints lines that a shell takes, and changes nothing`() async throws {
        let result = try await run(
            """
            for name in arch fedora ubuntu alpine; do
                "$KSBUILD" vm setup --dry-run --os-release $name --user nobody $none >$name.sh
                sh -n $name.sh; grep -c . $name.sh >/dev/null
            done
            grep -ho '^pacman -S .* qemu-base \\|^dnf -y install qemu-kvm \\|^apk add .* libvirt-qemu ' *.sh
            grep -h 'nobody' *.sh | grep -v '^#' | sort | uniq -c | sed 's/^ *//'
            # The network's definition reaches virsh as it is.
            sed -n '/^env LC_ALL=C virsh .* net-define/,/^EOF/p' arch.sh | sed '1s/^.*<</cat <</' | sh | xmllint --noout -
            id -Gn nobody
            """)
        #expect(
            result.output == """
                apk add --update-cache qemu-system-x86_64 qemu-img ovmf libvirt-daemon libvirt-client libvirt-qemu\u{20}
                pacman -S --needed --noconfirm qemu-base\u{20}
                dnf -y install qemu-kvm\u{20}
                1 addgroup nobody kvm
                1 addgroup nobody libvirt
                3 usermod -aG kvm nobody
                3 usermod -aG libvirt nobody
                nogroup

                """, "\(result.errors)")
        #expect(result.errors == "")
    }

    @Test func `without a terminal nobody can agree, and nothing is run`() async throws {
        let result = try await run("ks setup $none --user nobody; id -Gn nobody")
        #expect(result.output == "exit 64\nnogroup\n")
        #expect(
            result.errors.contains(
                "\n# add nobody to the group kvm: its members may use /dev/kvm\nusermod -aG kvm nobody\n"))
        let last = result.errors.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix("ksbuild: standard input is no terminal, so nobody can agree to these "))
        #expect(last.contains("give --yes, or --dry-run"))
    }

    @Test func `what is wrong with the command line or the host is said in one line`() async throws {
        let result = try await run(
            """
            ks setup --dry-run --os-release nixos
            ks setup --dry-run --os-release missing
            ks setup --dry-run --os-release arch --user 'no such'
            ks setup --dry-run --connect qemu+ssh://host/system
            ks check --connect xen:///
            ks check --backend qemu
            ks check --backend plain --connect qemu:///session
            """)
        #expect(result.output == "exit 69\nexit 66\nexit 64\nexit 64\nexit 64\nexit 64\nexit 64\n", "\(result.errors)")
        let errors = result.errors.split(separator: "\n")
        try #require(errors.count == 7)
        #expect(errors[0].hasPrefix("ksbuild: NixOS 25.05: how to prepare it is not known"))
        #expect(errors[2].hasPrefix("ksbuild: user 'no such': is not known on this host"))
        #expect(errors[3].hasPrefix("ksbuild: libvirt URI 'qemu+ssh://host/system': is not QEMU on this host"))
    }

    /// `/etc` is a copy in a mount namespace, so that `usermod` changes no group of this host.
    @Test func `setup runs what is open, and the second time there is nothing to do`() async throws {
        let result = try await run(
            """
            cp -a /etc etc
            export -f ks
            unshare --mount bash -euc '
                mount --bind etc /etc
                useradd --no-create-home "ann"
                ks setup --connect qemu:///session --user ann --yes --dry-run
                for answer in n y; do
                    code=0
                    echo $answer | script -qec "$KSBUILD vm setup --connect qemu:///session --user ann" log >log ||
                        code=$?
                    echo "exit $code"; grep -ac "Run this step now" log; id -Gn ann
                done
                ks setup --connect qemu:///session --user ann
                SUDO_USER=ann "$KSBUILD" vm setup --connect qemu:///session --dry-run'
            getent passwd ann || echo no ann here
            """)
        #expect(
            result.output == """
                # done already: install packages
                # add ann to the group kvm: its members may use /dev/kvm
                usermod -aG kvm ann
                exit 0
                exit 130
                1
                ann
                exit 0
                1
                ann kvm
                exit 0
                # done already: install packages
                # done already: add ann to the group kvm
                # nothing to do
                no ann here

                """, "\(result.errors)")
        #expect(result.errors.contains("nothing to do: the host is ready for qemu:///session\n"))
    }

    @Test func `the first step that fails ends setup, with what it said and its exit code`() async throws {
        let result = try await run(
            """
            cp -a /etc etc
            export -f ks
            unshare --mount bash -euc '
                mount --bind etc /etc
                useradd --no-create-home "ann"
                sed -i /^kvm:/d /etc/group
                ks setup --connect qemu:///session --user ann --yes'
            """)
        #expect(result.output == "exit 69\n")
        #expect(result.errors.contains("usermod: group 'kvm' does not exist\n"), "\(result.errors)")
        #expect(
            result.errors.hasSuffix(
                "ksbuild: add ann to the group kvm: 'usermod -aG kvm ann' ended with 6, and what it said is above\n"),
            "\(result.errors)")
    }

    @Test func `a user without sudo and doas is told to be root`() async throws {
        let result = try await run(
            """
            mkdir bin; for program in virsh dpkg-query env; do ln -s "$(command -v $program)" bin/; done
            cp "$KSBUILD" bin/; chmod -R a+rX .
            set +e
            PATH=$PWD/bin /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups bin/ksbuild vm setup \
                --connect qemu:///session --yes </dev/null
            echo "exit $?"
            """)
        // A host has one of the two in another place perhaps: it asks for a password that nobody gives.
        #expect(result.output == "exit 77\n", "\(result.errors)")
        #expect(
            result.errors.contains("takes root, and neither sudo nor doas is installed; run this as root")
                || result.errors.contains("does not give root's rights"))
    }

    @Test func `a step that only a person can do ends setup`() async throws {
        let result = try await run(
            """
            export -f ks
            export none
            unshare --mount bash -euc 'mount -t tmpfs none /run; ks setup $none --user root --yes'
            """)
        #expect(result.output == "exit 69\n")
        #expect(
            result.errors.hasSuffix(
                "ksbuild: start libvirt's daemon: no service manager was found; start virtlogd and libvirtd, then run this "
                    + "again\n"), "\(result.errors)")
    }

    @Test func `check says that libvirt does not run, and ends with 1`() async throws {
        let result = try await run("ks check $none; ks check $none --json")
        let lines = result.output.split(separator: "\n").map(String.init)
        let daemon = try #require(lines.first { $0.contains("libvirt at qemu+unix:///system?socket=") })
        #expect(daemon.hasPrefix("missing "))
        #expect(daemon.contains("does not run (failed to connect to the hypervisor; Failed to connect socket to '"))
        #expect(daemon.contains("; mend: "))
        #expect(lines.contains { $0.hasPrefix("unknown ") && $0.contains("network default") })
        #expect(lines.contains { $0.hasPrefix("ok ") && $0.contains("/usr/bin/qemu-system-x86_64") })
        #expect(result.output.split(separator: "\n").filter { $0 == "exit 1" }.count == 2)
        #expect(lines.contains("  \"format\" : \"ksbuild-vm-check/1\","))
        #expect(lines.contains("  \"ready\" : false,"))
        #expect(result.errors.contains("for want of: libvirt at qemu+unix:///system?socket="))
    }

    @Test func `QEMU alone asks nothing of libvirt`() async throws {
        let result = try await run("ks check --backend plain; ks check --backend plain --json")
        #expect(!result.output.contains("libvirt"))
        #expect(result.output.split(separator: "\n").filter { $0 == "exit 0" }.count == 2, "\(result.output)")
        #expect(result.output.contains("  \"ready\" : true,"))
        #expect(result.errors == "virtual machines can run here with QEMU alone\n")
    }

    @Test func `a socket that lets nobody else in names the group`() async throws {
        let result = try await run(
            """
            cp "$KSBUILD" ksbuild; chmod 0711 .; mkdir -m 0700 closed
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("closed/socket")'
            set +e
            setpriv --reuid=65534 --regid=65534 --clear-groups ./ksbuild vm check \
                --connect "qemu+unix:///system?socket=$PWD/closed/socket"
            echo "exit $?"
            """)
        #expect(
            result.output.contains("does not let nobody in (failed to connect to the hypervisor; Failed to connect"))
        #expect(result.output.contains("; mend: sudo usermod -aG libvirt nobody, then log in again, or use --connect"))
        #expect(result.output.hasSuffix("exit 1\n"))
    }

    @Test func `a folder that QEMU cannot come to is named with its mend, and the mend mends`() async throws {
        let result = try await run(
            """
            chmod 0711 .; mkdir -m 0700 mine
            row() { "$KSBUILD" vm check $none --out mine/out | grep 'way to' || true; }
            row; setfacl -m u:libvirt-qemu:x mine; row; setfacl -b mine; row; chmod o+x mine; row
            """)
        let rows = result.output.split(separator: "\n")
        try #require(rows.count == 4, "\(result.output)\(result.errors)")
        #expect(rows.map { $0.split(separator: " ").first } == ["missing", "ok", "missing", "ok"])
        #expect(
            rows[0].contains(
                "/mine is closed to libvirt-qemu, as whom libvirt runs QEMU; mend: setfacl -m u:libvirt-qemu:x /"))
    }

    @Test func `the daemon that is meant comes from the environment, else from who asks`() async throws {
        let result = try await run(
            """
            says() { "$KSBUILD" vm check --json | sed -n 's/.*"uri" : //p'; }
            says
            LIBVIRT_DEFAULT_URI="qemu+unix:///system?socket=/none" says
            cp "$KSBUILD" ksbuild; chmod 0711 .
            setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent ./ksbuild vm check --json |
                sed -n 's/.*"uri" : //p'
            """)
        #expect(
            result.output == "\"qemu:///system\"\n\"qemu+unix:///system?socket=/none\"\n\"qemu:///session\"\n",
            "\(result.errors)")
    }
}
