"""Restart, pause, suspend, the end of a source; what stands in the way of a pod. The real API server; the test plays the kubelet."""

import pytest
from servers.kubernetes import Operator, eventually
from test_operator import FLOWS, Job, Runtime, cluster, container, make_pod, now, running, set_pod_status  # noqa: F401

ARGUMENTS = ["--leader-elect=false", "--resync", "1h"]


class Life(Job):
    def annotate(self, name, value):
        self.cluster.request("PATCH", self.path, {"metadata": {"annotations": {f"streamjob.dev/{name}": value}}}, "application/merge-patch+json")

    def template(self):
        return self.deployment()["spec"]["template"]

    def replicas(self):
        return self.deployment()["spec"]["replicas"]

    def remove_pod(self):
        self.cluster.request("DELETE", f"/api/v1/namespaces/{self.namespace}/pods/home-1?gracePeriodSeconds=0")


@pytest.fixture(scope="module")
def life(cluster, tmp_path_factory):  # noqa: F811
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": "life"}})
    with Operator(tmp_path_factory.mktemp("life"), cluster, ["--namespace", "life", *ARGUMENTS]):
        yield lambda: Life(cluster, "life")


@pytest.fixture
def job(life):
    one = life()
    one.apply()
    eventually(one.deployment, "the Deployment, once that of the test before is gone")
    one.wait("Ready", "False", "Progressing")
    yield one
    one.remove_pod()
    one.delete()
    for plural in "deployments", "configmaps":  # no garbage collector here; the next job of the name is another test's
        for child in one.cluster.request("GET", f"{ROOTS[plural]}/namespaces/life/{plural}")["items"]:
            one.cluster.request("DELETE", f"{ROOTS[plural]}/namespaces/life/{plural}/{child['metadata']['name']}")


ROOTS = {"deployments": "/apis/apps/v1", "configmaps": "/api/v1"}


@pytest.fixture
def runtime():
    one = Runtime()
    one.document = FLOWS
    yield one
    one.close()


def test_restart(job):
    before = job.get()["status"]["rollout"]["number"]
    job.annotate("restart", "one")
    eventually(lambda: job.template()["metadata"]["annotations"].get("streamjob.dev/restart") == "one", "the pods are replaced", 15)
    eventually(lambda: job.get()["status"]["rollout"]["number"] == before + 1, "by a later roll-out")


def test_pause(job):
    job.annotate("paused", "true")
    job.wait("Paused", "True", "Paused")
    path = f"/apis/apps/v1/namespaces/{job.namespace}/deployments/home"
    job.cluster.request("PATCH", path, {"spec": {"replicas": 3}}, "application/merge-patch+json")
    job.apply(suspend=True)
    job.wait("Reconciling", "True", "Paused")
    assert job.replicas() == 3
    job.annotate("paused", None)
    job.wait("Ready", "True", "Suspended")
    eventually(lambda: job.replicas() == 0 and job.condition("Paused") is None, "what waited is done")


def test_a_source_that_has_an_end(job, runtime):
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")
    runtime.document = FLOWS | {"phase": "completed"}
    job.wait("Ready", "True", "Succeeded")
    eventually(lambda: job.replicas() == 0, "the pod goes")
    job.remove_pod()
    job.wait("Reconciling", "False", "UpToDate")
    job.wait("Succeeded", "True", "Succeeded")
    assert job.get()["status"]["completed"]["specHash"] == job.get()["status"]["specHash"]
    job.annotate("restart", "again")
    eventually(lambda: job.replicas() == 1, "it starts again")
    job.wait("Ready", "False", "Progressing")
    assert job.condition("Succeeded") is None


def test_a_source_whose_end_is_a_failure(job, runtime):
    """`strict`: something was left out. The job is not started again either, and that outlives the pod."""
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")
    words = "the input has ended, but not all of it is in the result: 3 bad rows"
    runtime.document = FLOWS | {"phase": "incomplete", "ready": False, "notReadyPart": "failed", "notReadyReason": words}
    assert words in job.wait("Ready", "False", "Failed")["message"]
    eventually(lambda: job.replicas() == 0, "the pod goes")
    job.remove_pod()
    for type, status in {"Failed": "True", "Stalled": "True", "Ready": "False"}.items():
        assert words in job.wait(type, status, "Failed")["message"]
    assert job.condition("Reconciling")["status"] == "False" and job.condition("Succeeded") is None
    runtime.document = FLOWS
    job.annotate("restart", "again")
    eventually(lambda: job.replicas() == 1, "it starts again")
    job.wait("Ready", "False", "Progressing")
    assert job.condition("Failed") is None and job.condition("Stalled")["status"] == "False"


