"""What the log has beside records, and how it changes while a job reads it: markers, aborted records, open transactions, new
partitions; and a broker that answers no more."""

import os
import time

import pytest

from bucket import (
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
    kafka_source,
    make_events,
    manifest,
    passing_of,
    pushgateway_sink,
    split,
    sum_rows,
    unique,
)
from servers import BINARY, HoldingProxy, StreamJob, wait_for
from servers.kafka_requests import delete_records, group_offsets

MANY = int(os.environ.get("STREAMJOB_TEST_PARTITIONS", 600))


def job_over(kafka, tmp_path, name="job", partitions=1, size="300ms", args=(), spec=None, lease="300ms", **source):
    topic = unique("log")
    kafka.create_topic(topic, partitions)
    made = manifest(topic, kafka_source(kafka, topic, lease=lease, **source), [{"file": {"path": str(tmp_path / "rows")}}], size=size, **(spec or {}))
    return topic, StreamJob(tmp_path, made, args=args, name=name)


def wait_exact(job, tmp_path, records, timeout=30):
    truth = expected_sums(passing_of(records))
    wait_for(lambda: sum_rows(file_rows(tmp_path / "rows")) == truth, timeout, lambda: job.log()[-4000:])


def lags_of(job):
    return [p.get("lag") for p in job.status().get("partitions", [])]


