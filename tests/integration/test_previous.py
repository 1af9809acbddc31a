"""A window that one job file began and another finds: the earlier file finishes it, then the new one goes on, exactly."""

import collections
import copy

import pytest

from bucket import PARTITIONS, file_rows, kafka_rows, kafka_source, make_events, manifest, passing_of, pushgateway_sink, split, unique
from servers import StreamJob, wait_for
from servers.kafka_requests import group_offsets

FINISHES = "a window is finished by the job file before this one"
RECORDS = make_events(6000, seed=71)[0]


def weigh(factor):
    code = f"""
from pyflink.table import DataTypes
from pyflink.table.udf import udf

@udf(result_type=DataTypes.DOUBLE())
def weigh(latency_ms):
    return latency_ms * {factor}
"""
    return {
        "functions": [{"name": "weigh", "kind": "scalar", "entrypoint": "metrics:weigh", "code": {"inline": code}, "timeout": "20s", "startTimeout": "60s"}],
        "select": [{"name": "weight", "expr": "weigh(latency_ms)"}],
    }


def by_endpoint(rows):
    sums = collections.defaultdict(lambda: [0, 0, 0.0])
    for row in rows:
        for i, name in enumerate(("impressions", "clicks", "latency_sum")):
            sums[row["endpoint"]][i] += row[name] or 0
    return dict(sums)


def truth_of(records):
    return by_endpoint({"endpoint": e, "impressions": event == "impression", "clicks": event == "click", "latency_sum": latency} for e, _, event, latency in passing_of(records))


def gateway_by_endpoint(gateway, job):
    names = ("impressions_total", "clicks_total", "latency_ms_total")
    sums = collections.defaultdict(lambda: [0, 0, 0.0])
    for (name, labels), value in gateway.metrics().items():
        labels = dict(labels)
        if name in names and labels.get("job") == job:
            sums[labels["endpoint"]][names.index(name)] += value
    return dict(sums)


def without_buckets(spec):
    spec["spec"]["groupBy"] = ["endpoint"]
    for metric in spec["spec"]["sinks"][0]["pushgateway"]["metrics"]:
        metric["labels"] = ["endpoint"]


class Change:
    """A job over all three sinks that was killed with a window pending, and what becomes of its spec."""

    def __init__(self, kafka, faulty, folder, **spec):
        self.kafka, self.faulty, self.folder = kafka, faulty, folder
        self.name, self.topic, self.out = unique("previous"), unique("events"), unique("out")
        kafka.create_topic(self.topic, PARTITIONS)
        kafka.create_topic(self.out, 1)
        self.rows = folder / "rows.jsonl"
        sinks = [
            pushgateway_sink(faulty, self.name, timeout="1s", retryDeadline="1s"),
            {"kafka": {"bootstrapServers": kafka.address, "topic": self.out}},
            {"file": {"path": str(self.rows)}},
        ]
        self.spec = manifest(self.name, kafka_source(kafka, self.topic, lease="300ms"), sinks, size="300ms", terminationGracePeriod="5s", **spec)
        self.old = None

    def begin(self, args=()):
        """The gateway applies a window and never answers: the job is killed with that window pending, which the other sinks have."""
        first, self.rest = split(RECORDS, 2)
        self.old = job = StreamJob(self.folder, self.spec, args=args, name="old")
        job.start()
        self.kafka.produce(self.topic, first)
        wait_for(lambda: by_endpoint(file_rows(self.rows)) == truth_of(first), 60, lambda: job.log()[-4000:])
        self.faulty.mode = "unanswered"
        self.kafka.produce(self.topic, self.rest)
        self.pending = wait_for(lambda: self.faulty.pushed("unanswered"), 60, lambda: job.log()[-4000:])[0]
        others = lambda: [sink.get("lastAccepted", {}).get("sequence") for sink in job.status()["sinks"][1:]]
        wait_for(lambda: others() == [self.pending] * 2, 60, others)
        job.kill()
        self.written = self.rows.read_text()
        self.faulty.mode = "pass"

    def offsets(self):
        return group_offsets(self.kafka, f"streamjob.default.{self.name}", self.topic, PARTITIONS)

    def new(self, change, args=(), name="new"):
        spec = copy.deepcopy(self.spec)
        change(spec)
        return StreamJob(self.folder, spec, args=args, name=name)

    def previous(self):
        return ["--previous", str(self.old.manifest)]

    def check(self, job):
        """Every row in one window of each sink, the pending one as the earlier file made it."""
        truth = truth_of(RECORDS)
        wait_for(lambda: by_endpoint(file_rows(self.rows)) == truth, 60, lambda: job.log()[-6000:])
        wait_for(lambda: gateway_by_endpoint(self.faulty, self.name) == truth, 60, lambda: job.log()[-6000:])
        wait_for(lambda: by_endpoint(kafka_rows(self.kafka, self.out)) == truth, 60, lambda: job.log()[-6000:])
        assert self.rows.read_text().startswith(self.written), "the pending window was made by another query"


