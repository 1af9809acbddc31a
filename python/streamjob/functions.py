"""The base classes of user functions and the wrappers udf, udtf, udaf, udtaf, with PyFlink's names and arguments."""

import abc
import functools
import inspect
import typing

from streamjob.inert import Inert
from streamjob.types import DataTypes, RowType, as_type

T = typing.TypeVar("T")
ACC = typing.TypeVar("ACC")


class UserDefinedFunction(abc.ABC):
    def __class_getitem__(cls, item):
        return cls

    def open(self, function_context):
        """Before the first row, once in each worker."""

    def close(self):
        """After the last row."""

    def is_deterministic(self):
        return True


class ScalarFunction(UserDefinedFunction):
    """One value for each row."""

    @abc.abstractmethod
    def eval(self, *args):
        ...


class AsyncScalarFunction(UserDefinedFunction):
    """One value for each row; eval is `async def`, and those of a batch run at the same time."""

    @abc.abstractmethod
    async def eval(self, *args):
        ...


class TableFunction(UserDefinedFunction):
    """Any number of rows for each row: eval yields them."""

    @abc.abstractmethod
    def eval(self, *args):
        ...


class ImperativeAggregateFunction(UserDefinedFunction):
    @abc.abstractmethod
    def create_accumulator(self):
        """The state of a group before its first row."""

    @abc.abstractmethod
    def accumulate(self, accumulator, *args):
        """Adds a row to the accumulator, in place."""

    def retract(self, accumulator, *args):
        raise RuntimeError("retract is not implemented")

    def merge(self, accumulator, accumulators):
        raise RuntimeError("merge is not implemented")

    def get_result_type(self):
        raise RuntimeError("get_result_type is not implemented")

    def get_accumulator_type(self):
        raise RuntimeError("get_accumulator_type is not implemented")


class AggregateFunction(ImperativeAggregateFunction):
    """One value for each group and window."""

    @abc.abstractmethod
    def get_value(self, accumulator):
        ...


class TableAggregateFunction(ImperativeAggregateFunction):
    """Any number of rows for each group and window: emit_value yields them."""

    @abc.abstractmethod
    def emit_value(self, accumulator):
        ...


class _PlainScalar(ScalarFunction):
    def __init__(self, function):
        self.eval = function

    def eval(self, *args):  # replaced by the instance's
        raise NotImplementedError


class _PlainAsync(AsyncScalarFunction):
    def __init__(self, function):
        self.eval = function

    async def eval(self, *args):  # replaced by the instance's
        raise NotImplementedError


class _PlainTable(TableFunction):
    def __init__(self, function):
        self.eval = function

    def eval(self, *args):  # replaced by the instance's
        raise NotImplementedError


class PandasAggregate(AggregateFunction):
    """udaf(function, func_type="pandas"): a function of the group's whole columns, called once a group and window."""

    def __init__(self, function):
        self.function = function

    def create_accumulator(self):
        return []

    def accumulate(self, accumulator, *args):
        accumulator.append(args)

    def merge(self, accumulator, accumulators):
        for other in accumulators:
            accumulator.extend(other)

    def get_value(self, accumulator):
        return self.function(*accumulator)


_PLAIN = {ScalarFunction: _PlainScalar, AsyncScalarFunction: _PlainAsync, TableFunction: _PlainTable}
FUNC_TYPES = ("general", "pandas")
COLUMNS = ("pandas", "numpy", "memoryview")


