internal import SystemPackage

extension HostCheck {
    /// The daemon and, where machines have their network from it, that network.
    func libvirtRows() async throws -> [HostCheckRow] {
        let daemon = try await daemonRow()
        guard connection.daemon == .system else { return [daemon] }
        return [daemon, try await networkRow(daemonAnswers: daemon.state == .ok), await program("dnsmasq")]
    }

    private func daemonRow() async throws -> HostCheckRow {
        let name = "libvirt at \(connection)"
        do {
            guard let answer = try await connection.ask(["version"]) else {
                return HostCheckRow(name, .unknown, "virsh is missing", mend: "see virsh")
            }
            guard !answer.succeeded else {
                let version = answer.output.split(whereSeparator: \.isNewline).first { $0.contains("hypervisor") }
                return HostCheckRow(name, .ok, version?.trimmed ?? "answers")
            }
            switch LibvirtRefusal(message: answer.complaint) {
            case .notRunning:
                return HostCheckRow(name, .missing, "does not run (\(answer.complaint))", mend: startMend)
            case .notPermitted:
                return HostCheckRow(
                    name, .missing, "does not let \(user.name) in (\(answer.complaint))", mend: permissionMend)
            case .noPolkit:
                return HostCheckRow(
                    name, .missing, "leaves it to polkit whether \(user.name) may use it, and polkit cannot be asked",
                    mend: "start dbus and polkit, or set auth_unix_rw = \"none\" and unix_sock_group = \"libvirt\" in "
                        + "/etc/libvirt/libvirtd.conf")
            case .other(let message):
                return HostCheckRow(name, .missing, "does not answer (\(message))", mend: startMend)
            }
        } catch let error as MachineError {
            return HostCheckRow(
                name, .missing, "does not answer (\(error))", mend: "see the daemon's log, or restart it")
        }
    }

    private var startMend: String {
        guard connection.daemon == .system else { return "'ksbuild vm setup --connect qemu:///session' installs it" }
        switch HostProbe.serviceManager {
        case .none: return "start virtlogd and libvirtd, or run 'ksbuild vm setup' where they are not installed"
        case .openRC: return "sudo rc-service libvirtd start, or run 'ksbuild vm setup'"
        case .systemd:
            let unit = distribution == .fedora ? HostPlan.splitDaemons[0] : HostPlan.singleDaemon[0]
            return "sudo systemctl start \(unit), or run 'ksbuild vm setup'"
        }
    }

    private var permissionMend: String {
        guard connection.daemon == .system else {
            return "see that HOME and XDG_RUNTIME_DIR are directories of \(user.name)"
        }
        let group = LibvirtConnection.group
        let isMember = HostAccount(named: user.name)?.isMember(ofGroup: group) ?? false
        if isMember && !user.groups.contains(group) {
            return "log out and in again: \(user.name) is in the group \(group) since, or use --connect qemu:///session"
        }
        if isMember { return "see who may use its socket in /etc/libvirt/libvirtd.conf, and whether polkit runs" }
        return "sudo usermod -aG \(group) \(ShellLine.quoted(user.name)), then log in again, or use --connect "
            + "qemu:///session"
    }

    private func networkRow(daemonAnswers: Bool) async throws -> HostCheckRow {
        let name = "network default"
        let setup = "run 'ksbuild vm setup'"
        guard daemonAnswers else {
            return HostCheckRow(name, .unknown, "cannot be told while libvirt does not answer", mend: "see libvirt")
        }
        guard let (daemon, network) = try? await HostProbe.network(connection), daemon == .answers else {
            try Task.checkCancellation()
            return HostCheckRow(
                name, .unknown, "libvirt does not tell", mend: "see virsh -c \(connection) net-list --all")
        }
        guard let network else { return HostCheckRow(name, .missing, "is not defined", mend: setup) }
        guard network.isActive else {
            return HostCheckRow(
                name, .missing, "is not active", mend: "virsh -c \(connection) net-start default, or \(setup)")
        }
        let bridge = network.bridge.map { " on \($0)" } ?? ""
        guard network.isAutostarted else {
            return HostCheckRow(
                name, .limited, "is active\(bridge), and does not start with the host",
                mend: "virsh -c \(connection) net-autostart default")
        }
        return HostCheckRow(name, .ok, "active\(bridge), starts with the host")
    }

    /// Whether QEMU, as the user that the daemon runs it as, comes to the files in the folder.
    var reach: HostCheckRow {
        let name = "way to \(folder)"
        let (user, account) = DaemonUser.find(settings: DaemonUser.settings)
        guard let account else {
            return HostCheckRow(
                name, .unknown, required: false, "libvirt runs QEMU as a user that is not known (\(user))")
        }
        do {
            guard let obstacle = try PathSearch(account).obstacle(on: folder) else {
                return HostCheckRow(name, .ok, "open to \(user), as whom libvirt runs QEMU")
            }
            return Self.closed(obstacle, to: user, name: name)
        } catch {
            return HostCheckRow(name, .unknown, required: false, "cannot be told (\(error))")
        }
    }

    static func closed(_ obstacle: FilePath, to user: String, name: String) -> HostCheckRow {
        let directory = ShellLine.quoted(obstacle.string)
        let acl = ShellLine.quoted("u:\(user):x")
        return HostCheckRow(
            name, .missing, "\(obstacle) is closed to \(user), as whom libvirt runs QEMU",
            mend:
                "setfacl -m \(acl) \(directory), or chmod o+x \(directory), or name another folder with --out, or use "
                + "--connect qemu:///session")
    }
}
