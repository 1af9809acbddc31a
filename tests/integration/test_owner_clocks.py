"""Two processes of one job on machines whose clocks are hours apart, or of which one stands still: no turns without end, each row
counted once, and the job is taken over when its owner ends."""

import pathlib
import subprocess
import time

import pytest

from bucket import file_rows, make_events, split
from owners import EXPIRE_S, TAKEN, Job, role, stands_by
from servers import BINARY, wait_for

pytestmark = pytest.mark.skipif("san-" in str(BINARY), reason="a sanitizer's build loads no library before its own")

SHIM = pathlib.Path(__file__).parent.parent / "cli" / "clock_shim.c"
HOURS = 5 * 3600
CLOCKS = {
    "the first ahead": (HOURS, 0),
    "the first behind, the second ahead": (-3 * HOURS, 4 * HOURS),
    "the second stands": (0, "stand"),
}
STANDS = ["0 boot", "stand all"]


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "clock_shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", library, SHIM], check=True)
    return library


def by_clock(process, shim, reading):
    """The process, with a machine's clocks of its own."""
    file = process.folder / "clock"
    process.environment = {"LD_PRELOAD": str(shim), "CLOCK_FILE": str(file)}
    set_clock(process, reading)
    return process


def set_clock(process, reading):
    file = process.folder / "clock"
    file.with_suffix(".new").write_text(str(reading))
    file.with_suffix(".new").rename(file)


def takeovers(*processes):
    return sum(process.log().count(TAKEN) for process in processes)


def pair(job, shim, readings):
    return [by_clock(job.process(who), shim, reading) for who, reading in zip(("first", "second"), readings)]


def settled(first, second, count):
    """Nobody takes the job from the other, though there is time for it."""
    time.sleep(EXPIRE_S + 1)
    assert takeovers(first, second) == count, first.log() + second.log()


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks_that_are_apart(kafka, gateway, tmp_path, shim, name):
    """One has it, the other takes it, is killed, takes it again, and drains: as many take-overs as there are reasons."""
    job = Job(kafka, gateway, gateway, tmp_path)
    slices = split(make_events(8000)[0], 4)
    first, second = pair(job, shim, CLOCKS[name])
    first.start()
    job.send(slices[0])
    job.wait_exact()
    second.start()
    stands_by(first, second)
    job.send(slices[1])
    job.wait_exact()
    settled(first, second, 2)
    second.kill()
    wait_for(lambda: role(first) == "owner", EXPIRE_S + 20, lambda: first.log())
    job.send(slices[2])
    job.wait_exact()
    second.start()
    stands_by(first, second)
    second.stop()
    wait_for(lambda: role(first) == "owner", 20, lambda: first.log())
    job.send(slices[3])
    job.wait_exact()
    first.stop()
    assert first.process.returncode == 0 and second.process.returncode == 0, first.log() + second.log()
    assert takeovers(first, second) == 5
    hours = {row["window_start"][:13] for row in file_rows(job.rows)}
    assert len(hours) >= 2 or "stand" in CLOCKS[name], hours


@pytest.mark.parametrize("reading", STANDS)
def test_a_machine_whose_clocks_stand(kafka, gateway, tmp_path, shim, reading):
    """The clocks of its lease among them, while it has the job: the other one takes it over, and nothing comes twice."""
    job = Job(kafka, gateway, gateway, tmp_path)
    slices = split(make_events(6000)[0], 3)
    first, second = pair(job, shim, (0, 0))
    first.start()
    job.send(slices[0])
    job.wait_exact()
    set_clock(first, reading)
    time.sleep(0.2)
    job.send(slices[1])
    second.start()
    wait_for(lambda: role(second) == "owner", 20, lambda: second.log())
    job.send(slices[2])
    job.wait_exact()
    settled(first, second, 2)
    first.kill()
    second.stop()
    assert second.process.returncode == 0, second.log()
    job.wait_exact()
