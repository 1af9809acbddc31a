"""Leader election: who leads, when writes stop, and what a Lease says about it."""

import re
import threading
import time

import pytest

PATH = "leases", "default", "streamjob-operator"


@pytest.fixture
def candidate(server, drive):
    def start(identity, *limits):
        return drive("lease", server.kubeconfig(), identity, *limits)

    return start


def spec(server):
    return server.api.objects[PATH]["spec"]


def writable(driver):
    return int(driver.ask("writable", "writable ").split()[1])


def test_first_leader_writes_the_lease(server, candidate):
    driver = candidate("one")
    driver.expect("leader one (us)")
    driver.expect("acquired")
    lease = spec(server)
    assert (lease["holderIdentity"], lease["leaseDurationSeconds"], lease["leaseTransitions"]) == ("one", 2, 0)
    for field in ("acquireTime", "renewTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", lease[field])
    assert 0 < writable(driver) <= 1700
    server.until(lambda request: request.method == "PUT", 2)
    assert spec(server)["acquireTime"] == lease["acquireTime"] and spec(server)["renewTime"] > lease["renewTime"]


def test_second_waits_and_takes_over_at_once_when_the_first_releases(server, candidate):
    first = candidate("one")
    first.expect("acquired")
    second = candidate("two")
    second.expect("leader one")
    assert writable(second) == 0
    begin = time.monotonic()
    first.stop()
    second.expect("leader two (us)")
    second.expect("acquired")
    assert spec(server)["leaseTransitions"] == 1
    assert time.monotonic() - begin < 20


def test_second_takes_over_when_the_first_dies(server, candidate):
    first = candidate("one")
    first.expect("acquired")
    second = candidate("two")
    second.expect("leader one")
    first.process.kill()
    first.process.wait()
    died = time.monotonic()
    second.expect("acquired")
    assert time.monotonic() - died >= 1, "not before the lease is over"
    assert spec(server)["holderIdentity"] == "two" and spec(server)["leaseTransitions"] == 1
    first.process.stdin.close()
    first.stop = lambda: None


def test_writes_stop_before_the_lease_expires(server, candidate):
    """The API server stays away for the leader; at no time may it write while another could."""
    away = threading.Event()
    server.fault = lambda request, reply: away.is_set() and request.plural == "leases" and reply.reset()
    driver = candidate("one")
    driver.expect("acquired")
    assert driver.ask("write", "{") == '{"ok":true}'
    renewed = server.until(lambda request: request.method == "PUT", 1)[-1].time
    away.set()
    driver.expect("trouble unavailable")
    driver.expect("lost")
    assert '"not-leader"' in driver.ask("write", "{") and writable(driver) == 0
    assert time.monotonic() >= renewed
    assert len([request for request in server.log if request.plural == "configmaps"]) == 1


def test_gate_shuts_by_itself_while_a_renewal_hangs(server, candidate):
    """Even when the lease's thread is stuck in a request, the gate's clock runs out."""
    hang = threading.Event()

    def fault(request, reply):
        if hang.is_set() and request.plural == "leases":
            time.sleep(4)
        return False

    server.fault = fault
    driver = candidate("one", "renew_ms=1500", "margin_ms=400")
    driver.expect("acquired")
    hang.set()
    began = time.monotonic()
    while writable(driver):
        time.sleep(0.02)
    assert time.monotonic() - began <= 10
    assert '"not-leader"' in driver.ask("write", "{")
    if "lost" not in driver.seen:
        driver.expect("lost")


def test_slow_write_is_cut_by_the_gate(server, candidate):
    """A write that began in time is not waited for beyond the lease."""
    answered = threading.Event()

    def fault(request, reply):
        if request.plural == "configmaps":
            answered.wait(60)
        return False

    server.fault = fault
    driver = candidate("one")
    driver.expect("acquired")
    assert '"unavailable"' in driver.ask("write", "{")
    answered.set()


def test_two_leaders_at_once_cannot_be(server, candidate):
    """Six candidates, connections cut at random: nobody's gate is open while another's lease is."""
    drivers = [candidate(f"c{i}", "retry_ms=50") for i in range(6)]
    stop = time.monotonic() + 4
    while time.monotonic() < stop:
        server.cut()
        open_now = [i for i, driver in enumerate(drivers) if writable(driver)]
        assert len(open_now) <= 1, open_now
        time.sleep(0.1)


def test_stolen_lease(server, candidate):
    driver = candidate("one")
    driver.expect("acquired")
    document = dict(spec(server), holderIdentity="thief")
    server.api.put(*PATH, spec=document)
    driver.expect("lost")
    assert writable(driver) == 0
    driver.stop()
    assert spec(server)["holderIdentity"] == "thief", "what is not ours is not released"


def test_conflict_is_looked_at_again(server, candidate):
    driver = candidate("one")
    driver.expect("acquired")
    lease = server.api.objects[PATH]
    server.api.put(*PATH, spec=lease["spec"], metadata={"labels": {"by": "somebody"}})
    count = len(server.log)
    server.until(lambda request: request.method == "PUT" and request in server.log[count:], 3)
    assert server.api.objects[PATH]["spec"]["holderIdentity"] == "one"
    assert not [line for line in driver.seen if line == "lost"]


def test_deleted_lease_is_made_anew(server, candidate):
    driver = candidate("one")
    driver.expect("acquired")
    server.api.delete(*PATH)
    server.until(lambda request: request.method == "POST", 2)
    assert writable(driver) > 0


def test_lost_answer_of_the_first_write(server, candidate):
    """The create was done, its answer was not heard: the lease is ours, found on the next look."""
    lost = []

    def fault(request, reply):
        if request.method == "POST" and not lost:
            lost.append(request)
            server.api.post(request)
            return reply.reset()
        return False

    server.fault = fault
    driver = candidate("one")
    driver.expect("acquired")
    assert spec(server)["leaseTransitions"] == 0


def test_wall_clock_jumps_change_nothing(server, candidate):
    first = candidate("one")
    first.expect("acquired")
    second = candidate("two")
    second.expect("leader one")
    for jump in (86400000, -86400000):
        first.tell(f"jump {jump}")
        second.tell(f"jump {-jump}")
        count = len(server.log)
        server.until(lambda request: request.method == "PUT" and request in server.log[count:], 4)
        assert writable(first) > 0 and writable(second) == 0
    assert spec(server)["holderIdentity"] == "one" and spec(server)["leaseTransitions"] == 0


def test_stop_without_release(server, candidate):
    driver = candidate("one")
    driver.expect("acquired")
    driver.tell("keep")
    driver.stop()
    assert spec(server)["holderIdentity"] == "one"


def test_forbidden_lease_says_so(server, candidate):
    forbidden = [True]
    server.fault = lambda request, reply: forbidden[0] and reply.fail(403, "Forbidden", "leases is forbidden")
    driver = candidate("one")
    assert "leases is forbidden" in driver.expect("trouble forbidden 403")
    forbidden[0] = False
    driver.expect("acquired")


@pytest.mark.parametrize("limits, words", [
    (("duration_ms=1500",), "whole seconds"),
    (("renew_ms=1800",), "must be less than its duration"),
    (("retry_ms=900",), "must be less than its renew deadline"),
])
def test_limits_that_cannot_work(server, candidate, limits, words):
    driver = candidate("one", *limits)
    assert words in driver.expect("refused ")
    driver.process.wait(30)
    driver.process.stdin.close()
