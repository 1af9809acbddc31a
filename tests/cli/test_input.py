"""What a file or standard input may hold: other units of time, long lines, byte order marks, arrays, odd columns."""

import gzip
import json

import pytest

JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{stdin: {{}}}}
  columns:
  - {{name: k, type: STRING}}
  - {{name: at, type: TIMESTAMP, format: {format}}}
  - {{name: ts, type: TIMESTAMP}}
  window: {{tumbling: {{size: 1m}}}}
  groupBy: [k]
  aggregates: [{{name: c, expr: COUNT(*)}}, {{name: last, expr: MAX(at)}}]
  {more}
  sinks: [{{stdout: {{}}}}]
"""


def rows_of(done, *names):
    """The result's rows as tuples of these columns, by the first."""
    return sorted(tuple(json.loads(line)[name] for name in names) for line in done.stdout.splitlines())


def run(tree, events, *args, format="epochMillis", more="", file="input.jsonl"):
    tree.write("job.yaml", JOB.format(format=format, more=more))
    (tree.folder / file).write_bytes(events if isinstance(events, bytes) else events.encode())
    return tree.streamjob("run", "job.yaml", "--input", file, "--output", "-", "--clock", "ts", *args)


@pytest.mark.parametrize(
    "format, number",
    [
        ("epochMillis", "1760000000123.7"),
        ("epochMillis", "1760000000123"),
        ("epochMillis", "1.7600000001239e12"),
        ("epochSeconds", "1760000000.123999"),
        ("epochMicros", "1760000000123999"),
        ("epochNanos", "1760000000123999999"),
        ("iso8601", '"2025-10-09T08:53:20.123999999Z"'),
    ],
)
def test_what_is_finer_than_a_millisecond_is_cut(tree, format, number):
    done = run(tree, '{"k":"a","at":%s,"ts":1760000000000}\n' % number, format=format)
    assert (done.returncode, rows_of(done, "k", "last")) == (0, [("a", "2025-10-09T08:53:20.123Z")])


LINES = b'{"k":"a","ts":1760000000000}\n{"k":"b","ts":1760000000000}\n'


@pytest.mark.parametrize(
    "events",
    [
        LINES,
        b"\xef\xbb\xbf" + LINES,
        b'[{"k":"a","ts":1760000000000},{"k":"b","ts":1760000000000}]\n',
        b'\xef\xbb\xbf[\n  {\n    "k": "a",\n    "ts": 1760000000000\n  },\n  {"k": "b"}\n]\n',
        b'[{"k":"a","ts":1760000000000}]\n[{"k":"b"}]',
        gzip.compress(LINES),
        gzip.compress(LINES[:40]) + gzip.compress(LINES[40:]),
        gzip.compress(b"\xef\xbb\xbf" + LINES),
        gzip.compress(b'[{"k":"a","ts":1760000000000},{"k":"b"}]'),
    ],
    ids=["lines", "byte order mark", "array", "array over lines", "two arrays", "gzip", "two members", "mark in gzip", "array in gzip"],
)
def test_where_the_rows_are(tree, events):
    done = run(tree, events)
    assert (done.returncode, rows_of(done, "k", "c")) == (0, [("a", 1), ("b", 1)])
    job = tree.read("job.yaml")
    with open(tree.folder / "input.jsonl", "rb") as file:
        out, _ = tree.start("run", "job.yaml", "--clock", "ts", stdin=file).communicate(timeout=60)
    assert out == done.stdout
    piped = tree.start("run", "job.yaml", "--clock", "ts", stdin=-1)
    piped.stdin.buffer.write(events)
    assert piped.communicate(timeout=60)[0] == done.stdout
    tree.write("job.yaml", job.replace("{stdin: {}}", "{file: {path: input.jsonl}}"))
    assert tree.streamjob("run", "job.yaml", "--clock", "ts").stdout == done.stdout


def test_an_array_of_rows_as_it_is_written(tree):
    """Each element of tests' array is a row; the place of a bad one names line and element."""
    letters = "format: {json: {onBadRow: deadLetter}}\n  deadLetter: {file: {path: letters.jsonl}}"
    done = run(tree, '[{"k":"a","ts":1760000000000},\n {"k":"b"},\n {"k" "c"}, 7,\n {"k":"d"}]\n', more=letters)
    assert (done.returncode, rows_of(done, "k", "c")) == (0, [("a", 1), ("b", 1), ("d", 1)])
    found = [json.loads(line) for line in tree.read("letters.jsonl").splitlines()]
    assert [(x["line"], x["element"], x["value"]) for x in found] == [(3, 3, '{"k" "c"}'), (3, 4, "7")]
    failing = "format: {json: {onBadRow: fail}}"
    done = run(tree, '[{"k":"a","ts":1760000000000},\n {"k" "c"}]\n', more=failing)
    assert done.returncode == 1
    assert "the record at line 2, element 2 is bad, and the job's policy is to fail: byte 6: expected ':'" in done.stderr