def test_suspend_and_resume_at_any_speed(job, runtime):
    for n in range(10):
        job.apply(suspend=n % 2 == 0)
    eventually(lambda: job.replicas() == 1, "the last word")
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")
    job.apply(suspend=True)
    job.wait("Ready", "False", "Draining")
    job.apply()
    job.apply(suspend=True)
    job.remove_pod()
    assert "as asked for" in job.wait("Suspended", "True", "Suspended")["message"]
    assert job.cluster.kubectl("wait", "--for=condition=Suspended", "sj/home", "-n", job.namespace, "--timeout=5s").returncode == 0


def test_two_operators_of_two_namespaces(cluster, tmp_path):  # noqa: F811
    """As manifests/default and manifests/namespaced side by side: one has the job, the other says so and writes nothing."""
    for name in "twice", "lease-a", "lease-b":
        cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    operators = {
        f"lease-{one}/streamjob-operator": Operator(
            tmp_path, cluster, ["--namespace", "twice", "--leader-election-namespace", f"lease-{one}", "--cluster-id", "one", "--runtime-image", f"runtime:{one}"], one
        )
        for one in "ab"
    }
    job = Life(cluster, "twice")
    try:
        for operator in operators.values():
            operator.start()
        job.apply()
        job.wait("Ready", "False", "Progressing")
        said = lambda: [e for e in cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/twice/events")["items"] if e["reason"] == "OtherOperator"]
        note = eventually(said, "one of them says that the other has the job")[-1]["note"]
        holder = job.deployment()["metadata"]["annotations"]["streamjob.dev/operator"]
        assert f"the operator {holder} has this job" in note
        version = job.deployment()["metadata"]["resourceVersion"]
        (other,) = set(operators) - {holder}
        job.annotate("note", "x")
        looks = 'controller_runtime_reconcile_time_seconds_count{controller="streamjob"}'
        before = operators[other].metric(looks)
        job.annotate("note", "y")
        eventually(lambda: operators[other].metric(looks) > before, "the other looks at it")
        assert job.deployment()["metadata"]["resourceVersion"] == version
        operators[holder].stop()
        job.annotate("note", "z")  # or a minute later by itself
        eventually(lambda: job.deployment()["metadata"]["annotations"]["streamjob.dev/operator"] == other, "the job is taken over from one that is gone", 90)
    finally:
        for operator in operators.values():
            operator.stop()


def condition(type, status, reason=""):
    return {"type": type, "status": status, "reason": reason, "lastTransitionTime": now()}


LOST = running() | {"conditions": [condition("Ready", "False"), condition("ContainersReady", "True")], "podIP": "127.0.0.9", "podIPs": [{"ip": "127.0.0.9"}]}
WAYS = {  # of docs/status.md, "What stands in a pod's way": the pod's status; Ready's reason and words
    "init": ({"phase": "Pending", "initContainerStatuses": [
        {"name": "i", "image": "x", "imageID": "", "ready": True, "restartCount": 0, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}],
        "containerStatuses": container({"waiting": {"reason": "PodInitializing"}})["containerStatuses"]}, "Progressing", "is being started"),
    "init-fails": ({"phase": "Pending", "initContainerStatuses": [
        {"name": "i", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}],
        "containerStatuses": container({"waiting": {"reason": "PodInitializing"}})["containerStatuses"]}, "PodFailing", "container i of pod home-1 ended (Error, exit code 3"),
    "image": (container({"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}}) | {"phase": "Pending"}, "PodFailing", "ErrImagePull: manifest unknown"),
    "no-node": ({"phase": "Pending", "containerStatuses": None, "conditions": [
        condition("PodScheduled", "False", "Unschedulable") | {"message": "0/3 nodes are available: 3 Insufficient cpu."}]}, "PodFailing", "3 Insufficient cpu"),
    "node": (LOST, "NodeUnreachable", "does not answer the cluster"),
    "evicted": ({"phase": "Failed", "reason": "Evicted", "message": "Usage of EmptyDir volume \"streamjob-scratch\" exceeds the limit \"1Gi\".",
                 "conditions": [condition("DisruptionTarget", "True", "TerminationByKubelet")]}, "PodFailing", "(Evicted): Usage of EmptyDir volume"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_stands_in_a_pods_way_is_said(job, runtime, way):
    status, reason, words = WAYS[way]
    for one in status.get("conditions") or []:
        one["lastTransitionTime"] = now()
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")
    set_pod_status(job, {"containerStatuses": None, "conditions": None, "initContainerStatuses": None} | status)
    job.wait("Ready", "False", reason)
    eventually(lambda: words in job.condition("Ready")["message"], words, 15)
    job.remove_pod()
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")


def test_why_no_pod_can_be_made_is_said(job):
    path = f"/apis/apps/v1/namespaces/{job.namespace}/deployments/home/status"
    words = 'pods "home-5d" is forbidden: violates PodSecurity "restricted:latest"'
    for status in "True", "False":
        failure = {"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": words}
        job.cluster.request("PATCH", path, {"status": {"conditions": [failure]}}, "application/merge-patch+json")
        job.wait("Ready", "False", "PodFailing" if status == "True" else "Progressing")
        assert status == "False" or words in job.condition("Ready")["message"]
