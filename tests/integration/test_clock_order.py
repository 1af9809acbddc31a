"""A replay by a clock column over several partitions makes the windows that the rows' times say, however unequal they are."""

import collections
import datetime
import json
import random

import pytest

from bucket import file_rows, kafka_source, unique
from confluent_kafka import Producer
from servers import StreamJob, wait_for

T0 = 1760000000000 // 60000 * 60000  # a full minute
MINUTES = 40
# Of each partition: how many rows a minute, and from which minute to which. Their lengths differ by a factor of 200.
PARTITIONS = {0: (400, 0, MINUTES), 1: (2, 0, MINUTES), 2: (50, 10, 15), 3: (1, MINUTES - 3, MINUTES)}


def times(seed=1):
    """{partition: its rows' times, ascending but for a second}."""
    rng = random.Random(seed)
    return {
        p: [t + rng.randrange(-1000, 1000) for t in sorted(rng.randrange(first * 60000, to * 60000) for _ in range(rate * (to - first)))]
        for p, (rate, first, to) in PARTITIONS.items()
    }


def window_of(stamps):
    """The minute of each row of a partition: that of the latest time so far."""
    latest = -(10**9)
    for stamp in stamps:
        latest = max(latest, stamp)
        yield latest // 60000


def expected(stamps):
    counts = collections.Counter()
    for p, rows in stamps.items():
        counts.update((minute, p) for minute in window_of(rows))
    return dict(counts)


def found(rows):
    counts = {}
    for row in rows:
        start = datetime.datetime.fromisoformat(row["window_start"].replace("Z", "+00:00"))
        key = int(start.timestamp() * 1000 - T0) // 60000, row["kafka_partition"]
        assert key not in counts, "one row for each window and partition"
        counts[key] = row["c"]
    return counts


def produce(kafka, topic, stamps, value=lambda t: json.dumps({"ts": t}).encode()):
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True, "linger.ms": 20})
    for p, rows in stamps.items():
        for t in rows:
            producer.produce(topic, value(T0 + t), partition=p, timestamp=T0 + t)
            producer.poll(0)
    assert producer.flush(60) == 0


def job_of(kafka, folder, topic, clock, name="job", args=("--until-idle", "2s"), **spec):
    return StreamJob(
        folder,
        {
            "apiVersion": "streamjob.dev/v1alpha1",
            "kind": "StreamJob",
            "metadata": {"name": topic},
            "spec": {
                "source": kafka_source(kafka, topic, lease="300ms"),
                "columns": [{"name": "ts", "type": "TIMESTAMP", "format": "epochMillis"}],
                "window": {"tumbling": {"size": "1m"}},
                "groupBy": ["kafka_partition"],
                "aggregates": [{"name": "c", "expr": "COUNT(*)"}],
                "sinks": [{"file": {"path": str(folder / "rows.jsonl")}}],
                **spec,
            },
        },
        args=["--clock", clock, *args],
        name=name,
    )


def topic_of(kafka, partitions=len(PARTITIONS)):
    topic = unique("order")
    kafka.create_topic(topic, partitions, retention_ms=-1)
    return topic


@pytest.mark.parametrize("clock", ["ts", "kafka_timestamp"])
def test_unequal_partitions(kafka, tmp_path, clock):
    topic, stamps = topic_of(kafka), times()
    produce(kafka, topic, stamps)
    job = job_of(kafka, tmp_path, topic, clock)
    assert job.run(90) == 0, job.log()
    assert found(file_rows(tmp_path / "rows.jsonl")) == expected(stamps)
    assert "in the order in which they are fetched" not in job.log()
    assert f"read={sum(map(len, stamps.values()))} " in job.log()


def test_a_partition_of_nothing_holds_nobody_up(kafka, tmp_path):
    topic, stamps = topic_of(kafka, 7), times(seed=2)
    produce(kafka, topic, stamps)
    job = job_of(kafka, tmp_path, topic, "ts")
    assert job.run(90) == 0, job.log()
    assert found(file_rows(tmp_path / "rows.jsonl")) == expected(stamps)


def test_a_row_that_is_bad_is_counted_once_and_moves_no_clock(kafka, tmp_path):
    """No JSON, without a time, and a time far ahead, at the beginning of a partition, in it and at its end."""
    topic, stamps = topic_of(kafka), times(seed=3)
    bad = [b"no json", b'{"other":1}', json.dumps({"ts": T0 + 10 * 86400000}).encode()]
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True})

    def produce_bad(p, timestamp):
        for value in bad:
            producer.produce(topic, value, partition=p, timestamp=timestamp)
        assert producer.flush(60) == 0

    halves = [{p: rows[: len(rows) // 2] for p, rows in stamps.items()}, {p: rows[len(rows) // 2 :] for p, rows in stamps.items()}]
    produce_bad(1, T0)
    for half in halves:
        produce(kafka, topic, half)
        for p in PARTITIONS:
            produce_bad(p, T0)
    job = job_of(kafka, tmp_path, topic, "ts", format={"json": {"onMissingField": "skipRow"}})
    assert job.run(90) == 0, job.log()
    assert found(file_rows(tmp_path / "rows.jsonl")) == expected(stamps)
    count = len(bad) * (1 + 2 * len(PARTITIONS))
    assert f"bad={count} " in job.log(), job.log()


def test_records_that_are_arrays(kafka, tmp_path):
    """A record is in the window of its first row; each row moves the clock."""
    topic, stamps = topic_of(kafka), times(seed=4)
    produce(kafka, topic, stamps, lambda t: json.dumps([{"ts": t}, {"ts": t - 5}]).encode())
    job = job_of(kafka, tmp_path, topic, "ts")
    assert job.run(90) == 0, job.log()
    assert found(file_rows(tmp_path / "rows.jsonl")) == {key: 2 * count for key, count in expected(stamps).items()}


def test_a_replay_that_is_killed_goes_on_with_the_same_windows(kafka, tmp_path):
    """Killed again and again within it; the file has each window once, as one run would write it."""
    topic, stamps = topic_of(kafka), times(seed=5)
    produce(kafka, topic, stamps)
    for turn in range(4):
        job = job_of(kafka, tmp_path, topic, "ts", name=f"killed{turn}", args=("--until-idle", "60s"))
        job.start()
        wait_for(lambda: f"sequence={5 + 6 * turn} " in job.log(), 60, lambda: job.log()[-2000:])
        job.kill()
    job = job_of(kafka, tmp_path, topic, "ts")
    assert job.run(90) == 0, job.log()
    assert found(file_rows(tmp_path / "rows.jsonl")) == expected(stamps)
