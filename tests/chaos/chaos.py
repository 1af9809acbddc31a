"""kill -9 at random moments, over Kafka, Pushgateway counters and a file; in every tenth a second process is started without the
first being ended, in another tenth while the first stands still, which then goes on (SIGSTOP, SIGCONT). At quiet points on the way and at the end each sink has each row once, and each bad record is a dead letter.

    make chaos                 1,000 kills, a random seed, which is printed
    make chaos KILLS=30 SEED=7

Where a sum differs, the seed and the kill are named, and the folder with the logs of all processes stays.
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from bucket import (  # noqa: E402
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
    gateway_value,
    kafka_rows,
    kafka_source,
    make_events,
    manifest,
    pushgateway_sink,
    passing_of,
    split,
    sum_rows,
    unique,
)
from servers import Kafka, Pushgateway, StreamJob, wait_for  # noqa: E402

ROWS_A_KILL = 40 * PARTITIONS
PORTIONS = 3  # the rows of a kill come in so many parts, with pauses between
SECOND_EVERY = 10
SECOND, STOPPED = 9, 4  # which of them
LOOK_EVERY = 100
LIFE_S_MAX = 3.0
SHORT_LIFE_S_MAX = 0.15  # ends within the start
SHORT_LIVES = 0.15
QUIET_S_MAX = 60
LOGS_SHOWN = 3

COUNTED = {
    "take-overs": "the job is this process's",
    "stand-bys": "stands by: the job is run by",
    "starts with a pending window": "pending=1",
}


class Chaos:
    """A job over three sinks, what was sent, and its processes."""

    def __init__(self, kafka, gateway, folder, kills, seed, life_s_max):
        from confluent_kafka import Producer

        self.kafka, self.gateway, self.folder, self.kills, self.seed = kafka, gateway, folder, kills, seed
        self.rng, self.life_s_max = random.Random(seed), life_s_max
        self.name, self.topic, self.out = unique("chaos"), unique("events"), unique("out")
        self.rows = folder / "rows.jsonl"
        kafka.create_topic(self.topic, PARTITIONS)
        kafka.create_topic(self.out, 2)
        kafka.create_topic(self.out + ".bad", 1)
        sinks = [
            pushgateway_sink(gateway, self.name, timeout="300ms", retryDeadline="300ms"),
            {"kafka": {"bootstrapServers": kafka.address, "topic": self.out}},
            {"file": {"path": str(self.rows)}},
        ]
        letters = {"kafka": {"bootstrapServers": kafka.address, "topic": self.out + ".bad"}}
        self.spec = manifest(
            self.name, kafka_source(kafka, self.topic, lease="200ms"), sinks, size="200ms",
            deadLetter=letters, format={"json": {"onBadRow": "deadLetter"}},
        )
        self.producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True, "linger.ms": 5})
        self.passing, self.bad = [], set()
        self.alive, self.started, self.seconds, self.killed = [], [], 0, 0

    def launch(self, name, args=()):
        job = StreamJob(self.folder, self.spec, name=name, args=args)
        self.started.append(job)
        return job

    def begin(self, name):
        self.seconds += bool(self.alive)
        self.alive.append(self.launch(name))
        self.alive[-1].launch()

    def send(self, records):
        for partition, rows in records.items():
            for row in rows:
                self.producer.produce(self.topic, row, partition=partition)
        bad = b"bad %d" % len(self.bad)
        self.producer.produce(self.topic, bad, partition=len(self.bad) % PARTITIONS)
        self.bad.add(bad)
        assert self.producer.flush(60) == 0
        self.passing += passing_of(records)

    def kill(self, records):
        """One life: it begins, where none goes on, gets its rows, and ends at some moment; or another one begins beside it."""
        if not self.alive:
            self.begin(f"run-{self.killed}")
        kind = self.killed % SECOND_EVERY
        second_at = self.rng.randrange(PORTIONS) if kind in (SECOND, STOPPED) else None
        stopped = self.alive[-1] if kind == STOPPED else None
        short = second_at is None and self.rng.random() < SHORT_LIVES
        life = self.rng.uniform(0.0, SHORT_LIFE_S_MAX if short else self.life_s_max)
        for number, portion in enumerate(split(records, PORTIONS)):
            if number == second_at:
                if stopped:
                    stopped.pause()
                self.begin(f"run-{self.killed}-second")
            self.send(portion)
            time.sleep(life / PORTIONS)
        if stopped:
            stopped.resume()
            time.sleep(self.rng.uniform(0.0, SHORT_LIFE_S_MAX))
        dying = self.alive.pop(self.rng.randrange(len(self.alive)))
        assert dying.process.poll() is None, self.words(f"{dying.name} has ended by itself")
        dying.kill()
        StreamJob.started.remove(dying)
        self.killed += 1

    def sums(self):
        return {
            "file": sum_rows(file_rows(self.rows)),
            "pushgateway": gateway_sums(self.gateway, self.name),
            "kafka": sum_rows(kafka_rows(self.kafka, self.out)),
        }

    def words(self, what):
        logs = "".join(f"\n--- {job.name}\n{job.log()[-4000:]}" for job in self.started[-LOGS_SHOWN:])
        return f"seed {self.seed}, {self.killed} of {self.kills} kills: {what}; all logs in {self.folder}{logs}"

    def differences(self):
        """'' where each sink has each row that was sent once, and each bad record is a dead letter."""
        letters = {value for _, value, _ in self.kafka.consume(self.out + ".bad")}
        truth, found = expected_sums(self.passing), [f"no dead letter of {bad}" for bad in sorted(self.bad - letters)]
        for sink, sums in self.sums().items():
            for group in sorted(truth.keys() | sums.keys()):
                if sums.get(group) != truth.get(group):
                    found.append(f"{sink} {group}: {sums.get(group)} instead of {truth.get(group)}")
        return "\n".join(found)

    def look(self):
        """Nothing more comes; one process goes on."""
        if not self.alive:
            self.begin(f"look-{self.killed}")
        end = time.monotonic() + QUIET_S_MAX
        while self.differences():
            assert time.monotonic() < end, self.words(self.differences())
            time.sleep(0.5)

    def end(self):
        for job in self.alive:
            job.stop()
        last = self.launch("last", ["--until-idle", "2s"])
        assert last.run(120) == 0, self.words("the last one failed")
        found = self.differences()
        assert not found, self.words(found)

    def counts(self):
        text = "".join(job.log() for job in self.started)
        counted = [f"{text.count(words)} {what}" for what, words in COUNTED.items()]
        windows = gateway_value(self.gateway, self.name, "streamjob_window_sequence") or 0
        return ", ".join([f"{windows:.0f} windows", f"{len(self.passing)} rows", f"{self.seconds} second processes", *counted])


def chaos(kafka, gateway, folder, kills, seed, life_s_max=LIFE_S_MAX, say=lambda line: None):
    """Raises AssertionError with what differs and the last logs. What came of it in words."""
    run = Chaos(kafka, gateway, folder, kills, seed, life_s_max)
    for records in split(make_events(ROWS_A_KILL * kills, seed=seed)[0], kills):
        run.kill(records)
        if run.killed % LOOK_EVERY == 0:
            run.look()
            say(f"{run.killed} of {kills} kills: {run.counts()}")
    run.end()
    return run.counts()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=1000)
    parser.add_argument("seed", type=int, nargs="?", default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="streamjob-chaos."))
    print(f"{time.strftime('%F %T')} {options.kills} kills, seed {options.seed}, folder {folder}", flush=True)
    try:
        with Kafka(folder) as kafka, Pushgateway(folder) as gateway:
            began = time.monotonic()
            counts = chaos(kafka, gateway, folder, options.kills, options.seed, say=lambda line: print(line, flush=True))
            print(f"{time.strftime('%F %T')} all sums exact, {time.monotonic() - began:.0f} s: {counts}")
    finally:
        for job in StreamJob.started:
            job.kill()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