def test_a_long_line_is_a_bad_row_and_not_the_end(tree):
    more = (
        "limits: {recordBytes: 1Ki}\n  format: {json: {onBadRow: deadLetter}}\n"
        "  deadLetter: {file: {path: letters.jsonl}}"
    )
    long = '{"k":"long","x":"' + "x" * 3_000_000 + '"}\n'
    done = run(tree, LINES.decode() + long + '{"k":"c","ts":1760000000000}\n', more=more)
    assert (done.returncode, rows_of(done, "k", "c")) == (0, [("a", 1), ("b", 1), ("c", 1)])
    [letter] = [json.loads(line) for line in tree.read("letters.jsonl").splitlines()]
    assert (letter["line"], letter["offset"], letter["value"]) == (3, len(LINES), long[:1024])
    assert letter["reason"] == (
        "longer than 1Ki, which limits.recordBytes allows; what follows these bytes is left out"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_encoding_is_named(tree, encoding):
    done = run(tree, LINES.decode().encode(encoding))
    assert done.returncode == 1
    assert f"input.jsonl begins with the byte order mark of {encoding.upper()}, but JSON is read as UTF-8" in done.stderr


WORDS = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: j}}
spec:
  source: {{stdin: {{}}}}
  columns:
  - {{name: user, type: STRING}}
  - {{name: order, type: STRING}}
  - {{name: end, type: BIGINT}}
  - {{name: Group, type: BIGINT}}
  window: {{tumbling: {{size: 1m}}}}
  filter: >-
    {order} <> 'x'
  select: [{{name: s, expr: CASE WHEN {end} > 1 THEN {Group} END}}]
  groupBy: [user]
  aggregates:
  - {{name: users, expr: COUNT(DISTINCT {user})}}
  - {{name: orders, expr: COUNT(DISTINCT {order})}}
  - {{name: last_end, expr: MAX({end}) FILTER (WHERE {user} = 'a')}}
  having: >-
    {user} = 'a'
  sinks: [{{stdout: {{}}}}]
"""


def test_columns_that_are_words_of_sql(tree):
    names = ("user", "order", "end", "Group")
    tree.write("job.yaml", WORDS.format(**{name: name for name in names}))
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 1
    for place, name in [
        ("filter", "order"),
        ("select[0].expr", "end"),
        ("select[0].expr", "Group"),
        ("aggregates[0].expr", "user"),
        ("aggregates[1].expr", "order"),
        ("aggregates[2].expr", "end"),
        ("having", "user"),
    ]:
        problem = f': spec.{place}: {name} is a word of SQL\'s own; write "{name}" in double quotes\n'
        assert problem in done.stderr, (problem, done.stderr)
    tree.write("job.yaml", WORDS.format(**{name: f'"{name}"' for name in names}))
    done = tree.streamjob("validate", "job.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    done = tree.streamjob("run", "job.yaml", text='{"user":"a","order":"o","end":7,"Group":1}\n')
    assert rows_of(done, "user", "users", "orders", "last_end") == [("a", 1, 1, 7)]


def test_a_line_that_is_an_array(tree):
    """Each element is a row, also of more than a batch; what follows the array's end is a bad row."""
    many = json.dumps([{"k": f"k{i % 3}"} for i in range(3000)])
    letters = "format: {json: {onBadRow: deadLetter}}\n  deadLetter: {file: {path: letters.jsonl}}"
    events = '{"k":"a","ts":1760000000000}\n' + many + '\n[]\n [{"k":"b"},7,[{"k":"b"}],{"k":"b"}] x\n[{"k":"c"},{"k":'
    done = run(tree, events + "\n", more=letters)
    expected = [("a", 1), ("b", 2), ("c", 1), ("k0", 1000), ("k1", 1000), ("k2", 1000)]
    assert (done.returncode, rows_of(done, "k", "c")) == (0, expected)
    found = [json.loads(line) for line in tree.read("letters.jsonl").splitlines()]
    assert [(x["line"], x.get("element"), x["value"]) for x in found] == [
        (4, 2, "7"),
        (4, 3, '[{"k":"b"}]'),
        (4, None, "x"),
        (5, 2, '{"k":'),
    ]
    assert found[2]["reason"] == "something follows the end of the array"
    assert found[3]["reason"] == "the input ends within an array: it was cut off, or is not written to its end"


