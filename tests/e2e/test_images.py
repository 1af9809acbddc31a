"""The images: how big, what is in them, who they run as."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MB = 1000 * 1000
BOUNDS = {"operator": 60 * MB, "runtime": 120 * MB}


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
