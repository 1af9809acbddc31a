"""User functions in Python on a real Kafka: exact, and whatever they do the job goes on or says why not."""

import collections
import json
import textwrap
import time

import pytest

from bucket import PARTITIONS, ROWS, expected, file_rows, kafka_source, make_events, manifest, unique
from servers import StreamJob, wait_for

SCORE = """
from pyflink.table import AggregateFunction, DataTypes, TableAggregateFunction

class Score(AggregateFunction):
    def create_accumulator(self):
        return [0.0, 0]

    def accumulate(self, acc, clicked, latency_ms):
        acc[0] += latency_ms
        acc[1] += clicked

    def merge(self, acc, others):
        for other in others:
            acc[0] += other[0]
            acc[1] += other[1]

    def get_value(self, acc):
        return acc[0] + 1000000000 * acc[1]

    def get_result_type(self):
        return DataTypes.DOUBLE()

class Top2(TableAggregateFunction):
    def create_accumulator(self):
        return []

    def accumulate(self, acc, value):
        acc.append(value)
        acc.sort(reverse=True)
        del acc[2:]

    def merge(self, acc, others):
        for other in others:
            acc.extend(other)
        acc.sort(reverse=True)
        del acc[2:]

    def emit_value(self, acc):
        for rank, value in enumerate(acc, 1):
            yield value, rank

    def get_result_type(self):
        return DataTypes.ROW([DataTypes.FIELD("value", DataTypes.DOUBLE()), DataTypes.FIELD("rank", DataTypes.INT())])
"""
CLICKED = {"name": "clicked", "expr": "CASE WHEN event = 'click' THEN 1 ELSE 0 END"}


def function(name, kind, attribute, code, **more):
    return {"name": name, "kind": kind, "entrypoint": f"metrics:{attribute}", "code": {"inline": code}, **more}


def gauge(name, value, labels):
    return {"name": name, "type": "gauge", "value": value, "labels": labels}


def test_bucket_job_with_aggregate_and_table_aggregate(kafka, gateway, events, tmp_path):
    """Four lanes, one window, one PUT: every value exact."""
    topic, passing = events
    name = unique("python")
    labels = ["endpoint", "bucket", "rank"]
    sink = {
        "pushgateway": {
            "url": gateway.url,
            "job": name,
            "metrics": [gauge("score", "score", labels), gauge("top_ms", "value", labels), gauge("seen", "seen", labels)],
        }
    }
    spec = {
        "select": [CLICKED],
        "functions": [
            function("bucket_score", "aggregate", "Score", SCORE, timeout="20s"),
            function("top2", "tableAggregate", "Top2", SCORE, timeout="20s"),
        ],
        "aggregates": [
            {"name": "score", "expr": "bucket_score(clicked, latency_ms)"},
            {"columns": ["value", "rank"], "expr": "top2(latency_ms)"},
            {"name": "seen", "expr": "COUNT(*)"},
        ],
    }
    job = StreamJob(
        tmp_path,
        manifest(name, kafka_source(kafka, topic), [sink], size="1h", **spec),
        args=["--until-idle", "5s", "--lanes", "4"],
    )
    assert job.run(240) == 0, job.log()
    seen = {}
    for (metric, found), value in gateway.metrics().items():
        found = dict(found)
        if found.get("job") == name and "rank" in found:
            seen[metric, found["endpoint"], found["bucket"], int(found["rank"])] = value
    truth = {}
    for (endpoint, bucket), group in expected(passing).items():
        for rank in (1, 2):
            truth["score", endpoint, bucket, rank] = group["latency_sum"] + 1e9 * group["clicks"]
            truth["top_ms", endpoint, bucket, rank] = group["latencies"][-rank]
            truth["seen", endpoint, bucket, rank] = len(group["latencies"])
    assert seen == truth


# What a function does while the file BAD is there, the method and the reason that the status must name.
BAD = {
    "sleeps in import": ("", {"import": "hang()"}, None, "timeout"),
    "sleeps in __init__": ("", {"__init__": "hang()"}, None, "timeout"),
    "sleeps in open": ("", {"open": "hang()"}, None, "timeout"),
    "sleeps in accumulate": ("", {"accumulate": "hang()"}, "accumulate", "timeout"),
    "sleeps in get_value": ("", {"get_value": "hang()"}, "get_value", "timeout"),
    "sleeps in merge": ("", {"merge": "hang()"}, "merge", "timeout"),
    "loops with the GIL": ("", {"accumulate": "while bad(): pass"}, "accumulate", "timeout"),
    "exits": ("", {"accumulate": "os._exit(3)"}, "accumulate", "crash"),
    "dies of a signal": ("import ctypes", {"accumulate": "ctypes.string_at(0)"}, "accumulate", "crash"),
    "eats memory": ("", {"accumulate": "[bytearray(1 << 20) for _ in range(2000)]"}, "accumulate", "memory"),
    "raises in open": ("", {"open": "raise OSError('no model')"}, None, "start"),
    "raises in get_value": ("", {"get_value": "raise KeyError('k')"}, "get_value", "exception"),
    "raises in merge": ("", {"merge": "raise TypeError('t')"}, "merge", "exception"),
}


