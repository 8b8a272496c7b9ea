#!/usr/bin/env python3
"""Makes images for grafts, and compares what every peer sees before and after.

usage: graft.py make DIRECTORY SEED COUNT
       graft.py check DIRECTORY [PEER...]

`make` writes NAME.source.iso by xorriso, genisoimage and libarchive from random trees, in many modes, and NAME.mode
with the words of its mode. `check` looks at each NAME.source.iso, the grafted NAME.iso and the edit in NAME.edit: lines
of `+` or `-`, kind (d, f, l), mode in octal, owner, group, size, time, SHA-256, path, target; the last two in
hexadecimal of their bytes. What a peer sees of the grafted image must be what it sees of the source, less what `-`
names, and with what `+` names. An image that a peer cannot read before the graft is not asked of it after; how many
those are is printed. The exit status is 1 where anything differs.
"""
import collections
import hashlib
import multiprocessing
import os
import random
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from iso import EMPTY, call, isoinfo_rows, remove, unescaped, walk  # noqa: E402

PEERS = ["xorriso", "isoinfo", "isovfy", "bsdtar", "7z", "pycdlib"]
BATCH = 10

# -- the sources

X = ["xorriso", "-report_about", "FAILURE", "-as", "mkisofs"]
G = ["genisoimage", "-quiet"]
A = ["bsdtar"]
HYBRID = ["-b", "boot.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"]
# The name of the mode, the program, its options, and what the tree must have: deep directories, Latin names only.
MODES = [
    ("rr joliet", X, ["-R", "-J"], ""),
    ("rr joliet", G, ["-R", "-J", "-D"], "deep"),
    ("rr", X, ["-R"], "deep"),
    ("rr reloc", G, ["-R"], "deep"),
    ("joliet", X, ["-J", "--norock"], ""),
    ("joliet", G, ["-J"], ""),
    ("plain", X, ["--norock"], ""),
    ("plain", G, ["-l"], "latin"),
    ("rr joliet", X, ["-R", "-J", "-joliet-long", "-iso-level", "3"], ""),
    ("rr joliet reloc", G, ["-R", "-J", "-joliet-long"], "deep"),
    ("rr joliet", G, ["-R", "-J", "-iso-level", "1"], ""),
    ("rr joliet", G, ["-r", "-J", "-iso-level", "2", "-l"], ""),
    ("rr joliet", G, ["-R", "-J", "-iso-level", "4"], "latin"),
    ("rr", G, ["-R", "-iso-level", "4", "-D"], "latin"),
    ("plain", G, ["-iso-level", "1"], "latin"),
    ("plain", G, ["-iso-level", "4"], "latin"),
    ("plain", G, ["-U", "-no-iso-translate"], "latin"),
    ("rr joliet", X, ["-r", "-J", "-iso-level", "1"], ""),
    ("third", X, ["-R", "-J", "-iso-level", "4"], "latin"),
    ("rr joliet", X, ["-R", "-J", "--xattr"], "xattr"),
    ("rr joliet", X, ["-R", "-J", "--md5"], ""),
    ("rr joliet", X, ["-R", "-J", "--hardlinks"], ""),
    ("rr joliet hide", X, ["-R", "-J", "-hide-joliet", "h*", "-hide-joliet-list", "/dev/null"], ""),
    ("rr joliet hide", G, ["-R", "-J", "-D", "-hide-joliet", "h*"], ""),
    ("rr joliet hide", G, ["-R", "-J", "-D", "-hide", "h*"], ""),
    ("rr xa", G, ["-R", "-xa"], ""),
    ("rr joliet zisofs", G, ["-R", "-J", "-z", "-D"], "zisofs"),
    ("rr zisofs", X, ["-R", "-z"], "zisofs"),
    ("rr reloc", G, ["-R", "-hide-rr-moved"], "deep"),
    ("rr joliet boot", X, ["-R", "-J", *HYBRID, "-isohybrid-mbr", "/usr/lib/ISOLINUX/isohdpfx.bin"], "boot"),
    ("rr joliet boot", G, ["-R", "-J", "-D", *HYBRID, "-boot-info-table"], "boot"),
    ("joliet boot", G, ["-J", *HYBRID], "boot"),
    ("rr joliet", A, [], ""),
    ("rr", A, ["--options", "iso9660:!joliet"], ""),
    ("rr joliet", X, ["-R", "-J", "-no-pad", "-untranslated-filenames"], "latin"),
    ("rr", G, ["-R", "-D", "-no-pad", "-relaxed-filenames", "-allow-lowercase", "-allow-multidot"], "deep"),
]


