"""A call that no deadline ends: the lane is named, /healthz fails, and a stop does not wait for it."""

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import BINARY, ROOT

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


CASES = {
    "a scalar that sleeps": ("scalar_hangs", "scalar", "SUM(hang(v))", "eval", "pause()"),
    "a scalar that spins": ("scalar_hangs", "scalar", "SUM(hang(v))", "eval", "__asm__ volatile(\"\")"),
    "accumulate": ("accumulate_hangs", "aggregate", "hang(v)", "accumulate", "pause()"),
    "get_value, on the fire thread": ("value_hangs", "aggregate", "hang(v)", "get_value", "pause()"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_it_is_named_and_does_not_hold_up_a_stop(tree, case):
    symbol, kind, expr, method, pause = CASES[case]
    tree.write("hang.c", LIBRARY.replace("PAUSE", pause))
    subprocess.run(["gcc", "-shared", "-fPIC", f"-I{ROOT}/include", "-o", "hang.so", "hang.c"], cwd=tree.folder, check=True)
    function = {
        "name": "hang", "kind": kind, "language": "native", "isolation": "inProcess", "timeout": "1s",
        "entrypoint": f"hang.so:{symbol}", "code": {"path": str(tree.folder / "hang.so")},
    }
    tree.write("job.yaml", JOB.format(function=json.dumps(function), expr=expr))
    with open(tree.folder / "log", "w") as log, subprocess.Popen(
        [BINARY, "run", "job.yaml", "--listen", "127.0.0.1:0"], cwd=tree.folder, stdout=subprocess.DEVNULL, stderr=log
    ) as process:
        try:
            end = time.monotonic() + WAIT_SECONDS
            port, health = None, (0, "")
            while health[0] != 503 and time.monotonic() < end:
                time.sleep(0.2)
                found = re.search(r"port=(\d+)", tree.read("log"))
                port = found and int(found.group(1))
                health = page(port, "/healthz") if port else health
            assert health[0] == 503 and f"{method} of function hang has not returned for" in health[1], health
            ready = page(port, "/readyz")
            assert ready[0] == 503 and f"{method} of function hang has not returned for" in ready[1], ready
            shown = json.loads(page(port, "/status")[1])
            assert shown["stuck"][0]["call"] == f"{method} of function hang", shown["stuck"]
            (status,) = shown["functions"]
            assert status["stuck"]["method"] == method and status["stuck"]["seconds"] >= 6 and not status["healthy"], status
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=WAIT_SECONDS) == 1
        finally:
            process.kill()
    log = tree.read("log")
    assert "the process waits no longer for its job's end" in log and f"{method} of function hang has not returned" in log, log
