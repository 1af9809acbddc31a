"""A group that a job names otherwise: the old one goes once the new one is there."""

import json
import urllib.request

import pytest

from bucket import kafka_source, make_events, manifest, pushgateway_sink, split, unique
from servers import Pushgateway, StreamJob, wait_for
from servers.kafka_requests import set_group_offsets

RECORDS = make_events(800, seed=91)[0]


def groups(gateway):
    """Job and further labels of each group."""
    with urllib.request.urlopen(gateway.url + "/api/v1/metrics", timeout=10) as answer:
        return {tuple(sorted(group["labels"].items())) for group in json.load(answer)["data"]}


def group(job, **labels):
    return tuple(sorted({"job": job, **labels}.items()))


@pytest.fixture
def second(tmp_path):
    with Pushgateway(tmp_path, name="second") as server:
        yield server


class Renamed:
    def __init__(self, kafka, gateway, folder, grouping):
        self.kafka, self.folder, self.job, self.topic = kafka, folder, unique("group"), unique("events")
        kafka.create_topic(self.topic, len(RECORDS))
        self.spec = manifest(self.job, kafka_source(kafka, self.topic, lease="300ms"), [pushgateway_sink(gateway, self.job, groupingKey=grouping)], size="300ms")

    def run(self, name, records, args=(), **changes):
        spec = json.loads(json.dumps(self.spec))
        spec["spec"]["sinks"][0]["pushgateway"] |= changes
        self.kafka.produce(self.topic, records)
        job = StreamJob(self.folder, spec, args=["--until-idle", "1500ms", *args], name=name)
        assert job.run(60) == 0, job.log()
        return job


CHANGES = {
    # the grouping key before and after
    "a label more": ({}, {"team": "a"}),
    "a label less": ({"team": "a", "zone": "b"}, {"team": "a"}),
    "no label": ({"team": "a/b"}, {}),
    "another value": ({"team": "a"}, {"team": "b"}),
    "an empty value": ({"team": "a"}, {"team": ""}),
    "no empty value": ({"team": ""}, {}),
}


@pytest.mark.parametrize("before, after", CHANGES.values(), ids=CHANGES)
def test_the_group_of_another_grouping_key_goes(kafka, gateway, tmp_path, before, after):
    one, (first, rest) = Renamed(kafka, gateway, tmp_path, before), split(RECORDS, 2)
    one.run("old", first)
    assert groups(gateway) == {group(one.job, **before)}
    one.run("new", rest, groupingKey=after)
    assert groups(gateway) == {group(one.job, **after)}


def test_the_group_of_an_earlier_life_goes_too(kafka, gateway, tmp_path):
    one, (first, rest) = Renamed(kafka, gateway, tmp_path, {}), split(RECORDS, 2)
    one.run("old", first)
    set_group_offsets(kafka, f"streamjob.default.{one.job}", one.topic, {p: (0, "") for p in RECORDS})
    other = Renamed(kafka, gateway, tmp_path, {})
    other.run("other", first)
    job = one.run("new", rest, job="renamed")
    assert "offsets were set by hand" in job.log()
    assert groups(gateway) == {group("renamed"), group(other.job)}


def test_at_another_gateway_the_earlier_job_file_says_what_was_there(kafka, gateway, second, tmp_path):
    one, parts = Renamed(kafka, gateway, tmp_path, {"team": "a"}), split(RECORDS, 3)
    old = one.run("old", parts[0])
    one.run("new", parts[1], url=second.url)
    assert groups(gateway) == groups(second) == {group(one.job, team="a")}, "without it nobody knows"
    job = one.run("told", parts[2], args=["--previous", str(old.manifest)], url=second.url)
    assert groups(gateway) == set() and groups(second) == {group(one.job, team="a")}
    assert "the job file before this one named it" in job.log()


def test_another_gateway_that_is_away_holds_nothing_up(kafka, gateway, second, tmp_path):
    one, (first, rest) = Renamed(kafka, gateway, tmp_path, {}), split(RECORDS, 2)
    old = one.run("old", first)
    gateway.stop()
    spec = json.loads(json.dumps(one.spec))
    spec["spec"]["sinks"][0]["pushgateway"] |= {"url": second.url}
    job = StreamJob(tmp_path, spec, args=["--previous", str(old.manifest)], name="new")
    job.start()
    kafka.produce(one.topic, rest)
    wait_for(lambda: groups(second) == {group(one.job)}, 60, lambda: job.log())
    wait_for(lambda: "delete it by hand" in job.log(), 90, lambda: job.log())
    assert job.get("/readyz")[0] == 200
    job.stop()
    assert job.process.returncode == 0, job.log()
