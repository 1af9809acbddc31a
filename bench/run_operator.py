#!/usr/bin/python3
"""Reconciles suspended StreamJobs with streamjob-operator and with a minimal operator on Go's controller-runtime that does the
same writes (bench/operator-go), each in a fresh cluster, and prints them side by side: time, API requests a job, memory, CPU.

    bench/run_operator.py [--jobs 1000] [--runs 1]

Every job's children, status and Event are looked at before a figure counts. Requests are counted by the API server's audit
log, by user agent; memory is the process's own. With several runs the two take turns, and medians are printed.
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
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "integration")]

import bucket  # noqa: E402
from cluster import LAB, Cluster, wait_for  # noqa: E402
from servers import CACHE, free_port  # noqa: E402

READS, WRITES = ("get", "list", "watch"), ("create", "update", "patch", "delete")
TIMEOUT = 900
EMPTY, SETTLE, RESTART = 10, 15, 25  # seconds until memory is looked at: without jobs, after the last job, after a restart

SOURCES = [
    {"datagen": {"rowsPerSecond": 1, "columns": {
        "endpoint": {"choice": {"values": ["home"]}}, "bucket": {"choice": {"values": ["a"]}},
        "event": {"choice": {"values": ["click"]}}, "latency_ms": {"lognormal": {"mean": 1, "stddev": 1}}, "ts": {"now": {}}}}},
    {"kafka": {"bootstrapServers": "kafka.messaging:9092", "topic": "reco-events"}},
]
AGGREGATES = bucket.AGGREGATES + [
    {"name": "avg_ms", "expr": "AVG(latency_ms)"}, {"name": "max_ms", "expr": "MAX(latency_ms)"},
    {"name": "min_ms", "expr": "MIN(latency_ms)"}, {"name": "p50_ms", "expr": "PERCENTILE(latency_ms, 0.5)"},
    {"name": "slow", "expr": "COUNT(*) FILTER (WHERE latency_ms > 250)"},
]


def manifest(i):
    """Jobs of many teams, no two alike: other sources, filters, aggregates, windows, metrics."""
    rng = random.Random(i)
    team, source = f"team-{rng.randrange(40)}", json.loads(json.dumps(rng.choice(SOURCES)))
    if "kafka" in source:
        source["kafka"]["topic"] = f"{team}-events-{rng.randrange(5)}"
    aggregates = rng.sample(AGGREGATES, rng.randint(2, 6))
    metrics = [{"name": f"{team}_{one['name']}".replace("-", "_"), "type": "gauge", "value": one["name"],
                "help": f"{one['name']} by bucket, of {team}", "labels": ["endpoint", "bucket"]} for one in aggregates]
    gateway = {"url": f"http://pushgateway.{team}:9091", "job": f"feed-{i}", "groupingKey": {"team": team}, "metrics": metrics}
    job = bucket.manifest(f"job-{i}", source, [{"pushgateway": gateway}], suspend=True)
    job["metadata"].update({"namespace": "bench", "labels": {"team": team}, "annotations": {
        "bench/owner": f"{team}@example.org", "bench/ticket": f"{rng.randrange(1 << 40):x}"}})
    job["spec"].update({
        "aggregates": aggregates, "filter": f"event = 'click' AND latency_ms < {rng.randrange(100, 9000)}",
        "window": {"tumbling": {"size": f"{rng.choice([1, 5, 10, 30, 60])}s"}}})
    return job


def yardstick():
    program = CACHE / "bench" / "operator-go"
    subprocess.run([LAB / "go", "build", "-C", ROOT / "bench/operator-go", "-trimpath", "-o", program, "."], check=True)
    return program


def memory_mb(process, field):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1000
    raise RuntimeError(f"no {field} of process {process.pid}")


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Operator:
    def __init__(self, command, cluster, log):
        self.command = [*command, f"127.0.0.1:{free_port()}"]
        self.env, self.log = {**os.environ, "KUBECONFIG": cluster.env["KUBECONFIG"]}, log

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, env=self.env, stdout=log, stderr=log)
        return self

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended: {self.log.read_text()[-2000:]}")

    def memory_mb(self, field):
        return memory_mb(self.process, field)

    def scrape(self):
        """As Prometheus does every few seconds. Returns how often a job was looked at."""
        with urllib.request.urlopen(f"http://{self.command[-1]}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("controller_runtime_reconcile_time_seconds_count"))

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(30)


def settled(cluster):
    """How many StreamJobs have a status for their generation."""
    items = json.loads(cluster.kubectl("get", "--raw", "/apis/streamjob.dev/v1alpha1/streamjobs", timeout=60).stdout)["items"]
    return sum(item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"] for item in items)


def check_work(cluster, jobs):
    """Every job has its five children, a status that says suspended, and an Event. Returns the bytes of JSON of it all."""
    kinds = ["ConfigMap", "Deployment", "NetworkPolicy", "Service", "ServiceAccount"]
    by_owner, size = collections.defaultdict(list), 0
    for child in cluster.items(",".join(f"{kind}s" if kind[-1] != "y" else "networkpolicies" for kind in kinds).lower(),
                               "bench", "app.kubernetes.io/instance"):
        by_owner[child["metadata"]["ownerReferences"][0]["uid"]].append(child)
        size += len(json.dumps(child, separators=(",", ":")))
    events = collections.Counter(event["regarding"]["uid"] for event in cluster.items("events.events.k8s.io", "bench")
                                 if event["reason"] == "Suspended")
    items = cluster.items("streamjobs", "bench")
    if len(items) != jobs:
        raise RuntimeError(f"{len(items)} StreamJobs instead of {jobs}")
    for job in items:
        name, uid, status = job["metadata"]["name"], job["metadata"]["uid"], job["status"]
        children = {child["kind"]: child for child in by_owner[uid]}
        ready = next(one for one in status["conditions"] if one["type"] == "Ready")
        right = {
            "children": sorted(child["kind"] for child in by_owner[uid]) == kinds,
            "status": (ready["status"], ready["reason"], len(status["conditions"])) == ("True", "Suspended", 7),
            "event": events[uid] == 1,
        }
        if right["children"]:
            file = children["ConfigMap"]
            right["job file"] = file["metadata"]["name"] == f"{name}-{status['specHash']}" and len(file["data"]["job.json"]) > 500
            right["replicas"] = children["Deployment"]["spec"]["replicas"] == 0
        if not all(right.values()):
            raise RuntimeError(f"{name}: wrong: {[key for key, good in right.items() if not good]}")
        size += len(json.dumps(job, separators=(",", ":")))
    return size


def requests(audit, agent):
    counts = collections.Counter()
    with open(audit) as lines:
        for line in lines:
            event = json.loads(line)
            if event["userAgent"].startswith(agent) and event.get("objectRef", {}).get("resource") != "leases":
                counts[event["verb"]] += 1
    return counts


def measure(name, command, agent, jobs, folder):
    os.environ["AUDIT"] = "1"
    log = folder / f"{name}.log"
    with Cluster(folder / name) as cluster:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}})
        cluster.kubectl("apply", "--server-side", "-k", ROOT / "crds")
        cluster.kubectl("wait", "--for=condition=Established", "crd/streamjobs.streamjob.dev", "--timeout=60s")
        with Operator(command, cluster, log) as operator:
            time.sleep(EMPTY)
            empty_mb = operator.memory_mb("VmRSS")
        for start in range(0, jobs, 200):
            cluster.apply(*(manifest(i) for i in range(start, min(jobs, start + 200))))
        audit = cluster.run / "log" / "audit.log"
        before = requests(audit, agent)
        begin = time.monotonic()
        with Operator(command, cluster, log) as operator:
            def done():
                operator.check()
                time.sleep(0.8)
                return settled(cluster) == jobs

            wait_for(done, TIMEOUT, lambda: f"{settled(cluster)} of {jobs} jobs")
            seconds = time.monotonic() - begin
            operator.scrape()
            time.sleep(SETTLE)
            looks = operator.scrape()
            counts = requests(audit, agent) - before
            rss_mb = operator.memory_mb("VmRSS")
            result = {
                "seconds": seconds, "CPU seconds": cpu_seconds(operator.process),
                "requests a job": sum(counts.values()) / jobs,
                "reads a job": sum(counts[verb] for verb in READS) / jobs,
                "writes a job": sum(counts[verb] for verb in WRITES) / jobs,
                "looks a job": looks / jobs,
                "RSS, MB": rss_mb, "RSS at most, MB": operator.memory_mb("VmHWM"),
                "RSS without jobs, MB": empty_mb, "kB a job": (rss_mb - empty_mb) * 1000 / jobs,
            }
        with Operator(command, cluster, log) as operator:
            time.sleep(RESTART - SETTLE)
            operator.check()
            operator.scrape()
            time.sleep(SETTLE)
            rss_mb = operator.memory_mb("VmRSS")
            result.update({
                "restarted: RSS, MB": rss_mb, "restarted: RSS at most, MB": operator.memory_mb("VmHWM"),
                "restarted: kB a job": (rss_mb - empty_mb) * 1000 / jobs, "restarted: CPU seconds": cpu_seconds(operator.process)})
        result["its objects as JSON, kB a job"] = check_work(cluster, jobs) / 1000 / jobs
        return result


def spread(values):
    middle = f"{statistics.median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}-{max(values):.2f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    ours = ROOT / "build" / "release" / "streamjob-operator"
    sides = {
        "streamjob-operator": ([ours, "run", "--leader-elect=false", "--runtime-image=streamjob/runtime:0.1.0", "--listen"],
                               "streamjob-operator"),
        "controller-runtime": ([yardstick(), "--listen"], "operator-go"),
    }
    results = {side: [] for side in sides}
    for run in range(options.runs):
        for side in sorted(sides, reverse=run % 2 == 0):
            command, agent = sides[side]
            with tempfile.TemporaryDirectory() as folder:
                results[side].append(measure(agent, command, agent, options.jobs, pathlib.Path(folder)))
    c, go = results["streamjob-operator"], results["controller-runtime"]
    print(f"\n{options.jobs} suspended StreamJobs, five children, a status and an Event each; from the operator's start; "
          f"{'one run' if options.runs == 1 else f'{options.runs} runs, medians (least-most)'}")
    print(f"{'':31}{'streamjob-operator':>26}{'controller-runtime':>26}{'ratio':>8}")
    for key in c[0]:
        ours, theirs = [run[key] for run in c], [run[key] for run in go]
        pairs = [b / a for a, b in zip(ours, theirs) if a]
        print(f"{key:31}{spread(ours):>26}{spread(theirs):>26}{f'{statistics.median(pairs):.1f}' if pairs else '-':>8}")


if __name__ == "__main__":
    main()
