"""The operator's memory where a tenant makes large objects that look like its own: the real API server. What a store keeps of each kind
is in tests/unit/operator/reconcile/trim_test.c, and how a full cache heals in tests/faults/test_informer.py."""

import base64
import concurrent.futures
import hashlib
import os

from servers.kubernetes import Operator, eventually
from test_operator import Job, cluster, namespace  # noqa: F401

LABELS = {"app.kubernetes.io/managed-by": "streamjob-operator", "app.kubernetes.io/name": "streamjob"}
MEMORY_MB = 256  # of manifests/base
OURS_MB = 60  # of it; the rest of the limit is for an operator with many jobs


def controlled_by(job):
    return [{"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": True}]


def text(size):
    """Text that cannot be packed to less than three quarters."""
    return base64.b64encode(os.urandom(size * 3 // 4)).decode()


def look_alike(i, job):
    """One ConfigMap of a tenant: with our labels, and as much as one can hold, in each place where somebody might keep it."""
    labels = LABELS | {"app.kubernetes.io/instance": job["metadata"]["name"]}
    kind = i % 4
    if kind == 0:
        return {"labels": labels}, {"data": {"job.json": text(900_000)}}
    if kind == 1:
        return {"labels": labels | {"app.kubernetes.io/component": "job-file"}, "ownerReferences": controlled_by(job)}, {"data": {"job.json": text(900_000)}}
    if kind == 2:
        notes = {"kubectl.kubernetes.io/last-applied-configuration": text(120_000), "streamjob.dev/applied": text(120_000)}
        return {"labels": labels | {"app.kubernetes.io/component": "place"}, "ownerReferences": controlled_by(job), "annotations": notes}, {"data": {"known.json": text(600_000)}}
    return {}, {"data": {"function.py": text(900_000)}}


def put(cluster, namespace, name, metadata, rest):  # noqa: F811
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": metadata | {"name": name}} | rest)


def in_parallel(call, count):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(count)))


def peak_mb(operator):
    with open(f"/proc/{operator.process.pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def is_kept(job):
    """The operator does what the job asks for, and the status says so."""
    generation = job.get()["metadata"]["generation"]
    job.apply(parallelism=1, progressDeadline=f"{generation + 10}m")
    job.wait("Ready", "False", "Progressing")
    uid = job.deployment()["metadata"]["uid"]
    job.cluster.request("DELETE", f"/apis/apps/v1/namespaces/{job.namespace}/deployments/{job.name}")
    eventually(lambda: (job.deployment() or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid, "the Deployment is made anew")


def test_large_look_alikes_cost_nothing(cluster, namespace, tmp_path):  # noqa: F811
    job, args = Job(cluster, namespace), ["--namespace", namespace, "--leader-elect=false", "--cluster-id", "test", "--memory", f"{MEMORY_MB}Mi"]
    with Operator(tmp_path, cluster, args) as operator:
        job.apply()
        job.wait("Ready", "False", "Progressing")
        live = job.get()
        in_parallel(lambda i: put(cluster, namespace, f"look-alike-{i}", *look_alike(i, live)), 60)
        is_kept(job)
        assert peak_mb(operator) < OURS_MB, "as they come"
    with Operator(tmp_path, cluster, args) as operator:  # and from a list
        is_kept(job)
        eventually(lambda: operator.page("/readyz")[0] == 200, "all is listed")
        assert peak_mb(operator) < OURS_MB, "from a list"
        assert operator.metric('streamjob_cache_left_out{kind="ConfigMap"}') == 0
        assert operator.metric('streamjob_cache_bytes{kind="ConfigMap"}') < 100_000


def test_a_namespace_with_more_than_there_is_room_for(cluster, namespace, tmp_path):  # noqa: F811
    """Job files that are what they say: its own namespace waits, and says so; the others do not notice."""
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": f"{namespace}-mass"}})
    job, mass = Job(cluster, namespace), Job(cluster, f"{namespace}-mass")
    args = ["--namespace", namespace, "--namespace", mass.namespace, "--leader-elect=false", "--cluster-id", "test", "--memory", "32Mi"]
    with Operator(tmp_path, cluster, args) as operator:
        for one in (job, mass):
            one.apply()
            one.wait("Ready", "False", "Progressing")
        labels = LABELS | {"app.kubernetes.io/instance": "home", "app.kubernetes.io/component": "job-file"}
        metadata = {"labels": labels, "ownerReferences": controlled_by(mass.get())}

        def make(_):
            file = text(80_000)
            put(cluster, mass.namespace, f"home-{hashlib.sha256(file.encode()).hexdigest()[:16]}", metadata, {"data": {"job.json": file}})

        in_parallel(make, 60)
        eventually(lambda: operator.metric('streamjob_cache_left_out{kind="ConfigMap"}'), "some have no room")
        limit = operator.metric('streamjob_cache_limit_bytes{kind="ConfigMap"}')
        assert limit == 32 * 2**20 // 8 * 3 // 32 * 5 and operator.metric('streamjob_cache_bytes{kind="ConfigMap"}') <= limit
        mass.apply(progressDeadline="11m")
        said = mass.wait("Ready", "Unknown", "NotAllRead")["message"]
        assert "configmaps of this namespace" in said and "what runs goes on" in said
        is_kept(job)
