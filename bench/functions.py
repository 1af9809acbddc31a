#!/usr/bin/env python3
"""What a user function costs beside its own work: rows a CPU second of the runtime and the worker together, as a ratio to a
bare loop of the same interpreter that calls the same function on the same values, which it has as Python objects already.

    bench/functions.py [--runs N] [--only CASE]

The values that come out of both are compared, then both run in turn (ABBA) on CPU 1. Vectorized functions are compared with
what cannot be had for less: the bare loop's call of numpy plus the built-in (AVG over the same groups; for the scalar
function the same formula as an expression). A row's bytes count only where the function takes a string: that is its length.
"""

import argparse
import array
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
from streamjob import AggregateFunction, DataTypes, udaf, udf  # noqa: E402

BATCH, BATCHES, GROUPS, WARMING = 1024, 16, 160, 2
ROWS = BATCH * BATCHES
INTERPRETER = str(pathlib.Path("/usr/bin/python3").resolve())


def plain_rate(a, b):
    return a * 1000.0 / (1.0 + b)


def plain_path(url):
    return url.partition("?")[0].rstrip("/").lower()


rate = udf(plain_rate, result_type=DataTypes.DOUBLE())
path = udf(plain_path, result_type=DataTypes.STRING())
rate_of_columns = udf(plain_rate, result_type=DataTypes.DOUBLE(), func_type="pandas", columns="numpy")


class BucketScore(AggregateFunction):
    """Clicks by rows, the less the longer they took."""

    def create_accumulator(self):
        return [0, 0, 0.0]

    def accumulate(self, acc, clicked, latency_ms):
        acc[0] += 1
        if clicked:
            acc[1] += 1
        acc[2] += latency_ms

    def get_value(self, acc):
        return acc[1] / acc[0] / (1.0 + acc[2] / acc[0])

    def get_result_type(self):
        return DataTypes.DOUBLE()


class BucketScoreOfColumns(BucketScore):
    def accumulate(self, acc, clicked, latency_ms):
        acc[0] += len(clicked)
        acc[1] += int(clicked.sum())
        acc[2] += float(latency_ms.sum())


bucket_score_of_columns = udaf(BucketScoreOfColumns(), result_type=DataTypes.DOUBLE(), func_type="pandas", columns="numpy")


def numbers(rng):
    return [rng.randrange(16000) / 8 for _ in range(ROWS)]


def urls(rng, size):
    paths = ("/api/v1/Users/", "/api/v1/Search", "/static/App.js", "/Checkout/Cart/")
    texts = (f"{rng.choice(paths)}?session={rng.getrandbits(64):016x}&q=" for _ in range(ROWS))
    return [text + "x" * (size - len(text)) for text in texts]


class Case:
    def __init__(self, name, says, size, passes, target):
        self.name, self.says, self.size, self.passes, self.target = name, says, size, passes, target
        rng = random.Random(11)
        self.slots = [rng.randrange(GROUPS) for _ in range(ROWS)]
        if name == "scalar-string":
            self.columns = [urls(rng, size)]
        elif name.startswith("aggregate"):
            self.columns = [[rng.random() < 0.3 for _ in range(ROWS)], numbers(rng)]
        else:
            self.columns = [numbers(rng), numbers(rng)]

    def write(self, file):
        array.array("I", self.slots).tofile(file)
        for column in self.columns:
            if isinstance(column[0], str):
                file.write("".join(column).encode())
            else:
                array.array("B" if isinstance(column[0], bool) else "d", column).tofile(file)

    def read(self, data):
        return data.decode().splitlines() if self.name == "scalar-string" else list(array.array("d", data))


def scalar_loop(function, columns, passes):
    """The shortest loop there is for one argument and for two: nothing but the call and the result's place in a list."""
    if len(columns) == 1:
        for _ in range(passes):
            results = [function(x) for x in columns[0]]
    else:
        for _ in range(passes):
            results = [function(x, y) for x, y in zip(*columns)]
    return results


def columns_loop(function, batches, passes):
    for _ in range(passes):
        results = [function(x, y) for x, y in batches]
    return [float(value) for result in results for value in result]


def aggregate_loop(accumulate, accumulators, slots, columns, passes):
    for _ in range(passes):
        for slot, x, y in zip(slots, *columns):
            accumulate(accumulators[slot], x, y)


def groups_loop(accumulate, accumulators, calls, passes):
    for _ in range(passes):
        for slot, x, y in calls:
            accumulate(accumulators[slot], x, y)


def numpy_columns(case):
    import numpy

    return [numpy.array(column) for column in case.columns]


def group_calls(case):
    """(slot, clicked, latency) for the rows of each group in each batch, as the runtime hands them over."""
    import numpy

    columns, slots, calls = numpy_columns(case), numpy.array(case.slots), []
    for at in range(0, ROWS, BATCH):
        order = numpy.argsort(slots[at : at + BATCH], kind="stable") + at
        edges = numpy.flatnonzero(numpy.diff(slots[order])) + 1
        for rows in numpy.split(order, edges):
            calls.append((int(slots[rows[0]]), *(column[rows] for column in columns)))
    return calls


