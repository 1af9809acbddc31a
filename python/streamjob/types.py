"""Data types with PyFlink's names: what a function says of its results, its arguments and its accumulator.

A result becomes a column, so only what a column can hold arrives as itself; `DataType.column` says what each type becomes:

    BOOLEAN                              BOOLEAN
    TINYINT, SMALLINT, INT               INT
    BIGINT                               BIGINT
    FLOAT, DOUBLE, DECIMAL               DOUBLE
    CHAR, VARCHAR, STRING                STRING
    TIMESTAMP, TIMESTAMP_LTZ, DATE       TIMESTAMP (UTC, milliseconds)
    ARRAY, MAP, MULTISET, a ROW in a ROW STRING that holds JSON

Accumulators never leave Python, so any type may stand there.
"""

import re


class DataType:
    """A type: its SQL name, and the column type that a result of it becomes (None: it cannot be a result)."""

    def __init__(self, name, column, nullable=True):
        self.name, self.column, self.nullable = name, column, nullable

    def not_null(self):
        return self._copy(nullable=False)

    def _copy(self, **changes):
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def __repr__(self):
        return self.name

    def __eq__(self, other):
        return isinstance(other, DataType) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


class RowField:
    def __init__(self, name, data_type, description=None):
        if not isinstance(name, str):
            raise TypeError(f"the name of a field is a str, not {name!r}")
        self.name, self.data_type, self.description = name, as_type(data_type), description

    def __repr__(self):
        return f"{self.name} {self.data_type}"


class RowType(DataType):
    def __init__(self, fields=(), nullable=True):
        self.fields = list(fields)
        for field in self.fields:
            if not isinstance(field, RowField):
                raise TypeError(f"DataTypes.ROW takes a list of DataTypes.FIELD, not {field!r}")
        super().__init__("ROW<" + ", ".join(map(repr, self.fields)) + ">", "STRING", nullable)

    def field_names(self):
        return [field.name for field in self.fields]

    def field_types(self):
        return [field.data_type for field in self.fields]


class DataTypes:
    """PyFlink's factory of types."""

    NULL = staticmethod(lambda: DataType("NULL", "STRING"))
    BOOLEAN = staticmethod(lambda nullable=True: DataType("BOOLEAN", "BOOLEAN", nullable))
    TINYINT = staticmethod(lambda nullable=True: DataType("TINYINT", "INT", nullable))
    SMALLINT = staticmethod(lambda nullable=True: DataType("SMALLINT", "INT", nullable))
    INT = staticmethod(lambda nullable=True: DataType("INT", "INT", nullable))
    BIGINT = staticmethod(lambda nullable=True: DataType("BIGINT", "BIGINT", nullable))
    FLOAT = staticmethod(lambda nullable=True: DataType("FLOAT", "DOUBLE", nullable))
    DOUBLE = staticmethod(lambda nullable=True: DataType("DOUBLE", "DOUBLE", nullable))
    STRING = staticmethod(lambda nullable=True: DataType("STRING", "STRING", nullable))
    CHAR = staticmethod(lambda length, nullable=True: DataType(f"CHAR({length})", "STRING", nullable))
    VARCHAR = staticmethod(lambda length, nullable=True: DataType(f"VARCHAR({length})", "STRING", nullable))
    BYTES = staticmethod(lambda nullable=True: DataType("BYTES", None, nullable))
    BINARY = staticmethod(lambda length, nullable=True: DataType(f"BINARY({length})", None, nullable))
    VARBINARY = staticmethod(lambda length, nullable=True: DataType(f"VARBINARY({length})", None, nullable))
    DATE = staticmethod(lambda nullable=True: DataType("DATE", "TIMESTAMP", nullable))
    TIME = staticmethod(lambda precision=0, nullable=True: DataType(f"TIME({precision})", None, nullable))

    @staticmethod
    def DECIMAL(precision=10, scale=0, nullable=True):
        return DataType(f"DECIMAL({precision}, {scale})", "DOUBLE", nullable)

    @staticmethod
    def TIMESTAMP(precision=6, nullable=True):
        return DataType(f"TIMESTAMP({precision})", "TIMESTAMP", nullable)

    @staticmethod
    def TIMESTAMP_LTZ(precision=6, nullable=True):
        return DataType(f"TIMESTAMP_LTZ({precision})", "TIMESTAMP", nullable)

    TIMESTAMP_WITH_LOCAL_TIME_ZONE = TIMESTAMP_LTZ

    @staticmethod
    def ARRAY(element_type, nullable=True):
        return DataType(f"ARRAY<{as_type(element_type)}>", "STRING", nullable)

    @staticmethod
    def MAP(key_type, value_type, nullable=True):
        return DataType(f"MAP<{as_type(key_type)}, {as_type(value_type)}>", "STRING", nullable)

    @staticmethod
    def MULTISET(element_type, nullable=True):
        return DataType(f"MULTISET<{as_type(element_type)}>", "STRING", nullable)

    @staticmethod
    def LIST_VIEW(element_type):
        return DataType(f"LIST_VIEW<{as_type(element_type)}>", None)

    @staticmethod
    def MAP_VIEW(key_type, value_type):
        return DataType(f"MAP_VIEW<{as_type(key_type)}, {as_type(value_type)}>", None)

    @staticmethod
    def ROW(row_fields=(), nullable=True):
        return RowType(row_fields, nullable)

    FIELD = RowField


