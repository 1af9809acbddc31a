"""A module that PyFlink loads, loads here: its names, its job code at any level, functions made inside main()."""

import importlib
import inspect
import pathlib
import re
import typing

import pyflink
import pytest
from streamjob.inert import OPERATORS, ORDERS, WHERE, Inert, Lost, NoResult, where
from streamjob.worker_api import FunctionError, load

REAL = {  # what must not be inert
    "pyflink.table": "AggregateFunction AsyncScalarFunction DataTypes DataView FunctionContext ListView MapView Row RowKind "
                     "ScalarFunction TableAggregateFunction TableFunction UserDefinedType",
    "pyflink.table.udf": "ACC T AggregateFunction AsyncScalarFunction FunctionContext ImperativeAggregateFunction ScalarFunction "
                         "TableAggregateFunction TableFunction UserDefinedFunction UserDefinedFunctionWrapper udaf udf udtaf udtf DataType",
    "pyflink.table.types": "ArrayType AtomicType BigIntType BinaryType BooleanType CharType DataType DataTypes DateType DayTimeIntervalType "
                           "DecimalType DoubleType FloatType IntType ListViewType LocalZonedTimestampType MapType MapViewType MultisetType "
                           "NullType RawType Resolution Row RowField RowKind RowType SmallIntType TimeType TimestampType TinyIntType "
                           "UserDefinedType VarBinaryType VarCharType YearMonthIntervalType ZonedTimestampType",
    "pyflink.table.functions": "AggregateFunction ListView MapView",
    "pyflink.table.data_view": "DataView ListView MapView",
    "pyflink.common": "Configuration Row RowKind",
    "pyflink.common.types": "Row RowKind",
    "pyflink.metrics": "Counter Distribution Meter MetricGroup",
}  # fmt: skip


def test_every_name_of_every_module_is_there():
    count = 0
    for module, names in pyflink.names().items():
        loaded = importlib.import_module(module)
        for name in names:
            assert hasattr(loaded, name), f"{module}.{name}"
            count += 1
        assert set(loaded.__all__) <= set(names), module
    assert count > 1400


@pytest.mark.parametrize("module", REAL)
def test_what_functions_need_is_not_inert(module):
    for name in REAL[module].split():
        found = getattr(importlib.import_module(module), name)
        assert not isinstance(found, Inert) and not (isinstance(found, type) and issubclass(found, Inert)), name


def test_a_name_is_the_same_whatever_module_it_comes_by():
    from pyflink.table import Row, TableEnvironment
    from pyflink.table.table_environment import TableEnvironment as again
    from pyflink.table.types import Row as row

    assert TableEnvironment is again and Row is row


@pytest.mark.parametrize("module,name", [("pyflink.table", "TabelEnvironment"), ("pyflink.table.udf", "udff"), ("pyflink", "tables")])
def test_what_no_pyflink_has_is_an_import_error(module, name):
    with pytest.raises(ImportError):
        exec(f"from {module} import {name}")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("pyflink.table.no_such_module")


def test_where_the_job_file_says_it_is_known_for_every_module():
    assert all(where(module) for module in pyflink.names())
    known = [module for module in WHERE if not any(name.startswith(module) for name in ("pyflink", *pyflink.names()))]
    assert not known, "these begin no module"


FUNCTION = "\n@udf(result_type=DataTypes.BIGINT())\ndef f(i):\n    return i + 1\n"
HEAD = "from pyflink.table import DataTypes\nfrom pyflink.table.udf import udf\n"

