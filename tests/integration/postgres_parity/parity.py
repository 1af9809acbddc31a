"""The row that both sides evaluate over, and the expressions: cases.txt, every operator with every pair of columns,
every cast of many texts, and random trees.

Random trees have columns as leaves only: PostgreSQL's planner computes what is constant before it looks whether the
branch is taken, and drops what stands beside a constant NULL; we never do.
"""

import pathlib
import random
import re

# Name, PostgreSQL's type, value; eval_expr.c has the same row.
ROW = [
    ("b_true", "boolean", "true"),
    ("b_false", "boolean", "false"),
    ("b_null", "boolean", "NULL"),
    ("i", "integer", "7"),
    ("i_zero", "integer", "0"),
    ("i_neg", "integer", "-3"),
    ("i_max", "integer", "2147483647"),
    ("i_min", "integer", "-2147483648"),
    ("i_null", "integer", "NULL"),
    ("l", "bigint", "10000000000"),
    ("l_neg", "bigint", "-1"),
    ("l_max", "bigint", "9223372036854775807"),
    ("l_min", "bigint", "-9223372036854775808"),
    ("l_null", "bigint", "NULL"),
    ("d", "double precision", "2.5"),
    ("d_neg", "double precision", "-0.125"),
    ("d_nan", "double precision", "'NaN'"),
    ("d_inf", "double precision", "'Infinity'"),
    ("d_minus_zero", "double precision", "'-0'"),
    ("d_big", "double precision", "'1e300'"),
    ("d_tiny", "double precision", "'-1e-300'"),
    ("d_null", "double precision", "NULL"),
    ("s", "text", "'Hello, World_100%'"),
    ("s_empty", "text", "''"),
    ("s_utf8", "text", "'grüß 日本 🎉'"),
    ("s_number", "text", "' 42 '"),
    ("s_escape", "text", "E'50%_\\\\\\n'"),
    ("s_null", "text", "NULL"),
    ("t", "timestamptz", "'2025-11-24 08:00:00.123Z'"),
    ("t_old", "timestamptz", "'1969-12-31 23:59:59.999Z'"),
    ("t_bc", "timestamptz", "'0044-03-15 12:00:00.5Z BC'"),
    ("t_far", "timestamptz", "'250000-02-28 01:02:03.040Z'"),
    ("t_null", "timestamptz", "NULL"),
]

TYPES = {
    "BOOLEAN": "boolean",
    "INT": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "STRING": "text",
    "TIMESTAMP": "timestamp with time zone",
}

NAMES = [name for name, _, _ in ROW]

TOKEN = re.compile(
    r"""(?P<skip>E?'(?:[^'\\]|''|\\.)*'|"[^"]*"|--.*|/\*.*?\*/|\$\$.*?\$\$|[A-Za-z_][A-Za-z_0-9]*)"""
    r"""|(?P<real>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)""",
    re.VERBOSE | re.DOTALL,
)
PLAIN_STRING = re.compile(r"(?<![EeUu&])'(?:[^']|'')*'")


def for_postgres(expression):
    """Numbers with a point or exponent as double precision: there is no NUMERIC here."""
    parts, at = [], 0
    for plain in PLAIN_STRING.finditer(expression):
        parts.append(_typed_reals(expression[at : plain.start()]))
        parts.append(plain.group())
        at = plain.end()
    parts.append(_typed_reals(expression[at:]))
    return "".join(parts)


def _typed_reals(text):
    return TOKEN.sub(lambda m: m.group() + "::float8" if m.group("real") else m.group(), text)


def listed():
    """[(group, expression)] of cases.txt."""
    cases, group = [], None
    for line in (pathlib.Path(__file__).parent / "cases.txt").read_text().splitlines():
        if line.startswith("== "):
            group = line[3:]
        elif group and line:
            cases.append((group, line))
    return cases