def transaction(kafka, topic, rows, end="commit"):
    """Produces the rows to partition 0; None leaves the transaction open, and the producer is returned."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": unique("tx"), "transaction.timeout.ms": 60000})
    producer.init_transactions(20)
    producer.begin_transaction()
    for row in rows:
        producer.produce(topic, row, partition=0)
    assert producer.flush(20) == 0
    if end == "commit":
        producer.commit_transaction(20)
    elif end == "abort":
        producer.abort_transaction(20)
    return producer


@pytest.mark.parametrize("ends", [["commit"], ["commit", "abort"], ["abort"], ["abort", "commit", "abort"]])
def test_markers_and_aborted_records_are_no_lag_and_no_loss(kafka, tmp_path, ends):
    """Lag 0 and commits past them while nothing comes; a log cut up to a marker has lost nothing."""
    topic, job = job_over(kafka, tmp_path)
    rows = make_events(2000, seed=31)[0][0]
    sent = []
    job.start()
    for number, end in enumerate(ends):
        part = rows[number * 100 : number * 100 + 100]
        transaction(kafka, topic, part, end)
        sent += part if end == "commit" else []
    log_end = 101 * len(ends)  # each ends with a marker
    wait_for(lambda: lags_of(job) == [0], 20, lambda: job.get("/status")[1] + job.log())
    wait_for(lambda: group_offsets(kafka, f"streamjob.default.{topic}", topic, 1)[0][0] == log_end, 20, lambda: job.log())
    wait_exact(job, tmp_path, {0: sent})
    job.kill()
    delete_records(kafka, topic, 0, log_end)
    job.start()
    kafka.produce(topic, {0: rows[400:]})
    wait_exact(job, tmp_path, {0: sent + rows[400:]})
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_a_transaction_left_open_is_named_until_it_ends(kafka, tmp_path):
    topic, job = job_over(kafka, tmp_path)
    rows = make_events(400, seed=32)[0][0]
    job.start()
    kafka.produce(topic, {0: rows[:50]})
    wait_exact(job, tmp_path, {0: rows[:50]})
    producer = transaction(kafka, topic, rows[50:60], None)
    kafka.produce(topic, {0: rows[60:]})

    def named():
        code, text = job.get("/readyz")
        return code == 503 and all(word in text for word in (f"offset 50 of topic {topic}, partition 0", "kafka-transactions.sh", "abort"))

    wait_for(named, 40, lambda: job.get("/readyz")[1])
    producer.commit_transaction(20)
    wait_exact(job, tmp_path, {0: rows})
    wait_for(lambda: job.get("/readyz")[0] == 200, 20, lambda: job.get("/readyz")[1])


@pytest.mark.parametrize("size", ["300ms", "1h"])
def test_partitions_added_while_the_job_runs(kafka, tmp_path, size):
    """Read from their start, though the job began at the latest; counted in the lag; twice; also with a window open."""
    from confluent_kafka.admin import NewPartitions

    topic, job = job_over(kafka, tmp_path, size=size, startingOffsets="latest")
    records, admin = make_events(8000, seed=33)[0], kafka.admin()
    job.start()
    wait_for(lambda: job.get("/readyz")[0] == 200, 20, lambda: job.log())
    sent = {0: records[0][:1000]}
    kafka.produce(topic, sent)
    for count in (2, 4):
        for future in admin.create_partitions([NewPartitions(topic, count)]).values():
            future.result(20)
        more = {p: records[p][1000 * (count == 4) :][:1000] for p in range(count // 2, count)}
        wait_for(lambda: admin.list_topics(topic).topics[topic].partitions.keys() == set(range(count)), 20, "the partitions")
        kafka.produce(topic, more)
        sent.update(more)
        wait_for(lambda: len(job.status().get("partitions", [])) == count, 20, lambda: job.log())
    kafka.produce(topic, {0: records[0][1000:]})
    sent[0] = records[0]
    if size == "1h":
        wait_for(lambda: sum(p["position"] for p in job.status()["partitions"]) == sum(map(len, sent.values())), 20, "all rows")
        job.stop()
        assert job.process.returncode == 0, job.log()
    wait_exact(job, tmp_path, sent)


def test_a_replay_passes_no_record_by_that_came_later(kafka, gateway, tmp_path):
    """A partition that has been replayed sees its end while another one of its lane still replays."""
    topic = unique("replay")
    kafka.create_topic(topic, PARTITIONS)
    records = make_events(80_000, seed=34)[0]
    first = {0: records[0][:10], 3: records[3]}
    later = {0: records[0][10:30]}
    with HoldingProxy(gateway) as proxy:
        sinks = [pushgateway_sink(proxy, topic, timeout="500ms", retryDeadline="500ms"), {"file": {"path": str(tmp_path / "rows")}}]
        slow = kafka_source(kafka, topic, lease="300ms", properties={"fetch.message.max.bytes": "20000"})
        job = StreamJob(tmp_path, manifest(topic, slow, sinks, size="1h", terminationGracePeriod="1s"), args=["--lanes", "1"])
        job.start()
        kafka.produce(topic, first)
        wait_for(lambda: job.status()["rows"]["in"] == 20_010, 30, lambda: job.log())
        proxy.holding = True
        job.stop()
        assert job.process.returncode == 1, job.log()
        proxy.holding = False
        kafka.produce(topic, later)
        job.start()
        wait_for(lambda: job.status()["rows"]["in"] == 20_030, 30, lambda: job.log())
        job.stop()
        assert job.process.returncode == 0, job.log()
    sent = passing_of({0: records[0][:30], 3: records[3]})
    assert sum_rows(file_rows(tmp_path / "rows")) == expected_sums(sent)
    assert gateway_sums(gateway, topic) == expected_sums(sent)


def hangs_idle(kafka, topic, job):
    wait_for(lambda: job.get("/readyz")[0] == 200, 20, lambda: job.log())
    kafka.pause()
    time.sleep(1)


def hangs_with_a_window(kafka, topic, job):
    kafka.produce(topic, {0: make_events(400)[0][0]})
    wait_for(lambda: job.status()["rows"]["in"] == 100, 20, lambda: job.log())
    kafka.pause()


def hangs_while_connecting(kafka, topic, job):
    job.kill()
    kafka.pause()
    job.start()
    time.sleep(0.5)


def hangs_for_long(kafka, topic, job):
    hangs_with_a_window(kafka, topic, job)
    time.sleep(5)


@pytest.mark.parametrize("hangs", [hangs_idle, hangs_with_a_window, hangs_while_connecting, hangs_for_long])
def test_a_stop_ends_in_time_though_the_broker_does_not_answer(kafka, tmp_path, hangs):
    topic, job = job_over(kafka, tmp_path, size="1h", spec={"terminationGracePeriod": "1s"})
    job.start()
    try:
        hangs(kafka, topic, job)
        job.process.terminate()
        job.wait(20)
        assert job.process.returncode in (0, 1), job.log()
    finally:
        kafka.resume()
        kafka.settle()


@pytest.mark.skipif("san-" in str(BINARY), reason="for its size alone; nothing of it is a sanitizer's")
def test_a_topic_of_many_partitions(kafka, tmp_path):
    """All of them are in one commit. STREAMJOB_TEST_PARTITIONS=3600 takes a broker that has nothing else to do."""
    topic, job = job_over(kafka, tmp_path, partitions=MANY, size="1h", lease="5s")  # each repeat commits all of them
    rows = make_events(400, seed=35)[0][0]
    kafka.produce(topic, {MANY - 1: rows})
    job.start()
    wait_for(lambda: job.status()["rows"]["in"] == 100, 60, lambda: job.log()[-4000:])
    job.stop(timeout=60)
    assert job.process.returncode == 0, job.log()[-4000:]
    assert sum_rows(file_rows(tmp_path / "rows")) == expected_sums(passing_of({MANY - 1: rows}))
    offsets = group_offsets(kafka, f"streamjob.default.{topic}", topic, MANY)
    assert offsets[MANY - 1][0] == 100 and all(offset == 0 for p, (offset, _) in offsets.items() if p != MANY - 1)
    kafka.delete_topic(topic)
