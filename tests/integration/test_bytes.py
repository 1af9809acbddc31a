"""Keys and headers are bytes: a text where they are UTF-8, else a bad field or a text of the bytes, by policy."""

import base64
import json
import subprocess

import pytest

from bucket import file_rows, unique
from servers import StreamJob
from test_input import run

TEXTS = [b"a", b"", b"a\0b", "\u00e4\u20ac\U0001f600".encode(), b"\xef\xbf\xbd"]  # the last is U+FFFD itself
NO_TEXTS = [b"\xff", b"a\xff", b"\xfe\xed", b"\xc0\x80", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
KEYS = [None, *TEXTS, *NO_TEXTS]
RECORDS = [{"key": key, "value": b'{"k":"x"}'} for key in KEYS]
BY_KEY = {"groupBy": ["kafka_key"]}


def texts(keys):
    return {key.decode(): 1 for key in keys}


def by_key(rows):
    return {row["kafka_key"]: row["c"] for row in rows}


def test_keys_that_are_no_text_are_null_and_said(kafka, tmp_path):
    """And so are neither one group with each other's look-alikes nor with U+FFFD."""
    rows, job = run(kafka, tmp_path, RECORDS, **BY_KEY)
    assert by_key(rows) == {**texts(TEXTS), None: 1 + len(NO_TEXTS)}
    [said] = [line for line in job.log().splitlines() if "a value is not of its column's type" in line]
    assert "partition 0, offset 6" in said and "column kafka_key is not UTF-8 (source.kafka.keyEncoding)" in said and "0xff" in said
    assert f"{len(NO_TEXTS)} values were read as NULL: column kafka_key is not UTF-8" in job.log(), job.log()


@pytest.mark.parametrize("policy", ["skipRow", "deadLetter"])
def test_they_are_left_out_by_policy_and_exact_in_a_dead_letter(kafka, tmp_path, policy):
    letters = unique("letters")
    kafka.create_topic(letters, 1)
    rows, job = run(
        kafka, tmp_path, RECORDS, **BY_KEY, format={"json": {"onBadField": policy}},
        deadLetter={"kafka": {"bootstrapServers": kafka.address, "topic": letters}},
    )
    assert by_key(rows) == {**texts(TEXTS), None: 1}
    assert "is not UTF-8" in job.log()
    found = kafka.consume(letters)
    if policy == "skipRow":
        assert not found
        return
    assert [key for key, _, _ in found] == NO_TEXTS
    assert {headers["streamjob.reason"] for _, _, headers in found} == {
        f"column kafka_key is not UTF-8 (source.kafka.keyEncoding): 0x{key.hex()}".encode() for key in NO_TEXTS
    }


def test_they_are_exact_in_a_file_of_dead_letters(kafka, tmp_path):
    run(
        kafka, tmp_path, RECORDS, **BY_KEY, format={"json": {"onBadField": "deadLetter"}},
        deadLetter={"file": {"path": str(tmp_path / "letters.jsonl")}},
    )
    assert [base64.b64decode(letter["key_base64"]) for letter in file_rows(tmp_path / "letters.jsonl")] == NO_TEXTS


def test_one_fails_the_job_by_policy(kafka, tmp_path):
    _, job = run(kafka, tmp_path, RECORDS, **BY_KEY, format={"json": {"onBadField": "fail"}}, code=1)
    assert "partition 0, offset 6" in job.log() and "column kafka_key is not UTF-8" in job.log()


def test_hidden_values_show_no_bytes_of_a_key(kafka, tmp_path):
    _, job = run(kafka, tmp_path, [{"key": b"secret\xff", "value": b'{"k":"x"}'}], ["--hide-values"], **BY_KEY)
    assert "column kafka_key is not UTF-8" in job.log() and b"secret".hex() not in job.log()


ENCODINGS = {"base64": lambda data: base64.b64encode(data).decode(), "hex": bytes.hex}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_key_has_a_text_by_encoding(kafka, tmp_path, encoding):
    """In groups and in filters; NULL stays NULL and empty stays empty."""
    keys = [*KEYS, b"\xff"]
    rows, job = run(
        kafka, tmp_path, [{"key": key, "value": b'{"k":"x"}'} for key in keys], source={"keyEncoding": encoding}, **BY_KEY,
        aggregates=[{"name": "c", "expr": "COUNT(*)"}, {"name": "ff", "expr": f"COUNT(*) FILTER (WHERE kafka_key = '{ENCODINGS[encoding](bytes([255]))}')"}],
        format={"json": {"onBadField": "fail"}},
    )
    wanted = {None if key is None else ENCODINGS[encoding](key): keys.count(key) for key in keys}
    assert by_key(rows) == wanted
    assert sum(row["ff"] for row in rows) == 2
    assert "level=warn" not in job.log(), job.log()


def test_a_job_that_reads_no_key_minds_none(kafka, tmp_path):
    rows, _ = run(kafka, tmp_path, RECORDS, format={"json": {"onBadField": "fail"}})
    assert [row["c"] for row in rows] == [len(KEYS)]


def by_headers(rows):
    return {row["kafka_headers"]: row["c"] for row in rows}


def test_headers_that_are_no_text(kafka, tmp_path):
    """The column is a bad field; headers that are good are as they were. In an encoding each value has a text."""
    values = [None, *TEXTS, *NO_TEXTS]
    records = [{"value": b'{"k":"x"}', "headers": [("h", value)]} for value in values] + [{"value": b'{"k":"x"}'}]
    letters = {"file": {"path": str(tmp_path / "letters.jsonl")}}
    rows, _ = run(
        kafka, tmp_path, records, groupBy=["kafka_headers"], format={"json": {"onBadField": "deadLetter"}}, deadLetter=letters)
    good = [{"h": None if value is None else value.decode()} for value in [None, *TEXTS]]
    assert sorted(str(json.loads(row["kafka_headers"] or "null")) for row in rows) == sorted(map(str, [*good, None]))
    reasons = [letter["reason"] for letter in file_rows(tmp_path / "letters.jsonl")]
    assert reasons == [f"column kafka_headers is not UTF-8 (source.kafka.headerEncoding): header h 0x{value.hex()}" for value in NO_TEXTS]
    folder = tmp_path / "hex"
    folder.mkdir()
    rows, _ = run(kafka, folder, records, source={"headerEncoding": "hex"}, groupBy=["kafka_headers"], format={"json": {"onBadField": "fail"}})
    wanted = [{"h": None if value is None else value.hex()} for value in values]
    assert sorted(str(json.loads(row["kafka_headers"] or "null")) for row in rows) == sorted(map(str, [*wanted, None]))


def test_a_name_of_a_header_that_is_no_text(kafka, tmp_path):
    """A bad field in each encoding: names are texts."""
    topic = unique("names")
    kafka.create_topic(topic, 1)
    for header in b"good=1", b"n\xff=1":
        subprocess.run(["kcat", "-b", kafka.address, "-P", "-t", topic, "-p", "0", "-H", header], input=b'{"k":"x"}', check=True, timeout=60)
    _, job = run(kafka, tmp_path, [], groupBy=["kafka_headers"])
    spec = json.loads(job.manifest.read_text())
    spec["spec"]["source"]["kafka"].update(topic=topic, headerEncoding="base64")
    spec["metadata"]["name"] = topic
    spec["spec"]["sinks"] = [{"file": {"path": str(tmp_path / "names.jsonl")}}]
    again = StreamJob(tmp_path, spec, args=["--until-idle", "1500ms"], name="again")
    assert again.run(60) == 0, again.log()
    assert by_headers(file_rows(tmp_path / "names.jsonl")) == {'{"good":"MQ=="}': 1, None: 1}
    assert "the name 0x6eff" in again.log() and "kafka_headers is not UTF-8" in again.log()
