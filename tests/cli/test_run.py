import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest
from conftest import BINARY, EVENTS, MANIFEST, ROWS

REPLAY = ["run", "job.yaml", "--input", "events.jsonl", "--output", "-", "--clock", "ts"]


def wait_until(condition, what, timeout=60):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_a_production_manifest_on_recorded_events(tree):
    done = tree.streamjob(*REPLAY)
    assert (done.returncode, done.stdout) == (0, ROWS), done.stderr


def test_the_same_replay_gives_the_same_bytes(tree):
    assert tree.streamjob(*REPLAY).stdout == tree.streamjob(*REPLAY, "--lanes", "4").stdout == ROWS


def test_standard_input_to_a_file(tree):
    tree.write("out.jsonl", "of an earlier run\n")
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "out.jsonl", "--clock", "ts", text=EVENTS)
    assert (done.returncode, done.stdout, tree.read("out.jsonl")) == (0, "", ROWS), done.stderr


def test_until_idle_ends_an_input_that_stays_open(tree):
    os.mkfifo(tree.folder / "fifo")
    job = tree.start("run", "job.yaml", "--input", "fifo", "--output", "-", "--clock", "ts", "--until-idle", "500ms")
    with open(tree.folder / "fifo", "w") as fifo:
        fifo.write(EVENTS)
        fifo.flush()
        out, err = job.communicate(timeout=60)
    assert (job.returncode, out) == (0, ROWS), err


@pytest.mark.parametrize(
    "args, code, said",
    [
        ([], 2, "usage: streamjob run FILE"),
        (["a.yaml", "b.yaml"], 2, "usage: streamjob run FILE"),
        (["job.yaml", "--frob"], 2, "unrecognized option '--frob'"),
        (["none.yaml"], 2, "cannot open none.yaml: No such file or directory"),
        (["other.yaml"], 2, "other.yaml: no StreamJob in this file"),
        (["bad.yaml"], 2, "bad.yaml:7:29: spec.window.tumbling.size: "),
        (["two.yaml"], 2, "the file has several StreamJobs; name one of its jobs with --name: j k"),
        (["two.yaml", "--name", "z"], 2, "no StreamJob of that name"),
        (["job.yaml", "--clock", "v"], 2, "--clock v: not a declared column of type TIMESTAMP"),
        (["job.yaml", "--until-idle", "soon"], 2, '--until-idle "soon": '),
        (["job.yaml", "--until-idle", "0s"], 2, "more than 0 is needed"),
        (["job.yaml", "--lanes", "0"], 2, "1 to 64 is needed"),
        (["job.yaml", "--log-format", "xml"], 2, "logfmt or json is needed"),
        (["job.yaml", "--log-level", "loud"], 2, "debug, info, warn or error is needed"),
        (["job.yaml", "--input", "none.jsonl", "--output", "-"], 1, "cannot open none.jsonl: No such file"),
        (["job.yaml", "--input", "events.jsonl", "--output", "none/out"], 1, "cannot open none/out: No such file"),
        (["job.yaml", "--input", ".", "--output", "-"], 1, "cannot read .: Is a directory"),
        (["job.yaml", "--listen", "nowhere"], 1, "--listen: "),
    ],
)
def test_exit_codes(tree, args, code, said):
    tree.write("other.yaml", "kind: ConfigMap\n")
    tree.write("bad.yaml", MANIFEST.replace("size: 1s", "size: 1x"))
    tree.write("two.yaml", MANIFEST + "---\n" + MANIFEST.replace("name: j}", "name: k}"))
    done = tree.streamjob("run", *args)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


def test_a_job_of_several(tree):
    tree.write("job.yaml", MANIFEST.replace("name: j}", "name: k}").replace("COUNT(*)", "MAX(v)") + "---\n" + MANIFEST)
    assert tree.streamjob(*REPLAY, "--name", "j").stdout == ROWS


def test_a_job_that_fails_by_policy(tree):
    tree.write("job.yaml", MANIFEST + "  format: {json: {onBadRow: fail}}\n")
    tree.write("events.jsonl", EVENTS + "{bad\n")
    done = tree.streamjob(*REPLAY)
    assert done.returncode == 1
    assert "line 4 is bad, and the job's policy is to fail: byte 2: expected a name in quotes" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(tree, number):
    job = tree.start("run", "job.yaml", "--input", "-", "--output", "-", "--clock", "ts", stdin=subprocess.PIPE)
    job.stdin.write(EVENTS)
    job.stdin.flush()
    # The second window's first row fires the first window; the second window is open.
    assert [job.stdout.readline() for _ in range(2)] == ROWS.splitlines(True)[:2]
    job.send_signal(number)
    rest = job.stdout.read()
    assert (job.wait(60), rest) == (0, ROWS.splitlines(True)[2]), job.stderr.read()


def test_a_signal_that_comes_twice_at_once_is_one(tree):
    """As timeout(1) and programs that pass signals on send it: to the process, and to its group."""
    jobs = [tree.start("run", "job.yaml", "--input", "-", "--output", "-", "--clock", "ts", stdin=subprocess.PIPE) for _ in range(5)]
    for job in jobs:
        job.stdin.write(EVENTS)
        job.stdin.flush()
        assert [job.stdout.readline() for _ in range(2)] == ROWS.splitlines(True)[:2]
        job.send_signal(signal.SIGTERM)
        time.sleep(0.001)  # it is taken by then, or soon after; on a slow machine the two are one in any case
        os.kill(job.pid, signal.SIGTERM)
    assert [(job.stdout.read(), job.wait(60)) for job in jobs] == [(ROWS.splitlines(True)[2], 0)] * 5


