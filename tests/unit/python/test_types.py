import pickle

import pytest
from streamjob.row import Row
from streamjob.type_text import parse_type
from streamjob.types import DataTypes

TEXTS = [
    ("BIGINT", DataTypes.BIGINT()),
    ("bigint not null", DataTypes.BIGINT(False)),
    ("VARCHAR(20)", DataTypes.VARCHAR(20)),
    ("DECIMAL(10, 2)", DataTypes.DECIMAL(10, 2)),
    ("ARRAY<DOUBLE>", DataTypes.ARRAY(DataTypes.DOUBLE())),
    ("MAP<STRING, ROW<a INT, b DECIMAL(3, 1)>>",
     DataTypes.MAP("STRING", DataTypes.ROW([DataTypes.FIELD("a", "INT"), DataTypes.FIELD("b", DataTypes.DECIMAL(3, 1))]))),
    ("ROW(`word` STRING, n BIGINT)", DataTypes.ROW([DataTypes.FIELD("word", "STRING"), DataTypes.FIELD("n", "BIGINT")])),
]  # fmt: skip


@pytest.mark.parametrize("text,expected", TEXTS, ids=[case[0] for case in TEXTS])
def test_parse(text, expected):
    assert parse_type(text) == expected


@pytest.mark.parametrize("text", ["", "NUMBER", "ROW<a>", "MAP<INT>", "ARRAY<>", "DECIMAL(x)"])
def test_no_type(text):
    with pytest.raises(TypeError):
        parse_type(text)


def test_row():
    person = Row("id", "name")
    row = person(1, "a")
    row["id"] = 5
    row[1] += "b"
    assert (row.id, row["name"], row.as_dict(), len(row), list(row)) == (5, "ab", {"id": 5, "name": "ab"}, 2, [5, "ab"])
    assert pickle.loads(pickle.dumps(row)) == row == Row(5, "ab")
    assert repr(row) == "Row(id=5, name='ab')"
    with pytest.raises(ValueError, match="'x' is no field"):
        row["x"]
    with pytest.raises(AttributeError):
        row.x
