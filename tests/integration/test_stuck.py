"""A call of a client library that does not return: the watchdog names it, and a stop does not wait for it."""

import pathlib
import signal
import subprocess

import pytest

from bucket import PARTITIONS, expected_sums, file_rows, kafka_source, make_events, manifest, sum_rows, unique
from servers import BINARY, StreamJob, wait_for

pytestmark = pytest.mark.skipif("san-" in str(BINARY), reason="a sanitizer's build loads no library before its own")

SHIM = pathlib.Path(__file__).with_name("hang_shim.c")
GRACE_SECONDS = 2

# The call; who makes it, how it is called, and which part of the job is not ready by it.
CASES = {
    "rd_kafka_commit_transaction": ("committer: the commit to the broker at ", "source"),
    "rd_kafka_metadata": ("monitor: the request for the topic to the broker at ", "source"),
    "rd_kafka_flush": ("the flush to the broker at ", "sink"),
}


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "hang_shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", library, SHIM, "-ldl"], check=True)
    return library


def test_a_call_that_does_not_return_is_named_and_holds_up_no_stop(kafka, shim, tmp_path):
    """All at once, for each waits for a deadline; afterwards each window is there once."""
    topic, out = unique("events"), unique("out")
    kafka.create_topic(topic, PARTITIONS)
    kafka.create_topic(out, 1)
    records, passing = make_events(3000)
    (tmp_path / "events.jsonl").write_bytes(b"".join(record + b"\n" for partition in records.values() for record in partition))
    jobs = {}
    for call in CASES:
        folder = tmp_path / call
        (folder / "hold").mkdir(parents=True)
        sinks = [{"file": {"path": str(folder / "rows.jsonl")}}]
        if call == "rd_kafka_flush":
            sinks.append({"kafka": {"bootstrapServers": kafka.address, "topic": out}})
        source = kafka_source(kafka, topic, groupId=unique(call))
        if call == "rd_kafka_flush":  # which a commit calls too, so there is none of the source's
            source = {"file": {"path": str(tmp_path / "events.jsonl")}}
            (folder / "hold" / call).touch()
        job = StreamJob(folder, manifest(unique("stuck"), source, sinks, size="300ms", terminationGracePeriod=f"{GRACE_SECONDS}s"))
        job.environment = {"LD_PRELOAD": str(shim), "HOLD_FOLDER": str(folder / "hold")}
        jobs[call] = job.start()
    for call, job in jobs.items():
        if call != "rd_kafka_flush":
            wait_for(lambda job=job: job.get("/readyz")[0] == 200, 90, job.log)
        (tmp_path / call / "hold" / call).touch()
    kafka.produce(topic, records)
    for call, job in jobs.items():
        words, part = CASES[call]
        wait_for(lambda job=job: job.get("/healthz")[0] == 503, 90, lambda job=job: job.get("/status")[1] + job.log())
        health, ready, status = job.get("/healthz")[1], job.get("/readyz"), job.status()
        assert words in health and " has not returned for " in health, (call, health)
        assert ready[0] == 503 and words in ready[1] and status["notReadyPart"] == part, (call, ready)
        assert any(stuck["message"].startswith(words) or words in stuck["message"] for stuck in status["stuck"]), status["stuck"]
    for job in jobs.values():
        job.process.send_signal(signal.SIGTERM)
    for call, job in jobs.items():
        assert job.wait(timeout=60) == 1, job.log()
        assert CASES[call][0] in job.log()[job.log().index("the process waits no longer") :], job.log()
        (tmp_path / call / "hold" / call).unlink()
        job.launch()
    for call, job in jobs.items():
        rows = tmp_path / call / "rows.jsonl"
        wait_for(lambda: sum_rows(file_rows(rows)) == expected_sums(passing), 120, lambda: f"{call}: {job.log()[-3000:]}")
