"""User functions of StreamJob: PyFlink's names, for modules that are written for it (`pyflink` has them too)."""

from streamjob.context import Counter, Distribution, FunctionContext, Meter, MetricGroup
from streamjob.functions import (
    AggregateFunction,
    AsyncScalarFunction,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    UserDefinedFunction,
    udaf,
    udf,
    udtaf,
    udtf,
)
from streamjob.row import Row, RowKind
from streamjob.types import DataType, DataTypes
from streamjob.views import ListView, MapView

__all__ = [
    "AggregateFunction", "AsyncScalarFunction", "Counter", "DataType", "DataTypes", "Distribution", "FunctionContext", "ListView", "MapView",
    "Meter", "MetricGroup", "Row", "RowKind", "ScalarFunction", "TableAggregateFunction", "TableFunction",
    "UserDefinedFunction", "udaf", "udf", "udtaf", "udtf",
]  # fmt: skip
