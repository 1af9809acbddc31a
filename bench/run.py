#!/usr/bin/env python3
"""The ruler: what a row costs, as a ratio to a bare loop that only consumes the topic with librdkafka.

    bench/run.py [--rows N] [--runs N] [--only NAME]

A topic is preloaded on a real Kafka (CPU 0), the job's output is checked against an independent calculation, and only then
the job and the bare loop run in turn (ABBA) on CPU 1. Printed: rows a CPU second of the whole process, its ratio to the bare
loop's, nanoseconds a row in each stage, and the largest resident memory. Medians; the machine's noise is in min and max.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from servers import Kafka  # noqa: E402

BUILD = ROOT / "build" / "release"
PARTITIONS = 4


class Ysb:
    """250 bytes, 7 fields of which 3 are read; a filter; COUNT by 1,000 ads."""

    name = "ysb"
    columns = [
        {"name": "ad_id", "type": "STRING"},
        {"name": "event_type", "type": "STRING"},
        {"name": "event_time", "type": "BIGINT"},
    ]
    filter = "event_type = 'view'"
    keys = ["ad_id"]
    aggregates = [{"name": "n", "expr": "COUNT(*)"}, {"name": "last", "expr": "MAX(event_time)"}]

    def __init__(self, rng):
        self.rng = rng
        self.ads = [f"{rng.getrandbits(128):032x}" for _ in range(1000)]

    def row(self, i):
        ad, event = self.rng.choice(self.ads), self.rng.choice(("view", "click", "purchase"))
        text = (
            f'{{"user_id":"{self.rng.getrandbits(128):032x}","page_id":"{self.rng.getrandbits(128):032x}","ad_id":"{ad}",'
            f'"ad_type":"banner","event_type":"{event}","event_time":{1_700_000_000_000 + i},"ip_address":"10.1.2.{i % 256}"}}'
        )
        return text, (ad, {"n": 1, "last": 1_700_000_000_000 + i}) if event == "view" else None

    def combine(self, groups, key, values):
        group = groups.setdefault(key, {"n": 0, "last": 0})
        group["n"] += values["n"]
        group["last"] = max(group["last"], values["last"])


class Bucket:
    """The bucket job: 150 bytes; AVG by endpoint and bucket, 160 groups."""

    name = "bucket"
    columns = [
        {"name": "endpoint", "type": "STRING"},
        {"name": "bucket", "type": "STRING"},
        {"name": "event", "type": "STRING"},
        {"name": "latency_ms", "type": "DOUBLE", "path": "$.metrics.latency_ms"},
    ]
    filter = "event IN ('impression', 'click')"
    keys = ["endpoint", "bucket"]
    aggregates = [{"name": "n", "expr": "COUNT(*)"}, {"name": "total_ms", "expr": "SUM(latency_ms)"},
                  {"name": "average_ms", "expr": "AVG(latency_ms)"}]

    def __init__(self, rng):
        self.rng = rng

    def row(self, i):
        rng = self.rng
        endpoint, bucket = f"endpoint-{rng.randrange(40)}", rng.choice(("control", "a", "b", "c"))
        event, latency = rng.choice(("impression", "impression", "click", "scroll")), rng.randint(1, 16000) / 8
        text = (
            f'{{"ts":{1_700_000_000_000 + i},"endpoint":"{endpoint}","bucket":"{bucket}","event":"{event}",'
            f'"user":"u{i % 9973}","metrics":{{"latency_ms":{latency!r}}}}}'
        )
        return text, ((endpoint, bucket), {"n": 1, "total_ms": latency}) if event != "scroll" else None

    def combine(self, groups, key, values):
        group = groups.setdefault(key, {"n": 0, "total_ms": 0.0, "average_ms": 0.0})
        group["n"] += values["n"]
        group["total_ms"] += values["total_ms"]
        group["average_ms"] = group["total_ms"] / group["n"]


def preload(kafka, work, rows, folder):
    """The topic and a file of its events; the groups that the output must have."""
    kafka.create_topic(work.name, PARTITIONS)
    groups, records = {}, collections.defaultdict(list)
    with open(folder / f"{work.name}.jsonl", "w") as file:
        for i in range(rows):
            text, passing = work.row(i)
            records[i % PARTITIONS].append(text.encode())
            if passing:
                work.combine(groups, *passing)
            if i < 200_000:  # the stages run on these
                file.write(text + "\n")
    kafka.produce(work.name, records)
    return groups


def manifest(kafka, work, out):
    return {
        "apiVersion": "streamjob.dev/v1alpha1",
        "kind": "StreamJob",
        "metadata": {"name": f"bench-{work.name}"},
        "spec": {
            "source": {"kafka": {"bootstrapServers": kafka.address, "topic": work.name, "startingOffsets": "earliest"}},
            "columns": work.columns,
            "filter": work.filter,
            "window": {"tumbling": {"size": "24h"}},
            "groupBy": work.keys,
            "aggregates": work.aggregates,
            "sinks": [{"file": {"path": str(out)}}],
        },
    }


def high_water(pid):
    """Largest resident bytes so far. (ru_maxrss is of no use: it begins with what this interpreter had at the fork.)"""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def measure(command):
    """CPU seconds of one run on CPU 1, all threads, and its largest resident bytes, looked at every 20 ms."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(["taskset", "-c", "1", *map(str, command)], stdout=log, stderr=log)
        resident = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            resident = max(resident, high_water(process.pid))
            time.sleep(0.02)
        process.returncode = status
        if status:
            log.seek(0)
            sys.exit(f"{command} failed:\n{log.read().decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, resident


def check(out, work, groups):
    seen = collections.defaultdict(dict)
    for line in out.read_text().splitlines():
        row = json.loads(line)
        key = row[work.keys[0]] if len(work.keys) == 1 else tuple(row[k] for k in work.keys)
        if key in seen:
            sys.exit(f"{work.name}: group {key} twice")
        seen[key] = {a["name"]: row[a["name"]] for a in work.aggregates}
    wrong = [k for k in groups.keys() | seen.keys() if seen.get(k) != groups.get(k)]
    if wrong:
        sys.exit(f"{work.name}: {len(wrong)} groups are wrong, {wrong[0]}: {seen.get(wrong[0])}, not {groups.get(wrong[0])}")


def spread(values, form="{:.2f}"):
    return "  ".join(form.format(v) for v in (statistics.median(values), min(values), max(values)))


def bench(kafka, work, rows, runs, folder):
    groups = preload(kafka, work, rows, folder)
    job_file, out = folder / f"{work.name}.yaml", folder / f"{work.name}.out.jsonl"
    bare = [BUILD / "bench/consume", kafka.address, work.name, PARTITIONS, rows]

    def job(number):
        out.unlink(missing_ok=True)
        spec = manifest(kafka, work, out)
        spec["spec"]["source"]["kafka"]["groupId"] = f"bench-{work.name}-{number}"
        job_file.write_text(json.dumps(spec))
        result = measure([BUILD / "streamjob", "run", job_file, "--lanes", "1", "--until-idle", "1s"])
        check(out, work, groups)
        return result

    job("warm"), measure(bare)
    ours, theirs = [], []
    for run in range(runs):
        pair = [lambda: ours.append(job(run)), lambda: theirs.append(measure(bare))]
        for one in pair if run % 2 == 0 else reversed(pair):
            one()
    stages = json.loads(subprocess.check_output(["taskset", "-c", "1", BUILD / "bench/stages", job_file, folder / f"{work.name}.jsonl"]))
    print(f"\n{work.name}: {work.__doc__} {rows:,} rows, {len(groups)} groups, {runs} runs      median  min  max")
    print("  rows a CPU second, million   ", spread([rows / cpu / 1e6 for cpu, _ in ours]))
    print("  the bare loop's              ", spread([rows / cpu / 1e6 for cpu, _ in theirs]))
    print("  CPU a row against the bare   ", spread([a / b for (a, _), (b, _) in zip(ours, theirs)]))
    print("  resident MiB                 ", spread([rss / 2**20 for _, rss in ours], "{:.0f}"))
    print("  the bare loop's              ", spread([rss / 2**20 for _, rss in theirs], "{:.0f}"))
    print("  ns a row entering the stage   " + "  ".join(f"{k} {v:.0f}" for k, v in stages.items() if k != "groups"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=["ysb", "bucket"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="streamjob-bench.") as name:
        with Kafka(name) as kafka:
            os.sched_setaffinity(kafka.process.pid, {0})
            for thread in os.listdir(f"/proc/{kafka.process.pid}/task"):
                os.sched_setaffinity(int(thread), {0})
            for work in (Ysb, Bucket):
                if options.only in (None, work.name):
                    bench(kafka, work(random.Random(7)), options.rows, options.runs, pathlib.Path(name))


main()
