"""Modules as they are written for PyFlink, unchanged, in a job file: what PyFlink gives is what is given here."""

import json

import pytest

BASE = "from pyflink.table import DataTypes\nfrom pyflink.table.udf import udf, udtf, udaf, udtaf\nfrom pyflink.common import Row\n"


def job(kind="scalar", columns="v BIGINT", entrypoint="module:f", **more):
    """One function `fn` of all the columns; its results are r, or those of `names`."""
    pairs = [column.split() for column in columns.split(", ")]
    names = more.pop("names", ["r"])
    call = more.pop("call", f"fn({', '.join(name for name, _ in pairs if name != 'k')})")
    window = more.pop("window", "366d")
    spec = {
        "source": {"stdin": {}},
        "columns": [{"name": name, "type": kind_of} for name, kind_of in pairs],
        "functions": [{"name": "fn", "kind": kind, "entrypoint": entrypoint, "code": {"path": "module.py"}, **more}],
        "window": {"tumbling": {"size": window}},
        "sinks": [{"stdout": {}}],
    }
    if kind == "scalar":
        spec |= {"select": [{"name": "r", "expr": call}], "groupBy": ["r"]}
    if kind == "table":
        spec |= {"lateral": [{"expr": call, "columns": names}], "groupBy": names}
    if kind in ("scalar", "table"):
        spec["aggregates"] = [{"name": "c", "expr": "COUNT(*)"}]
    elif len(names) > 1 or kind == "tableAggregate":
        spec["aggregates"] = [{"columns": names, "expr": call}]
    else:
        spec["aggregates"] = [{"name": "r", "expr": call}]
    if "k" in dict(pairs):
        spec["groupBy"] = ["k", *(spec.get("groupBy") or [])]
    return json.dumps({"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "j"}, "spec": spec})


def run(tree, module, events, **more):
    tree.write("module.py", BASE + module)
    tree.write("job.yaml", job(**more))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", text="".join(json.dumps(e) + "\n" for e in events))
    rows = [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return done, [{k: v for k, v in row.items() if k not in ("window_start", "window_end", "c")} for row in rows]


def given(rows):
    return sorted(rows, key=json.dumps)


SCALAR = {
    "a job at the module's level": (
        "from pyflink.table import EnvironmentSettings, TableEnvironment\n"
        "t_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())\n"
        "t_env.get_config().set('parallelism.default', '1')\n"
        "@udf(result_type=DataTypes.BIGINT())\ndef f(i): return i + 1\n"
        "t_env.create_temporary_function('f', f)\nt_env.execute_sql('INSERT INTO s SELECT f(i) FROM t').wait()\n",
        {}, [1], [2]),
    "a function of a main": (
        "def main(argv):\n    @udf(result_type=DataTypes.STRING())\n    def f(s): return str(s) + '!'\n    argv.parse()\n",
        {"entrypoint": "module:main.f"}, [1], ["1!"]),
    "a float for a BIGINT is cut off": (
        "@udf(result_type=DataTypes.BIGINT())\ndef f(i): return i / 2\n", {}, [5, -5, 4], [-2, 2]),
    "a float for an INT too": ("@udf(result_type='INT')\ndef f(i): return i * 1.0\n", {}, [5], [5]),
    "an int for a BOOLEAN": ("@udf(result_type=DataTypes.BOOLEAN())\ndef f(i): return i\n", {}, [0, 2], [False, True]),
    "a wrapper's function": (
        "@udf(result_type='STRING')\ndef clean(s): return str(s)\n"
        "@udf(result_type='STRING')\ndef f(s): return clean._func(s) + clean._name\n", {}, [1], ["1clean"]),
    "a wrapper with an alias": ("f = udf(lambda i: i, result_type='BIGINT', name='same').alias('x')\n", {}, [1], [1]),
    "a TypeVar, and the classes of types": (
        "from pyflink.table.udf import ACC, T, ScalarFunction\nfrom pyflink.table.types import BigIntType\n"
        "class F(ScalarFunction):\n    def eval(self, x: ACC) -> T: return x\nf = udf(F(), input_types=[BigIntType()], result_type=BigIntType())\n",
        {}, [3], [3]),
    "async def": (
        "import asyncio\n@udf(result_type='STRING')\nasync def f(v):\n    await asyncio.sleep(0.001 * (5 - v))\n    return 'got ' + str(v)\n",
        {}, [1, 2, 3], ["got 1", "got 2", "got 3"]),
    "an AsyncScalarFunction": (
        "from pyflink.table.udf import AsyncScalarFunction\nclass Look(AsyncScalarFunction):\n"
        "    def open(self, context): self.more = 10\n    async def eval(self, v): return v + self.more\nf = udf(Look(), result_type='BIGINT')\n",
        {}, [1], [11]),
    "an async function that raises for a row": (
        "@udf(result_type='BIGINT')\nasync def f(v): return 6 // v\n", {"onError": "null"}, [0, 2], [None, 3]),
    "rows at the same time": (
        "import asyncio\nseen = []\n@udf(result_type='BIGINT')\nasync def f(v):\n    seen.append(v)\n"
        "    while len(seen) < 3: await asyncio.sleep(0.001)\n    return v\n", {}, [1, 2, 3], [1, 2, 3]),
    "a whole float of pandas for a BIGINT": (
        "@udf(result_type='BIGINT', func_type='pandas')\ndef f(x): return x.fillna(0) + 1\n", {}, [3, None], [1, 4]),
    "a pandas column that is changed in place": (
        "@udf(result_type='BIGINT', func_type='pandas')\ndef f(x):\n    x[x > 2] = 0\n    x += 1\n    return x\n", {}, [1, 3], [1, 2]),
    "pandas dtypes as declared": (
        "import numpy as np, pandas as pd\n@udf(input_types=[DataTypes.TINYINT(), DataTypes.SMALLINT(), DataTypes.FLOAT()],\n"
        "     result_type=DataTypes.STRING(), func_type='pandas')\ndef f(a, b, c):\n"
        "    return pd.Series([f'{a.dtype} {b.dtype} {c.dtype}'] * len(a), dtype=object)\n",
        {"columns": "v INT, b INT, d DOUBLE"}, [1], ["int8 int16 float32"]),
    "numpy's own types": (
        "import numpy as np\n@udf(result_type='BOOLEAN', func_type='pandas')\n"
        "def f(x): return x.map(lambda _: isinstance(x[0], np.int64))\n", {}, [1], [True]),
    "a DECIMAL that the job file makes a DOUBLE": (
        "from decimal import Decimal\n@udf(result_type=DataTypes.DECIMAL(10, 2))\ndef f(i): return Decimal(i) * Decimal('1.005')\n",
        {"returns": [{"name": "r", "type": "DOUBLE"}]}, [1], [1.01]),
    "a ROW that the job file makes JSON": (
        "@udf(result_type='ROW<id BIGINT, twice BIGINT>')\ndef f(i): return Row(i, i * 2)\n",
        {"returns": [{"name": "r", "type": "STRING"}]}, [4], ['{"id":4,"twice":8}']),
    "a DataFrame that the job file makes JSON": (
        "import pandas as pd\n@udf(result_type='ROW<a BIGINT, b BIGINT>', func_type='pandas')\n"
        "def f(x): return pd.concat([x, (x * 2).rename('b')], axis=1)\n",
        {"returns": [{"name": "r", "type": "STRING"}]}, [3], ['{"a":3,"b":6}']),
    "an ARRAY that the job file makes JSON": (
        "@udf(result_type=DataTypes.ARRAY(DataTypes.BIGINT()))\ndef f(i): return [i, None]\n",
        {"returns": [{"name": "r", "type": "STRING"}]}, [1], ["[1,null]"]),
}  # fmt: skip


@pytest.mark.parametrize("case", list(SCALAR))
def test_scalar(tree, case):
    module, more, values, expected = SCALAR[case]
    done, rows = run(tree, module, [{"v": v, "b": 1, "d": 1.5} for v in values], **more)
    assert done.returncode == 0, done.stderr
    assert given(rows) == given({"r": r} for r in expected)


WEIGHTED = """
from pyflink.table import AggregateFunction
class WeightedAvg(AggregateFunction):
    def create_accumulator(self): return Row(0, 0)
    def get_value(self, accumulator): return accumulator[0] / accumulator[1] if accumulator[1] else None
    def accumulate(self, accumulator, value, weight):
        accumulator[0] += value * weight
        accumulator[1] += weight
    def get_result_type(self): return 'BIGINT'
    def get_accumulator_type(self): return 'ROW<f0 BIGINT, f1 BIGINT>'
f = udaf(WeightedAvg())
"""


def test_the_weighted_average_of_flinks_documentation(tree):
    done, rows = run(tree, WEIGHTED, [{"k": "a", "v": 2, "w": 1}, {"k": "a", "v": 5, "w": 1}], kind="aggregate",
                     columns="k STRING, v BIGINT, w INT")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert rows == [{"k": "a", "r": 3}]


# What is refused is refused by validate and by run, in the same sentence.
REFUSED = {
    "a function of a main, without its name": (
        "def main():\n    @udf(result_type='STRING')\n    def f(s): return s\n", {},
        "module has no f: it is made inside main(); write module:main.f, or move it out"),
    "a DECIMAL argument": (
        "@udf(input_types=[DataTypes.DECIMAL(10, 2)], result_type='STRING')\ndef f(net): return str(net)\n", {},
        "module:f: argument 1 of type DECIMAL(10, 2) cannot be carried yet; take a DOUBLE, BIGINT or STRING and make the Decimal"),
    "an ARRAY argument": (
        "@udf(input_types='ARRAY<INT>', result_type='STRING')\ndef f(xs): return str(xs)\n", {},
        "module:f: argument 1 of type ARRAY<INT> cannot be carried yet; take its parts as arguments"),
    "a DECIMAL result": (
        "@udf(result_type=DataTypes.DECIMAL(10, 2))\ndef f(i): return i\n", {},
        "module:f: a result (value) of type DECIMAL(10, 2) cannot be carried yet; the job file can say what it becomes"),
    "a MAP result": ("@udf(result_type='MAP<STRING, INT>')\ndef f(i): return {}\n", {}, "a result (value) of type MAP<STRING, INT> cannot"),
    "BYTES": ("@udf(result_type='BYTES')\ndef f(i): return b''\n", {}, "of type BYTES cannot be carried yet; take or give a STRING"),
    "a DATE": ("@udf(result_type='DATE')\ndef f(i): return None\n", {}, "of type DATE cannot be carried yet; the job file can say"),
    "a TIME": ("@udf(result_type='TIME')\ndef f(i): return None\n", {}, "of type TIME(0) cannot be carried yet; the job file can say"),
    "a type of the data stream API": (
        "from pyflink.common.typeinfo import Types\n@udf(result_type=Types.STRING())\ndef f(i): return str(i)\n", {},
        "a type is one of DataTypes or its SQL text"),
    "a job's result in the module": (
        "from pyflink.table import TableEnvironment\nLIMITS = dict(TableEnvironment.create(None).execute_sql('x').collect())\n"
        "@udf(result_type='INT')\ndef f(i): return LIMITS[i]\n", {},
        "module:f needs LIMITS (line 5), which asks this module's Flink job for a result"),
    "a name that PyFlink does not have": ("from pyflink.table import Tabel\n", {}, "cannot import name 'Tabel' from 'pyflink.table'"),
    "a package that is not there": ("import no_such_package\n", {}, "No module named 'no_such_package'"),
    "a text that does not parse": ("def f(:\n", {}, "SyntaxError"),
    "an error of the module": ("{}['a']\n", {}, "KeyError: 'a'"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused_at_once(tree, case):
    module, more, sentence = REFUSED[case]
    done, _ = run(tree, module, [{"v": 1}], **more)
    assert done.returncode == 2 and sentence in done.stderr, done.stderr
    assert "worker_api" not in done.stderr, "a traceback has the author's frames alone"
    assert "restarting" not in done.stderr and "given up" not in done.stderr, "a module does not mend itself"
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 1 and "spec.functions[0].entrypoint: " in done.stderr and sentence in done.stderr


def test_what_may_come_right_is_tried_again(tree):
    """open() speaks to others."""
    module = (
        "import os, pathlib\nfrom pyflink.table import ScalarFunction\nclass F(ScalarFunction):\n"
        "    def open(self, context):\n        pathlib.Path('tries').open('a').write('x')\n"
        "        if len(pathlib.Path('tries').read_text()) < 3: raise OSError('not there yet')\n"
        "    def eval(self, v): return v\nf = udf(F(), result_type='BIGINT')\n"
    )
    done, rows = run(tree, module.replace("'tries'", repr(str(tree.folder / "tries"))), [{"v": 1}])
    assert (done.returncode, rows) == (0, [{"r": 1}]), done.stderr
    assert done.stderr.count("restarting") == 2 and "not there yet" in done.stderr


def test_a_fraction_of_pandas_is_no_whole_number(tree):
    done, _ = run(tree, "@udf(result_type='BIGINT', func_type='pandas')\ndef f(x): return x / 2\n", [{"v": 3}])
    assert done.returncode == 1 and "declared as whole numbers, but the function gave 1.5" in done.stderr, done.stderr


def test_an_async_function_that_hangs_is_late_as_any_other(tree):
    module = "import asyncio\n@udf(result_type='BIGINT')\nasync def f(v):\n    if v == 7: await asyncio.sleep(1000)\n    return v\n"
    done, rows = run(tree, module, [{"v": v} for v in range(10)], timeout="1s", onPoisonRow="skip")
    assert done.returncode == 0 and "did not come back within timeout" in done.stderr, done.stderr
    assert given(rows) == given({"r": v} for v in range(10) if v != 7)


def test_what_an_async_function_raises_is_the_rows(tree):
    module = "@udf(result_type='BIGINT')\nasync def f(v):\n    return {}[v]\n"
    done, _ = run(tree, module, [{"v": 7}])
    assert done.returncode == 1 and "KeyError: 7" in done.stderr and "with (7)" in done.stderr and "in f" in done.stderr, done.stderr


# Whole rows: kind, columns, how it is called, the module, the results' names, and what one row {"k": "x", "v": 2, "s": "be or"} gives.
SUM_OF_ROW = """
from pyflink.table import AggregateFunction
class Sum(AggregateFunction):
    def create_accumulator(self): return Row(0, "")
    def accumulate(self, acc, row: Row):
        acc[0] += row.v
        acc[1] += row["s"]
    def merge(self, acc, others):
        for other in others: acc[0] += other[0]
    def get_value(self, acc): return acc
    def get_result_type(self): return "ROW<a BIGINT, b STRING>"
    def get_accumulator_type(self): return "ROW<a BIGINT, b STRING>"
f = udaf(Sum())
"""
WHOLE = {
    "an annotation": ("table", "fn(s)", "@udtf(result_types=[DataTypes.STRING()])\ndef f(line: Row):\n    for w in line[0].split(): yield Row(w)\n",
                      ["word"], [{"word": "be"}, {"word": "or"}]),
    "an annotation as text": ("table", "fn(s)", "@udtf(result_types='STRING')\ndef f(line: 'Row'):\n    return [line.s]\n",
                              ["word"], [{"word": "be or"}]),
    "a ROW as input_types": ("scalar", "fn(v, s)", "f = udf(lambda r: f'{r.n}{r[1]}', result_type='STRING', input_types=DataTypes.ROW(["
                             "DataTypes.FIELD('n', DataTypes.BIGINT()), DataTypes.FIELD('t', DataTypes.STRING())]))\n", ["r"], [{"r": "2be or"}]),
    "a ROW as input_types of a function of two": (
        "scalar", "fn(v, s)", "f = udf(lambda n, t: f'{n}{t}', result_type='STRING', input_types=DataTypes.ROW(["
        "DataTypes.FIELD('n', DataTypes.BIGINT()), DataTypes.FIELD('t', DataTypes.STRING())]))\n", ["r"], [{"r": "2be or"}]),
    "a star": ("scalar", "fn(*)", "@udf(result_type='STRING')\ndef f(r): return repr(r)\n", ["r"], [{"r": "Row(k='x', v=2, s='be or')"}]),
    "some columns": ("scalar", "fn(ROW(s, v + 1, k))", "@udf(result_type='STRING')\ndef f(r): return repr(r)\n", ["r"],
                     [{"r": "Row(s='be or', f1=3, k='x')"}]),
    "one column": ("scalar", "fn(ROW(s))", "@udf(result_type='STRING')\ndef f(r): return r.s + str(len(r))\n", ["r"], [{"r": "be or1"}]),
    "any number of arguments": ("scalar", "fn(*)", "@udf(result_type='INT')\ndef f(*args): return len(args[0])\n", ["r"], [{"r": 3}]),
    "an async function": ("scalar", "fn(*)", "@udf(result_type='STRING')\nasync def f(r): return r.k\n", ["r"], [{"r": "x"}]),
    "whole columns": ("scalar", "fn(*)", "@udf(result_type='BIGINT', func_type='pandas')\ndef f(df): return df.v + len(df.columns)\n",
                      ["r"], [{"r": 5}]),
    "an annotated DataFrame": ("scalar", "fn(v, s)", "import pandas as pd\n@udf(result_type='BIGINT', func_type='pandas')\n"
                               "def f(df: pd.DataFrame) -> pd.Series: return df.v * 2\n", ["r"], [{"r": 4}]),
    "a scalar function as map has it": (
        "table", "fn(v, s)", "@udf(result_type='ROW<a BIGINT, b STRING>')\ndef f(v, s): return Row(v + 1, s)\n", ["a", "b"], [{"a": 3, "b": "be or"}]),
    "map with a whole row": (
        "table", "fn(*)", "@udf(result_type='ROW<a BIGINT, b STRING>')\ndef f(r: Row) -> Row: return Row(b=r.s, a=r.v)[1], r.k\n", ["a", "b"],
        [{"a": 2, "b": "x"}]),
    "an aggregate of a DataFrame": (
        "aggregate", "fn(ROW(v))", "import pandas as pd\nf = udaf(lambda df: (df.v.mean(), df.v.max()), result_type=DataTypes.ROW(["
        "DataTypes.FIELD('mean', DataTypes.FLOAT()), DataTypes.FIELD('most', DataTypes.INT())]), func_type='pandas')\n",
        ["mean", "most"], [{"k": "x", "mean": 2.0, "most": 2}]),
    "an aggregate that gives a DataFrame": (
        "aggregate", "fn(v)", "import pandas as pd\n@udaf(result_type='ROW<a BIGINT, b BIGINT>', func_type='pandas')\n"
        "def f(df: pd.DataFrame): return pd.DataFrame({'a': [df.v.sum()], 'b': [len(df)]})\n", ["a", "b"], [{"k": "x", "a": 2, "b": 1}]),
    "an aggregate of a Row": ("aggregate", "fn(v, s)", SUM_OF_ROW, ["a", "b"], [{"k": "x", "a": 2, "b": "be or"}]),
}  # fmt: skip


@pytest.mark.parametrize("case", list(WHOLE))
def test_whole_rows(tree, case):
    kind, call, module, names, expected = WHOLE[case]
    done, rows = run(tree, module, [{"k": "x", "v": 2, "s": "be or"}], kind=kind, columns="k STRING, v BIGINT, s STRING", call=call, names=names)
    assert done.returncode == 0, done.stderr
    if kind != "aggregate":
        rows = [{name: row[name] for name in names} for row in rows]
    assert given(rows) == given(expected)


def test_a_whole_row_for_a_function_of_two_is_refused(tree):
    done, _ = run(tree, "@udf(result_type='INT')\ndef f(a, b): return 1\n", [{"v": 1}], call="fn(*)")
    assert done.returncode == 2 and "module:f takes 2 arguments, but the job file calls it with a whole row" in done.stderr, done.stderr


FORMS = {
    "a whole row and none": ("fn(v)", "fn(*)"),
    "rows of other fields": ("fn(ROW(v))", "fn(ROW(k))"),
}


@pytest.mark.parametrize("case", list(FORMS))
def test_one_function_is_called_in_one_form(tree, case):
    one, other = FORMS[case]
    done, _ = run(tree, "@udf(result_type='STRING')\ndef f(r): return str(r)\n", [], call=f"{one} || {other}", columns="k STRING, v BIGINT")
    assert done.returncode == 2 and "spec.functions[0].name: fn is called with DISTINCT and without, or with a whole row" in done.stderr
    assert "give it a second name" in done.stderr


SUMS = """
from pyflink.table import AggregateFunction
class Sum(AggregateFunction):
    def create_accumulator(self): return [0, 0]
    def accumulate(self, acc, v, w=0):
        acc[0] += v or 0
        acc[1] += 1
    def get_value(self, acc): return acc[0] * 100 + acc[1]
    def get_result_type(self): return DataTypes.BIGINT()
    def get_accumulator_type(self): return DataTypes.ARRAY(DataTypes.BIGINT())
f = udaf(Sum())
"""
PANDAS_SUM = "f = udaf(lambda v: int(v.sum()) * 100 + len(v), result_type='BIGINT', func_type='pandas')\n"
DISTINCT = {
    "a class": (SUMS, "fn(DISTINCT v)", 303),
    "two arguments": (SUMS, "fn(DISTINCT v, w)", 504),
    "with a filter": (SUMS, "fn(DISTINCT v) FILTER (WHERE v = 2)", 201),
    "whole columns": (PANDAS_SUM, "fn(DISTINCT v)", 303),
}


@pytest.mark.parametrize("case", list(DISTINCT))
@pytest.mark.parametrize("lanes", ["1", "2"])
def test_distinct(tree, case, lanes):
    """One group over two files: with two lanes two partial accumulators become one."""
    module, call, expected = DISTINCT[case]
    rows = [{"k": "a", "v": v, "w": w} for v, w in ((1, 1), (2, 1), (2, 2), (1, 1), (2, 1), (None, 1), (None, 1))]
    tree.write("module.py", BASE + module)
    tree.write("job.yaml", job(kind="aggregate", columns="k STRING, v BIGINT, w INT", call=call))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", "--lanes", lanes, text="".join(json.dumps(r) + "\n" for r in rows))
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["r"] for line in done.stdout.splitlines()] == [expected]
