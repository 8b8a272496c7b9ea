internal import Artefact
internal import Node

extension FileTree {
    /// Adds `/etc/fstab` and the settings of the service that mounts the data disk.
    ///
    /// The fstab line is `noauto` and has pass number 0: one place decides about the disk, the service `kubesolo-data`,
    /// which checks it first and whose failure stops KubeSolo alone. OpenRC's `fsck` would take the boot level down
    /// with it, `localmount` would go on as if nothing had happened, and `critical_mounts` would take networking down.
    /// The stock lines for CD and USB stay: init moves the boot medium by them (`initramfs-init.in`).
    mutating func addDataDisk(_ disk: DataDisk) throws {
        let isLabel = disk.label.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                || [43, 45, 46, 95].contains($0)
        }
        guard isLabel, (1...16).contains(disk.label.utf8.count) else {
            throw OverlayError(
                .invalidValue, subject: "label \(String(reflecting: disk.label))",
                detail: "is no label for the data disk; use at most 16 of letters, digits and + - . _")
        }
        try Self.checkMountPoint(disk.mountPoint)
        let options = "noatime"
        try addFile(
            "etc/fstab",
            """
            /dev/cdrom\t/media/cdrom\tiso9660\tnoauto,ro 0 0
            /dev/usbdisk\t/media/usb\tvfat\tnoauto,ro 0 0
            # Checked and mounted by the service kubesolo-data.
            LABEL=\(disk.label)\t\(disk.mountPoint)\text4\tnoauto,\(options) 0 0

            """, origin: "storage")
        var settings = ShellSettings("The data disk; see /etc/init.d/kubesolo-data.")
        try settings.assign("data_label", disk.label)
        try settings.assign("data_mount", disk.mountPoint)
        try settings.assign("data_options", options)
        try settings.assign("data_format", disk.format.rawValue)
        let (kind, value) =
            switch disk.match {
            case .serial(let serial): ("serial", serial)
            case .size(let size): ("size", String(size))
            case .link(let link): ("link", link)
            case nil: ("", "")
            }
        try settings.assign("data_match", kind)
        try settings.assign("data_match_value", value)
        try settings.assign("data_wait", "5")
        try settings.assign("data_snapshots", String(disk.snapshots))
        try addFile("etc/conf.d/kubesolo-data", settings.text, origin: "storage")
    }

    /// The mount point goes into fstab and unquoted into options of syslogd, so it is held to plain names; and what is
    /// below a directory of the release would hide that.
    private static func checkMountPoint(_ path: String) throws {
        func refuse(_ why: String) -> OverlayError {
            OverlayError(.invalidValue, subject: "mount \(String(reflecting: path))", detail: why)
        }
        let isPlain = path.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                || [45, 46, 47, 95].contains($0)
        }
        guard isPlain, path.hasPrefix("/"), (try? EntryPath(String(path.dropFirst()))) != nil else {
            throw refuse("is no mount point; give an absolute path of letters, digits and - . _")
        }
        let relative = String(path.dropFirst())
        let taken = ["boot", "tmp", "root", "usr/libexec/ksbuild", "etc/ksbuild"]
        guard !LayerDirectory.systemDirectories.contains(relative), !taken.contains(relative) else {
            throw refuse("is a directory of the system, whose content the data disk would hide; mount it elsewhere")
        }
    }
}
