"""Writes apk packages and signs them, in the format of apk 2 that Alpine publishes.

A package is three gzip streams in a row: the signature of the second, the
control files, and the data. The first two are tar archives cut before their
end-of-archive blocks, so that all three read as one archive.
"""

import gzip
import hashlib
import io
import os
import subprocess
import tarfile


def _compress(data):
    return gzip.compress(data, compresslevel=6, mtime=0)


def _archive(members, end):
    """Returns a tar archive of (TarInfo, bytes or None) pairs."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, None if data is None else io.BytesIO(data))
        size = archive.offset
    return buffer.getvalue() if end else buffer.getvalue()[:size]


def _member(name, mode, time, data=None, uid=0, gid=0):
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.uid, info.gid = mode, time, uid, gid
    if (uid, gid) == (0, 0):
        info.uname = info.gname = "root"
    if data is not None:
        info.size = len(data)
    return info


def sign(stream, key, time):
    """Returns the stream that, put before `stream`, signs it with the private key in the file `key`."""
    signature = subprocess.run(
        ["openssl", "dgst", "-sha1", "-sign", key], input=stream, stdout=subprocess.PIPE, check=True
    ).stdout
    name = f".SIGN.RSA.{os.path.basename(key)}.pub"
    return _compress(_archive([(_member(name, 0o644, time, signature), signature)], end=False))


def data_member(path, entry, time):
    """Returns the archive member for what lies at `path`, as `entry` describes it."""
    if os.path.islink(path):
        info = _member(entry.path, 0o777, time, None, entry.uid, entry.gid)
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
        data, digest = None, hashlib.sha1(info.linkname.encode())
    elif os.path.isdir(path):
        info = _member(entry.path, entry.mode, time, None, entry.uid, entry.gid)
        info.type = tarfile.DIRTYPE
        return info, None
    else:
        with open(path, "rb") as file:
            data = file.read()
        info = _member(entry.path, entry.mode, time, data, entry.uid, entry.gid)
        digest = hashlib.sha1(data)
    info.pax_headers = {"APK-TOOLS.checksum.SHA1": digest.hexdigest()}
    return info, data


def write(path, information, members, scripts, key, time):
    """Writes a package.

    `information` holds the (key, value) pairs of .PKGINFO but for size and
    datahash, `members` what `data_member` returned, `scripts` the text of each
    script by its kind.
    """
    data = _compress(_archive(members, end=True))
    size = sum(info.size for info, _ in members)
    lines = [f"{name} = {value}" for name, value in information]
    lines += [f"size = {size}", f"datahash = {hashlib.sha256(data).hexdigest()}"]
    information_file = ("\n".join(lines) + "\n").encode()

    control = [(_member(".PKGINFO", 0o644, time, information_file), information_file)]
    for kind, text in sorted(scripts.items()):
        control.append((_member(f".{kind}", 0o755, time, text), text))
    control = _compress(_archive(control, end=False))
    with open(path, "wb") as file:
        file.write(sign(control, key, time) + control + data)
