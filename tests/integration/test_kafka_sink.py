"""The Kafka sink and the dead letter at a real broker: rows and records that are too large for a topic cost no others."""

import json

import pytest

from bucket import file_rows, kafka_source, unique
from servers import StreamJob


LARGE = {"message.max.bytes": 8_000_000}


def counts_job(kafka, tmp_path, topic, out, name=None, sink=None, args=("--until-idle", "1s"), **spec):
    """COUNT(*) by k of the topic, to the topic `out`."""
    return StreamJob(tmp_path, {
        "apiVersion": "streamjob.dev/v1alpha1",
        "kind": "StreamJob",
        "metadata": {"name": unique("counts")},
        "spec": {
            "source": kafka_source(kafka, topic),
            "columns": [{"name": "k", "type": "STRING"}],
            "window": {"tumbling": {"size": "1h"}},
            "groupBy": ["k"],
            "aggregates": [{"name": "cnt", "expr": "COUNT(*)"}],
            "sinks": [{"kafka": {"bootstrapServers": kafka.address, "topic": out, **(sink or {})}}],
            **spec,
        },
    }, args=list(args), name=name or "job")


def topics(kafka, **out_config):
    source, out, dead = unique("source"), unique("out"), unique("dead")
    kafka.create_topic(source, 1, max_message_bytes=8388608)
    kafka.create_topic(out, 1, **out_config)
    kafka.create_topic(dead, 1, max_message_bytes=8388608)
    return source, out, dead


def keys(kafka, topic):
    return sorted(json.loads(value)["k"] for _, value, _ in kafka.consume(topic))


TOO_LARGE = [
    # name, max.message.bytes of the sink's topic, lengths of the large keys, properties of the sink
    ("one, by the default of the broker", None, [1_500_000], {}),
    ("two among many", 100_000, [150_000, 300_000], {}),
    ("two, and batches that are sent one after another", 100_000, [150_000, 300_000],
     {"max.in.flight.requests.per.connection": "1", "batch.num.messages": "100"}),
    ("none, but all of them together", 50_000, [], {}),
]


@pytest.mark.parametrize("limit, lengths, properties", [case[1:] for case in TOO_LARGE], ids=[case[0] for case in TOO_LARGE])
def test_a_row_that_is_too_large_costs_no_other(kafka, tmp_path, limit, lengths, properties):
    source, out, dead = topics(kafka, **({"max_message_bytes": limit} if limit else {}))
    good = [f"good-{i:04}" + "x" * 40 for i in range(1000)]
    large = ["good-05" + chr(ord("x") + i % 2) * length for i, length in enumerate(lengths)]
    kafka.produce_each(source, {0: [json.dumps({"k": k}).encode() for k in good + large]}, settings=LARGE)
    dead_letter = {"kafka": {"bootstrapServers": kafka.address, "topic": dead}}
    job = counts_job(kafka, tmp_path, source, out, sink={"properties": properties}, deadLetter=dead_letter)
    assert job.run(120) == 0, job.log()
    assert keys(kafka, out) == good
    letters = kafka.consume(dead)
    assert sorted(json.loads(value)["k"] for _, value, _ in letters) == sorted(large)
    for _, _, headers in letters:
        headers = dict(headers)
        assert headers["streamjob.sink"] == f"kafka {out}".encode() and b"Message size too large" in headers["streamjob.reason"]


def test_a_row_that_is_too_large_fails_the_job_where_it_says_so(kafka, tmp_path):
    source, out, _ = topics(kafka, max_message_bytes=100_000)
    kafka.produce_each(source, {0: [json.dumps({"k": k}).encode() for k in ("good", "y" * 150_000)]}, settings=LARGE)
    job = counts_job(kafka, tmp_path, source, out, sink={"onRejected": "fail"})
    assert job.run(60) == 1
    assert "raise max.message.bytes of the topic" in job.log()
    assert keys(kafka, out) == []
    kafka.configure_topic(out, max_message_bytes=8388608)
    job = StreamJob(tmp_path, job.manifest.read_text(), args=["--until-idle", "1s"], name="again")
    assert job.run(60) == 0, job.log()
    assert keys(kafka, out) == ["good", "y" * 150_000]


RECORDS = [
    # name, limits of the source's topic and of the dead letter's, the bad record's bytes, what is left of it
    ("the dead letter's topic takes as much", 8388608, 8388608, 3_000_000, 3_000_000),
    ("it takes less", 8388608, 1_000_000, 3_000_000, 512 * 1024),
    ("it takes next to nothing", 8388608, 3_000, 200_000, 0),
]


@pytest.mark.parametrize("source_limit, limit, size, left", [case[1:] for case in RECORDS], ids=[case[0] for case in RECORDS])
def test_a_dead_letter_that_is_too_large_is_cut_and_kept(kafka, tmp_path, source_limit, limit, size, left):
    source, dead = unique("source"), unique("dead")
    kafka.create_topic(source, 1, max_message_bytes=source_limit)
    kafka.create_topic(dead, 1, max_message_bytes=limit)
    bad = b"not json " + b"x" * (size - 9)
    kafka.produce_each(source, {0: [bad, b'{"k":"good"}', b"small and bad"]}, settings=LARGE)
    rows = tmp_path / "rows.jsonl"
    job = counts_job(kafka, tmp_path, source, "", format={"json": {"onBadRow": "deadLetter"}}, sinks=[{"file": {"path": str(rows)}}],
                     deadLetter={"kafka": {"bootstrapServers": kafka.address, "topic": dead}})
    assert job.run(60) == 0, job.log()
    assert [(row["k"], row["cnt"]) for row in file_rows(rows)] == [("good", 1)]
    letters = {dict(headers)["streamjob.offset"]: (value or b"", dict(headers)) for _, value, headers in kafka.consume(dead)}
    assert set(letters) == {b"0", b"2"}
    value, headers = letters[b"0"]
    assert value == bad[:left]
    assert headers["streamjob.topic"] == source.encode() and headers["streamjob.reason"]
    assert headers.get("streamjob.cut") == (None if left == size else str(size).encode())
    said = [line for line in job.log().splitlines() if "a dead letter is cut" in line]
    assert len(said) == (left != size) and all(f"the record of topic {source}, partition 0, offset 0" in line for line in said), job.log()
    assert letters[b"2"][0] == b"small and bad" and "streamjob.cut" not in letters[b"2"][1]
