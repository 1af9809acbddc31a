"""Between the worker (C) and the functions: `load` finds a function, checks it, and says what it is.

Everything that can be wrong with a function before its first row is found here and said in one sentence (FunctionError).
"""

import importlib.util
import inspect
import traceback
import types

from streamjob import async_rows, calls, results
from streamjob import columns as column_objects
from streamjob.context import FunctionContext, Metrics
from streamjob.entrypoint import FunctionError, find
from streamjob.functions import (
    COLUMNS,
    AggregateFunction,
    AsyncScalarFunction,
    ImperativeAggregateFunction,
    PandasAggregate,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    UserDefinedFunction,
    Wrapper,
)
from streamjob.types import RowType, as_type

TRACEBACK_LINES_MAX = 40
VALUE_CHARACTERS_MAX = 200

BASES = {
    "scalar": ScalarFunction,
    "table": TableFunction,
    "aggregate": AggregateFunction,
    "tableAggregate": TableAggregateFunction,
}
REQUIRED = {
    "scalar": ("eval",),
    "table": ("eval",),
    "aggregate": ("create_accumulator", "accumulate", "get_value"),
    "tableAggregate": ("create_accumulator", "accumulate", "emit_value"),
}
OPTIONAL = ("open", "close", "merge", "retract", "save", "load")
METHODS = ("eval", "create_accumulator", "accumulate", "get_value", "emit_value", *OPTIONAL)


class Loaded:
    """A function, ready. The worker reads these attributes and never looks further.

    kind, func_type ("general" | "pandas"), columns (None | "pandas" | "numpy" | "memoryview"), instance
    open … load          bound methods, None where the function has none
    argument_types       column types, or None where the function does not say
    argument_names       of each what columns.wrap is told: "TINYINT" where the column is an INT
    run_rows             None, or what calls an async function for the rows of a batch
    result_fields        [(name, column type)]: one for a single value
    prepare_columns      what is done to kept columns before the function gets them
    keeps_columns        True: an accumulator is kept columns (streamjob.columns), and the worker adds to it
    row_result           True: a result is a sequence of the fields; False: the one value itself
    converters           of each field: what a result goes through first, or None
    arity                (least, most) arguments; most is -1 where there is no limit
    context, metrics     what open gets, and what it registered
    """


def load(entrypoint, source, filename, kind, declared_results=None, job_parameters=None, form=calls.NO_FORM):
    """The function that `entrypoint` ("module:attribute") names.

    `source` is the module's text, or None for an installed module; `filename` is what tracebacks call it.
    `declared_results`: [(name, column type)] from the job file's `returns`, or None. `form`: how the job's expressions
    call it: (with DISTINCT, with a whole row, [name of an argument]).
    """
    found, wrapper = find(entrypoint, source, filename)
    instance = _instance(entrypoint, found, wrapper, kind)
    loaded = Loaded()
    loaded.kind, loaded.instance = kind, instance
    for name in METHODS:
        setattr(loaded, name, _method(instance, name))
    missing = [name for name in REQUIRED[kind] if getattr(loaded, name) is None]
    if missing:
        raise FunctionError(f"{entrypoint} has no {_and(missing)}; a function of kind {kind} needs {_and(REQUIRED[kind])}")
    loaded.func_type = wrapper.func_type if wrapper else "general"
    loaded.arity = _arity(loaded, wrapper)
    loaded.keeps_columns, loaded.prepare_columns = False, []
    loaded.columns = _columns(entrypoint, loaded, wrapper)
    asynchronous = _is_async(loaded)
    names = calls.whole_row(entrypoint, _arguments_of(loaded, wrapper), wrapper, form)
    if names is not None:
        calls.give_row(loaded, names)
    if form[0]:
        calls.make_distinct(entrypoint, loaded)
    if kind == "table" and isinstance(instance, (ScalarFunction, AsyncScalarFunction)):
        calls.give_one_row(entrypoint, loaded, asynchronous or isinstance(instance, AsyncScalarFunction))
    loaded.run_rows = async_rows.runner(loaded.eval) if asynchronous else None
    _set_results(entrypoint, loaded, _declared_type(loaded, wrapper), declared_results)
    _set_arguments(entrypoint, loaded, wrapper)
    loaded.metrics = Metrics()
    loaded.context = FunctionContext(loaded.metrics, job_parameters)
    return loaded


