"""Kafka away, the topic missing, gone or made anew, offsets lost while running."""

import signal
import time

import pytest

from bucket import PARTITIONS, expected_sums, file_rows, kafka_rows, kafka_source, make_events, manifest, passing_of, pushgateway_sink, split, sum_rows, unique
from servers import BINARY, Kafka, StreamJob, wait_for


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """One of their own: these tests stop it."""
    with Kafka(tmp_path_factory.mktemp("broker")) as server:
        yield server


def file_sink(tmp_path):
    return {"file": {"path": str(tmp_path / "rows.jsonl")}}


def file_sums(tmp_path):
    return sum_rows(file_rows(tmp_path / "rows.jsonl"))


def not_ready(job, *words):
    """Waits until /readyz says 503 with all the words, and /status the same."""

    def condition():
        code, text = job.get("/readyz")
        return code == 503 and all(word in text for word in words)

    try:
        wait_for(condition, 90, f"not ready: {words}")
    except TimeoutError:
        raise AssertionError(job.get("/readyz")[1] + job.log()[-3000:])
    status = job.status()
    assert status["ready"] is False and all(word in status["notReadyReason"] for word in words)


def test_kafka_away_and_back(broker, tmp_path):
    """Source, Kafka sink and dead letter, all on a broker that goes and comes back."""
    name, topic, out = unique("outage"), unique("events"), unique("out")
    broker.create_topic(topic, PARTITIONS)
    broker.create_topic(out, 2)
    records, passing = make_events(9000)
    before, during, after = split(records, 3)
    sinks = [file_sink(tmp_path), {"kafka": {"bootstrapServers": broker.address, "topic": out}}]
    job = StreamJob(tmp_path, manifest(name, kafka_source(broker, topic), sinks, size="300ms"))
    job.start()
    broker.produce(topic, before)
    wait_for(lambda: job.status()["windows"], 60, "the first window")
    broker.produce(topic, during)
    broker.stop()
    not_ready(job, topic, broker.address)
    broker.start()
    broker.produce(topic, after)
    wait_for(lambda: file_sums(tmp_path) == expected_sums(passing), 90, "every event once it is back")
    wait_for(lambda: job.get("/readyz")[0] == 200, 90, "ready again")
    job.stop(timeout=60)
    assert job.process.returncode == 0, job.log()
    assert sum_rows(kafka_rows(broker, out)) == expected_sums(passing)
    assert file_sums(tmp_path) == expected_sums(passing)


def test_kafka_away_at_the_start(broker, tmp_path):
    name, topic = unique("absent"), unique("events")
    broker.create_topic(topic, PARTITIONS)
    records, passing = make_events(2000)
    broker.produce(topic, records)
    broker.stop()
    job = StreamJob(tmp_path, manifest(name, kafka_source(broker, topic), [file_sink(tmp_path)], size="300ms"))
    job.start()
    not_ready(job, "no answer from Kafka", broker.address)
    assert job.status()["phase"] == "connecting"
    broker.start()
    wait_for(lambda: file_sums(tmp_path) == expected_sums(passing), 90, "every event")
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_a_topic_that_does_not_exist_is_said_and_waited_for(kafka, tmp_path):
    name, topic = unique("missing"), unique("typo")
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [file_sink(tmp_path)], size="300ms"))
    job.start()
    not_ready(job, f"topic {topic}", "create it, or correct source.kafka.topic")
    kafka.create_topic(topic, 1)
    records, passing = make_events(400)
    kafka.produce(topic, {0: [row for rows in records.values() for row in rows]})
    wait_for(lambda: file_sums(tmp_path) == expected_sums(passing), 60, "the events of the topic that came later")
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_a_stop_while_waiting_for_a_topic_is_a_drain(kafka, tmp_path):
    job = StreamJob(tmp_path, manifest(unique("missing"), kafka_source(kafka, unique("typo")), [file_sink(tmp_path)]))
    job.start()
    not_ready(job, "create it")
    job.stop()
    assert job.process.returncode == 0, job.log()


def committed(job):
    partitions = job.status().get("partitions")
    return partitions[0]["committed"] if partitions else None


def remake(kafka, topic, records):
    kafka.delete_topic(topic)
    wait_for(lambda: topic not in kafka.admin().list_topics(timeout=10).topics, 60, "the topic gone")

    def created():
        try:
            kafka.create_topic(topic, 1)
            return True
        except Exception as error:
            if "EXISTS" not in str(error):
                raise
            return False

    wait_for(created, 60, "the topic made anew")
    kafka.produce(topic, {0: records})


