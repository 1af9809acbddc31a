"""How the job's expressions call a function: with a whole row where it takes one, and with each value once for DISTINCT.

A function of PyFlink's row-based operations (map, flat_map, aggregate, flat_aggregate) takes one Row with the columns' names, or
a DataFrame. Here the arguments of fn(a, b) become the fields of one where the function says so (an annotation, a ROW as
input_types) or the job file does: fn(*) for all columns, fn(ROW(a, b)) for some.
"""

import functools
import pickle

from streamjob.entrypoint import FunctionError
from streamjob.row import Row

NO_FORM = (False, False, [])


def _positional(parameters):
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _annotated_row(parameter):
    annotation = parameter.annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return annotation is not parameter.empty and name.rpartition(".")[2] in ("Row", "DataFrame")


def _takes_row(parameters, wrapper):
    if parameters is None or len(_positional(parameters)) != 1 or any(p.kind == p.VAR_POSITIONAL for p in parameters):
        return False
    declared = wrapper and wrapper.row_type is not None and len(wrapper.row_type) != 1
    return declared or _annotated_row(_positional(parameters)[0])


def whole_row(entrypoint, parameters, wrapper, form):
    """The names of the fields, where the function is called with one row; else None."""
    _, row, names = form
    if not row and not _takes_row(parameters, wrapper):
        return None
    if row and parameters is not None:
        positional, open_ended = _positional(parameters), any(p.kind == p.VAR_POSITIONAL for p in parameters)
        least = sum(p.default is p.empty for p in positional)
        if least > 1 or not positional and not open_ended:
            raise FunctionError(
                f"{entrypoint} takes {least} arguments, but the job file calls it with a whole row, which is one; "
                "name the columns, as fn(a, b)"
            )
    return wrapper.row_type.field_names() if wrapper and wrapper.row_type is not None else list(names)


def _names(names, count):
    """As many as there are arguments; one that is no column's is called by its place."""
    return [name or f"f{i}" for i, name in enumerate(names if len(names) == count else [""] * count)]


def _row(names, values):
    row = Row(*values)
    row._fields = names(len(values))
    return row


def _frame(names, columns):
    import pandas

    frame = pandas.concat(columns, axis=1, ignore_index=True) if columns else pandas.DataFrame()
    frame.columns = names(len(columns))
    return frame


def give_row(loaded, names):
    """Packs the arguments of the methods that take them."""
    pack = functools.partial(_row if loaded.columns is None else _frame, functools.cache(functools.partial(_names, names)))
    evaluate, accumulate = loaded.eval, loaded.accumulate
    if evaluate:
        loaded.eval = lambda *args: evaluate(pack(args))
    if accumulate:
        loaded.accumulate = lambda accumulator, *args: accumulate(accumulator, pack(args))
    loaded.prepare_columns.append(lambda columns: [pack(columns)])
    loaded.arity = (1, -1)


def give_one_row(entrypoint, loaded, asynchronous):
    """A scalar function as a table function: what PyFlink's map does with it."""
    if loaded.columns or asynchronous:
        raise FunctionError(f"{entrypoint} is {'async' if asynchronous else 'vectorized'}: with kind: table a function takes a row at a time")
    evaluate = loaded.eval
    loaded.eval = lambda *args: [evaluate(*args)]


class Distinct:
    """An accumulator, and what it has had."""

    __slots__ = ("inner", "seen")

    def __init__(self, inner):
        self.inner, self.seen = inner, {}  # the key of the arguments: the arguments


def _key(values):
    """NULL and NaN are a value like any other."""
    return tuple("nan" if value != value else (value,) for value in values)


def _distinct_rows(columns):
    seen, rows = set(), []
    for i, values in enumerate(zip(*columns, strict=True)):
        key = _key(values)
        if key not in seen:
            seen.add(key)
            rows.append(i)
    if hasattr(columns[0], "iloc"):
        return [column.iloc[rows].reset_index(drop=True) for column in columns]
    return [column[rows] if hasattr(column, "dtype") else [column[i] for i in rows] for column in columns]


def make_distinct(entrypoint, loaded):
    """Each combination of arguments goes to accumulate once; two partial accumulators become one by what the other had."""
    if loaded.keeps_columns:
        loaded.prepare_columns.insert(0, _distinct_rows)
        return
    if loaded.columns:
        raise FunctionError(f"{entrypoint} takes whole columns: DISTINCT does not go with it; take the values a row at a time")
    inner = {name: getattr(loaded, name) for name in ("create_accumulator", "accumulate", "get_value", "emit_value", "save", "load")}

    def accumulate(accumulator, *args):
        key = _key(args)
        if key not in accumulator.seen:
            inner["accumulate"](accumulator.inner, *args)
            accumulator.seen[key] = args

    def merge(accumulator, others):
        for other in others:
            for args in other.seen.values():
                accumulate(accumulator, *args)

    def save(accumulator):
        saved = inner["save"](accumulator.inner) if inner["save"] else accumulator.inner
        return pickle.dumps((saved, accumulator.seen))

    def load(data):
        saved, seen = pickle.loads(data)
        found = Distinct(inner["load"](saved) if inner["load"] else saved)
        found.seen = seen
        return found

    loaded.create_accumulator = lambda: Distinct(inner["create_accumulator"]())
    loaded.accumulate, loaded.merge, loaded.save, loaded.load = accumulate, merge, save, load
    for name in ("get_value", "emit_value"):
        if inner[name]:
            setattr(loaded, name, lambda accumulator, call=inner[name]: call(accumulator.inner))