def name(dice, latin):
    kind = dice.randrange(9)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
    if kind == 0:
        length = dice.choice([64, 100, 103, 128, 200, 240, 248, 255] if not latin else [12, 30, 31])
        return ("%05d" % dice.randrange(100_000) + dice.choice("nN") * length)[:length]
    if kind == 1 and not latin:
        return "".join(dice.choice(["é", "ß", "中", "ж", "ÿ", "a", ".", " "]) for _ in range(dice.randint(1, 40)))
    if kind == 2:
        return "collision" * dice.choice([1, 4, 6] if not latin else [1, 2]) + dice.choice(["", "1", "2", "_1"]) + dice.choice(["", ".a", ".b"])
    if kind == 3:
        return "h" + "".join(dice.choice(letters) for _ in range(dice.randint(1, 9)))
    if kind == 4:
        return dice.choice(["readme", "README", "ReadMe"]) + dice.choice(["", ".txt", ".TXT", ".html"])
    return "".join(dice.choice(letters) for _ in range(dice.randint(1, 20))) + dice.choice(["", ".x", ".conf"])


def tree(top, dice, wants):
    """Files, directories and links below `top`; names that a case-folding peer confuses stay apart."""
    os.mkdir(top)
    folders, taken, files = [b""], set(), []
    def place(below, text):
        text = text.encode()[:255].decode(errors="ignore").strip(" .") or "x"
        path = os.path.join(below, text.encode())
        # Longer paths are left out of Joliet trees.
        wide = sum(min(64, len(part)) + 1 for part in path.decode().split("/"))
        if path.lower() in taken or (wide > 110 and "deep" not in wants):
            return None
        taken.add(path.lower())
        return path
    def spot(path):
        return os.path.join(os.fsencode(top), path)
    for _ in range(dice.choice([0, 3, 12, 25, 40])):
        path = place(dice.choice(folders), name(dice, "latin" in wants))
        if path is None or (path.count(b"/") > 5 and "deep" not in wants):
            continue
        what = dice.randrange(10)
        if what < 3:
            os.mkdir(spot(path))
            folders.append(path)
        elif what == 3:
            # genisoimage loses the end of longer ones.
            targets = ["a", "../b", "/usr/bin/" + "c" * 120, "x/" * 100 + "y"]
            os.symlink(dice.choice(targets[:2] if "short" in wants else targets), spot(path))
            continue
        elif what == 4 and files:
            os.link(spot(dice.choice(files)), spot(path))
            continue
        else:
            with open(spot(path), "wb") as file:
                file.write(dice.randbytes(dice.choice([0, 1, 2047, 2048, 2049, 9000, 300])))
            files.append(path)
        os.chmod(spot(path), dice.choice([0o755, 0o700] if what < 3 else [0o644, 0o600, 0o4755, 0o444]))
        if "xattr" in wants:
            try:
                os.setxattr(spot(path), "user.long", dice.randbytes(dice.choice([3, 300, 3000])))
            except OSError:
                pass
        os.utime(spot(path), (1_000_000_000, dice.choice([0, 1_000_000_000, 1_700_000_001])))
    if "deep" in wants:
        below = b""
        for level in range(dice.choice([9, 12, 16])):
            below = os.path.join(below, b"deep%d" % level)
            os.mkdir(spot(below))
            with open(spot(below) + b"/file", "wb") as file:
                file.write(dice.randbytes(100 + level))
        os.mkdir(spot(os.path.join(below, b"fork")))
    if "boot" in wants:
        with open(spot(b"boot.bin"), "wb") as file:
            file.write(dice.randbytes(4096))


