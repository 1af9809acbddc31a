"""Modules as people write them for PyFlink, in the forms that Flink's documentation and tests use, unchanged."""

import pickle

import pytest
from streamjob.results import emitted, row_values, to_json
from streamjob.worker_api import FunctionError, describe, load

WEIGHTED_AVERAGE = '''
from pyflink.common import Row
from pyflink.table import AggregateFunction, DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.expressions import call
from pyflink.table.udf import udaf
from pyflink.table.window import Tumble


class WeightedAvg(AggregateFunction):

    def create_accumulator(self):
        return Row(0, 0)

    def get_value(self, accumulator):
        if accumulator[1] == 0:
            return None
        else:
            return accumulator[0] / accumulator[1]

    def accumulate(self, accumulator, value, weight):
        accumulator[0] += value * weight
        accumulator[1] += weight

    def retract(self, accumulator, value, weight):
        accumulator[0] -= value * weight
        accumulator[1] -= weight

    def merge(self, accumulator, accumulators):
        for other in accumulators:
            accumulator[0] += other[0]
            accumulator[1] += other[1]

    def get_result_type(self):
        return 'DOUBLE'

    def get_accumulator_type(self):
        return 'ROW<f0 BIGINT, f1 BIGINT>'


weighted_avg = udaf(WeightedAvg())

if __name__ == '__main__':
    t_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
'''


def run(function, groups):
    """Two partial accumulators a group, combined as two lanes' are."""
    results = []
    for rows in groups:
        accumulators = [function.create_accumulator(), function.create_accumulator()]
        for i, row in enumerate(rows):
            function.accumulate(accumulators[i % 2], *row)
        accumulators[1] = pickle.loads(pickle.dumps(accumulators[1]))
        function.merge(accumulators[0], [accumulators[1]])
        results.append(accumulators[0])
    return results


@pytest.mark.parametrize("name", ["WeightedAvg", "weighted_avg"])
def test_weighted_average(name):
    function = load(f"weighted:{name}", WEIGHTED_AVERAGE, "weighted.py", "aggregate")
    assert function.arity == (2, 2)
    (state, nothing) = run(function, [[(10, 1), (20, 3), (5, 0)], []])
    assert function.get_value(state) == 17.5
    assert function.get_value(nothing) is None


TOP2 = '''
from pyflink.common import Row
from pyflink.table import DataTypes, TableAggregateFunction, ListView, MapView
from pyflink.table.udf import udtaf, udtf, udf


class Top2(TableAggregateFunction):
    def emit_value(self, accumulator):
        yield Row(accumulator[0])
        yield Row(accumulator[1])

    def create_accumulator(self):
        return [None, None]

    def accumulate(self, accumulator, *args):
        if args[0] is not None:
            if accumulator[0] is None or args[0] > accumulator[0]:
                accumulator[1] = accumulator[0]
                accumulator[0] = args[0]
            elif accumulator[1] is None or args[0] > accumulator[1]:
                accumulator[1] = args[0]

    def merge(self, accumulator, accumulators):
        for other_acc in accumulators:
            self.accumulate(accumulator, other_acc[0])
            self.accumulate(accumulator, other_acc[1])

    def get_accumulator_type(self):
        return DataTypes.ARRAY(DataTypes.BIGINT())

    def get_result_type(self):
        return DataTypes.ROW([DataTypes.FIELD("a", DataTypes.BIGINT())])


top2 = udtaf(Top2())


class CountDistinct(TableAggregateFunction):
    def create_accumulator(self):
        return Row(MapView(), ListView(), 0)

    def accumulate(self, accumulator, word):
        if accumulator[0].is_empty() or word not in accumulator[0] or accumulator[0][word] is None:
            accumulator[0][word] = 1
            accumulator[2] += 1
        else:
            accumulator[0][word] += 1
        accumulator[1].add(word)

    def merge(self, accumulator, accumulators):
        for other in accumulators:
            accumulator[0].put_all(other[0])
            accumulator[1].add_all(other[1])
            accumulator[2] = len([k for k in accumulator[0].keys()])

    def emit_value(self, accumulator):
        keys = iter(accumulator[0].keys())
        for key in keys:
            if key == "drop":
                keys.remove()
        yield ",".join(sorted(k for k in accumulator[0])), "-".join(accumulator[1]), accumulator[2]

    def get_result_type(self):
        return DataTypes.ROW([DataTypes.FIELD("a", DataTypes.STRING()), DataTypes.FIELD("b", DataTypes.STRING()),
                              DataTypes.FIELD("c", DataTypes.BIGINT())])


@udtf(result_types=[DataTypes.STRING(), DataTypes.INT()])
def split(text):
    for word in text.split(","):
        yield word, len(word)


@udtf(result_types=DataTypes.INT())
def numbers(n):
    return range(n)


@udf(result_type=DataTypes.ROW([DataTypes.FIELD("id", DataTypes.BIGINT()), DataTypes.FIELD("data", DataTypes.STRING())]))
def both(id, data):
    return Row(id=id, data=data * 2)
'''


