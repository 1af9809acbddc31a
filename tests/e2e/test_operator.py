"""The operator itself: killed, doubled, idle; and what GitOps tools see of it."""

import json
import os
import random
import signal
import subprocess
import threading
import time

import bucket
import pytest
import yaml
from cluster import ROOT, Job
from conftest import QUICK
from servers import wait_for

JOBS = 20


def suspended(cluster, name, namespace="reco", **spec):
    """A job without pods, of no topic."""
    manifest = bucket.manifest(bucket.unique(name), {"datagen": {"rowsPerSecond": 1, "columns": {
        "endpoint": {"choice": {"values": ["home"]}}, "bucket": {"choice": {"values": ["a"]}},
        "event": {"choice": {"values": ["click"]}}, "latency_ms": {"lognormal": {"mean": 1, "stddev": 1}}, "ts": {"now": {}}}}},
        [{"stdout": {"format": "json"}}], suspend=True, **spec)
    return Job(cluster, manifest, namespace)


@pytest.fixture
def made(cluster):
    jobs = []
    yield jobs
    for job in jobs:
        cluster.kubectl("-n", job.namespace, "delete", "streamjob", job.name, "--ignore-not-found", "--wait=false")


def converged(job):
    """What is there is what the spec asks for: its job file, and the Deployment's."""
    status = (job.get() or {}).get("status", {})
    files, deployments = {c["metadata"]["name"]: c for c in job.job_files()}, job.children("deployments")
    if len(deployments) != 1 or not status.get("specHash"):
        return False
    template = deployments[0]["spec"]["template"]
    volumes = {v["name"]: v for v in template["spec"]["volumes"]}
    mounted = files.get(volumes["streamjob-job"]["configMap"]["name"])
    if not mounted:
        return False
    file = yaml.safe_load(next(iter(mounted["data"].values())))
    return (status["observedGeneration"] == job.get()["metadata"]["generation"]
            and status["specHash"] == template["metadata"]["annotations"]["streamjob.dev/spec-hash"]
            and file["spec"]["window"]["tumbling"]["size"] == job.manifest["spec"]["window"]["tumbling"]["size"])


class Killer(threading.Thread):
    """kill -9 of an operator's process, again and again, at random moments."""

    def __init__(self, cluster, seed):
        super().__init__()
        self.cluster, self.random = cluster, random.Random(seed)
        self.kills, self.ended = 0, threading.Event()

    def run(self):
        while not self.ended.wait(self.random.uniform(0.2, 2.5)):
            for pod in self.cluster.operator_pods():
                for process in self.cluster.processes(pod, "streamjob-operator"):
                    os.kill(process, signal.SIGKILL)
                    self.kills += 1


def operator_afresh(cluster):
    """kubelet waits longer after each crash: new pods begin anew."""
    cluster.kubectl("-n", "streamjob-system", "delete", "pods", "-l", "app.kubernetes.io/name=streamjob-operator",
                    "--grace-period=1", "--wait=false")
    wait_for(lambda: len(cluster.operator_pods()) >= 1, 30, "an operator's pod")
    cluster.operator_ready()


def test_killed_at_random_while_jobs_change(cluster, kafka, made):
    made += [suspended(cluster, f"storm-{i}") for i in range(JOBS)]
    killer = Killer(cluster, seed=7)
    killer.start()
    try:
        for turn in range(5):
            for job in made:
                job.manifest["spec"]["window"] = {"tumbling": {"size": f"{turn + 1}s"}}
            cluster.apply(*(job.manifest for job in made))
            time.sleep(2)
            operator_afresh_or_not = turn % 2
            if operator_afresh_or_not:
                cluster.kubectl("-n", "streamjob-system", "delete", "pods", "-l", "app.kubernetes.io/name=streamjob-operator",
                                "--force", "--grace-period=0", "--wait=false")
    finally:
        killer.ended.set()
        killer.join()
    assert killer.kills >= 3
    operator_afresh(cluster)
    for job in made:
        wait_for(lambda: converged(job), 90, lambda: f"{job.name} as its spec says: {job.get()} {job.children('configmaps')}")


def test_two_operators(cluster, kafka, made):
    """One leads; when it is killed, another does. And two that both believe they lead do no harm."""
    cluster.operator_scale(2)
    try:
        leader = wait_for(cluster.leader, 30, "a leader")
        made.append(suspended(cluster, "two"))
        made[0].apply()
        wait_for(lambda: converged(made[0]), 30, "the leader works")
        cluster.kubectl("-n", "streamjob-system", "delete", "pod", leader["metadata"]["name"], "--force", "--grace-period=0")
        made[0].apply(window={"tumbling": {"size": "7s"}})
        wait_for(lambda: (cluster.leader() or leader)["metadata"]["uid"] != leader["metadata"]["uid"], 60, "another leader")
        wait_for(lambda: converged(made[0]), 30, "the other works")

        cluster.operator_args(*QUICK, "--leader-elect=false")
        cluster.operator_ready()
        made[:] += [suspended(cluster, f"both-{i}") for i in range(5)]
        for turn in range(3):
            for job in made:
                job.manifest["spec"]["window"] = {"tumbling": {"size": f"{turn + 11}s"}}
            cluster.apply(*(job.manifest for job in made))
        for job in made:
            wait_for(lambda: converged(job), 60, lambda: f"{job.name}: {job.get()}")
        still(cluster, made, 4)
    finally:
        cluster.operator_args(*QUICK)
        cluster.operator_scale(1)