def build(task):
    directory, seed, number = task
    os.chdir(directory)
    dice = random.Random(seed * 1_000_003 + number)
    mode, program, options, wants = MODES[number % len(MODES)]
    top, image = f"{number}.tree", f"{1000 + number}.source.iso"
    tree(top, dice, wants + " short" if program is G else wants)
    source = top
    if "zisofs" in wants:
        subprocess.run(["mkzftree", top, top + ".z"], check=True)
        source = top + ".z"
    if program is A:
        command = ["bsdtar", "-cf", image, "--format=iso9660", *options, "-C", source, "."]
    else:
        # genisoimage takes no character set for names of level 4.
        charset = ["-input-charset", "utf-8"] if program is G and "4" not in options else []
        command = [*program, *charset, *options, "-V", "SOURCE", "-o", image, source]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    remove(top)
    remove(top + ".z")
    if done.returncode != 0 and os.path.exists(image):
        os.unlink(image)
    with open(f"{1000 + number}.mode", "w") as file:
        file.write(mode)
    return None if done.returncode == 0 else f"{number} {' '.join(command)}: {done.stdout.decode(errors='replace')[-300:]}"


# -- the views: path -> row, by the name of the view

def of_walk(top):
    root = os.geteuid() == 0
    return {path: (row[0], row[1] if root else row[1] & 0o777, *(row[2:4] if root else (0, 0)), row[4], row[5] if row[0] != "l" else 0, row[6] or (EMPTY if row[0] == "f" else ""), row[7])
            for path, row in walk(top).items()}


def xorriso(images, problems):
    arguments = ["xorriso", "-report_about", "SORRY", "-abort_on", "NEVER", "-osirrox", "on"]
    for image in images:
        arguments += ["-indev", image, "-extract", "/", image + ".x", "-rollback"]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    errors = [line for line in done.stdout.decode(errors="replace").splitlines() if "SORRY" in line or "FAILURE" in line]
    for image in images:
        found = of_walk(image + ".x") if os.path.isdir(image + ".x") else None
        if os.path.isdir(image + ".x"):
            remove(image + ".x")
        # The owner and time of links are not extracted.
        if found is not None:
            found = {path: (row[0], 0, 0, 0, *row[4:]) if row[0] == "l" else row for path, row in found.items()}
        yield {"main": found}, errors if len(images) == 1 else []


def bsdtar(images, problems):
    for image in images:
        output = call(["bsdtar", "-cf", "-", "--format=mtree",
                       "--options=!all,type,mode,uid,gid,size,time,nlink,link,sha256", "@" + image], image, problems)
        found = {}
        for line in output.splitlines():
            words = line.split(b" ")
            if line.startswith(b"#") or words[0] == b".":
                continue
            row = dict(word.split(b"=", 1) for word in words[1:])
            kind = {b"dir": "d", b"file": "f", b"link": "l"}.get(row[b"type"], "?")
            size, digest = (int(row[b"size"]), row.get(b"sha256digest", b"").decode()) if kind == "f" else (0, "")
            # Of files with the same bytes, which are one to it, the first that it meets has them.
            if kind == "f" and int(row.get(b"nlink", b"1")) > 1:
                size, digest = 0, "linked"
            found[unescaped(words[0]).removeprefix(b"./")] = (
                kind, int(row[b"mode"], 8), int(row[b"uid"]), int(row[b"gid"]), size,
                int(float(row[b"time"])) if kind != "l" else 0, digest, unescaped(row.get(b"link", b"")))
        yield {"main": found}, []