def bad_code(marker, prelude, deeds):
    def deed(method):
        return f"if bad(): {deeds[method]}" if method in deeds and ":" not in deeds[method] else deeds.get(method, "pass")

    return textwrap.dedent(
        f"""
        import os, time
        {prelude or 'pass'}

        def bad():
            return os.path.exists({str(marker)!r})

        def hang():
            time.sleep(3600)

        {deed("import")}

        from pyflink.table import AggregateFunction, DataTypes

        class Sum(AggregateFunction):
            def __init__(self):
                {deed("__init__")}

            def open(self, context):
                {deed("open")}

            def create_accumulator(self):
                return [0.0]

            def accumulate(self, acc, value):
                {deed("accumulate")}
                acc[0] += value

            def merge(self, acc, others):
                {deed("merge")}
                for other in others:
                    acc[0] += other[0]

            def get_value(self, acc):
                {deed("get_value")}
                return acc[0]

            def get_result_type(self):
                return DataTypes.DOUBLE()
        """
    )


GOOD = """
from pyflink.table.udf import udf
from pyflink.table import DataTypes

@udf(result_type=DataTypes.DOUBLE())
def twice(x):
    return 2 * x
"""


def sums(path):
    total = collections.Counter()
    for row in file_rows(path):
        for name in ("python", "builtin", "other", "seen"):
            total[name] += row[name] or 0
    return dict(total)


def bad_job(kafka, folder, topic, code, size="500ms", lease="5s", **policies):
    out = folder / "out.jsonl"
    spec = {
        "functions": [
            function("total", "aggregate", "Sum", code, timeout="500ms", startTimeout="3s", memory="64Mi", **policies),
            function("twice", "scalar", "twice", GOOD),
        ],
        "aggregates": [
            {"name": "python", "expr": "total(latency_ms)"},
            {"name": "builtin", "expr": "SUM(latency_ms)"},
            {"name": "other", "expr": "SUM(twice(latency_ms))"},
            {"name": "seen", "expr": "COUNT(*)"},
        ],
    }
    if "onError" in policies or "onPoisonRow" in policies:
        spec["deadLetter"] = {"file": {"path": str(folder / "dead.jsonl")}}
    text = manifest(unique("bad"), kafka_source(kafka, topic, lease=lease), [{"file": {"path": str(out)}}], size=size, **spec)
    return StreamJob(folder, text, args=["--lanes", "2"]), out


def truth_of(passing):
    total = sum(latency for _, _, _, latency in passing)
    return {"python": total, "builtin": total, "other": 2 * total, "seen": len(passing)}


@pytest.fixture(scope="module")
def small(kafka):
    topic = unique("small")
    records, passing = make_events(20_000, seed=7)
    kafka.create_topic(topic, PARTITIONS)
    kafka.produce(topic, records)
    return topic, truth_of(passing)


@pytest.mark.parametrize("case", list(BAD))
def test_bad_function_is_named_and_the_job_recovers_exactly(kafka, small, tmp_path, case):
    topic, truth = small
    prelude, deeds, method, reason = BAD[case]
    marker = tmp_path / "bad"
    marker.write_text("")
    size = "500ms"
    if "merge" in deeds:  # nothing is merged where not both lanes have rows of one window: they begin with it
        size = "6s"
        time.sleep(-time.time() % 6)
    job, out = bad_job(kafka, tmp_path, topic, bad_code(marker, prelude, deeds), size)

    def failing():
        total = job.status().get("functions", [{}])[0]
        error = total.get("lastError") or {}
        return not total.get("healthy", True) and (not method or error["method"] == method) and (
            not reason or error["reason"] == reason
        )

    with job:
        wait_for(failing, 60, lambda: json.dumps(job.status().get("functions")) + job.log())
        code, page = job.get("/readyz")
        assert code == 503 and "total" in page, page
        other = job.status()["functions"][1]
        assert other["restarts"] == 0 and other["lastError"] is None, other
        assert job.get("/healthz")[0] == 200
        marker.unlink()
        wait_for(lambda: sums(out) == truth, 120, lambda: f"{sums(out)} {truth} {job.log()[-3000:]}")
        wait_for(lambda: job.get("/readyz")[0] == 200, 60, lambda: job.get("/readyz")[1])
        assert job.status()["functions"][0]["healthy"]


