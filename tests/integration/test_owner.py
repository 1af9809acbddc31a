"""One job has one owner: two processes of it, whatever the moment, count every row once."""

import copy
import time

import pytest

from bucket import make_events, split
from owners import EXPIRE_S, TAKEN, Job, role, stands_by
from servers import HoldingProxy, StreamJob, wait_for


@pytest.fixture
def held(gateway):
    with HoldingProxy(gateway) as proxy:
        yield proxy


def test_two_started_at_once_settle_and_a_drain_hands_the_job_over_at_once(kafka, gateway, tmp_path):
    job = Job(kafka, gateway, gateway, tmp_path, lease_ms=5000)  # repeated after 10 s, and over after 30
    slices = split(make_events(6000)[0], 3)
    both = [job.process("a"), job.process("b")]
    for process in both:
        process.start()
    job.send(slices[0])
    wait_for(lambda: sorted(str(role(p)) for p in both) == ["owner", "standby"], 40, lambda: both[0].log() + both[1].log())
    owner, other = both if role(both[0]) == "owner" else reversed(both)
    stands_by(other, owner)
    job.send(slices[1])
    wait_for(lambda: all(sink.get("lastAccepted") for sink in owner.status()["sinks"]), 40, lambda: owner.log())  # no longer held back by the other's lease
    job.wait_exact()
    owner.stop()
    assert owner.process.returncode == 0, owner.log()
    wait_for(lambda: role(other) == "owner", 25, lambda: other.log())
    job.send(slices[2])
    job.wait_exact()
    other.stop()
    assert other.process.returncode == 0, other.log()


def test_one_takes_over_after_the_leases_of_one_that_is_gone(kafka, gateway, tmp_path):
    """Gone by kill -9: nothing is handed over. The one that came later had the job, as in a rollout."""
    job = Job(kafka, gateway, gateway, tmp_path)
    slices = split(make_events(4000)[0], 2)
    first, second = job.process("first"), job.process("second")
    first.start()
    wait_for(lambda: role(first) == "owner", 20, lambda: first.log())
    second.start()
    job.send(slices[0])
    stands_by(first, second)
    second.kill()
    wait_for(lambda: role(first) == "owner", EXPIRE_S + 20, lambda: first.log())
    job.send(slices[1])
    job.wait_exact()
    first.stop()
    assert first.process.returncode == 0, first.log()
    job.wait_exact()


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


OTHERS = {
    "the production file on a laptop": ([], {}),
    "another name": (["--owner-cluster", "prod"], {"name": "laptop"}),
    "another namespace": (["--owner-cluster", "prod"], {"namespace": "test"}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_against_a_group_that_another_job_owns_touches_nothing(kafka, gateway, faulty, tmp_path, name):
    job = Job(kafka, gateway, gateway, tmp_path)
    slices = split(make_events(4000)[0], 2)
    owner = job.process("owner", ["--owner-cluster", "prod"])
    owner.start()
    job.send(slices[0], bad=True)
    job.wait_exact()
    args, metadata = OTHERS[name]
    spec = copy.deepcopy(job.spec)
    spec["metadata"].update(metadata)
    spec["spec"]["source"]["kafka"]["groupId"] = f"streamjob.default.{job.name}"
    spec["spec"]["sinks"][0]["pushgateway"]["url"] = faulty.url
    other = StreamJob(tmp_path, spec, args=args, name="other")
    assert other.run(60) == 1, other.log()
    assert f"belongs to the job prod/default/{job.name}, and this is" in other.log(), other.log()
    assert all(method == "GET" for _, method, _ in faulty.requests), faulty.requests
    job.send(slices[1])
    job.wait_exact()
    assert role(owner) == "owner" and owner.log().count(TAKEN) == 1, owner.log()


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
