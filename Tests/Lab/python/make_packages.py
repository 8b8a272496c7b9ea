"""Makes the packages of the lab's repository.

Alpine's own are packed again from its installed root, with the scripts and
triggers of its database. The others are made from the recipes.
"""

import configparser
import os
import sys

import apk_database
import apk_package

# Keys of the database and of .PKGINFO that hold the same value.
SINGLE = [("T", "pkgdesc"), ("U", "url"), ("o", "origin"), ("m", "maintainer"), ("c", "commit"), ("L", "license"),
          ("q", "replaces_priority"), ("k", "provider_priority")]
LISTS = [("r", "replaces"), ("D", "depend"), ("p", "provides"), ("i", "install_if")]

# What makes a kernel, and what Alpine's own medium does not carry either.
NOT_PACKED = ("linux-virt", "mkinitfs")
# The packages that Alpine's virt profile asks for, as far as they are here.
ON_MEDIUM = ["alpine-base", "busybox", "chrony", "dhcpcd", "doas", "e2fsprogs", "e2fsprogs-extra", "openssh", "openssl",
             "partx", "sfdisk", "bridge", "ifupdown-ng"]


def information(package, time):
    fields = package.fields
    pairs = [("pkgname", package.name), ("pkgver", package.version)]
    pairs += [(name, fields[key]) for key, name in SINGLE if key in fields]
    pairs += [("builddate", time), ("arch", "x86_64")]
    for key, name in LISTS:
        words = fields.get(key, "").split()
        if name == "install_if" and words:
            pairs.append((name, " ".join(words)))
        elif name != "install_if":
            pairs += [(name, word) for word in words]
    if package.triggers:
        pairs.append(("triggers", package.triggers))
    return pairs


class Recipe:
    """The packages of one directory of recipes."""

    def __init__(self, directory, built):
        self.directory = directory
        self.trees = [os.path.join(directory, "files"), built]
        self.configuration = configparser.ConfigParser(interpolation=None)
        self.configuration.read(os.path.join(directory, "recipe.ini"))
        self.time = int(os.environ["SOURCE_DATE_EPOCH"])

    def _source(self, path):
        for tree in self.trees:
            if os.path.lexists(os.path.join(tree, path)):
                return os.path.join(tree, path)
        sys.exit(f"{self.directory}: no such file: {path}")

    def _members(self, lines):
        """Returns the members for lines of the form PATH [MODE]; a path ending in / is a directory."""
        directories, members = {}, []
        for words in map(str.split, lines):
            path, mode = words[0], int(words[1], 8) if len(words) > 1 else None
            parents = path.rstrip("/").split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                directories.setdefault("/".join(parents[:depth]), 0o755)
            if path.endswith("/"):
                directories[path.rstrip("/")] = mode or 0o755
                continue
            source = self._source(path)
            mode = mode or (0o755 if os.access(source, os.X_OK) else 0o644)
            members.append(apk_package.data_member(source, apk_database.Entry(path, mode), self.time))
        for path, mode in directories.items():
            members.append(apk_package.data_member("/", apk_database.Entry(path, mode), self.time))
        return sorted(members, key=lambda member: member[0].name)

    def packages(self):
        """Yields each package and its members."""
        for name in self.configuration.sections():
            section = self.configuration[name]
            package = apk_database.Package({"P": name, "V": section["version"], "o": os.path.basename(self.directory)})
            for key, word in SINGLE + LISTS:
                if word in section:
                    package.fields[key] = " ".join(section[word].split())
            for kind in section.get("scripts", "").split():
                with open(os.path.join(self.directory, f"{name}.{kind}"), "rb") as file:
                    package.scripts[kind] = file.read()
            lines = [line for line in section.get("files", "").splitlines() if line.strip()]
            yield package, self._members(lines)


def closure(packages, wanted):
    """Returns the names of the packages in `wanted` and of all that these pull in."""
    names = {package.name: package for package in packages}
    providers = {}
    for package in packages:
        for word in [package.name] + package.fields.get("p", "").split():
            providers.setdefault(_bare(word), package.name)
        for entry in package.entries:
            providers.setdefault("/" + entry.path, package.name)
    chosen, queue = set(), list(wanted)
    while queue:
        name = queue.pop()
        if name in chosen:
            continue
        chosen.add(name)
        for word in names[name].fields.get("D", "").split():
            if not word.startswith("!"):
                queue.append(providers[_bare(word)])
        for package in packages:
            conditions = [_bare(word) for word in package.fields.get("i", "").split()]
            if conditions and all(providers.get(word) in chosen for word in conditions):
                queue.append(package.name)
    return chosen


def _bare(word):
    """Returns a dependency without its version."""
    for index, character in enumerate(word):
        if character in "=<>~":
            return word[:index]
    return word


def main(root, key, recipes, built, out):
    packages = []
    for package in apk_database.read(root):
        if package.name in NOT_PACKED:
            continue
        time = int(package.fields["t"])
        members = [apk_package.data_member(os.path.join(root, entry.path), entry, time) for entry in package.entries]
        packages.append((package, members, time))
    for name in sorted(os.listdir(recipes)):
        recipe = Recipe(os.path.join(recipes, name), os.path.join(built, name))
        packages += [(package, members, recipe.time) for package, members in recipe.packages()]

    for package, members, time in packages:
        path = os.path.join(out, f"{package.name}-{package.version}.apk")
        apk_package.write(path, information(package, time), members, package.scripts, key, time)
    on_medium = closure([package for package, _, _ in packages], ON_MEDIUM)
    with open(os.path.join(out, "on-medium"), "w", encoding="utf-8") as file:
        for package, _, _ in packages:
            if package.name in on_medium:
                print(f"{package.name}-{package.version}.apk", file=file)


main(*sys.argv[1:])