def _and(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _kind_of(value):
    for kind, base in (*BASES.items(), ("scalar", AsyncScalarFunction)):
        if isinstance(value, base) or inspect.isclass(value) and issubclass(value, base):
            return kind
    return None


def _instance(entrypoint, found, wrapper, kind):
    own = _kind_of(found)
    if own == "scalar" and kind == "table":  # PyFlink's map: a row for each row, whose fields are columns
        own = kind
    if own and own != kind:
        raise FunctionError(f"{entrypoint} is a {BASES[own].__name__}, but the job file says kind: {kind}")
    if inspect.isclass(found):
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        if missing:
            raise FunctionError(f"{entrypoint} has no {_and(missing)}; a function of kind {kind} needs {_and(REQUIRED[kind])}")
        _check_constructor(entrypoint, found)
        return found()
    if not wrapper and not own and callable(found) and not hasattr(found, REQUIRED[kind][0]):
        if kind not in ("scalar", "table"):
            raise FunctionError(f"{entrypoint} is a plain function; kind: {kind} needs a {BASES[kind].__name__} or udaf(…)")
        plain = types.SimpleNamespace(eval=found)
        return plain
    return found


def _check_constructor(entrypoint, cls):
    try:
        inspect.signature(cls).bind()
    except TypeError as error:
        raise FunctionError(f"{entrypoint}: its __init__ needs arguments ({error}); name an instance instead") from None
    except ValueError:  # no signature to be had: the call tells
        pass


def _method(instance, name):
    """The bound method, or None where the class only inherits the base's placeholder."""
    method = getattr(instance, name, None)
    if not callable(method):
        return None
    for base in (ImperativeAggregateFunction, UserDefinedFunction):
        if getattr(type(instance), name, None) is getattr(base, name, object()):
            return None
    return method


def _parameters(call):
    try:
        return list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):  # some builtins
        return None


def _arguments_of(loaded, wrapper):
    """The parameters that SQL arguments go to: without the accumulator."""
    if isinstance(loaded.instance, PandasAggregate):
        return _parameters(loaded.instance.function)
    parameters = _parameters(wrapper.annotated if wrapper and wrapper.annotated else loaded.eval or loaded.accumulate)
    if parameters is None or loaded.eval:
        return parameters
    if not parameters or parameters[0].kind == inspect.Parameter.VAR_POSITIONAL:
        return parameters
    return parameters[1:]


def _arity(loaded, wrapper):
    parameters = _arguments_of(loaded, wrapper)
    if parameters is None:
        return 0, -1
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is p.empty for p in positional)
    open_ended = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    return least, -1 if open_ended else len(positional)


def _annotated_columns(parameters):
    for parameter in parameters or ():
        text = parameter.annotation if isinstance(parameter.annotation, str) else None
        module = text or getattr(parameter.annotation, "__module__", "") + "." + getattr(parameter.annotation, "__name__", "")
        for kind, marks in (("pandas", ("pandas", "pd.", "Series", "DataFrame")), ("numpy", ("numpy", "np.", "NDArray")),
                            ("memoryview", ("memoryview", "builtins.memoryview"))):  # fmt: skip
            if parameter.annotation is not parameter.empty and module.startswith(marks):
                return kind
    return None


def _is_async(loaded):
    return loaded.kind == "scalar" and (isinstance(loaded.instance, AsyncScalarFunction) or inspect.iscoroutinefunction(loaded.eval))


def _columns(entrypoint, loaded, wrapper):
    if loaded.func_type != "pandas":
        return None
    kind = wrapper.columns or _annotated_columns(_arguments_of(loaded, wrapper)) or column_objects.default_kind()
    if kind in COLUMNS[:2] and not importlib.util.find_spec(kind):
        raise FunctionError(f"{entrypoint} wants {kind} columns, but {kind} is not installed in this image")
    if isinstance(loaded.instance, PandasAggregate):
        loaded.keeps_columns = True
        loaded.merge = column_objects.merge_kept
        loaded.get_value = _kept_value(loaded.instance.function, kind, loaded.prepare_columns)
    return kind


