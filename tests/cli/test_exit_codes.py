"""Every command of both programs against the table of exit codes in docs/reference.md."""

import re
import subprocess

import pytest
from conftest import BINARY, EVENTS, MANIFEST, ROOT

OPERATOR = BINARY + "-operator"
STDIN = MANIFEST.replace('{kafka: {bootstrapServers: "127.0.0.1:1", topic: t}}', "{stdin: {}}")
# Of what its function yields only the code knows the types.
CODED = MANIFEST.replace("expr: SUM(v)", "expr: f(v)").replace(
    "  sinks:", "  functions: [{name: f, kind: aggregate, entrypoint: 'm:f'}]\n  sinks:"
)
LOCAL = STDIN[: STDIN.index("  sinks:")] + "  sinks: [{stdout: {}}]\n"

DONE, FAILED, USAGE, LOSS, CHANGES = range(5)


def test_the_table_names_them():
    text = (ROOT / "docs/reference.md").read_text()
    rows = re.findall(r"^\| (\d) \| (\w+) \|", text[text.index("## Exit codes") :], re.M)
    assert rows == [("0", "done"), ("1", "failed"), ("2", "usage"), ("3", "loss"), ("4", "changes")]
    for program in BINARY, OPERATOR:
        helped = subprocess.run([program, "--help"], capture_output=True, text=True)
        assert "Exit codes: 0 done, 1 failed, 2 usage, 3 loss, 4 changes." in helped.stdout


CASES = [
    # What every command says of its own command line.
    *[([command, "--help"], DONE) for command in ("run", "validate", "explain", "schema", "cleanup", "help")],
    *[([command, "--no-such-option"], USAGE) for command in ("run", "validate", "explain", "schema", "cleanup")],
    *[([command], USAGE) for command in ("run", "validate", "explain", "schema", "cleanup", "no-such-command")],
    ([], USAGE),
    (["version"], DONE),
    (["schema", "--crd"], DONE),
    (["schema", "--reference"], DONE),
    (["validate", "job.yaml"], DONE),
    (["explain", "job.yaml"], DONE),
    # A file that is not there, has a problem, has no job, has several.
    *[([command, "none.yaml"], USAGE) for command in ("run", "explain", "cleanup")],
    *[([command, "bad.yaml"], USAGE) for command in ("run", "explain", "cleanup")],
    *[([command, "other.yaml"], USAGE) for command in ("run", "explain", "cleanup")],
    *[([command, "two.yaml"], USAGE) for command in ("run", "explain", "cleanup")],
    (["validate", "none.yaml"], FAILED),
    (["validate", "bad.yaml"], FAILED),
    (["validate", "other.yaml"], FAILED),
    (["validate", "empty.yaml"], FAILED),
    (["validate", "two.yaml"], DONE),
    (["validate", "job.yaml", "other.yaml"], FAILED),
    # What the world does.
    (["run", "local.yaml", "--input", "none.jsonl"], FAILED),
    (["run", "local.yaml", "--input", "events.jsonl", "--output", "none/out"], FAILED),
    (["run", "local.yaml", "--input", "events.jsonl", "--clock", "ts"], DONE),
    (["run", "local.yaml", "--clock", "no_column"], USAGE),
    # Job files before this one are looked for when one is needed only.
    (["run", "local.yaml", "--input", "events.jsonl", "--previous", "none.yaml", "--previous", "bad.yaml"], DONE),
    (["run", "local.yaml", "--input", "events.jsonl", "--drop-pending=0123456789abcdef"], DONE),
    (["run", "local.yaml", "--previous-functions-dir", "functions", "--previous", "bad.yaml"], USAGE),
    (["run", "local.yaml", *["--previous", "bad.yaml"] * 33], USAGE),
    (["cleanup", "local.yaml"], DONE),
    (["cleanup", "job.yaml", "--timeout", "200ms"], FAILED),
    (["cleanup", "coded.yaml", "--timeout", "200ms"], FAILED),
]


@pytest.mark.parametrize("args, code", CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_streamjob(tree, args, code):
    tree.write("local.yaml", LOCAL)
    tree.write("other.yaml", "kind: ConfigMap\n")
    tree.write("empty.yaml", "")
    tree.write("coded.yaml", CODED)
    tree.write("bad.yaml", MANIFEST.replace("size: 1s", "size: 1x"))
    tree.write("two.yaml", MANIFEST + "---\n" + MANIFEST.replace("name: j}", "name: k}"))
    done = tree.streamjob(*args, text=EVENTS)
    assert done.returncode == code, done.stderr
    assert (code in (DONE, CHANGES)) or done.stderr


OPERATOR_CASES = [
    *[([command, "--help"], DONE) for command in ("run", "plan")],
    *[([command, "--no-such-option"], USAGE) for command in ("run", "plan")],
    (["plan"], USAGE),
    (["no-such-command"], USAGE),
    ([], USAGE),
    (["version"], DONE),
    (["run", "--workers", "none"], USAGE),
    (["run", "--kubeconfig", "/nowhere", "--listen", "127.0.0.1:0"], FAILED),
    (["plan", "none.yaml"], USAGE),
    (["plan", "bad.yaml"], USAGE),
    (["plan", "other.yaml"], USAGE),
    (["plan", "job.yaml", "--kubeconfig", "/nowhere"], FAILED),
]


@pytest.mark.parametrize("args, code", OPERATOR_CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_operator(tree, args, code):
    tree.write("other.yaml", "kind: ConfigMap\n")
    tree.write("bad.yaml", MANIFEST.replace("size: 1s", "size: 1x"))
    done = subprocess.run([OPERATOR, *args], cwd=tree.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert code == DONE or done.stderr


@pytest.mark.parametrize("args", [["schema", "--crd"], ["explain", "job.yaml"], ["version"], ["help"]], ids=" ".join)
def test_output_that_cannot_be_written(tree, args):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, *args], cwd=tree.folder, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == FAILED
    assert "cannot write standard output: No space left on device" in done.stderr
