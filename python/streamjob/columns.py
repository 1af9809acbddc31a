"""Whole columns for vectorized functions, without a copy where there is no NULL to mark.

The worker hands a column over as `values` and `valid`. Fixed widths: `values` is a memoryview on shared memory (format
'?', 'i', 'q', 'd'; TIMESTAMP is 'q', milliseconds since the epoch), `valid` a memoryview of 0 and 1, or None where all
are. STRING: `values` is a list of str and None. A view is good until the call returns.

How NULLs look: pandas as in PyFlink (NaN, NaT, None; a nullable integer column becomes float64), numpy a masked array
(None in a column of strings), memoryview a list with None.
"""

import array
import datetime
import functools
import importlib.util
import struct

FORMATS = {"BOOLEAN": "?", "INT": "i", "BIGINT": "q", "DOUBLE": "d", "TIMESTAMP": "q", "TINYINT": "i", "SMALLINT": "i", "FLOAT": "d"}
DTYPES = {"BOOLEAN": "?", "INT": "int32", "BIGINT": "int64", "DOUBLE": "float64", "TIMESTAMP": "int64",
          "TINYINT": "int32", "SMALLINT": "int32", "FLOAT": "float64"}  # fmt: skip
NARROW = {"TINYINT": "int8", "SMALLINT": "int16", "FLOAT": "float32"}  # what pandas' columns of these types are
EPOCH = datetime.datetime(1970, 1, 1)


@functools.cache
def _modules():
    """numpy, and each type as a dtype of it: looked up once, an import statement costs as much as a small column."""
    import numpy

    return numpy, {name: numpy.dtype(text) for name, text in DTYPES.items()}


def default_kind():
    """pandas where it is installed, else numpy, else memoryview."""
    for kind in ("pandas", "numpy"):
        if importlib.util.find_spec(kind):
            return kind
    return "memoryview"


def from_milliseconds(value):
    return EPOCH + datetime.timedelta(milliseconds=value)


def to_milliseconds(value):
    """A datetime (naive: UTC), date or number as milliseconds since the epoch."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return (value - EPOCH) // datetime.timedelta(milliseconds=1)
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days * 86_400_000
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"a TIMESTAMP result is a datetime, a date or whole milliseconds since the epoch, not {value!r}")


def _numpy(sql_type, values, valid):
    numpy, dtypes = _modules()
    if sql_type == "STRING":
        return numpy.array(values, dtype=object)
    array = numpy.frombuffer(values, dtypes[sql_type])
    if sql_type == "TIMESTAMP":
        array = array.view("datetime64[ms]")
    if valid is None:
        return array
    return numpy.ma.masked_array(array, mask=numpy.frombuffer(valid, dtype="?") == 0)


def declared_name(data_type):
    """The type of an argument as `wrap` is told it."""
    name = data_type.type_name()
    return name if name in NARROW else data_type.column


def _narrow(array, sql_type, null):
    """As the function declares it; a number that does not fit is no other number."""
    import numpy

    dtype = numpy.dtype(NARROW[sql_type])
    if dtype.kind == "i":
        bounds, some = numpy.iinfo(dtype), array if null is None else array[~null]
        if len(some) and (some.min() < bounds.min or some.max() > bounds.max):
            raise OverflowError(f"an argument is declared as {sql_type}, but a row has more than it holds")
    return array.astype(dtype)


def _pandas(sql_type, values, valid):
    """A Series of its own: the function may change it in place, as PyFlink's functions may."""
    import numpy
    import pandas

    if sql_type == "STRING":
        return pandas.Series(values, dtype=object)
    array = _numpy(sql_type, values, None)
    null = None if valid is None else numpy.frombuffer(valid, dtype="?") == 0
    array = _narrow(array, sql_type, null) if sql_type in NARROW else array
    if valid is None:
        return pandas.Series(array if array.flags.writeable else array.copy(), copy=False)
    if sql_type == "BOOLEAN":
        array = numpy.where(null, None, array.astype(object))
    elif sql_type == "TIMESTAMP":
        array = numpy.where(null, numpy.datetime64("NaT", "ms"), array)
    else:
        array = numpy.where(null, numpy.nan, array.astype("f" if sql_type == "FLOAT" else "d"))
    return pandas.Series(array, copy=False)


def _memoryview(sql_type, values, valid):
    if sql_type == "STRING":
        return values
    view = values.cast("B").cast(FORMATS[sql_type])
    return view if valid is None else [value if good else None for value, good in zip(view, valid)]


