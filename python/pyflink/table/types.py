from streamjob.row import Row, RowKind
from streamjob.types import DataType, DataTypes, RowField, RowType

__all__ = ["DataType", "DataTypes", "Row", "RowField", "RowKind", "RowType"]
