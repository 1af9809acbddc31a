"""
clang-format and clang-tidy over all C files. A file without findings is remembered outside the tree (STREAMJOB_CACHE) by a
hash of its text, of every header it reaches, of the settings and of the tools: only what changed is looked at again.
"""

import contextlib
import hashlib
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from house import files, includes, is_c

CACHE = os.path.join(os.environ.get("STREAMJOB_CACHE") or os.path.expanduser("~/.cache/streamjob"), "lint")
CACHE_DAYS_MAX = 14
FLAGS = ["-std=gnu17", "-I.", "-Iinclude", "-D_GNU_SOURCE", '-DSTREAMJOB_VERSION="0"', *os.environ.get("LINT_CFLAGS", "").split()]
FINDING = re.compile(r"^(\S+?):(\d+):\d+: (?:error|warning): (.*)$")


def tools():
    """What every file's result depends on besides its own text."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for tool in ("clang-format", "clang-tidy"):
        digest.update(subprocess.run([tool, "--version"], capture_output=True, check=True).stdout)
    for settings in (".clang-format", ".clang-tidy", "tests/check/lint_clang.py"):
        with open(settings, "rb") as file:
            digest.update(file.read())
    return digest.digest()


def reached(path, texts):
    """The file and the headers of the tree that it includes, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        here = waiting.pop()
        if here in found or here not in texts:
            continue
        found.add(here)
        for _, own, _ in includes(texts[here]):
            if own:
                waiting += [own, os.path.normpath(os.path.join(os.path.dirname(here), own))]
    return sorted(found)


def key(path, texts, tools_digest):
    digest = hashlib.sha256(tools_digest)
    for name in reached(path, texts):
        digest.update(f"{name}\0".encode() + "\n".join(texts[name]).encode())
    return f"{CACHE}/{digest.hexdigest()}"


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    found = []
    for line in (result.stdout + result.stderr).splitlines():
        match = FINDING.match(line)
        if match:
            found.append(f"{os.path.relpath(match.group(1))}:{match.group(2)}: {match.group(3)}")
    if result.returncode and not found:
        found.append(f"{command[-1 if '--' not in command else command.index('--') - 1]}:1: {result.stderr.strip()[-300:]}")
    return found


def look(path):
    found = run(["clang-format", "--dry-run", "-Werror", path])
    if path.endswith(".c"):
        found += run(["clang-tidy", "--quiet", path, "--", *FLAGS])
    return found


def forget_old():
    oldest = time.time() - CACHE_DAYS_MAX * 86400
    for entry in os.scandir(CACHE):
        with contextlib.suppress(FileNotFoundError):  # another run forgets as well
            if entry.stat().st_mtime < oldest:
                os.unlink(entry.path)


def main():
    os.makedirs(CACHE, exist_ok=True)
    texts = {path: lines for path, lines in files() if is_c(path)}
    tools_digest = tools()
    wanted = []
    for path in texts:
        entry = key(path, texts, tools_digest)
        if os.path.exists(entry):
            os.utime(entry)
        else:
            wanted.append((path, entry))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (path, entry), found in zip(wanted, pool.map(look, [path for path, _ in wanted])):
            if found:
                print("\n".join(found))
            else:
                open(entry, "w", encoding="utf-8").close()
    forget_old()


main()