# Job code as it stands in modules, at their level or in a main().
JOBS = {
    "a table environment": """
        from pyflink.table import EnvironmentSettings, TableEnvironment
        t_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
        t_env.get_config().set("parallelism.default", "1")
        t_env.create_temporary_function("f", f)
        t_env.execute_sql('''CREATE TABLE source (i BIGINT) WITH ('connector' = 'datagen')''')
        t_env.from_path("source").select(f(col("i")).alias("a"), col("i") + 1 > 2).execute_insert("sink").wait()
    """,
    "settings of older versions": """
        from pyflink.table import StreamTableEnvironment, EnvironmentSettings
        from pyflink.datastream import StreamExecutionEnvironment, TimeCharacteristic
        env = StreamExecutionEnvironment.get_execution_environment()
        env.set_stream_time_characteristic(TimeCharacteristic.EventTime)
        t_env = StreamTableEnvironment.create(env, environment_settings=EnvironmentSettings.new_instance().use_blink_planner().build())
    """,
    "a data stream": """
        from pyflink.common import WatermarkStrategy, Duration, Time
        from pyflink.common.typeinfo import Types
        from pyflink.datastream import StreamExecutionEnvironment, RuntimeExecutionMode, MapFunction, KeyedProcessFunction, OutputTag
        from pyflink.datastream.connectors.kafka import KafkaSource, KafkaOffsetsInitializer
        from pyflink.datastream.window import TumblingEventTimeWindows
        ROW_TYPE = Types.ROW_NAMED(["level", "n"], [Types.STRING(), Types.MAP(Types.INT(), Types.PICKLED_BYTE_ARRAY())])
        class Parse(MapFunction):
            def __init__(self, field):
                super().__init__()
                self.field = field
            def map(self, value):
                return value[self.field]
        class Count(KeyedProcessFunction):
            def process_element(self, value, ctx: 'KeyedProcessFunction.Context'):
                yield value
        env = StreamExecutionEnvironment.get_execution_environment()
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        source = KafkaSource.builder().set_bootstrap_servers("k:9092").set_starting_offsets(KafkaOffsetsInitializer.earliest()).build()
        ds = env.from_source(source, WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5)), "s")
        ds.map(Parse("a"), output_type=ROW_TYPE).key_by(lambda r: r[0]).window(TumblingEventTimeWindows.of(Time.seconds(5))).reduce(max)
        ds.process(Count()).print()
        assert Parse("a").map({"a": 7}) == 7 and not hasattr(Parse("a"), "other")
        env.execute("job")
    """,
    "configuration": """
        from pyflink.common import Configuration
        config = Configuration()
        config.set_string("a", "1").set_integer("n", 5)
        assert int(config.get_string("a", "0")) + config.get_integer("n", 0) + config.get_integer("m", 3) == 9
    """,
    "annotations": """
        from typing import List, Optional
        from pyflink.table import Table, TableEnvironment
        from pyflink.table.expression import Expression
        def register(t_env: TableEnvironment | None = None, more: Optional[Expression] = None, all: List[Table] = ()) -> "Table": pass
        register()
    """,
    "enumerations": """
        from pyflink.datastream import RuntimeExecutionMode
        from pyflink.table import ExplainDetail
        mode = RuntimeExecutionMode.STREAMING
        assert mode == RuntimeExecutionMode.STREAMING and mode != RuntimeExecutionMode.BATCH and mode in (RuntimeExecutionMode.STREAMING,)
        names = {ExplainDetail.JSON_EXECUTION_PLAN: 1}
    """,
    "exceptions": """
        from pyflink.util.exceptions import TableException
        try:
            {}["a"]
        except (TableException, KeyError):
            pass
    """,
    "windows, over and expressions": """
        from pyflink.table.expressions import lit, call, UNBOUNDED_RANGE, CURRENT_ROW
        from pyflink.table.window import Tumble, Over
        w = Tumble.over(lit(1).minutes).on(col("ts")).alias("w")
        o = Over.partition_by(col("a")).order_by(-col("ts")).preceding(UNBOUNDED_RANGE).alias("o")
        e = (col("a") == 1) & ~(lit("x") != col("b")) | (1 < col("c")) & call("f", col("a")).is_not_null
    """,
    "a script that reads its results": """
        from pyflink.table import TableEnvironment
        with TableEnvironment.create(None).execute_sql("SELECT 1").collect() as rows:
            for row in rows:
                print(row)
        print(TableEnvironment.create(None).from_path("x").to_pandas())
    """,
    "a script that ends itself": "import sys\nsys.exit(0)\n",
}


