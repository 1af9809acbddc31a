"""
What no function should do, once each: the job says which function, which method and why, the other function is left
alone, and the rows come out exact, at once or, where the job had to stop, when the function is mended.
"""

import json
import os

import pytest

GOOD = """\
from streamjob import DataTypes, udf
twice = udf(lambda x: 2 * x, result_type=DataTypes.BIGINT())
"""
SCRIBBLE = (
    "base = min(int(l.split('-')[0], 16) for l in open('/proc/self/maps') if 'memfd:streamjob-worker' in l); "
    "[ctypes.memset(base + at, 0xff, 4096) for at in (16, 65536 + (32 << 20))]"
)

# Where, what it does there; the method and the reason that are said, and words of it.
RECOVERS = {
    "hangs at import": ("import", "time.sleep(1000)", "import", "timeout", "did not come back within startTimeout"),
    "hangs in __init__": ("__init__", "time.sleep(1000)", "import", "timeout", "did not come back within startTimeout"),
    "hangs in open": ("open", "time.sleep(1000)", "open", "timeout", "did not come back within startTimeout"),
    "hangs in accumulate": ("accumulate", "time.sleep(1000)", "accumulate", "timeout", "did not come back within timeout"),
    "hangs in get_value": ("get_value", "time.sleep(1000)", "get_value", "timeout", "did not come back within timeout"),
    "floods stdout": ("accumulate", "[print('x' * 1000) for _ in iter(int, 1)]", "accumulate", "timeout", "did not come back"),
    "takes all signals": (
        "accumulate",
        "[signal.signal(s, lambda *a: None) for s in (1, 2, 10, 12, 14, 15)]; time.sleep(1000)",
        "accumulate",
        "timeout",
        "did not come back",
    ),
    "writes over the shared memory": ("accumulate", SCRIBBLE + "; os._exit(1)", None, "crash", "exit code 1"),
    "writes over the request": (
        "accumulate",
        SCRIBBLE.replace("(16, 65536 + (32 << 20))", "(65536,)"),
        "accumulate",
        "crash",
        "Segmentation fault",
    ),
    "eats memory": (
        "accumulate",
        "[bytearray(1 << 20) for _ in range(4000)]",
        "accumulate",
        "memory",
        "needs more than its memory (67108864 bytes)",
    ),
    "raises in open": ("open", "1 / 0", "open", "start", "ZeroDivisionError"),
}
# An exception: the job stops, by onError: fail, or because code that does not load is no matter of trying again.
STOPS = {
    "imports what is not there": ("import", "import nowhere_to_be_found", "import", "No module named 'nowhere_to_be_found'"),
    "bombs of forks": ("accumulate", "[os.fork() for _ in iter(int, 1)]", "accumulate", "PermissionError"),
    "starts a program": ("accumulate", "subprocess.run(['true'])", "accumulate", "PermissionError"),
    "spawns threads for ever": (
        "accumulate",
        "[threading.Thread(target=time.sleep, args=(1000,), daemon=True).start() for _ in iter(int, 1)]",
        "accumulate",
        "can't start new thread",
    ),
    "recursion": ("accumulate", "(f := lambda n: f(n))(0)", "accumulate", "RecursionError"),
    "a result of the wrong type": ("get_value", "return 'text'", "get_value", "declared as BIGINT, but the function gave str"),
    "a result that does not fit": ("get_value", "return 1 << 63", "get_value", "does not fit the declared BIGINT"),
}


def code_of(place, deed, marker, once):
    def line(method):
        if method != place:
            return "pass"
        return f"if gone({marker!r}): {deed}" if once else f"if os.path.exists({marker!r}): {deed}"

    return f"""\
import ctypes, os, signal, subprocess, threading, time
from streamjob import AggregateFunction, DataTypes

def gone(path):
    if not os.path.exists(path):
        return False
    os.unlink(path)
    return True

{line("import")}

class Sum(AggregateFunction):
    def __init__(self):
        {line("__init__")}
    def open(self, context):
        {line("open")}
    def close(self):
        {line("close")}
    def create_accumulator(self):
        return [0]
    def accumulate(self, acc, x):
        {line("accumulate")}
        acc[0] += x
    def get_value(self, acc):
        {line("get_value")}
        return acc[0]
    def get_result_type(self):
        return DataTypes.BIGINT()
"""


