"""validate, explain, schema, version, usage."""

import re

import pytest
from conftest import MANIFEST, ROOT

OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n"
BAD = (
    MANIFEST.replace("SUM(v)", "SUM(w)")
    .replace("k, type: STRING", "k, typ: STRING")
    .replace("size: 1s", "size: 1x")
    .replace("groupBy", "filter: COUNT(*) > 1\n  groupBy")
)


def test_every_problem_of_every_document_with_its_place(tree):
    tree.write("bad.yaml", OTHER + "---\n" + BAD + "---\n" + MANIFEST + "---\n" + MANIFEST.replace("topic: t", "topik: t"))
    done = tree.streamjob("validate", "job.yaml", "bad.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    starts = [
        "bad.yaml:11:13: spec.columns[0].type: is missing; add it",
        "bad.yaml:11:23: spec.columns[0].typ: unknown field; did you mean type?",
        'bad.yaml:12:29: spec.window.tumbling.size: "1x" is not a duration; write it like',
        "bad.yaml:13:11: spec.filter: ",
        'bad.yaml:15:63: spec.aggregates[1].expr: there is no column "w"; columns are k, v, ts, ',
        "bad.yaml:33:53: spec.source.kafka.topik: unknown field; did you mean topic?",
    ]
    for start in starts:
        assert any(line.startswith(start) for line in lines), (start, done.stderr)


def test_good_files_and_other_kinds(tree):
    tree.write("other.yaml", OTHER)
    tree.write("mixed.yaml", OTHER + "---\n" + MANIFEST)
    done = tree.streamjob("validate", "job.yaml", "mixed.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = tree.streamjob("validate", "job.yaml", "other.yaml", "mixed.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "other.yaml: no StreamJob in this file (1 documents of other kinds)\n"


def test_standard_input(tree):
    done = tree.streamjob("validate", "-", text=MANIFEST.replace("size: 1s", "size: 1x"))
    assert done.returncode == 1
    assert done.stderr.startswith("-:7:29: spec.window.tumbling.size: ")


def test_explain(tree):
    done = tree.streamjob("explain", "job.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    for line in (
        "source     kafka topic t at 127.0.0.1:1, group streamjob.default.j, from latest",
        "reads      k STRING at $.k, v BIGINT at $.v\n",
        "not read   ts\n",
        "window     tumbling 1s, offset 0s, processing time",
        "group by   k STRING\n",
        "aggregate  s BIGINT = SUM(v)\n",
        "sink       pushgateway http://127.0.0.1:1, job x: one PUT a window\n",
        "commits    1. before any sink: ",
    ):
        assert line in done.stdout
    tree.write("bad.yaml", BAD)
    done = tree.streamjob("explain", "bad.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "bad.yaml:6:23: spec.columns[0].typ: unknown field" in done.stderr


@pytest.mark.parametrize("option, file", [("--crd", "crds/streamjob.yaml"), ("--reference", "docs/reference.md")])
def test_schema_is_the_committed_file(tree, option, file):
    done = tree.streamjob("schema", option)
    assert (done.returncode, done.stdout) == (0, (ROOT / file).read_text())


@pytest.mark.parametrize(
    "args, code",
    [([], 2), (["frob"], 2), (["schema"], 2), (["schema", "--xml"], 2), (["validate"], 2), (["explain"], 2)]
    + [([*args, "--help"], 0) for args in ([], ["run"], ["validate"], ["explain"], ["schema"])],
)
def test_usage(tree, args, code):
    done = tree.streamjob(*args)
    assert done.returncode == code
    assert "usage: streamjob" in (done.stderr if code else done.stdout)
    assert (done.stdout if code else done.stderr) == ""


def test_version(tree):
    version = (ROOT / "VERSION").read_text().strip()
    assert tree.streamjob("version").stdout == tree.streamjob("--version").stdout == f"streamjob {version}\n"


@pytest.mark.parametrize(
    "expr", ["SUM(v) / COUNT(*)", "COALESCE(SUM(v), 0) * 100 / COUNT(*)", "MAX(v) / 1000"]
)
def test_integer_division_draws_a_warning(tree, expr):
    tree.write("job.yaml", MANIFEST.replace("SUM(v)", f'"{expr}"'))
    done = tree.streamjob("validate", "job.yaml")
    assert done.returncode == 0
    assert re.match(r"job.yaml:9:\d+: spec.aggregates\[1\].expr: warning: both sides of this division are integers", done.stderr)
    assert "CAST one of them AS DOUBLE" in done.stderr


@pytest.mark.parametrize("expr", ["CAST(SUM(v) AS DOUBLE) / COUNT(*)", "SUM(v) / 1000.0", "AVG(v) / 2", "SUM(v / 2)", "SUM(v)"])
def test_other_divisions_draw_none(tree, expr):
    tree.write("job.yaml", MANIFEST.replace("SUM(v)", f'"{expr}"'))
    done = tree.streamjob("validate", "job.yaml")
    assert (done.returncode, done.stderr) == (0, "")
