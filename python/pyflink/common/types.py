from streamjob.row import Row, RowKind

__all__ = ["Row", "RowKind"]
