"""The rooms of floors.txt and the files of the tree, for the lint."""

import os
import re
from typing import NamedTuple

WINGS = ("lib", "runtime", "operator")
SKIPPED = {".git", "build", "corpus", "__pycache__"}  # .git is a file in a work tree of its own


class Room(NamedTuple):
    name: str
    floor: int
    pure: bool
    owns: tuple

    @property
    def wing(self):
        return self.name.split("/")[0]


def room_of(path, house):
    """The room of that file: the folder that it is in. "" where floors.txt has none."""
    folder = os.path.dirname(path)
    return folder if folder in house else ""


def rooms():
    """Name to Room, lowest floor first."""
    found = {}
    for line in open("floors.txt", encoding="utf-8"):
        words = line.split("#")[0].split()
        if words:
            owns = tuple(words[i + 1] for i, word in enumerate(words[:-1]) if word == "owns")
            found[words[0]] = Room(words[0], len(found), "pure" in words[1:], owns)
    return found


def files():
    """Every text file of the tree as (path, lines); corpora and what was built are left out."""
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(f for f in folders if f not in SKIPPED)
        for name in sorted(n for n in names if n not in SKIPPED):
            path = os.path.normpath(os.path.join(folder, name))
            try:
                with open(path, encoding="utf-8") as file:
                    yield path, file.read().splitlines()
            except UnicodeDecodeError:
                pass


def is_c(path):
    return path.endswith((".c", ".h"))


INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def includes(lines):
    """(line number, path of an include in quotes or None, path of one in angles or None)."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)
