"""A process of an earlier roll-out than the one that had the job last: it waits, says why, and goes on by order only."""

from bucket import PARTITIONS, expected_sums, file_rows, kafka_source, make_events, manifest, passing_of, split, sum_rows, unique
from servers import StreamJob, wait_for

RECORDS = make_events(2000, seed=53)[0]


def test_an_earlier_roll_out_goes_on_by_order_only(kafka, tmp_path):
    """As after an etcd was restored from an older snapshot: no newer process is left, and none comes."""
    name, topic, rows = unique("rollout"), unique("events"), tmp_path / "rows.jsonl"
    kafka.create_topic(topic, PARTITIONS)
    first, rest = split(RECORDS, 2)
    kafka.produce(topic, first)
    spec = manifest(name, kafka_source(kafka, topic, lease="300ms"), [{"file": {"path": str(rows)}}], size="300ms")
    newer = StreamJob(tmp_path, spec, args=["--rollout", "9", "--owner-cluster", "c", "--until-idle", "1s"], name="newer")
    assert newer.run(60) == 0, newer.log()
    kafka.produce(topic, rest)
    older = StreamJob(tmp_path, spec, args=["--rollout", "7", "--owner-cluster", "c"], name="older")
    older.start()
    owner = f"c/default/{name}"
    words = ("stands by: the job was run by", "of roll-out 9", "this process is of roll-out 7", f"--take-over {owner}", "streamjob.dev/take-over")
    wait_for(lambda: all(word in older.get("/readyz")[1] for word in words), 30, lambda: older.get("/readyz")[1])
    assert older.get("/readyz")[0] == 503 and older.status()["owner"]["role"] == "standby"
    older.stop()
    assert sum_rows(file_rows(rows)) == expected_sums(passing_of(first))
    told = StreamJob(tmp_path, spec, args=["--rollout", "7", "--owner-cluster", "c", "--take-over", owner, "--until-idle", "1s"], name="told")
    assert told.run(60) == 0, told.log()
    assert sum_rows(file_rows(rows)) == expected_sums(passing_of(RECORDS))
