"""Aggregates over random groups: what the program gives and what PostgreSQL gives for the same rows."""

import json
import math
import os
import random
import subprocess

import pytest

from servers import ROOT

SEED = int(os.environ.get("STREAMJOB_PARITY_SEED", "1"))
COLUMNS = {"b": "boolean", "i": "integer", "l": "bigint", "d": "double precision", "s": "text"}
TYPES = {"b": "BOOLEAN", "i": "INT", "l": "BIGINT", "d": "DOUBLE", "s": "STRING"}
EXPRESSIONS = [
    "COUNT(*)",
    "COUNT(l)",
    "COUNT(DISTINCT s)",
    "COUNT(DISTINCT i)",
    "SUM(i)",
    "AVG(l)",
    "SUM(d)",
    "AVG(d)",
    "MIN(d)",
    "MAX(s)",
    "MIN(DISTINCT l)",
    "SUM(i) FILTER (WHERE b)",
    "BOOL_AND(b)",
    "BOOL_AND(DISTINCT i > 0)",
    "BOOL_AND(b) FILTER (WHERE i > 100)",
    "CASE WHEN BOOL_AND(b) THEN 1 ELSE 0 END",
    "STDDEV_POP(i)",
    "STDDEV_POP(l)",
    "STDDEV_POP(d)",
    "STDDEV_POP(d) FILTER (WHERE b) * 2 + COUNT(*)",
]


def draw_row(rng, group):
    scale = rng.choice((1, 1000, 10**9))
    row = {
        "b": rng.random() < (1 if group % 3 == 0 else 0.9),
        "i": rng.randint(-(2**31), 2**31 - 1) if group % 2 else rng.randint(-3, 3),
        "l": rng.choice((rng.randint(-scale, scale), 10**15 + rng.randint(0, 9))),
        "d": round(rng.uniform(-scale, scale), rng.randint(0, 6)) + (1e9 if group % 4 == 0 else 0),
        "s": rng.choice("abcdef") * rng.randint(0, 3),
    }
    for name in row:
        if rng.random() < (1 if group == 5 else 0.1):
            row[name] = None
    return row


@pytest.fixture(scope="module")
def groups():
    rng = random.Random(SEED)
    return {f"g{group:02}": [draw_row(rng, group) for _ in range(rng.randint(1, 80))] for group in range(24)}


def ours(groups, folder):
    aggregates = [{"name": f"a{n}", "expr": expression} for n, expression in enumerate(EXPRESSIONS)]
    job = {
        "apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "parity"},
        "spec": {
            "source": {"stdin": {}},
            "columns": [{"name": "k", "type": "STRING"}] + [{"name": n, "type": t} for n, t in TYPES.items()],
            "window": {"tumbling": {"size": "1d"}}, "groupBy": ["k"], "aggregates": aggregates, "sinks": [{"stdout": {}}],
        },
    }
    (folder / "job.yaml").write_text(json.dumps(job))
    lines = [json.dumps({"k": key, **row}) for key, rows in groups.items() for row in rows]
    done = subprocess.run(
        [ROOT / "build" / "release" / "streamjob", "run", folder / "job.yaml"],
        input="\n".join(lines).encode(), capture_output=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {row["k"]: [row[f"a{n}"] for n in range(len(EXPRESSIONS))] for row in found}


def literal(value):
    return "NULL" if value is None else f"'{value}'"


def theirs(server, groups):
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    values = ",\n".join(
        "(" + ", ".join([literal(key)] + [literal(row[name]) for name in COLUMNS]) + ")"
        for key, rows in groups.items() for row in rows
    )
    selected = ", ".join(EXPRESSIONS)
    answer = server.query(
        f"CREATE TABLE rows_of (k text, {columns}); INSERT INTO rows_of VALUES {values};\n"
        f"SELECT json_build_array(k, {selected}) FROM rows_of GROUP BY k;\n"
    )
    return {row[0]: row[1:] for row in map(json.loads, answer.splitlines())}


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


def test_random_groups(postgres_server, groups, tmp_path):
    found, expected = ours(groups, tmp_path), theirs(postgres_server, groups)
    assert found.keys() == expected.keys() == groups.keys()
    wrong = [
        f"{key}: {expression} is {a}, PostgreSQL has {b}"
        for key in groups
        for expression, a, b in zip(EXPRESSIONS, found[key], expected[key])
        if not same(a, b)
    ]
    assert not wrong, "\n".join(wrong[:20])
    for n, expression in enumerate(EXPRESSIONS):  # the groups have NULLs, and values
        values = [row[n] for row in found.values()]
        assert any(value is not None for value in values), expression
