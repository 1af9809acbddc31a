"""Series that meet or that cannot be, at a real Pushgateway: the others are there, and the dead letter has the rest."""

import json

import pytest

from bucket import file_rows, unique
from servers import StreamJob

MINUTE = 60_000
START = 1_760_000_040_000  # a full minute


def sums_job(tmp_path, gateway, name, events, columns, labels, **spec):
    """COUNT and SUM(x) by k, each event's window its place in `events`; the job has ended when this returns."""
    (tmp_path / "events.jsonl").write_text("".join(
        json.dumps({"ts": START + w * MINUTE, **row}) + "\n" for w, rows in enumerate(events) for row in rows))
    job = StreamJob(tmp_path, {
        "apiVersion": "streamjob.dev/v1alpha1",
        "kind": "StreamJob",
        "metadata": {"name": name},
        "spec": {
            "source": {"file": {"path": str(tmp_path / "events.jsonl")}},
            "columns": [*columns, {"name": "x", "type": "DOUBLE"}, {"name": "ts", "type": "TIMESTAMP", "format": "epochMillis"}],
            "window": {"tumbling": {"size": "1m"}},
            "groupBy": labels,
            "aggregates": [{"name": "rows", "expr": "COUNT(*)"}, {"name": "total", "expr": "SUM(x)"}],
            "sinks": [{"pushgateway": {"url": gateway.url, "job": name, "metrics": [
                {"name": "rows_total", "type": "counter", "value": "rows", "labels": labels},
                {"name": "x_total", "type": "counter", "value": "total", "labels": labels},
                {"name": "x", "type": "gauge", "value": "total", "labels": labels},
            ]}}],
            "deadLetter": {"file": {"path": str(tmp_path / "letters.jsonl")}},
            **spec,
        },
    }, args=["--clock", "ts"])
    assert job.run(60) == 0, job.log()
    found = {}
    for (metric, all_labels), value in gateway.metrics().items():
        series = dict(all_labels)
        if metric in ("rows_total", "x_total", "x") and series["job"] == name:
            found[metric, tuple(series.get(label, "") for label in labels)] = value
    return found, job


TEXT = [{"name": "k", "type": "STRING"}]

MEET = [
    # name, the rows of a window, series
    ("NULL and the empty text", [{"k": "/cart", "x": 10}, {"k": "/cart", "x": 30}, {"k": "", "x": 5}, {"x": 7}],
     {("rows_total", ("/cart",)): 2, ("x_total", ("/cart",)): 40, ("x", ("/cart",)): 40, ("rows_total", ("",)): 2, ("x_total", ("",)): 12}),
    ("two of three keys empty", [{"k": None, "l": "", "m": "z", "x": 1}, {"k": "", "l": None, "m": "z", "x": 2}, {"k": "a", "l": "b", "m": "z", "x": 4}],
     {("rows_total", ("", "", "z")): 2, ("x_total", ("", "", "z")): 3, ("x_total", ("a", "b", "z")): 4}),
    ("NULL of a number has the text of nothing", [{"k": None, "n": None, "x": 1}, {"k": "", "n": None, "x": 2}, {"k": "", "n": 0, "x": 4}],
     {("x_total", ("", "")): 3, ("x_total", ("", "0")): 4}),
]


@pytest.mark.parametrize("rows, expected", [case[1:] for case in MEET], ids=[case[0] for case in MEET])
def test_keys_that_are_one_series_cost_nothing(gateway, tmp_path, rows, expected):
    names = [name for name in ("k", "l", "m", "n") if any(name in row for row in rows)]
    columns = [{"name": name, "type": "BIGINT" if name == "n" else "STRING"} for name in names]
    found, job = sums_job(tmp_path, gateway, unique("meet"), [rows], columns, names)
    assert {series: found.get(series) for series in expected} == expected
    assert "are one series" in job.log()
    assert file_rows(tmp_path / "letters.jsonl") == []


CANNOT_BE = [
    # name, x of the second window's rows of key b
    ("infinite", [1.7e308, 1.7e308]),
    ("negative", [-1]),
    ("the total would be", [1.6e308]),
]


@pytest.mark.parametrize("amounts", [case[1] for case in CANNOT_BE], ids=[case[0] for case in CANNOT_BE])
def test_an_increment_that_cannot_be_is_left_out_of_its_counter_only(gateway, tmp_path, amounts):
    first = [{"k": "a", "x": 1}, {"k": "b", "x": 1e308 if amounts == [1.6e308] else 2}]
    second = [{"k": "a", "x": 2}] + [{"k": "b", "x": x} for x in amounts]
    third = [{"k": "a", "x": 4}, {"k": "b", "x": 8}]
    found, job = sums_job(tmp_path, gateway, unique("infinite"), [first, second, third], TEXT, ["k"])
    assert found["x_total", ("a",)] == 7
    assert found["x_total", ("b",)] == first[1]["x"] + 8
    assert found["rows_total", ("b",)] == 2 + len(amounts)
    if amounts != CANNOT_BE[0][1]:  # a SUM that is out of range is NULL before any sink sees it
        letters = file_rows(tmp_path / "letters.jsonl")
        assert [(letter["sequence"], letter["rows"][0]["k"]) for letter in letters] == [(2, "b")]
        assert letters[0]["reason"].startswith("x_total: ")
