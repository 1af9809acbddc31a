"""Pods that are not what they seem, among good ones: StreamJobs, Deployments, ReplicaSets and Pods are real objects, and their
pages are served by one program (servers/pods.py).

STREAMJOB_TENANTS="500 50" sets how many jobs are good and how many pods hostile; `make tenants` runs that.
"""

import concurrent.futures
import datetime
import os
import time

from servers.kubernetes import Operator, eventually
from servers.pods import HOSTILE, Pods, good
from test_operator import FLOWS, SPEC, Job, cluster, container, controlled_by, namespace, replica_set  # noqa: F401

GOOD, BAD = map(int, os.environ.get("STREAMJOB_TENANTS", "40 34").split())
FRESH_S = 15
MEMORY_MB = 256  # of manifests/base
LIES = {"ready": True, "lag": 999999, "rows": {"in": 999999}, "sinks": []}


def address(kind, i):
    return f"127.{kind}.{i // 250}.{i % 250 + 1}"


def put_pod(job, name, ip, port, owner, **spec):
    """A running pod of the job's labels, controlled by `owner`, or by nobody."""
    template = job.deployment()["spec"]["template"]
    path = f"/api/v1/namespaces/{job.namespace}/pods"
    metadata = template["metadata"] | {"name": name} | ({"ownerReferences": controlled_by(owner)} if owner else {})
    ports = [{"name": "status", "containerPort": port} | ({"hostPort": port} if spec.get("hostNetwork") else {})]
    job.cluster.request("POST", path, {"metadata": metadata, "spec": {"containers": [{"name": "streamjob", "image": "x", "ports": ports}]} | spec})
    started = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = container({"running": {"startedAt": started}}) | {"podIP": ip, "podIPs": [{"ip": ip}]}
    job.cluster.request("PATCH", f"{path}/{name}/status", {"status": status}, "application/merge-patch+json")


def make(job):
    metadata = {"name": job.name, "namespace": job.namespace}
    manifest = {"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": metadata, "spec": SPEC}
    job.cluster.request("POST", job.path.rpartition("/")[0], manifest)


def in_parallel(call, things):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(call, things))


def statuses(cluster, namespace):  # noqa: F811
    items = cluster.request("GET", f"/apis/streamjob.dev/v1alpha1/namespaces/{namespace}/streamjobs")["items"]
    return {item["metadata"]["name"]: item.get("status", {}) for item in items}


def ready(status):
    return next((c["status"] + " " + c["reason"] for c in status.get("conditions", []) if c["type"] == "Ready"), None)


def document(job, **more):
    return FLOWS | {"name": job.name, "namespace": job.namespace} | more


def test_hostile_pods_cost_their_own_jobs_only(cluster, namespace, tmp_path):  # noqa: F811
    fine = [Job(cluster, namespace, f"good-{i}") for i in range(GOOD)]
    bad = [Job(cluster, namespace, f"bad-{i}") for i in range(BAD)]
    kinds = {job.name: list(HOSTILE)[i % len(HOSTILE)] for i, job in enumerate(bad)}
    operator = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", "--cluster-id", "test", "--poll", "2s"])
    with operator, Pods() as pods:
        in_parallel(make, fine + bad)
        eventually(lambda: len(cluster.request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]) == GOOD + BAD, "all Deployments", 300)
        for kind, jobs in ((1, fine), (2, bad)):
            for i, job in enumerate(jobs):
                pods.say(address(kind, i), good(document(job)) if job in fine else HOSTILE[kinds[job.name]])
        in_parallel(lambda i: put_pod(bad[i], f"bad-{i}-pod", address(2, i), pods.port, replica_set(bad[i])), range(BAD))
        in_parallel(lambda i: put_pod(fine[i], f"good-{i}-pod", address(1, i), pods.port, replica_set(fine[i])), range(GOOD))
        good_names = {job.name for job in fine}

        def are(wanted):
            return all(ready(status) == wanted for name, status in statuses(cluster, namespace).items() if name in good_names)

        eventually(lambda: are("True Running"), "the good ones are Running", 120)
        # A change of all good ones is in their status within the time, whatever the others do; twice.
        sick = {"ready": False, "notReadyPart": "window", "notReadyReason": "x"}
        for wanted, more in (("False WindowOverdue", sick), ("True Running", {})):
            begun = time.monotonic()
            for i, job in enumerate(fine):
                pods.say(address(1, i), good(document(job, **more)))
            eventually(lambda w=wanted: are(w), wanted, FRESH_S + 45)
            print(f"{GOOD} good jobs beside {BAD} hostile pods: {wanted} after {time.monotonic() - begun:.1f} s")
        for name, status in statuses(cluster, namespace).items():
            if name not in good_names:
                assert ready(status) != "True Running", (name, kinds[name])
        assert operator.page("/healthz")[0] == 200
        memory = next(int(line.split()[1]) for line in open(f"/proc/{operator.process.pid}/status") if line.startswith("VmHWM"))
        print(f"resident at most {memory / 1000:.1f} MB")
        assert memory / 1000 < MEMORY_MB
        assert not any(address.startswith("169.254") for address in pods.asked)


def test_pretenders_are_not_asked(cluster, namespace, tmp_path):  # noqa: F811
    job, other = Job(cluster, namespace), Job(cluster, namespace, "other")
    operator = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", "--cluster-id", "test"])
    with operator, Pods() as pods:
        for one in job, other:
            one.apply()
            eventually(one.deployment, "the Deployment")
        real, theirs = replica_set(job), replica_set(other)
        pods.say(address(1, 0), good(document(job)))
        pods.say(address(1, 1), good(document(other)))
        put_pod(job, "home-real", address(1, 0), pods.port, real)
        put_pod(other, "other-real", address(1, 1), pods.port, theirs)
        job.wait("Ready", "True", "Running")
        time.sleep(1.1)  # times of objects are whole seconds
        path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
        forged = {k: real["metadata"][k] for k in ("labels", "annotations", "ownerReferences")} | {"name": "home-forged"}
        forged = cluster.request("POST", path, {"metadata": forged, "spec": real["spec"]}) | {"kind": "ReplicaSet"}
        nobody = {"kind": "ReplicaSet", "metadata": {"name": "none", "uid": "00000000-0000-0000-0000-000000000001"}}
        liars = {"label-only": None, "wrong-uid": nobody, "forged": forged, "of-the-deployment": job.deployment() | {"kind": "Deployment"}, "of-another": theirs}
        for i, (name, owner) in enumerate(liars.items()):
            pods.say(address(3, i), good(LIES))
            put_pod(job, name, address(3, i), pods.port, owner)
        put_pod(job, "zz-host", address(3, 9), pods.port, real, hostNetwork=True)
        put_pod(job, "zz-metadata", "169.254.169.254", pods.port, real)
        before = pods.asked[address(1, 0)]
        eventually(lambda: pods.asked[address(1, 0)] > before + 10, "rounds")
        assert not [address for address in pods.asked if address.startswith("127.3.")], pods.asked
        for name in [*liars, "zz-host", "zz-metadata"]:
            cluster.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0")
        job.wait("Ready", "True", "Running")
        assert job.get()["status"]["lag"] == 11
        # An address that another job's pod has: its answer is not taken, and that job is as it was.
        cluster.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/home-real?gracePeriodSeconds=0")
        put_pod(job, "home-thief", address(1, 1), pods.port, real)
        assert f"a pod of another job answered, {namespace}/other" in job.wait("Ready", "False", "StatusUnreachable")["message"]
        other.wait("Ready", "True", "Running")
