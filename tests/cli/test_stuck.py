"""A call that no deadline ends: the lane is named, /healthz fails, and a stop does not wait for it."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from conftest import BINARY, ROOT, job_of_one_function

WAIT_SECONDS = 60
LIBRARY = r"""
#include <streamjob/function.h>
#include <unistd.h>
#include <stddef.h>
static void hang(void) { for (;;) PAUSE; }
static void eval(void *self, struct streamjob_call *call, const struct streamjob_value *a, struct streamjob_value *r)
{
	(void)self, (void)call;
	if (a[0].integer >= 20) hang();
	r[0].null = 0;
	r[0].integer = a[0].integer;
}
static void accumulate(void *self, struct streamjob_call *call, void *state, const struct streamjob_value *a)
{
	(void)self, (void)call, (void)state, (void)a;
	hang();
}
static void get_value(void *self, struct streamjob_call *call, const void *state, struct streamjob_value *r)
{
	(void)self, (void)call, (void)state, (void)r;
	hang();
}
static void count(void *self, struct streamjob_call *call, void *state, const struct streamjob_value *a)
{
	(void)self, (void)call, (void)state, (void)a;
}
static const int types[] = {STREAMJOB_BIGINT};
static const struct streamjob_result results[] = {{"r", STREAMJOB_BIGINT}};
#define F .abi = STREAMJOB_FUNCTION_ABI, .size = sizeof(struct streamjob_function), .arguments_count = 1, \
	.argument_types = types, .results_count = 1, .results = results
extern const struct streamjob_function scalar_hangs, accumulate_hangs, value_hangs;
const struct streamjob_function scalar_hangs = {F, .kind = STREAMJOB_SCALAR, .eval = eval};
const struct streamjob_function accumulate_hangs = {F, .kind = STREAMJOB_AGGREGATE, .state_size = 8, .accumulate = accumulate, .get_value = get_value};
const struct streamjob_function value_hangs = {F, .kind = STREAMJOB_AGGREGATE, .state_size = 8, .accumulate = count, .get_value = get_value};
"""
JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{datagen: {{rowsPerSecond: 200, columns: {{v: {{sequence: {{}}}}}}}}}}
  columns: [{{name: v, type: BIGINT}}]
  terminationGracePeriod: 2s
  functions: [{function}]
  window: {{tumbling: {{size: 1s}}}}
  aggregates: [{{name: s, expr: "{expr}"}}]
  sinks: [{{stdout: {{}}}}]
"""


def page(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until(condition, seconds):
    """Its value, once it has one; else None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.2)
    return None


CASES = {
    "a scalar that sleeps": ("scalar_hangs", "scalar", "SUM(hang(v))", "eval", "pause()"),
    "a scalar that spins": ("scalar_hangs", "scalar", "SUM(hang(v))", "eval", "__asm__ volatile(\"\")"),
    "accumulate": ("accumulate_hangs", "aggregate", "hang(v)", "accumulate", "pause()"),
    "get_value, on the fire thread": ("value_hangs", "aggregate", "hang(v)", "get_value", "pause()"),
}


def start(folder, case):
    symbol, kind, expr, _, pause = CASES[case]
    folder.mkdir()
    (folder / "hang.c").write_text(LIBRARY.replace("PAUSE", pause))
    subprocess.run(["gcc", "-shared", "-fPIC", f"-I{ROOT}/include", "-o", "hang.so", "hang.c"], cwd=folder, check=True)
    function = {
        "name": "hang", "kind": kind, "language": "native", "isolation": "inProcess", "timeout": "1s",
        "entrypoint": f"hang.so:{symbol}", "code": {"path": str(folder / "hang.so")},
    }
    (folder / "job.yaml").write_text(JOB.format(function=json.dumps(function), expr=expr))
    with open(folder / "log", "w") as log:
        return subprocess.Popen(
            [BINARY, "run", "job.yaml", "--listen", "127.0.0.1:0"], cwd=folder, stdout=subprocess.DEVNULL, stderr=log
        )


def check(log, job, method):
    port = int(until(lambda: re.search(r"port=(\d+)", log.read_text()), WAIT_SECONDS).group(1))
    words = f"{method} of function hang has not returned for"
    until(lambda: page(port, "/healthz")[0] == 503, WAIT_SECONDS)
    health, ready = page(port, "/healthz"), page(port, "/readyz")
    assert health[0] == 503 and words in health[1], health
    assert ready[0] == 503 and words in ready[1], ready
    shown = json.loads(page(port, "/status")[1])
    assert shown["stuck"][0]["call"] == f"{method} of function hang", shown["stuck"]
    (status,) = shown["functions"]
    assert status["stuck"]["method"] == method and status["stuck"]["seconds"] >= 6 and not status["healthy"], status
    job.send_signal(signal.SIGTERM)


def test_it_is_named_and_does_not_hold_up_a_stop(tmp_path):
    """All cases at once, for each waits for a deadline."""
    folders = {case: tmp_path / str(i) for i, case in enumerate(CASES)}
    jobs = {case: start(folder, case) for case, folder in folders.items()}
    try:
        for case, job in jobs.items():
            check(folders[case] / "log", job, CASES[case][3])
        for case, job in jobs.items():
            log = folders[case] / "log"
            assert job.wait(timeout=WAIT_SECONDS) == 1, log.read_text()
            assert "the process waits no longer for its job's end" in log.read_text(), log.read_text()
            assert f"{CASES[case][3]} of function hang has not returned" in log.read_text(), log.read_text()
    finally:
        for job in jobs.values():
            job.kill()
            job.wait()


ANSWERS_LATE = """
import os, tempfile, time
from streamjob import DataTypes, udf
def wait(v):
    open(tempfile.gettempdir() + '/inside', 'w').close()
    while not os.path.exists('go'):
        time.sleep(0.01)
    return v
f = udf(wait, result_type=DataTypes.BIGINT())
"""


def test_a_job_that_was_stopped_and_goes_on_takes_the_answer_that_is_there(tree):
    """As by Ctrl-Z and fg: the function, in a session of its own, has answered meanwhile, in time."""
    spec = {"name": "fn", "kind": "scalar", "entrypoint": "m:f", "startTimeout": "60s", "timeout": "5s", "code": {"inline": ANSWERS_LATE}}
    tree.write("job.yaml", job_of_one_function(spec))
    env = {**os.environ, "TMPDIR": str(tree.folder)}
    job = tree.start("run", "job.yaml", "--input", "-", "--output", "-", stdin=subprocess.PIPE, env=env)
    job.stdin.write('{"v": 7}\n')
    job.stdin.close()
    assert until(lambda: list(tree.folder.glob("*/*/inside")), WAIT_SECONDS)
    job.send_signal(signal.SIGSTOP)
    (tree.folder / "go").touch()
    time.sleep(6)  # past the deadline
    job.send_signal(signal.SIGCONT)
    out, said = job.stdout.read(), job.stderr.read()
    assert job.wait(WAIT_SECONDS) == 0 and json.loads(out)["r"] == 7 and "a function failed" not in said, (out, said)