def test_top2():
    function = load("top:top2", TOP2, "top.py", "tableAggregate")
    (state,) = run(function, [[(3,), (9,), (None,), (7,)]])
    assert [row_values(row, 1) for row in emitted(function.emit_value(state))] == [(9,), (7,)]


def test_views():
    function = load("top:CountDistinct", TOP2, "top.py", "tableAggregate")
    (state,) = run(function, [[("a",), ("b",), ("a",), ("drop",)]])
    (row,) = emitted(function.emit_value(state))
    assert row_values(row, 3) == ("a,b", "a-a-b-drop", 3)


def test_table_functions():
    split = load("top:split", TOP2, "top.py", "table")
    assert [row_values(row, 2) for row in emitted(split.eval("ab,c"))] == [("ab", 2), ("c", 1)]
    numbers = load("top:numbers", TOP2, "top.py", "table")
    assert [row_values(row, 1) for row in emitted(numbers.eval(2))] == [(0,), (1,)]


def test_scalar_row():
    with pytest.raises(FunctionError, match="top:both: a scalar function with a result of type ROW<id BIGINT, data STRING>"):
        load("top:both", TOP2, "top.py", "scalar")


EMITTED = [
    ("nothing", None, []),
    ("one value", 3, [3]),
    ("a text is one value", "ab", ["ab"]),
    ("a tuple is one row", (1, 2), [(1, 2)]),
    ("a list is rows", [(1, 2), (3, 4)], [(1, 2), (3, 4)]),
    ("a generator", (i for i in range(2)), [0, 1]),
]


@pytest.mark.parametrize("name,rows,expected", EMITTED, ids=[case[0] for case in EMITTED])
def test_emitted(name, rows, expected):
    assert list(emitted(rows)) == expected


def test_row_values_say_what_is_wrong():
    with pytest.raises(TypeError, match="has 2 fields, but the function gave 3"):
        row_values((1, 2, 3), 2)
    with pytest.raises(TypeError, match="a Row or tuple of 2 values is expected, not 5"):
        row_values(5, 2)


def test_traceback_is_the_authors():
    text = "def f(x):\n    return g(x)\n\ndef g(x):\n    return 1 / x\n"
    function = load("score:f", text, "score.py", "scalar", declared_results=[("v", "DOUBLE")])
    with pytest.raises(ZeroDivisionError) as caught:
        function.eval(0)
    lines = describe(caught.value).splitlines()
    assert 'File "score.py", line 5, in g' in lines[-4]
    assert lines[-3].strip() == "return 1 / x"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_to_json():
    from pyflink.common import Row

    assert to_json({"a": [1, Row(x=1, y="é")]}) == '{"a":[1,{"x":1,"y":"é"}]}'
    assert to_json(None) is None
