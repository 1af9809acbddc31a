"""A topic that is deleted and made anew has the same name and other records: found, never a silent jump.

By its id where the program's librdkafka gives one; with STREAMJOB_TOPIC_IDS=1 in the environment it has to.
"""

import json
import os

import pytest

from bucket import PARTITIONS, expected_sums, file_rows, kafka_source, make_events, manifest, sum_rows, unique
from servers import StreamJob, wait_for
from servers.kafka_requests import group_offsets, set_group_offsets

BEFORE, AFTER = 1000, 2500


def remake(kafka, topic, records):
    kafka.delete_topic(topic)
    wait_for(lambda: topic not in kafka.admin().list_topics(timeout=10).topics, 30, "the topic to be gone")
    kafka.create_topic(topic, PARTITIONS)
    kafka.produce(topic, records)


def place(kafka, spec, topic):
    """The group's offsets with their metadata, and the topic's id of the mark; "" where the program knows none."""
    offsets = group_offsets(kafka, f"streamjob.default.{spec['metadata']['name']}", topic, PARTITIONS)
    metadata = offsets[0][1]
    found = json.loads(metadata[metadata.index("{") :]).get("topicId", "")
    assert found or os.environ.get("STREAMJOB_TOPIC_IDS") != "1", metadata
    return offsets, found


@pytest.fixture
def running(kafka, tmp_path):
    """A job that has read BEFORE events; policy by the call."""
    started = []

    def start(policy):
        name, topic = unique("anew"), unique("events")
        kafka.create_topic(topic, PARTITIONS)
        before, passing = make_events(BEFORE, seed=11)
        kafka.produce(topic, before)
        path = tmp_path / "out.jsonl"
        spec = manifest(name, kafka_source(kafka, topic, onOffsetLoss=policy, lease="500ms"), [{"file": {"path": str(path)}}], size="300ms")
        job = StreamJob(tmp_path, spec)
        job.start()
        wait_for(lambda: path.exists() and sum_rows(file_rows(path)) == expected_sums(passing), 30, "the first rows")
        started.append(job)
        return job, spec, topic, path, passing

    yield start
    for job in started:
        print(job.log())
        job.kill()


def test_under_a_running_job_it_is_an_error_that_stays(kafka, running, tmp_path):
    job, spec, topic, path, passing = running("fail")
    after, _ = make_events(AFTER, seed=12)
    _, before = place(kafka, spec, topic)
    if before:
        job.pause()  # the new log is past its position when it looks again
    remake(kafka, topic, after if before else {})
    job.resume()
    assert job.wait(60) == 1, job.log()
    if not before:  # without an id the new log's end tells
        kafka.produce(topic, after)
    assert not before or f"its id was {before} and is " in job.log(), job.log()
    assert f"topic {topic} was made anew" in job.log() and "onOffsetLoss: earliest" in job.log()
    again = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="again")
    assert again.run(60) == 1, again.log()
    assert "made anew" in again.log()
    assert sum_rows(file_rows(path)) == expected_sums(passing)


def test_under_a_running_job_all_of_the_new_one_is_read_by_policy(kafka, running):
    job, spec, topic, path, passing = running("earliest")
    after, more = make_events(AFTER, seed=12)
    _, before = place(kafka, spec, topic)
    remake(kafka, topic, after if before else {})
    if not before:  # without an id the new log's end tells
        wait_for(lambda: "streamjob_source_offset_jumps_total 1" in job.get("/metrics")[1], 60, job.log)
        kafka.produce(topic, after)
    wait_for(lambda: sum_rows(file_rows(path)) == expected_sums(passing + more), 60, "the new topic's rows")
    assert "streamjob_source_offset_jumps_total 1" in job.get("/metrics")[1]
    job.stop()
    assert job.process.returncode == 0, job.log()


@pytest.mark.parametrize("policy", ["fail", "earliest"])
def test_under_a_stopped_job_it_is_found_by_its_id(kafka, running, tmp_path, policy):
    """The group still has the old log's offsets, and the new log has records there: only the id is another."""
    job, spec, topic, path, passing = running(policy)
    offsets, before = place(kafka, spec, topic)
    if not before:
        pytest.skip("this librdkafka gives no ids of topics")
    job.stop()
    offsets, _ = place(kafka, spec, topic)
    after, more = make_events(AFTER, seed=12)
    remake(kafka, topic, after)
    set_group_offsets(kafka, f"streamjob.default.{spec['metadata']['name']}", topic, offsets)
    again = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="again")
    assert again.run(60) == (1 if policy == "fail" else 0), again.log()
    assert f"its id was {before} and is " in again.log()
    assert sum_rows(file_rows(path)) == expected_sums(passing + (more if policy == "earliest" else []))