def aggregate_of(spec):
    spec["spec"]["aggregates"] = [*spec["spec"]["aggregates"], {"name": "more", "expr": "COUNT(DISTINCT user_id)"}]
    spec["spec"]["columns"] = [*spec["spec"]["columns"], {"name": "user_id", "type": "STRING", "path": "$.user"}]


def function_of(spec):
    spec["spec"] |= weigh(1000)


CHANGES = {
    # what is changed, what the job had more
    "the groups": (without_buckets, {}),
    "columns and aggregates": (aggregate_of, {}),
    "the window's size": (lambda spec: spec["spec"]["window"]["tumbling"].update(size="700ms"), {}),
    "a function's code": (function_of, {}),
    "a function is new": (function_of, None),
}


def weighed(spec):
    return {**spec, **weigh(1), "aggregates": [
        {"name": "impressions", "expr": "COUNT(*) FILTER (WHERE event = 'impression')"},
        {"name": "clicks", "expr": "COUNT(*) FILTER (WHERE event = 'click')"},
        {"name": "latency_sum", "expr": "SUM(latency_ms)"},
        {"name": "p95_ms", "expr": "PERCENTILE(latency_ms, 0.95)"},
        {"name": "weight", "expr": "SUM(weight)"},
    ]}


@pytest.mark.parametrize("change, more", CHANGES.values(), ids=CHANGES)
def test_the_earlier_file_finishes_what_it_began(kafka, faulty, tmp_path, change, more):
    with_function = change is function_of and more is not None
    one = Change(kafka, faulty, tmp_path, **(weighed({}) if with_function else {}))
    one.begin()
    job = one.new(change, one.previous())
    job.start()
    one.check(job)
    wait_for(lambda: FINISHES in job.log(), 60, lambda: job.log()[-6000:])  # every row may have been in the pending window
    log = job.log()
    assert log.count(FINISHES) == 1 and f"sequence={one.pending}" in log, log
    wait_for(lambda: job.get("/readyz")[0] == 200, 60, lambda: job.log()[-4000:])
    assert job.status()["lastError"] is None
    job.stop()
    assert job.process.returncode == 0, job.log()
    if with_function:
        of_old = one.written.count("\n")
        for i, row in enumerate(file_rows(one.rows)):
            assert row["weight"] == pytest.approx(row["latency_sum"] * (1 if i < of_old else 1000)), (i, of_old, row)


def test_a_sink_that_is_new_begins_behind_the_window(kafka, faulty, tmp_path):
    """The query changed with it: the pending window is the old sinks', what follows the new one's."""
    one = Change(kafka, faulty, tmp_path)
    one.begin()

    def change(spec):
        without_buckets(spec)
        spec["spec"]["sinks"][2] = {"file": {"path": str(tmp_path / "new.jsonl")}}

    job = one.new(change, one.previous())
    job.start()
    truth = truth_of(RECORDS)
    wait_for(lambda: by_endpoint([*file_rows(one.rows), *file_rows(tmp_path / "new.jsonl")]) == truth, 60, lambda: job.log()[-6000:])
    wait_for(lambda: gateway_by_endpoint(faulty, one.name) == truth, 60, lambda: job.log()[-6000:])
    assert one.rows.read_text() == one.written


def test_a_changed_sink_of_the_same_query_needs_no_earlier_file(kafka, faulty, tmp_path):
    """It may be what was wrong: the new sink gets the pending window."""
    one = Change(kafka, faulty, tmp_path)
    one.begin()
    job = one.new(lambda spec: spec["spec"]["sinks"].pop(0), one.previous())
    job.start()
    truth = truth_of(RECORDS)
    wait_for(lambda: by_endpoint(file_rows(one.rows)) == truth, 60, lambda: job.log()[-6000:])
    wait_for(lambda: by_endpoint(kafka_rows(kafka, one.out)) == truth, 60, lambda: job.log()[-6000:])
    assert FINISHES not in job.log()


