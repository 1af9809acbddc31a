"""What sinks do not take is said: the first of a sink at once, more at most once a minute, all of it at the end."""

import contextlib
import http.server
import json
import threading

import pytest

WINDOWS = 5
JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {name: refused}
spec:
  source: {stdin: {}}
  columns: [{name: v, type: BIGINT}, {name: ts, type: TIMESTAMP, format: epochMillis}]
  window: {tumbling: {size: 1s}}
  aggregates: [{name: total, expr: SUM(v)}]
  sinks: [SINKS]
"""
EVENTS = "".join(json.dumps({"v": -1, "ts": 1000 * i}) + "\n" for i in range(WINDOWS))


@contextlib.contextmanager
def gateway(code):
    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(code)

        def do_GET(self):
            self.answer(200)

        def answer(self, code):
            self.send_response(code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def sink(url, name, kind):
    return f'pushgateway: {{url: "{url}", job: {name}, onRejected: skip, metrics: [{{name: m_total, type: {kind}, value: total}}]}}'


def run(tree, *sinks):
    tree.write("job.yaml", JOB.replace("SINKS", ", ".join(f"{{{one}}}" for one in sinks)))
    done = tree.streamjob("run", "job.yaml", "--clock", "ts", "--log-format", "json", text=EVENTS)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def of(lines, message):
    return [line for line in lines if line["msg"] == message]


def test_rejected_windows(tree):
    """Of two sinks each has its line."""
    with gateway(400) as url:
        lines = run(tree, sink(url, "a", "gauge"), sink(url, "b", "gauge"))
    said = of(lines, "sink rejected a window")
    assert sorted(line["sink"].rsplit("/", 1)[1] for line in said) == ["a", "b"]
    assert {line["sequence"] for line in said} == {1} and all("400" in line["error"] for line in said)
    assert [line["rejected"] for line in of(lines, "a sink rejected windows")] == [WINDOWS, WINDOWS]
    assert not of(lines, "sink rejected windows")


def test_rows_that_are_left_out(tree):
    """A counter takes no decrease."""
    with gateway(200) as url:
        lines = run(tree, sink(url, "a", "counter"))
    [said] = of(lines, "sink left rows out")
    assert (said["rows"], said["sequence"]) == (1, 1) and "m_total" in said["error"]
    assert [line["left_out"] for line in of(lines, "a sink could not take all rows of its windows")] == [WINDOWS]


@pytest.mark.parametrize("policy", ["null", "skip"])
def test_exceptions_of_a_function(tree, policy):
    code = "from streamjob import DataTypes, udf\n@udf(result_type=DataTypes.BIGINT())\ndef f(x):\n    raise ValueError('no')\n"
    function = {"name": "f", "kind": "scalar", "entrypoint": "m:f", "onError": policy, "code": {"inline": code}}
    tree.write("job.yaml", JOB.replace("SINKS", "{stdout: {}}").replace("SUM(v)", "SUM(f(v))") + f"  functions: [{json.dumps(function)}]\n")
    done = tree.streamjob("run", "job.yaml", "--clock", "ts", "--log-format", "json", text=EVENTS)
    assert done.returncode == 0, done.stderr
    [said] = of([json.loads(line) for line in done.stderr.splitlines()], "a function raised")
    assert (said["times"], said["function"], said["method"]) == (1, "f", "eval")
