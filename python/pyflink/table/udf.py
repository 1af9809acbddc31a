from streamjob.context import FunctionContext
from streamjob.functions import (
    AggregateFunction,
    ImperativeAggregateFunction,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    UserDefinedFunction,
    udaf,
    udf,
    udtaf,
    udtf,
)

__all__ = [
    "AggregateFunction", "FunctionContext", "ImperativeAggregateFunction", "ScalarFunction", "TableAggregateFunction",
    "TableFunction", "UserDefinedFunction", "udaf", "udf", "udtaf", "udtf",
]  # fmt: skip
