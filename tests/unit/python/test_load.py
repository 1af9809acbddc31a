"""What is wrong with a function is said when it is loaded, in a sentence; what is right is described."""

import copy
import textwrap

import pytest
from streamjob.worker_api import FunctionError, load

HEAD = "from pyflink.table import *\nfrom pyflink.table.udf import *\nfrom pyflink.common import Row\n"


def loaded(text, kind="scalar", name="f", **more):
    return load(f"m:{name}", HEAD + textwrap.dedent(text), "m.py", kind, **more)


AGGREGATE = """
class f(AggregateFunction):
    def create_accumulator(self): return [0]
    def accumulate(self, acc, x, y=1): acc[0] += x * y
    def get_value(self, acc): return acc[0]
    def get_result_type(self): return DataTypes.BIGINT()
"""

REFUSED = [
    ("a scalar with a row", "f = udf(lambda: 0, result_type='ROW<a INT>')", "scalar", "a result of type ROW<a INT> cannot be carried"),
    ("no such name", "g = 1", "scalar", "m has no f; it has .*g"),
    ("a vectorized function of rows as a table function", "f = udf(lambda x: x, result_type='ROW<a INT>', func_type='pandas')", "table",
     "m:f is vectorized: with kind: table a function takes a row at a time"),
    ("another kind", AGGREGATE, "scalar", "m:f is a AggregateFunction, but the job file says kind: scalar"),
    ("no get_value", AGGREGATE.replace("def get_value", "def value"), "aggregate",
     "m:f has no get_value; a function of kind aggregate needs create_accumulator, accumulate and get_value"),
    ("an aggregate without a base class and a method", "class f:\n    def accumulate(self, a): pass", "aggregate",
     "m:f has no create_accumulator and get_value"),
    ("a plain function as an aggregate", "def f(x): return x", "aggregate", "needs a AggregateFunction or udaf"),
    ("a constructor with arguments", AGGREGATE + "    def __init__(self, x): pass", "aggregate",
     "its __init__ needs arguments .*; name an instance instead"),
    ("no result type", "class f(ScalarFunction):\n    def eval(self, x): return x", "scalar",
     "does not say its result type"),
    ("a result that is no column", "f = udf(lambda x: x, result_type=DataTypes.BYTES())", "scalar",
     r"m:f: a result \(value\) of type BYTES cannot be carried yet; take or give a STRING"),
    ("a DECIMAL result", "f = udf(lambda x: x, result_type=DataTypes.DECIMAL(10, 2))", "scalar",
     r"m:f: a result \(value\) of type DECIMAL\(10, 2\) cannot be carried yet; .*`returns: \[\{name: value, type: DOUBLE\}\]` \(DOUBLE or STRING\)"),
    ("an ARRAY in a row", "f = udtf(lambda: 0, result_types='ROW<a INT, b ARRAY<INT>>')", "table",
     r"a result \(b\) of type ARRAY<INT> cannot be carried yet"),
    ("a DATE argument", "f = udf(lambda x: x, input_types='DATE', result_type='INT')", "scalar",
     r"m:f: argument 1 of type DATE cannot be carried yet; take a TIMESTAMP and call its date\(\), or a STRING"),
    ("a MAP argument", "f = udf(lambda x, y: x, input_types=['INT', 'MAP<STRING, INT>'], result_type='INT')", "scalar",
     "argument 2 of type MAP<STRING, INT> cannot be carried yet; take its parts"),
    ("more input_types than arguments",
     "f = udf(lambda x: x, input_types=[DataTypes.INT(), DataTypes.INT()], result_type='INT')", "scalar",
     "declares 2 input_types, but takes 1 arguments"),
    ("an unknown type text", "f = udf(lambda x: x, result_type='NUMBER')", "scalar", "'NUMBER' is not a type"),
    ("udaf of a plain function", "f = udaf(lambda x: x, result_type='INT')", "aggregate", "needs func_type='pandas'"),
    ("udf of a class", "class C(ScalarFunction):\n    def eval(self): pass\nf = udf(C, result_type='INT')", "scalar",
     "instance of ScalarFunction is expected"),
]  # fmt: skip


