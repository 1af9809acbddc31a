"""Whatever is done to a child of a StreamJob, and whatever the API server answers to the write that mends it: the status tells the
truth, it is mended once the cause is gone, and requests stay few. The real API server, with a proxy that refuses."""

import collections
import pathlib
import time

import pytest
from servers.kubernetes import Operator, eventually
from servers.proxy import WRITES, ApiProxy
from test_operator import CHILDREN, FLOWS, Job, Runtime, cleanup_job, cluster, end_job, make_pod, plan, running, write_job  # noqa: F401

KINDS = {"serviceaccounts": "ServiceAccount", "networkpolicies": "NetworkPolicy", "services": "Service", "configmaps": "ConfigMap", "deployments": "Deployment"}
WRITES_MAX = 40  # for a job, in the time of a fault and of its end


class World:
    """One operator behind a proxy, and a job for each kind of child: what is done to them is done at once."""

    def __init__(self, cluster, namespace, folder):
        self.cluster, self.namespace, self.proxy = cluster, namespace, ApiProxy(cluster)
        self.jobs = {plural: Job(cluster, namespace, plural) for plural in KINDS}
        self.faults, self.writes = {}, collections.Counter()
        self.proxy.instead = self.instead
        self.operator = Operator(folder, cluster, ["--namespace", namespace, "--leader-elect=false"], server=self.proxy.url)

    def instead(self, method, path):
        parts = path.split("?")[0].split("/")
        if method not in WRITES or len(parts) < 3 or parts[-2] not in CHILDREN:
            return None
        plural, name = parts[-2:]
        if plural == "jobs":
            return self.faults["jobs"]() if "jobs" in self.faults else None
        job = next((p for p in KINDS if name == p or name.startswith(p + "-")), None)
        self.writes[job] += 1
        fault = self.faults.get(plural) if job == plural else None
        return fault() if fault else None

    def path(self, plural, name=None):
        name = name or self.jobs[plural].children(plural)[0]["metadata"]["name"]
        return f"{CHILDREN[plural]}/namespaces/{self.namespace}/{plural}/{name}"

    def patch(self, plural, change, name=None):
        self.cluster.request("PATCH", self.path(plural, name) + "?fieldManager=someone", change, "application/merge-patch+json")


@pytest.fixture(scope="module")
def world(cluster, tmp_path_factory):  # noqa: F811
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": "children"}})
    one = World(cluster, "children", tmp_path_factory.mktemp("children"))
    with one.operator:
        for job in one.jobs.values():
            job.apply()
        for job in one.jobs.values():
            job.wait("Ready", "False", "Progressing")
        yield one
    one.proxy.close()


def whole(world):
    """Every child of every job is there and as it should be, and the status says so."""
    for job in world.jobs.values():
        job.wait("Ready", "False", "Progressing")
        for plural in KINDS:
            eventually(lambda p=plural, j=job: len(j.children(p)) == 1, f"{plural} of {job.name}")
        assert job.deployment()["spec"]["replicas"] == 1


def delete(world, plural):
    uid = world.jobs[plural].children(plural)[0]["metadata"]["uid"]
    world.cluster.request("DELETE", world.path(plural))
    return lambda: [c for c in world.jobs[plural].children(plural) if c["metadata"]["uid"] != uid]


def edit(world, plural):
    """What is applied is seen to be another; of a job file, whose data cannot be changed, the labels."""
    changes = {
        "serviceaccounts": {"automountServiceAccountToken": True}, "networkpolicies": {"spec": {"ingress": None}},
        "services": {"spec": {"publishNotReadyAddresses": False}}, "deployments": {"spec": {"replicas": 5, "paused": True}},
        "configmaps": {"metadata": {"labels": {"app.kubernetes.io/component": "mine"}}},
    }  # fmt: skip
    world.patch(plural, changes[plural])

    def mended():
        one = world.jobs[plural].children(plural)[0]
        return {
            "serviceaccounts": lambda: one["automountServiceAccountToken"] is False,
            "networkpolicies": lambda: one["spec"].get("ingress"),
            "services": lambda: one["spec"].get("publishNotReadyAddresses"),
            "deployments": lambda: one["spec"]["replicas"] == 1 and not one["spec"].get("paused"),
            "configmaps": lambda: one["metadata"]["labels"]["app.kubernetes.io/component"] == "job-file",
        }[plural]()

    return mended


def disown(world, plural):
    world.patch(plural, {"metadata": {"ownerReferences": None}})
    return lambda: world.jobs[plural].children(plural)