def operators():
    """Every operator with every pair of columns, every test and function with every column."""
    binary = ["=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "AND", "OR", "LIKE", "IS DISTINCT FROM"]
    for left in NAMES:
        yield "columns", left
        for right in NAMES:
            for operator in binary:
                if operator == "-" and left[:1] == right[:1] == "t":
                    continue  # an INTERVAL, in different.txt
                yield f"columns {operator}", f"{left} {operator} {right}"
            for template in ("COALESCE({}, {})", "NULLIF({}, {})", "{} IN ({})", "CASE WHEN b_null THEN {} ELSE {} END"):
                yield template.split("(")[0], template.format(left, right)
    unary = ["-{}", "+{}", "NOT {}", "ABS({})", "FLOOR({})", "CEIL({})", "ROUND({})", "LOWER({})", "UPPER({})"]
    unary += ["LENGTH({})", "SUBSTRING({}, 2, 3)", "{} IS NULL", "{} IS NOT NULL", "{} IS TRUE", "{} IS NOT FALSE"]
    unary += ["{} IS UNKNOWN"]
    casts = ["boolean", "int", "bigint", "double precision", "text", "timestamptz"]
    for name in NAMES:
        for template in unary + ["{}::" + cast for cast in casts]:
            yield template, template.format(name)


INTEGERS = [0, 1, -1, 2, 3, -7, 1000, 46341, -46341, 65536, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**32, 3037000500]
INTEGERS += [10**18, 2**62, -(2**62), 2**63 - 1, -(2**63)]
REALS = ["0", "-0", "1", "-1", "0.5", "-2.5", "3", "1e-5", "1e15", "-1e300", "1.7976931348623157e308", "5e-324", "-1e-300"]
REALS += ["NaN", "Infinity", "-Infinity"]


def numbers():
    """Arithmetic at the limits."""
    for left in INTEGERS:
        for right in INTEGERS:
            for operator in "+-*/%":
                # i_zero keeps both planners from computing it before it runs.
                yield f"integers {operator}", f"(i_zero + ({left})) {operator} ({right})"
    for left in REALS:
        for right in REALS:
            for operator in ["+", "-", "*", "/", "=", "<", ">="]:
                yield f"doubles {operator}", f"'{left}'::float8 {operator} (s_empty || '{right}')::float8"


TEXTS = """
|0|1|-1|+1|--1|+-1| 1|1 | 1 |1 2|1_000|0x10|0b1|1.|.5|1.5|-.5|.|-|+|e5|1e5|1E5|1e|1e+|1e+5|1e-5|1.5e3|1e5.5|1,5
|00012|-00012|-0|+0|0.0|-0.0|1e400|-1e400|1e-400|0e400|0.0e999|1e308|1e309|2e-324|3e-324|4.9e-324|2147483647|2147483648
|-2147483648|-2147483649|9223372036854775807|9223372036854775808|-9223372036854775808|-9223372036854775809
|99999999999999999999999999|000000000000000000000000000007|nan|NaN|NAN|+nan|-nan|inf|Inf|INF|+inf|-inf|infinity|Infinity
|-Infinity|+Infinity|infinit|infinityx|nanx| NaN |nan(1)|t|tr|tru|true|TRUE|True|truex|f|fa|fal|fals|false|y|ye|yes|yess|n|no
|on|o|of|off|offf| true | t|1|01|10|2|00|T|F|Y|N|ON|OFF|true false|null|NULL|now()|abc|ä|½|１|1a|a1|0x|1f|1d|1L|#1|$1
|2025-11-24|2025-11-24 08:00:00|2025-11-24T08:00:00Z|2025-11-24 08:00:00+01|2025-11-24 08:00:00.5+01:00|2025-02-30
|2025-11-24  08:00|2025-11-24 08:00:00 Z| 2025-11-24|2025-11-24t08:00:00z
"""


def texts():
    """Casts of many texts to every type, of a literal and of a value."""
    values = TEXTS.replace("\n", "").split("|")
    values += [space + "1" + space for space in ("\\t", "\\n", "\\r", "\\v", "\\f", "\\u00a0", "\\u3000")]
    for text in values:
        for type_name in ("int", "bigint", "double precision", "boolean", "timestamptz"):
            quoted = "E'" + text.replace("'", "''") + "'" if "\\" in text else f"'{text}'"
            yield f"text to {type_name}", f"{quoted}::{type_name}"
            yield f"text to {type_name}", f"(s_empty || {quoted})::{type_name}"


def reals_as_text(seed):
    """The shortest text of doubles: powers of two and of ten, and random bits."""
    source = random.Random(seed)
    values = [2.0**e for e in range(-1074, 1024, 3)] + [float(f"1e{e}") for e in range(-320, 309, 7)]
    values += [float(2**53 + n) for n in range(-3, 4)] + [n / 8 for n in range(-20, 20)]
    for _ in range(500):
        mantissa, exponent = source.getrandbits(53), source.randrange(-1074, 971)
        values.append(float(mantissa) * 2.0**exponent if exponent > -1022 else mantissa * 2.0**-500 * 2.0 ** (exponent + 500))
    for _ in range(300):
        values.append(round(source.uniform(-1e6, 1e6), source.randrange(0, 8)))
    for value in values:
        if value not in (float("inf"), float("-inf")):
            yield "double to text", f"(s_empty || '{value!r}')::double precision::text"
            yield "double to integer", f"(s_empty || '{value!r}')::double precision::bigint"


LIKE_TEXTS = ["", "a", "b", "ab", "ba", "aab", "abab", "%", "_", "a%", "\\", "a\\", "é", "aé", "日本", "A"]
LIKE_PATTERNS = ["", "%", "_", "a", "%a", "a%", "_a", "a_", "%a%", "%%", "__", "%_", "_%", "%_%", "\\%", "\\_", "\\", "\\\\"]
LIKE_PATTERNS += ["a\\", "%\\", "%\\%", "a%b", "%ab", "ab%", "%a%b", "a\\b", "é", "_é", "%é", "日_", "\\a", "%b\\", "_\\", "A", "%B"]


def likes():
    for text in LIKE_TEXTS:
        for pattern in LIKE_PATTERNS:
            yield "LIKE table", f"'{text}' LIKE '{pattern}'"
            yield "ILIKE table", f"'{text}' ILIKE '{pattern}'"
            yield "LIKE table", f"(s_empty || '{text}') LIKE (s_empty || '{pattern}')"


def substrings():
    for start in (-3, -1, 0, 1, 2, 4, 9, 10, 2147483647, -2147483648):
        yield "SUBSTRING table", f"SUBSTRING(s_utf8, {start})"
        for length in (-1, 0, 1, 2, 4, 100, 2147483647):
            yield "SUBSTRING table", f"SUBSTRING(s_utf8, {start}, {length})"


class Trees:
    """Random expressions of a wanted type: (what is asked for, most deep)."""

    LEAVES = {
        "boolean": [name for name in NAMES if name.startswith("b_")],
        "number": [name for name, kind, _ in ROW if kind in ("integer", "bigint", "double precision")],
        "text": [name for name, kind, _ in ROW if kind == "text"],
        "time": [name for name, kind, _ in ROW if kind == "timestamptz"],
    }
    RULES = {
        "boolean": ["{number} {compare} {number}", "{text} {compare} {text}", "{time} {compare} {time}", "{boolean} AND {boolean}",
                    "{boolean} OR {boolean}", "NOT {boolean}", "{boolean} {compare} {boolean}", "{number} IN ({number}, {number}, 7)",
                    "{number} BETWEEN {number} AND {number}", "{number} NOT BETWEEN SYMMETRIC {number} AND {number}",
                    "{text} LIKE '%o_%'", "{text} IS DISTINCT FROM {text}", "{number} IS NOT DISTINCT FROM {number}",
                    "{number} IS NULL", "{boolean} IS NOT TRUE", "{boolean} IS UNKNOWN", "COALESCE({boolean}, {boolean})",
                    "CASE WHEN {boolean} THEN {boolean} ELSE {boolean} END", "{text} NOT IN ({text}, 'x')"],
        "number": ["{number} + {number}", "{number} - {number}", "{number} * {number}", "{number} / {number}", "-{number}",
                   "ABS({number})", "FLOOR({number})", "CEIL({number})", "ROUND({number})", "LENGTH({text})",
                   "CASE WHEN {boolean} THEN {number} ELSE {number} END", "COALESCE({number}, {number}, 1)",
                   "NULLIF({number}, {number})", "{number}::int", "{number}::bigint", "{number}::float8",
                   "CASE {number} WHEN {number} THEN {number} WHEN 7 THEN {number} END", "LENGTH({text}) % i", "{boolean}::int"],
        "text": ["{text} || {text}", "LOWER({text})", "UPPER({text})", "SUBSTRING({text}, LENGTH({text}) - 5, 3)", "{number}::text",
                 "{time}::text", "{boolean}::text", "{text} || {number}", "COALESCE({text}, {text})", "NULLIF({text}, {text})",
                 "CASE WHEN {boolean} THEN {text} END"],
        "time": ["COALESCE({time}, {time})", "CASE WHEN {boolean} THEN {time} ELSE {time} END", "NULLIF({time}, {time})"],
    }
    SLOT = re.compile(r"\{(\w+)\}")

    def __init__(self, seed):
        self.random = random.Random(seed)

    def tree(self, kind, depth):
        if depth == 0 or self.random.random() < 0.15:
            return self.random.choice(self.LEAVES[kind])
        rule = self.random.choice(self.RULES[kind])
        return "(" + self.SLOT.sub(lambda slot: self.fill(slot.group(1), depth - 1), rule) + ")"

    def fill(self, kind, depth):
        if kind == "compare":
            return self.random.choice(["=", "<>", "<", "<=", ">", ">="])
        return self.tree(kind, depth)


def trees(seed, count):
    source = Trees(seed)
    for number in range(count):
        kind = source.random.choice(["boolean", "number", "number", "text", "time"])
        yield "random", source.tree(kind, 1 + number % 4)


def different():
    """{expression: what our side says} of different.txt."""
    lines = (pathlib.Path(__file__).parent / "different.txt").read_text().splitlines()
    return dict(line.split("   => ") for line in lines if line and not line.startswith("#"))