def bare(case):
    """One run of the bare loop, after as many passes to warm up as the other side has: CPU seconds, and what came out."""
    if case.name == "scalar-numpy":
        batches = [tuple(c[at : at + BATCH] for c in numpy_columns(case)) for at in range(0, ROWS, BATCH)]
        loop, arguments = columns_loop, (plain_rate, batches)
    elif case.name.startswith("scalar"):
        loop, arguments = scalar_loop, (plain_path if case.name == "scalar-string" else plain_rate, case.columns)
    else:
        vectorized = case.name == "aggregate-numpy"
        function = BucketScoreOfColumns() if vectorized else BucketScore()
        accumulators = [function.create_accumulator() for _ in range(GROUPS)]
        loop = groups_loop if vectorized else aggregate_loop
        values = (group_calls(case),) if vectorized else (case.slots, case.columns)
        arguments = (function.accumulate, accumulators, *values)
    loop(*arguments, WARMING)
    begin = time.process_time_ns()
    results = loop(*arguments, case.passes)
    seconds = (time.process_time_ns() - begin) / 1e9
    if case.name.startswith("aggregate"):
        results = [function.get_value(accumulator) for accumulator in accumulators]
    return seconds, results


CASES = [
    ("scalar-numbers", "scalar, two numbers", 0, 60, 0.5),
    ("scalar-string", "scalar, a string of 100 B", 100, 60, 0.5),
    ("scalar-string", "scalar, a string of 1 KB", 1024, 60, 0.5),
    ("scalar-numpy", "scalar, two columns of numbers, numpy", 0, 400, 2.0),
    ("aggregate", "aggregate, two numbers, 160 groups", 0, 60, 0.5),
    ("aggregate-numpy", "aggregate, two columns, 160 groups, numpy", 0, 8, 2.0),
]  # fmt: skip


def pinned(command):
    return json.loads(subprocess.check_output(["taskset", "-c", "1", *map(str, command)], cwd=ROOT))


def measure(number, runs, folder):
    case = Case(*CASES[number])
    values, out, expected = folder / "values", folder / "out", folder / "expected"
    with open(values, "wb") as file:
        case.write(file)
    ours_command = [ROOT / "build/release/bench/functions", case.name, __file__, values, out, ROWS, case.passes, case.size]
    bare_command = [INTERPRETER, __file__, "--bare", number, "--out", expected]
    ours, theirs = [], []
    for run in range(-1, runs):
        pair = [(ours, ours_command), (theirs, bare_command)]
        for results, command in pair if run % 2 == 0 else reversed(pair):
            results.append(pinned(command))
        if case.read(out.read_bytes()) != case.read(expected.read_bytes()):
            sys.exit(f"{case.says}: the worker's values are not the bare loop's")
    report(case, ours[1:], theirs[1:])


def spread(values, form):
    return "".join(f"{form.format(v):>9}" for v in (statistics.median(values), min(values), max(values)))


def report(case, ours, theirs):
    rows = ROWS * case.passes
    both = [o["runtime"] + o["worker"] for o in ours]
    loops = [t["bare"] for t in theirs]
    print(f"\n{case.says}: {rows:,} rows, {len(ours)} runs       median      min      max")
    print("  rows a CPU second, million          ", spread([rows / s / 1e6 for s in both], "{:.2f}"))
    print("  the bare loop's                     ", spread([rows / s / 1e6 for s in loops], "{:.2f}"))
    for name in ("runtime", "worker", "builtin"):
        if name != "builtin" or case.target > 1:
            print(f"  ns a row, {name:26}", spread([o[name] / rows * 1e9 for o in ours], "{:.1f}"))
    print("  ns a row, the bare loop             ", spread([s / rows * 1e9 for s in loops], "{:.1f}"))
    if case.target > 1:
        ratios = [a / (b + o["builtin"]) for a, b, o in zip(both, loops, ours)]
        print(f"  cost by built-in and numpy (<= {case.target:.0f})   ", spread(ratios, "{:.2f}"))
    else:
        print(f"  speed by the bare loop's (>= {case.target})   ", spread([b / a for a, b in zip(both, loops)], "{:.2f}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=sorted({case[0] for case in CASES}))
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare is not None:
        case = Case(*CASES[options.bare])
        seconds, results = bare(case)
        text = isinstance(results[0], str)
        options.out.write_bytes("".join(r + "\n" for r in results).encode() if text else array.array("d", results).tobytes())
        print(json.dumps({"bare": seconds}))
        return
    with tempfile.TemporaryDirectory(prefix="streamjob-bench.") as name:
        for number, case in enumerate(CASES):
            if options.only in (None, case[0]):
                measure(number, options.runs, pathlib.Path(name))


if __name__ == "__main__":
    main()
