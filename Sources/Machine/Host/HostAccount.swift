internal import Glibc

/// A user as the databases of the host know it (`getpwnam`, `getgrouplist`).
struct HostAccount: Hashable, Sendable {
    /// The number of the user.
    let identifier: UInt32
    /// The numbers of all the groups it is in, its own first.
    let groups: [UInt32]

    /// Makes an account from numbers.
    init(identifier: UInt32, groups: [UInt32]) {
        self.identifier = identifier
        self.groups = groups
    }

    /// Looks a user up by name.
    ///
    /// - Returns: `nil` where the host knows no such user.
    init?(named name: String) {
        guard let entry = unsafe getpwnam(name) else { return nil }
        identifier = unsafe entry.pointee.pw_uid
        let own = unsafe entry.pointee.pw_gid
        var count: CInt = 256
        var found = [gid_t](repeating: 0, count: Int(count))
        // A user in more groups than that has the first ones counted.
        _ = unsafe getgrouplist(name, own, &found, &count)
        groups = [own] + found.prefix(max(0, min(Int(count), found.count))).filter { $0 != own }
    }

    /// The number of a group.
    ///
    /// - Returns: `nil` where the host knows no such group.
    static func group(named name: String) -> UInt32? {
        guard let entry = unsafe getgrnam(name) else { return nil }
        return unsafe entry.pointee.gr_gid
    }

    /// Whether the account is in a group.
    func isMember(ofGroup name: String) -> Bool { Self.group(named: name).map(groups.contains) ?? false }
}
