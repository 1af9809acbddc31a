"""The machine's clock is set back, forward, or stands still, while a job runs by it."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

SHIM = pathlib.Path(__file__).with_name("clock_shim.c")
JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {name: clock}
spec:
  source: {datagen: {rowsPerSecond: 1000, columns: {x: {sequence: {}}}}}
  columns: [{name: x, type: BIGINT}]
  window: {tumbling: {size: 100ms}}
  aggregates: [{name: total, expr: "COUNT(*)"}]
  sinks: [{stdout: {}}]
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "clock_shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", library, SHIM], check=True)
    return library


class Job:
    """A job with a machine's clock of its own. `starts`: of the windows so far."""

    def __init__(self, tree, shim):
        tree.write("job.yaml", JOB)
        self.file = tree.folder / "clock"
        self.set("0")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        env = {**os.environ, "LD_PRELOAD": str(shim), "CLOCK_FILE": str(self.file)}
        self.process = tree.start("run", "job.yaml", "--listen", f"127.0.0.1:{self.port}", env=env)
        self.starts = []
        self.readers = [threading.Thread(target=reader) for reader in (self.read_rows, self.process.stderr.read)]
        for reader in self.readers:
            reader.start()

    def read_rows(self):
        for line in self.process.stdout:
            self.starts.append(json.loads(line)["window_start"])

    def set(self, text):
        """At once: a reader sees the old time or the new one."""
        self.file.with_suffix(".new").write_text(text)
        self.file.with_suffix(".new").rename(self.file)

    def wait(self, condition, what):
        end = time.monotonic() + 60
        while not condition():
            assert self.process.poll() is None and time.monotonic() < end, f"{what}: {self.starts[-5:]}"
            time.sleep(0.02)

    def more_windows(self, count=5):
        seen = len(self.starts)
        self.wait(lambda: len(self.starts) >= seen + count, "no further windows")

    def ready(self):
        """'' or why not."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
            return ""
        except urllib.error.HTTPError as refused:
            return refused.read().decode()
        except OSError as error:
            return str(error)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=60)
        for reader in self.readers:
            reader.join()
        return code


@pytest.fixture
def job(tree, shim):
    job = Job(tree, shim)
    yield job
    if job.process.poll() is None:
        job.process.kill()
        job.stop()


@pytest.mark.parametrize("reading", ["-20", "-3600", "-86400", "stand"])
def test_windows_go_on_when_the_clock_goes_back_or_stands(job, reading):
    job.more_windows()
    job.wait(lambda: not job.ready(), "not ready before")
    job.set(reading)
    job.more_windows()
    job.wait(lambda: "the machine's clock was set back or stands still" in job.ready(), "ready all the while")
    job.more_windows()
    job.set("0")
    job.wait(lambda: not job.ready(), "not ready although the clocks agree")
    job.more_windows()
    assert job.stop() == 0
    assert job.starts == sorted(set(job.starts))  # none twice, none in the past


def test_windows_follow_the_clock_forward_and_go_on_when_it_is_put_right(job):
    job.more_windows()
    before = job.starts[-1]
    job.set("18000")
    job.wait(lambda: job.starts[-1][11:13] != before[11:13], "the jump is not followed")
    job.wait(lambda: not job.ready(), "a jump forward is no fault")
    job.set("0")
    job.more_windows()
    job.wait(lambda: "are 17" in job.ready(), "the difference of about 18000 s is not said")
    assert job.stop() == 0
    assert job.starts == sorted(set(job.starts))