_SIMPLE = {
    "BOOLEAN": DataTypes.BOOLEAN, "BOOL": DataTypes.BOOLEAN,
    "TINYINT": DataTypes.TINYINT, "SMALLINT": DataTypes.SMALLINT,
    "INT": DataTypes.INT, "INTEGER": DataTypes.INT, "BIGINT": DataTypes.BIGINT,
    "FLOAT": DataTypes.FLOAT, "DOUBLE": DataTypes.DOUBLE, "DOUBLE PRECISION": DataTypes.DOUBLE,
    "DECIMAL": DataTypes.DECIMAL, "NUMERIC": DataTypes.DECIMAL,
    "STRING": DataTypes.STRING, "CHAR": lambda: DataTypes.CHAR(1), "VARCHAR": lambda: DataTypes.VARCHAR(1),
    "BYTES": DataTypes.BYTES, "DATE": DataTypes.DATE, "TIME": DataTypes.TIME,
    "TIMESTAMP": DataTypes.TIMESTAMP, "TIMESTAMP_LTZ": DataTypes.TIMESTAMP_LTZ,
}  # fmt: skip
_SIZED = {
    "CHAR": DataTypes.CHAR, "VARCHAR": DataTypes.VARCHAR, "DECIMAL": DataTypes.DECIMAL, "NUMERIC": DataTypes.DECIMAL,
    "TIMESTAMP": DataTypes.TIMESTAMP, "TIMESTAMP_LTZ": DataTypes.TIMESTAMP_LTZ, "TIME": DataTypes.TIME,
    "BINARY": DataTypes.BINARY, "VARBINARY": DataTypes.VARBINARY,
}  # fmt: skip


def _split(text):
    """At the commas that stand in no brackets."""
    parts, depth, begin = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts]


def _parse_field(text):
    name, _, rest = text.strip().replace("\t", " ").partition(" ")
    if not rest:
        raise TypeError(f"a field of a ROW is `name TYPE`, not {text!r}")
    return RowField(name.strip("`"), parse_type(rest))


def parse_type(text):
    """The type that an SQL text names: 'BIGINT', 'ROW<word STRING, n INT>', 'ARRAY<DOUBLE>', 'DECIMAL(10, 2) NOT NULL'."""
    plain = re.sub(r"\s+", " ", text.strip())
    bare = re.sub(r" NOT NULL$", "", plain, flags=re.IGNORECASE)
    if bare != plain:
        return parse_type(bare).not_null()
    upper = bare.upper()
    if upper in _SIMPLE:
        return _SIMPLE[upper]()
    sized = re.fullmatch(r"(\w+) ?\(([\d, ]+)\)", upper)
    if sized and sized[1] in _SIZED:
        return _SIZED[sized[1]](*map(int, sized[2].split(",")))
    nested = re.fullmatch(r"(\w+) ?<(.*)>", bare) or re.fullmatch(r"(ROW) ?\((.*)\)", bare, flags=re.IGNORECASE)
    if nested:
        kind, inner = nested[1].upper(), _split(nested[2])
        if kind == "ROW":
            return DataTypes.ROW([_parse_field(part) for part in inner])
        if kind in ("ARRAY", "MULTISET") and len(inner) == 1:
            return getattr(DataTypes, kind)(parse_type(inner[0]))
        if kind == "MAP" and len(inner) == 2:
            return DataTypes.MAP(*map(parse_type, inner))
    raise TypeError(f"{text!r} is not a type; write BIGINT, DOUBLE, STRING, ROW<name TYPE, …> or one of DataTypes")


def as_type(value):
    """A DataType as it is, a text parsed."""
    if isinstance(value, DataType):
        return value
    if isinstance(value, str):
        return parse_type(value)
    raise TypeError(f"a type is one of DataTypes or its SQL text, not {value!r}")
