"""Malformed rows of every kind among the others: counted, dead-lettered with where and why, the others unharmed."""

import base64

import pytest

from bucket import PARTITIONS, ROWS, expected_sums, file_rows, kafka_source, make_events, manifest, sum_rows, unique
from servers import StreamJob

GOOD = b'"endpoint":"home","bucket":"a","event":"click","metrics":{"latency_ms":1.5}'

KINDS = [
    # name, the record, what the reason must say
    ("empty", b"", "the record is empty"),
    ("blank", b"   ", "expected a JSON object"),
    ("text", b"not json at all", "expected a JSON object"),
    ("cut off", b'{"endpoint":"home","bucket":"a","event":"click"', "expected ',' or '}'"),
    ("cut off in a string", b'{"endpoint":"ho', "the end of a string"),
    ("a number", b"42", "object"),
    ("a string", b'"home"', "object"),
    ("null", b"null", "object"),
    ("two objects", b"{" + GOOD + b"}{" + GOOD + b"}", "the end of the record"),
    ("garbage after it", b"{" + GOOD + b"} x", "the end of the record"),
    ("trailing comma", b"{" + GOOD + b",}", "a name in quotes"),
    ("no colon", b'{"endpoint" "home"}', "expected ':'"),
    ("single quotes", b"{'endpoint':'home'}", "a name in quotes"),
    ("comment", b"{/* */" + GOOD + b"}", "a name in quotes"),
    ("NaN in a field that is not read", b'{"user":NaN,' + GOOD + b"}", "a number"),
    ("leading zero", b'{"n":007,' + GOOD + b"}", "a number"),
    ("bare minus", b'{"n":-,' + GOOD + b"}", "a number"),
    ("raw control character", b'{"user":"a\tb",' + GOOD + b"}", "a control character"),
    ("bad escape", b'{"user":"\\x41",' + GOOD + b"}", "a valid escape"),
    ("lone surrogate", b'{"endpoint":"\\ud800","bucket":"a","event":"click"}', "a valid escape"),
    ("not UTF-8", b'{"user":"\xff\xfe",' + GOOD + b"}", "UTF-8"),
    ("overlong UTF-8", b'{"user":"\xc0\xaf",' + GOOD + b"}", "UTF-8"),
    ("byte order mark", b"\xef\xbb\xbf{" + GOOD + b"}", "expected a JSON object"),
    ("too deep", b'{"user":' + b"[" * 5000 + b"]" * 5000 + b"," + GOOD + b"}", "nesting"),
    ("text for a number", b'{"endpoint":"home","bucket":"a","event":"click","metrics":{"latency_ms":"fast"}}', "latency_ms"),
    ("object for a string", b'{"endpoint":{"a":1},"bucket":"a","event":"click","metrics":{"latency_ms":1}}', "endpoint"),
    ("out of a double's range", b'{"endpoint":"home","bucket":"a","event":"click","metrics":{"latency_ms":1e999}}', "latency_ms"),
    ("true for a number", b'{"endpoint":"home","bucket":"a","event":"click","metrics":{"latency_ms":true}}', "latency_ms"),
]
BAD = 100


def spoil(records):
    """Puts BAD malformed rows among the records; [(partition, offset, kind's name, raw, reason)]."""
    placed = []
    step = max(1, len(records[0]) * PARTITIONS // BAD)
    for i in range(BAD):
        name, raw, reason = KINDS[i % len(KINDS)]
        partition = i % PARTITIONS
        rows = records[partition]
        at = min(len(rows), i * step // PARTITIONS + i // PARTITIONS)
        rows.insert(at, raw)
        placed.append((partition, at, name, raw, reason))
    return placed


@pytest.fixture(scope="module")
def spoiled(kafka):
    topic = unique("spoiled")
    records, passing = make_events(ROWS, seed=11)
    placed = spoil(records)
    for partition, offset, name, raw, _ in placed:
        assert records[partition][offset] == raw, name
    kafka.create_topic(topic, PARTITIONS)
    kafka.produce_each(topic, records)
    return topic, passing, placed


def read_file(path):
    for letter in file_rows(path):
        value = letter["value"].encode() if "value" in letter else base64.b64decode(letter["value_base64"])
        yield letter["topic"], letter["partition"], letter["offset"], value, letter["reason"]


def read_topic(kafka, topic):
    for _, value, headers in kafka.consume(topic):
        text = {name: content.decode() for name, content in headers.items()}
        yield (text["streamjob.topic"], int(text["streamjob.partition"]), int(text["streamjob.offset"]), value or b"",
               text["streamjob.reason"])


@pytest.mark.parametrize("kind", ["file", "kafka"])
def test_malformed_rows_are_dead_lettered_and_the_others_unharmed(kafka, spoiled, tmp_path, kind):
    topic, passing, placed = spoiled
    out, letters_path, letters_topic = tmp_path / "rows.jsonl", tmp_path / "letters.jsonl", unique("letters")
    kafka.create_topic(letters_topic, 2)
    letters = {"file": {"path": str(letters_path)}} if kind == "file" else {
        "kafka": {"bootstrapServers": kafka.address, "topic": letters_topic}
    }
    spec = manifest(
        unique("spoiled"), kafka_source(kafka, topic), [{"file": {"path": str(out)}}],
        format={"json": {"onBadRow": "deadLetter", "onBadField": "deadLetter"}}, deadLetter=letters,
    )
    job = StreamJob(tmp_path, spec, args=["--until-idle", "3s"])
    job.start()
    last = {}
    while job.process.poll() is None:
        try:
            last = job.status()
        except OSError:
            break
        if last["rows"]["in"] == ROWS + BAD and last["rows"]["deadLettered"] == BAD:
            break
    assert job.wait(120) == 0, job.log()
    assert last["rows"]["in"] == ROWS + BAD
    assert last["rows"]["bad"] == BAD and last["rows"]["deadLettered"] == BAD
    assert sum_rows(file_rows(out)) == expected_sums(passing)
    got = list(read_file(letters_path) if kind == "file" else read_topic(kafka, letters_topic))
    assert len(got) == BAD
    found = {(partition, offset): (name, value, reason) for name, partition, offset, value, reason in got}
    for partition, offset, name, raw, words in placed:
        assert (partition, offset) in found, name
        source, value, reason = found[partition, offset]
        assert source == topic and value == raw, name
        assert words in reason, (name, reason)


def test_a_bad_row_fails_the_job_where_it_says_so(kafka, tmp_path):
    name, topic = unique("strict"), unique("events")
    kafka.create_topic(topic, 1)
    kafka.produce_each(topic, {0: [b"{" + GOOD + b"}", b"oops"]})
    spec = manifest(name, kafka_source(kafka, topic), [{"stdout": {}}], format={"json": {"onBadRow": "fail"}})
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"])
    assert job.run(60) == 1
    assert "partition 0, offset 1" in job.log()
