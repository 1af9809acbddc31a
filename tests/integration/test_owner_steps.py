"""A process is stopped in each step of docs/delivery.md and goes on when another one has the job: every sink has every row once."""

import pathlib
import subprocess

import pytest

from bucket import make_events, split
from owners import EXPIRE_S, TAKEN, Job, role, stands_by
from servers import BINARY, HoldingProxy, Kafka, KafkaProxy, wait_for
from servers.kafka_proxy import END_TXN, PRODUCE, TXN_OFFSET_COMMIT, after

SHIM = pathlib.Path(__file__).with_name("hold_shim.c")


class Places:
    """Where a process can be stopped: proxies before the broker, one for each use that the job makes of it."""

    def __init__(self, folder):
        self.source, self.sink, self.letters = KafkaProxy(), KafkaProxy(), KafkaProxy()
        self.all = (self.source, self.sink, self.letters)
        self.kafka = Kafka(folder, through=self.all)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    made = Places(tmp_path_factory.mktemp("places"))
    with made.source, made.sink, made.letters, made.kafka:
        yield made


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if "san-" in str(BINARY):
        return None
    library = tmp_path_factory.mktemp("shim") / "hold_shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", library, SHIM, "-ldl"], check=True)
    return library


class Stage:
    """A job whose processes go by all these places, and the first of them, which can be stopped there."""

    def __init__(self, places, gateway, held, folder, shim):
        self.places, self.held = places, held
        self.job = Job(places.kafka, gateway, held, folder, source_at=places.source.address, sink_at=places.sink.address,
                       letters_at=places.letters.address)
        self.hold = folder / "hold"
        self.hold.mkdir()
        self.first = self.job.process("first")
        if shim:
            self.first.environment = {"LD_PRELOAD": str(shim), "HOLD_PATH": str(self.job.rows), "HOLD_FOLDER": str(self.hold)}
        self.calls = []

    def hold_call(self, call):
        (self.hold / call).touch()
        self.calls.append(call)

    def let_go(self):
        """What was held comes late."""
        for call in self.calls:
            (self.hold / call).unlink()
        for proxy in self.places.all:
            proxy.release()
        self.held.release()

    def sinks_have_it(self, sequence):
        """All sinks have accepted a window after this one, and the first process knows it."""
        sinks = self.first.status()["sinks"]
        return len(sinks) == 3 and all(sink.get("lastAccepted", {}).get("sequence", 0) > sequence for sink in sinks)


def boundary(key, frame):
    return key == TXN_OFFSET_COMMIT and b'"pending":true' in frame


def place(key, frame):
    return key == TXN_OFFSET_COMMIT and b'"pending":false' in frame


def is_a(wanted):
    return lambda key, frame: key == wanted


def at_broker(proxy, match, answered=False):
    def stop(stage):
        getattr(stage.places, proxy).stop(match(), answered)
        return lambda: getattr(stage.places, proxy).caught

    return stop


def at_gateway(stage):
    stage.held.holding = True
    return lambda: stage.held.held


def after_gateway(stage):
    """It has the window; its answer does not come."""
    stage.held.deaf = True
    return lambda: stage.held.unheard


def at_file(call):
    def stop(stage):
        stage.hold_call(call)
        return lambda: (stage.hold / "held").exists()

    return stop


STEPS = {
    "1 boundary, not begun": at_broker("source", lambda: boundary),
    "1 boundary, not ended": at_broker("source", lambda: after(boundary, is_a(END_TXN))),
    "1 boundary, not heard of": at_broker("source", lambda: after(boundary, is_a(END_TXN)), answered=True),
    "2 gateway, not asked": at_gateway,
    "2 gateway, not heard of": after_gateway,
    "2 kafka, rows not there": at_broker("sink", lambda: is_a(PRODUCE)),
    "2 kafka, not ended": at_broker("sink", lambda: is_a(END_TXN)),
    "2 kafka, not heard of": at_broker("sink", lambda: is_a(END_TXN), answered=True),
    "2 file, not begun": at_file("rename"),
    "2 file, rows not there": at_file("write"),
    "2 file, not safe": at_file("fsync"),
    "3 letters, not there": at_broker("letters", lambda: is_a(PRODUCE)),
    "3 letters, not heard of": at_broker("letters", lambda: is_a(PRODUCE), answered=True),
    "4 offsets, not begun": at_broker("source", lambda: after(boundary, place)),
    "4 offsets, not ended": at_broker("source", lambda: after(boundary, after(place, is_a(END_TXN)))),
    "4 offsets, not heard of": at_broker("source", lambda: after(boundary, after(place, is_a(END_TXN))), answered=True),
}


# The other process is killed in these, and the first one has the job again. A sanitizer's build, which loads no library before its own, runs these.
KILLED = ["1 boundary, not begun", "2 gateway, not asked", "3 letters, not there", "4 offsets, not begun"]


@pytest.fixture
def stage(places, gateway, tmp_path, shim):
    with HoldingProxy(gateway) as held:
        made = Stage(places, gateway, held, tmp_path, shim)
        yield made
        for proxy in places.all:
            proxy.release()


@pytest.mark.parametrize("step", KILLED if "san-" in str(BINARY) else STEPS)
def test_a_process_stopped_in_a_step_and_continued_after_another_took_over(stage, step):
    job, first, second = stage.job, stage.first, stage.job.process("second")
    slices = split(make_events(8000)[0], 4)
    first.start()
    job.send(slices[0])
    job.wait_exact()
    before = job.gateway_sequence()
    reached = STEPS[step](stage)
    job.send(slices[1], bad=True)
    wait_for(reached, 20, lambda: first.log())
    if step.startswith("3"):  # the letter is sent while its window is open
        wait_for(lambda: stage.sinks_have_it(before), 20, lambda: first.log())
    first.pause()
    stage.held.holding = stage.held.deaf = False
    second.start()
    job.send(slices[2])
    wait_for(lambda: role(second) == "owner", 20, lambda: second.log())
    wait_for(lambda: second.status()["windows"], 20, lambda: second.log())
    first.resume()
    stage.let_go()
    stands_by(first, second)
    job.wait_exact()
    if step in KILLED:
        second.kill()
        wait_for(lambda: role(first) == "owner", EXPIRE_S + 20, lambda: first.log())
        job.send(slices[3])
        job.wait_exact()
    first.stop()
    second.stop()
    assert first.process.returncode == 0 and (step in KILLED or second.process.returncode == 0), first.log() + second.log()
    assert first.log().count(TAKEN) == 1 + (step in KILLED) and second.log().count(TAKEN) == 1
