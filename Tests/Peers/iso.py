#!/usr/bin/env python3
"""Reads images with every peer and compares what each finds with what was written.

usage: iso.py DIRECTORY [PEER...]

DIRECTORY holds NAME.iso and NAME.expect pairs. A line of NAME.expect is one entry, tab-separated:
kind (d, f, l), mode in octal, owner, group, size, time, SHA-256, path, target, Joliet path; the last three in
hexadecimal of their bytes. Prints one line per difference, then the seconds that each peer took.
Two processes work at once; the exit status is 1 where anything differs.
"""
import hashlib
import io
import multiprocessing
import os
import re
import shutil
import stat
import subprocess
import sys
import time

PEERS = ["xorriso", "isoinfo", "isovfy", "bsdtar", "7z", "pycdlib"]
BATCH = 25
EMPTY = hashlib.sha256(b"").hexdigest()


def expected(name):
    entries = []
    with open(name + ".expect", "rb") as listing:
        for line in listing:
            kind, mode, owner, group, size, when, digest, path, target, joliet = line.rstrip(b"\n").decode().split("\t")
            entries.append({
                "kind": kind, "mode": int(mode, 8), "owner": int(owner), "group": int(group), "size": int(size),
                "time": int(when), "digest": digest, "path": bytes.fromhex(path), "target": bytes.fromhex(target),
                "joliet": bytes.fromhex(joliet)})
    return entries


def call(arguments, image, problems, good=(0,)):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in good:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        problems.append(f"{image}: {arguments[0]} ended with {done.returncode}: {' | '.join(tail)}")
    return done.stdout


def walk(top):
    """What stands below a directory: path -> (kind, mode, owner, group, size, time, digest, target)."""
    found = {}
    pending = [b""]
    while pending:
        below = pending.pop()
        with os.scandir(os.path.join(os.fsencode(top), below)) as names:
            for entry in names:
                path = os.path.join(below, entry.name)
                status = entry.stat(follow_symlinks=False)
                kind, digest, target = "f", "", b""
                if entry.is_symlink():
                    kind, target = "l", os.readlink(entry.path)
                elif entry.is_dir():
                    kind = "d"
                    pending.append(path)
                else:
                    with open(entry.path, "rb") as file:
                        digest = hashlib.sha256(file.read()).hexdigest()
                size = status.st_size if kind == "f" else 0
                found[path] = (kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, size,
                               int(status.st_mtime), digest, target)
    return found


def compare(peer, image, entries, found, problems, key="path", fields=None):
    wanted = {entry[key]: entry for entry in entries}
    for path in sorted(set(wanted) | set(found)):
        if path not in found:
            problems.append(f"{image}: {peer} does not find {path!r}")
        elif path not in wanted:
            problems.append(f"{image}: {peer} finds {path!r}, which was not written")
        else:
            want, have = fields(wanted[path]), found[path]
            if want != have:
                problems.append(f"{image}: {peer} at {path!r}: {have} and not {want}")


def extracted(entry):
    """The fields of an extracted tree that are compared; only root can give files away."""
    full = (entry["kind"], entry["mode"], entry["owner"], entry["group"],
            entry["size"], entry["time"], entry["digest"], entry["target"])
    return full


def masked(found):
    if os.geteuid() == 0:
        return found, extracted
    drop = lambda row: (row[0], row[1] & 0o777, *row[4:])
    return {path: drop(row) for path, row in found.items()}, lambda entry: drop(extracted(entry))


def remove(top):
    for folder, names, _ in os.walk(top):
        os.chmod(folder, 0o700)
    shutil.rmtree(top, ignore_errors=True)


def xorriso(names, problems):
    arguments = ["xorriso", "-report_about", "SORRY", "-abort_on", "NEVER", "-osirrox", "on"]
    for name in names:
        arguments += ["-indev", name + ".iso", "-extract", "/", name + ".xorriso", "-rollback"]
    call(arguments, names[0], problems)
    for name in names:
        found, fields = masked(walk(name + ".xorriso") if os.path.isdir(name + ".xorriso") else {})
        # xorriso does not set owner and time of the links that it extracts.
        plain = lambda row: (row[0], row[-1]) if row[0] == "l" else row
        found = {path: plain(row) for path, row in found.items()}
        compare("xorriso", name, expected(name), found, problems, fields=lambda entry: plain(fields(entry)))
        remove(name + ".xorriso")