def versions(job):
    """resourceVersion of the job and of all its children."""
    found = {("streamjob", job.name): job.get()["metadata"]["resourceVersion"]}
    for kind in "configmaps", "deployments", "services", "serviceaccounts", "networkpolicies":
        for child in job.children(kind):
            found[kind, child["metadata"]["name"]] = child["metadata"]["resourceVersion"]
    return found


def still(cluster, jobs, seconds):
    """Nothing is written though resyncs go on."""
    time.sleep(3)  # what is on the way arrives
    before = [versions(job) for job in jobs]
    time.sleep(seconds)
    assert [versions(job) for job in jobs] == before


def test_quiet_and_clean_for_gitops(cluster, kafka, made, kstatus, tmp_path):
    made.append(suspended(cluster, "quiet", parallelism=1))
    job = made[0]
    first = job.apply()
    job.shows(30, Ready=("True", "Suspended"), Reconciling="False", Stalled="False")
    version, generation = (job.get()["metadata"][key] for key in ("resourceVersion", "generation"))
    assert "serverside-applied" in first.stdout
    job.apply()
    assert job.get()["metadata"]["resourceVersion"] == version and job.get()["metadata"]["generation"] == generation
    file = tmp_path / "job.json"
    file.write_text(json.dumps(job.manifest))
    still(cluster, made, 10)  # ten resyncs
    for arguments in ("--server-side",), ("--server-side", "--field-manager=another", "--force-conflicts"):
        done = cluster.kubectl("diff", *arguments, "-f", file, check=False)
        lines = [l for l in done.stdout.splitlines() if l[:1] in "+-" and l[:3] not in ("+++", "---")]
        assert done.returncode == 0 and not lines, done.stdout
    assert kstatus(job.get()).startswith("Current"), "what was asked for is there: docs/status.md"


def test_plan_says_what_an_apply_changes(cluster, kafka, made, tmp_path):
    made.append(suspended(cluster, "plan"))
    job, file = made[0], tmp_path / "job.json"

    def plan():
        file.write_text(json.dumps(job.manifest))
        done = subprocess.run([ROOT / "build/release/streamjob-operator", "plan", file], env=cluster.env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    code, text = plan()
    assert code == 4 and "+kind: StreamJob" in text and "+kind: Deployment" in text, text
    assert job.get() is None and not job.children("deployments"), "it changes nothing"
    job.apply()
    wait_for(lambda: converged(job), 30, "applied")
    job.manifest["spec"]["window"] = {"tumbling": {"size": "9s"}}
    code, text = plan()
    assert code == 4 and "9s" in text and "+++ " in text, text
    job.manifest["spec"]["filter"] = "no_such_column = 1"
    code, text = plan()
    assert code == 2 and "no_such_column" in text, text


def test_events(cluster, kafka, made):
    made.append(suspended(cluster, "events"))
    made[0].apply()
    events = wait_for(lambda: [e for e in cluster.items("events.events.k8s.io", "reco")
                               if e["regarding"].get("name") == made[0].name], 30, "an Event")
    assert all(e["reportingController"] and e["note"] for e in events)


def test_explain(cluster):
    text = cluster.kubectl("explain", "sj.spec.window.tumbling.size").stdout
    assert "DESCRIPTION" in text and "size" in text


def test_namespaced_needs_a_role_only(cluster, kafka):
    """An operator in `team`, with manifests/namespaced; the other one has gone meanwhile."""
    cluster.operator_scale(0)
    cluster.namespace("streamjobs")
    job = suspended(cluster, "own", namespace="streamjobs")
    other = suspended(cluster, "not-ours")
    try:
        cluster.install("namespaced")
        cluster.operator_args(*QUICK, namespace="streamjobs")
        cluster.operator_ready("streamjobs")
        job.apply()
        other.apply()
        job.shows(30, Ready=("True", "Suspended"))
        assert "status" not in other.get()
        account = "system:serviceaccount:streamjobs:streamjob-operator"
        for verb, what, namespace in (("list", "streamjobs", "reco"), ("get", "secrets", "streamjobs"), ("create", "pods/exec", "streamjobs")):
            done = cluster.kubectl("auth", "can-i", verb, what, "-n", namespace, "--as", account, check=False)
            assert done.stdout.strip() == "no", (verb, what)
    finally:
        for one in job, other:
            cluster.kubectl("-n", one.namespace, "delete", "streamjob", one.name, "--ignore-not-found", "--wait=false")
        cluster.kubectl("delete", "namespace", "streamjobs", "--wait=false")
        cluster.operator_scale(1)
