"""
What no function should do, once each: the job says which function, which method and why, the other function is left
alone, and the rows come out exact, at once or, where the job had to stop, when the function is mended. The rows are
those of the table in docs/worker.md.
"""

import collections
import concurrent.futures
import json
import os
import re
import time

import pytest
from conftest import ROOT, Tree

AT_ONCE = 4  # most of the time is spent waiting for deadlines
SLACK_SECONDS = 60  # of a machine that has much else to do

GOOD = """\
from streamjob import DataTypes, udf
twice = udf(lambda x: 2 * x, result_type=DataTypes.BIGINT())
"""
SCRIBBLE = (
    "base = min(int(l.split('-')[0], 16) for l in open('/proc/self/maps') if 'memfd:streamjob-worker' in l); "
    "[ctypes.memset(base + at, 0xff, 4096) for at in {}]"
)
GARBLE = (
    "base = min(int(l.split('-')[0], 16) for l in open('/proc/self/maps') if 'memfd:streamjob-worker' in l); "
    "ctypes.memset(base + 12, 0x55, 4); ctypes.CDLL(None).syscall(202 if os.uname().machine == 'x86_64' else 98, "
    "ctypes.c_void_p(base + 12), 1, 100, None, None, 0); time.sleep(1000)"
)

# What becomes of the job: it goes on from what is committed; it stops, and with mended code goes on from there; it ends
# at once, for the job file is at fault; it goes on as if nothing were.
RESTARTS, STOPS, REFUSED, UNHARMED = "starts again", "stops", "ends, exit code 2", "unharmed"
ENDS = {RESTARTS: 0, STOPS: 1, REFUSED: 2, UNHARMED: 0}
TIMES = {"at once": 0, "`timeout`": 2, "`startTimeout`": 8, "2 s": 2}

# Where, what it does there, what is said: method and reason, within which time; what then; and words of it.
Bad = collections.namedtuple("Bad", "place deed method reason within then words")


def late(place, deed="time.sleep(1000)"):
    return Bad(place, deed, place, "timeout", "`timeout`", RESTARTS, "did not come back within timeout")


def late_start(place, method):
    return Bad(place, "time.sleep(1000)", method, "timeout", "`startTimeout`", RESTARTS, "did not come back within startTimeout")


def crash(place, deed, words):
    return Bad(place, deed, place, "crash", "at once", RESTARTS, words)


def memory(place, deed, words):
    return Bad(place, deed, place, "memory", "at once", RESTARTS, words)


def raises(place, deed, words, then=STOPS):
    return Bad(place, deed, place, "exception", "at once", then, words)


def refused(place, deed, words, reason="start"):
    return Bad(place, deed, "import", reason, "at once", REFUSED, words)