def test_a_module_that_does_not_load_ends_the_job_at_once(kafka, small, tmp_path):
    """It is the job file's failure, and not tried again; the place in the source stays, and mended code goes on from there."""
    topic, truth = small
    marker = tmp_path / "bad"
    marker.write_text("")
    job, out = bad_job(kafka, tmp_path, topic, bad_code(marker, "", {"import": "import nowhere_to_be_found"}))
    job.launch()
    assert job.process.wait(timeout=60) == 2, job.log()
    assert "function total, import: " in job.log() and "ModuleNotFoundError: No module named 'nowhere_to_be_found'" in job.log()
    assert "restarting" not in job.log() and "given up" not in job.log(), job.log()
    marker.unlink()
    with job:
        wait_for(lambda: sums(out) == truth, 120, lambda: f"{sums(out)} {truth} {job.log()[-3000:]}")


def test_one_poison_row_is_found_and_the_rest_is_exact(kafka, tmp_path):
    topic = unique("poison")
    records, passing = make_events(ROWS, seed=11)
    kafka.create_topic(topic, PARTITIONS)
    place = len(records[2]) // 2
    records[2].insert(place, b'{"ts":1,"endpoint":"home","bucket":"a","event":"click","metrics":{"latency_ms":-666.5}}')
    kafka.produce(topic, records)
    code = bad_code("/", "", {"accumulate": "if value == -666.5: hang()"})
    job, out = bad_job(kafka, tmp_path, topic, code, onPoisonRow="deadLetter")
    with job:
        wait_for(lambda: sums(out) == truth_of(passing), 300, lambda: f"{sums(out)} {truth_of(passing)} {job.log()[-3000:]}")
        total = job.status()["functions"][0]
    assert total["poisonRows"] == 1, total
    letters = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert {(letter["partition"], letter["offset"]) for letter in letters} == {(2, place)}
    assert all("function total, accumulate" in letter["reason"] for letter in letters), letters


def test_many_restarts_on_kafka_lose_nothing_and_count_nothing_twice(kafka, tmp_path):
    """The worker ends itself after a random time, while events keep coming."""
    topic = unique("restarts")
    kafka.create_topic(topic, PARTITIONS)
    prelude = "import random; end = time.monotonic() + random.uniform(0.2, 3.0)"
    marker = tmp_path / "bad"
    marker.write_text("")
    code = bad_code(marker, prelude, {"accumulate": "if time.monotonic() > end and bad(): os._exit(9)"})
    job, out = bad_job(kafka, tmp_path, topic, code)
    passing = []
    with job:
        for round_number in range(20):
            records, more = make_events(5000, seed=100 + round_number)
            passing += more
            kafka.produce(topic, records)
            before = job.status()["functions"][0]["restarts"]
            wait_for(lambda: job.status()["functions"][0]["restarts"] > before or sums(out) == truth_of(passing), 60, job.log)
        marker.unlink()
        wait_for(lambda: sums(out) == truth_of(passing), 120, lambda: f"{sums(out)} {truth_of(passing)} {job.log()[-3000:]}")
        assert job.status()["functions"][0]["restarts"] >= 5, job.status()


def test_onerror_fail_stops_reading_and_says_so(kafka, small, tmp_path):
    topic, truth = small
    marker = tmp_path / "bad"
    marker.write_text("")
    job, out = bad_job(kafka, tmp_path, topic, bad_code(marker, "", {"accumulate": "raise ValueError('seen at last')"}), lease="300ms")
    with job:
        wait_for(lambda: job.status()["phase"] == "stopped", 60, job.log)
        status = job.status()
        assert "seen at last" in status["notReadyReason"] and "stopped reading" in status["notReadyReason"], status
        assert status["functions"][0]["lastError"]["method"] == "accumulate", status
        assert all(partition["committed"] == 0 for partition in status["partitions"]), status
        assert sums(out).get("seen", 0) == 0
    marker.unlink()
    with job:
        wait_for(lambda: sums(out) == truth, 60, lambda: f"{sums(out)} {truth} {job.log()[-3000:]}")


def test_a_laptop_sees_print_and_traceback(tmp_path):
    rows = tmp_path / "events.jsonl"
    rows.write_text("".join('{"latency_ms": %d}\n' % i for i in range(5)))
    code = "def scream(x):\n    print('I see', x)\n    if x == 3:\n        raise ValueError('three')\n    return x\n"
    module = "from streamjob import DataTypes, udf\n" + code + "f = udf(scream, result_type=DataTypes.DOUBLE())\n"
    text = {
        "apiVersion": "streamjob.dev/v1alpha1",
        "kind": "StreamJob",
        "metadata": {"name": "laptop"},
        "spec": {
            "source": {"stdin": {}},
            "columns": [{"name": "latency_ms", "type": "DOUBLE"}],
            "functions": [{"name": "f", "kind": "scalar", "entrypoint": "mine:f", "code": {"inline": module}}],
            "window": {"tumbling": {"size": "1h"}},
            "aggregates": [{"name": "s", "expr": "SUM(f(latency_ms))"}],
            "sinks": [{"stdout": {}}],
        },
    }
    job = StreamJob(tmp_path, text, args=["--input", str(rows)])
    assert job.run(60) == 1
    log = job.log()
    for words in ("I see 2.0", "ValueError: three", "line 5", "the record at line 4"):
        assert words in log, (words, log)
