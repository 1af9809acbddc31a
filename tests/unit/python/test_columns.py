"""Whole columns: no copy where there is no NULL; NULLs as each kind of object has them; results back."""

import array
import datetime
import itertools
import struct

import numpy
import pandas
import pytest
from streamjob.columns import FORMATS, kept_columns, merge_kept, to_milliseconds, unwrap, wrap

DOUBLES = memoryview(struct.pack("3d", 1.5, 2.5, 3.5))
INTS = memoryview(struct.pack("3q", 1, 2, 3))
SECOND_NULL = memoryview(bytes([1, 0, 1]))


def test_numpy_is_a_view():
    memory = bytearray(DOUBLES)
    array = wrap("numpy", "DOUBLE", memoryview(memory), None)
    struct.pack_into("d", memory, 0, 9.0)
    assert array.tolist() == [9.0, 2.5, 3.5]


def test_a_pandas_column_is_the_functions_own():
    memory = bytearray(INTS)
    series = wrap("pandas", "BIGINT", memoryview(memory), None)
    struct.pack_into("q", memory, 8, 7)
    series += 1
    series[series > 2] = 0
    assert series.tolist() == [2, 0, 0] and isinstance(series[0], numpy.int64)


@pytest.mark.parametrize("declared,made", [("TINYINT", "int8"), ("SMALLINT", "int16"), ("INT", "int32")])
def test_dtypes_as_declared(declared, made):
    memory = memoryview(struct.pack("3i", 1, -2, 100))
    assert wrap("pandas", declared, memory, None).dtype == made
    with_null = wrap("pandas", declared, memory, memoryview(b"\x01\x00\x01"))
    assert with_null.dtype == "float64" and with_null.isna().tolist() == [False, True, False]


def test_float_as_declared():
    memory = memoryview(struct.pack("2d", 1.5, 0.1))
    assert wrap("pandas", "FLOAT", memory, None).dtype == "float32"
    assert wrap("pandas", "FLOAT", memory, memoryview(b"\x01\x00")).dtype == "float32"


def test_what_a_declared_dtype_does_not_hold_is_no_other_number():
    with pytest.raises(OverflowError, match="declared as TINYINT"):
        wrap("pandas", "TINYINT", memoryview(struct.pack("2i", 1, 128)), None)
    assert wrap("pandas", "TINYINT", memoryview(struct.pack("2i", 1, 128)), memoryview(b"\x01\x00"))[0] == 1


def test_nullable_and_unsigned_results():
    import pandas

    assert unwrap(pandas.Series([1, None], dtype="Int64"), "BIGINT", 2) == [1, None]
    assert unwrap(numpy.array([1 << 63], dtype="uint64"), "BIGINT", 1) == [1 << 63]
    assert unwrap(pandas.Series([1, None], dtype=object), "BIGINT", 2) == [1, None]
    assert unwrap([1, float("nan"), pandas.NA], "BIGINT", 3) == [1, None, None]
    assert unwrap([numpy.float32("nan"), pandas.NaT, "a", numpy.datetime64("NaT")], "STRING", 4) == [None, None, "a", None]
    assert unwrap(pandas.Series([numpy.array([1, 2])]), "STRING", 1)[0].tolist() == [1, 2]


NULLS = [
    ("numpy", "BIGINT", INTS, [1, None, 3]),
    ("numpy", "DOUBLE", DOUBLES, [1.5, None, 3.5]),
    ("memoryview", "BIGINT", INTS, [1, None, 3]),
]


@pytest.mark.parametrize("kind,sql_type,values,expected", NULLS)
def test_nulls(kind, sql_type, values, expected):
    column = wrap(kind, sql_type, values, SECOND_NULL)
    assert (column if isinstance(column, list) else column.tolist()) == expected


def test_nulls_of_pandas_are_pyflinks():
    assert wrap("pandas", "BIGINT", INTS, SECOND_NULL).isna().tolist() == [False, True, False]
    assert wrap("pandas", "BIGINT", INTS, SECOND_NULL).dtype == "float64"
    assert wrap("pandas", "TIMESTAMP", INTS, SECOND_NULL).isna().tolist() == [False, True, False]
    assert wrap("pandas", "STRING", ["a", None], None).tolist() == ["a", None]
    assert wrap("pandas", "BOOLEAN", memoryview(bytes([1, 0, 1])), SECOND_NULL).tolist() == [True, None, True]


