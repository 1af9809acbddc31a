"""The names of PyFlink's that need its engine: they can be imported, called, subclassed and combined, and nothing happens.

So a module that holds functions beside a job of its own loads unchanged, whether the job stands in a main() or at the
module's level. Only what asks a job for a result (rows, a number, a truth) fails, in a sentence that says where the job file
says it instead: an answer that is made up would go into what the functions compute.
"""

import typing

JOB = "what is read, computed and written stands in the job file: source, columns, select, groupBy, aggregates, sinks"
# By the longest beginning of the name's module: where the job file has it.
WHERE = {
    "pyflink": JOB,
    "pyflink.common.config": "a function's settings are `parameters` of the job file, which get_job_parameter answers",
    "pyflink.common.execution": "the job file's spec says how the job runs",
    "pyflink.common.serialization": "the job file's source, sinks and format say it",
    "pyflink.common.time": "windows stand in the job file: window.tumbling.size",
    "pyflink.common.typeinfo": "the types of what is read are those of `columns` in the job file, a function's are DataTypes",
    "pyflink.common.watermark_strategy": "the job file's window says which time counts",
    "pyflink.datastream": JOB + "; a map is a scalar function in select, a flat_map a table function in lateral",
    "pyflink.datastream.connectors": "the job file's source and sinks say it",
    "pyflink.datastream.formats": "the job file's source, sinks and format say it",
    "pyflink.datastream.state": "a function's state is its accumulator",
    "pyflink.datastream.window": "windows stand in the job file: window.tumbling.size",
    "pyflink.table.catalog": "the job file's source and sinks say it",
    "pyflink.table.descriptors": "the job file's source and sinks say it",
    "pyflink.table.expression": "an expression is SQL text in the job file",
    "pyflink.table.table_config": "a function's settings are `parameters` of the job file, which get_job_parameter answers",
    "pyflink.table.table_descriptor": "the job file's source and sinks say it",
    "pyflink.table.window": "windows stand in the job file: window.tumbling.size",
}
# Methods that give rows or numbers to the program: they fail where they are called, not where the result is used.
ANSWERS = frozenset((
    "collect", "execute_and_collect", "get_accumulator_result", "get_all_accumulator_results", "to_pandas",
))  # fmt: skip
# What makes something of one or two operands, of which either may be an inert one; and what orders two.
OPERATORS = tuple(f"__{name}__" for name in ("neg", "pos", "abs", "invert")) + tuple(
    f"__{side}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
    for side in ("", "r")
)
ORDERS = ("__lt__", "__le__", "__gt__", "__ge__")


class NoResult(RuntimeError):
    """A result of a Flink job was asked for, and there is no such job."""


def where(name):
    return WHERE[max((known for known in WHERE if name.startswith(known)), key=len, default="pyflink")]


def _refuse(name):
    raise NoResult(
        f"{name} has no result here: StreamJob runs the functions of this module, not its Flink job; {where(name)}"
    )


def _refusing(self, *args, **kwargs):
    _refuse(_name_of(self))


def _name_of(thing):
    return thing.__dict__.get("_inert_name") or type(thing)._inert_name


def _dunder(name):
    return name.startswith("__") and name.endswith("__")


class _InertMeta(type):
    """Classes of PyFlink: what they have is Inert too, so StreamExecutionEnvironment.get_execution_environment() is."""

    def __getattr__(cls, name):
        if _dunder(name) or "_inert_own" not in cls.__dict__:  # what a class of the user's has not set is not there
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        value = Inert._of(f"{cls._inert_name}.{name}", constant=name.isupper())
        setattr(cls, name, value)  # the same object each time: `mode is RuntimeExecutionMode.BATCH`
        return value

    def __iter__(cls):
        _refuse(cls._inert_name)


class Inert(metaclass=_InertMeta):
    """An object of PyFlink's that does nothing; the base of its classes."""

    _inert_name = "pyflink"

    def __init__(self, *args, **kwargs):
        pass

    @staticmethod
    def _of(name, constant=False):
        value = object.__new__(Inert)
        value.__dict__.update(_inert_name=name, _inert_constant=constant)
        return value

    def __getattr__(self, name):
        if _dunder(name):
            raise AttributeError(name)
        cls = type(self)
        if "_inert_own" not in cls.__dict__ and cls is not Inert:  # a class of the user's: what it has not set is not there
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}")
        return Inert._of(f"{_name_of(self)}.{name}")

    def __call__(self, *args, **kwargs):
        name = _name_of(self)
        if name.rpartition(".")[2] in ANSWERS:
            _refuse(name + "()")
        return Inert._of(name + "()")

    def __class_getitem__(cls, item):
        return cls

    def __mro_entries__(self, bases):
        return (Inert,)

    def _compared(self, other):
        if self.__dict__.get("_inert_constant") or isinstance(other, Inert) and other.__dict__.get("_inert_constant"):
            return self is other
        return _Comparison._of_comparison(_name_of(self))

    def __eq__(self, other):
        return self is other or self._compared(other)

    def __ne__(self, other):
        same = self._compared(other) if self is not other else True
        return not same if isinstance(same, bool) else same

    __hash__ = object.__hash__

    def _combined(self, *others):
        return Inert._of(_name_of(self))

    vars().update(dict.fromkeys(OPERATORS, _combined))

    def _compare(self, other):
        return _Comparison._of_comparison(_name_of(self))

    vars().update(dict.fromkeys(ORDERS, _compare))

    def __getitem__(self, key):
        return Inert._of(f"{_name_of(self)}[{key!r}]")

    def __setitem__(self, key, value):
        pass

    def __delitem__(self, key):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return False

    def __bool__(self):
        return True

    __iter__ = __next__ = __len__ = __contains__ = __reversed__ = __await__ = __aiter__ = _refusing
    __int__ = __float__ = __index__ = __complex__ = __round__ = __fspath__ = __bytes__ = _refusing

    def __repr__(self):
        return f"<{_name_of(self)}: Flink's, not run here>"


class _Comparison(Inert):
    """col("a") == 1 is an expression; whether it is true only the engine knows."""

    _inert_own = True
    __hash__ = object.__hash__

    @staticmethod
    def _of_comparison(name):
        value = object.__new__(_Comparison)
        value.__dict__.update(_inert_name=name, _inert_constant=False)
        return value

    __bool__ = _refusing


class Lost(Inert):
    """What a statement would have named that asked a job for a result: no use of it goes."""

    _inert_own = True
    __hash__ = object.__hash__

    @staticmethod
    def _of_result(name):
        value = object.__new__(Lost)
        value.__dict__.update(_inert_name=name, _inert_constant=False)
        return value

    def __getattr__(self, name):
        if _dunder(name):
            raise AttributeError(name)
        _refuse(_name_of(self))

    __call__ = __getitem__ = __setitem__ = __delitem__ = __enter__ = __bool__ = __eq__ = __ne__ = _refusing
    vars().update(dict.fromkeys((*OPERATORS, *ORDERS), _refusing))


def inert_class(module, name):
    if name.endswith("Exception"):
        return type(name, (Exception,), {"__module__": module})
    return _InertMeta(name, (Inert,), {"__module__": module, "_inert_name": f"{module}.{name}", "_inert_own": True})


def inert_value(module, name):
    """A function or a constant; a type variable is one."""
    if name.isupper() and len(name) <= 3:
        return typing.TypeVar(name)
    return Inert._of(f"{module}.{name}", constant=name.isupper())
