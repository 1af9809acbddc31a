"""The Pushgateway away, sick or refusing: nothing is lost, memory is bounded, the status says so."""

import itertools
import re
import socket
import time
import urllib.request

import pytest

from bucket import (
    PARTITIONS,
    ROWS,
    expected_sums,
    file_rows,
    gateway_sums,
    gateway_value,
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

MEMORY_MAX = 400 * 1024 * 1024  # generous: librdkafka may hold 16 MiB a lane before a window does

FAULTS = [
    # mode, what the status must say
    ("500", "the gateway answered 500: scripted failure"),
    ("503", "the gateway answered 503: scripted failure"),
    ("hang", "timed out"),
    ("unanswered", "timed out"),
    ("cut", "Empty reply"),
]


def in_order(sequences):
    return all(a <= b for a, b in itertools.pairwise(sequences))


def quick(gateway, name, **more):
    return pushgateway_sink(gateway, name, timeout="500ms", retryDeadline="1s", **more)


def sink_of(job):
    sinks = job.status()["sinks"]
    return sinks[0] if sinks else {}


def wait_for_rows(job, rows):
    wait_for(lambda: job.status()["rows"]["in"] >= rows, 60, f"{rows} rows taken")


@pytest.mark.parametrize("mode, words", FAULTS)
def test_a_sick_gateway_costs_nothing(kafka, faulty, tmp_path, mode, words):
    name, topic = unique("sick"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(9000)
    before, during, after = split(records, 3)
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [quick(faulty, name)], size="200ms"))
    job.start()
    kafka.produce(topic, before)
    wait_for(lambda: gateway_value(faulty, name, "streamjob_window_sequence"), 60, "the first window")
    wait_for(lambda: job.get("/readyz")[0] == 200, 60, "ready before the fault")
    faulty.mode = mode
    kafka.produce(topic, during)
    status = wait_for(lambda: (lambda s: s if words in s["sinks"][0].get("lastError", "") and not s["ready"] else None)(job.status()), 60, words)
    assert status["sinks"][0]["healthy"] is False and status["sinks"][0]["failures"] >= 1
    assert status["ready"] is False and faulty.url in status["notReadyReason"]
    since = status["sinks"][0]["failingSince"]
    assert f", since {since}: " in status["notReadyReason"]
    assert words in status["lastError"]["message"]
    code, text = job.get("/readyz")
    assert code == 503 and faulty.url in text
    assert 'streamjob_sink_up{sink="pushgateway ' in job.get("/metrics")[1]
    kafka.produce(topic, after)
    attempts = len(faulty.requests)
    wait_for(lambda: len(faulty.requests) >= attempts + 2, 60, "it is tried again")
    assert job.status()["sinks"][0]["failingSince"] == since, "an attempt more is no other beginning"
    faulty.mode = "pass"
    wait_for(lambda: gateway_sums(faulty, name) == expected_sums(passing), 60, "every event in the gateway, once")
    wait_for(lambda: job.get("/readyz")[0] == 200, 60, "ready again")
    assert "failingSince" not in job.status()["sinks"][0]
    job.stop()
    assert job.process.returncode == 0, job.log()
    assert gateway_sums(faulty, name) == expected_sums(passing)
    assert in_order(faulty.pushed()), "an older window came after a newer one"


