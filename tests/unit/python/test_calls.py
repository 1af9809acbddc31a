"""Whole rows, and DISTINCT with partial accumulators."""

import pickle

import pytest
from streamjob.calls import Distinct
from streamjob.worker_api import FunctionError, load

HEAD = "from pyflink.table import *\nfrom pyflink.table.udf import *\nfrom pyflink.common import Row\n"
SUM = """
class f(AggregateFunction):
    def create_accumulator(self): return [0, 0]
    def accumulate(self, acc, *values):
        acc[0] += sum(v for v in values if v is not None and v == v)
        acc[1] += 1
    def get_value(self, acc): return tuple(acc)
    def get_result_type(self): return 'ROW<a DOUBLE, n BIGINT>'
"""


def distinct(text=SUM):
    return load("m:f", HEAD + text, "m.py", "aggregate", form=(True, False, ["v"]))


def test_two_partial_accumulators_become_one_of_what_both_had():
    function = distinct()
    assert function.merge, "without one of the function's own"
    one, other = function.create_accumulator(), function.create_accumulator()
    for v in (1, 2, 2, None):
        function.accumulate(one, v)
    for v in (2, 3, None, None):
        function.accumulate(other, v)
    function.merge(one, [function.load(function.save(other))])
    assert function.get_value(one) == (6, 4)


def test_nan_is_one_value_and_no_null():
    function = distinct()
    acc = function.create_accumulator()
    for v in (float("nan"), float("nan"), None, "nan"[:0] or 0.0):
        function.accumulate(acc, v)
    assert function.get_value(acc) == (0, 3)


def test_a_value_on_which_accumulate_raised_counts_as_not_seen():
    function = distinct(SUM.replace("acc[1] += 1", "acc[1] += 1 if acc[1] or values[0] != 7 else 1 // 0"))
    acc = function.create_accumulator()
    with pytest.raises(ZeroDivisionError):
        function.accumulate(acc, 7)
    function.accumulate(acc, 1)
    function.accumulate(acc, 7)
    assert function.get_value(acc)[1] == 2


def test_what_a_function_saves_itself_stays_its_own():
    own = SUM + "    def save(self, acc): return repr(acc).encode()\n    def load(self, data): return eval(data)\n"
    function = distinct(own)
    acc = function.create_accumulator()
    function.accumulate(acc, 5)
    saved = function.save(acc)
    assert pickle.loads(saved)[0] == b"[5, 1]" and isinstance(function.load(saved), Distinct)
    assert function.get_value(function.load(saved)) == (5, 1)


@pytest.mark.parametrize("columns", ["pandas", "numpy", "memoryview"])
def test_whole_columns(columns):
    import array

    text = f"f = udaf(lambda v: float(sum(v)), result_type='DOUBLE', func_type='pandas', columns={columns!r})"
    function = distinct(text)
    kept = [["DOUBLE", bytearray(array.array("d", [1, 2, 2, 1, 4]).tobytes()), None, None]]
    assert function.get_value(kept) == 7.0 and function.get_value([]) is None


def test_a_vectorized_accumulate_is_refused():
    with pytest.raises(FunctionError, match="takes whole columns: DISTINCT does not go with it"):
        distinct(SUM.replace("class f", "class C") + "f = udaf(C(), func_type='pandas')\n")


ROWS = [
    ("by annotation", "@udf(result_type='INT')\ndef f(r: Row): return r", (False, False, ["a", "b"]), "Row(a=1, b=2)", (1, -1)),
    ("by its text", "@udf(result_type='INT')\ndef f(r: 'pyflink.common.Row'): return r", (False, False, ["a", ""]), "Row(a=1, f1=2)", (1, -1)),
    ("names that differ between calls", "@udf(result_type='INT')\ndef f(r: Row): return r", (False, False, []), "Row(f0=1, f1=2)", (1, -1)),
    ("input_types", "f = udf(lambda r: r, input_types='ROW<x INT, y INT>', result_type='INT')", (False, False, ["a", "b"]), None, None),
    ("input_types as a RowType", "f = udf(lambda r: r, input_types=DataTypes.ROW([DataTypes.FIELD('x', 'INT'), DataTypes.FIELD('y', 'INT')]), "
     "result_type='INT')", (False, False, ["a", "b"]), "Row(x=1, y=2)", (2, 2)),
    ("the job file", "f = udf(lambda r: r, result_type='INT')", (False, True, ["a", "b"]), "Row(a=1, b=2)", (1, -1)),
    ("a method", "class F(ScalarFunction):\n    def eval(self, r: Row): return r\nf = udf(F(), result_type='INT')", (False, False, ["a", "b"]),
     "Row(a=1, b=2)", (1, -1)),
]  # fmt: skip


@pytest.mark.parametrize("name,text,form,expected,arity", ROWS, ids=[case[0] for case in ROWS])
def test_a_row(name, text, form, expected, arity):
    if expected is None:  # one argument of type ROW, which no column holds
        with pytest.raises(FunctionError, match="argument 1 of type ROW<x INT, y INT> cannot be carried yet"):
            load("m:f", HEAD + text, "m.py", "scalar", form=form)
        return
    function = load("m:f", HEAD + text, "m.py", "scalar", form=form)
    assert repr(function.eval(1, 2)) == expected and function.arity == arity


def test_one_argument_stays_what_it_is():
    function = load("m:f", HEAD + "@udf(result_type='INT')\ndef f(r): return r", "m.py", "scalar", form=(False, False, ["a"]))
    assert function.eval(7) == 7 and function.arity == (1, 1)
