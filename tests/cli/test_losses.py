"""Nothing is only counted: the first of each kind is said at once, the sums at the end, --strict makes them exit code 3."""

import json
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import BINARY

JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {name: silent}
spec:
  source: {stdin: {}}
  columns:
  - {name: k, type: STRING}
  - {name: v, type: BIGINT}
  - {name: ts, type: TIMESTAMP}
  - {name: latency_ms, type: DOUBLE, path: $.metrics.latency_ms}
  window: {tumbling: {size: 1m}}
  groupBy: [k]
  aggregates:
  - {name: cnt, expr: COUNT(*)}
  - {name: total, expr: SUM(v)}
  - {name: slow, expr: MAX(latency_ms)}
  sinks: [{stdout: {}}]
"""
GOOD = '{"k":"a","v":5,"ts":1760000000000,"metrics":{"latency_ms":1.5}}\n'
WITHOUT = JOB.replace("  - {name: latency_ms, type: DOUBLE, path: $.metrics.latency_ms}\n", "").replace(
    "  - {name: slow, expr: MAX(latency_ms)}\n", ""
)


def run(tree, events, *args, job=JOB, form="json"):
    tree.write("job.yaml", job)
    tree.write("events.jsonl", events)
    args = ["run", "job.yaml", "--input", "events.jsonl", "--clock", "ts", "--log-format", form, *args]
    done = tree.streamjob(*args)
    return done, [json.loads(line) for line in done.stderr.splitlines()] if form == "json" else []


def messages(lines, level="warn"):
    return [line["msg"] for line in lines if line["level"] == level]


def test_good_rows_draw_no_warning(tree):
    done, lines = run(tree, 3 * GOOD, "--strict")
    assert done.returncode == 0 and messages(lines) == []
    (summary,) = [line for line in lines if line["msg"] == "summary"]
    assert (summary["read"], summary["used"], summary["bad"], summary["windows"]) == (3, 3, 0, 1)


def late(n):
    return json.dumps({"k": "a", "v": 1, "ts": 1760000000000 - 10 * 86400000 * n, "metrics": {"latency_ms": 1}}) + "\n"


# name: job, events, what the first is called, its place and reason, what the summary says
KINDS = {
    "no JSON": (WITHOUT, "{'k':'a','v':1}\nGET /cart 200\n[7]\n", "a row is bad", "line 1", "byte 2: expected a name in quotes",
                "3 of 3 rows were bad and left out"),
    "numbers as text": (WITHOUT, 2 * '{"k":"a","v":"5","ts":1760000000000}\n', "a value is not of its column's type; NULL is read",
                        "line 1", "column v is not a BIGINT", "2 values were read as NULL: column v is not a BIGINT"),
    "a path with a slip": (JOB, 2 * GOOD.replace("latency_ms", "latencyMs"), "a field is missing; NULL is read", "line 1",
                           "column latency_ms: $.metrics.latency_ms is missing", "column latency_ms: no row had $.metrics.latency_ms"),
    "a field that some lack": (JOB, GOOD + '{"k":"a","v":5,"ts":1760000000000}\n', "a field is missing; NULL is read", "line 2",
                               "column latency_ms: $.metrics.latency_ms is missing",
                               "1 fields were read as NULL: column latency_ms: $.metrics.latency_ms is missing"),
    "an expression that fails": (WITHOUT.replace("groupBy: [k]", 'filter: "1 / (v - 5) >= 0"\n  groupBy: [k]'), GOOD + 2 * GOOD.replace("5", "6", 1),
                                 "a row is bad", "line 1", "an expression failed: division by zero",
                                 "1 of 3 rows were bad and left out: an expression failed: division by zero"),
    "a result that fails": (WITHOUT.replace("SUM(v)", "SUM(v) / (SUM(v) - 5)"), GOOD, "a result became NULL", "", "total: division by zero",
                            "1 results became NULL: total: division by zero"),
    "late": (JOB, 9 * late(0) + late(2) + late(3), "a row is late", "line 10", "its time is far behind the rows before it (watermark.maxFutureSkew)",
             "2 of 11 rows were late and left out"),
    "groups beyond the limit": (JOB.replace("  sinks:", "  limits: {groups: 1, onLimit: dropNewGroups}\n  sinks:"), GOOD + GOOD.replace('"a"', '"b"'),
                                "rows of new groups dropped", "", "groups beyond spec.limits", "1 rows of new groups were dropped: groups beyond spec.limits"),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind(tree, name):
    job, events, first, where, reason, in_the_end = KINDS[name]
    done, lines = run(tree, events, job=job)
    assert done.returncode == 0, done.stderr
    said = [line for line in lines if line["msg"] == first]
    assert len(said) == 1, "the first one only, for a minute"
    assert (said[0]["level"], said[0]["where"], said[0]["reason"]) == ("warn", where, reason)
    assert said[0]["remedy"] and len(said[0]["excerpt"]) <= 81
    assert in_the_end in messages(lines), done.stderr
    assert lines.index(said[0]) < [line["msg"] for line in lines].index("summary") < messages(lines).index(in_the_end) + len(lines)


@pytest.mark.parametrize("how", ["option", "field"])
@pytest.mark.parametrize("name", KINDS)
def test_strict(tree, name, how):
    job, events = KINDS[name][:2]
    done, _ = run(tree, events, *(["--strict"] if how == "option" else []), job=job + ("  strict: true\n" if how == "field" else ""))
    assert done.returncode == 3, done.stderr


def test_a_failure_is_no_loss(tree):
    done, _ = run(tree, "{bad\n", "--strict", job=WITHOUT + "  format: {json: {onBadRow: fail}}\n")
    assert done.returncode == 1


SECRET = "4111-1111-1111-1111"


@pytest.mark.parametrize("event", [f"{{'card':'{SECRET}'}}", f'{{"k":"a","v":"{SECRET}"}}', f'{{"k":"a","v":"{SECRET}","ts":1760000000000}}'])
@pytest.mark.parametrize("policy", ["null", "skipRow", "fail"])
def test_values_are_shown_on_a_laptop_only(tree, event, policy):
    job = WITHOUT + f"  format: {{json: {{onBadField: {policy}}}}}\n"
    shown, _ = run(tree, event + "\n", job=job)
    hidden, _ = run(tree, event + "\n", "--hide-values", job=job)
    wished, _ = run(tree, event + "\n", "--hide-values", job=job + "  showValues: true\n")
    assert SECRET in shown.stderr and SECRET in wished.stderr
    assert SECRET not in hidden.stderr and "line 1" in hidden.stderr


def test_an_excerpt_is_short_and_one_line(tree):
    done, lines = run(tree, "\x1b[2J\x00ä" + 500 * "ö" + "\n", job=WITHOUT)
    (said,) = [line for line in lines if line["msg"] == "a row is bad"]
    assert said["excerpt"].startswith(" [2J ä") and said["excerpt"].endswith("…") and len(said["excerpt"]) <= 81
    assert done.returncode == 0


class Live:
    """A job that is fed line by line, and asked for its status."""

    def __init__(self, tree, job, *args):
        tree.write("job.yaml", job)
        args = [BINARY, "run", "job.yaml", "--listen", "127.0.0.1:0", "--log-format", "json", *args]
        pipe = subprocess.PIPE
        self.job = subprocess.Popen(args, cwd=tree.folder, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, text=True)
        line = json.loads(self.job.stderr.readline())
        self.port = line["port"]

    def feed(self, *events):
        self.job.stdin.write("".join(events))
        self.job.stdin.flush()

    def get(self, page):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{page}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait(self, rows, until=lambda status: True):
        end = time.monotonic() + 30
        while True:
            status = json.loads(self.get("/status")[1])
            if status["rows"]["in"] == rows and until(status):
                return status
            assert time.monotonic() < end, status
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.job.stdin.close()
        self.job.stderr.read()
        self.job.wait(30)


def row(minute, v="1"):
    return '{"k":"a","v":%s,"ts":%d}\n' % (v, 1760000000000 + 60000 * minute)


def test_the_status_says_how_the_input_is(tree):
    with Live(tree, WITHOUT, "--clock", "ts") as live:
        live.feed(*[row(0) for _ in range(20)])
        assert live.wait(20)["input"] == {"ok": True, "reason": "", "message": ""}
        live.feed("{bad\n")
        assert live.wait(21)["input"]["ok"] is True, "1 of 21 is less than 5 %"
        live.feed("{bad\n")
        found = live.wait(22)["input"]
        assert (found["ok"], found["reason"]) == (False, "BadRows")
        assert found["message"] == '2 of 22 rows of the last windows are bad; for example line 21: byte 2: expected a name in quotes: {bad'
        assert live.get("/readyz")[0] == 200
        # Five good windows later nobody speaks of it.
        for minute in range(1, 10):
            live.feed(row(minute))
        live.wait(31, until=lambda status: status["input"]["ok"])  # windows fire a moment after their rows


def test_a_bad_column(tree):
    with Live(tree, WITHOUT.replace("  sinks:", "  limits: {badRowShare: 0.5}\n  sinks:").replace("size: 1m", "size: 1h")) as live:
        live.feed(row(0), row(0, '"5"'))
        assert live.wait(2)["input"]["ok"] is True
        live.feed(row(0, '"5"'))
        found = live.wait(3)["input"]
        assert (found["ok"], found["reason"]) == (False, "BadValues")
        assert "2 of 3 rows" in found["message"] and "line 2: column v is not a BIGINT" in found["message"]
        assert live.get("/readyz")[0] == 200, "rows flow"


def test_no_data_flows_where_every_row_is_bad(tree):
    with Live(tree, WITHOUT.replace("size: 1m", "size: 1h"), "--hide-values") as live:
        live.feed(f"{{'card':'{SECRET}'}}\n", "GET /\n")
        status = live.wait(2)
        assert (status["input"]["ok"], status["ready"], status["notReadyPart"]) == (False, False, "input")
        code, text = live.get("/readyz")
        assert code == 503 and "2 of 2 rows of the last windows are bad" in text
        assert SECRET not in json.dumps(status) + text
        live.feed(row(0))
        live.wait(3)
        assert live.get("/readyz")[0] == 200


NOW = int(time.time())
TIMES = {
    "milliseconds as seconds": ("epochSeconds", NOW * 1000, "format epochSeconds, and its values look like epochMillis"),
    "seconds as milliseconds": ("epochMillis", NOW, "format epochMillis, and its values look like epochSeconds"),
    "microseconds as milliseconds": ("epochMillis", NOW * 10**6, "format epochMillis, and its values look like epochMicros"),
    "decades ahead": ("epochSeconds", NOW + 50 * 365 * 86400, "times that are decades from now"),
    "text decades ahead": ("iso8601", '"2199-01-01T00:00:00Z"', "times that are decades from now"),
}


@pytest.mark.parametrize("how", ["run", "validate"])
@pytest.mark.parametrize("name", TIMES)
def test_times_that_look_wrong(tree, name, how):
    form, value, words = TIMES[name]
    tree.write("job.yaml", WITHOUT.replace("SUM(v)", "COUNT(ts)").replace("TIMESTAMP}", f"TIMESTAMP, format: {form}}}"))
    tree.write("events.jsonl", 3 * ('{"k":"a","ts":%s}\n' % value))
    given = ["run", "job.yaml", "--input", "events.jsonl"] if how == "run" else ["validate", "job.yaml", "--sample", "events.jsonl"]
    done = tree.streamjob(*given)
    assert done.returncode == 0, done.stderr
    assert f'level=warn msg="times look wrong" where="line 1" reason="column ts has {words}"' in done.stderr
    assert f'level=warn msg="column ts has {words}"' in done.stderr


@pytest.mark.parametrize("form, value", [("epochSeconds", NOW), ("epochMillis", NOW * 1000), ("epochMillis", 100), ("iso8601", '"1999-01-01T00:00:00Z"')])
def test_times_that_look_right(tree, form, value):
    job = WITHOUT.replace("SUM(v)", "COUNT(ts)").replace("TIMESTAMP}", f"TIMESTAMP, format: {form}}}").replace("  - {name: v, type: BIGINT}\n", "")
    tree.write("job.yaml", job)
    tree.write("events.jsonl", '{"k":"a","ts":%s}\n' % value)
    done = tree.streamjob("validate", "job.yaml", "--sample", "events.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_sample_shows_what_a_run_would_say(tree):
    tree.write("job.yaml", JOB)
    tree.write("events.jsonl", GOOD.replace("latency_ms", "latencyMs") + "{bad\n")
    done = tree.streamjob("validate", "job.yaml", "--sample", "events.jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    assert "column latency_ms: no row had $.metrics.latency_ms" in done.stderr
    assert "1 of 2 rows were bad and left out" in done.stderr
    assert tree.streamjob("validate", "job.yaml", "--sample", "none.jsonl").returncode == 1


def test_a_job_that_stays_says_that_its_input_has_ended(tree):
    """What the operator gives its pods: a process that ended would be started again, and read it all once more."""
    with Live(tree, WITHOUT, "--clock", "ts", "--stay") as live:
        live.feed(*[row(minute) for minute in range(3)])
        live.job.stdin.close()
        status = live.wait(3, lambda status: status["phase"] == "completed")
        assert status["ready"] is True and live.get("/readyz")[0] == 200 and live.get("/healthz")[0] == 200
        assert status["rows"]["out"] == 3
        live.job.terminate()
        assert live.job.wait(30) == 0
    with Live(tree, WITHOUT, "--clock", "ts", "--stay", "--strict") as live:
        live.feed("{bad\n", row(0))
        live.job.stdin.close()
        status = live.wait(2, lambda status: status["phase"] == "incomplete")
        assert status["ready"] is False and status["notReadyPart"] == "failed" and "bad rows: 1" in status["notReadyReason"]
        assert live.get("/readyz")[0] == 503 and live.get("/healthz")[0] == 200, "it is not started again"
        live.job.terminate()
        assert live.job.wait(30) == 3
