"""The types of PyFlink: their classes, the factory DataTypes, and which column of a job each becomes.

`column` is the job's column type that carries values of the type, both ways. None: nothing carries them yet, `instead` says
what to do, and `returns` of the job file may name one of `as_columns`, which a result is then turned into (results.py).
"""


class DataType:
    column = None
    as_columns = ()
    instead = "no column holds it"

    def __init__(self, nullable=True):
        self._nullable = nullable

    def not_null(self):
        return self._copy(_nullable=False)

    def nullable(self):
        return self._copy(_nullable=True)

    def _copy(self, **changes):
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    @classmethod
    def type_name(cls):
        return cls.__name__.removesuffix("Type").upper()

    @property
    def name(self):
        """As SQL writes it, without NOT NULL."""
        return self.type_name()

    def bridged_to(self, conversion_cls):
        del conversion_cls  # a Java class
        return self

    def need_conversion(self):
        return False

    def to_sql_type(self, obj):
        return obj

    from_sql_type = to_sql_type

    def __repr__(self):
        return self.name

    def __eq__(self, other):
        return isinstance(other, DataType) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


class AtomicType(DataType):
    pass


class NullType(AtomicType):
    column = "STRING"


class NumericType(AtomicType):
    pass


class IntegralType(NumericType):
    pass


class FractionalType(NumericType):
    pass


class BooleanType(AtomicType):
    column = "BOOLEAN"


class TinyIntType(IntegralType):
    column = "INT"


class SmallIntType(IntegralType):
    column = "INT"


class IntType(IntegralType):
    column = "INT"


class BigIntType(IntegralType):
    column = "BIGINT"


class FloatType(FractionalType):
    column = "DOUBLE"


class DoubleType(FractionalType):
    column = "DOUBLE"


class DecimalType(FractionalType):
    as_columns = ("DOUBLE", "STRING")
    instead = "take a DOUBLE, BIGINT or STRING and make the Decimal in the function"

    def __init__(self, precision=10, scale=0, nullable=True):
        self.precision, self.scale = precision, scale
        super().__init__(nullable)

    @property
    def name(self):
        return f"DECIMAL({self.precision}, {self.scale})"


class _LengthType(AtomicType):
    MOST = 0x7FFFFFFF

    def __init__(self, length=1, nullable=True):
        self.length = length
        super().__init__(nullable)

    @property
    def name(self):
        return f"{self.type_name()}({self.length})"


class CharType(_LengthType):
    column = "STRING"


class VarCharType(_LengthType):
    column = "STRING"

    @property
    def name(self):
        return "STRING" if self.length == self.MOST else f"VARCHAR({self.length})"


class BinaryType(_LengthType):
    instead = "take or give a STRING, such as the bytes' hex() or base64"


class VarBinaryType(BinaryType):
    @property
    def name(self):
        return "BYTES" if self.length == self.MOST else f"VARBINARY({self.length})"


class DateType(AtomicType):
    as_columns = ("TIMESTAMP", "STRING")
    instead = "take a TIMESTAMP and call its date(), or a STRING"


class _PrecisionType(AtomicType):
    def __init__(self, precision=0, nullable=True):
        self.precision = precision
        super().__init__(nullable)

    @property
    def name(self):
        return f"{self.type_name()}({self.precision})"


class TimeType(_PrecisionType):
    as_columns = ("STRING",)
    instead = "take a TIMESTAMP and call its time(), or a STRING"


class TimestampType(_PrecisionType):
    column = "TIMESTAMP"

    def __init__(self, precision=6, nullable=True):
        super().__init__(precision, nullable)


class LocalZonedTimestampType(TimestampType):
    @classmethod
    def type_name(cls):
        return "TIMESTAMP_LTZ"


class ZonedTimestampType(TimestampType):
    column = None
    instead = "a TIMESTAMP or TIMESTAMP_LTZ means UTC"

    @classmethod
    def type_name(cls):
        return "TIMESTAMP WITH TIME ZONE"


