internal import CLinux
internal import Glibc
internal import SystemPackage

/// An access control list of a file, as the kernel keeps it in `system.posix_acl_access` (`<linux/posix_acl_xattr.h>`).
struct AccessList: Hashable, Sendable {
    /// Who an entry is for.
    enum Tag: UInt16, Hashable, Sendable {
        case owner = 0x01, user = 0x02, owningGroup = 0x04, group = 0x08, mask = 0x10, others = 0x20
    }

    /// One entry.
    struct Entry: Hashable, Sendable {
        let tag: Tag
        let canSearch: Bool
        /// The number of the user or group.
        let identifier: UInt32
    }

    private let entries: [Entry]

    /// The list that permission bits stand for.
    init(mode: UInt32) {
        entries = [(Tag.owner, 6), (.owningGroup, 3), (.others, 0)].map { tag, shift in
            Entry(tag: tag, canSearch: mode >> UInt32(shift) & 1 == 1, identifier: .max)
        }
    }

    /// Reads the value of the attribute: the version 2, then entries of tag, permissions and number, little-endian.
    ///
    /// - Returns: `nil` for what is no such value.
    init?(attribute: [UInt8]) {
        guard attribute.count >= 4, attribute.count % 8 == 4, attribute.prefix(4).elementsEqual([2, 0, 0, 0]) else {
            return nil
        }
        var entries: [Entry] = []
        for start in stride(from: 4, to: attribute.count, by: 8) {
            let number = { (offset: Int, length: Int) in
                attribute[(start + offset)..<(start + offset + length)].reversed().reduce(UInt32(0)) {
                    $0 << 8 | UInt32($1)
                }
            }
            guard let tag = Tag(rawValue: UInt16(number(0, 2))) else { return nil }
            entries.append(Entry(tag: tag, canSearch: number(2, 2) & 1 == 1, identifier: number(4, 4)))
        }
        self.entries = entries
    }

    /// Reads the list of a file.
    ///
    /// - Returns: `nil` where the file has none beyond its mode.
    init?(of path: FilePath) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe path.withPlatformString { name in
            unsafe getxattr(name, "system.posix_acl_access", &buffer, buffer.count)
        }
        guard count > 0 else { return nil }
        self.init(attribute: Array(buffer.prefix(count)))
    }

    /// Whether an account may go through the directory: the first of owner, user, groups and others that fits decides.
    func allowsSearch(_ account: HostAccount, of status: stat) -> Bool {
        let mask = entries.first { $0.tag == .mask }?.canSearch ?? true
        if account.identifier == status.st_uid { return entries.first { $0.tag == .owner }?.canSearch ?? false }
        if let own = entries.first(where: { $0.tag == .user && $0.identifier == account.identifier }) {
            return own.canSearch && mask
        }
        let groups = entries.filter { entry in
            switch entry.tag {
            case .owningGroup: account.groups.contains(status.st_gid)
            case .group: account.groups.contains(entry.identifier)
            default: false
            }
        }
        if !groups.isEmpty { return groups.contains { $0.canSearch } && mask }
        return entries.first { $0.tag == .others }?.canSearch ?? false
    }
}