def indented(text, by):
    lines = [line for line in text.split("\n") if line.strip()]
    own = len(lines[0]) - len(lines[0].lstrip())
    return "".join(" " * by + line[own:] + "\n" for line in lines)


@pytest.mark.parametrize("name", list(JOBS))
def test_job_code_at_the_modules_level(name):
    text = HEAD + "from pyflink.table.expressions import *\nfrom pyflink.table import *\n" + FUNCTION + indented(JOBS[name], 0)
    assert load("m:f", text, "m.py", "scalar").eval(1) == 2


@pytest.mark.parametrize("name", list(JOBS))
def test_functions_made_inside_main(name):
    inside = indented(FUNCTION.replace("i + 1", "i + step"), 4) + indented(JOBS[name], 4)
    text = HEAD + f"from pyflink.table.expressions import col\ndef main(path, *rest, step=2):\n{inside}\nif __name__ == '__main__':\n    main()\n"
    text = text.replace("from pyflink.table.expressions import *", "")
    assert load("m:main.f", text, "m.py", "scalar").eval(1) == 3


def test_a_class_inside_a_function_inside_main():
    text = HEAD + (
        "from pyflink.table import ScalarFunction\n"
        "def main():\n"
        "    def make():\n"
        "        class F(ScalarFunction):\n"
        "            def eval(self, x):\n"
        "                return later(x)\n"
        "        f = udf(F(), result_type='INT')\n"
        "        return f\n"
        "    make()\n"
        "    def later(x):\n"
        "        return -x\n"
    )
    assert load("m:main.make.f", text, "m.py", "scalar").eval(4) == -4


def test_what_main_makes_is_said_to_be_there():
    text = HEAD + "def job():\n" + indented(FUNCTION, 4)
    with pytest.raises(FunctionError, match=r"m has no f: it is made inside job\(\); write m:job.f, or move it out"):
        load("m:f", text, "m.py", "scalar")
    with pytest.raises(FunctionError, match="m:job makes no g; it makes f"):
        load("m:job.g", text, "m.py", "scalar")
    with pytest.raises(FunctionError, match="m has no g; it has DataTypes, job, udf"):
        load("m:g", text, "m.py", "scalar")


def test_an_error_in_main_before_the_function_is_said():
    with pytest.raises(FileNotFoundError):
        load("m:main.f", HEAD + "def main():\n    open('/no/such')\n" + indented(FUNCTION, 4), "m.py", "scalar")


def test_where_the_modules_job_ends_is_said(capfd):
    load("m:f", HEAD + FUNCTION + indented(JOBS["a script that reads its results"], 0), "m.py", "scalar")
    said = capfd.readouterr().err
    assert re.search(r"m.py, line 8: this statement is left out: .*execute_sql\(\).collect\(\) has no result here: .*the job file: source", said)
    assert re.search(r"m.py, line 11: this statement is left out: .*from_path\(\).to_pandas\(\)", said)


RESULT = "from pyflink.table import TableEnvironment\nt = TableEnvironment.create(None).from_path('x')\nLIMITS = t.to_pandas()['x'].tolist()\n"


def test_what_comes_after_a_result_is_there():
    assert load("m:f", HEAD + RESULT + FUNCTION, "m.py", "scalar").eval(1) == 2


@pytest.mark.parametrize("use", ["LIMITS[i]", "i + LIMITS", "max(LIMITS)", "LIMITS.x", "LIMITS if i else i"])
def test_a_function_of_a_result_is_refused(use):
    with pytest.raises(FunctionError, match=r"m:f needs LIMITS \(line 5\), which asks this module's Flink job for a result"):
        load("m:f", HEAD + RESULT + FUNCTION.replace("i + 1", use), "m.py", "scalar")
    inner = FUNCTION.replace("i + 1", "g(i)") + f"\ndef g(i):\n    if i == {use}: pass\n    return bool({use})\n"
    function = load("m:f", HEAD + RESULT + inner, "m.py", "scalar")
    with pytest.raises(NoResult, match=r"LIMITS \(line 5\) has no result here"):
        function.eval(1)


