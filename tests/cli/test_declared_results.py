"""What a function's code declares of its results: what cannot be carried is refused, and later starts declare the same."""

import pytest
from conftest import job_of_one_function

HEAD = "import os\nfrom pyflink.common import Row\nfrom pyflink.table import DataTypes\nfrom pyflink.table.udf import udf, udaf, udtf, ScalarFunction\n"


def row_of(*names):
    return "DataTypes.ROW([" + ", ".join(f"DataTypes.FIELD({name!r}, DataTypes.STRING())" for name in names) + "])"


def job(code, kind="scalar", **more):
    spec = {"name": "fn", "kind": kind, "entrypoint": "m:f", "code": {"inline": HEAD + code}, **more}
    return job_of_one_function(spec)


ROWS = {
    "three fields": f"@udf(result_type={row_of('head', 'tail', 'size')})\ndef f(v): return Row('a', 'b', 'c')\n",
    "two, as text": "@udf(result_type='ROW<id BIGINT, twice BIGINT>')\ndef f(v): return Row(v, 2 * v)\n",
    "one": f"@udf(result_type={row_of('only')})\ndef f(v): return Row('a')\n",
    "33, more than a function may have": f"@udf(result_type={row_of(*(f'f{i}' for i in range(33)))})\ndef f(v): return Row()\n",
    "of whole columns": f"@udf(result_type={row_of('a', 'b')}, func_type='pandas')\ndef f(v): return v\n",
    "of a class": f"class F(ScalarFunction):\n    def eval(self, v): return Row('a', 'b')\nf = udf(F(), result_type={row_of('a', 'b')})\n",
}


@pytest.mark.parametrize("case", list(ROWS))
def test_a_row_of_a_scalar_function_is_refused(tree, case):
    tree.write("job.yaml", job(ROWS[case]))
    for command in (["validate", "job.yaml"], ["run", "job.yaml", "--output", "-"], ["explain", "job.yaml"]):
        done = tree.streamjob(*command, text='{"v": 1}\n')
        assert (done.returncode, done.stdout) == (2 if command[0] == "run" else 1, ""), done.stderr
        assert command[0] != "validate" or "spec.functions[0].entrypoint: " in done.stderr
        assert "a scalar function with a result of type ROW<" in done.stderr
        assert "with kind: table it gives a row, whose columns lateral selects" in done.stderr


LATER = """
path = {path!r}
starts = len(open(path).read())
open(path, "a").write("x")
"""
# What the second start declares otherwise.
OTHERWISE = {
    "a type of another width": "f = udf(g, result_type=DataTypes.BIGINT() if starts < 2 else DataTypes.STRING())\n",
    "a type of the same width": "f = udf(g, result_type=DataTypes.BIGINT() if starts < 2 else DataTypes.DOUBLE())\n",
    "more arguments": "f = udf(g if starts < 2 else (lambda v, w: v), result_type=DataTypes.BIGINT())\n",
    "input types": "f = udf(g, result_type=DataTypes.BIGINT(), input_types=[DataTypes.BIGINT()] if starts < 2 else [DataTypes.STRING()])\n",
}


@pytest.mark.parametrize("case", list(OTHERWISE))
def test_a_later_start_that_declares_otherwise_is_refused(tree, case):
    """The first two starts are those of the check and of the job; the function then ends its worker once."""
    path = str(tree.folder / "starts")
    tree.write("starts", "")
    code = LATER.format(path=path) + "def g(v):\n    if v == 5 and starts < 2: os._exit(3)\n    return v\n" + OTHERWISE[case]
    tree.write("job.yaml", job(code))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--output", "-", text="".join(f'{{"v": {i}}}\n' for i in range(10)))
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "exit code 3" in done.stderr
    assert "its code declares other arguments or results than when the job began" in done.stderr, done.stderr
