#!/usr/bin/python3
"""Loads public modules written for PyFlink, and says of each function whether it loads here, and whether its module loads there.

    make corpus MIRROR=FOLDER [PYFLINK=VENV/bin/python] [STREAMJOB=PROGRAM] [LIST=all|fail|files]

MIRROR has a git repository at OWNER+NAME/repo for each of sources.txt (git clone --mirror); those that are not there are left out and
counted. PYFLINK is a Python with apache-flink in it; no Flink runs, so a module that starts a job when it is imported is "engine" there.
Nothing of the modules is kept: they are written to a temporary folder.
"""

import argparse
import ast
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
WRAPPERS = {"udf": "scalar", "udtf": "table", "udaf": "aggregate", "udtaf": "tableAggregate"}
BASES = {"AggregateFunction": "aggregate", "TableAggregateFunction": "tableAggregate"}
REAL = "import importlib.util, sys; s = importlib.util.spec_from_file_location('m', sys.argv[1]); m = importlib.util.module_from_spec(s); s.loader.exec_module(m)"
# Why a function does not load, by the words of the sentence.
REASONS = [
    ("type", re.compile(r"is vectorized: with kind: table|cannot be carried|cannot be a column|no column of the job is of its input type|cannot find the type")),
    ("its job", re.compile(r"NoResult: |which asks this module's Flink job")),
    ("package", re.compile(r"ModuleNotFoundError: No module named|ImportError: (?!.*'pyflink)|is not installed in this image")),
    ("file or service", re.compile(r"FileNotFoundError|ConnectionError|PermissionError|NotADirectoryError|URLError|KeyError: '[A-Z_]+'")),
    ("not whole", re.compile(r"NameError: name '\w+' is not defined")),  # a piece of a page, or of a notebook
    ("does not parse", re.compile(r"SyntaxError|IndentationError")),
]  # fmt: skip


def name_of(node):
    return getattr(node, "id", getattr(node, "attr", None))


def wrapper_of(node):
    """The kind, where the expression is udf(…) or udf."""
    call = node.func if isinstance(node, ast.Call) else node
    return WRAPPERS.get(name_of(call))