def test_futures_and_the_docstring_are_the_modules():
    text = '"""What it is."""\nfrom __future__ import annotations\n' + HEAD + "doc = __doc__\ndef g(x: not_there): pass\n" + FUNCTION
    load("m:f", text, "m.py", "scalar")
    import sys

    assert sys.modules["m"].doc == "What it is." and sys.modules["m"].g.__annotations__ == {"x": "not_there"}


# What asks a job for a result.
ASKS = [
    "list(t.execute().collect())", "for x in t.execute(): pass", "t.to_pandas()", "len(t)", "int(t.x)", "float(t)", "1 in t", "[1, 2][t]",
    "ds.execute_and_collect()", "bool(t.a == 1)", "open(t)", "next(t)", "'a' if t.a > 1 else 'b'", "list(RowKinds)",
]  # fmt: skip


@pytest.mark.parametrize("text", ASKS)
def test_a_result_is_never_made_up(text, capfd):
    head = (
        "from pyflink.table import TableEnvironment, ResultKind as RowKinds\nfrom pyflink.datastream import DataStream\n"
        "t = TableEnvironment.create(None).from_path('x')\nds = DataStream(None)\n"
    )
    load("m:f", head + text + "\n" + HEAD + FUNCTION, "m.py", "scalar")
    assert "this statement is left out: " in (said := capfd.readouterr().err)
    assert "has no result here: StreamJob runs the functions of this module, not its Flink job; " in said
    with pytest.raises(NoResult):
        exec(head + text)


# The parameters' names, by which modules may call: PyFlink's.
PARAMETERS = {
    "table.udf:udf": "input_types result_type deterministic name func_type",
    "table.udf:udtf": "input_types result_types deterministic name",
    "table.udf:udaf": "input_types result_type accumulator_type deterministic name func_type",
    "table.udf:udtaf": "input_types result_type accumulator_type deterministic name func_type",
    "table:MapView.put_all": "dict_value",
    "table:ListView.add_all": "values",
    "table:DataTypes.ROW": "row_fields nullable",
    "table:DataTypes.DECIMAL": "precision scale nullable",
    "table:DataTypes.FIELD": "name data_type description",
    "table:DataTypes.MAP": "key_type value_type nullable",
    "table:FunctionContext.get_job_parameter": "key default_value",
    "metrics:MetricGroup.add_group": "name extra",
    "metrics:MetricGroup.meter": "name time_span_in_seconds",
    "metrics:MetricGroup.gauge": "name obj",
    "common:Configuration.get_string": "key default_value",
    "common:Configuration.from_dict": "map",
    "common:Row.set_field_names": "field_names",
    "common:Row.as_dict": "recursive",
}


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_parameters_have_pyflinks_names(name):
    module, _, path = name.partition(":")
    found = importlib.import_module("pyflink." + module)
    for part in path.split("."):
        found = getattr(found, part)
    assert set(PARAMETERS[name].split()) <= set(inspect.signature(found).parameters)


@pytest.mark.parametrize("name", [*OPERATORS, *ORDERS])
def test_an_inert_name_takes_every_operator_and_a_lost_one_none(name):
    from pyflink.table.expressions import col

    operands = [] if name in ("__neg__", "__pos__", "__abs__", "__invert__") else [2]
    assert isinstance(getattr(type(col("x")), name)(col("x"), *operands), Inert)
    with pytest.raises(NoResult):
        getattr(Lost, name)(Lost._of_result("limits (line 3)"), *operands)


def test_type_variables_and_generic_bases():
    from pyflink.table import AggregateFunction, ListView
    from pyflink.table.udf import ACC, T

    assert isinstance(T, typing.TypeVar) and isinstance(ACC, typing.TypeVar)
    assert issubclass(type("A", (AggregateFunction[T, ACC],), {}), AggregateFunction) and ListView[str]() == ListView()


def test_the_list_is_installed_with_the_package():
    makefile = (pathlib.Path(__file__).resolve().parents[3] / "Makefile").read_text()
    assert re.search(r"find python \\\( -name '\*.py' -o -name '\*.txt' \\\)", makefile)