RESULTS = [
    ("float64", numpy.array([1.0, 2.0]), "DOUBLE", struct.pack("2d", 1, 2), None),
    ("int64 as DOUBLE", numpy.array([1, 2]), "DOUBLE", struct.pack("2d", 1, 2), None),
    ("int32 as BIGINT", numpy.array([1, 2], dtype="i"), "BIGINT", struct.pack("2q", 1, 2), None),
    ("bool", numpy.array([True, False]), "BOOLEAN", bytes([1, 0]), None),
    ("masked", numpy.ma.masked_array([1, 2], mask=[False, True]), "BIGINT", struct.pack("2q", 1, 2), bytes([1, 0])),
    ("series with NaN", pandas.Series([1.0, float("nan")]), "DOUBLE", None, bytes([1, 0])),
    ("datetimes", numpy.array(["1970-01-01T00:00:01", "1970-01-02"], dtype="datetime64[ns]"), "TIMESTAMP",
     struct.pack("2q", 1000, 86_400_000), None),
]  # fmt: skip


@pytest.mark.parametrize("name,result,sql_type,values,valid", RESULTS, ids=[case[0] for case in RESULTS])
def test_results(name, result, sql_type, values, valid):
    got_values, got_valid = unwrap(result, sql_type, 2)
    assert values is None or bytes(got_values) == values
    assert (None if got_valid is None else bytes(got_valid)) == valid


LISTS = [
    ("a list", [1, None], "BIGINT", [1, None]),
    ("strings", pandas.Series(["a", None]), "STRING", ["a", None]),
    ("int64 that may not fit an INT", numpy.array([1, 2**40]), "INT", [1, 2**40]),
    ("floats as BIGINT are for the worker to refuse", numpy.array([1.5, 2.0]), "BIGINT", [1.5, 2.0]),
]


@pytest.mark.parametrize("name,result,sql_type,expected", LISTS, ids=[case[0] for case in LISTS])
def test_lists(name, result, sql_type, expected):
    assert unwrap(result, sql_type, 2) == expected


@pytest.mark.parametrize("result,message", [(3, "returns a column"), ("ab", "returns a column"), ([1], "1 values for 2 rows"),
                                            (numpy.float64(1), "returns a column")])  # fmt: skip
def test_wrong_results(result, message):
    with pytest.raises((TypeError, ValueError), match=message):
        unwrap(result, "DOUBLE", 2)


def kept(sql_type, values):
    """Kept columns of one column, as the worker makes them."""
    good = bytearray(value is not None for value in values)
    if sql_type == "STRING":
        parts = [(value or "").encode() for value in values]
        ends = array.array("I", itertools.accumulate(map(len, parts)))
        return [[sql_type, bytearray(b"".join(parts)), None if all(good) else good, bytearray(ends.tobytes())]]
    data = array.array(FORMATS[sql_type].replace("?", "B"), [value or 0 for value in values])
    return [[sql_type, bytearray(data.tobytes()), None if all(good) else good, None]]


@pytest.mark.parametrize("kind", ["pandas", "numpy", "memoryview"])
@pytest.mark.parametrize("sql_type,first,second", [
    ("BIGINT", [1, 2], [3]), ("BIGINT", [1, None], [3]), ("BIGINT", [1], [None, 3]), ("BIGINT", [None], [None]),
    ("INT", [-1, 2], [None]), ("DOUBLE", [0.5], [1.5, None]), ("BOOLEAN", [True, None], [False]),
    ("STRING", ["a", "", "ü€"], ["b"]), ("STRING", [None, "a"], ["", None]), ("STRING", ["a"], [None, "bc"]),
])  # fmt: skip
def test_kept_columns_merge(kind, sql_type, first, second):
    """Merged, they are what all rows at once would have been; what was merged stays as it was."""
    one, two = kept(sql_type, first), kept(sql_type, second)
    merge_kept(one, [two, kept(sql_type, first)])
    assert two == kept(sql_type, second)
    everything = first + second + first
    [column] = kept_columns(kind, one)
    [truth] = kept_columns(kind, kept(sql_type, everything))
    assert type(column) is type(truth)
    plain = [None if value is None or value != value else value for value in (column.tolist() if hasattr(column, "tolist") else column)]
    assert plain == everything
    nothing = []
    merge_kept(nothing, [one])
    assert nothing == one


def test_kept_columns_are_the_functions_own():
    columns = kept("DOUBLE", [1.0, 2.0])
    [series] = kept_columns("pandas", columns)
    series[0] = 7.0
    assert kept_columns("pandas", columns)[0].tolist() == [1.0, 2.0]


def test_timestamps():
    assert to_milliseconds(datetime.datetime(1970, 1, 1, 0, 0, 1, 500_000)) == 1500
    east = datetime.timezone(datetime.timedelta(hours=2))
    assert to_milliseconds(datetime.datetime(1970, 1, 1, 2, tzinfo=east)) == 0
    assert to_milliseconds(datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000)) == -1
    assert to_milliseconds(datetime.date(1970, 1, 2)) == 86_400_000
    with pytest.raises(TypeError, match="whole milliseconds"):
        to_milliseconds("x")