def after_a_first_start(job):
    """A first start asks every sink what it knows of the job, and waits for the answer; the job has been there then."""
    job.start()
    wait_for(lambda: job.get("/readyz")[0] == 200, 60, "the first start")
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_a_first_start_waits_for_a_gateway_that_is_away(kafka, gateway, tmp_path):
    name, topic = unique("first"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(400)
    kafka.produce(topic, records)
    gateway.stop()
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [quick(gateway, name)], size="200ms"))
    job.start()
    wait_for(lambda: "which may know an earlier life of the job, cannot be asked" in job.log(), 60, "its reason")
    code, text = job.get("/readyz")
    said = re.search(r"a first start asks sink (.*) since (\S+Z) whether it knows an earlier life of the job: (.*)", text)
    assert code == 503 and said and said[1] == f"pushgateway {gateway.url}/metrics/job/{name}/team/reco", text
    assert "refused" in said[3] or "connect" in said[3], text
    status = job.status()
    assert (status["rows"]["in"], status["notReadyPart"], sink_of(job)["healthy"]) == (0, "sink", False)
    assert sink_of(job)["lastError"] in status["notReadyReason"]
    time.sleep(1.2)  # two more questions
    assert f"since {said[2]}" in job.get("/readyz")[1], "the first time it was asked"
    gateway.start()
    wait_for(lambda: gateway_sums(gateway, name) == expected_sums(passing), 60, "every event")
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_a_gateway_that_is_away_holds_the_lanes_and_memory_stays(kafka, gateway, tmp_path):
    """The events wait while nobody listens; then they are all there, once."""
    name, topic = unique("away"), unique("events")
    rows = min(ROWS, 200_000)
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(rows)
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [quick(gateway, name)], size="200ms"))
    after_a_first_start(job)
    gateway.stop()
    job.start()
    kafka.produce(topic, records)
    wait_for(lambda: sink_of(job).get("failures", 0) >= 3, 60, "attempts")
    assert "refused" in sink_of(job)["lastError"] or "connect" in sink_of(job)["lastError"]
    wait_for(lambda: job.get("/readyz")[0] == 503, 60, "not ready")
    taken = -1
    while taken != job.status()["rows"]["in"]:  # until the lanes have paused
        taken = job.status()["rows"]["in"]
        time.sleep(1)
    assert job.memory("VmHWM") < MEMORY_MAX
    assert job.status()["windows"] == 0
    gateway.start()
    wait_for(lambda: sink_of(job).get("healthy"), 60, "the sink works again")
    wait_for_rows(job, rows)
    job.stop()
    assert job.process.returncode == 0, job.log()
    assert gateway_sums(gateway, name) == expected_sums(passing)


