"""Metrics of a function's own, as Prometheus reads them."""

import re
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

MODULE = """\
from pyflink.table import DataTypes, ScalarFunction
class Measured(ScalarFunction):
    def open(self, context):
        group = context.get_metric_group()
        self.plain = group.counter("seen")
        self.a = group.add_group("kind", "a").counter("seen")
        self.b = group.add_group("kind", "b").counter("seen")
        self.two = group.add_group("kind", "a").add_group("size", 'x"\\\\\\n').counter("seen")
        self.other_order = group.add_group("size", 'x"\\\\\\n').add_group("kind", "a").counter("seen")
        self.again = group.add_group("kind", "a").add_group("kind", "b").counter("seen")
        group.add_group("function", "mine").add_group("lane", "fast").counter("exported").inc(4)
        group.add_group("function", "mine").add_group("exported_function", "hers").counter("meets").inc(4)
        group.gauge("seen_total", lambda: 7)
        group.counter("done_total").inc(2)
        group.add_group("__name__", "streamjob_function_up").counter("forged").inc()
        group.add_group("kind", "é" * 32).counter("long").inc()
        for i in range(5):
            group = group.add_group(f"l{i}", "v")
        group.counter("deep").inc()
        FILL
    def eval(self, v):
        for counter in (self.plain, self.a, self.b, self.two, self.other_order, self.again):
            counter.inc()
        return v
    def get_result_type(self):
        return DataTypes.BIGINT()
f = Measured()
"""


def job(code):
    return f"""\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{stdin: {{}}}}
  columns: [{{name: v, type: BIGINT}}]
  functions:
  - name: same
    kind: scalar
    entrypoint: m:f
    code:
      inline: |
{"".join("        " + line + chr(10) for line in code.splitlines())}
  select: [{{name: w, expr: same(v)}}]
  window: {{tumbling: {{size: 1h}}}}
  aggregates: [{{name: s, expr: SUM(w)}}]
  sinks: [{{stdout: {{}}}}]
"""


@pytest.fixture
def served(tree):
    """served(code): the samples of the functions' own, when it has seen a row, and the log."""
    processes = []

    def start(code):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        tree.write("job.yaml", job(code))
        process = tree.start("run", "job.yaml", "--output", "-", "--listen", f"127.0.0.1:{port}", stdin=subprocess.PIPE)
        processes.append(process)
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            process.stdin.write('{"v": 1}\n')
            process.stdin.flush()
            try:
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
            except OSError:
                page = ""
            found = [line for line in page.splitlines() if line.startswith("streamjob_user_")]
            if any(line.startswith("streamjob_user_seen_total{") and not line.endswith(" 0") for line in found):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        return page, found, process.communicate(timeout=60)[1]

    yield start
    for process in processes:
        process.kill()


def test_labels(served):
    page, found, log = served(MODULE.replace("FILL", "pass"))
    head = 'streamjob_user_seen_total{function="same",lane="0"'
    seen = dict(line.rsplit(" ", 1) for line in found if "seen" in line)
    assert set(seen) == {head + "}", head + ',kind="a"}', head + ',kind="b"}', head + ',kind="a",size="x\\"\\\\\\n"}'}
    assert set(map(float, seen.values())) == {float(seen[head + "}"])} and float(seen[head + "}"]) > 0
    assert 'streamjob_user_exported_total{function="same",lane="0",exported_function="mine",exported_lane="fast"} 4' in found
    assert 'streamjob_user_done_total{function="same",lane="0"} 2' in found
    for name in "meets", "forged", "long", "deep":
        assert not [line for line in found if name in line]
    assert "metric long is not shown" in log
    series = [line.rsplit(" ", 1)[0] for line in page.splitlines() if line and line[0] != "#"]
    assert len(series) == len(set(series))
    families = re.findall(r"^# TYPE (\S+)", page, re.M)
    assert len(families) == len(set(families))
    done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True)
    assert "error" not in done.stderr and "parsing" not in done.stderr, done.stderr


def test_too_many(served):
    _, found, log = served(MODULE.replace("FILL", 'many = [context.get_metric_group().gauge(f"g{i}", lambda: 1) for i in range(300)]'))
    assert len(found) == 128 - 5  # what cannot be written takes a place too
    assert "are not shown: a function has at most 128" in log