def _kept_value(function, kind, prepare):
    def get_value(kept):
        columns = column_objects.kept_columns(kind, kept) if kept else None
        for step in prepare if kept else ():
            columns = step(columns)
        return function(*columns) if kept else None

    return get_value


def _declared_type(loaded, wrapper):
    if wrapper and wrapper.result_type is not None:
        return wrapper.result_type
    get = getattr(loaded.instance, "get_result_type", None)
    if get is None or getattr(type(loaded.instance), "get_result_type", None) is ImperativeAggregateFunction.get_result_type:
        return None
    return as_type(get())


def _set_results(entrypoint, loaded, own, declared):
    is_row = isinstance(own, RowType)
    own_fields = [(f.name, f.data_type) for f in own.fields] if is_row else [("value", own)] if own is not None else None
    if own_fields is None and not declared:
        raise FunctionError(
            f"{entrypoint} does not say its result type; give get_result_type(), result_type=… or `returns` in the job file"
        )
    if loaded.kind == "scalar" and is_row and declared and len(declared) == 1 and declared[0][1] == "STRING":
        is_row, own_fields = False, [("value", own)]  # as JSON text
    if own_fields is not None and declared and len(own_fields) != len(declared):
        raise FunctionError(
            f"{entrypoint} has {len(own_fields)} result fields ({', '.join(n for n, _ in own_fields)}), "
            f"but the job file's `returns` has {len(declared)}"
        )
    if loaded.kind == "scalar" and is_row:
        raise FunctionError(
            f"{entrypoint}: a scalar function with a result of type {own} cannot be carried: an expression has one value; "
            "with kind: table it gives a row, whose columns lateral selects; `returns: [{name: value, type: STRING}]` makes JSON text of it"
        )
    loaded.result_fields = list(declared) if declared else [(name, t.column) for name, t in own_fields]
    loaded.converters = [None] * len(loaded.result_fields)
    for i, (name, data_type) in enumerate(own_fields or ()):
        column = loaded.result_fields[i][1]
        if data_type.column is None and column not in data_type.as_columns:
            raise FunctionError(results.result_not_carried(entrypoint, name, data_type))
        loaded.converters[i] = results.converter(data_type, column)
    if loaded.func_type == "pandas":
        for i, (_, column) in enumerate(loaded.result_fields):
            if column in ("INT", "BIGINT"):
                loaded.converters[i] = results.whole
    loaded.row_result = is_row or len(loaded.result_fields) > 1


def _set_arguments(entrypoint, loaded, wrapper):
    loaded.argument_types = loaded.argument_names = None
    if not wrapper or wrapper.input_types is None:
        return
    least, most = loaded.arity
    count = len(wrapper.input_types)
    if count < least or 0 <= most < count:
        raise FunctionError(f"{entrypoint} declares {count} input_types, but takes {least if least == most else f'{least} to {most}'} arguments")
    for i, data_type in enumerate(wrapper.input_types, 1):
        if data_type.column is None:
            raise FunctionError(results.not_carried(entrypoint, f"argument {i}", data_type))
    loaded.argument_types = [t.column for t in wrapper.input_types]
    loaded.argument_names = [column_objects.declared_name(t) for t in wrapper.input_types]
    loaded.arity = (count, count)


def short(value):
    text = repr(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else text[: VALUE_CHARACTERS_MAX - 1] + "…"


def describe(error):
    """The exception as the author wrote the code: frames of the user's own files, the last line first in worth.

    A FunctionError is its sentence alone.
    """
    if isinstance(error, FunctionError):
        return str(error)
    own = describe.__code__.co_filename.rpartition("/")[0]  # as frames have it; site makes __file__ absolute
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((own, "<frozen"))]
    lines = [line for text in traceback.format_list(frames) for line in text.rstrip("\n").split("\n")]
    if len(lines) > TRACEBACK_LINES_MAX:
        half = TRACEBACK_LINES_MAX // 2
        lines = [*lines[:half], f"  … {len(lines) - 2 * half} lines …", *lines[-half:]]
    last = "".join(traceback.format_exception_only(error)).rstrip("\n")
    return "\n".join([*(["Traceback (most recent call last):"] if lines else []), *lines, last])
