"""What a Kafka record may be besides one JSON object: a tombstone, an array of rows; and its own time as the clock."""

import json

import pytest

from bucket import file_rows, kafka_source, unique
from confluent_kafka import Producer
from servers import StreamJob

T0 = 1760000000000


def produce(kafka, topic, records):
    """records: dicts of Producer.produce's arguments, to partition 0."""
    kafka.create_topic(topic, 1, retention_ms=-1)
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True})
    for record in records:
        producer.produce(topic, partition=0, **record)
    assert producer.flush(60) == 0


def run(kafka, folder, records, args=(), source=None, code=0, **spec):
    """The rows that a job makes of the records, and its log."""
    topic = unique("input")
    produce(kafka, topic, records)
    job = StreamJob(
        folder,
        {
            "apiVersion": "streamjob.dev/v1alpha1",
            "kind": "StreamJob",
            "metadata": {"name": unique("input")},
            "spec": {
                "source": kafka_source(kafka, topic, **(source or {})),
                "columns": [{"name": "k", "type": "STRING"}],
                "window": {"tumbling": {"size": "1m"}},
                "groupBy": ["k"],
                "aggregates": [{"name": "c", "expr": "COUNT(*)"}],
                "sinks": [{"file": {"path": str(folder / "rows.jsonl")}}],
                **spec,
            },
        },
        args=["--until-idle", "1500ms", *args],
    )
    assert job.run(60) == code, job.log()
    return file_rows(folder / "rows.jsonl"), job


def counts(rows):
    sums = {}
    for row in rows:
        sums[row["k"]] = sums.get(row["k"], 0) + row["c"]
    return sums


KEYED = [{"key": b"a", "value": b'{"k":"a"}'}, {"key": b"a", "value": None}, {"key": b"b", "value": b'{"k":"b"}'}]


def test_a_tombstone_is_no_bad_row(kafka, tmp_path):
    rows, _ = run(kafka, tmp_path, KEYED, format={"json": {"onBadRow": "fail"}})
    assert counts(rows) == {"a": 1, "b": 1}


def test_a_tombstone_is_a_row_by_policy(kafka, tmp_path):
    policies = {"onBadRow": "fail", "onBadField": "fail", "onMissingField": "fail", "onTombstone": "row"}
    rows, _ = run(kafka, tmp_path, KEYED, format={"json": policies}, groupBy=["kafka_key", "k"])
    assert sorted((row["kafka_key"], row["k"] or "", row["c"]) for row in rows) == [("a", "", 1), ("a", "a", 1), ("b", "b", 1)]


@pytest.mark.parametrize("kind", ["file", "kafka"])
def test_null_and_empty_are_kept_apart(kafka, tmp_path, kind):
    """As values and as keys: of a tombstone on which an expression fails, and of an empty record."""
    letters = unique("letters")
    kafka.create_topic(letters, 1)
    place = {"file": {"path": str(tmp_path / "letters.jsonl")}} if kind == "file" else {
        "kafka": {"bootstrapServers": kafka.address, "topic": letters}
    }
    records = [{"key": b"x", "value": None}, {"key": b"x", "value": b""}, {"key": b"", "value": b"{"}, {"value": b"}"}]
    run(kafka, tmp_path, records, format={"json": {"onBadRow": "deadLetter", "onTombstone": "row"}}, deadLetter=place,
        filter="1 / kafka_offset > 0")
    if kind == "file":
        found = {(letter.get("key"), letter["value"]) for letter in file_rows(tmp_path / "letters.jsonl")}
        assert found == {("x", None), ("x", ""), ("", "{"), (None, "}")}
    else:
        found = {(key, value) for key, value, _ in kafka.consume(letters)}
        assert found == {(b"x", None), (b"x", b""), (b"", b"{"), (None, b"}")}


def test_a_record_that_is_an_array(kafka, tmp_path):
    """Of more elements than a batch has; a bad one is one bad row, with its number; arrays of nothing move the offset."""
    many = json.dumps([{"k": f"k{i % 3}"} for i in range(3000)]).encode()
    records = [{"value": b'{"k":"a"}'}, {"key": b"key", "value": many}, {"value": b"[]"}]
    records += [{"key": b"key", "value": b'[\n{"k":"b"}, {"k" 1}, {"k":"b"}]'}, {"value": b" [ ] "}]
    rows, job = run(
        kafka, tmp_path, records, format={"json": {"onBadRow": "deadLetter"}},
        deadLetter={"file": {"path": str(tmp_path / "letters.jsonl")}},
    )
    assert counts(rows) == {"a": 1, "k0": 1000, "k1": 1000, "k2": 1000, "b": 2}
    [letter] = file_rows(tmp_path / "letters.jsonl")
    assert (letter["partition"], letter["offset"], letter["element"], letter["key"]) == (0, 3, 2, "key")
    assert (letter["value"], letter["reason"]) == ('{"k" 1}', "byte 6: expected ':'")
    before = file_rows(tmp_path / "rows.jsonl")
    again = StreamJob(tmp_path, job.manifest.read_text(), args=["--until-idle", "1500ms"], name="again")
    assert again.run(60) == 0, again.log()
    assert file_rows(tmp_path / "rows.jsonl") == before


def test_a_record_over_the_limit(kafka, tmp_path):
    long = b'{"k":"' + b"x" * 5000 + b'"}'
    rows, _ = run(
        kafka, tmp_path, [{"value": b'{"k":"a"}'}, {"value": long}, {"value": b'{"k":"b"}'}],
        limits={"recordBytes": "4Ki"}, format={"json": {"onBadRow": "deadLetter"}},
        deadLetter={"file": {"path": str(tmp_path / "letters.jsonl")}},
    )
    assert counts(rows) == {"a": 1, "b": 1}
    [letter] = file_rows(tmp_path / "letters.jsonl")
    assert (letter["value"], letter["reason"]) == (long.decode(), "longer than 4Ki, which limits.recordBytes allows")


def test_the_records_own_time_is_the_clock(kafka, tmp_path):
    records = [{"value": b'{"k":"a"}', "timestamp": T0 + at} for at in (0, 1000, 60000, 61000, 30000, 180000)]
    rows, _ = run(kafka, tmp_path, records, args=["--clock", "kafka_timestamp"])
    assert [(row["window_start"], row["c"]) for row in rows] == [
        ("2025-10-09T08:53:00.000Z", 2),
        ("2025-10-09T08:54:00.000Z", 3),
        ("2025-10-09T08:56:00.000Z", 1),
    ]


def test_a_stamp_is_compared_with_the_records_own_time(kafka, tmp_path):
    """One alone is enough, and one far behind is none of its matter: old rows may be sent again."""
    stamps = [T0, T0 + 86400001, T0 + 1, 0, T0 + 60000]
    records = [{"value": b'{"k":"%d","ts":%d}' % (i, ts), "timestamp": T0} for i, ts in enumerate(stamps)]
    columns = [{"name": "k", "type": "STRING"}, {"name": "ts", "type": "TIMESTAMP"}]
    rows, _ = run(
        kafka, tmp_path, records, args=["--clock", "ts"], columns=columns, format={"json": {"onBadRow": "deadLetter"}},
        deadLetter={"file": {"path": str(tmp_path / "letters.jsonl")}},
    )
    assert counts(rows) == {"0": 1, "2": 1, "3": 1, "4": 1}
    [letter] = file_rows(tmp_path / "letters.jsonl")
    assert letter["offset"] == 1
    assert letter["reason"] == (
        "column ts: 2025-10-10T08:53:20.001Z is more than 1d ahead of the record's own time (watermark.maxFutureSkew)"
    )