@pytest.mark.parametrize("name,text,kind,message", REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(name, text, kind, message):
    with pytest.raises((FunctionError, TypeError), match=message):
        loaded(text, kind)


def test_returns_must_have_as_many_fields():
    with pytest.raises(FunctionError, match="has 1 result fields .value., but the job file's `returns` has 2"):
        loaded(AGGREGATE, "aggregate", declared_results=[("a", "INT"), ("b", "INT")])


def test_missing_module():
    with pytest.raises(FunctionError, match="there is no module no_such_thing"):
        load("no_such_thing:f", None, None, "scalar")


def test_a_missing_import_of_the_module_keeps_its_own_error():
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        loaded("import no_such_package\nf = 1")


def test_entrypoint_without_a_colon():
    with pytest.raises(FunctionError, match="write it as module:name"):
        load("f", "", "m.py", "scalar")


ACCEPTED = [
    ("a class", AGGREGATE, "aggregate", {"arity": (1, 2), "result_fields": [("value", "BIGINT")], "row_result": False}),
    ("an instance", AGGREGATE.replace("class f", "class C") + "f = C()\n", "aggregate", {"arity": (1, 2)}),
    ("udaf of an instance", AGGREGATE.replace("class f", "class C") + "f = udaf(C(), result_type='DOUBLE')\n", "aggregate",
     {"result_fields": [("value", "DOUBLE")], "merge": None}),
    ("a lambda", "f = udf(lambda i, j: i + j, result_type='BIGINT')", "scalar", {"arity": (2, 2)}),
    ("a decorated function", "@udf(result_type='BIGINT', input_types=['INT', 'INT'])\ndef f(i, j): return i + j", "scalar",
     {"argument_types": ["INT", "INT"]}),
    ("any number of arguments", "f = udf(lambda *args: 1, result_type='INT')", "scalar", {"arity": (0, -1)}),
    ("udtf with two types", "@udtf(result_types=[DataTypes.STRING(), DataTypes.INT()])\ndef f(s):\n    yield s, 1", "table",
     {"result_fields": [("f0", "STRING"), ("f1", "INT")], "row_result": True}),
    ("a ROW of input types is the arguments", "f = udf(lambda i, j: 1, input_types=DataTypes.ROW([DataTypes.FIELD('a', 'INT'), "
     "DataTypes.FIELD('b', 'STRING')]), result_type='INT')", "scalar", {"argument_types": ["INT", "STRING"]}),
    ("an async function", "@udf(result_type='INT')\nasync def f(x): return x", "scalar", {"arity": (1, 1)}),
    ("an AsyncScalarFunction", "class F(AsyncScalarFunction):\n    async def eval(self, x): return x\nf = udf(F(), result_type='INT')",
     "scalar", {"arity": (1, 1)}),
    ("a vectorized function that asks for memoryviews", "@udf(result_type='INT', func_type='pandas')\ndef f(x: memoryview): return x",
     "scalar", {"func_type": "pandas", "columns": "memoryview"}),
    ("a vectorized function with an argument", "f = udf(lambda x: x, result_type='INT', func_type='pandas', columns='numpy')", "scalar",
     {"columns": "numpy"}),
    ("a vectorized function that says nothing: pandas is installed here", "f = udf(lambda x: x, result_type='INT', func_type='pandas')",
     "scalar", {"columns": "pandas"}),
]  # fmt: skip


@pytest.mark.parametrize("name,text,kind,expected", ACCEPTED, ids=[case[0] for case in ACCEPTED])
def test_accepted(name, text, kind, expected):
    function = loaded(text, kind)
    assert {key: getattr(function, key) for key in expected} == expected


# What `returns` of the job file makes of a result of a type that no column holds.
TURNED = [
    ("DECIMAL(10, 2)", "DOUBLE", "Decimal('0.705')", 0.71),
    ("DECIMAL(10, 2)", "STRING", "Decimal('7')", "7.00"),
    ("DECIMAL(10, 2)", "DOUBLE", "None", None),
    ("DECIMAL(38, 18)", "STRING", "Decimal('12345678901234567890.123456789012345678')", "12345678901234567890.123456789012345678"),
    ("DATE", "STRING", "date(2014, 9, 13)", "2014-09-13"),
    ("TIME", "STRING", "time(1, 2, 3)", "01:02:03"),
    ("ARRAY<INT>", "STRING", "[1, None]", "[1,null]"),
    ("MAP<STRING, ROW<a INT>>", "STRING", "{'k': Row(a=1)}", '{"k":{"a":1}}'),
    ("ROW<a INT, b ARRAY<ROW<c STRING>>>", "STRING", "Row(1, [Row('x'), None])", '{"a":1,"b":[{"c":"x"},null]}'),
    ("ARRAY<DECIMAL(10, 2)>", "STRING", "[Decimal('1.505'), Decimal('2.00')]", "[1.51,2]"),
    ("ARRAY<DECIMAL(38, 18)>", "STRING", "[Decimal('12345678901234567890.123456789012345678')]", '["12345678901234567890.123456789012345678"]'),
]


@pytest.mark.parametrize("own,column,value,expected", TURNED)
def test_returns_turns_what_no_column_holds(own, column, value, expected):
    text = f"from datetime import *\nfrom decimal import Decimal\nf = udf(lambda: {value}, result_type={own!r})"
    function = loaded(text, declared_results=[("value", column)])
    given = function.eval()
    assert given == expected if given is None else function.converters[0](given) == expected


@pytest.mark.parametrize("own,column", [("DECIMAL(10, 2)", "BIGINT"), ("DATE", "DOUBLE"), ("TIME", "TIMESTAMP"), ("BYTES", "STRING")])
def test_returns_turns_nothing_into_something_else(own, column):
    with pytest.raises(FunctionError, match="cannot be carried yet"):
        loaded(f"f = udf(lambda: 0, result_type={own!r})", declared_results=[("value", column)])


def test_a_float_is_no_decimal():
    function = loaded("f = udf(lambda: 0.1, result_type='DECIMAL(3, 2)')", declared_results=[("value", "DOUBLE")])
    with pytest.raises(TypeError, match="declared as DECIMAL, but the function gave float"):
        function.converters[0](function.eval())


def test_plain_function_with_returns():
    function = loaded("def f(x): return x * 2", declared_results=[("double", "BIGINT")])
    assert function.eval(4) == 8
    assert function.result_fields == [("double", "BIGINT")]


def test_placeholders_of_the_base_are_absent():
    function = loaded(AGGREGATE, "aggregate")
    assert function.merge is None and function.retract is None and function.open is None and function.save is None


def test_metrics_of_open():
    function = loaded("""
        class f(ScalarFunction):
            def open(self, context):
                self.seen = context.get_metric_group().add_group("rows").add_group("kind", "big").counter("seen")
                context.get_metric_group().gauge("broken", lambda: 1 / 0)
                self.limit = int(context.get_job_parameter("limit", "7"))
            def eval(self, x):
                self.seen.inc(2)
                return self.limit
        f = udf(f(), result_type="INT")
    """)
    function.open(function.context)
    assert function.eval(1) == 7
    assert function.metrics.samples() == [("rows_seen", "counter", (("kind", "big"),), 2.0)]


def test_metric_names_of_pyflink_are_mapped_and_stay_apart(capfd):
    function = loaded("""
        class f(ScalarFunction):
            def open(self, context):
                group = context.get_metric_group().add_group("my.rows")
                group.counter("a-b").inc(1)
                group.counter("a.b").inc(2)
                group.counter("a_b").inc(3)
                group.counter("a-b").inc(10)
                context.get_metric_group().gauge("1st", lambda: 4)
                context.get_metric_group().add_group("some-kind", "x y").counter("é").inc(5)
            def eval(self, x):
                return x
        f = udf(f(), result_type="INT")
    """)
    function.open(function.context)
    assert function.metrics.samples() == [
        ("my_rows_a_b", "counter", (), 11.0), ("my_rows_a_b_2", "counter", (), 2.0), ("my_rows_a_b_3", "counter", (), 3.0),
        ("_1st", "gauge", (), 4.0), ("_", "counter", (("some_kind", "x y"),), 5.0),
    ]  # fmt: skip
    said = capfd.readouterr().err
    assert said.count("'my.rows_a-b' is written as my_rows_a_b:") == 1 and "'1st' is written as _1st" in said


@pytest.mark.parametrize("name", ["get_task_name", "get_index_of_this_subtask", "get_number_of_parallel_subtasks", "get_attempt_number"])
def test_subtasks_are_not_made_up(name):
    with pytest.raises(RuntimeError, match="does not know which of Flink's subtasks it is"):
        getattr(loaded("f = udf(lambda: 1, result_type='INT')").context, name)()


def test_pandas_aggregate_sees_the_whole_window_once():
    import numpy

    function = loaded("f = udaf(lambda x, y: float((x * y).sum()), result_type='DOUBLE', func_type='pandas', columns='numpy')", "aggregate")
    acc, other = function.create_accumulator(), function.create_accumulator()
    kept = [["DOUBLE", bytearray(numpy.array(values).tobytes()), None, None] for values in ([1.0, 2.0], [3.0])]
    acc += [kept[0], copy.deepcopy(kept[0])]  # as the worker does
    other += [kept[1], copy.deepcopy(kept[1])]
    function.merge(acc, [other])
    assert function.get_value(acc) == 14.0
    assert function.get_value(function.create_accumulator()) is None
