"""The images: how big, what is in them, who they run as."""

import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MB = 1000 * 1000
BOUNDS = {"operator": 60 * MB, "runtime": 120 * MB}
WITH_PIP_MAX = 700 * MB
EXAMPLE = ROOT / "examples" / "functions-image"


@pytest.fixture(scope="module", params=list(BOUNDS))
def image(request, images):
    return images(request.param)


def test_size(image):
    print(f"{image.name}: {image.compressed / MB:.1f} MB compressed")
    assert image.compressed < BOUNDS[image.name]


def test_runs_as_a_numeric_user_without_a_shell(image):
    assert image.config["User"] == "65532:65532"
    names = {pathlib.PurePath(member.name).name for member in image.members if member.isfile() and member.mode & 0o111}
    assert not names & {"sh", "bash", "dash", "busybox", "apt", "dpkg", "perl", "su", "mount"}
    assert not [member.name for member in image.members if member.isfile() and member.mode & 0o6000]
    writable = [m.name for m in image.members if m.mode & 0o022 and not m.issym() and m.name.strip("./") != "tmp"]
    assert not writable


def test_labels(image):
    labels = image.config["Labels"]
    version = (ROOT / "VERSION").read_text().strip()
    assert labels["org.opencontainers.image.version"] == version
    for key in "title", "description", "revision", "source", "licenses":
        assert labels[f"org.opencontainers.image.{key}"]


def test_the_program_starts(image):
    program = {"operator": "streamjob-operator", "runtime": "streamjob"}[image.name]
    done = subprocess.run(image.command(program, "version"), capture_output=True, text=True)
    assert done.returncode == 0 and (ROOT / "VERSION").read_text().strip() in done.stdout, done.stderr


def test_every_library_is_there(image):
    for path in (image.root / "usr").rglob("*"):
        if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            needed = subprocess.run(["readelf", "-d", path], capture_output=True, text=True).stdout
            for library in re.findall(r"\(NEEDED\).*\[(.*)\]", needed):
                assert list((image.root / "usr").glob(f"lib*/**/{library}")), f"{path} needs {library}"


def test_the_docs_list_the_packages(image):
    text = (ROOT / "docs" / "images.md").read_text()
    listed = re.search(f"<!-- {image.name} -->\n(.*?)<!-- end -->", text, re.S)[1]
    assert re.findall(r"[a-z0-9][a-z0-9.+-]+", listed) == image.packages()
    scanned = sorted(path.name for path in (image.root / "var/lib/dpkg/status.d").iterdir())
    assert scanned == image.packages()


@pytest.fixture(scope="module", params=["package", "virtualenv"])
def example(request, images):
    return images(f"example-{request.param}")


def test_what_the_image_with_pip_brings(example):
    print(f"{example.name}: {example.bytes / MB:.1f} MB")
    assert example.bytes < WITH_PIP_MAX
    assert example.config["User"] == "65532:65532"
    asked = [line for line in (ROOT / "images/runtime-python.packages").read_text().split("\n") if line and line[0] != "#"]
    assert set(asked) <= set(example.packages())
    names = "numpy pandas dateutil pytz requests cloudpickle google.protobuf httplib2 ruamel.yaml avro pip venv".split()
    done = subprocess.run(example.command("python3", "-c", f"import {', '.join(names)}"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_image_of_ones_own(example):
    """The example's function with its package, in the image of its Dockerfile."""
    (example.root / "tmp/job.yaml").write_text((EXAMPLE / "job.yaml").read_text())
    environment = [f"{name}={value}" for name, _, value in (line.partition("=") for line in example.config["Env"])]
    own_proc = ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={example.root}/proc"]
    done = subprocess.run(
        [*own_proc, "env", "-i", *environment, *example.command("streamjob", "run", "/tmp/job.yaml", "--output", "-")],
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["region"] for row in rows} == {"DEU", "FRA", None}
    assert sum(row["rows"] for row in rows) == 10000
    assert all(0 < row["avg_ms"] < 100 for row in rows)


def test_the_examples_dockerfiles_are_of_this_version():
    version = (ROOT / "VERSION").read_text().strip()
    for path in EXAMPLE.glob("Dockerfile.*"):
        assert f"ARG VERSION={version}\n" in path.read_text()
    assert f"runtime-python:{version}" in (ROOT / "docs/functions.md").read_text()