class Wrapper:
    """What udf, udtf, udaf and udtaf return: the function with what was said of it."""

    def __init__(self, base, function, input_types, result_type, deterministic, name, func_type, columns):
        if inspect.isclass(function) or not (isinstance(function, UserDefinedFunction) or callable(function)):
            raise TypeError(f"a function, a lambda or an instance of {base.__name__} is expected, not {function!r}")
        if func_type not in FUNC_TYPES:
            raise ValueError(f"func_type is one of {', '.join(FUNC_TYPES)}, not {func_type!r}")
        if columns is not None and columns not in COLUMNS:
            raise ValueError(f"columns is one of {', '.join(COLUMNS)}, not {columns!r}")
        if base is ScalarFunction and _is_async(function):
            base = AsyncScalarFunction
        if base is AsyncScalarFunction and func_type == "pandas":
            raise ValueError("an async function takes a row at a time: func_type='pandas' does not go with it")
        if isinstance(function, UserDefinedFunction) and not isinstance(function, base):
            raise TypeError(f"an instance of {base.__name__} is expected, not {function!r}")
        self.base, self.func_type, self.columns = base, func_type, columns
        self.annotated = function if not isinstance(function, UserDefinedFunction) else None
        self.instance = function if isinstance(function, UserDefinedFunction) else self._plain(function)
        self.row_type = input_types if isinstance(input_types, RowType) else None  # of the fields that the arguments are
        self.input_types = None if input_types is None else [as_type(t) for t in _list(input_types)]
        self.result_type = None if result_type is None else _row_of(result_type)
        # By PyFlink's names, which its users' modules and unit tests read.
        self._func = function
        self._name = name or getattr(function, "__name__", type(function).__name__)
        self._input_types, self._result_type, self._func_type = self.input_types, self.result_type, func_type
        self._deterministic = self.instance.is_deterministic() if deterministic is None else deterministic
        self._alias_names = ()

    def _plain(self, function):
        if self.base is AggregateFunction and self.func_type == "pandas":
            return PandasAggregate(function)
        if self.base not in _PLAIN:
            raise TypeError(f"an instance of {self.base.__name__} is expected; a plain function needs func_type='pandas'")
        return _PLAIN[self.base](function)

    def alias(self, *alias_names):
        """Names for the result's columns in a Flink job; here `columns` of the job file has them."""
        self._alias_names = alias_names
        return self

    def __call__(self, *args, **kwargs):
        """With a Flink job's expressions it is one; with values, as in a test of the user's, it calls the function itself."""
        call = getattr(self.instance, "eval", None)
        if call is None or any(isinstance(arg, Inert) for arg in (*args, *kwargs.values())):
            return Inert._of(self._name + "()")
        return call(*args, **kwargs)


def _is_async(function):
    return isinstance(function, AsyncScalarFunction) or inspect.iscoroutinefunction(function)


def _list(value):
    if isinstance(value, RowType):
        return value.field_types()
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _row_of(result_type):
    """A list of types (udtf's result_types) is a row of fields f0, f1, …"""
    if not isinstance(result_type, (list, tuple)):
        return as_type(result_type)
    types = [as_type(t) for t in _list(result_type)]
    if len(types) == 1 and isinstance(types[0], RowType):
        return types[0]
    return DataTypes.ROW([DataTypes.FIELD(f"f{i}", t) for i, t in enumerate(types)])


def _wrapper(base, function, **said):
    if function is None:  # @udf(result_type=…)
        return functools.partial(Wrapper, base, **said)
    return Wrapper(base, function, **said)


def udf(f=None, input_types=None, result_type=None, deterministic=None, name=None, func_type="general", udf_type=None,
        columns=None):
    """A scalar function from a function, a lambda or a ScalarFunction."""
    return _wrapper(ScalarFunction, f, input_types=input_types, result_type=result_type, deterministic=deterministic,
                    name=name, func_type=udf_type or func_type, columns=columns)


def udtf(f=None, input_types=None, result_types=None, deterministic=None, name=None):
    """A table function from a function, a lambda or a TableFunction."""
    return _wrapper(TableFunction, f, input_types=input_types, result_type=result_types, deterministic=deterministic,
                    name=name, func_type="general", columns=None)


def udaf(f=None, input_types=None, result_type=None, accumulator_type=None, deterministic=None, name=None,
         func_type="general", columns=None):
    """An aggregate from an AggregateFunction, or from a plain function of whole columns (func_type="pandas")."""
    del accumulator_type  # accumulators never leave Python
    return _wrapper(AggregateFunction, f, input_types=input_types, result_type=result_type,
                    deterministic=deterministic, name=name, func_type=func_type, columns=columns)


def udtaf(f=None, input_types=None, result_type=None, accumulator_type=None, deterministic=None, name=None,
          func_type="general"):
    """A table aggregate from a TableAggregateFunction."""
    del accumulator_type
    return _wrapper(TableAggregateFunction, f, input_types=input_types, result_type=result_type,
                    deterministic=deterministic, name=name, func_type=func_type, columns=None)


# PyFlink's names of the wrappers' classes, for isinstance.
UserDefinedFunctionWrapper = UserDefinedScalarFunctionWrapper = UserDefinedAsyncScalarFunctionWrapper = Wrapper
UserDefinedTableFunctionWrapper = UserDefinedAggregateFunctionWrapper = Wrapper
