"""What a running job says of itself, and how it ends."""

import json
import os
import signal
import time
import urllib.request

from bucket import (
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
    kafka_source,
    make_events,
    manifest,
    pushgateway_sink,
    sum_rows,
    unique,
)
from servers import StreamJob, wait_for

FIELDS = {
    "name": str,
    "namespace": str,
    "specHash": str,
    "version": str,
    "phase": str,
    "ready": bool,
    "uptimeSeconds": float,
    "rows": dict,
    "recent": dict,
    "windows": int,
    "openWindow": (dict, type(None)),
    "lastWindow": (dict, type(None)),
    "sinks": list,
    "partitions": list,
    "lastError": (dict, type(None)),
}


def test_status_ready_metrics_and_lag(kafka, gateway, tmp_path):
    name, topic = unique("status"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(4000, seed=41)
    records[0].append(b"oops")
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [pushgateway_sink(gateway, name)], size="1h"))
    job.start()
    wait_for(lambda: job.get("/readyz") == (200, "ready\n"), 60, "ready")
    kafka.produce(topic, records)
    counted = {"in": 4001, "bad": 1, "filtered": 4000 - len(passing)}
    status = wait_for(lambda: (lambda s: s if counted.items() <= s["rows"].items() else None)(job.status()), 60, "all rows")
    for field, kind in FIELDS.items():
        assert isinstance(status[field], kind), (field, status.get(field))
    assert status["name"] == name and status["phase"] == "running" and status["ready"] is True
    assert status["recent"]["rowsPerSecond"] > 0 and 0 < status["recent"]["badShare"] < 0.01, status["recent"]
    assert status["rows"]["bad"] == 1 and status["rows"]["late"] == 0 and status["rows"]["out"] == 0
    assert set(status["openWindow"]) == {"start", "end"} and status["lastWindow"] is None

    def lag():
        partitions = job.status()["partitions"]
        return partitions if all(p["lag"] == p["end"] - p["committed"] for p in partitions) and sum(p["lag"] for p in partitions) == 4001 else None

    partitions = wait_for(lag, 60, "the lag of an open window")
    assert [p["partition"] for p in partitions] == list(range(PARTITIONS))
    assert all(p["topic"] == topic and p["lagInWindows"] == p["lag"] for p in partitions)
    text = job.get("/metrics")[1]
    assert "streamjob_rows_in_total 4001\n" in text and f'streamjob_source_lag{{topic="{topic}",partition="0"}} 1001\n' in text
    assert f'streamjob_source_lag_in_windows{{topic="{topic}",partition="0"}} 1001\n' in text
    assert_valid_metrics(gateway, text)
    assert job.get("/healthz")[0] == 200 and job.get("/nothing")[0] == 404
    job.stop()
    assert job.process.returncode == 0, job.log()
    assert gateway_sums(gateway, name) == expected_sums(passing)
    assert kafka_lag(kafka, f"streamjob.default.{name}", topic) == 0


def assert_valid_metrics(gateway, text):
    """Prometheus's own parser and its consistency check, as the gateway has them: it refuses what is not valid."""
    request = urllib.request.Request(f"{gateway.url}/metrics/job/check", data=text.encode(), method="PUT")
    assert urllib.request.urlopen(request, timeout=10).status in (200, 202)
    helped = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")]
    typed = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    assert helped == typed and len(set(typed)) == len(typed) and text.endswith("\n")


def kafka_lag(kafka, group, topic):
    """As any other tool of Kafka's sees it."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": group})
    partitions = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=20)
    lag = sum(consumer.get_watermark_offsets(p, timeout=20)[1] - p.offset for p in partitions)
    consumer.close()
    return lag


def test_a_second_signal_ends_at_once(kafka, faulty, tmp_path):
    name, topic = unique("twice"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, passing = make_events(400)
    kafka.produce(topic, records)
    sinks = [pushgateway_sink(faulty, name, timeout="1s", retryDeadline="1s"), {"file": {"path": str(tmp_path / "rows.jsonl")}}]
    # The next process waits for the end of the drain that this one began.
    spec = manifest(name, kafka_source(kafka, topic, lease="300ms"), sinks, size="1h", terminationGracePeriod="8s")
    job = StreamJob(tmp_path, spec)
    # It leaves its threads where they are, and that is right.
    job.environment["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + ":report_thread_leaks=0"
    job.start()
    wait_for(lambda: job.status()["rows"]["in"] == 400, 60, "the rows")
    faulty.mode = "hang"
    job.process.send_signal(signal.SIGTERM)
    wait_for(lambda: faulty.pushed(), 60, "the drain waits for the gateway")
    assert job.status()["phase"] == "draining"
    time.sleep(0.5)  # the same signal again at once is the same order
    job.process.send_signal(signal.SIGTERM)
    assert job.wait(5) == 128 + signal.SIGTERM
    faulty.mode = "pass"
    job = StreamJob(tmp_path, spec, args=["--until-idle", "1s"], name="again")
    assert job.run(60) == 0, job.log()
    assert sum_rows(file_rows(tmp_path / "rows.jsonl")) == expected_sums(passing) == gateway_sums(faulty, name)


def test_json_logs_are_json(kafka, faulty, tmp_path):
    name, topic = unique("logs"), unique("events")
    kafka.create_topic(topic, PARTITIONS)
    records, _ = make_events(400)
    kafka.produce(topic, records)
    sink = pushgateway_sink(faulty, name, timeout="100ms", retryDeadline="100ms")
    job = StreamJob(tmp_path, manifest(name, kafka_source(kafka, topic), [sink], size="200ms"), args=["--log-format", "json"])
    job.start()
    wait_for(lambda: faulty.pushed(), 60, "the first window")
    faulty.mode, faulty.body = "500", b'says "no"\n\tand more \xff'
    kafka.produce(topic, records)
    wait_for(lambda: "sink attempt failed" in job.log(), 60, "a failed attempt")
    job.kill()
    lines = [json.loads(line) for line in job.log().splitlines()]
    assert all({"time", "level", "msg"} <= set(line) for line in lines)
    assert any('says "no"' in line.get("error", "") for line in lines)