@pytest.mark.parametrize("policy", ["fail", "earliest"])
def test_a_topic_made_anew_while_the_job_runs(kafka, tmp_path, policy):
    """Its log is shorter than where the job stands: an error, or a counted jump; never a silent one."""
    name, topic = unique("anew"), unique("events")
    kafka.create_topic(topic, 1)
    records, passing = make_events(4000, seed=21)
    old, new = records[0] + records[1] + records[2], records[3][:500]
    kafka.produce(topic, {0: old})
    spec = manifest(name, kafka_source(kafka, topic, onOffsetLoss=policy), [file_sink(tmp_path)], size="300ms")
    job = StreamJob(tmp_path, spec)
    job.start()
    wait_for(lambda: committed(job) == 3000, 60, "the old topic read and committed")
    before = file_sums(tmp_path)
    remake(kafka, topic, new)
    if policy == "fail":
        assert job.wait(90) == 1
        assert "was made anew" in job.log() and "onOffsetLoss" in job.log() and topic in job.log()
        assert file_sums(tmp_path) == before
        return
    wait_for(lambda: job.status()["rows"]["in"] == 3500, 90, "the rows of the new topic")
    wait_for(lambda: committed(job) == 500, 60, "its offsets committed")
    assert "streamjob_source_offset_jumps_total 1" in job.get("/metrics")[1]
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_a_topic_made_anew_while_the_job_was_away(kafka, tmp_path):
    """The broker deletes the group's offsets with the topic: the sink knows that there was a life, so it is no first start."""
    name, topic = unique("anew"), unique("events")
    kafka.create_topic(topic, 1)
    records, _ = make_events(8000, seed=22)
    kafka.produce(topic, {0: records[0]})
    spec = manifest(name, kafka_source(kafka, topic), [file_sink(tmp_path)], size="1h")
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="before")
    assert job.run(60) == 0, job.log()
    before = file_sums(tmp_path)
    remake(kafka, topic, records[1] + records[2])
    job = StreamJob(tmp_path, spec, args=["--until-idle", "2s"], name="after")
    assert job.run(60) == 1, job.log()
    assert "has no offsets" in job.log() and "has run before" in job.log() and "onOffsetLoss" in job.log()
    assert file_sums(tmp_path) == before
    spec["spec"]["source"]["kafka"]["onOffsetLoss"] = "earliest"
    job = StreamJob(tmp_path, spec, args=["--until-idle", "2s"], name="all")
    assert job.run(60) == 0, job.log()
    assert file_sums(tmp_path) == expected_sums(passing_of({0: records[0] + records[1] + records[2]}))


@pytest.mark.skipif("san-" in str(BINARY), reason="a process that ends by its watchdog leaves its threads, which a sanitizer reports")
def test_servers_that_accept_and_do_not_answer(broker, gateway, tmp_path):
    """Each call returns by its own deadline, so nothing is stuck: it is said who is silent, and no stop waits for them. One
    job reads and commits, one writes to the broker, one to the gateway; a fourth begins while they are silent."""
    topic, out = unique("events"), unique("out")
    broker.create_topic(topic, PARTITIONS)
    broker.create_topic(out, 2)
    records, passing = make_events(3000)

    def job(name, source, sinks):
        (tmp_path / name).mkdir()
        spec = manifest(unique(name), source, sinks, size="500ms", terminationGracePeriod="3s")
        return StreamJob(tmp_path, spec, name=name)

    flow = {"datagen": {"rowsPerSecond": 100, "columns": {
        "ts": {"now": {}}, "endpoint": {"choice": {"values": ["home"]}}, "bucket": {"choice": {"values": ["a"]}},
        "event": {"choice": {"values": ["click"]}}, "latency_ms": {"lognormal": {"mean": 3, "stddev": 1}}}}}
    jobs = {
        "reads": job("reads", kafka_source(broker, topic), [file_sink(tmp_path)]),
        "writes": job("writes", flow, [{"kafka": {"bootstrapServers": broker.address, "topic": out}}]),
        "pushes": job("pushes", flow, [pushgateway_sink(gateway, unique("silent"), timeout="1s", retryDeadline="3s")]),
    }
    for one in jobs.values():
        one.start()
    for one in jobs.values():
        wait_for(lambda one=one: one.get("/readyz")[0] == 200, 60, one.log)
    broker.produce(topic, records)
    broker.pause()
    gateway.pause()
    try:
        jobs["begins"] = job("begins", kafka_source(broker, topic, groupId=unique("begins")), [{"file": {"path": str(tmp_path / "none")}}])
        jobs["begins"].start()
        not_ready(jobs["reads"], broker.address)
        not_ready(jobs["begins"], broker.address)
        wait_for(lambda: jobs["writes"].get("/readyz")[0] == 503, 60, jobs["writes"].log)
        not_ready(jobs["pushes"], gateway.url)
        time.sleep(8)  # longer than the deadline and the grace of a part of a commit, or of a request to the gateway
        for one in jobs.values():
            assert one.get("/healthz") == (200, "ok\n"), one.log()[-3000:]
            one.process.send_signal(signal.SIGTERM)
        for one in jobs.values():
            one.wait(timeout=60)
    finally:
        broker.process.send_signal(signal.SIGCONT)
        gateway.process.send_signal(signal.SIGCONT)
    with jobs["reads"]:
        wait_for(lambda: file_sums(tmp_path) == expected_sums(passing), 90, "every event, once")
