"""One job has one owner: two processes of it, whatever the moment, count every row once."""

import time

import pytest

from bucket import (
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
    gateway_value,
    kafka_rows,
    kafka_source,
    make_events,
    manifest,
    passing_of,
    pushgateway_sink,
    split,
    sum_rows,
    unique,
)
from servers import HoldingProxy, StreamJob, wait_for

LEASE_MS, REQUEST_MS = 300, 1000
EXPIRE_S = 6 * LEASE_MS / 1000
TAKEN = "the job is this process's"


@pytest.fixture
def broker(kafka):
    """A test may stop it for a while."""
    yield kafka
    kafka.resume()
    kafka.settle()


@pytest.fixture
def held(gateway):
    with HoldingProxy(gateway) as proxy:
        yield proxy


class Job:
    """A job over all three sinks, its processes, and the sums that each sink has."""

    def __init__(self, kafka, gateway, proxy, folder, request_ms=REQUEST_MS):
        self.kafka, self.gateway, self.folder = kafka, gateway, folder
        self.name, self.topic, self.out = unique("owner"), unique("events"), unique("out")
        kafka.create_topic(self.topic, PARTITIONS)
        kafka.create_topic(self.out, 2)
        self.rows = folder / "rows.jsonl"
        sinks = [
            pushgateway_sink(proxy, self.name, timeout=f"{request_ms}ms", retryDeadline=f"{request_ms}ms"),
            {"kafka": {"bootstrapServers": kafka.address, "topic": self.out}},
            {"file": {"path": str(self.rows)}},
        ]
        self.spec = manifest(
            self.name, kafka_source(kafka, self.topic, lease=f"{LEASE_MS}ms"), sinks, size="300ms",
            deadLetter={"kafka": {"bootstrapServers": kafka.address, "topic": self.out + ".bad"}},
            terminationGracePeriod="5s",
        )
        kafka.create_topic(self.out + ".bad", 1)
        self.sent = {p: [] for p in range(PARTITIONS)}

    def process(self, name, args=()):
        return StreamJob(self.folder, self.spec, name=name, args=args)

    def send(self, records):
        self.kafka.produce(self.topic, records)
        for partition, rows in records.items():
            self.sent.setdefault(partition, []).extend(rows)

    def gateway_exact(self):
        return gateway_sums(self.gateway, self.name) == expected_sums(passing_of(self.sent))

    def gateway_sequence(self):
        return gateway_value(self.gateway, self.name, "streamjob_window_sequence") or 0

    def wait_exact(self, timeout=40):
        """Each sink has each row that was sent once."""
        truth = expected_sums(passing_of(self.sent))
        sums = {
            "gateway": lambda: gateway_sums(self.gateway, self.name),
            "file": lambda: sum_rows(file_rows(self.rows)),
            "kafka": lambda: sum_rows(kafka_rows(self.kafka, self.out)),
        }

        def why():
            wrong = [f"{sink}: {value} instead of {truth}" for sink, value in ((sink, read()) for sink, read in sums.items()) if value != truth]
            return "\n".join(wrong) + "".join(f"\n--- {job.name}\n{job.log()[-6000:]}" for job in StreamJob.started)

        for read in sums.values():
            wait_for(lambda: read() == truth, timeout, why)


def role(job):
    assert job.process.poll() is None, job.log()[-4000:]
    return job.status().get("owner", {}).get("role")


def stands_by(job, other):
    """It says so with its reason, on both pages, and is not ready."""
    wait_for(lambda: role(job) == "standby" and job.status()["owner"]["reason"], 20, lambda: job.log()[-3000:])
    owner = job.status()["owner"]
    assert owner["process"] and owner["process"] == other.status()["owner"]["process"], (owner, other.status()["owner"])
    code, text = job.get("/readyz")
    assert code == 503 and owner["process"] in text, text
    assert role(other) == "owner"
    wait_for(lambda: other.get("/readyz")[0] == 200, 20, lambda: other.log()[-3000:])


def test_two_started_at_once_settle_and_one_takes_over_when_the_other_ends(kafka, gateway, tmp_path):
    """In turn by a drain, which hands the job over at once, and by kill -9, after 6 leases."""
    job = Job(kafka, gateway, gateway, tmp_path)
    slices = split(make_events(8000)[0], 4)
    both = [job.process("a"), job.process("b")]
    for process in both:
        process.start()
    job.send(slices[0])
    wait_for(lambda: sorted(str(role(p)) for p in both) == ["owner", "standby"], 20, lambda: both[0].log() + both[1].log())
    owner, other = both if role(both[0]) == "owner" else reversed(both)
    stands_by(other, owner)
    job.wait_exact()
    job.send(slices[1])
    owner.stop()
    assert owner.process.returncode == 0, owner.log()
    began = time.monotonic()
    wait_for(lambda: role(other) == "owner", 20, lambda: other.log())
    assert time.monotonic() - began < EXPIRE_S, "a drain is no reason to wait"
    job.wait_exact()
    third = job.process("c")
    third.start()
    job.send(slices[2])
    stands_by(other, third)
    third.kill()
    began = time.monotonic()
    wait_for(lambda: role(other) == "owner", EXPIRE_S + 10, lambda: other.log())
    job.send(slices[3])
    job.wait_exact()
    other.stop()
    assert other.process.returncode == 0, other.log()
    job.wait_exact()


