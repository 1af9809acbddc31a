"""A call on a file that does not return, as on a file system that hangs, or one of libcurl: it is named, and a stop does not wait for it."""

import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from conftest import BINARY, ROOT
from test_stuck import page, until

WAIT_SECONDS = 120  # a file's call has 30 s and a grace of 5 s
GATEWAY = {"pushgateway": {"url": "http://127.0.0.1:9", "job": "j", "timeout": "1s", "metrics": [
    {"name": "m", "type": "gauge", "value": "c", "labels": ["v"]}]}}
JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {source}
  columns: [{{name: v, type: BIGINT}}]
  filter: "v >= 0"
  terminationGracePeriod: 2s
  window: {{tumbling: {{size: 1s}}}}
  groupBy: [v]
  aggregates: [{{name: c, expr: COUNT(*)}}]
  sinks: [{sink}]
{more}
"""
DATAGEN = {"datagen": {"rowsPerSecond": 10000, "columns": {"v": {"sequence": {}}}}}

# The call that is held, on which file; source, sink, more of the job; which thread is in it, and how it is called.
CASES = {
    "a sink's write": ("write", "out", DATAGEN, {"file": {"path": "out"}}, "", "sink file out: the write to out.streamjob.new"),
    "a sink's sync": ("fsync", "out", DATAGEN, {"file": {"path": "out"}}, "", "sink file out: the sync of out.streamjob.new"),
    "a sink's renaming": (
        "rename", "out.streamjob", DATAGEN, {"file": {"path": "out"}}, "", "the renaming of out.streamjob.new"
    ),
    "a source's read": ("read", "in", {"file": {"path": "in"}}, {"stdout": {}}, "", "lane 0: the read of in"),
    "the opening of dead letters": (
        None, "letters", DATAGEN, {"stdout": {}}, "  deadLetter: {file: {path: letters}}", "job: the opening of letters"
    ),
    "a request": ("curl_easy_perform", "", DATAGEN, GATEWAY, "", "the request to the gateway"),
    "a pipe that nobody reads": (None, "-", DATAGEN, {"stdout": {}}, "", "the write to standard output"),
}


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    libraries = []
    for name in "hold_shim", "hang_shim":
        libraries.append(str(tmp_path_factory.mktemp("shim") / f"{name}.so"))
        source = ROOT / "tests" / "integration" / f"{name}.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", libraries[-1], source, "-ldl"], check=True)
    return ":".join(libraries)


def start(folder, shim, case):
    call, held, source, sink, more, _ = CASES[case]
    folder.mkdir()
    (folder / "hold").mkdir()
    (folder / "in").write_text('{"v":1}\n')
    if call:
        (folder / "hold" / call).write_text("")
    else:
        os.mkfifo(folder / "letters")
    (folder / "job.yaml").write_text(JOB.format(source=json.dumps(source), sink=json.dumps(sink), more=more))
    path = held if call == "rename" else str(folder / held)  # as the call names it
    environment = {**os.environ, "LD_PRELOAD": shim, "HOLD_PATH": path, "HOLD_FOLDER": str(folder / "hold")}
    with open(folder / "log", "w") as log:
        return subprocess.Popen(
            [BINARY, "run", "job.yaml", "--listen", "127.0.0.1:0"], cwd=folder, stdout=subprocess.PIPE, stderr=log, env=environment
        )


def port_of(folder):
    found = re.search(r"port=(\d+)", (folder / "log").read_text())
    return found and int(found.group(1))


def test_it_is_named_and_does_not_hold_up_a_stop(tmp_path, shim):
    """All cases at once, for each takes as long as a file's call may."""
    folders = {case: tmp_path / str(i) for i, case in enumerate(CASES)}
    jobs = {case: start(folder, shim, case) for case, folder in folders.items()}
    try:
        ports = {case: until(lambda: port_of(folder), WAIT_SECONDS) for case, folder in folders.items()}
        for case, port in ports.items():
            assert page(port, "/healthz")[0] == 200, case  # a call that may still return is no matter of health
        for case, port in ports.items():
            words = CASES[case][-1]
            assert until(lambda: page(port, "/healthz")[0] == 503, WAIT_SECONDS), (folders[case] / "log").read_text()
            health, ready = page(port, "/healthz")[1], page(port, "/readyz")
            assert f"{words} has not returned for" in health and "its deadline is 3" in health, (case, health)
            assert ready[0] == 503 and words in ready[1], (case, ready)
            (stuck,) = json.loads(page(port, "/status")[1])["stuck"]
            assert words.endswith(stuck["call"]) and stuck["seconds"] >= 35, (case, stuck)
        for case, job in jobs.items():
            job.send_signal(signal.SIGTERM)
        for case, job in jobs.items():
            log = folders[case] / "log"
            assert job.wait(timeout=WAIT_SECONDS) == 1, log.read_text()
            assert f"{CASES[case][-1]} has not returned" in log.read_text(), log.read_text()
    finally:
        for job in jobs.values():
            job.kill()
            job.wait()
            job.stdout.close()


def takes_signals(pid):
    """SIGTERM does not end it any more without its doing."""
    blocked = re.search(r"SigBlk:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)
    return int(blocked, 16) >> (signal.SIGTERM - 1) & 1


@pytest.mark.parametrize("full", ["at the start", "while it runs"])
def test_a_log_that_nobody_reads_holds_up_no_stop(tree, full):
    """The pipe of standard error is full: whatever thread writes a line waits for ever."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    tree.write("job.yaml", JOB.format(source=json.dumps(DATAGEN), sink='{"file": {"path": "out"}}', more=""))
    filling = b"x" * 4096 if full == "at the start" else b""
    os.write(writer, filling)
    with subprocess.Popen([BINARY, "run", "job.yaml", "--log-level", "debug"], cwd=tree.folder, stderr=writer) as job:
        try:
            if not filling:
                os.set_blocking(writer, False)
                until(lambda: (tree.folder / "out").exists(), WAIT_SECONDS)
                with pytest.raises(BlockingIOError):
                    while True:
                        os.write(writer, b"x")
                os.set_blocking(writer, True)
            assert until(lambda: takes_signals(job.pid), WAIT_SECONDS)
            job.send_signal(signal.SIGTERM)
            assert job.wait(timeout=WAIT_SECONDS) == 1
        finally:
            job.kill()
            os.close(reader)
            os.close(writer)
