internal import Node

/// Reading `storage`.
extension RecipeReader {
    /// Directories that Alpine or the node needs for itself.
    private static let reservedMounts = [
        "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp",
        "/usr", "/var/cache", "/var/empty", "/var/lib/apk", "/var/log", "/var/run", "/var/tmp",
    ]

    /// Directories that may hold a mount point but must not be one.
    private static let crowdedMounts = ["/var", "/var/lib", "/mnt", "/opt", "/srv"]

    mutating func readDataDisk(_ data: CheckedNode) {
        recipe.dataDisk.label = take("label", of: data)?.text
        recipe.dataDisk.format = take("format", of: data)?.text.flatMap(DataDisk.Format.init)
        recipe.dataDisk.snapshots = take("snapshots", of: data)?.integer.map(Int.init)
        if let mount = take("mount", of: data), let path = mount.text {
            if Self.reservedMounts.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) {
                fault(
                    mount, "\(shown(path)) is in a directory that the system needs for itself", TextForm.mountPoint.hint
                )
            } else if Self.crowdedMounts.prefix(2).contains(path) {
                fault(mount, "\(shown(path)) would hide what is in it", "mount at a directory below it")
            } else {
                recipe.dataDisk.mountPoint = path
            }
        }
        let serial = take("serial", of: data)
        let size = take("size", of: data)
        let device = take("device", of: data)
        let given = [serial, size, device].compactMap { $0 }.sorted { $0.position < $1.position }
        for extra in given.dropFirst() {
            fault(extra, "is one thing too many: a disk is told by serial, by size or by device", "keep one of them")
        }
        if let serial, let text = serial.text {
            if text.utf8.count > 20 {
                warn(serial, serial.path, "is \(text.utf8.count) bytes long, and virtio tells 20 of them")
            }
            recipe.dataDisk.match = .serial(text)
        }
        if let size, let count = size.byteCount {
            if !count.isMultiple(of: 512) {
                fault(size, "is \(count) bytes, and disks have whole sectors of 512 bytes")
            }
            recipe.dataDisk.match = .size(count)
        }
        if let path = device?.text { recipe.dataDisk.match = .link(path) }
    }
}