def stop_before(job, first, broker, held):
    """Nothing is under way; the window's end comes while it is stopped."""
    wait_for(lambda: first.status()["rows"]["in"] >= 2000, 20, "rows of the open window")


def stop_in_boundary(job, first, broker, held):
    """Step 1: the commit is sent and not answered."""
    job.send(stop_in_boundary.rows)
    broker.pause()
    time.sleep(1)
    first.pause()
    broker.resume()


def stop_in_sink(job, first, broker, held):
    """Step 2: the gateway has got nothing of the request, the other sinks have the window."""
    held.holding = True
    job.send(stop_in_sink.rows)
    wait_for(lambda: held.held, 20, "a request held")
    held.holding = False


def stop_in_letters(job, first, broker, held):
    """Steps 3 and 4: all sinks have the window, the broker answers no more."""
    held.holding = True
    job.send(stop_in_letters.rows)
    wait_for(lambda: held.held, 20, "a request held")
    held.holding = False
    broker.produce(job.topic, {0: [b"no row at all"]})
    time.sleep(0.3)
    broker.pause()
    before = job.gateway_sequence()
    held.release()
    wait_for(lambda: job.gateway_sequence() > before, 20, "the gateway has it")
    time.sleep(0.2)
    first.pause()
    broker.resume()


@pytest.mark.parametrize("step", [stop_before, stop_in_boundary, stop_in_sink, stop_in_letters])
def test_a_process_stopped_in_a_step_and_continued_after_another_took_over(broker, gateway, held, tmp_path, step):
    job = Job(broker, gateway, held, tmp_path)
    slices = split(make_events(10_000)[0], 5)
    for stop in (stop_in_boundary, stop_in_sink, stop_in_letters):
        stop.rows = slices[1]
    first, second = job.process("first"), job.process("second")
    first.start()
    job.send(slices[0])
    if step != stop_before:
        job.wait_exact()
    step(job, first, broker, held)
    first.pause()
    second.start()
    job.send(slices[2])
    wait_for(lambda: role(second) == "owner", 20, lambda: second.log())
    wait_for(lambda: second.status()["windows"], 20, lambda: second.log())
    first.resume()
    held.release()
    stands_by(first, second)
    job.send(slices[3])
    job.wait_exact()
    second.kill()
    wait_for(lambda: role(first) == "owner", EXPIRE_S + 10, lambda: first.log())
    job.send(slices[4])
    job.wait_exact()
    first.stop()
    assert first.process.returncode == 0, first.log()
    assert first.log().count(TAKEN) == 2 and second.log().count(TAKEN) == 1


def test_a_straggler_that_sets_a_counter_back_is_set_right_without_a_new_window(kafka, gateway, held, tmp_path):
    """Its process is gone, its bytes come after the next one has delivered what was pending; nothing else comes."""
    job = Job(kafka, gateway, held, tmp_path, request_ms=3000)
    slices = split(make_events(6000)[0], 3)
    first, second = job.process("first"), job.process("second")
    first.start()
    job.send(slices[0])
    job.wait_exact()
    held.holding = True
    job.send(slices[1])
    wait_for(lambda: held.held, 20, "a request held")
    held.holding = False
    wait_for(job.gateway_exact, 20, lambda: first.log())
    held.holding = True
    job.send(slices[2])
    wait_for(lambda: held.connections == 2, 20, "another one held: its window is pending")
    held.holding = False
    before = job.gateway_sequence()
    first.kill()
    second.start()
    wait_for(lambda: job.gateway_sequence() > before, 20, lambda: second.log())
    held.release(1)
    wait_for(lambda: job.gateway_sequence() <= before, 10, "the straggler to come through")
    wait_for(lambda: job.gateway_sequence() > before, 20, lambda: second.log())
    job.wait_exact()


def test_ten_live_processes_settle_to_one(kafka, gateway, tmp_path):
    job = Job(kafka, gateway, gateway, tmp_path)
    ten = [job.process(f"p{i}") for i in range(10)]
    for process in ten:
        process.launch()
    job.send(make_events(4000)[0])

    def settled():
        roles = [role(p) if p.ready() else None for p in ten]
        return roles.count("owner") == 1 and roles.count("standby") == 9

    wait_for(settled, 60, lambda: "\n".join(p.log()[-600:] for p in ten))
    job.wait_exact()
    takeovers = sum(p.log().count(TAKEN) for p in ten)
    time.sleep(EXPIRE_S + 1)
    assert settled() and sum(p.log().count(TAKEN) for p in ten) == takeovers <= 10
    for process in ten:
        process.stop()
    job.wait_exact()
