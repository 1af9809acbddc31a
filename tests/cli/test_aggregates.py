"""What aggregates make of values at the edges, as the rows and the log say it."""

import json
import math
import random
from fractions import Fraction

import pytest

JOB = """\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {name: j}
spec:
  source: {stdin: {}}
  columns: [{name: k, type: STRING}, {name: x, type: DOUBLE}, {name: i, type: BIGINT}, {name: ts, type: TIMESTAMP}]
  window: {tumbling: {size: 1m}}
  groupBy: [k]
  aggregates: %s
  sinks: [{stdout: {}}]
"""
REPLAY = ["run", "job.yaml", "--input", "events.jsonl", "--output", "-", "--clock", "ts"]


def windows(tree, aggregates, rows):
    """rows: [k, x or a dict of columns, minute]. The values of each window's row, and standard error."""
    tree.write("job.yaml", JOB % json.dumps([{"name": f"a{i}", "expr": expr} for i, expr in enumerate(aggregates)]))
    lines = []
    for key, value, minute in rows:
        columns = value if isinstance(value, dict) else {"x": value}
        lines.append(json.dumps({"k": key, **columns, "ts": 1760000000000 + 60000 * minute}))
    tree.write("events.jsonl", "\n".join(lines) + "\n")
    done = tree.streamjob(*REPLAY)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [[row[f"a{i}"] for i in range(len(aggregates))] for row in found], done.stderr


def test_sums_that_overflow_are_null_for_their_window_alone(tree):
    rows = [["a", 1, 0], ["a", 1.7e308, 1], ["a", 1.7e308, 1], ["a", 2, 2]]
    found, said = windows(tree, ["SUM(x)", "AVG(x)"], rows)
    assert found == [[1, 1], [None, None], [2, 2]]
    assert "a result became NULL" in said  # the first at once, both in the summary
    assert "SUM(x): the sum is out of range for DOUBLE: overflow" in said
    assert "AVG(x): the sum is out of range for DOUBLE: overflow" in said


@pytest.mark.parametrize(
    "expression, values, expected, reason",
    [
        ("SUM(i)", [{"i": 2**63 - 1}, {"i": 1}], None, "out of range for BIGINT"),
        ("SUM(x)", [-1.7e308, -1.7e308], None, "out of range for DOUBLE"),
        ("AVG(x)", [-1.7e308, -1.7e308], None, "out of range for DOUBLE"),
        ("SUM(x) * 1e10", [1e300], None, "value out of range: overflow"),
        ("SUM(x) + MAX(x)", [1.7e308], None, "value out of range: overflow"),
        ("CAST(SUM(x) AS BIGINT)", [1e300], None, "bigint out of range"),
        ("SUM(x) / COUNT(*) / 1e300", [1e-300], None, "value out of range: underflow"),
        ("SUM(x)", [1.7e308, 1.7e308, -1.7e308], 1.7e308, None),
        ("AVG(x)", [1.7e308, -1.7e308], 0, None),
    ],
)
def test_a_result_out_of_range_is_null_with_a_word(tree, expression, values, expected, reason):
    found, said = windows(tree, [expression, "COUNT(*)"], [["a", value, 0] for value in values])
    assert found == [[expected, len(values)]]
    assert ("a result became NULL" in said) == (reason is not None)
    assert (reason or "") in said


def test_an_infinity_that_was_given_is_a_sum(tree):
    infinite = "SUM(CAST(CASE WHEN x > 1 THEN 'Infinity' ELSE '1' END AS DOUBLE))"
    found, said = windows(tree, [infinite + " > 1e308", infinite], [["a", 1, 0], ["a", 2, 0]])
    assert found == [[True, None]]  # JSON has no infinity
    assert "became NULL" not in said


def test_a_sum_is_the_same_in_any_order_of_its_rows(tree):
    values = [0.1, 1e16, -1e16, 0.2, 3e-20, 1e100, -1e100, 7e-300] * 5
    orders = [values, values[::-1], sorted(values), sorted(values, key=abs)]
    found = [windows(tree, ["SUM(x)", "AVG(x)"], [["a", value, 0] for value in order])[0] for order in orders]
    assert all(each == found[0] for each in found)
    assert found[0][0][0] == 1.5


def test_a_percentile_keeps_the_many_when_one_is_far_away(tree):
    rows = [["a", 1 + i / 100, 0] for i in range(900)]
    for far in ([], [1e300], [1e-300], [1e300, -1e300, 1e-300]):
        found, _ = windows(tree, ["PERCENTILE(x, 0.5)", "PERCENTILE(x, 0.9)"], rows + [["a", x, 0] for x in far])
        assert found == [[pytest.approx(5.5, rel=0.015), pytest.approx(9.1, rel=0.015)]]


CHURN = JOB.replace("groupBy: [k]", "groupBy: [k]\n  limits: {%s}").replace("size: 1m", "size: 1m, onEmpty: zero%s")