EATS = "[bytearray(1 << 20) for _ in range(4000)]"
BADS = {
    # It does not come back.
    "hangs at import": late_start("import", "import"),
    "hangs in __init__": late_start("__init__", "import"),
    "hangs in open": late_start("open", "open"),
    "hangs in create_accumulator": late("create_accumulator"),
    "hangs in accumulate": late("accumulate"),
    "hangs in get_value": late("get_value"),
    "hangs in close": Bad("close", "time.sleep(1000)", "close", None, "2 s", UNHARMED, "did not come back"),
    "loops, and holds the interpreter": late("accumulate", "any(iter(int, 1))"),
    "a regular expression that never ends": late("accumulate", "re.match('(a+)+$', 'a' * 64 + 'b')"),
    "waits for a lock that it has": late("accumulate", "[lock.acquire() for lock in [threading.Lock()] * 2]"),
    "waits for an answer that never comes": late("accumulate", "(pair := socket.socketpair())[0].recv(1)"),
    "floods stdout": late("accumulate", "[print('x' * 1000) for _ in iter(int, 1)]"),
    "takes all signals": late("accumulate", "[signal.signal(s, lambda *a: None) for s in (1, 2, 10, 12, 14, 15)]; time.sleep(1000)"),
    "blocks all signals": late("accumulate", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)); time.sleep(1000)"),
    "stops itself by SIGSTOP": late("accumulate", "os.kill(os.getpid(), signal.SIGSTOP)"),
    # Its process ends.
    "ends by os._exit": crash("accumulate", "os._exit(3)", "exit code 3"),
    "ends by os._exit in open": crash("open", "os._exit(3)", "exit code 3"),
    "ends by os._exit in get_value": crash("get_value", "os._exit(3)", "exit code 3"),
    "segmentation fault": crash("accumulate", "ctypes.string_at(8)", "Segmentation fault"),
    "aborts": crash("accumulate", "os.abort()", "Aborted"),
    "ends itself by SIGTERM": crash("accumulate", "os.kill(os.getpid(), 15); time.sleep(1000)", "Terminated"),
    "writes over the control block": Bad(
        "accumulate", SCRIBBLE.format("(16, 65536 + (32 << 20))") + "; os._exit(1)", None, "crash", "at once", RESTARTS, "exit code 1"
    ),
    "writes over the request": crash("accumulate", SCRIBBLE.format("(65536,)"), "Segmentation fault"),
    "answers what makes no sense": Bad("accumulate", GARBLE, "accumulate", "protocol", "at once", RESTARTS, "makes no sense"),
    # It takes too much.
    "eats memory": memory("accumulate", EATS, "needs more than its memory (67108864 bytes)"),
    "eats memory in open": memory("open", EATS, "needs more than its memory (67108864 bytes)"),
    "eats memory in get_value": memory("get_value", EATS, "needs more than its memory (67108864 bytes)"),
    "eats memory that is shared": memory(
        "accumulate", "kept = [share() for _ in range(60)]; time.sleep(1000)", "with shared mappings its process held"
    ),
    "aborts for want of memory": memory("accumulate", "os.write(2, b'std::bad_alloc'); os.abort()", "for want of memory"),
    "ends itself by SIGKILL": memory("accumulate", "os.kill(os.getpid(), 9)", "killed"),
    "has 600 threads": memory(
        "accumulate",
        "threading.stack_size(32768); e = threading.Event(); "
        "[threading.Thread(target=e.wait, daemon=True).start() for _ in range(600)]; time.sleep(1000)",
        "needs more than 512 threads",
    ),
    "spawns threads for ever": raises(
        "accumulate", "[threading.Thread(target=time.sleep, args=(1000,), daemon=True).start() for _ in iter(int, 1)]",
        "can't start new thread",
    ),
    # It raises.
    "raises on a row": raises("accumulate", "{}['k']", "KeyError: 'k'"),
    "raises in get_value": raises("get_value", "1 / 0", "ZeroDivisionError", RESTARTS),
    "raises in open": Bad("open", "1 / 0", "open", "start", "at once", RESTARTS, "ZeroDivisionError"),
    "sys.exit on a row": raises("accumulate", "sys.exit(1)", "SystemExit"),
    "KeyboardInterrupt": raises("accumulate", "raise KeyboardInterrupt", "KeyboardInterrupt"),
    "recursion": raises("accumulate", "(f := lambda n: f(n))(0)", "RecursionError"),
    "a result of the wrong type": raises("get_value", "return 'text'", "declared as BIGINT, but the function gave str"),
    "a result that does not fit": raises("get_value", "return 1 << 63", "does not fit the declared BIGINT"),
    "bombs of forks": raises("accumulate", "[os.fork() for _ in iter(int, 1)]", "PermissionError"),
    "starts a program": raises("accumulate", "subprocess.run(['true'])", "PermissionError"),
    "sends a signal to the runtime": raises("accumulate", "os.kill(os.getppid(), 9)", "PermissionError"),
    "reads the runtime's memory": raises("accumulate", "open(f'/proc/{os.getppid()}/mem', 'rb')", "PermissionError"),
    "closes all descriptors, and writes": raises("accumulate", "os.closerange(0, 1000); os.write(1, b'x')", "Bad file descriptor"),
    # Its code does not load.
    "imports what is not there": refused("import", "import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
    "raises at import": refused("import", "{}['k']", "KeyError: 'k'"),
    "does not parse": refused("import", "def (", "SyntaxError"),
    "sys.exit at import": refused("import", "sys.exit(3)", "SystemExit"),
    "os._exit at import": refused("import", "os._exit(3)", "exit code 3", "crash"),
    "segmentation fault at import": refused("import", "ctypes.string_at(8)", "Segmentation fault", "crash"),
    "raises in __init__": refused("__init__", "1 / 0", "ZeroDivisionError"),
    "raises at import, from its second life on": Bad(
        "import", "{}['k']", "import", "start", "at once", RESTARTS, "KeyError: 'k'"
    ),
}
SECOND = "raises at import, from its second life on"


