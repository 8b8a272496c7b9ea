internal import Artefact
internal import SystemPackage

/// The user as whom the host's libvirt runs QEMU.
enum DaemonUser {
    /// What distributions build in: Debian and Arch, Fedora and Alpine.
    private static let usual = ["libvirt-qemu", "qemu", "root"]

    /// Finds the user out: `user` in libvirt's settings for QEMU, else the first of the usual ones that the host knows.
    ///
    /// - Parameter settings: The text of `/etc/libvirt/qemu.conf`; `nil` where it cannot be read.
    /// - Returns: The name, and the account where the host knows it.
    static func find(settings: String?) -> (name: String, account: HostAccount?) {
        if let name = settings.flatMap(configured) { return (name, account(named: name)) }
        for name in usual { if let account = HostAccount(named: name) { return (name, account) } }
        return ("root", nil)
    }

    /// The settings, where this user may read them.
    static var settings: String? {
        (try? HostFile.read("/etc/libvirt/qemu.conf", limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The last `user = "NAME"` that is no comment.
    static func configured(_ text: String) -> String? {
        var name: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmed == "user" else { continue }
            let value = parts[1].trimmed
            guard let quote = value.first, quote == "\"" || quote == "'" else { continue }
            name = String(value.dropFirst().prefix { $0 != quote })
        }
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `+107` is a number, and a name that the host does not know may be one.
    private static func account(named name: String) -> HostAccount? {
        if name.hasPrefix("+") { return UInt32(name.dropFirst()).map { HostAccount(identifier: $0, groups: []) } }
        return HostAccount(named: name) ?? UInt32(name).map { HostAccount(identifier: $0, groups: []) }
    }
}
