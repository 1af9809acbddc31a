from pyflink import absent
from streamjob.row import Row, RowKind

__all__ = ["Row", "RowKind"]


def __getattr__(name):
    return absent(__name__, name)