T0 = 1760000000000
DAY = 86400000


def stamps(*times):
    return "".join('{"k":"%d","ts":%s}\n' % (i, time) for i, time in enumerate(times))


@pytest.mark.parametrize(
    "times, bad, late",
    [
        ([T0, T0 + 1, T0 * 1000, T0 + 2, T0 + 60000], [2], []),
        ([T0 * 1000, T0, T0 + 1, T0 + 2], [0], []),
        ([T0, T0 + 1, T0 + 2, T0 * 1000], [3], []),
        ([T0, T0 * 1000, T0 * 1000 + 1, T0 + 1, T0 + 2, T0 + 3], [1, 2], []),
        ([T0, T0 + 1, T0 + 3 * DAY, T0 + 3 * DAY + 1, T0 + 3 * DAY + 2], [], []),
        ([T0, T0 + DAY, T0 + 1], [], []),
        ([T0, T0 + 1, 0, T0 + 2, -T0], [], [2, 4]),
        ([T0 * 1000], [], []),
        ([T0, "null", T0 * 1000, "null", T0 + 1, "null"], [2], []),
        ([T0 + i for i in range(1023)] + [T0 * 1000] + [T0 + 1023 + i for i in range(2000)], [1023], []),
        ([T0 + i for i in range(1020)] + [T0 + 3 * DAY + i for i in range(1100)], [], []),
    ],
    ids=["amid", "first", "last", "two", "a gap", "within", "behind", "alone", "without stamps", "at a batch's end", "a gap there"],
)
def test_a_stamp_far_from_its_neighbours(tree, times, bad, late):
    letters = "format: {json: {onBadRow: deadLetter}}\n  deadLetter: {file: {path: letters.jsonl}}"
    done = run(tree, stamps(*times), more=letters)
    assert done.returncode == 0
    kept = [int(k) for (k,) in rows_of(done, "k")]
    assert sorted(kept) == [i for i in range(len(times)) if i not in bad + late]
    found = [json.loads(line) for line in tree.read("letters.jsonl").splitlines()]
    assert [x["line"] - 1 for x in found] == bad
    for x in found:
        assert x["reason"].startswith("column ts: ")
        assert x["reason"].endswith(" is more than 1d ahead of its neighbours (watermark.maxFutureSkew)")


def test_a_pipe_gives_the_same_and_the_skew_is_a_field(tree):
    tree.write("job.yaml", JOB.format(format="epochMillis", more="watermark: {maxFutureSkew: 1h}"))
    times = [T0, T0 + 1, T0 + 2 * 3600000, *[T0 + 2 + i for i in range(12)]]
    whole = tree.streamjob("run", "job.yaml", "--clock", "ts", text=stamps(*times))
    assert sorted(int(k) for (k,) in rows_of(whole, "k")) == [0, 1, *range(3, 15)]
    job = tree.start("run", "job.yaml", "--clock", "ts", stdin=-1)
    for line in stamps(*times).splitlines():
        job.stdin.write(line + "\n")
        job.stdin.flush()
    out, _ = job.communicate(timeout=60)
    assert out == whole.stdout


def test_the_clock_of_kafka_is_not_in_a_file(tree):
    done = tree.streamjob("run", "job.yaml", "--input", "events.jsonl", "--output", "-", "--clock", "kafka_timestamp")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("streamjob run: --clock kafka_timestamp: only a record that is read from Kafka has one")
    done = tree.streamjob("run", "job.yaml", "--clock", "nothing")
    assert done.returncode == 2
    assert done.stderr.endswith("the clock is one of spec.columns, or kafka_timestamp\n")


def test_a_gzip_file_that_is_cut_off(tree):
    """The rows before it are counted, and then the job fails and says where."""
    lines = "".join('{"k":"k%d","ts":%d}\n' % (i * 7919 % 1000, T0 + i * 1000) for i in range(100))
    packed = gzip.compress(lines.encode())
    done = run(tree, packed[: len(packed) - 20])
    assert done.returncode == 1
    assert "input.jsonl: the gzip data is cut off at byte %d of the file" % (len(packed) - 20) in done.stderr
    found = [k for (k,) in rows_of(done, "k")]
    assert 20 < len(found) < 100
    assert found == sorted("k%d" % (i * 7919 % 1000) for i in range(len(found)))
