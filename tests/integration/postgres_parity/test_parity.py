"""Every expression evaluated by our program and by a real PostgreSQL: the same value and type, or the same error."""

import json
import os
import subprocess

import pytest

from servers import ROOT

import parity

SEED = int(os.environ.get("STREAMJOB_PARITY_SEED", "1"))
TREES = int(os.environ.get("STREAMJOB_PARITY_TREES", "10000"))

# Our reasons for a failed row, and the SQLSTATEs that PostgreSQL has for the same.
STATES = {
    "division by zero": {"22012"},
    "out of range": {"22003"},
    "invalid input syntax for type timestamp": {"22007", "22008", "22009"},
    "invalid input syntax": {"22P02"},
    "negative substring length": {"22011"},
    "LIKE pattern must not end": {"22025"},
}

# PostgreSQL's eval: compiled and run as a statement of its own, so that one error does not end the others.
SETUP = """
CREATE TABLE row_of (%s);
INSERT INTO row_of VALUES (%s);
CREATE FUNCTION eval(expression text) RETURNS json LANGUAGE plpgsql AS $f$
DECLARE kind text; value text; state text; message text;
BEGIN
	EXECUTE 'SELECT pg_typeof(x)::text, x::text FROM (SELECT ('||expression||E'\\n) AS x FROM row_of OFFSET 0) q'
	INTO STRICT kind, value;
	RETURN json_build_object('type', kind, 'value', value);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	RETURN json_build_object('state', state, 'message', message);
END $f$;
""" % (
    ", ".join(f"{name} {kind}" for name, kind, _ in parity.ROW),
    ", ".join(value for _, _, value in parity.ROW),
)

DIFFERENT = parity.different()


@pytest.fixture(scope="module")
def postgres(postgres_server):
    postgres_server.query(SETUP)
    return postgres_server


@pytest.fixture(scope="module")
def evaluator():
    path = "build/release/tests/integration/postgres_parity/eval_expr"
    subprocess.run(["make", "-s", "-C", ROOT, path], check=True, timeout=600)
    return ROOT / path


def evaluate_ours(evaluator, expressions):
    answer = subprocess.run(
        [evaluator], input="".join(f"{e}\n" for e in expressions).encode(), capture_output=True, timeout=300
    )
    assert answer.returncode == 0, answer.stderr.decode(errors="replace")[-2000:]
    lines = answer.stdout.decode().splitlines()
    assert len(lines) == len(expressions)
    return [json.loads(line) for line in lines]


def evaluate_theirs(postgres, expressions):
    tagged = ",".join(f"({n}, $parity${parity.for_postgres(e)}$parity$)" for n, e in enumerate(expressions))
    lines = postgres.query(f"SELECT eval(e) FROM (VALUES {tagged}) AS cases (n, e) ORDER BY n;\n").splitlines()
    assert len(lines) == len(expressions)
    return [json.loads(line) for line in lines]


def agree(ours, theirs):
    if "problem" in ours:
        return "state" in theirs
    if "error" in ours:
        states = next((states for reason, states in STATES.items() if reason in ours["error"]), set())
        return theirs.get("state") in states
    if "state" in theirs:
        return False
    kind = theirs["type"].replace("character varying", "text")  # VARCHAR is TEXT here
    return (kind, theirs["value"]) == (parity.TYPES[ours["type"]], ours["value"])


def check(evaluator, postgres, cases):
    cases = list(dict.fromkeys(cases))
    expressions = [expression for _, expression in cases]
    ours, theirs = evaluate_ours(evaluator, expressions), evaluate_theirs(postgres, expressions)
    wrong = [
        f"{group}: {expression}\n    ours       {json.dumps(o, ensure_ascii=False)}\n"
        f"    PostgreSQL {json.dumps(t, ensure_ascii=False)}"
        for (group, expression), o, t in zip(cases, ours, theirs)
        if agree(o, t) == (expression in DIFFERENT)
    ]
    assert not wrong, f"{len(wrong)} of {len(cases)} differ:\n" + "\n".join(wrong[:60])
    return ours


def test_listed_cases(evaluator, postgres):
    cases = parity.listed()
    assert len(cases) > 600
    check(evaluator, postgres, cases)


def test_deliberate_differences(evaluator, postgres):
    """Each does differ still, and our side is what the list says."""
    ours = check(evaluator, postgres, [("deliberate", expression) for expression in DIFFERENT])
    wrong = [f"{e}: {o}" for (e, says), o in zip(DIFFERENT.items(), ours) if says not in json.dumps(o)]
    assert not wrong, "\n".join(wrong)


def test_operators(evaluator, postgres):
    check(evaluator, postgres, parity.operators())


def test_numbers_at_their_limits(evaluator, postgres):
    check(evaluator, postgres, parity.numbers())


def test_casts_of_texts(evaluator, postgres):
    check(evaluator, postgres, parity.texts())


def test_doubles_as_text(evaluator, postgres):
    check(evaluator, postgres, parity.reals_as_text(SEED))


def test_patterns_and_substrings(evaluator, postgres):
    check(evaluator, postgres, [*parity.likes(), *parity.substrings()])


def test_random_trees(evaluator, postgres):
    ours = check(evaluator, postgres, parity.trees(SEED, TREES))
    values = sum(1 for o in ours if o.get("value") is not None)
    assert values > len(ours) / 4, "the trees fail or are NULL too often to say anything"