def seven_zip(images, problems):
    for image in images:
        os.mkdir(image + ".7z")
        done = subprocess.run(["7z", "x", "-y", "-bd", "-o" + image + ".7z", image], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It does not make links that lead out of the tree.
        errors = [line for line in done.stderr.decode(errors="replace").splitlines()
                  if line.startswith("ERROR") and "Dangerous link" not in line]
        found = {path: (row[0], 0, 0, 0, row[4], 0, row[6] or (EMPTY if row[0] == "f" else ""), b"")
                 for path, row in walk(image + ".7z").items()}
        remove(image + ".7z")
        yield {"7z": found}, errors


def isovfy(images, problems):
    for image in images:
        output = call(["isovfy", image], image, problems)
        errors = [] if b"No errors found" in output else output.decode(errors="replace").splitlines()[-3:]
        yield {}, errors


def isoinfo(images, problems):
    for image in images:
        views = {}
        # The names of Joliet are not shown without loss.
        for view, flags in (("main", ["-R"]), ("plain", [])):
            found = {}
            output = call(["isoinfo", *flags, "-l", "-i", image], image, problems)
            with open(image, "rb") as raw:
                for path, kind, mode, owner, group, size, digest, target in isoinfo_rows(output, raw):
                    found[path] = (kind, mode, owner, group, size if kind == "f" else 0, 0, digest, target)
            views[view] = found
        yield views, []


def pycdlib_peer(images, problems):
    import pycdlib
    for image in images:
        views, errors = {}, []
        disc = pycdlib.PyCdlib()
        try:
            disc.open(image)
            mode = mode_of(image).split()
            wanted = [("plain", {"iso_path": "/"})]
            if "rr" in mode:
                wanted.append(("main", {"rr_path": "/"}))
            if "joliet" in mode:
                wanted.append(("joliet", {"joliet_path": "/"}))
            with open(image, "rb") as raw:
                for view, root in wanted:
                    found = {}
                    pending = [(disc.get_record(**root), b"")]
                    while pending:
                        record, below = pending.pop()
                        for child in record.children:
                            if child.is_dot() or child.is_dotdot():
                                continue
                            rock = child.rock_ridge if view == "main" else None
                            if view == "main":
                                text = rock.name()
                            elif view == "joliet":
                                text = child.file_identifier().decode("utf-16-be").encode().removesuffix(b";1")
                            else:
                                text = child.file_identifier()
                            link = rock is not None and rock.is_symlink()
                            kind = "d" if child.is_dir() else "l" if link else "f"
                            size, digest = 0, ""
                            if kind == "f":
                                size = child.get_data_length()
                                raw.seek(child.extent_location() * 2048)
                                digest = hashlib.sha256(raw.read(size)).hexdigest()
                            found[below + text] = (kind, stat.S_IMODE(rock.get_file_mode()) if rock else 0, 0, 0, size, 0,
                                                   digest, rock.symlink_path() if link else b"")
                            if child.is_dir():
                                pending.append((child, below + text + b"/"))
                    views[view] = found
            disc.close()
        except Exception as error:  # pycdlib raises many kinds, also plain struct.error
            errors = [f"{type(error).__name__}: {error}"]
        yield views, errors


RUN = {"xorriso": xorriso, "isoinfo": isoinfo, "isovfy": isovfy, "bsdtar": bsdtar, "7z": seven_zip,
       "pycdlib": pycdlib_peer}
# What each peer's rows tell: mode bits, owner, time.
TELLS = {"xorriso": (0o7777, True, True), "bsdtar": (0o7777, True, True), "isoinfo": (0o777, True, False),
         "7z": (0, False, False), "pycdlib": (0o7777, False, False), "isovfy": (0, False, False)}


if os.geteuid() != 0:
    TELLS["xorriso"] = (0o777, False, True)

# -- the comparison

def mode_of(image):
    with open(image.split(".")[0] + ".mode") as file:
        return file.read()


def edit_of(number):
    plus, minus = {}, {}
    with open(f"{number}.edit") as lines:
        for line in lines:
            sign, kind, mode, owner, group, size, when, digest, path, target = line.rstrip("\n").split("\t")
            row = (kind, int(mode, 8), int(owner), int(group), int(size), int(when) if kind != "l" else 0, digest,
                   bytes.fromhex(target))
            (plus if sign == "+" else minus)[bytes.fromhex(path)] = row
    return plus, minus


def seen(peer, row):
    mask, owns, times = TELLS[peer]
    if row[0] == "l" and peer == "xorriso":
        return (row[0], 0, 0, 0, *row[4:])
    return (row[0], row[1] & mask, row[2] if owns else 0, row[3] if owns else 0, row[4], row[5] if times else 0,
            row[6], row[7])


def show(row):
    return None if row is None else (row[0], oct(row[1]), *row[2:6], row[6][:8], row[7][:40])


def compare(peer, number, view, old, new, problems):
    mode = mode_of(number).split()
    plus, minus = edit_of(number)
    where = f"{number} ({' '.join(mode)}): {peer}{' ' + view if view != 'main' else ''}"
    # Names that this view shows as they are given in the edit.
    physical = "reloc" in mode and peer in ("isoinfo", "pycdlib")
    # Most peers show the plain names of an image with the attributes of CD-ROM XA.
    blind = "xa" in mode and peer in ("xorriso", "bsdtar", "7z")
    exact = view == "main" and "rr" in mode and not physical and not blind
    if exact:
        wanted = {path: row for path, row in old.items() if path not in minus}
        wanted.update({path: seen(peer, row) for path, row in plus.items()})
        for path in sorted(set(wanted) | set(new)):
            want, have = wanted.get(path), new.get(path)
            if want and have and "linked" in (want[6], have[6]):
                want, have = [(*row[:4], *row[5:6]) for row in (want, have)]
            if want != have:
                problems.append(f"{where}: at {path!r}: {show(new.get(path))} and not {show(wanted.get(path))}")
        return
    if "hide" in mode or "reloc" in mode:
        # Some of the edit has no counterpart here: what it does not touch must be the same, and nothing else be new.
        digests = {row[6] for row in plus.values()}
        for path, row in new.items():
            if path not in old and row[0] == "f" and row[6] not in digests and row[4]:
                problems.append(f"{where}: {path!r} is new and not of the edit: {show(row)}")
        gone = {row[6] for row in minus.values()}
        for path, row in old.items():
            below = any(path.startswith(other + b"/") for other in minus)
            if new.get(path) != row and row[0] == "f" and row[4] and row[6] not in gone and not below:
                problems.append(f"{where}: {path!r} became {show(new.get(path))}, was {show(row)}")
        return
    bare = lambda row: (row[0], row[4], row[6])
    if peer == "bsdtar":
        # It takes files with the same bytes for one, and does not say so.
        bare = lambda row: (row[0], 0, "") if row[0] == "d" else ("f", 0, EMPTY)
    # Links are nowhere but in Rock Ridge, where the plain names show them as empty files.
    has_links = blind or view == "plain" and "rr" in mode or view == "7z" and "rr" in mode and "joliet" not in mode
    linked = lambda row: ("f", 0, EMPTY) if row[0] == "l" and (blind or view == "plain") else bare(row)
    wanted = collections.Counter(bare(row) for row in old.values())
    if view == "7z" and has_links:
        count = lambda rows: collections.Counter(bare(row) for row in rows.values() if row[0] == "f" and row[4])
        wanted = count(old) - count(minus) + count(plus)
        found = count(new)
        # 7-Zip writes a link as a file with its target.
        texts = collections.Counter(("f", len(row[7]), hashlib.sha256(row[7]).hexdigest()) for row in plus.values() if row[0] == "l")
        gone = collections.Counter(("f", len(row[7]), hashlib.sha256(row[7]).hexdigest()) for row in minus.values() if row[0] == "l")
        if found != wanted and found != wanted + texts - gone:
            problems.append(f"{where}: {list((wanted - found).items())[:3]} missing, {list((found - wanted).items())[:3]} new")
        return
    keep = lambda rows: [linked(row) for row in rows.values() if has_links or row[0] != "l"]
    wanted.subtract(keep(minus))
    # A view may leave out empty files that the main one has.
    wanted = +wanted
    wanted.update(keep(plus))
    found = collections.Counter(bare(row) for row in new.values())
    # Some programs write a link into the other trees as an empty file, which then goes with it.
    links = sum(row[0] == "l" for row in [*minus.values(), *plus.values()])
    differ = (wanted - found) + (found - wanted)
    if any(row != ("f", 0, EMPTY) for row in differ) or differ.total() > links:
        problems.append(f"{where}: {list((wanted - found).items())[:3]} missing, {list((found - wanted).items())[:3]} new")
    moved = [path for path, row in old.items() if new.get(path) != row]
    if len(moved) > len(minus) and view != "plain" and peer != "bsdtar":
        problems.append(f"{where}: {len(moved)} of the old are not what they were, and {len(minus)} should: {moved[:3]}")


def work(task):
    peer, numbers = task
    problems, start, unread = [], time.monotonic(), 0
    both = []
    for suffix in (".source.iso", ".iso"):
        images = [number + suffix for number in numbers]
        complaints = []
        both.append((list(RUN[peer](images, complaints)), complaints))
    (before, complaints), (after, later) = both
    for number, (old, old_errors), (new, new_errors) in zip(numbers, before, after):
        # 7-Zip drops a full stop at the end of a name and then finds two of one name.
        clash = any("Cannot delete output" in error for error in new_errors)
        # libarchive loses some directories that were moved when they lie behind the bytes of files.
        clash = clash or any(line.startswith(number) and "Failed to connect 'CL'" in line for line in later)
        if clash or old_errors or any(line.startswith(number) for line in complaints):
            unread += 1
            continue
        problems += [f"{number} ({mode_of(number)}): {peer}: {error}" for error in new_errors]
        for view in old:
            if old[view] is None:
                unread += 1
            elif new.get(view) is None:
                problems.append(f"{number}: {peer} reads it no more")
            else:
                compare(peer, number, view, old[view], new[view], problems)
    later = [line for line in later if "Failed to connect 'CL'" not in line]
    problems += [line for line in later if line.split(".")[0] not in {line.split(".")[0] for line in complaints}]
    return peer, time.monotonic() - start, problems, unread


def check(directory, peers):
    os.chdir(directory)
    numbers = sorted(name[:-5] for name in os.listdir() if name.endswith(".edit"))
    tasks = [(peer, numbers[start:start + BATCH]) for peer in peers for start in range(0, len(numbers), BATCH)]
    spent, shown, lost, count = collections.Counter(), collections.Counter(), collections.Counter(), 0
    with multiprocessing.Pool(2) as pool:
        for peer, seconds, problems, unread in pool.imap_unordered(work, tasks):
            spent[peer] += seconds
            lost[peer] += unread
            for problem in problems:
                count += 1
                shown[peer] += 1
                if shown[peer] <= 12:
                    print(problem[:500])
    print(f"grafts: {len(numbers)} differences: {count} "
          + " ".join(f"{peer}={spent[peer]:.1f}s(unread {lost[peer]})" for peer in peers))
    return 1 if count or not numbers else 0


def make(directory, seed, count):
    with multiprocessing.Pool(2) as pool:
        failed = [text for text in pool.imap_unordered(build, [(directory, seed, number) for number in range(count)]) if text]
    for text in sorted(failed)[:10]:
        print(text)
    print(f"sources: {count - len(failed)} of {count}")
    return 0


os.umask(0o022)
os.environ["LC_ALL"] = "C.UTF-8"
if sys.argv[1] == "make":
    sys.exit(make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
sys.exit(check(sys.argv[2], sys.argv[3:] or PEERS))
