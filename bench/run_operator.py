#!/usr/bin/python3
"""Reconciles suspended StreamJobs with streamjob-operator and with a minimal operator on Go's controller-runtime that does the
same writes, each in a fresh cluster, and prints them side by side: time, API requests a job, memory, CPU.

    bench/run_operator.py [--jobs 1000]

Requests are counted by the API server's audit log, by user agent; memory is the process's own resident set.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "integration")]

import bucket  # noqa: E402
from cluster import LAB, Cluster, wait_for  # noqa: E402
from servers import CACHE, free_port  # noqa: E402

READS, WRITES = ("get", "list", "watch"), ("create", "update", "patch", "delete")
TIMEOUT = 900


def manifest(i):
    source = {"datagen": {"rowsPerSecond": 1, "columns": {
        "endpoint": {"choice": {"values": ["home"]}}, "bucket": {"choice": {"values": ["a"]}},
        "event": {"choice": {"values": ["click"]}}, "latency_ms": {"lognormal": {"mean": 1, "stddev": 1}}, "ts": {"now": {}}}}}
    job = bucket.manifest(f"job-{i}", source, [{"stdout": {"format": "json"}}], suspend=True)
    job["metadata"]["namespace"] = "bench"
    return job


def yardstick():
    program = CACHE / "bench" / "operator-go"
    subprocess.run([LAB / "go", "build", "-C", ROOT / "bench/operator-go", "-trimpath", "-o", program, "."], check=True)
    return program


def memory_kb(process, field):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
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
        return self.process

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(30)


def settled(cluster):
    """How many StreamJobs have a status for their generation."""
    items = json.loads(cluster.kubectl("get", "--raw", "/apis/streamjob.dev/v1alpha1/streamjobs", timeout=60).stdout)["items"]
    return sum(item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"] for item in items)


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
    with Cluster(folder / name) as cluster:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}})
        cluster.kubectl("apply", "--server-side", "-k", ROOT / "crds")
        cluster.kubectl("wait", "--for=condition=Established", "crd/streamjobs.streamjob.dev", "--timeout=60s")
        with Operator(command, cluster, folder / f"{name}.log") as process:
            time.sleep(8)
            empty_kb = memory_kb(process, "VmRSS")
        for start in range(0, jobs, 200):
            cluster.apply(*(manifest(i) for i in range(start, min(jobs, start + 200))))
        audit = cluster.run / "log" / "audit.log"
        before = requests(audit, agent)
        begin = time.monotonic()
        with Operator(command, cluster, folder / f"{name}.log") as process:
            def done():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended: {(folder / f'{name}.log').read_text()[-2000:]}")
                time.sleep(0.8)
                return settled(cluster) == jobs

            wait_for(done, TIMEOUT, lambda: f"{settled(cluster)} of {jobs} jobs")
            seconds = time.monotonic() - begin
            time.sleep(5)
            counts = requests(audit, agent) - before
            result = {
                "seconds": seconds, "CPU seconds": cpu_seconds(process),
                "requests a job": sum(counts.values()) / jobs,
                "reads a job": sum(counts[verb] for verb in READS) / jobs,
                "writes a job": sum(counts[verb] for verb in WRITES) / jobs,
                "RSS, MB": memory_kb(process, "VmRSS") / 1000, "RSS at most, MB": memory_kb(process, "VmHWM") / 1000,
                "RSS without jobs, MB": empty_kb / 1000,
                "kB a job": max(0, memory_kb(process, "VmRSS") - empty_kb) / jobs,
            }
        children = len(cluster.items("configmaps,services,deployments,serviceaccounts,networkpolicies", "bench",
                                     "app.kubernetes.io/instance"))
        if children != 5 * jobs:
            raise RuntimeError(f"{name}: {children} children instead of {5 * jobs}")
        return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1000)
    jobs = parser.parse_args().jobs
    ours = ROOT / "build" / "release" / "streamjob-operator"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        c = measure("c", [ours, "run", "--leader-elect=false", "--runtime-image=streamjob/runtime:0.1.0", "--listen"], "streamjob-operator",
                    jobs, folder)
        go = measure("go", [yardstick(), "--listen"], "operator-go", jobs, folder)
    print(f"\n{jobs} suspended StreamJobs, five children and a status each; from the operator's start")
    print(f"{'':24}{'streamjob-operator':>20}{'controller-runtime':>20}{'ratio':>10}")
    for key in c:
        ratio = f"{go[key] / c[key]:.1f}" if c[key] else "-"
        print(f"{key:24}{c[key]:20.2f}{go[key]:20.2f}{ratio:>10}")


if __name__ == "__main__":
    main()
