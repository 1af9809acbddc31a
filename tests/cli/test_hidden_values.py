"""--hide-values: what a function raises has values of rows in it, and is in no log and no status; its name and place are."""

import json

import pytest

SECRET = "4111-1111-1111-1111"
CODE = """
import os
from streamjob import AggregateFunction, DataTypes, TableAggregateFunction, TableFunction, udf, udtf

def deed(method, x):
    if method == "METHOD":
        DEED

@udf(result_type=DataTypes.STRING())
def scalar(x):
    deed("eval", x)
    return x

class Total(AggregateFunction):
    def create_accumulator(self): return [""]
    def accumulate(self, acc, x):
        deed("accumulate", x)
        acc[0] = x
    def get_value(self, acc):
        deed("get_value", acc[0])
        return acc[0]
    def get_result_type(self): return DataTypes.STRING()
"""
RAISES = "raise ValueError('no card ' + str(x))"


def job(method, deed, more):
    kind, entry = ("scalar", "m:scalar") if method == "eval" else ("aggregate", "m:Total")
    spec = {"name": "f", "kind": kind, "entrypoint": entry, "code": {"inline": CODE.replace("METHOD", method).replace("DEED", deed)}, **more}
    expr = "MAX(f(k))" if kind == "scalar" else "f(k)"
    return f"""\
apiVersion: streamjob.dev/v1alpha1
kind: StreamJob
metadata: {{name: hidden}}
spec:
  source: {{stdin: {{}}}}
  columns: [{{name: k, type: STRING}}]
  functions: [{json.dumps(spec)}]
  window: {{tumbling: {{size: 1d}}}}
  aggregates: [{{name: s, expr: "{expr}"}}, {{name: c, expr: COUNT(*)}}]
  sinks: [{{stdout: {{}}}}]
  deadLetter: {{file: {{path: dead.jsonl}}}}
"""


# method, what it does, the function's policy, words that are there in any case
CASES = {
    "eval, NULL by policy": ("eval", RAISES, {"onError": "null"}, ["a function raised", "function=f method=eval"]),
    "eval, skipped": ("eval", RAISES, {"onError": "skip"}, ["a row is bad", "line 1", "function f, eval raised"]),
    "eval, dead letter": ("eval", RAISES, {"onError": "deadLetter"}, ["a row is bad", "line 1", "function f, eval raised"]),
    "eval, failure": ("eval", RAISES, {"onError": "fail"}, ["eval raised on the record at line 1"]),
    "accumulate, skipped": ("accumulate", RAISES, {"onError": "skip"}, ["a row is bad", "line 1", "function f, accumulate raised"]),
    "accumulate, failure": ("accumulate", RAISES, {"onError": "fail"}, ["accumulate raised on the record at line 1"]),
    "get_value, NULL by policy": ("get_value", RAISES, {"onError": "skip"}, ["a function raised", "method=get_value", "a result became NULL"]),
    "get_value, failure": ("get_value", RAISES, {"onError": "fail"}, ["a function failed", "method=get_value"]),
    "poison, skipped": ("accumulate", "os._exit(3)", {"onPoisonRow": "skip"}, ["a poison row was found", "a row is bad", "a function died on it"]),
    "poison, dead letter": ("eval", "os._exit(3)", {"onPoisonRow": "deadLetter"}, ["a poison row was found", "a row is bad", "a function died on it"]),
}


@pytest.mark.parametrize("name", CASES)
def test_no_value_is_shown(tree, name):
    method, deed, policy, words = CASES[name]
    tree.write("job.yaml", job(method, deed, policy))
    shown = tree.streamjob("run", "job.yaml", text=json.dumps({"k": SECRET}) + "\n")
    assert SECRET in shown.stderr, shown.stderr
    hidden = tree.streamjob("run", "job.yaml", "--hide-values", text=json.dumps({"k": SECRET}) + "\n")
    assert SECRET not in hidden.stderr, hidden.stderr
    for word in words:
        assert word in hidden.stderr, hidden.stderr
    assert hidden.returncode == shown.returncode == (1 if "failure" in name else 0)
    if "dead letter" in name:
        assert SECRET in (tree.folder / "dead.jsonl").read_text(), "letters have the record"
