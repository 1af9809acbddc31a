#!/usr/bin/env python3
"""Every fault that docs/operator.md says the operator survives, in the order of its table. Arguments go to pytest."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    table = (ROOT / "docs/operator.md").read_text()
    named = list(dict.fromkeys(re.findall(r"`(tests/[\w/]+\.(?:py::\w+|c))`", table.partition("## What it survives")[2].partition("\n## ")[0])))
    programs = [f"build/release/{name.removesuffix('.c')}" for name in named if name.endswith(".c")]
    folders = {}
    for name in named:
        if "::" in name:
            folder, _, test = name.rpartition("/")
            folders.setdefault(folder, []).append(test)
    subprocess.run(["make", "-s", "test-programs"], cwd=ROOT, check=True)
    failed = [program for program in programs if subprocess.run([ROOT / program], check=False).returncode]
    for folder, tests in folders.items():
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", *sys.argv[1:], *tests]
        failed += [folder] if subprocess.run(command, cwd=ROOT / folder, check=False).returncode else []
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


main()
