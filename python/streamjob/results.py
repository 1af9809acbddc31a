"""What a function gave, as values of columns: rows and their fields, and types that no column holds by itself."""

import decimal
import json

# More digits than any DECIMAL has.
_EXACT = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)


def row_values(result, count):
    """The fields of one result row: a Row, tuple, list, or, for one field, the value itself."""
    if isinstance(result, (str, bytes)) or not hasattr(result, "__len__") or not hasattr(result, "__iter__"):
        if count == 1:
            return (result,)
        raise TypeError(f"the result has {count} fields: a Row or tuple of {count} values is expected, not {result!r}")
    if hasattr(result, "iloc") and getattr(result, "ndim", 1) == 2 and len(result) == 1:  # a DataFrame of one row
        result = result.iloc[0].tolist()
    values = tuple(result.values()) if isinstance(result, dict) else tuple(result)
    if len(values) != count:
        raise TypeError(f"the result has {count} fields, but the function gave {len(values)}: {result!r}")
    return values


def emitted(rows):
    """What eval of a table function or emit_value gave, as an iterable: a generator, a list, one row, or None."""
    if rows is None:
        return ()
    if isinstance(rows, (str, bytes, tuple)) or not hasattr(rows, "__iter__") or type(rows).__name__ == "Row":
        return (rows,)
    return rows


def _plain(value):
    if hasattr(value, "as_dict"):
        try:
            return value.as_dict(True)
        except TypeError:
            return list(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):  # numpy's
        return value.item()
    if isinstance(value, decimal.Decimal):
        return _number(value)
    if hasattr(value, "items"):
        return dict(value.items())
    if hasattr(value, "__iter__"):
        return list(value)
    return float(value)


def _number(value):
    """A number of JSON where that is exact, else its digits as text."""
    if value.is_finite() and value == value.to_integral_value():
        return int(value)
    return float(value) if decimal.Decimal(repr(float(value))) == value else str(value)


def to_json(value):
    return None if value is None else json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _named(data_type, value):
    """The value with the declared names of the rows in it, as JSON has them."""
    kind = type(data_type).__name__
    if value is None:
        return None
    if kind == "RowType":
        values = row_values(value, len(data_type.fields))
        return {field.name: _named(field.data_type, v) for field, v in zip(data_type.fields, values, strict=True)}
    if kind == "ArrayType":
        return [_named(data_type.element_type, v) for v in value]
    if kind == "DecimalType":
        return _decimal(data_type.scale, _number)(value)
    if kind == "MapType":
        return {k: _named(data_type.value_type, v) for k, v in value.items()}
    return value


def _decimal(scale, make):
    """Rounded to the declared scale, half up, as PyFlink's are."""
    exponent = decimal.Decimal(1).scaleb(-scale)

    def convert(value):
        if not isinstance(value, (decimal.Decimal, int)) or isinstance(value, bool):
            raise TypeError(f"the result is declared as DECIMAL, but the function gave {type(value).__name__}")
        return make(decimal.Decimal(value).quantize(exponent, context=_EXACT))

    return convert


def _iso(value):
    return value.isoformat()


def whole(value):
    """For the integers of a vectorized function: a NULL makes pandas' columns float, a fraction is a mistake."""
    if isinstance(value, float):
        if not value.is_integer():
            raise TypeError(f"the result is declared as whole numbers, but the function gave {value!r}; round it, or cut it off")
        return int(value)
    return value


def converter(data_type, column):
    """What a result of the type goes through to be a value of the column that `returns` names; None: nothing."""
    kind = type(data_type).__name__
    if data_type.column is not None or column == "TIMESTAMP":
        return None
    if kind == "DecimalType":
        return _decimal(data_type.scale, float if column == "DOUBLE" else str)
    return _iso if kind in ("DateType", "TimeType") else lambda value: to_json(_named(data_type, value))


def not_carried(entrypoint, what, data_type):
    """The sentence for a result or an argument of a type that no column holds."""
    return f"{entrypoint}: {what} of type {data_type} cannot be carried yet; {data_type.instead}"


def result_not_carried(entrypoint, name, data_type):
    if not data_type.as_columns:
        return not_carried(entrypoint, f"a result ({name})", data_type)
    columns = " or ".join(data_type.as_columns)
    return (
        f"{entrypoint}: a result ({name}) of type {data_type} cannot be carried yet; the job file can say what it becomes, "
        f"as `returns: [{{name: {name}, type: {data_type.as_columns[0]}}}]` ({columns})"
    )
