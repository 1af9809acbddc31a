from pyflink import absent
from streamjob.context import FunctionContext
from streamjob.functions import AggregateFunction, ScalarFunction, TableAggregateFunction, TableFunction
from streamjob.row import Row, RowKind
from streamjob.types import DataTypes
from streamjob.views import ListView, MapView

__all__ = [
    "AggregateFunction", "DataTypes", "FunctionContext", "ListView", "MapView", "Row", "RowKind", "ScalarFunction",
    "TableAggregateFunction", "TableFunction",
]  # fmt: skip


def __getattr__(name):
    return absent(__name__, name)