def test_a_push_that_was_applied_and_never_answered_is_not_added_twice(kafka, faulty, tmp_path):
    """Killed before it knew: the counters of the replayed window are in the gateway already."""
    name, topic = unique("applied"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(6000)
    first, second = split(records, 2)
    spec = manifest(name, kafka_source(kafka, topic, lease="300ms"), [quick(faulty, name)], size="200ms")
    job = StreamJob(tmp_path, spec)
    job.start()
    kafka.produce(topic, first)
    wait_for_rows(job, 3000)
    wait_for(lambda: job.status()["openWindow"] and job.status()["windows"], 60, "windows")
    faulty.mode = "unanswered"
    kafka.produce(topic, second)
    wait_for(lambda: faulty.pushed("unanswered"), 60, "a push that is never answered")
    pending = faulty.pushed("unanswered")[0]
    job.kill()
    passed = len(faulty.pushed("pass"))
    assert gateway_value(faulty, name, "streamjob_window_sequence") == pending
    faulty.mode = "pass"
    job = StreamJob(tmp_path, spec, args=["--until-idle", "2s"], name="again")
    assert job.run(60) == 0, job.log()
    assert "counters restored" in job.log()
    assert faulty.pushed("pass")[passed] == pending, "the pending window is delivered first, under its own number"
    assert gateway_sums(faulty, name) == expected_sums(passing)
    assert in_order(faulty.pushed())


def conflict(gateway, push):
    """Another group holds one of the job's metrics under another type: the gateway refuses the whole with 400."""
    url = f"{gateway.url}/metrics/job/another"
    body = b"# TYPE impressions counter\nimpressions 1\n"
    urllib.request.urlopen(urllib.request.Request(url, data=body if push else None, method="PUT" if push else "DELETE"), timeout=10)


def test_400_is_kept_with_its_words_and_never_retried(kafka, faulty, tmp_path):
    name, topic = unique("refused"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(4000)
    first, second = split(records, 2)
    letters, rows = tmp_path / "letters.jsonl", tmp_path / "rows.jsonl"
    sinks = [pushgateway_sink(faulty, name), {"file": {"path": str(rows)}}]
    spec = manifest(name, kafka_source(kafka, topic), sinks, size="200ms", deadLetter={"file": {"path": str(letters)}})
    job = StreamJob(tmp_path, spec)
    faulty.mode, faulty.body = "refuse", b"impressions: not what this gateway takes"
    job.start()
    kafka.produce(topic, first)
    wait_for(lambda: sum(r["impressions"] + r["clicks"] for r in file_rows(rows)) == len(passing_of(first)), 60, "windows go on to the other sink")
    status = wait_for(lambda: (lambda s: s if s["sinks"][0]["rejected"] else None)(job.status()), 60, "a rejection")
    assert "400" in status["sinks"][0]["lastError"] and "impressions" in status["sinks"][0]["lastError"]
    assert "400" in status["lastError"]["message"]
    assert status["sinks"][0]["healthy"] is False
    assert job.get("/readyz")[0] == 503
    refused = set(faulty.pushed())
    wait_for(lambda: len(file_rows(letters)) >= len(refused), 60, "dead letters")
    for letter in file_rows(letters):
        assert letter["sink"].endswith(f"/metrics/job/{name}/team/reco") and letter["sequence"] in refused, letter
        assert "400" in letter["reason"] and "impressions" in letter["reason"]
    assert sum_rows(row for letter in file_rows(letters) for row in letter["rows"]) == sum_rows(file_rows(rows))
    faulty.mode = "pass"
    kafka.produce(topic, second)
    accepted = expected_sums(passing_of(second))
    wait_for(lambda: gateway_sums(faulty, name) == accepted, 60, "the counters have what was accepted, and nothing of the refused windows")
    wait_for(lambda: job.get("/readyz")[0] == 200, 60, "ready again")
    job.stop()
    assert job.process.returncode == 0, job.log()
    assert all(faulty.pushed().count(sequence) == 1 for sequence in refused), "a refused window was pushed again"
    assert sum_rows(file_rows(rows)) == expected_sums(passing)


@pytest.mark.parametrize("status, between", [("400", "goes on"), ("413", "is killed"), ("422", "is stopped")])
def test_a_refused_window_adds_to_no_counter(kafka, faulty, tmp_path, status, between):
    """Neither in the process that it was refused to nor in the next one."""
    name, topic = unique("refused"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    first, second, third = split(make_events(3000, seed=73)[0], 3)
    sinks = [pushgateway_sink(faulty, name), {"file": {"path": str(tmp_path / "rows")}}]
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic, lease="300ms"), sinks, size="300ms"))
    job.start()

    def read(*records):
        truth = expected_sums([row for run in records for row in passing_of(run)])
        wait_for(lambda: sum_rows(file_rows(tmp_path / "rows")) == truth, 30, lambda: job.log())

    kafka.produce(topic, first)
    wait_for(lambda: gateway_sums(faulty, name) == expected_sums(passing_of(first)), 30, lambda: job.log())
    read(first)
    faulty.mode = status
    kafka.produce(topic, second)
    read(first, second)
    wait_for(lambda: not any(p["lag"] for p in job.status()["partitions"]), 30, lambda: job.log())
    faulty.mode = "pass"
    if between == "is killed":
        job.kill()
    elif between == "is stopped":
        job.stop()
    if between != "goes on":
        job.start()
    kafka.produce(topic, third)
    truth = expected_sums(passing_of(first) + passing_of(third))
    wait_for(lambda: gateway_sums(faulty, name) == truth, 30, lambda: f"{gateway_sums(faulty, name)} instead of {truth}\n{job.log()}")
    read(first, second, third)