def test_a_second_signal_ends_at_once(tree):
    os.mkfifo(tree.folder / "out")
    reader = os.open(tree.folder / "out", os.O_RDONLY | os.O_NONBLOCK)
    # Nobody reads the output: rows for more than a pipe holds keep the drain waiting.
    tree.write("many.jsonl", "".join('{"k":"%d","v":1,"ts":1}\n' % i for i in range(5000)))
    args = ["--input", "many.jsonl", "--output", "out", "--clock", "ts", "--log-format", "json"]
    job = tree.start("run", "job.yaml", *args)
    time.sleep(1)
    job.send_signal(signal.SIGTERM)
    line = job.stderr.readline()
    assert json.loads(line)["msg"] == "draining"
    assert job.poll() is None
    job.send_signal(signal.SIGINT)
    assert job.wait(30) == 128 + signal.SIGINT
    os.close(reader)


def test_a_stop_before_the_servers_are_there_is_a_drain(tree):
    job = tree.start("run", "job.yaml")
    time.sleep(1)
    job.send_signal(signal.SIGTERM)
    _, err = job.communicate(timeout=60)
    assert job.returncode == 0, err


def test_logs_for_machines(tree):
    lines = [json.loads(line) for line in tree.streamjob(*REPLAY, "--log-format", "json").stderr.splitlines()]
    assert [line["sequence"] for line in lines if line["msg"] == "window accepted"] == [1, 2]
    assert all({"time", "level", "msg"} <= set(line) for line in lines)


def test_logs_by_level(tree):
    assert "window accepted" in tree.streamjob(*REPLAY).stderr
    assert tree.streamjob(*REPLAY, "--log-level", "warn").stderr == ""


def test_no_secret_in_logs_explain_or_problems(tree):
    (tree.folder / "secrets" / "login").mkdir(parents=True)
    tree.write("secrets/login/username", "somebody")
    tree.write("secrets/login/password", "very-secret")
    job = MANIFEST.replace("job: x,", "job: x, credentialsSecretRef: {name: login}, timeout: 1s, retryDeadline: 1s,")
    tree.write("job.yaml", job.replace('{kafka: {bootstrapServers: "127.0.0.1:1", topic: t}}', "{file: {path: events.jsonl}}"))
    run = tree.start("run", "job.yaml", "--secrets", "secrets", "--log-level", "debug")
    time.sleep(2)
    run.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=60)
    explained = tree.streamjob("explain", "job.yaml")
    assert explained.returncode == 0, explained.stderr
    assert err
    for text in (out, err, explained.stdout):
        assert "very-secret" not in text and "somebody" not in text


TABLE = MANIFEST.split("  sinks:")[0] + "  sinks: [{stdout: {format: table}}]\n"


def test_a_table_for_people(tree):
    tree.write("job.yaml", TABLE.replace("SUM(v)", "AVG(v)"))
    tree.write("events.jsonl", EVENTS.replace('"a","v":3', '"ähnlich","v":12345'))
    done = tree.streamjob("run", "job.yaml", "--input", "events.jsonl", "--clock", "ts", "--log-level", "error")
    assert done.stderr == ""
    assert done.stdout == (
        "window 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:01.000Z  (1)\n"
        "k  c     s\n"
        "a  1  1.00\n"
        "b  1  2.00\n"
        "\n"
        "window 1970-01-01T00:00:01.000Z to 1970-01-01T00:00:02.000Z  (2)\n"
        "k        c         s\n"
        "ähnlich  1  12345.00\n"
    )


def test_a_live_line_on_a_terminal_only(tree):
    tree.write("job.yaml", TABLE)
    args = [BINARY, "run", "job.yaml", "--input", "fifo", "--clock", "ts"]
    os.mkfifo(tree.folder / "fifo")
    main, terminal = pty.openpty()
    job = subprocess.Popen(args, cwd=tree.folder, stdout=terminal, stderr=terminal)
    os.close(terminal)
    seen = b""
    with open(tree.folder / "fifo", "w") as fifo:
        fifo.write(EVENTS)
        fifo.flush()
        end = time.monotonic() + 60
        while not re.search(rb"rows/s  window 00:00:01 to 00:00:02  late 0  bad 0\r", seen):
            assert time.monotonic() < end, seen
            seen += os.read(main, 65536)
    wait_until(lambda: job.poll() is not None, "the job does not end")
    try:
        while True:
            seen += os.read(main, 65536)
    except OSError:
        os.close(main)
    assert job.returncode == 0
    # Tables and logs begin on a cleared line.
    assert re.search(rb"^\r\x1b\[Kwindow 1970-01-01T00:00:00.000Z", seen)
    assert re.search(rb"\r\x1b\[K\r\nwindow 1970-01-01T00:00:01.000Z", seen)
    assert b"\r\x1b[Ktime=" in seen


def test_an_output_whose_reader_is_gone(tree):
    read, write = os.pipe()
    os.close(read)
    job = subprocess.Popen([BINARY, *REPLAY], cwd=tree.folder, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    _, err = job.communicate(timeout=60)
    assert job.returncode == 1
    assert "Broken pipe" in err


def test_the_summary_names_each_sink(tree):
    """After the sinks are closed."""
    source = "source: {datagen: {rows: 9, rowsPerSecond: 0, columns: {k: {choice: {values: [a]}}, v: {sequence: {}}, ts: {sequence: {}}}}}"
    job = re.sub(r"source: .*", source, MANIFEST)
    tree.write("job.yaml", re.sub(r"sinks: .*", "sinks: [{file: {path: one.jsonl}}, {file: {path: another.jsonl}}]", job))
    done = tree.streamjob("run", "job.yaml")
    assert done.returncode == 0, done.stderr
    assert re.findall(r'msg="sink" sink="(.*)" sequence', done.stderr) == ["file one.jsonl", "file another.jsonl"], done.stderr
