"""Takes back what the wheel's makers changed in Alpine's root.

The database of apk records the SHA-1 of each file as it was in its package,
so the result is checked file by file.
"""

import os
import shutil
import sys

import apk_database

ADDED = [
    ".dockerenv",
    "lost+found",
    "home/quicksand",
    "usr/local/bin/quicksand-guest-agent",
    "etc/init.d/quicksand-guest-agent",
    "etc/init.d/setup-dns",
    "etc/runlevels/boot/quicksand-guest-agent",
    "etc/runlevels/sysinit/setup-dns",
    "etc/resolv.conf",
    "etc/resolv.conf.quicksand",
    "etc/network/interfaces",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/sudoers.d/quicksand",
]
WRITTEN = {
    "etc/hostname": "localhost\n",
    "etc/hosts": "127.0.0.1\tlocalhost localhost.localdomain\n::1\t\tlocalhost localhost.localdomain\n",
    "etc/modules": "af_packet\nipv6\n",
}
REPLACED = {
    "etc/shadow": [("root:*:", "root::")],
    "etc/rc.conf": [
        ('\nrc_parallel="YES"', '\n#rc_parallel="NO"'),
        ('\nrc_sys="lxc"', '\n#rc_sys=""'),
        ('\nrc_controller_cgroups="NO"', '\n#rc_controller_cgroups="YES"'),
    ],
}
ACCOUNTS = ("quicksand", "dhcpcd")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def restore(root):
    for path in ADDED:
        remove(os.path.join(root, path))
    for path, text in WRITTEN.items():
        write(os.path.join(root, path), text)
        os.chmod(os.path.join(root, path), 0o644)
    for path in ("etc/passwd", "etc/group", "etc/shadow"):
        lines = read(os.path.join(root, path)).splitlines(keepends=True)
        write(os.path.join(root, path), "".join(x for x in lines if x.split(":")[0] not in ACCOUNTS))
    for path, pairs in REPLACED.items():
        text = read(os.path.join(root, path))
        for old, new in pairs:
            text = text.replace(old, new)
        write(os.path.join(root, path), text)
    mtab = os.path.join(root, "etc/mtab")
    remove(mtab)
    os.symlink("../proc/mounts", mtab)


def check(root, packages):
    """Sets owners and modes, and returns the files that are not as packaged."""
    changed = []
    for package in packages:
        for entry in package.entries:
            path = os.path.join(root, entry.path)
            if entry.checksum and apk_database.checksum(root, entry) != entry.checksum:
                changed.append(f"{package.name}: {entry.path}")
            elif not os.path.islink(path):
                os.chown(path, entry.uid, entry.gid)
                os.chmod(path, entry.mode)
    return changed


def main(root):
    restore(root)
    changed = check(root, apk_database.read(root))
    if changed:
        sys.exit("not as Alpine packaged them: " + ", ".join(changed))


main(sys.argv[1])