class Resolution:
    def __init__(self, unit, precision=-1):
        self.unit, self.precision = unit, precision

    def __repr__(self):
        return self.unit if self.precision < 0 else f"{self.unit}({self.precision})"


class _IntervalType(AtomicType):
    instead = "take or give whole milliseconds or months as a BIGINT"

    def __init__(self, resolution, *precisions, nullable=True):
        self.resolution, self.precisions = resolution, precisions
        super().__init__(nullable)

    @property
    def name(self):
        return f"INTERVAL {self.resolution}"


class YearMonthIntervalType(_IntervalType):
    pass


class DayTimeIntervalType(_IntervalType):
    pass


_NESTED = "take its parts as arguments of their own, or a STRING of JSON and json.loads it"


class _CollectionType(DataType):
    as_columns = ("STRING",)
    instead = _NESTED

    def __init__(self, element_type, nullable=True):
        self.element_type = as_type(element_type)
        super().__init__(nullable)

    @property
    def name(self):
        return f"{self.type_name()}<{self.element_type}>"


class ArrayType(_CollectionType):
    pass


class MultisetType(_CollectionType):
    pass


class ListViewType(_CollectionType):
    as_columns = ()
    instead = "it is a type of accumulators"

    @classmethod
    def type_name(cls):
        return "LIST_VIEW"


class MapType(DataType):
    as_columns = ("STRING",)
    instead = _NESTED

    def __init__(self, key_type, value_type, nullable=True):
        self.key_type, self.value_type = as_type(key_type), as_type(value_type)
        super().__init__(nullable)

    @property
    def name(self):
        return f"{self.type_name()}<{self.key_type}, {self.value_type}>"


class MapViewType(MapType):
    as_columns = ()
    instead = "it is a type of accumulators"

    @classmethod
    def type_name(cls):
        return "MAP_VIEW"


class RowField:
    def __init__(self, name, data_type, description=None):
        if not isinstance(name, str):
            raise TypeError(f"the name of a field is a str, not {name!r}")
        self.name, self.data_type, self.description = name, as_type(data_type), description

    def __repr__(self):
        return f"{self.name} {self.data_type}"

    def __eq__(self, other):
        return isinstance(other, RowField) and (self.name, self.data_type) == (other.name, other.data_type)

    __hash__ = None


class RowType(DataType):
    as_columns = ("STRING",)
    instead = _NESTED

    def __init__(self, fields=(), nullable=True):
        self.fields = list(fields or ())
        for field in self.fields:
            if not isinstance(field, RowField):
                raise TypeError(f"DataTypes.ROW takes a list of DataTypes.FIELD, not {field!r}")
        super().__init__(nullable)

    @property
    def name(self):
        return "ROW<" + ", ".join(map(repr, self.fields)) + ">"

    @property
    def names(self):
        return self.field_names()

    def add(self, field, data_type=None):
        if not isinstance(field, RowField):
            if data_type is None:
                raise ValueError(f"the field {field!r} needs a data type")
            field = RowField(field, data_type)
        self.fields.append(field)
        return self

    def field_names(self):
        return [field.name for field in self.fields]

    def field_types(self):
        return [field.data_type for field in self.fields]

    def __iter__(self):
        return iter(self.fields)

    def __len__(self):
        return len(self.fields)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return RowType(self.fields[key])
        return self.fields[self.field_names().index(key) if isinstance(key, str) else key]


class RawType(DataType):
    instead = "the job file has no values that only Python can read; take or give a STRING"


class UserDefinedType(DataType):
    """The base of classes of the user's; none can be a column."""

    instead = "take or give what its serialize() makes, by a type of its own"

    @classmethod
    def type_name(cls):
        return cls.__name__.lower()

    @classmethod
    def sql_type(cls):
        raise NotImplementedError(f"{cls.__name__} has no sql_type()")

    def serialize(self, obj):
        raise NotImplementedError(f"{type(self).__name__} has no serialize()")

    def deserialize(self, datum):
        raise NotImplementedError(f"{type(self).__name__} has no deserialize()")


