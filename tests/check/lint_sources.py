"""What can be seen in the text of the files: floors, sizes, words, paths, and whether scripts parse."""

import collections
import os
import re
import subprocess

from house import WINGS, files, includes, is_c, room_of, rooms

HEADER_LINES_MAX = 100
C_LINES_MAX = 400
TEST_LINES_MAX = 600
FOLDER_SOURCES_MAX = 20
# To be split into rooms by concept: the list only gets shorter. A family's room with a file an entry may stay: say so here.
CROWDED = {
    "lib/expr",
    "operator/manager",
    "operator/reconcile",
    "runtime/kafka",
    "runtime/pipeline",
    "runtime/udf",
}

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
OWN_MACHINE = re.compile(r"(?<![\w.*}])/(home|root|work|Users)/\w")
ROOM_NAME = re.compile(r"(?<![\w./<-])((?:%s)(?:/\w+)+)(\.\w+)?(?![\w*])" % "|".join(WINGS))
FILE_NAME = re.compile(r"(?<![\w./-])((?:tests|docs|examples|bench|crds|packages)/[\w./-]*\.(?:md|sh|py|c|h|yaml|txt))\b")
TEST_NAME = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")

# A call of the log: its message, and the literals and PRI… macros of its fields; log_fields.h has their grammar.
LOG_CALL = re.compile(r'\blog_(?:debug|info|warn|error|write)\((?:[^;"]*?,)?\s*"[^"]*"\s*,((?:\s*(?:"(?:\\.|[^"\\])*"|\w+))+)')
LOG_FIELDS = re.compile(r'(?:[a-z_]+=(?:"[^"]*"|[^\s"=]+)(?: (?!$)|$))+')


def owns(room, system):
    return any(system.startswith(header) if header.endswith("/") else system == header for header in room.owns)


def check_floors(path, lines, house):
    here = house.get(room_of(path, house))
    if not here:
        yield 1, f"room {os.path.dirname(path)} has no line in floors.txt"
        return
    for number, own, system in includes(lines):
        owners = [room for room in house.values() if system and owns(room, system)]
        if owners and here not in owners:
            yield number, f"<{system}> belongs to {' and '.join(room.name for room in owners)}"
        if not own:
            continue
        there = house.get(room_of(own, house))
        if not there:
            yield number, f'"{own}": include by the path from the top of the repository, in a room of floors.txt'
        elif not os.path.exists(own):
            yield number, f'"{own}" does not exist'
        elif there.wing not in (here.wing, "lib"):
            yield number, f"{here.name} includes {there.name}, of another wing"
        elif there.floor > here.floor:
            yield number, f"{here.name} includes {there.name}, a higher floor"


def lines_max(path):
    if path.startswith("tests/"):
        return TEST_LINES_MAX
    return HEADER_LINES_MAX if path.endswith(".h") else C_LINES_MAX


def check_size(path, lines):
    limit = lines_max(path)
    if len(lines) > limit:
        yield limit + 1, f"{len(lines)} lines, more than {limit}: split it by concept"


def check_log_fields(lines):
    """What is written without this grammar would stop the program at its assertions."""
    text = "\n".join(lines)
    for call in LOG_CALL.finditer(text):
        parts = re.findall(r'"((?:\\.|[^"\\])*)"|(\w+)', call[1])
        fields = "".join(literal.replace('\\"', '"') if not word else "u" for literal, word in parts)
        if not LOG_FIELDS.fullmatch(fields):
            yield text.count("\n", 0, call.start()) + 1, f"the fields of a log line are key=value or key=\"value\": {fields}"


def is_room(name, house):
    """A room, the wing's part that has it, or a file of it without its ending."""
    return any(f"{name}/".startswith(f"{room}/") or room.startswith(f"{name}/") for room in house)


def check_words(path, lines, house):
    for number, line in enumerate(lines, 1):
        for word in UNFINISHED.findall(line):
            yield number, f"{word}: finish it, or write an issue"
        if OWN_MACHINE.search(line):
            yield number, "an absolute path of a home or work folder"
        if path.startswith("tests/"):
            continue
        for name, ending in ROOM_NAME.findall(line):
            if ending and not os.path.exists(name + ending):
                yield number, f"there is no file {name}{ending}"
            elif not ending and not is_room(name, house):
                yield number, f"there is no room {name}"
        for file in FILE_NAME.findall(line):
            if not os.path.exists(file):
                yield number, f"there is no file {file}"


def check_links(path, lines):
    for number, line in enumerate(lines, 1):
        for target in LINK.findall(line):
            if not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield number, f"the link to {target} leads nowhere"


def check_script(path, lines):
    """Shell scripts parse by the shell of their first line, Python ones compile."""
    first = lines[0] if lines else ""
    if path.endswith(".py") or first.startswith("#!") and "python" in first:
        try:
            compile("\n".join(lines) + "\n", path, "exec")
        except SyntaxError as error:
            yield error.lineno or 1, str(error.msg)
    elif path.endswith(".sh") or first.startswith("#!") and first.rstrip().endswith("sh"):
        shell = "bash" if "bash" in first else "sh"
        parsed = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
        if parsed.returncode:
            where = re.search(r"\b(?:line )?(\d+): ", parsed.stderr)
            yield int(where.group(1)) if where else 1, parsed.stderr.strip().splitlines()[-1]
    if first.startswith("#!") and not os.access(path, os.X_OK):
        yield 1, "has an interpreter line but is not executable"


def check_rooms(house, seen):
    for room in house.values():
        if room.name not in seen:
            yield f"floors.txt:1: there is no room {room.name}"


def check_named_tests(lines):
    for number, line in enumerate(lines, 1):
        for path, name in TEST_NAME.findall(line):
            if not os.path.exists(path) or f"\ndef {name}(" not in open(path, encoding="utf-8").read():
                yield number, f"there is no test {path}::{name}"


def check_folders(sources):
    """Folders of the wings by how many .c files they have."""
    for folder, count in sorted(sources.items()):
        if count > FOLDER_SOURCES_MAX and folder not in CROWDED:
            yield f"{folder}:1: {count} sources, more than {FOLDER_SOURCES_MAX}: split it by concept"
    for folder in sorted(CROWDED):
        if sources[folder] <= FOLDER_SOURCES_MAX:
            yield f"tests/check/lint_sources.py:1: CROWDED has {folder}, which is not crowded any more"


def main():
    house = rooms()
    seen = set()
    sources = collections.Counter()
    for path, lines in files():
        found = [*check_words(path, lines, house), *check_script(path, lines)]
        if path.endswith(".md"):
            found += [*check_links(path, lines), *check_named_tests(lines)]
        if is_c(path):
            found += check_size(path, lines)
            if path.split("/")[0] in WINGS:
                seen.add(room_of(path, house))
                sources[os.path.dirname(path)] += path.endswith(".c")
                found += check_floors(path, lines, house)
                found += check_log_fields(lines) if path.endswith(".c") else []
        for number, what in found:
            print(f"{path}:{number}: {what}")
    for line in [*check_rooms(house, seen), *check_folders(sources)]:
        print(line)


main()