def unlabel(world, plural):
    world.patch(plural, {"metadata": {"labels": None}})
    return lambda: world.jobs[plural].children(plural)


@pytest.mark.parametrize("deed", [delete, edit, disown, unlabel])
def test_what_is_done_to_a_child_is_mended(world, deed):
    world.writes.clear()
    for plural, mended in {plural: deed(world, plural) for plural in KINDS}.items():
        eventually(mended, f"{plural} is mended after {deed.__name__}")
    whole(world)
    assert max(world.writes.values()) < WRITES_MAX, world.writes


def test_another_controller_takes_a_child(world):
    """It is not taken back: the status names who has it."""
    names = {plural: world.jobs[plural].children(plural)[0]["metadata"]["name"] for plural in KINDS}
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": "00000000-0000-0000-0000-000000000009", "controller": True}
    world.writes.clear()
    for plural, name in names.items():
        world.patch(plural, {"metadata": {"ownerReferences": [owner]}}, name)
    for plural, job in world.jobs.items():
        message = job.wait("Ready", "False", "ApplyFailed")["message"]
        assert message.startswith(f"{KINDS[plural]} {names[plural]}: ") and "ConfigMap theirs" in message, message
    for plural, name in names.items():
        world.patch(plural, {"metadata": {"ownerReferences": None}}, name)
    whole(world)
    assert max(world.writes.values()) < WRITES_MAX, world.writes


