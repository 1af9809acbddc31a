"""Whole columns for vectorized functions, without a copy where there is no NULL to mark.

The worker hands a column over as `values` and `valid`. Fixed widths: `values` is a memoryview on shared memory (format
'?', 'i', 'q', 'd'; TIMESTAMP is 'q', milliseconds since the epoch), `valid` a memoryview of 0 and 1, or None where all
are. STRING: `values` is a list of str and None. A view is good until the call returns; `keep` copies what is held longer.

How NULLs look: pandas as in PyFlink (NaN, NaT, None; a nullable integer column becomes float64), numpy a masked array
(None in a column of strings), memoryview a list with None.
"""

import datetime
import functools
import importlib.util

FORMATS = {"BOOLEAN": "?", "INT": "i", "BIGINT": "q", "DOUBLE": "d", "TIMESTAMP": "q"}
EPOCH = datetime.datetime(1970, 1, 1)


@functools.cache
def _modules():
    """numpy, and each type as a dtype of it: looked up once, an import statement costs as much as a small column."""
    import numpy

    return numpy, {name: numpy.dtype(text) for name, text in FORMATS.items()}


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


def _pandas(sql_type, values, valid):
    import numpy
    import pandas

    if sql_type == "STRING":
        return pandas.Series(values, dtype=object)
    array = _numpy(sql_type, values, None)
    if valid is not None:
        null = numpy.frombuffer(valid, dtype="?") == 0
        if sql_type == "BOOLEAN":
            array = numpy.where(null, None, array.astype(object))
        elif sql_type == "TIMESTAMP":
            array = numpy.where(null, numpy.datetime64("NaT", "ms"), array)
        else:
            array = numpy.where(null, numpy.nan, array.astype("d"))
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


def keep(column):
    """A copy that outlives the call."""
    if isinstance(column, memoryview):
        return list(column)
    return column.copy()


def concat(parts):
    """Columns of several calls as one."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], list):
        return [value for part in parts for value in part]
    if type(parts[0]).__module__.startswith("pandas"):
        import pandas

        return pandas.concat(parts, ignore_index=True)
    import numpy

    masked = any(isinstance(part, numpy.ma.MaskedArray) for part in parts)
    return numpy.ma.concatenate(parts) if masked else numpy.concatenate(parts)


def _items(result):
    if type(result).__module__.startswith(("pandas", "numpy")) and getattr(result, "ndim", 1) == 0:
        raise TypeError(f"a vectorized function returns a column, not the single value {result!r}")
    if isinstance(result, (str, bytes)) or not hasattr(result, "__len__"):
        raise TypeError(f"a vectorized function returns a column, not {result!r}")
    return result


def _is_null(value):
    return value is None or value != value


def unwrap(result, sql_type, count):
    """What the function returned, as (buffer of the type's format, bytes of validity or None), or a list for STRING.

    A list of single values (for what no buffer can say, like an int beyond its column) goes back as a list too.
    """
    result = _items(result)
    if len(result) != count:
        raise ValueError(f"the function returned {len(result)} values for {count} rows")
    if sql_type == "STRING":
        return [None if _is_null(value) else value for value in result]
    module = type(result).__module__.partition(".")[0]
    if module not in ("pandas", "numpy") or result.dtype == object:
        return list(result)
    numpy, dtypes = _modules()
    mask = None
    if module == "pandas":
        null = result.isna().to_numpy()
        mask = null if null.any() else None
        result = result.to_numpy()
    elif isinstance(result, numpy.ma.MaskedArray):
        mask = numpy.ma.getmaskarray(result) if result.mask is not numpy.ma.nomask else None
        result = result.data
    if sql_type == "TIMESTAMP" and result.dtype.kind == "M":
        nat = numpy.isnat(result)
        mask = nat if mask is None and nat.any() else mask
        result = result.astype("datetime64[ms]").view("q")
    target = dtypes[sql_type]
    if sql_type != "DOUBLE" and (result.dtype.kind == "f" or result.dtype.itemsize > target.itemsize):
        return [None if mask is not None and mask[i] else v for i, v in enumerate(result.tolist())]
    values = numpy.ascontiguousarray(result, dtype=target)
    return values.data.cast("B"), None if mask is None else numpy.ascontiguousarray(~mask).view("B").data