def unescaped(text):
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal.group(1), 8)]), text)


def bsdtar(names, problems):
    for name in names:
        output = call(["bsdtar", "-cf", "-", "--format=mtree", "--options=!all,type,mode,uid,gid,size,time,link,sha256",
                       "@" + name + ".iso"], name, problems)
        found = {}
        for line in output.splitlines():
            words = line.split(b" ")
            if line.startswith(b"#") or words[0] == b".":
                continue
            row = dict(word.split(b"=", 1) for word in words[1:])
            kind = {b"dir": "d", b"file": "f", b"link": "l"}[row[b"type"]]
            found[unescaped(words[0]).removeprefix(b"./")] = (
                kind, int(row[b"mode"], 8), int(row[b"uid"]), int(row[b"gid"]),
                int(row[b"size"]) if kind == "f" else 0, int(float(row[b"time"])),
                row.get(b"sha256digest", b"").decode(), unescaped(row.get(b"link", b"")))
        compare("bsdtar", name, expected(name), found, problems, fields=extracted)


def seven_zip(names, problems):
    for name in names:
        os.mkdir(name + ".7z")
        call(["7z", "x", "-y", "-bd", "-o" + name + ".7z", name + ".iso"], name, problems)
        found = {path: ("d" if row[0] == "d" else "f", row[4], row[6] or "")
                 for path, row in walk(name + ".7z").items()}
        compare("7z", name, expected(name), found, problems, key="joliet",
                fields=lambda entry: ("d", 0, "") if entry["kind"] == "d"
                else ("f", entry["size"], entry["digest"] or EMPTY))
        remove(name + ".7z")


def isovfy(names, problems):
    for name in names:
        output = call(["isovfy", name + ".iso"], name, problems)
        if b"No errors found" not in output:
            problems.append(f"{name}: isovfy: {output.decode(errors='replace')}")


ROW = re.compile(rb"^([dl-])([rwxsStT-]{9})\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+) (.{11}) \[\s*(\d+) (\d\d)\]  (.*) ?$", re.S)


