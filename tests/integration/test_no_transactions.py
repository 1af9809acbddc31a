"""A broker without transactions: the job runs by plain commits, nothing fences it, and that is said. One that has them and
does not grant them to the job is none of these."""

import json

import pytest

from bucket import PARTITIONS, expected_sums, file_rows, kafka_source, make_events, manifest, passing_of, split, sum_rows, unique
from servers import StreamJob, wait_for
from servers.kafka_requests import grant
from servers.old_kafka import OldKafka

SAID = "the broker has no transactions: nothing keeps a second process of this job away"


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    with OldKafka(tmp_path_factory.mktemp("old")) as server:
        yield server


def job_of(old, topic, folder, name="job", args=(), **spec):
    source = kafka_source(old, topic, lease="300ms")
    source["kafka"]["bootstrapServers"] = old.old_address
    return StreamJob(folder, manifest(topic, source, [{"file": {"path": str(folder / "rows.jsonl")}}], size="300ms", **spec), name=name, args=args)


def test_it_runs_and_says_that_nothing_fences_it(old, tmp_path):
    topic = unique("plain")
    old.create_topic(topic, PARTITIONS)
    slices = split(make_events(3000)[0], 3)
    rows = tmp_path / "rows.jsonl"

    def exact(count):
        sent = {p: [row for one in slices[:count] for row in one[p]] for p in range(PARTITIONS)}
        return sum_rows(file_rows(rows)) == expected_sums(passing_of(sent))

    old.produce(topic, slices[0])
    job = job_of(old, topic, tmp_path).start()
    wait_for(lambda: exact(1), 60, lambda: job.log()[-3000:])
    assert job.log().count(SAID) == 1
    owner = job.status()["owner"]
    assert (owner["role"], owner["fenced"]) == ("owner", False)
    wait_for(lambda: job.get("/readyz")[0] == 200, 20, lambda: job.get("/readyz")[1])
    job.stop()
    assert job.process.returncode == 0, job.log()
    old.produce(topic, slices[1])
    job = job_of(old, topic, tmp_path, name="again").start()
    wait_for(lambda: exact(2), 60, lambda: job.log()[-3000:])
    job.kill()
    old.produce(topic, slices[2])
    job = job_of(old, topic, tmp_path, name="after_a_crash").start()
    wait_for(lambda: exact(3), 60, lambda: job.log()[-3000:])
    job.stop()
    assert job.process.returncode == 0, job.log()


def test_of_two_processes_each_says_that_nothing_keeps_the_other_away(old, tmp_path):
    """The newer one takes the job, and the mark is all that tells the older one."""
    topic = unique("two")
    old.create_topic(topic, PARTITIONS)
    first, second = job_of(old, topic, tmp_path, "first").start(), job_of(old, topic, tmp_path, "second")
    wait_for(lambda: first.get("/readyz")[0] == 200, 60, lambda: first.log()[-3000:])
    second.start()
    wait_for(lambda: second.get("/readyz")[0] == 200, 60, lambda: second.log()[-3000:])
    for job in first, second:
        assert SAID in job.log() and job.status()["owner"]["fenced"] is False, json.dumps(job.status()["owner"])
    for job in second, first:
        job.stop()


def test_the_same_broker_fences_where_it_may(old, tmp_path):
    topic = unique("fenced")
    old.create_topic(topic, PARTITIONS)
    source = kafka_source(old, topic)
    job = StreamJob(tmp_path, manifest(topic, source, [{"file": {"path": str(tmp_path / "rows.jsonl")}}])).start()
    wait_for(lambda: job.get("/readyz")[0] == 200, 60, lambda: job.log()[-3000:])
    assert job.status()["owner"]["fenced"] is True and SAID not in job.log()
    job.stop()


def test_a_sink_that_needs_transactions_says_so(old, tmp_path):
    topic, out = unique("sink"), unique("out")
    old.create_topic(topic, PARTITIONS)
    old.create_topic(out, 1)
    old.produce(topic, make_events(100)[0])
    sink = {"kafka": {"bootstrapServers": old.old_address, "topic": out, "onRejected": "fail"}}
    job = StreamJob(tmp_path, manifest(topic, kafka_source(old, topic), [sink], size="300ms"))
    assert job.run(60) == 1, job.log()
    assert "the brokers need transactions: Kafka 0.11 or later" in job.log()


# What the job's user may not do, and what its page says of it: which thing, and which right on it.
WITHOUT = {
    "transactional id": "(transactional id streamjob.source.GROUP): ... the job's user needs Write and Describe on this transactional id",
    "group": "group GROUP: ... the job's user needs Read on this group",
    "topic": "topic TOPIC ... the job's user needs Read and Describe on this topic",
    "topic, but for its description": "TOPIC[0](Broker: Topic authorization failed) ... the job's user needs Read and Describe on this topic",
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_a_right_that_is_missing_is_named_and_waited_for(old, tmp_path, missing):
    """By the authorizer of the broker; once it is granted, the job goes on in the same process."""
    topic = unique("acl")
    group = f"streamjob.default.{topic}"
    old.create_topic(topic, PARTITIONS)
    records, passing = make_events(400)
    old.produce(topic, records)
    rights = {"transactional id": (f"streamjob.source.{group}", "Write"), "group": (group, "Read"), "topic": (topic, "Read")}
    kind = missing.split(",")[0]
    for other in rights.keys() - {kind}:
        grant(old, old.user, other, *rights[other])
    if kind != missing:
        grant(old, old.user, "topic", topic, "Describe")
    secrets = tmp_path / "secrets"
    for name, keys in {"credentials": {"username": old.user, "password": old.password}, "ca": {"ca.crt": old.certificates.ca.read_text()}}.items():
        (secrets / name).mkdir(parents=True)
        for key, text in keys.items():
            (secrets / name / key).write_text(text)
    source = kafka_source(old, topic, security={
        "protocol": "SASL_SSL", "mechanism": "PLAIN", "credentialsSecretRef": {"name": "credentials"}, "caSecretRef": {"name": "ca"}})
    source["kafka"]["bootstrapServers"] = old.sasl_ssl_address
    spec = manifest(topic, source, [{"file": {"path": str(tmp_path / "rows.jsonl")}}], size="300ms")
    job = StreamJob(tmp_path, spec, args=["--secrets", str(secrets)]).start()
    words = WITHOUT[missing].replace("GROUP", group).replace("TOPIC", topic).split(" ... ")

    def said():
        code, text = job.get("/readyz")
        return code == 503 and all(word in text for word in words)

    wait_for(said, 60, lambda: job.get("/readyz")[1] + job.log()[-3000:])
    assert job.process.poll() is None and SAID not in job.log(), "a right that is missing is no old broker"
    grant(old, old.user, kind, *rights[kind])
    wait_for(lambda: sum_rows(file_rows(tmp_path / "rows.jsonl")) == expected_sums(passing), 60, lambda: job.log()[-3000:])
    assert job.status()["owner"]["fenced"] is True
    job.stop()
    assert job.process.returncode == 0, job.log()