class DataTypes:
    """PyFlink's factory of types."""

    NULL = staticmethod(lambda: NullType())
    BOOLEAN = staticmethod(lambda nullable=True: BooleanType(nullable))
    TINYINT = staticmethod(lambda nullable=True: TinyIntType(nullable))
    SMALLINT = staticmethod(lambda nullable=True: SmallIntType(nullable))
    INT = staticmethod(lambda nullable=True: IntType(nullable))
    BIGINT = staticmethod(lambda nullable=True: BigIntType(nullable))
    FLOAT = staticmethod(lambda nullable=True: FloatType(nullable))
    DOUBLE = staticmethod(lambda nullable=True: DoubleType(nullable))
    DECIMAL = staticmethod(lambda precision=10, scale=0, nullable=True: DecimalType(precision, scale, nullable))
    STRING = staticmethod(lambda nullable=True: VarCharType(VarCharType.MOST, nullable))
    CHAR = staticmethod(lambda length, nullable=True: CharType(length, nullable))
    VARCHAR = staticmethod(lambda length, nullable=True: VarCharType(length, nullable))
    BYTES = staticmethod(lambda nullable=True: VarBinaryType(VarBinaryType.MOST, nullable))
    BINARY = staticmethod(lambda length, nullable=True: BinaryType(length, nullable))
    VARBINARY = staticmethod(lambda length, nullable=True: VarBinaryType(length, nullable))
    DATE = staticmethod(lambda nullable=True: DateType(nullable))
    TIME = staticmethod(lambda precision=0, nullable=True: TimeType(precision, nullable))
    TIMESTAMP = staticmethod(lambda precision=6, nullable=True: TimestampType(precision, nullable))
    TIMESTAMP_LTZ = staticmethod(lambda precision=6, nullable=True: LocalZonedTimestampType(precision, nullable))
    TIMESTAMP_WITH_LOCAL_TIME_ZONE = TIMESTAMP_LTZ
    ARRAY = staticmethod(lambda element_type, nullable=True: ArrayType(element_type, nullable))
    MULTISET = staticmethod(lambda element_type, nullable=True: MultisetType(element_type, nullable))
    MAP = staticmethod(lambda key_type, value_type, nullable=True: MapType(key_type, value_type, nullable))
    LIST_VIEW = staticmethod(lambda element_type: ListViewType(element_type))
    MAP_VIEW = staticmethod(lambda key_type, value_type: MapViewType(key_type, value_type))
    ROW = staticmethod(lambda row_fields=(), nullable=True: RowType(row_fields, nullable))
    FIELD = RowField
    RAW = staticmethod(lambda *args: RawType())
    SECOND = staticmethod(lambda precision=6: Resolution("SECOND", precision))
    MINUTE = staticmethod(lambda: Resolution("MINUTE"))
    HOUR = staticmethod(lambda: Resolution("HOUR"))
    DAY = staticmethod(lambda precision=2: Resolution("DAY", precision))
    MONTH = staticmethod(lambda: Resolution("MONTH"))
    YEAR = staticmethod(lambda precision=2: Resolution("YEAR", precision))

    @staticmethod
    def INTERVAL(upper_resolution, lower_resolution=None):
        months = upper_resolution.unit in ("MONTH", "YEAR")
        text = f"{upper_resolution} TO {lower_resolution}" if lower_resolution else str(upper_resolution)
        return (YearMonthIntervalType if months else DayTimeIntervalType)(text)


def as_type(value):
    """A DataType as it is, a text parsed."""
    if isinstance(value, DataType):
        return value
    if isinstance(value, str):
        from streamjob.type_text import parse_type

        return parse_type(value)
    raise TypeError(f"a type is one of DataTypes or its SQL text, not {value!r}")