def test_400_fails_the_job_where_it_says_so_and_the_next_start_delivers(kafka, gateway, tmp_path):
    name, topic = unique("strict"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(4000)
    kafka.produce(topic, records)
    spec = manifest(name, kafka_source(kafka, topic), [pushgateway_sink(gateway, name, onRejected="fail")])
    conflict(gateway, True)
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="refused")
    assert job.run(60) == 1
    assert "400" in job.log() and "rejected window 1" in job.log()
    conflict(gateway, False)
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="accepted")
    assert job.run(60) == 0, job.log()
    assert gateway_sums(gateway, name) == expected_sums(passing)
    assert gateway_value(gateway, name, "streamjob_window_sequence") >= 1


def test_a_stop_in_time_though_the_gateway_never_answers(kafka, faulty, tmp_path):
    """The drain ends within its period with 1, the window is pending, and the next start delivers it."""
    name, topic = unique("stuck"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(4000)
    kafka.produce(topic, records)
    spec = manifest(name, kafka_source(kafka, topic), [pushgateway_sink(faulty, name)], size="1h", terminationGracePeriod="2s")
    job = StreamJob(tmp_path, spec)
    job.start()
    wait_for_rows(job, 4000)
    faulty.mode = "hang"
    job.stop(timeout=30)
    assert job.process.returncode == 1, job.log()
    assert "the next start writes it again" in job.log()
    faulty.mode = "pass"
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="again")
    assert job.run(60) == 0, job.log()
    assert gateway_sums(faulty, name) == expected_sums(passing)
    assert gateway_value(faulty, name, "streamjob_window_sequence") == 1


def cut_off(gateway, request, size):
    """The connection ends after so much of it; the gateway has dealt with it when this returns."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(request[:size])
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def test_a_request_that_is_cut_off_anywhere_changes_nothing(kafka, gateway, tmp_path):
    """By a kill -9, a lease that runs out, a time-out: what came of it is no group, whole lines and whole families neither."""
    with HoldingProxy(gateway) as held:
        name, topic = unique("cut"), unique("events")
        kafka.create_topic(topic, PARTITIONS)
        job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [pushgateway_sink(held, name)], size="300ms"))
        job.start()
        slices = split(make_events(2000, seed=71)[0], 2)
        kafka.produce(topic, slices[0])
        wait_for(lambda: gateway_sums(gateway, name) == expected_sums(passing_of(slices[0])), 30, lambda: job.log())
        held.holding = True
        kafka.produce(topic, slices[1])
        wait_for(lambda: held.held, 30, lambda: job.log())
        job.kill()
        (request,) = held.kept()
    before, sequence = gateway_sums(gateway, name), gateway_value(gateway, name, "streamjob_window_sequence")
    body = request.index(b"\r\n\r\n") + 4
    assert request.startswith(b"PUT ") and len(request) > body + 1000
    for size in (body, *range(body + 1, len(request), 23), len(request) - 1):
        cut_off(gateway, request, size)
        assert gateway_sums(gateway, name) == before, (size - body, len(request) - body)
    assert gateway_value(gateway, name, "streamjob_window_sequence") == sequence
    cut_off(gateway, request, len(request))
    assert gateway_value(gateway, name, "streamjob_window_sequence") > sequence


def test_a_proxy_that_loses_the_type_of_the_content(kafka, faulty, tmp_path):
    """Text is what every gateway takes for no type at all; a warning says what that costs."""
    name, topic = unique("typeless"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    faulty.strips = True
    records = make_events(400, seed=72)[0]
    kafka.produce(topic, records)
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [pushgateway_sink(faulty, name)], size="300ms"))
    job.start()
    wait_for(lambda: gateway_sums(faulty, name) == expected_sums(passing_of(records)), 30, lambda: job.log())
    job.stop()
    assert job.process.returncode == 0 and job.log().count("takes no protocol buffers") == 1, job.log()
