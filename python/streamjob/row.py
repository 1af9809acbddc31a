"""Row, with the behaviour of PyFlink's: positional or named fields, mutable, comparable, picklable."""

import enum


class RowKind(enum.Enum):
    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self):
        return ("+I", "-U", "+U", "-D")[self.value]


class Row:
    """Row(1, "a"), Row(id=1, name="a"), or a class of rows: Person = Row("id", "name"); Person(1, "a")."""

    __slots__ = ("_values", "_fields", "_kind")

    def __init__(self, *args, **kwargs):
        if args and kwargs:
            raise ValueError("a Row takes positional values or named ones, not both")
        self._fields = list(kwargs) if kwargs else None
        self._values = list(kwargs.values()) if kwargs else list(args)
        self._kind = RowKind.INSERT

    def __call__(self, *args):
        if len(args) > len(self._values):
            raise ValueError(f"{len(args)} values for the {len(self._values)} fields {self._values}")
        row = Row(*args)
        row._fields = list(self._values)
        return row

    @staticmethod
    def of_kind(row_kind, *args, **kwargs):
        row = Row(*args, **kwargs)
        row._kind = row_kind
        return row

    def get_row_kind(self):
        return self._kind

    def set_row_kind(self, row_kind):
        self._kind = row_kind

    def set_field_names(self, field_names):
        self._fields = list(field_names)

    def get_fields_by_names(self, names):
        return [self[name] for name in names]

    def to_tuple(self):
        return tuple(self._values)

    def as_dict(self, recursive=False):
        if self._fields is None:
            raise TypeError("a Row without field names has no dict; make it with Row(name=value, …)")

        def plain(value):
            return value.as_dict(True) if recursive and isinstance(value, Row) else value

        return {name: plain(value) for name, value in zip(self._fields, self._values)}

    def _index(self, key):
        if isinstance(key, (int, slice)):
            return key
        if self._fields is None or key not in self._fields:
            raise ValueError(f"{key!r} is no field of the row; it has {self._fields or 'no names'}")
        return self._fields.index(key)

    def __getitem__(self, key):
        return self._values[self._index(key)]

    def __setitem__(self, key, value):
        self._values[self._index(key)] = value

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except (ValueError, IndexError):
            raise AttributeError(name) from None

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __contains__(self, value):
        return value in self._values

    def __eq__(self, other):
        return isinstance(other, Row) and (self._values, self._kind) == (other._values, other._kind)

    def __hash__(self):
        return hash(tuple(self._values))

    def __repr__(self):
        names = self._fields or [None] * len(self._values)
        return "Row(" + ", ".join(f"{n}={v!r}" if n else repr(v) for n, v in zip(names, self._values)) + ")"

    def __getstate__(self):
        return self._values, self._fields, self._kind

    def __setstate__(self, state):
        self._values, self._fields, self._kind = state
