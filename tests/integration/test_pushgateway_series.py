"""Series that meet or that cannot be, at a real Pushgateway: the others are there, and the dead letter has the rest."""

import json
import urllib.request

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


def put(gateway, group, body):
    request = urllib.request.Request(f"{gateway.url}/metrics/job/{group}", data=body.encode(), method="PUT")
    urllib.request.urlopen(request, timeout=10).close()


OTHERS = {
    # what another group pushes before ({job}: the job's own); of the three metrics the ones that then cannot be; a word of the reason
    "a series of a gauge": ("{job}/k/a", "# TYPE x gauge\nx 7\n", {("x", "a")}, "/metrics/job/{job}/k/a has this series of x"),
    "a series of a counter": ("{job}/k/a", "# TYPE rows_total counter\nrows_total 7\n", {("rows_total", "a")}, "has this series of rows_total"),
    "a name of another type": ("other", "# TYPE x counter\nx 7\n", {("x", "a"), ("x", "b")}, "/metrics/job/other has the counter x"),
    "a name without a type": ("other", "rows_total 7\n", {("rows_total", "a"), ("rows_total", "b")}, "has the untyped rows_total"),
    "two kinds": ("{job}/k/b", "# TYPE x gauge\nx 7\n# TYPE rows_total gauge\nrows_total 1\n", {("x", "b"), ("rows_total", "a"), ("rows_total", "b")}, "/k/b has "),
}


@pytest.mark.parametrize("group, body, missing, words", OTHERS.values(), ids=OTHERS)
def test_what_another_group_holds_costs_that_alone(gateway, tmp_path, group, body, missing, words):
    name = unique("others")
    put(gateway, group.format(job=name), body)
    windows = [[{"k": "a", "x": 1}, {"k": "b", "x": 2}], [{"k": "a", "x": 4}, {"k": "b", "x": 8}]]
    found, job = sums_job(tmp_path, gateway, name, windows, TEXT, ["k"])
    expected = {("rows_total", "a"): 2, ("rows_total", "b"): 2, ("x_total", "a"): 5, ("x_total", "b"): 10, ("x", "a"): 4, ("x", "b"): 8}
    pushed = {(metric, labels[0]): value for (metric, labels), value in found.items()}
    assert {key: pushed[key] for key in expected if key not in missing} == {key: value for key, value in expected.items() if key not in missing}
    letters = file_rows(tmp_path / "letters.jsonl")
    assert sorted((letter["sequence"], letter["rows"][0]["k"]) for letter in letters) == sorted((s, k) for s in (1, 2) for _, k in missing)
    assert any(words.format(job=name) in letter["reason"] for letter in letters), letters
    assert "sink left rows out" in job.log() and words.format(job=name).split(" has")[0] in job.log()
    state = {dict(labels).get("k", ""): value for (metric, labels), value in gateway.metrics().items() if metric == "x" and dict(labels)["job"] == name}
    assert ("x", "a") not in missing or words.startswith("/metrics/job/other") or state["a"] == 7, "another's series was overwritten"


def test_names_of_the_gateway_itself(gateway, tmp_path):
    """Its own metrics, and the parts of a histogram of another group, are no names for others of another type."""
    name = unique("own")
    put(gateway, "other", '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n')
    (tmp_path / "events.jsonl").write_text('{"x": 1}\n{"x": 2}\n')
    metrics = {"go_goroutines": "counter", "go_gc_duration_seconds_count": "gauge", "h_count": "gauge", "h": "gauge", "good": "gauge"}
    job = StreamJob(tmp_path, {
        "apiVersion": "streamjob.dev/v1alpha1",
        "kind": "StreamJob",
        "metadata": {"name": name},
        "spec": {
            "source": {"file": {"path": str(tmp_path / "events.jsonl")}},
            "columns": [{"name": "x", "type": "DOUBLE"}],
            "window": {"tumbling": {"size": "1h"}},
            "aggregates": [{"name": "total", "expr": "SUM(x)"}],
            "sinks": [{"pushgateway": {"url": gateway.url, "job": name, "metrics": [
                {"name": metric, "type": type, "value": "total"} for metric, type in metrics.items()]}}],
            "deadLetter": {"file": {"path": str(tmp_path / "letters.jsonl")}},
        },
    })
    assert job.run(60) == 0, job.log()
    pushed = {metric for (metric, labels) in gateway.metrics() if dict(labels).get("job") == name and metric in metrics}
    assert pushed == {"good"}
    assert len(file_rows(tmp_path / "letters.jsonl")) == 4