_WRAP = {"numpy": _numpy, "pandas": _pandas, "memoryview": _memoryview}


def wrap(kind, sql_type, values, valid):
    """The column as the function's kind of object; read-only where it is a view."""
    return _WRAP[kind](sql_type, values, valid)


# Kept columns: what the rows of a group were, for a function that gets all of them at the window's end. A list of
# [type, values, valid, ends] a column, in bytearrays; the worker appends to them (runtime/worker/python_kept.c).


def merge_kept(kept, others):
    """Adds the rows of others; their columns have the same types."""
    for other in others:
        if not kept:
            kept.extend(other)
            continue
        for column, more in zip(kept, other, strict=True):
            _extend(column, more)


def _rows(column):
    sql_type, values, _, ends = column
    return len(ends) // 4 if sql_type == "STRING" else len(values) // struct.calcsize(FORMATS[sql_type])


def _extend(column, more):
    if column[2] is not None or more[2] is not None:
        column[2] = bytearray(b"\1") * _rows(column) if column[2] is None else column[2]
        column[2] += bytearray(b"\1") * _rows(more) if more[2] is None else more[2]
    if column[3] is not None:
        ends, before = array.array("I", bytes(more[3])), len(column[1])
        column[3] += array.array("I", [before + end for end in ends]).tobytes()
    column[1] += more[1]


def kept_columns(kind, kept):
    """The columns as the function's kind of object; they are the function's own to change."""
    return [_kept_column(kind, *column) for column in kept]


def _kept_column(kind, sql_type, values, valid, ends):
    good = None if valid is None else memoryview(bytes(valid))
    if sql_type != "STRING":
        return wrap(kind, sql_type, memoryview(bytearray(values)), good)
    begin, strings = 0, []
    for i, end in enumerate(memoryview(ends).cast("I")):
        strings.append(values[begin:end].decode() if good is None or good[i] else None)
        begin = end
    return wrap(kind, sql_type, strings, good)


def _items(result):
    if type(result).__module__.startswith(("pandas", "numpy")) and getattr(result, "ndim", 1) == 0:
        raise TypeError(f"a vectorized function returns a column, not the single value {result!r}")
    if isinstance(result, (str, bytes)) or not hasattr(result, "__len__"):
        raise TypeError(f"a vectorized function returns a column, not {result!r}")
    return result


def _is_null(value):
    if value is None or type(value).__name__ == "NAType":
        return True
    unlike_itself = value != value  # NaN and NaT; of an array it is an array
    return type(unlike_itself).__name__ in ("bool", "bool_") and bool(unlike_itself)


def unwrap(result, sql_type, count):
    """What the function returned, as (buffer of the type's format, bytes of validity or None), or a list for STRING.

    A list of single values (for what no buffer can say, like an int beyond its column) goes back as a list too.
    """
    result = _items(result)
    if hasattr(result, "itertuples"):  # a DataFrame: a row of fields each
        result = list(result.itertuples(index=False, name=None))
    if len(result) != count:
        raise ValueError(f"the function returned {len(result)} values for {count} rows")
    if sql_type == "STRING":
        return [None if _is_null(value) else value for value in result]
    module = type(result).__module__.partition(".")[0]
    if module not in ("pandas", "numpy") or result.dtype == object:
        return [None if _is_null(value) else value for value in result]
    numpy, dtypes = _modules()
    mask = None
    if module == "pandas":
        null = result.isna().to_numpy()
        mask = null if null.any() else None
        result = result.to_numpy()
        if result.dtype == object:  # of a nullable type
            return [None if null[i] else v for i, v in enumerate(result.tolist())]
    elif isinstance(result, numpy.ma.MaskedArray):
        mask = numpy.ma.getmaskarray(result) if result.mask is not numpy.ma.nomask else None
        result = result.data
    if sql_type == "TIMESTAMP" and result.dtype.kind == "M":
        nat = numpy.isnat(result)
        mask = nat if mask is None and nat.any() else mask
        result = result.astype("datetime64[ms]").view("q")
    target = dtypes[sql_type]
    if sql_type != "DOUBLE" and (result.dtype.kind in "fu" or result.dtype.itemsize > target.itemsize):
        return [None if mask is not None and mask[i] else v for i, v in enumerate(result.tolist())]
    values = numpy.ascontiguousarray(result, dtype=target)
    return values.data.cast("B"), None if mask is None else numpy.ascontiguousarray(~mask).view("B").data
