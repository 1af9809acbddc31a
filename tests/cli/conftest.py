"""`streamjob`, run as a user runs it, with a production manifest whose servers are not there."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("STREAMJOB", str(ROOT / "build" / "release" / "streamjob"))

MANIFEST = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {name: j}
spec:
  source: {kafka: {bootstrapServers: "127.0.0.1:1", topic: t}}
  columns: [{name: k, type: STRING}, {name: v, type: BIGINT}, {name: ts, type: TIMESTAMP, format: epochMillis}]
  window: {tumbling: {size: 1s}}
  groupBy: [k]
  aggregates: [{name: c, expr: COUNT(*)}, {name: s, expr: SUM(v)}]
  sinks: [{pushgateway: {url: "http://127.0.0.1:1", job: x, metrics: [{name: m, type: gauge, value: c, labels: [k]}]}}]
"""

EVENTS = """\
{"k":"a","v":1,"ts":100}
{"k":"b","v":2,"ts":900}
{"k":"a","v":3,"ts":1100}
"""

ROWS = """\
{"window_start":"1970-01-01T00:00:00.000Z","window_end":"1970-01-01T00:00:01.000Z","k":"a","c":1,"s":1}
{"window_start":"1970-01-01T00:00:00.000Z","window_end":"1970-01-01T00:00:01.000Z","k":"b","c":1,"s":2}
{"window_start":"1970-01-01T00:00:01.000Z","window_end":"1970-01-01T00:00:02.000Z","k":"a","c":1,"s":3}
"""


class Tree:
    """A folder with a job and events; streamjob(ARGS…) runs there."""

    def __init__(self, folder):
        self.folder = folder
        self.write("job.yaml", MANIFEST)
        self.write("events.jsonl", EVENTS)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def read(self, name):
        return (self.folder / name).read_text()

    def streamjob(self, *args, text=None, env=None):
        """`env` is added to the environment."""
        environment = {**os.environ, **(env or {})}
        return subprocess.run(
            [BINARY, *args], cwd=self.folder, input=text, capture_output=True, text=True, timeout=120, env=environment
        )

    def start(self, *args, **more):
        return subprocess.Popen(
            [BINARY, *args], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
        )


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def job_of_one_function(spec):
    """fn(v) by the values that it gives; `spec`: the function's, as the job file has it."""
    return f"""\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{stdin: {{}}}}
  columns: [{{name: v, type: BIGINT}}]
  functions: [{json.dumps(spec)}]
  select: [{{name: r, expr: "fn(v)"}}]
  window: {{tumbling: {{size: 366d}}}}
  groupBy: [r]
  aggregates: [{{name: c, expr: COUNT(*)}}]
  sinks: [{{stdout: {{}}}}]
"""
