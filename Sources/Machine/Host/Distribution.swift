/// A family of Linux distributions that are prepared in the same way.
public enum Distribution: String, Hashable, Sendable, CaseIterable {
    /// Alpine Linux.
    case alpine
    /// Arch Linux and what is made from it.
    case arch
    /// Debian, Ubuntu and what is made from them.
    case debian
    /// Fedora and what is made from it.
    case fedora

    /// Reads `/etc/os-release` (os-release(5)): `ID`, else the first known word of `ID_LIKE`.
    ///
    /// - Parameter osRelease: The text of the file.
    /// - Throws: ``MachineError`` with ``MachineError/Code/unknownDistribution``, which names what a host needs.
    public init(osRelease: String) throws(MachineError) {
        let fields = Self.fields(of: osRelease)
        let identifier = fields["ID"] ?? ""
        let words = [identifier] + (fields["ID_LIKE"] ?? "").split(separator: " ").map(String.init)
        if let known = words.lazy.compactMap(Self.init(word:)).first {
            self = known
            return
        }
        let name = fields["PRETTY_NAME"] ?? (identifier.isEmpty ? "this host" : identifier)
        throw MachineError(
            .unknownDistribution, subject: name,
            detail: "how to prepare it is not known (known are Alpine, Arch, Debian and Fedora, by ID and ID_LIKE in "
                + "os-release); install \(Self.needs)")
    }

    /// What virtual machines need, in words that fit every distribution.
    static let needs =
        "qemu-system-x86_64, qemu-img, OVMF, libvirt with its QEMU driver, virsh, dnsmasq, iptables or nftables and "
        + "OpenSSH's client, start libvirtd, join the groups libvirt and kvm, and start libvirt's network 'default'"

    private init?(word: String) {
        switch word {
        case "alpine": self = .alpine
        case "arch": self = .arch
        case "debian", "ubuntu": self = .debian
        case "fedora", "rhel", "centos": self = .fedora
        default: return nil
        }
    }

    /// Assignments of a shell, with or without quotes; lines that are none do not count.
    private static func fields(of text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let sign = line.firstIndex(of: "="), !line.hasPrefix("#") else { continue }
            var value = line[line.index(after: sign)...]
            if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
                value = value.dropFirst().dropLast()
            }
            fields[String(line[..<sign])] = String(value)
        }
        return fields
    }
}
