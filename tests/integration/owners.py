"""A job over all three sinks that several processes run, and who of them has it."""

from bucket import (
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
    gateway_value,
    kafka_rows,
    kafka_source,
    manifest,
    passing_of,
    pushgateway_sink,
    sum_rows,
    unique,
)
from servers import StreamJob, wait_for

LEASE_MS, REQUEST_MS = 300, 1000
EXPIRE_S = 6 * LEASE_MS / 1000
TAKEN = "the job is this process's"


class Job:
    """A job over all three sinks, its processes, and the sums that each sink has."""

    def __init__(self, kafka, gateway, proxy, folder, request_ms=REQUEST_MS, source_at=None, sink_at=None, letters_at=None,
                 lease_ms=LEASE_MS):
        self.kafka, self.gateway, self.folder = kafka, gateway, folder
        self.name, self.topic, self.out = unique("owner"), unique("events"), unique("out")
        kafka.create_topic(self.topic, PARTITIONS)
        kafka.create_topic(self.out, 2)
        self.rows = folder / "rows.jsonl"
        sinks = [
            pushgateway_sink(proxy, self.name, timeout=f"{request_ms}ms", retryDeadline=f"{request_ms}ms"),
            {"kafka": {"bootstrapServers": sink_at or kafka.address, "topic": self.out}},
            {"file": {"path": str(self.rows)}},
        ]
        self.spec = manifest(
            self.name, kafka_source(kafka, self.topic, lease=f"{lease_ms}ms", bootstrapServers=source_at or kafka.address), sinks, size="300ms",
            deadLetter={"kafka": {"bootstrapServers": letters_at or kafka.address, "topic": self.out + ".bad"}},
            format={"json": {"onBadRow": "deadLetter"}}, terminationGracePeriod="5s",
        )
        kafka.create_topic(self.out + ".bad", 1)
        self.sent, self.bad = {p: [] for p in range(PARTITIONS)}, set()

    def process(self, name, args=()):
        return StreamJob(self.folder, self.spec, name=name, args=args)

    def send(self, records, bad=False):
        """`bad`: with one more record in partition 0, before the others, that becomes a dead letter."""
        letters = [b"no row at all, number %d" % len(self.bad)] * bad
        self.kafka.produce_each(self.topic, {p: (letters if p == 0 else []) + rows for p, rows in records.items()})
        self.bad.update(letters)
        for partition, rows in records.items():
            self.sent.setdefault(partition, []).extend(rows)

    def letters(self):
        return {value for _, value, _ in self.kafka.consume(self.out + ".bad")}

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
        wait_for(lambda: self.bad <= self.letters(), timeout, why)


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