def functions(body, path=()):
    """(entrypoint's attribute, kind) of what can be named: module level, in functions and in classes."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            kinds = [kind for kind in map(wrapper_of, node.decorator_list) if kind]
            if kinds:
                yield ".".join([*path, node.name]), kinds[0]
            else:
                yield from functions(node.body, (*path, node.name))
        elif isinstance(node, ast.ClassDef):
            kinds = [BASES[name_of(base)] for base in node.bases if name_of(base) in BASES]
            says = any(isinstance(n, ast.FunctionDef) and n.name == "get_result_type" for n in node.body)
            if kinds and says:
                yield ".".join([*path, node.name]), kinds[0]
            elif not kinds:
                yield from functions(node.body, (*path, node.name))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and wrapper_of(node.value) and len(node.targets) == 1:
            if isinstance(node.targets[0], ast.Name):
                yield ".".join([*path, node.targets[0].id]), wrapper_of(node.value)
        elif isinstance(node, (ast.If, ast.With, ast.Try)):
            if not (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)):
                yield from functions(node.body, path)


def texts(mirror, repository, ref, pattern):
    """(path, text) of the modules; the Python blocks of a page each count as one."""
    for folder in (mirror / repository.replace("/", "+") / "repo" / ".git", mirror / repository.replace("/", "+") / "repo"):
        if folder.is_dir():
            break
    else:
        return None
    git = ["git", f"--git-dir={folder}"]
    if ref == "-":
        ref = subprocess.run([*git, "for-each-ref", "--count=1", "--format=%(refname)"], capture_output=True, text=True).stdout.strip() or "HEAD"
    paths = subprocess.run([*git, "ls-tree", "-r", "--name-only", ref], capture_output=True, text=True).stdout.splitlines()
    found = []
    for path in paths:
        if not re.fullmatch(pattern, path):
            continue
        text = subprocess.run([*git, "show", f"{ref}:{path}"], capture_output=True).stdout.decode(errors="replace")
        if path.endswith(".md"):
            blocks = re.findall(r"```python\n(.*?)```|{% highlight python %}\n(.*?){% endhighlight %}", text, re.S)
            found += [(f"{path}#{i}", "".join(block)) for i, block in enumerate(blocks, 1)]
        elif path.endswith(".py"):
            found.append((path, text))
    return found


def job(path, module, attribute, kind):
    function = {"name": "fn", "kind": kind, "entrypoint": f"{module}:{attribute}", "code": {"path": str(path)}, "startTimeout": "60s",
                "memory": "1Gi"}  # fmt: skip
    return json.dumps({
        "apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "j"},
        "spec": {"source": {"stdin": {}}, "columns": [{"name": "v", "type": "BIGINT"}], "functions": [function], "sinks": [{"stdout": {}}],
                 "window": {"tumbling": {"size": "1m"}}, "aggregates": [{"name": "c", "expr": "COUNT(*)"}]},
    })  # fmt: skip


def reason_of(words):
    for reason, pattern in REASONS:
        if pattern.search(words):
            return reason
    return "other"


def ours(program, folder, path, attribute, kind):
    """("loads", "") or (reason, the sentence)."""
    for tried in (kind, "table"):  # a scalar function with a ROW is what PyFlink's map takes: kind: table here
        (folder / "job.yaml").write_text(job(path, path.stem, attribute, tried))
        done = subprocess.run([program, "validate", "job.yaml"], cwd=folder, capture_output=True, text=True)
        if done.returncode == 0 or kind != "scalar" or "with kind: table" not in done.stderr:
            break
    if done.returncode == 0:
        return "loads", ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if re.match(r"\S*(Error|Exception|NoResult)\b", line)), lines[0] if lines else "?")
    return reason_of(done.stderr), re.sub(r"^.*?spec.functions\[0\].entrypoint: ", "", last)


def theirs(python, path):
    if not python:
        return "-"
    done = subprocess.run([python, "-c", REAL, str(path)], cwd=path.parent, capture_output=True, text=True, env={**os.environ, "FLINK_HOME": "/nonexistent"},
                          stdin=subprocess.DEVNULL)  # fmt: skip
    if done.returncode == 0:
        return "loads"
    if re.search(r"java_gateway|FLINK_HOME|find_flink_home|Py4J|gateway", done.stderr):
        return "engine"
    return reason_of(done.stderr) if reason_of(done.stderr) != "other" else (done.stderr.splitlines() or ["?"])[-1][:60]


def sources():
    for line in (HERE / "sources.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def measure(options, folder):
    """[(group, repository/path, attribute, kind, ours, sentence, theirs)]"""
    rows = []
    for group, repository, ref, pattern in sources():
        modules = texts(options.mirror, repository, ref, pattern)
        if modules is None:
            print(f"not in the mirror: {repository}", file=sys.stderr)
            continue
        for number, (path, text) in enumerate(modules):
            if "pyflink" not in text and "udf" not in text:
                continue
            try:
                found = list(dict.fromkeys(functions(ast.parse(text).body)))
            except (SyntaxError, ValueError):
                continue  # Python 2, or a piece of a page
            own = folder / f"{re.sub('[^a-zA-Z0-9]', '_', repository)}_{number}"
            own.mkdir(exist_ok=True)
            module = own / (re.sub("[^a-zA-Z0-9]", "_", pathlib.PurePosixPath(path.partition("#")[0]).stem) + ".py")
            module.write_text(text)
            there = theirs(options.pyflink, module) if found else "-"
            for attribute, kind in found:
                result, sentence = ours(options.streamjob, own, module, attribute, kind)
                rows.append((group, f"{repository}/{path}", attribute, kind, result, sentence, there))
    return rows


def table(rows):
    groups = list(dict.fromkeys(row[0] for row in rows))
    reasons = ["loads", *dict.fromkeys(reason for reason, _ in REASONS), "other"]
    print("| from | files | functions | " + " | ".join(reasons) + " | PyFlink loads the module | needs its engine |")
    print("|---" * (len(reasons) + 5) + "|")
    for group in groups:
        some = [row for row in rows if row[0] == group]
        counts = collections.Counter(row[4] for row in some)
        files = {row[1]: row[6] for row in some}
        there = collections.Counter(files.values())
        print(f"| {group} | {len(files)} | {len(some)} | " + " | ".join(str(counts[r]) for r in reasons) + f" | {there['loads']} | {there['engine']} |")


def files(rows):
    """A line a file: how many functions, how many load, why the others do not, and what PyFlink makes of the module."""
    print("| file | functions | load | the others | PyFlink |\n|---|---|---|---|---|")
    for path in dict.fromkeys(row[1] for row in rows):
        some = [row for row in rows if row[1] == path]
        others = collections.Counter(row[4] for row in some if row[4] != "loads")
        why = ", ".join(f"{count} {reason}" for reason, count in others.items())
        print(f"| {path} | {len(some)} | {len(some) - sum(others.values())} | {why} | {some[0][6].replace('|', '/')} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mirror", type=pathlib.Path, required=True)
    parser.add_argument("--pyflink", help="a Python that has apache-flink")
    parser.add_argument("--streamjob", default=str(ROOT / "build" / "release" / "streamjob"))
    parser.add_argument("--list", choices=("no", "all", "fail", "files"), default="no")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options, pathlib.Path(folder))
    table(rows)
    if options.list == "files":
        print()
        files(rows)
    for group, path, attribute, kind, result, sentence, there in rows:
        if options.list == "all" or options.list == "fail" and result != "loads":
            print(f"{group}: {path}: {attribute} ({kind}): {result} | PyFlink: {there} | {sentence[:220]}")


main()
