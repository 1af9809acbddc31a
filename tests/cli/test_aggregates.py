"""What aggregates make of values at the edges, as the rows and the log say it."""

import json

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
    assert said.count("a result became NULL") == 2
    assert "the sum is out of range for DOUBLE: overflow" in said


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
