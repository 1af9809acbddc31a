#!/usr/bin/env python3
"""Makes python/pyflink/names.txt: the names of PyFlink's modules, read from wheels of apache-flink without running them.

    pip download --no-deps -d FOLDER apache-flink         # and older versions, --python-version 3.8 and so on
    tests/pyflink/names.py FOLDER > python/pyflink/names.txt

Only names are taken. Those of the newest version that a module has come first; what older versions had besides is kept, so
that modules written for them load.
"""

import ast
import pathlib
import sys
import textwrap
import zipfile

# Not imported by modules of users; inert.py answers any name there.
LEFT_OUT = ("pyflink.bin", "pyflink.conf", "pyflink.examples", "pyflink.fn_execution", "pyflink.gen_protos", "pyflink.lib", "pyflink.log",
            "pyflink.pyflink_", "pyflink.shell", "pyflink.find_flink_home")  # fmt: skip


def statements(nodes):
    for node in nodes:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            yield from statements([*node.body, *node.orelse, *(s for h in getattr(node, "handlers", []) for s in h.body)])


def origin(module, is_package, node):
    if not node.level:
        return node.module
    parts = module.split(".") if is_package else module.split(".")[:-1]
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def read_module(found, module, is_package, tree):
    for node in statements(tree.body):
        if isinstance(node, ast.ClassDef):
            found.setdefault(node.name, "class")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(node.name, "value")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, "value")
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("pyflink")):
            for name in node.names:
                if name.asname is None:
                    found.setdefault(name.name, "from " + origin(module, is_package, node))


def star(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
            return ast.literal_eval(node.value)
    return None


def version(path):
    return [int(part) for part in path.name.split("-")[1].split(".")]


def read(folder):
    modules, stars = {}, {}
    for wheel in sorted(pathlib.Path(folder).glob("*.whl"), key=version, reverse=True):
        archive = zipfile.ZipFile(wheel)
        for name in archive.namelist():
            if not name.startswith("pyflink/") or not name.endswith(".py") or "/tests/" in name:
                continue
            is_package = name.endswith("/__init__.py")
            module = name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
            if module == "pyflink" or module.startswith(LEFT_OUT):
                continue
            tree = ast.parse(archive.read(name))
            read_module(modules.setdefault(module, {}), module, is_package, tree)
            stars.setdefault(module, star(tree))
    return modules, stars


def main():
    modules, stars = read(sys.argv[1])
    for module in sorted(modules):
        names = {name: kind for name, kind in modules[module].items() if not name.startswith("_")}
        exported = stars[module]
        print(module)
        kinds = sorted(set(names.values()), key=lambda kind: (kind.startswith("from"), kind))
        for mark in "*+":  # what `import *` brings, and what has to be named
            for kind in kinds:
                some = sorted(n for n, k in names.items() if k == kind and (mark == "*") == (exported is None or n in exported))
                if some:
                    print(textwrap.fill(" ".join(some), 130, initial_indent=f" {mark}{kind}: ", subsequent_indent="  ", break_on_hyphens=False))


main()
