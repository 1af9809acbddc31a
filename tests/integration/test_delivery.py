"""Each row in one window, once: at once, and across kill -9."""

import collections
import random
import time

from bucket import (
    KILLS,
    PARTITIONS,
    ROWS,
    expected,
    expected_sums,
    file_rows,
    gateway_sums,
    gateway_value,
    kafka_rows,
    kafka_source,
    make_events,
    manifest,
    percentile_within,
    pushgateway_sink,
    split,
    sum_rows,
    unique,
)
from servers import StreamJob, wait_for

def test_million_events_exact_for_all_keys(kafka, gateway, events, tmp_path):
    topic, passing = events
    name = unique("exact")
    job = StreamJob(
        tmp_path,
        manifest(name, kafka_source(kafka, topic), [pushgateway_sink(gateway, name)], size="1h"),
        args=["--until-idle", "3s"],
    )
    assert job.run(120) == 0, job.log()
    truth = expected(passing)
    seen = collections.defaultdict(dict)
    for (metric, labels), value in gateway.metrics().items():
        labels = dict(labels)
        if labels.get("job") == name and "endpoint" in labels:
            seen[labels["endpoint"], labels["bucket"]][metric] = value
    assert set(seen) == set(truth)
    for key, group in truth.items():
        assert seen[key]["impressions_total"] == group["impressions"], key
        assert seen[key]["impressions"] == group["impressions"], key
        assert seen[key]["clicks_total"] == group["clicks"], key
        assert seen[key]["latency_ms_total"] == group["latency_sum"], key
        assert percentile_within(seen[key]["p95_ms"], group["latencies"], 0.95), (key, seen[key]["p95_ms"])
    assert gateway_value(gateway, name, "streamjob_window_sequence") == 1
    assert gateway_value(gateway, name, "push_failure_time_seconds") == 0


def test_killed_at_random_moments_loses_nothing_and_counts_nothing_twice(kafka, gateway, tmp_path):
    """Events keep coming while the program is killed with SIGKILL and started again."""
    name = unique("killed")
    topic, out = unique("events"), unique("out")
    kafka.create_topic(topic, PARTITIONS)
    kafka.create_topic(out, 2)
    records, passing = make_events(ROWS, seed=2)
    path = tmp_path / "out.jsonl"
    sinks = [pushgateway_sink(gateway, name), {"kafka": {"bootstrapServers": kafka.address, "topic": out}}, {"file": {"path": str(path)}}]
    spec = manifest(name, kafka_source(kafka, topic, lease="300ms"), sinks, size="300ms")
    job = StreamJob(tmp_path, spec)
    rng = random.Random(3)
    slices = split(records, 2 * KILLS)
    for kill in range(KILLS):
        for part in (2 * kill, 2 * kill + 1):
            kafka.produce(topic, slices[part])
            if part % 2 == 0:
                job.start()
        time.sleep(rng.uniform(0.0, 1.2))
        job.kill()
    job = StreamJob(tmp_path, spec, args=["--until-idle", "3s"], name="last")
    assert job.run(120) == 0, job.log()
    truth = expected_sums(passing)
    assert sum_rows(kafka_rows(kafka, out)) == truth
    assert sum_rows(file_rows(path)) == truth
    assert gateway_sums(gateway, name) == truth


def test_a_drain_flushes_the_open_window_and_the_next_run_goes_on(kafka, gateway, tmp_path):
    name, topic = unique("drain"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(20_000, seed=4)
    path = tmp_path / "out.jsonl"
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [pushgateway_sink(gateway, name), {"file": {"path": str(path)}}], size="1h"))
    for sequence, half in enumerate(split(records, 2), 1):
        kafka.produce(topic, half)
        job.start()
        wait_for(lambda: job.status()["rows"]["in"] == 10_000, 30, "the rows of one half")
        job.stop()
        assert job.process.returncode == 0, job.log()
        assert gateway_value(gateway, name, "streamjob_window_sequence") == sequence
    assert sum_rows(file_rows(path)) == expected_sums(passing)
    assert gateway_sums(gateway, name) == expected_sums(passing)


def test_the_first_start_at_latest_is_written_down_at_once(kafka, tmp_path):
    """A crash in the first window must not skip what came after the start."""
    name, topic = unique("latest"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    before, _ = make_events(1000, seed=5)
    after, passing = make_events(4000, seed=6)
    kafka.produce(topic, before)
    path = tmp_path / "out.jsonl"
    spec = manifest(name, kafka_source(kafka, topic, startingOffsets="latest", lease="300ms"), [{"file": {"path": str(path)}}], size="1h")
    job = StreamJob(tmp_path, spec)
    job.start()
    wait_for(lambda: job.get("/readyz")[0] == 200, 30, "ready")
    kafka.produce(topic, after)
    wait_for(lambda: job.status()["rows"]["in"] == 4000, 30, "the rows")
    job.kill()
    job = StreamJob(tmp_path, spec, args=["--until-idle", "2s"], name="again")
    assert job.run(60) == 0, job.log()
    assert sum_rows(file_rows(path)) == expected_sums(passing)


def test_lost_offsets_are_an_error_or_a_counted_jump(kafka, tmp_path):
    """Retention takes records that were never read."""
    name, topic = unique("lost"), unique("events")
    kafka.create_topic(topic, 1, retention_bytes=1, segment_bytes=1048576, file_delete_delay_ms=0)
    records, _ = make_events(120_000, seed=7)
    kafka.produce(topic, {0: records[0][:100]})
    path = tmp_path / "out.jsonl"
    spec = manifest(name, kafka_source(kafka, topic), [{"file": {"path": str(path)}}], size="1h")
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="first")
    assert job.run(60) == 0, job.log()
    kafka.produce(topic, {0: records[1]})
    wait_for(lambda: kafka.low_watermark(topic, 0) > 100, 60, "retention to delete a segment")
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="second")
    assert job.run(60) == 1
    assert "is lost" in job.log() and "onOffsetLoss" in job.log() and topic in job.log()
    spec["spec"]["source"]["kafka"]["onOffsetLoss"] = "earliest"
    low = kafka.low_watermark(topic, 0)
    job = StreamJob(tmp_path, spec, args=["--until-idle", "2s"], name="third")
    job.start()
    wait_for(lambda: job.status()["rows"]["in"] == 100 + len(records[1]) - low, 30, "the rows that are left")
    assert "streamjob_source_offset_jumps_total 1" in job.get("/metrics")[1]
    assert job.wait(60) == 0, job.log()
    assert "jumping to the earliest" in job.log()


def test_a_queue_that_each_answer_fills(kafka, tmp_path):
    """Limits of the user's own: every batch wakes the brokers' threads, and each row counts once."""
    name, topic = unique("full"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(60_000)
    kafka.produce_each(topic, records, settings={"batch.num.messages": 500})
    small = {"fetch.message.max.bytes": "1000", "queued.max.messages.kbytes": "1", "queued.min.messages": "1"}
    job = StreamJob(
        tmp_path,
        manifest(name, kafka_source(kafka, topic, properties=small), [{"file": {"path": str(tmp_path / "rows")}}], size="1h"),
        args=["--until-idle", "5s"],
    )
    assert job.run(120) == 0, job.log()
    assert sum_rows(file_rows(tmp_path / "rows")) == expected_sums(passing)
