"""Types as SQL writes them: 'BIGINT', 'DEC(10, 2) NOT NULL', 'INT ARRAY', 'ROW<word STRING, n INT>'."""

import re

from streamjob.types import DataTypes, RowField

_TOKEN = re.compile(r"\s*(?:(`(?:[^`]|``)+`)|('(?:[^']|'')*')|(\w+)|([<>(),]))")
_SIMPLE = {
    "NULL": DataTypes.NULL, "BOOLEAN": DataTypes.BOOLEAN, "BOOL": DataTypes.BOOLEAN,
    "TINYINT": DataTypes.TINYINT, "SMALLINT": DataTypes.SMALLINT, "INT": DataTypes.INT, "INTEGER": DataTypes.INT,
    "BIGINT": DataTypes.BIGINT, "FLOAT": DataTypes.FLOAT, "DOUBLE": DataTypes.DOUBLE, "STRING": DataTypes.STRING,
    "BYTES": DataTypes.BYTES, "DATE": DataTypes.DATE,
}  # fmt: skip
_SIZED = {  # the type, how many numbers it may have, and those it has where none are written
    "DECIMAL": (DataTypes.DECIMAL, 2, (10, 0)), "DEC": (DataTypes.DECIMAL, 2, (10, 0)), "NUMERIC": (DataTypes.DECIMAL, 2, (10, 0)),
    "CHAR": (DataTypes.CHAR, 1, (1,)), "CHARACTER": (DataTypes.CHAR, 1, (1,)), "VARCHAR": (DataTypes.VARCHAR, 1, (1,)),
    "BINARY": (DataTypes.BINARY, 1, (1,)), "VARBINARY": (DataTypes.VARBINARY, 1, (1,)),
    "TIME": (DataTypes.TIME, 1, (0,)), "TIMESTAMP": (DataTypes.TIMESTAMP, 1, (6,)), "TIMESTAMP_LTZ": (DataTypes.TIMESTAMP_LTZ, 1, (6,)),
}  # fmt: skip
_VARYING = {"CHAR": "VARCHAR", "CHARACTER": "VARCHAR", "BINARY": "VARBINARY"}
_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR")


class _Parser:
    def __init__(self, text):
        self.text, self.tokens, at = text, [], 0
        text = text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                self.fail()
            self.tokens.append(found[0].strip())
            at = found.end()
        self.at = 0

    def fail(self):
        raise TypeError(f"{self.text!r} is not a type; write BIGINT, DOUBLE, STRING, ROW<name TYPE, …> or one of DataTypes")

    def peek(self):
        return self.tokens[self.at].upper() if self.at < len(self.tokens) else ""

    def take(self, *words):
        """Do exactly these words come? Then they are read."""
        if [token.upper() for token in self.tokens[self.at : self.at + len(words)]] != list(words):
            return False
        self.at += len(words)
        return True

    def need(self, word):
        if not self.take(word):
            self.fail()

    def next(self):
        if self.at == len(self.tokens):
            self.fail()
        self.at += 1
        return self.tokens[self.at - 1]

    def numbers(self, most):
        """(10, 2), where it stands there."""
        found = []
        if self.take("("):
            while not found or self.take(","):
                found.append(self.next())
            self.need(")")
        if len(found) > most or not all(number.isdigit() for number in found):
            self.fail()
        return [int(number) for number in found]

    def type(self):
        found = self.nullable(self.plain())
        while self.peek() in ("ARRAY", "MULTISET"):  # INT ARRAY
            found = self.nullable(getattr(DataTypes, self.next().upper())(found))
        return found

    def nullable(self, found):
        if self.take("NOT", "NULL"):
            return found.not_null()
        self.take("NULL")
        return found

    def plain(self):
        word = self.next().upper()
        if word in _VARYING and self.take("VARYING"):
            word = _VARYING[word]
        if word in _SIZED:
            make, most, default = _SIZED[word]
            numbers = self.numbers(most)
            return self.zone(word, make(*numbers, *default[len(numbers) :]))
        if word in _SIMPLE:
            self.take("PRECISION")
            return _SIMPLE[word]()
        if word in ("ARRAY", "MULTISET") and self.take("<"):
            return self.closed(">", getattr(DataTypes, word)(self.type()))
        if word == "MAP" and self.take("<"):
            key = self.type()
            self.need(",")
            return self.closed(">", DataTypes.MAP(key, self.type()))
        if word == "ROW" and self.peek() in ("<", "("):
            return self.row(">" if self.next() == "<" else ")")
        if word == "INTERVAL":
            return self.interval()
        return self.fail()

    def zone(self, word, found):
        if word not in ("TIME", "TIMESTAMP") or self.take("WITHOUT", "TIME", "ZONE"):
            return found
        if word == "TIMESTAMP" and self.take("WITH", "LOCAL", "TIME", "ZONE"):
            return DataTypes.TIMESTAMP_LTZ(found.precision)
        return found

    def closed(self, mark, found):
        self.need(mark)
        return found

    def row(self, mark):
        fields = []
        while not self.take(mark):
            if fields:
                self.need(",")
            name = self.next()
            fields.append(RowField(name.strip("`").replace("``", "`"), self.type()))
            if self.peek().startswith("'"):  # a description
                self.at += 1
        return DataTypes.ROW(fields)

    def interval(self):
        resolutions = []
        while not resolutions or self.take("TO"):
            unit = self.next().upper()
            if unit not in _UNITS or len(resolutions) == 2:
                self.fail()
            self.numbers(1)
            resolutions.append(getattr(DataTypes, unit)())
        return DataTypes.INTERVAL(*resolutions)


def parse_type(text):
    parser = _Parser(text)
    found = parser.type()
    if parser.at < len(parser.tokens):
        parser.fail()
    return found