FAULTS = {
    "webhook-refuses": (lambda: (400, "admission webhook \"policy.example.com\" denied the request: no team label"), "denied the request: no team label"),
    "quota": (lambda: (403, "exceeded quota: compute-resources, requested: count=1, used: count=5, limited: count=5"), "exceeded quota: compute-resources"),
    "webhook-down": (lambda: (500, "Internal error occurred: failed calling webhook \"policy.example.com\": no endpoints available"), "failed calling webhook"),
    "conflict": (lambda: (409, "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version"), "has been modified"),
    "throttled": (lambda: (429, "too many requests, please try again later"), "too many requests"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_api_server_refuses_is_said_and_mended(world, fault):
    answer, words = FAULTS[fault]
    world.writes.clear()
    world.faults.update(dict.fromkeys(KINDS, answer))
    began = time.monotonic()
    for plural in KINDS:
        delete(world, plural)
    for plural, job in world.jobs.items():
        message = job.wait("Ready", "False", "ApplyFailed")["message"]
        assert message.startswith(KINDS[plural] + " ") and words in message, message
        assert job.condition("Reconciling")["status"] == "True"
    said_s = time.monotonic() - began
    world.faults.clear()
    whole(world)
    assert max(world.writes.values()) < WRITES_MAX, (world.writes, said_s)


@pytest.mark.parametrize("fault", ["quota", "webhook-down"])
def test_a_clean_up_that_is_refused_is_said_and_mended(world, fault):
    answer, words = FAULTS[fault]
    job = Job(world.cluster, world.namespace, f"cleaned-{fault}")
    job.apply(deletionPolicy={"pushgateway": "Delete", "timeout": "1h"})
    eventually(job.deployment, "something that may have pushed")
    job.wait("Ready", "False", "Progressing")
    world.faults["jobs"] = answer
    job.delete()
    message = job.wait("Ready", "False", "CleanupFailing")["message"]
    assert message.startswith(f"Job {job.name}-cleanup-") and words in message
    world.faults.clear()
    eventually(lambda: cleanup_job(job), "the clean-up Job")
    end_job(job, "Complete")
    eventually(lambda: job.get() is None, "the StreamJob is gone")
    for plural in KINDS:  # no garbage collector here
        for child in world.cluster.request("GET", f"{CHILDREN[plural]}/namespaces/{world.namespace}/{plural}?labelSelector=app.kubernetes.io/instance%3D{job.name}")["items"]:
            world.cluster.request("DELETE", world.path(plural, child["metadata"]["name"]))


def test_a_slow_write_holds_up_its_own_job_only(world):
    gates = {plural: 0 for plural in KINDS}
    world.faults["services"] = lambda: time.sleep(3) or gates.update(services=1)
    mended = delete(world, "services")
    other = delete(world, "networkpolicies")
    eventually(other, "another job's child is made meanwhile")
    eventually(mended, "the slow one is made in the end")
    world.faults.clear()
    assert gates["services"], "the write was held up"
    whole(world)


def test_a_job_in_a_namespace_that_is_made_again(cluster, tmp_path):  # noqa: F811
    """What was refused since the namespace ended is not held against the next one."""
    path = "/api/v1/namespaces/again"
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": "again"}})
    job = Job(cluster, "again")
    with Operator(tmp_path, cluster, ["--namespace", "again", "--leader-elect=false"]) as operator:
        job.apply()
        job.wait("Ready", "False", "Progressing")
        cluster.request("DELETE", path)  # no namespace controller here: what that would do follows
        cluster.request("DELETE", f"{path}/services/home")
        eventually(lambda: operator.metric('controller_runtime_reconcile_total{controller="streamjob",result="requeue"}'), "a refusal")
        job.delete()
        for plural in KINDS:
            cluster.request("DELETE", f"{CHILDREN[plural]}/namespaces/again/{plural}")
        eventually(lambda: job.get() is None, "the StreamJob is gone")
        ended = cluster.request("GET", path)
        ended["spec"]["finalizers"] = []
        cluster.request("PUT", f"{path}/finalize", ended)
        eventually(lambda: cluster.request("GET", path) is None, "the namespace is gone")
        cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": "again"}})
        job.apply()
        job.wait("Ready", "False", "Progressing")
        eventually(job.deployment, "the Deployment")


ALIKE = ".".join("a23456789-" * 5 + "b" for _ in range(4)) + "-" * 3 + "c" * 30  # 240 characters
NAMES = [ALIKE + "d" * 13, ALIKE + "d" * 12 + "e", ALIKE + ".f", "feed.eu", "feed-eu", "a" * 63, "a" * 64]


def names_of(job):
    """(kind, name) of the children, but for the job file, whose name has a hash."""
    return {(plural, child["metadata"]["name"]) for plural in KINDS for child in job.children(plural)}


def test_names_of_every_length(world, tmp_path):
    """Of two jobs whose names are alike to the 240th character each has children, pods, a consumer group of its own, and is whole."""
    jobs = [Job(world.cluster, world.namespace, name) for name in NAMES]
    for job in jobs:
        job.apply(deletionPolicy={"pushgateway": "Delete", "timeout": "1h"})
    for job in jobs:
        job.wait("Ready", "False", "Progressing")
        eventually(lambda j=job: all(len(j.children(p)) == 1 for p in KINDS), f"the children of {job.name}")
    names = [names_of(job) for job in jobs]
    assert not [1 for i, one in enumerate(names) for other in names[:i] if one & other]
    selectors = [job.deployment()["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"] for job in jobs]
    assert len(set(selectors)) == len(jobs) and max(map(len, selectors)) == 63
    assert len({job.get()["status"]["consumerGroup"] for job in jobs}) == len(jobs)
    assert [job.deployment()["metadata"]["name"] for job in jobs[3:]] == NAMES[3:], "what fits is as it always was"
    one, pages = jobs[0], Runtime()
    pages.document = FLOWS | {"life": "first", "sequence": 7}
    make_pod(one, pages.port, running())
    one.wait("Ready", "True", "Running")
    for job in jobs[1:]:
        assert job.condition("Ready")["reason"] == "Progressing", "a pod is its own job's only"
    eventually(lambda: len(one.children("configmaps")) == 2, "its place")
    file = write_job(tmp_path / "job.json", world.namespace, deletionPolicy={"pushgateway": "Delete", "timeout": "1h"})
    manifest = pathlib.Path(file).read_text().replace('"name": "home"', f'"name": "{one.name}"', 1)
    pathlib.Path(file).write_text(manifest)
    same = plan(world.cluster, "--operator-namespace", "", file)
    assert (same.returncode, same.stdout) == (0, ""), same.stderr
    pages.close()
    world.cluster.request("DELETE", f"/api/v1/namespaces/{world.namespace}/pods/home-1?gracePeriodSeconds=0")
    for path in {world.path("deployments", job.deployment()["metadata"]["name"]) for job in jobs[:2]}:  # an owner still says whose it is
        world.cluster.request("PATCH", path, {"metadata": {"annotations": {"streamjob.dev/job": None}}}, "application/merge-patch+json")
    for job in jobs[:2]:
        eventually(lambda j=job: j.deployment()["metadata"]["annotations"].get("streamjob.dev/job") == j.name, "it is mended")
    for job in jobs:
        job.delete()
    for job in jobs:
        eventually(lambda j=job: cleanup_job(j), "the clean-up Job")
        end_job(job, "Complete")
        eventually(lambda j=job: j.get() is None, "the StreamJob is gone")
