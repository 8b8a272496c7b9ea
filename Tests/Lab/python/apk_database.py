"""Reads apk's database of installed packages."""

import base64
import hashlib
import io
import os
import tarfile
from dataclasses import dataclass, field


@dataclass
class Entry:
    """A file, symbolic link or directory that a package owns."""

    path: str
    mode: int
    uid: int = 0
    gid: int = 0
    checksum: bytes = b""  # SHA-1; empty for a directory


@dataclass
class Package:
    """One installed package."""

    fields: dict = field(default_factory=dict)
    entries: list = field(default_factory=list)
    scripts: dict = field(default_factory=dict)
    triggers: str = ""

    @property
    def name(self):
        return self.fields["P"]

    @property
    def version(self):
        return self.fields["V"]


def _owner_and_mode(value):
    """Splits "uid:gid:mode", which a checksum may follow."""
    uid, gid, mode = value.split(":")[:3]
    return int(uid), int(gid), int(mode, 8)


def _parse(text):
    package, directory, entry = Package(), "", None
    for line in text.splitlines():
        key, value = line[0], line[2:]
        if key == "F":
            directory = value
            entry = Entry(directory, 0o755)
            if directory:
                package.entries.append(entry)
        elif key == "R":
            entry = Entry(f"{directory}/{value}" if directory else value, 0o644)
            package.entries.append(entry)
        elif key in "Ma":
            entry.uid, entry.gid, entry.mode = _owner_and_mode(value)
        elif key == "Z":
            entry.checksum = base64.b64decode(value[2:])
        else:
            package.fields[key] = value
    return package


def read(root):
    """Returns every package installed below `root`, in the database's order."""
    database = os.path.join(root, "lib/apk/db")
    with open(os.path.join(database, "installed"), encoding="utf-8") as file:
        packages = [_parse(text) for text in file.read().split("\n\n") if text.strip()]
    identities = {package.fields["C"]: package for package in packages}

    with open(os.path.join(database, "triggers"), encoding="utf-8") as file:
        for line in file:
            identity, paths = line.rstrip("\n").split(" ", 1)
            identities[identity].triggers = paths

    with tarfile.open(os.path.join(database, "scripts.tar.gz")) as archive:
        for member in archive:
            # NAME-VERSION.X1<SHA-1 of the identity in hexadecimal>.KIND
            _, identity, kind = member.name.rsplit(".", 2)
            checksum = bytes.fromhex(identity[2:])
            key = "Q1" + base64.b64encode(checksum).decode()
            identities[key].scripts[kind] = archive.extractfile(member).read()
    return packages


def checksum(root, entry):
    """Returns the SHA-1 that apk records for what lies at `entry`, or None."""
    path = os.path.join(root, entry.path)
    if os.path.islink(path):
        return hashlib.sha1(os.readlink(path).encode()).digest()
    digest = hashlib.sha1()
    try:
        with open(path, "rb") as file:
            while block := file.read(io.DEFAULT_BUFFER_SIZE * 16):
                digest.update(block)
    except FileNotFoundError:
        return None
    return digest.digest()