def test_without_the_earlier_file_the_start_says_what_is_needed(kafka, faulty, tmp_path):
    one = Change(kafka, faulty, tmp_path)
    one.begin()
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "broken.json").write_text("{")
    (folder / "notes.txt").write_text("no job file")
    wrong = one.new(aggregate_of, name="wrong")
    (folder / "wrong.yaml").write_text(wrong.manifest.read_text())
    offsets = one.offsets()

    def refused(name, args, *words):
        job = one.new(without_buckets, args, name=name)
        assert job.run(60) == 1, job.log()
        assert all(word in job.log() for word in (f"window {one.pending} was begun", "--previous FILE", "--drop-pending=", *words)), job.log()
        assert one.offsets() == offsets
        return job.log()

    log = refused("none", [], "no job file before this one was given")
    query = log.split("--drop-pending=")[1].split()[0]
    assert len(query) == 16 and query in offsets[0][1], (query, offsets)
    refused("gone", ["--previous", str(tmp_path / "gone.yaml")], "gone.yaml", "No such file")
    refused("others", ["--previous", str(folder), "--previous", str(wrong.manifest)], "3 job files", "broken.json", "wrong.yaml (its query is ", str(wrong.manifest))
    refused("another", ["--drop-pending=0123456789abcdef"])
    (folder / "z.yml").write_text(one.old.manifest.read_text())
    job = one.new(without_buckets, ["--previous", str(tmp_path / "gone.yaml"), "--previous", str(folder)], name="found")
    job.start()
    one.check(job)


def test_drop_pending_gives_up_what_that_query_began(kafka, faulty, tmp_path):
    one = Change(kafka, faulty, tmp_path)
    one.begin()
    job = one.new(without_buckets, name="asked")
    assert job.run(60) == 1
    query = job.log().split("--drop-pending=")[1].split()[0]
    job = one.new(without_buckets, [f"--drop-pending={query}", *one.previous()])
    job.start()
    wait_for(lambda: "is given up" in job.log() and job.get("/readyz")[0] == 200, 60, lambda: job.log()[-4000:])
    assert FINISHES not in job.log()


def test_a_sink_that_is_away_meanwhile(kafka, faulty, tmp_path):
    """The job is not ready, and says which file waits for which sink; a kill or a stop there changes nothing."""
    one = Change(kafka, faulty, tmp_path)
    one.begin()
    faulty.mode = "500"
    job = one.new(without_buckets, one.previous())
    job.start()
    words = (f"window {one.pending} is being finished by the job file before this one", str(one.old.manifest), "the gateway answered 500")
    wait_for(lambda: all(word in job.get("/readyz")[1] for word in words), 60, lambda: job.get("/readyz")[1] + job.log()[-4000:])
    assert job.get("/readyz")[0] == 503 and job.status()["ready"] is False
    job.kill()
    job.start()
    wait_for(lambda: all(word in job.get("/readyz")[1] for word in words), 60, lambda: job.log()[-4000:])
    job.stop(timeout=30)
    assert job.process.returncode == 1, job.log()
    faulty.mode = "pass"
    job = one.new(without_buckets, one.previous(), name="again")
    job.start()
    one.check(job)


def test_the_earlier_functions_code_is_its_own_and_may_be_missing(kafka, faulty, tmp_path):
    """code.configMapRef: the files of the earlier job are mounted beside those of this one."""
    one = Change(kafka, faulty, tmp_path, **weighed({}))
    folders = {}
    for version, factor in (("old", 1), ("new", 1000)):
        folders[version] = tmp_path / version / "functions"
        (folders[version] / "weigh").mkdir(parents=True)
        (folders[version] / "weigh" / "code.py").write_text(weigh(factor)["functions"][0]["code"]["inline"])
    reference = {"configMapRef": {"name": "code-1", "key": "code.py"}}
    one.spec["spec"]["functions"][0]["code"] = reference
    one.begin(["--functions-dir", str(folders["old"])])

    def change(spec):
        spec["spec"]["functions"][0]["code"] = {"configMapRef": {"name": "code-2", "key": "code.py"}}

    own = ["--functions-dir", str(folders["new"])]
    gone = one.new(change, [*own, *one.previous(), "--previous-functions-dir", str(tmp_path / "gone")], name="gone")
    gone.start()
    assert gone.wait(60) == 2
    assert "gone/weigh/code.py" in gone.log() and "finished by the job file before" in gone.log()
    job = one.new(change, [*own, *one.previous(), "--previous-functions-dir", str(folders["old"])])
    job.start()
    one.check(job)
    of_old = one.written.count("\n")
    for i, row in enumerate(file_rows(one.rows)):
        assert row["weight"] == pytest.approx(row["latency_sum"] * (1 if i < of_old else 1000)), (i, of_old, row)