def job_of(code, **more):
    total = {"name": "total", "kind": "aggregate", "entrypoint": "m:Sum", "code": {"inline": code}}
    total |= {"timeout": "2s", "startTimeout": "8s", "memory": "64Mi", **more}
    twice = {"name": "twice", "kind": "scalar", "entrypoint": "g:twice", "code": {"inline": GOOD}}
    return f"""\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{stdin: {{}}}}
  columns: [{{name: v, type: BIGINT}}, {{name: ts, type: TIMESTAMP, format: epochMillis}}]
  functions: {json.dumps([total, twice])}
  window: {{tumbling: {{size: 1s}}}}
  aggregates: [{{name: s, expr: total(v)}}, {{name: o, expr: SUM(twice(v))}}, {{name: c, expr: COUNT(*)}}]
  sinks: [{{stdout: {{}}}}]
"""


ROWS = range(3000)
TRUTH = [(sum(range(i, i + 1000)), 2 * sum(range(i, i + 1000)), 1000) for i in range(0, 3000, 1000)]


def run(tree, code, **more):
    tree.write("job.yaml", job_of(code, **more))
    events = "".join(json.dumps({"v": i, "ts": i}) + "\n" for i in ROWS)
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", "--clock", "ts", text=events)
    assert "function twice" not in done.stderr and "function=twice" not in done.stderr, done.stderr
    return done, [(row["s"], row["o"], row["c"]) for row in map(json.loads, done.stdout.splitlines())]


def mark(tree):
    tree.write("bad", "")
    return str(tree.folder / "bad")


@pytest.mark.parametrize("case", list(RECOVERS))
def test_it_is_named_and_the_job_recovers(tree, case):
    place, deed, method, reason, words = RECOVERS[case]
    marker = mark(tree)
    done, rows = run(tree, code_of(place, deed, marker, once=True))
    assert (done.returncode, rows) == (0, TRUTH), done.stderr
    assert not os.path.exists(marker)
    said = [line for line in done.stderr.splitlines() if "function=total" in line and f"reason={reason}" in line]
    assert said and (not method or f"method={method} " in said[0] + " "), done.stderr
    assert words in done.stderr


@pytest.mark.parametrize("case", list(STOPS))
def test_it_is_named_and_the_job_stops(tree, case):
    place, deed, method, words = STOPS[case]
    marker = mark(tree)
    code = code_of(place, deed, marker, once=False)
    done, rows = run(tree, code)
    assert (done.returncode, rows) == (1, []), done.stderr
    assert f"function total: {method} raised" in done.stderr or f"function total, {method}: " in done.stderr, done.stderr
    assert words in done.stderr
    os.unlink(marker)
    assert run(tree, code)[1] == TRUTH


def test_a_hang_in_close_costs_no_row(tree):
    done, rows = run(tree, code_of("close", "time.sleep(1000)", mark(tree), once=False))
    assert (done.returncode, rows) == (0, TRUTH), done.stderr
    assert "function total, close: did not come back" in done.stderr


def test_the_wrong_arity_is_refused_before_a_row_is_read(tree):
    done, rows = run(tree, code_of("", "", "", once=False).replace("acc, x):", "acc, x, y):"))
    assert (done.returncode, rows) == (1, []), done.stderr
    assert "spec.aggregates[0].expr: total does not take 1 argument; give it 2" in done.stderr


def test_a_row_that_eats_memory_is_a_poison_row(tree):
    code = code_of("", "", "", once=False)
    code = code.replace("acc[0] += x", "acc[0] += x if x != 1500 else len([bytearray(1 << 20) for _ in range(4000)])")
    done, rows = run(tree, code, onPoisonRow="skip")
    assert done.returncode == 0, done.stderr
    assert rows == [TRUTH[0], (TRUTH[1][0] - 1500, TRUTH[1][1] - 3000, 999), TRUTH[2]], done.stderr
    assert "a poison row was found" in done.stderr and "reason=memory" in done.stderr