def code_of(place, deed, marker, once):
    """`once`: only while there is a marker, which is taken away."""

    def line(method):
        if method != place:
            return "pass"
        return f"if gone({marker!r}): {deed}" if once else deed

    return f"""\
import ctypes, mmap, os, re, signal, socket, subprocess, sys, threading, time
from streamjob import AggregateFunction, DataTypes

def share():
    with open("/dev/zero", "r+b") as zero:
        shared = mmap.mmap(zero.fileno(), 32 << 20)
    shared.write(b"x" * (32 << 20))
    time.sleep(0.02)
    return shared

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
        {line("create_accumulator")}
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


def job_of(inline, **more):
    total = {"name": "total", "kind": "aggregate", "entrypoint": "m:Sum", "code": {"inline": inline}}
    total |= {"timeout": "2s", "startTimeout": "8s", "memory": "64Mi"} | more
    total = {key: value for key, value in total.items() if value}
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


def run(tree, inline, **more):
    tree.write("job.yaml", job_of(inline, **more))
    events = "".join(json.dumps({"v": i, "ts": i}) + "\n" for i in ROWS)
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", "--clock", "ts", text=events)
    assert "function twice" not in done.stderr and "function=twice" not in done.stderr, done.stderr
    return done, [(row["s"], row["o"], row["c"]) for row in map(json.loads, done.stdout.splitlines())]


def second_life(marker):
    """The first life takes the marker away and ends on a row; a later one finds none at its import, and raises once more."""
    code = code_of("accumulate", "open('again', 'w').close(), os._exit(3)", marker, once=True)
    return code.replace("\n\npass\n\nclass", "\n\nif gone('again'): {}['k']\n\nclass").replace("'again'", repr(marker + ".again"))


def try_out(case, folder):
    """The case's end, its rows, and when it began."""
    bad, tree, marker = BADS[case], Tree(folder), str(folder / "bad")
    tree.write("bad", "")
    once = bad.then in (RESTARTS, UNHARMED) and bad.place != "close"
    code = second_life(marker) if case == SECOND else code_of(bad.place, bad.deed, marker, once)
    began = time.time()
    more = {} if bad.within == "`timeout`" else {"timeout": "30s"}  # a busy machine is no reason for it
    done, rows = run(tree, code, **more)
    assert not once or not os.path.exists(marker), "it did what it should not"
    return done, rows, began


@pytest.fixture(scope="module")
def tried(request, tmp_path_factory):
    """{case: what try_out gives, once it is there}: of those that were asked for, some at once."""
    cases = [item.callspec.params["case"] for item in request.session.items if "tried" in getattr(item, "fixturenames", ())]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(try_out, case, tmp_path_factory.mktemp("bad")) for case in cases}


def said_of(case, log):
    """The first line of the log that says what went wrong, with method and reason."""
    bad = BADS[case]
    if bad.reason and bad.reason != "exception":
        words = [f"function=total method={bad.method}" if bad.method else "function=total", f"reason={bad.reason}"]
    elif bad.then == RESTARTS:
        words = ["function=total", f"method={bad.method}", "reason=exception"]
    elif bad.then == UNHARMED:
        words = [f"function total, {bad.method}: "]
    else:
        words = ["function total: " + bad.method if f"function total: {bad.method}" in log else f"function total, {bad.method}: "]
    lines = [line for line in log.splitlines() if all(word in line for word in words)]
    assert lines, (words, log)
    return lines[0]


