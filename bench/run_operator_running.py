#!/usr/bin/python3
"""1,000 running jobs under streamjob-operator and under the minimal operator on Go's controller-runtime (bench/operator-go), side
by side at the same time, each with an API server of its own: CPU, memory and API requests while the jobs are made, while
nothing changes, while windows close, and at a restart.

    bench/run_operator_running.py [--jobs 1000] [--minutes 2]

StreamJobs, Deployments, ReplicaSets and Pods are real objects, their controllers are played, and the pods' pages are served by
one program (tests/integration/servers/pods.py). Every job is Ready before a figure counts, and after the restart.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "integration")]

from run_operator import cpu_seconds, manifest, memory_mb, yardstick  # noqa: E402
from servers import free_port  # noqa: E402
from servers.kubernetes import Kubernetes, eventually  # noqa: E402
from servers.pods import HEAD, Pods  # noqa: E402

TIMEOUT, SETTLE, RESTART = 900, 75, 60  # seconds; after SETTLE every status has been written once in --figures
WINDOW_S = 10
JOBS = "/apis/streamjob.dev/v1alpha1/namespaces/bench/streamjobs"


class World:
    """What the pods say: while it is busy, of each time another lag and another window."""

    def __init__(self):
        self.busy = False
        self.at = time.time()

    def page(self, name):
        async def answer(reader, writer):
            end = int((time.time() if self.busy else self.at) // WINDOW_S * WINDOW_S)
            body = json.dumps(self.document(name, end)).encode()
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            return True

        return answer

    @staticmethod
    def document(name, end):
        def text(second):
            return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")

        lags = [(end * 7919 + partition * 31) % 1000 for partition in range(6)]
        return {
            "name": name, "namespace": "bench", "phase": "running", "ready": True, "uptimeSeconds": 600.0,
            "rows": {"in": end, "filtered": 1, "bad": 0, "badFields": 0, "tombstones": 0, "late": 3, "out": end // 10},
            "recent": {"rowsPerSecond": 100.0 + end % 900, "badShare": 0.0},
            "lastWindow": {"start": text(end - WINDOW_S), "end": text(end), "sequence": end // WINDOW_S, "rows": 4},
            "sinks": [{"target": "pushgateway http://p", "healthy": True, "failures": 0, "lastAccepted": {"sequence": end // WINDOW_S, "at": text(end + 1)}}],
            "partitions": [{"topic": "events", "partition": partition, "lag": lag} for partition, lag in enumerate(lags)],
            "input": {"ok": True, "reason": "InputOK"}, "lastError": None,
        }  # fmt: skip


class Side:
    """One operator with its API server."""

    def __init__(self, name, command, folder, jobs):
        self.name, self.command, self.jobs = name, command, jobs
        self.folder = folder / name
        self.folder.mkdir()
        self.world, self.process, self.figures = World(), None, {}

    def start(self):
        self.port = free_port()
        environment = os.environ | {"KUBECONFIG": str(self.cluster.kubeconfig())}
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([*self.command, f"127.0.0.1:{self.port}"], env=environment, stdout=log, stderr=log)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def requests(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("rest_client_requests_total"))

    def phase(self, what, work, per=1.0):
        cpu, requests = (cpu_seconds(self.process), self.requests()) if what != "restart" else (0, 0)
        begin = time.monotonic()
        work()
        minutes = (time.monotonic() - begin) / 60 if per == "minute" else 1
        unit = "a minute" if per == "minute" else ""
        self.figures[f"{what}: CPU seconds {unit}".strip()] = (cpu_seconds(self.process) - cpu) / minutes
        self.figures[f"{what}: requests a job {unit}".strip()] = (self.requests() - requests) / self.jobs / minutes
        self.figures[f"{what}: RSS, MB"] = memory_mb(self.process, "VmRSS")
        print(f"{self.name}: {what}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)

    def each(self, call):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(call, range(self.jobs)))

    def make_job(self, i):
        job = manifest(i)
        job["spec"]["suspend"] = False
        self.cluster.request("POST", JOBS, job)

    def make_pod(self, i):
        """What the Deployment's controller and the kubelet would do."""
        request, name = self.cluster.request, f"job-{i}"
        deployments = "/apis/apps/v1/namespaces/bench/deployments"
        note = {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "1"}}}
        deployment = request("PATCH", f"{deployments}/{name}", note, "application/merge-patch+json")
        template, labels = deployment["spec"]["template"], {"app.kubernetes.io/managed-by": deployment["metadata"]["labels"]["app.kubernetes.io/managed-by"]}

        def owned(suffix, kind, owner):
            owner = [{"apiVersion": "apps/v1", "kind": kind, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}]
            return {"name": name + suffix, "labels": template["metadata"]["labels"] | labels, "ownerReferences": owner,
                    "annotations": template["metadata"].get("annotations", {}) | note["metadata"]["annotations"]}  # fmt: skip

        spec = {"replicas": 1, "selector": deployment["spec"]["selector"], "template": template}
        replica_set = request("POST", "/apis/apps/v1/namespaces/bench/replicasets", {"metadata": owned("-1", "Deployment", deployment), "spec": spec})
        seen = {"status": {"observedGeneration": deployment["metadata"]["generation"]}}
        request("PATCH", f"{deployments}/{name}/status", seen, "application/merge-patch+json")
        ports = [{"name": "status", "containerPort": self.pods.port}]
        pod = {"metadata": owned("-1-1", "ReplicaSet", replica_set), "spec": {"containers": [{"name": "streamjob", "image": "x", "ports": ports}]}}
        request("POST", "/api/v1/namespaces/bench/pods", pod)
        ip = f"127.1.{i // 250}.{i % 250 + 1}"
        self.pods.say(ip, self.world.page(name))
        started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        container = {"name": "streamjob", "image": "x", "imageID": "", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": started}}}
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "containerStatuses": [container]}
        request("PATCH", f"/api/v1/namespaces/bench/pods/{name}-1-1/status", {"status": status}, "application/merge-patch+json")

    def are(self, status, reason):
        items = self.cluster.request("GET", JOBS)["items"]
        found = [c for item in items for c in item.get("status", {}).get("conditions", []) if c["type"] == "Ready"]
        return sum((c["status"], c["reason"]) == (status, reason) for c in found) == self.jobs

    def become(self, status, reason):
        eventually(lambda: time.sleep(1) or self.are(status, reason), f"{self.name}: all {status} {reason}", TIMEOUT)

    def created(self):
        self.each(self.make_job)
        self.become("False", "Progressing")

    def begun(self):
        self.each(self.make_pod)
        self.become("True", "Running")

    def measure(self, minutes):
        with Kubernetes(self.folder) as self.cluster, Pods() as self.pods:
            self.cluster.install_crd()
            self.cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
            self.start()
            eventually(lambda: self.requests() is not None, "metrics", 60)
            self.phase("creation", self.created)
            self.phase("pods begin", self.begun)
            time.sleep(SETTLE)
            self.phase("idle", lambda: time.sleep(60 * minutes), "minute")
            self.world.busy = True
            time.sleep(SETTLE)
            self.phase("busy", lambda: time.sleep(60 * minutes), "minute")
            self.world.at, self.world.busy = time.time(), False
            self.stop()
            self.start()
            self.phase("restart", lambda: time.sleep(RESTART))
            self.figures["restart: RSS at most, MB"] = memory_mb(self.process, "VmHWM")
            if not self.are("True", "Running"):
                raise RuntimeError(f"{self.name}: a job is not Running after the restart")
            self.stop()
        return self.figures


def patiently(call):
    """The metrics' page is not there in the first moments."""

    def again(*arguments):
        for _ in range(100):
            try:
                return call(*arguments)
            except OSError:
                time.sleep(0.2)
        return call(*arguments)

    return again


Side.requests = patiently(Side.requests)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=2)
    options = parser.parse_args()
    ours = ROOT / "build" / "release" / "streamjob-operator"
    commands = {
        "streamjob-operator": [ours, "run", "--leader-elect=false", "--runtime-image=streamjob/runtime:0.1.0", "--log-level=warn", "--listen"],
        "controller-runtime": [yardstick(), "--listen"],
    }
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        sides = [Side(name, command, pathlib.Path(folder), options.jobs) for name, command in commands.items()]
        results = list(pool.map(lambda side: side.measure(options.minutes), sides))
    print(f"\n{options.jobs} running jobs, both operators at the same time; load {os.getloadavg()}")
    print(f"{'':40}" + "".join(f"{name:>22}" for name in commands) + f"{'ratio':>8}")
    for key in results[0]:
        c, go = (result[key] for result in results)
        print(f"{key:40}{c:22.2f}{go:22.2f}{f'{go / c:.1f}' if c else '-':>8}")


if __name__ == "__main__":
    main()
