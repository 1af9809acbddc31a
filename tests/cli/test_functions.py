"""Functions of one's own as a user runs them on a laptop."""

import json
import os
import subprocess

import pytest

SUM = """\
import os, time
from streamjob import AggregateFunction, DataTypes
class Sum(AggregateFunction):
    def create_accumulator(self): return [0]
    def accumulate(self, acc, x):
        DEED
        acc[0] += x
    def get_value(self, acc): return acc[0]
    def get_result_type(self): return DataTypes.BIGINT()
"""


def job(inline, source="{stdin: {}}", **more):
    spec = {"name": "total", "kind": "aggregate", "entrypoint": "m:Sum", "code": {"inline": inline}} | more
    return f"""\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {source}
  columns: [{{name: v, type: BIGINT}}, {{name: ts, type: TIMESTAMP, format: epochMillis}}]
  functions: [{json.dumps(spec)}]
  window: {{tumbling: {{size: 1s}}}}
  aggregates: [{{name: s, expr: total(v)}}, {{name: b, expr: SUM(v)}}, {{name: c, expr: COUNT(*)}}]
  sinks: [{{stdout: {{}}}}]
"""


@pytest.mark.parametrize("given", ["pipe", "file"])
def test_a_worker_that_dies_once_costs_no_row(tree, given):
    """In the fourth of ten windows; those before are accepted and are not written again."""
    rows = [{"v": i, "ts": i} for i in range(10000)]
    events = "".join(json.dumps(row) + "\n" for row in rows)
    tree.write("events.jsonl", events)
    tree.write("bad", "")
    marker = str(tree.folder / "bad")
    tree.write("job.yaml", job(SUM.replace("DEED", f"if x == 3500 and os.path.exists({marker!r}): os.unlink({marker!r}); os._exit(3)")))
    input_name = "events.jsonl" if given == "file" else "-"
    done = tree.streamjob(
        "run", "job.yaml", "--input", input_name, "--output", "-", "--clock", "ts", text=None if given == "file" else events
    )
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(marker)
    assert "exit code 3" in done.stderr and "restarting from what is committed" in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["window_start"][17:19] for row in found] == [f"{i:02}" for i in range(10)]
    truth = [sum(range(1000 * i, 1000 * i + 1000)) for i in range(10)]
    assert [(row["s"], row["b"], row["c"]) for row in found] == [(total, total, 1000) for total in truth]


def test_a_generator_goes_back_too(tree):
    tree.write("bad", "")
    marker = str(tree.folder / "bad")
    source = "{datagen: {rows: 20000, rowsPerSecond: 0, seed: 5, columns: {v: {uniform: {min: 0, max: 9}}, ts: {sequence: {start: 0, end: 19999}}}}}"
    tree.write("job.yaml", job(SUM.replace("DEED", "pass"), source))
    plain = tree.streamjob("run", "job.yaml", "--output", "-", "--clock", "ts")
    deed = f"acc.append(0); (len(acc) > 500 and os.path.exists({marker!r})) and (os.unlink({marker!r}), os._exit(3))"
    tree.write("job.yaml", job(SUM.replace("DEED", deed), source))
    again = tree.streamjob("run", "job.yaml", "--output", "-", "--clock", "ts")
    assert (plain.returncode, again.returncode) == (0, 0), again.stderr
    assert "restarting" in again.stderr and "restarting" not in plain.stderr
    assert plain.stdout == again.stdout


NO_TYPE = SUM.replace("    def get_result_type(self): return DataTypes.BIGINT()\n", "")

# What is changed in a good function, and where and how validate says so.
PROBLEMS = {
    "a method is missing": (SUM.replace("get_value", "get_values"), "7:68: spec.functions[0].entrypoint", "m:Sum has no get_value"),
    "too few arguments": (SUM.replace("acc, x)", "acc)"), "9:32: spec.aggregates[0].expr", "total does not take 1 argument; give it 0"),
    "too many arguments": (SUM.replace("acc, x)", "acc, x, y)"), "9:32: spec.aggregates[0].expr", "total does not take 1 argument; give it 2"),
    "no result type": (NO_TYPE, "7:68: spec.functions[0].entrypoint", "m:Sum does not say its result type; give get_result_type()"),
    "an unknown result type": (SUM.replace("DataTypes.BIGINT()", "'BIGNT'"), "7:68: spec.functions[0].entrypoint", "'BIGNT' is not a type"),
    "no such class": (SUM.replace("class Sum", "class Som"), "7:68: spec.functions[0].entrypoint", "m has no Sum; it has "),
    "no such package": ("import nowhere\n" + SUM, "7:68: spec.functions[0].entrypoint", "No module named 'nowhere'"),
    "it does not parse": (SUM + "def (\n", "7:68: spec.functions[0].entrypoint", "SyntaxError: invalid syntax"),
}


@pytest.mark.parametrize("case", list(PROBLEMS))
def test_validate_says_what_is_wrong_with_the_code_and_where(tree, case):
    code, place, words = PROBLEMS[case]
    tree.write("job.yaml", job(code.replace("DEED", "pass")))
    done = tree.streamjob("validate", "job.yaml")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith(f"job.yaml:{place}: ") and done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr
    assert tree.streamjob("validate", "--no-functions", "job.yaml").returncode == 0