@pytest.mark.parametrize("case", list(BADS))
def test_it_is_named_and_no_row_is_lost(tree, tried, case):
    bad = BADS[case]
    done, rows, began = tried[case].result()
    assert done.returncode == ENDS[bad.then], done.stderr
    assert rows == (TRUTH if ENDS[bad.then] == 0 else []), done.stderr
    assert bad.words in done.stderr, done.stderr
    at = float(re.match(r"time=([\d.]+)", said_of(case, done.stderr)).group(1))
    assert at - began < TIMES[bad.within] + SLACK_SECONDS, done.stderr
    assert bad.then != REFUSED or "restarting" not in done.stderr, "the job file does not mend itself"
    if ENDS[bad.then]:
        assert run(tree, code_of("", "", "", once=False))[1] == TRUTH


def test_the_table_is_the_one_of_the_documentation():
    text = (ROOT / "docs/worker.md").read_text()
    text = text[text.index("## What no function should do") :]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*) \| ([^|]+) \| ([^|]+) \|$", text[: text.index("\n## ", 1)], re.M)[1:]
    shown = {
        case: (", ".join(f"`{word}`" for word in (bad.method, bad.reason) if word), bad.within, bad.then) for case, bad in BADS.items()
    }
    assert {row[0]: row[1:] for row in rows if row[0] != "---"} == shown


def test_a_function_that_never_starts_again_is_given_up(tree):
    """It loaded once, so it is no failure of the job file: it is tried again, and a laptop's job gives up."""
    marker = str(tree.folder / "bad")
    tree.write("bad", "")
    code = second_life(marker).replace(f"if gone({marker + '.again'!r})", f"if os.path.exists({marker + '.again'!r})")
    done, rows = run(tree, code)
    assert (done.returncode, rows) == (1, []), done.stderr
    assert "given up after 4 restarts" in done.stderr and "KeyError: 'k'" in done.stderr, done.stderr


# What is wrong with where the code is; and words of it.
PLACES = {
    "no such file": ({"path": "none.py"}, "m:Sum", "none.py"),
    "a folder": ({"path": "folder"}, "m:Sum", "a regular file is needed"),
    "a pipe": ({"path": "pipe"}, "m:Sum", "a regular file is needed"),
    "no such name": (None, "m:Nothing", "has no Nothing"),
    "no function": (None, "m:os", "m:os"),
    "no such package": ({}, "nowhere_to_be_found:Sum", "nowhere_to_be_found"),
    "no such ConfigMap": ({"configMapRef": {"name": "none", "key": "m.py"}}, "m:Sum", "m.py"),
}


@pytest.mark.parametrize("case", list(PLACES))
def test_code_that_is_not_there_ends_the_job_at_once(tree, case):
    place, entrypoint, words = PLACES[case]
    (tree.folder / "folder").mkdir()
    os.mkfifo(tree.folder / "pipe")
    more = {"entrypoint": entrypoint} | ({} if place is None else {"code": {k: str(tree.folder / v) if k == "path" else v for k, v in place.items()}})
    done, rows = run(tree, code_of("", "", "", once=False), **more)
    assert (done.returncode, rows) == (2, []), done.stderr
    assert "function total, import: " in done.stderr and words in done.stderr, done.stderr
    assert "restarting" not in done.stderr, done.stderr


def test_the_wrong_arity_is_refused_before_a_row_is_read(tree):
    done, rows = run(tree, code_of("", "", "", once=False).replace("acc, x):", "acc, x, y):"))
    assert (done.returncode, rows) == (2, []), done.stderr
    assert "spec.aggregates[0].expr: total does not take 1 argument; give it 2" in done.stderr


def test_a_row_that_eats_memory_is_a_poison_row(tree):
    code = code_of("", "", "", once=False)
    code = code.replace("acc[0] += x", "acc[0] += x if x != 1500 else len([bytearray(1 << 20) for _ in range(4000)])")
    done, rows = run(tree, code, onPoisonRow="skip")
    assert done.returncode == 0, done.stderr
    assert rows == [TRUTH[0], (TRUTH[1][0] - 1500, TRUTH[1][1] - 3000, 999), TRUTH[2]], done.stderr
    assert "a poison row was found" in done.stderr and "reason=memory" in done.stderr