def bits(text):
    value = 0
    for index, letter in enumerate(text.decode()):
        if letter in "rwxst":
            value |= 0o400 >> index
        if letter in "sStT":
            value |= 0o4000 >> (index // 3)
    return value


def isoinfo_rows(output, image):
    """What a listing of isoinfo says: path, kind, mode, owner, group, size, digest and target of each entry.

    It shows owner and group in octal, and of the special bits none but the sticky one.
    """
    below = b""
    for line in output.split(b"\n"):
        if line.startswith(b"Directory listing of /"):
            below = line[len(b"Directory listing of /"):]
            continue
        row = ROW.match(line)
        if not row:
            continue
        kind, mode, _, owner, group, size, _, sector, _, text = row.groups()
        text = text[:-1] if kind != b"l" and text.endswith(b" ") else text
        if text in (b".", b".."):
            continue
        target, digest = b"", ""
        if kind == b"l":
            text, target = text.split(b" -> ", 1)
        if kind == b"-":
            image.seek(int(sector) * 2048)
            digest = hashlib.sha256(image.read(int(size))).hexdigest()
        yield (below + text, {b"d": "d", b"l": "l", b"-": "f"}[kind], bits(mode) & 0o777, int(owner, 8), int(group, 8),
               int(size), digest, target)


def isoinfo(names, problems):
    for name in names:
        output = call(["isoinfo", "-R", "-l", "-i", name + ".iso"], name, problems)
        found, sample = {}, None
        with open(name + ".iso", "rb") as image:
            for path, kind, mode, owner, group, size, digest, target in isoinfo_rows(output, image):
                if kind == "f" and size > 2048:
                    sample = path
                found[path] = (kind, mode, owner, group, 0 if kind == "d" else size, digest, target)
        entries = expected(name)
        compare("isoinfo", name, entries, found, problems, fields=lambda entry: (
            entry["kind"], entry["mode"] & 0o777, entry["owner"], entry["group"], entry["size"], entry["digest"],
            entry["target"]))
        if sample:
            output = call(["isoinfo", "-R", "-x", b"/" + sample, "-i", name + ".iso"], name, problems)
            digest = hashlib.sha256(output).hexdigest()
            for entry in entries:
                if entry["path"] == sample and entry["digest"] != digest:
                    problems.append(f"{name}: isoinfo -x {sample!r} gives other bytes")


def pycdlib_peer(names, problems):
    import pycdlib
    for name in names:
        entries = expected(name)
        found, joliet = {}, {}
        image = pycdlib.PyCdlib()
        try:
            image.open(name + ".iso")
            pending = [(image.get_record(rr_path="/"), b"", found), (image.get_record(joliet_path="/"), b"", joliet)]
            while pending:
                record, below, into = pending.pop()
                for child in record.children:
                    if child.is_dot() or child.is_dotdot():
                        continue
                    rock = child.rock_ridge
                    if into is joliet:
                        text = child.file_identifier().decode("utf-16-be").encode()
                        text = text if child.is_dir() else text.removesuffix(b";1")
                        row = ("d" if child.is_dir() else "f", 0 if child.is_dir() else child.get_data_length())
                    else:
                        text = rock.name()
                        mode = rock.get_file_mode()
                        kind = "d" if child.is_dir() else "l" if rock.is_symlink() else "f"
                        size, digest = (child.get_data_length(), "") if kind == "f" else (0, "")
                        if kind == "f":
                            data = io.BytesIO()
                            if size:
                                with open(name + ".iso", "rb") as raw:
                                    raw.seek(child.extent_location() * 2048)
                                    data.write(raw.read(size))
                            digest = hashlib.sha256(data.getvalue()).hexdigest()
                        row = (kind, stat.S_IMODE(mode), size, digest,
                               rock.symlink_path() if kind == "l" else b"")
                    path = below + text
                    into[path] = row
                    if child.is_dir():
                        pending.append((child, path + b"/", into))
            compare("pycdlib", name, entries, found, problems, fields=lambda entry: (
                entry["kind"], entry["mode"], entry["size"], entry["digest"], entry["target"]))
            compare("pycdlib (Joliet)", name, entries, joliet, problems, key="joliet", fields=lambda entry: (
                "d" if entry["kind"] == "d" else "f", entry["size"]))
            image.close()
        except Exception as error:
            problems.append(f"{name}: pycdlib: {type(error).__name__}: {error}")


RUN = {"xorriso": xorriso, "isoinfo": isoinfo, "isovfy": isovfy, "bsdtar": bsdtar, "7z": seven_zip,
       "pycdlib": pycdlib_peer}


def work(task):
    peer, names = task
    problems, start = [], time.monotonic()
    RUN[peer](names, problems)
    return peer, time.monotonic() - start, problems


def main():
    os.umask(0)
    os.environ["LC_ALL"] = "C.UTF-8"
    directory, peers = sys.argv[1], sys.argv[2:] or PEERS
    os.chdir(directory)
    names = sorted(name[:-4] for name in os.listdir() if name.endswith(".iso"))
    tasks = [(peer, names[start:start + BATCH]) for peer in peers for start in range(0, len(names), BATCH)]
    spent, shown, count = {}, {}, 0
    with multiprocessing.Pool(2) as pool:
        for peer, seconds, problems in pool.imap_unordered(work, tasks):
            spent[peer] = spent.get(peer, 0) + seconds
            for problem in problems:
                count += 1
                shown[peer] = shown.get(peer, 0) + 1
                if shown[peer] <= 8:
                    print(problem[:400])
    print(f"images: {len(names)} differences: {count} seconds: "
          + " ".join(f"{peer}={spent[peer]:.1f}" for peer in peers if peer in spent))
    sys.exit(1 if count or not names else 0)


if __name__ == "__main__":
    main()