def test_validate_lets_good_code_pass(tree):
    tree.write("job.yaml", job(SUM.replace("DEED", "pass")))
    done = tree.streamjob("validate", "job.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    tree.write("job.yaml", job(NO_TYPE.replace("DEED", "pass"), returns=[{"name": "r", "type": "BIGINT"}]))
    assert tree.streamjob("validate", "job.yaml").returncode == 0


def test_validate_finds_a_result_type_that_does_not_fit_its_use(tree):
    text = job(SUM.replace("DEED", "pass").replace("BIGINT()", "STRING()")).replace("expr: total(v)", "expr: total(v) + 1")
    tree.write("job.yaml", text)
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 1 and done.stderr.startswith("job.yaml:9:"), done.stderr
    assert "STRING" in done.stderr


def virtualenv(folder):
    """One of this machine's python3, with a package of its own."""
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder], check=True)
    packages = next((folder / "lib").glob("python3.*/site-packages"))
    (packages / "only_here.py").write_text("def twice(x):\n    return 2 * x\n")
    return packages


USES_A_PACKAGE = SUM.replace("import os, time", "import os, time, only_here").replace("acc[0] += x", "acc[0] += only_here.twice(x)")


@pytest.mark.parametrize("how", ["VIRTUAL_ENV", "STREAMJOB_PYTHON", "PYTHONPATH"])
def test_packages_of_a_virtualenv(tree, how):
    packages = virtualenv(tree.folder / "venv")
    value = {
        "VIRTUAL_ENV": tree.folder / "venv", "STREAMJOB_PYTHON": tree.folder / "venv/bin/python3", "PYTHONPATH": packages
    }[how]
    tree.write("job.yaml", job(USES_A_PACKAGE.replace("DEED", "pass")))
    done = tree.streamjob("run", "job.yaml", "--output", "-", "--clock", "ts", text='{"v": 21, "ts": 1}\n', env={how: str(value)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["s"] == 42
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 1 and "No module named 'only_here'" in done.stderr + done.stdout


@pytest.mark.parametrize("what", ["nothing", "no python3", "another version"])
def test_a_virtualenv_that_is_none(tree, what):
    if what != "nothing":
        virtualenv(tree.folder / "venv")
    if what == "no python3":
        (tree.folder / "venv/bin/python3").unlink()
    if what == "another version":
        (tree.folder / "venv/lib").rename(tree.folder / "venv/lib-of-another")
        (tree.folder / "venv/lib/python3.1/site-packages").mkdir(parents=True)
    tree.write("job.yaml", job(SUM.replace("DEED", "pass")))
    done = tree.streamjob("validate", "job.yaml", env={"VIRTUAL_ENV": str(tree.folder / "venv")})
    assert done.returncode == 1
    assert f"VIRTUAL_ENV is {tree.folder / 'venv'}, which is no virtualenv of Python 3." in done.stderr + done.stdout


@pytest.mark.parametrize("kind,words", [("fifo", "is a FIFO; a regular file is needed"), ("folder", "is a folder"), ("device", "is a device or a socket")])
@pytest.mark.parametrize("language", ["python", "native"])
def test_code_that_is_no_file_is_refused_at_once(tree, kind, words, language):
    path = tree.folder / "code"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    function = {"name": "total", "kind": "aggregate", "language": language, "entrypoint": "code.so:x" if language == "native" else "m:Sum"}
    text = job(SUM, **function, code={"path": str(path)}, **({"isolation": "inProcess"} if language == "native" else {}))
    tree.write("job.yaml", text)
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 1 and words in done.stderr, done.stderr


WHOLE_WINDOW = """\
import numpy as np
from pyflink.table import DataTypes
from pyflink.table.udf import udaf
def measure(v, n, s):
    letters = sum(len(text) for text in s if text is not None)
    return f"{len(v)} {int(v.sum())} {int(np.nansum(n.to_numpy(dtype='d')))} {letters}"
measure = udaf(measure, result_type=DataTypes.STRING(), func_type="pandas")
"""


def test_whole_columns_of_a_large_window(tree):
    """3,000,000 rows and 160 groups in one window, within 512 MiB; a column of NULLs and one of strings among them."""
    code = json.dumps({"name": "measure", "kind": "aggregate", "entrypoint": "m:measure", "memory": "512Mi", "timeout": "60s", "code": {"inline": WHOLE_WINDOW}})
    rows = 3_000_000
    tree.write("job.yaml", f"""\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source:
    datagen:
      rows: {rows}
      rowsPerSecond: 0
      seed: 11
      columns:
        v: {{sequence: {{start: 0, end: {rows - 1}}}}}
        g: {{uniform: {{min: 0, max: 160}}}}
        ts: {{sequence: {{start: 0, end: {rows - 1}}}}}
  columns:
  - {{name: v, type: BIGINT}}
  - {{name: g, type: BIGINT}}
  - {{name: ts, type: TIMESTAMP, format: epochMillis}}
  functions: [{code}]
  select:
  - {{name: third, expr: "CASE WHEN v % 3 = 0 THEN v END"}}
  - {{name: letters, expr: "CASE WHEN v % 2 = 0 THEN 'ab' END"}}
  window: {{tumbling: {{size: 1d}}}}
  groupBy: [g]
  aggregates:
  - {{name: m, expr: "measure(v, third, letters)"}}
  - {{name: c, expr: COUNT(*)}}
  - {{name: sv, expr: SUM(v)}}
  - {{name: sn, expr: SUM(third)}}
  - {{name: ls, expr: SUM(LENGTH(letters))}}
  sinks: [{{stdout: {{}}}}]
""")
    done = tree.streamjob("run", "job.yaml", "--output", "-", "--clock", "ts")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 160 and sum(row["c"] for row in found) == rows
    for row in found:
        assert row["m"] == f"{row['c']} {row['sv']} {row['sn']} {row['ls']}"
