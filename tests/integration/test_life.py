"""A place in a group is one job's, and a life's: whatever else stands there is not touched, and what was lost is said."""

import json
import time

import pytest

from bucket import (
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
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
from servers import BINARY, Kafka, StreamJob, wait_for
from servers.kafka_requests import delete_group, group_offsets, set_group_offsets

RECORDS = make_events(4000, seed=41)[0]


def start_over(kafka, tmp_path, name, topic, group, file="rows", args=(), **source):
    """A job of that name over a file sink, which has not been started."""
    spec = manifest(name, kafka_source(kafka, topic, lease="300ms", groupId=group, **source), [{"file": {"path": str(tmp_path / file)}}], size="300ms")
    return StreamJob(tmp_path, spec, args=args, name=f"{name}-{time.monotonic_ns()}")


@pytest.fixture
def ran(kafka, tmp_path):
    """(topic, group, job): a job that has read all there is, and was stopped."""
    topic, group, name = unique("life"), unique("group"), unique("first")
    kafka.create_topic(topic, PARTITIONS)
    kafka.produce(topic, RECORDS)
    job = start_over(kafka, tmp_path, name, topic, group, args=["--until-idle", "2s"])
    assert job.run(60) == 0, job.log()
    job.name_of_job = name
    return topic, group, job


class Forgetting:
    """A broker that forgets a group a minute after its last job, two jobs that have read all there is, and one of them stopped."""

    def __init__(self, folder):
        self.folder, self.topic = folder, unique("life")
        self.groups = {name: unique("group") for name in ("idle", "stopped")}
        self.broker = Kafka(folder)
        with self.broker.settings.open("a") as settings:
            settings.write("offsets.retention.minutes=1\noffsets.retention.check.interval.ms=500\n")
        self.idle, self.stopped = self.job("idle"), self.job("stopped")

    def job(self, name):
        return start_over(self.broker, self.folder, name, self.topic, self.groups[name], file=name)

    def begin(self):
        self.broker.create_topic(self.topic, PARTITIONS)
        self.broker.produce(self.topic, RECORDS)
        for job in (self.idle, self.stopped):
            StreamJob.started.remove(job)  # which are ended with the test that runs
            job.start()
        truth = expected_sums(passing_of(RECORDS))
        wait_for(lambda: all(sum_rows(file_rows(self.folder / name)) == truth for name in self.groups), 60, "both jobs read all there is")
        self.stopped.stop()

    def forgotten(self, name):
        return all(offset < 0 for offset, _ in group_offsets(self.broker, self.groups[name], self.topic, PARTITIONS).values())


FORGETS = "test_a_group_that_the_broker_forgets"


@pytest.fixture(scope="module", autouse=True)
def forgetting(request, tmp_path_factory):
    """Begins with the first test of the module, whose others run while it forgets."""
    if "san-" in str(BINARY) or all(item.name != FORGETS for item in request.session.items):
        yield None
        return
    one = Forgetting(tmp_path_factory.mktemp("forgetting"))
    with one.broker:
        try:
            one.begin()
            yield one
        finally:
            for job in (one.idle, one.stopped):
                job.kill()


def refused(kafka, job, topic, group, *words):
    before = group_offsets(kafka, group, topic, PARTITIONS)
    assert job.run(60) == 1, job.log()
    assert all(word in job.log() for word in words), job.log()
    assert group_offsets(kafka, group, topic, PARTITIONS) == before


def test_a_run_of_another_name_touches_nothing_of_a_live_job(kafka, tmp_path):
    topic, group = unique("life"), unique("group")
    kafka.create_topic(topic, PARTITIONS)
    halves = split(RECORDS, 2)
    owner, laptop = (start_over(kafka, tmp_path, name, topic, group, file=name) for name in ("owner", "laptop"))
    owner.start()
    kafka.produce(topic, halves[0])
    wait_for(lambda: sum_rows(file_rows(tmp_path / "owner")) == expected_sums(passing_of(halves[0])), 30, lambda: owner.log())
    assert laptop.run(60) == 1
    words = (f"group {group} belongs to the job /default/owner, and this is /default/laptop", "another source.kafka.groupId", "--take-over /default/owner")
    assert all(word in laptop.log() for word in words), laptop.log()
    kafka.produce(topic, halves[1])
    wait_for(lambda: sum_rows(file_rows(tmp_path / "owner")) == expected_sums(passing_of(RECORDS)), 30, lambda: owner.log())
    assert owner.log().count("the job is this process's") == 1 and not (tmp_path / "laptop").exists()
    wrong = start_over(kafka, tmp_path, "laptop", topic, group, file="laptop", args=["--take-over", "/default/another"])
    assert wrong.run(60) == 1 and "belongs to the job /default/owner" in wrong.log()
    taking = start_over(kafka, tmp_path, "laptop", topic, group, file="laptop", args=["--take-over", "/default/owner"])
    taking.start()
    assert owner.wait(60) == 1, owner.log()
    assert "belongs to the job /default/laptop, and this is /default/owner" in owner.log()


def test_a_group_that_is_deleted_under_a_running_job_comes_back(kafka, tmp_path):
    topic, group = unique("life"), unique("group")
    kafka.create_topic(topic, PARTITIONS)
    halves = split(RECORDS, 2)
    job = start_over(kafka, tmp_path, unique("first"), topic, group)
    job.start()
    kafka.produce(topic, halves[0])
    ends = {p: len(rows) for p, rows in halves[0].items()}

    def committed():
        return {p: offset for p, (offset, _) in group_offsets(kafka, group, topic, PARTITIONS).items()}

    wait_for(lambda: committed() == ends, 30, lambda: job.log())
    delete_group(kafka, group)
    wait_for(lambda: committed() == ends, 30, lambda: job.log())
    job.kill()
    kafka.produce(topic, halves[1])
    job.start()
    wait_for(lambda: sum_rows(file_rows(tmp_path / "rows")) == expected_sums(passing_of(RECORDS)), 30, lambda: job.log())


FOREIGN = {
    "a tool's": "checkpoint 17",
    "of a newer version": json.dumps({"streamjob": 2, "boundary": 7}),
    "of no version": json.dumps({"sequence": 1, "pending": True}),
    "cut off": '{"streamjob":1,"sequence":3,"pend',
    "without its mark's parts": json.dumps({"streamjob": 1, "sequence": 3, "pending": False, "to": 5, "life": "a"}),
}


@pytest.mark.parametrize("partition", [0, 2])
@pytest.mark.parametrize("kind", FOREIGN)
def test_metadata_that_is_not_known_fails_the_start_and_stays(kafka, tmp_path, ran, kind, partition):
    topic, group, job = ran
    set_group_offsets(kafka, group, topic, {partition: (5, FOREIGN[kind])})
    again = start_over(kafka, tmp_path, job.name_of_job, topic, group)
    refused(kafka, again, topic, group, f"group {group}, topic {topic}, partition {partition}", "newer" if "newer" in kind else "metadata")


def test_offsets_set_by_hand_are_where_a_new_life_begins(kafka, tmp_path, ran):
    topic, group, job = ran
    set_group_offsets(kafka, group, topic, {p: (len(RECORDS[p]) - 100, "") for p in range(PARTITIONS)})
    again = start_over(kafka, tmp_path, job.name_of_job, topic, group, file="again", args=["--until-idle", "2s"])
    assert again.run(60) == 0, again.log()
    assert "offsets were set by hand" in again.log() and "new life" in again.log()
    assert sum_rows(file_rows(tmp_path / "again")) == expected_sums(passing_of({p: rows[-100:] for p, rows in RECORDS.items()}))
    lives = [line.split("life=")[1].split()[0] for log in (job.log(), again.log()) for line in log.splitlines() if "life=" in line]
    assert len(lives) == 2 and lives[0] != lives[1]


def remade_topic(kafka, topic, group):
    kafka.delete_topic(topic)

    def made():
        try:
            kafka.create_topic(topic, PARTITIONS)
            return True
        except Exception as error:
            assert "EXISTS" in str(error)
            return False

    wait_for(made, 60, "the topic made anew")
    kafka.produce(topic, RECORDS)


def deleted_group(kafka, topic, group):
    delete_group(kafka, group)


@pytest.mark.parametrize("loses", [remade_topic, deleted_group])
def test_a_life_that_the_operator_knows_and_the_group_does_not_is_a_loss(kafka, tmp_path, ran, loses):
    """A job that was suspended; what it writes to keeps nothing."""
    topic, group, job = ran
    life = next(line.split("life=")[1].split()[0] for line in job.log().splitlines() if "life=" in line)
    known = tmp_path / "known.json"
    known.write_text(json.dumps({"life": life, "sequence": 3}))
    loses(kafka, topic, group)
    args = ["--until-idle", "2s", "--known", str(known)]
    again = start_over(kafka, tmp_path, job.name_of_job, topic, group, file="again", args=args)
    refused(kafka, again, topic, group, f"group {group} has no offsets for topic {topic}", "window 3 of the life " + life, "onOffsetLoss: earliest", "another groupId")
    again = start_over(kafka, tmp_path, job.name_of_job, topic, group, file="again", args=args, onOffsetLoss="earliest", startingOffsets="latest")
    assert again.run(60) == 0, again.log()
    assert sum_rows(file_rows(tmp_path / "again")) == expected_sums(passing_of(RECORDS))


@pytest.mark.parametrize("sink", ["pushgateway", "kafka", "file"])
@pytest.mark.parametrize("loses", [remade_topic, deleted_group])
def test_a_sink_that_knows_an_earlier_life_makes_lost_offsets_a_loss(kafka, gateway, tmp_path, loses, sink):
    """Words by default; with onOffsetLoss: earliest all is counted once more, though the sink holds "window 1" of that life."""
    name, topic, group = unique("life"), unique("life"), unique("group")
    kafka.create_topic(topic, PARTITIONS)
    kafka.produce(topic, RECORDS)
    run = lifetime(kafka, gateway, tmp_path, name, sink)
    assert run(topic, group) == expected_sums(passing_of(RECORDS))
    loses(kafka, topic, group)
    refused(kafka, run.job(topic, group), topic, group, f"group {group} has no offsets for topic {topic}", "has run before", "onOffsetLoss")
    assert run(topic, group, onOffsetLoss="earliest") == twice(passing_of(RECORDS))


@pytest.mark.parametrize("sink", ["pushgateway", "kafka", "file"])
def test_another_topic_or_group_is_a_new_life_that_no_sink_takes_for_the_old(kafka, gateway, tmp_path, sink):
    name, topics, groups = unique("life"), (unique("life"), unique("life")), (unique("group"), unique("group"))
    for topic in topics:
        kafka.create_topic(topic, PARTITIONS)
        kafka.produce(topic, RECORDS)
    run = lifetime(kafka, gateway, tmp_path, name, sink)
    passing = passing_of(RECORDS)
    assert run(topics[0], groups[0]) == expected_sums(passing)
    assert run(topics[0], groups[1]) == twice(passing)
    assert run(topics[1], groups[0]) == expected_sums(3 * passing)


def twice(passing):
    return expected_sums(2 * passing)


def lifetime(kafka, gateway, tmp_path, name, sink):
    """Runs the job to the end of what there is, in one window, and gives the sink's sums."""
    out = name + ".out"
    if sink == "kafka":
        kafka.create_topic(out, 1)
    sinks = {
        "pushgateway": (lambda: pushgateway_sink(gateway, name), lambda: gateway_sums(gateway, name)),
        "kafka": (lambda: {"kafka": {"bootstrapServers": kafka.address, "topic": out}}, lambda: sum_rows(kafka_rows(kafka, out))),
        "file": (lambda: {"file": {"path": str(tmp_path / "rows")}}, lambda: sum_rows(file_rows(tmp_path / "rows"))),
    }
    made, sums = sinks[sink]

    def job(topic, group, **source):
        spec = manifest(name, kafka_source(kafka, topic, lease="300ms", groupId=group, **source), [made()], size="1h")
        return StreamJob(tmp_path, spec, args=["--until-idle", "2s"], name=f"{name}-{time.monotonic_ns()}")

    def run(topic, group, **source):
        once = job(topic, group, **source)
        assert once.run(60) == 0, once.log()
        return sums()

    run.job = job
    return run


@pytest.mark.skipif("san-" in str(BINARY), reason="the broker takes a minute to forget; nothing of it is a sanitizer's")
def test_a_group_that_the_broker_forgets(forgetting):
    """It keeps that of a job that runs, though nothing comes; a job that was stopped for longer says what was lost."""
    one = forgetting
    wait_for(lambda: time.sleep(0.5) or one.forgotten("stopped"), 120, "the broker to forget the group")
    assert not one.forgotten("idle")
    refused(one.broker, one.job("stopped"), one.topic, one.groups["stopped"], "has no offsets for topic", "offsets.retention.minutes", "onOffsetLoss")
    one.idle.stop()
    assert one.idle.process.returncode == 0, one.idle.log()