def churn(tree, limits="", more="", windows=5):
    """Two new keys in each window; the keys of each window's rows and their counts."""
    tree.write("job.yaml", CHURN % (more, limits, json.dumps([{"name": "c", "expr": "COUNT(*)"}])))
    lines = [json.dumps({"k": f"p{i}", "ts": 1760000000000 + 60000 * (i // 2)}) for i in range(2 * windows)]
    tree.write("events.jsonl", "\n".join(lines) + "\n")
    done = tree.streamjob(*REPLAY)
    assert done.returncode == 0, done.stderr
    found = {}
    for row in map(json.loads, done.stdout.splitlines()):
        found.setdefault(row["window_start"], {})[row["k"]] = row["c"]
    return list(found.values()), done.stderr


def test_known_groups_do_not_count_against_the_groups_of_a_window(tree):
    found, said = churn(tree, "groups: 2")
    assert [len(window) for window in found] == [2, 4, 6, 8, 10]
    assert [sum(window.values()) for window in found] == [2] * 5
    assert "forgotten" not in said


def test_known_groups_have_a_limit_and_the_oldest_go(tree):
    found, said = churn(tree, "groups: 3, knownGroups: 3")
    assert [len(window) for window in found] == [2, 3, 3, 3, 3]
    assert [sum(window.values()) for window in found] == [2] * 5
    assert "known groups forgotten" in said


def test_known_groups_are_forgotten_after_some_windows(tree):
    found, _ = churn(tree, "groups: 3", ", forgetAfter: 1")
    assert [len(window) for window in found] == [2, 4, 4, 4, 4]
    assert found[3] == {"p4": 0, "p5": 0, "p6": 1, "p7": 1}


def test_a_replay_writes_the_empty_windows_between_its_rows(tree):
    skew = CHURN.replace("  groupBy", "  watermark: {maxFutureSkew: 7d}\n  groupBy")
    tree.write("job.yaml", skew % ("", "", json.dumps([{"name": "c", "expr": "COUNT(*)"}])))
    tree.write("events.jsonl", "".join('{"k":"a","ts":%d}\n' % (60000 * at) for at in (0, 3, 5000)))
    done = tree.streamjob(*REPLAY)
    counts = [json.loads(line)["c"] for line in done.stdout.splitlines()]
    assert counts == [1, 0, 0, 1] + [0] * 1440 + [1], done.stderr
    assert "empty windows left out" in done.stderr and "windows=3556" in done.stderr


def test_dropped_groups_are_the_same_in_any_order_of_the_rows(tree):
    job = JOB.replace("groupBy: [k]", "groupBy: [k]\n  limits: {groups: 5, onLimit: dropNewGroups}")
    tree.write("job.yaml", job % json.dumps([{"name": "c", "expr": "COUNT(*)"}]))
    lines = ['{"k":"key-%d","ts":1}\n' % (i % 40) for i in range(120)]
    found = []
    for order in (lines, lines[::-1], sorted(lines)):
        tree.write("events.jsonl", "".join(order))
        done = tree.streamjob(*REPLAY)
        found.append(done.stdout)
    assert found[0] == found[1] == found[2], done.stderr
    assert [json.loads(line)["c"] for line in found[0].splitlines()] == [3] * 5


def test_a_limit_of_bytes_fails_also_where_groups_are_dropped(tree):
    limits = "groups: 1000000, stateBytes: 1Mi, onLimit: dropNewGroups"
    tree.write("job.yaml", JOB.replace("groupBy: [k]", "groupBy: [k]\n  limits: {%s}" % limits) % '[{name: c, expr: COUNT(*)}]')
    tree.write("events.jsonl", "".join('{"k":"key-%d","ts":1}\n' % i for i in range(40000)))
    done = tree.streamjob(*REPLAY)
    assert done.returncode == 1 and "stateBytes: 1048576" in done.stderr


def exact_deviation(values):
    """STDDEV_POP by whole numbers, rounded once."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    scale = 4 ** max(0, 400 - (variance.numerator.bit_length() - variance.denominator.bit_length()) // 2) if variance else 1
    return float(Fraction(math.isqrt(math.floor(variance * scale)), math.isqrt(scale)))


@pytest.mark.parametrize("seed", range(4))
def test_deviations_are_the_nearest_doubles_in_any_order(tree, seed):
    """Against whole numbers; near one another and far from zero, over hundreds of decades, and the same in another order."""
    rng = random.Random(seed)
    groups = {
        "close": [1e9 + rng.random() for _ in range(200)],
        "one": [rng.uniform(-1e300, 1e300)],
        "decades": [rng.uniform(-1, 1) * 10 ** rng.uniform(-30, 30) for _ in range(200)],
        "all": [rng.uniform(-1, 1) * 10 ** rng.uniform(-305, 305) for _ in range(100)],
        "huge": [rng.uniform(0.5, 1) * 1.7e308 for _ in range(50)],
        "tiny": [rng.uniform(1, 2) * 1e-310 for _ in range(50)],
    }
    whole = {"i": [rng.randint(2**62, 2**63 - 1) for _ in range(100)]}
    rows = [[key, value, 0] for key, values in groups.items() for value in values]
    rows += [["i", {"i": value}, 0] for value in whole["i"]]
    expected = {key: exact_deviation(values) for key, values in {**groups, **whole}.items()}
    results = []
    for _ in range(2):
        rng.shuffle(rows)
        found, _ = windows(tree, ["STDDEV_POP(x)", "STDDEV_POP(i)", "MIN(x)"], rows)
        results.append([list(row) for row in found])
    assert results[0] == results[1]
    values = [row[1] if row[0] is None else row[0] for row in results[0]]
    for key, value in zip(sorted(expected), values):
        assert abs(value - expected[key]) <= math.ulp(expected[key]), key
