"""kill -9 at random moments, over Kafka, Pushgateway counters and a file; in every tenth a second process is started without the
first being stopped. Each row is counted once by each sink at the end.

    make chaos                 1,000 kills, a random seed, which is printed
    make chaos KILLS=30 SEED=7
"""

import argparse
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from bucket import (  # noqa: E402
    PARTITIONS,
    expected_sums,
    file_rows,
    gateway_sums,
    kafka_rows,
    kafka_source,
    make_events,
    manifest,
    pushgateway_sink,
    split,
    sum_rows,
    unique,
)
from servers import Kafka, Pushgateway, StreamJob, wait_for  # noqa: E402

ROWS_A_KILL = 40 * PARTITIONS
SECOND_EVERY = 10
LIFE_S_MAX = 2.0


def chaos(kafka, gateway, folder, kills, seed, say=lambda line: None):
    """Raises AssertionError with what differs and the last log."""
    rng = random.Random(seed)
    name, topic, out, path = unique("chaos"), unique("events"), unique("out"), folder / "rows.jsonl"
    kafka.create_topic(topic, PARTITIONS)
    kafka.create_topic(out, 2)
    sinks = [
        pushgateway_sink(gateway, name, timeout="300ms", retryDeadline="300ms"),
        {"kafka": {"bootstrapServers": kafka.address, "topic": out}},
        {"file": {"path": str(path)}},
    ]
    spec = manifest(name, kafka_source(kafka, topic, lease="200ms"), sinks, size="200ms")
    records, passing = make_events(ROWS_A_KILL * kills, seed=seed)
    alive = []
    for kill, rows in enumerate(split(records, kills)):
        if not alive or kill % SECOND_EVERY == SECOND_EVERY - 1:
            alive.append(StreamJob(folder, spec, name=f"run-{kill}"))
            alive[-1].launch()
        kafka.produce(topic, rows)
        time.sleep(rng.uniform(0.0, LIFE_S_MAX))
        dying = alive.pop(rng.randrange(len(alive)))
        assert dying.process.poll() is None, dying.log()[-4000:]
        dying.kill()
        StreamJob.started.remove(dying)
        if (kill + 1) % 50 == 0:
            say(f"{kill + 1} of {kills} kills")
    for job in alive:
        job.stop()
    last = StreamJob(folder, spec, args=["--until-idle", "2s"], name="last")
    assert last.run(120) == 0, last.log()[-4000:]
    truth = expected_sums(passing)
    for sink, sums in {
        "file": sum_rows(file_rows(path)), "pushgateway": gateway_sums(gateway, name), "kafka": sum_rows(kafka_rows(kafka, out))
    }.items():
        assert sums == truth, f"seed {seed}, {kills} kills: {sink} has {sums} instead of {truth}\n{last.log()[-4000:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=1000)
    parser.add_argument("seed", type=int, nargs="?", default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args()
    print(f"{options.kills} kills, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="streamjob-chaos.") as name:
        folder = pathlib.Path(name)
        with Kafka(folder) as kafka, Pushgateway(folder) as gateway:
            began = time.monotonic()
            chaos(kafka, gateway, folder, options.kills, options.seed, lambda line: print(line, flush=True))
            print(f"all sums exact, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
