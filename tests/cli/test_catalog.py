"""What a job can be made of: `explain --catalog`, the reference, and "did you mean" for what is in neither."""

import json
import pathlib
import re

import pytest

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference.md"
FAMILIES = ["aggregates", "functions", "source", "format", "window", "sinks", "deadLetter"]


def job(**spec):
    whole = {
        "source": {"stdin": {}},
        "format": {"json": {}},
        "columns": [{"name": "k", "type": "STRING"}, {"name": "x", "type": "DOUBLE"}],
        "window": {"tumbling": {"size": "1m"}},
        "groupBy": ["k"],
        "aggregates": [{"name": "n", "expr": "COUNT(*)"}],
        "sinks": [{"stdout": {}}],
    }
    whole.update(spec)
    return json.dumps({"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "j"}, "spec": whole})


def families(tree):
    """Family to its lines: the signature and the rest."""
    done = tree.streamjob("explain", "--catalog")
    assert done.returncode == 0 and not done.stderr
    found = {}
    for block in done.stdout.split("\n\n"):
        title, *lines = block.strip().splitlines()
        found[re.match(r"\w+", title)[0]] = [re.split(r"  +", line.strip(), maxsplit=1) for line in lines]
    return found


def test_every_family_has_members_with_a_line_each(tree):
    found = families(tree)
    assert list(found) == FAMILIES
    for family, lines in found.items():
        assert lines and all(len(line) == 2 and line[1] for line in lines), family
        assert len({signature for signature, _ in lines}) == len(lines), family


def test_the_reference_has_the_same_rows(tree):
    found, reference = families(tree), REFERENCE.read_text()
    for signature, rest in found["aggregates"] + found["functions"]:
        kind, meaning = re.split(r"  +", rest, maxsplit=1)
        assert f"| `{signature}` | {kind} | {meaning} |\n" in reference
    for family in FAMILIES[2:]:
        for signature, meaning in found[family]:
            name = signature.partition(":")[0]
            assert re.search(rf"^\| `{name}` \|.*\| {re.escape(meaning)} \|$", reference, re.MULTILINE), signature


def test_every_aggregate_and_function_can_be_called(tree):
    """With arguments as its signature says them."""
    values = {"any": "x", "number": "x", "value": "k", "condition": "x > 1", "fraction": "0.5", "STRING": "k", "INT": "1",
              "DOUBLE": "x", "*": "*", "…": "x"}
    found = families(tree)

    def call(signature):
        name, arguments = re.match(r"(\w+)\((.*)\)$", signature.replace("[", "").replace("]", "")).groups()
        distinct = "DISTINCT " if arguments.startswith("DISTINCT ") else ""
        return f"{name}({distinct}{', '.join(values[a] for a in arguments.removeprefix('DISTINCT ').split(', '))})"

    aggregates = [{"name": f"a{n}", "expr": call(s)} for n, (s, _) in enumerate(found["aggregates"])]
    select = [{"name": f"f{n}", "expr": call(s)} for n, (s, _) in enumerate(found["functions"])]
    tree.write("job.yaml", job(aggregates=aggregates, select=select))
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "family, spec, meant",
    [
        ("aggregates", {"aggregates": [{"name": "n", "expr": "STDDEV_PIP(x)"}]}, "stddev_pop"),
        ("aggregates", {"aggregates": [{"name": "n", "expr": "bool_add(x > 1)"}]}, "bool_and"),
        ("functions", {"filter": "LOWR(k) = 'a'"}, "lower"),
        ("functions", {"filter": "COALESC(k, 'b') = 'a'"}, "coalesce"),
        ("source", {"source": {"kafak": {}}}, "kafka"),
        ("source", {"source": {"datgen": {}}}, "datagen"),
        ("format", {"format": {"jsn": {}}}, "json"),
        ("window", {"window": {"tumblin": {"size": "1m"}}}, "tumbling"),
        ("sinks", {"sinks": [{"pushgatway": {}}]}, "pushgateway"),
        ("deadLetter", {"deadLetter": {"fil": {"path": "x"}}}, "file"),
    ],
)
def test_a_misspelt_member_of_each_family_is_named(tree, family, spec, meant):
    assert any(meant in signature.lower() for signature, _ in families(tree)[family])
    tree.write("job.yaml", job(**spec))
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 1
    assert f"did you mean {meant}?" in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--catalog", "job.yaml"], ["--catalog", "--name", "j"]])
def test_the_catalog_goes_with_nothing_else(tree, arguments):
    tree.write("job.yaml", job())
    done = tree.streamjob("explain", *arguments)
    assert done.returncode == 2 and "usage: streamjob explain" in done.stderr
