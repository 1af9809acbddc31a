"""What befalls the operator as a whole: cut off from the API server, and stopped in the middle of a write. The rest of the list in
docs/operator.md stands where its parts are tested."""

import threading

from servers.kubernetes import Operator, eventually
from servers.proxy import WRITES, ApiProxy
from test_operator import CHILDREN, FLOWS, Job, cluster, make_pod, namespace, running, runtime, spec_hash  # noqa: F401


def versions(job):
    """Of all that belongs to a job: whatever is written changes it."""
    return {(p, c["metadata"]["name"]): c["metadata"]["resourceVersion"] for p in CHILDREN for c in job.children(p)} | {"": job.get()["metadata"]["resourceVersion"]}


def test_a_partition_from_the_api_server(cluster, namespace, tmp_path, runtime):  # noqa: F811
    """What runs is left alone, the operator is alive and goes on; one that leads by a lease ends itself, for another may lead."""
    proxy, job = ApiProxy(cluster), Job(cluster, namespace)
    elected = ["--namespace", namespace, "--leader-election-namespace", namespace, "--class", "elsewhere"]
    runtime.document = FLOWS
    leader = Operator(tmp_path, cluster, elected, "leader", server=proxy.url)
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"], server=proxy.url) as operator, leader:
        job.apply()
        job.wait("Ready", "False", "Progressing")
        make_pod(job, runtime.port, running())
        job.wait("Ready", "True", "Running")
        proxy.cut()
        eventually(lambda: not proxy.upstreams, "what was on its way has come")
        before = versions(job)
        runtime.document = {**FLOWS, "ready": False, "reason": "SinkFailing", "message": "away"}  # there is something to write
        assert leader.process.wait(60) != 0, "it may not write any more, and does not know whether another leads"
        assert operator.page("/healthz")[0] == 200
        assert versions(job) == before
        runtime.document = FLOWS
        job.apply(filter="bucket = 'a'")
        proxy.is_cut = False
        eventually(lambda: spec_hash(job.deployment()) == job.get()["status"]["specHash"] and job.condition("Ready")["observedGeneration"] == 2, "it goes on", 90)
        assert operator.page("/healthz")[0] == 200
    proxy.close()


def test_a_stop_in_the_middle_of_a_write(cluster, namespace, tmp_path):  # noqa: F811
    """The write is carried out, and only then another operator may lead."""
    proxy, job, held, go_on, begun = ApiProxy(cluster), Job(cluster, namespace), threading.Event(), threading.Event(), []

    def instead(method, path):
        if method not in WRITES:
            return
        begun.append(path)
        if "/services/" in path and not held.is_set():
            held.set()
            go_on.wait(20)

    proxy.instead = instead
    operator = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-election-namespace", namespace], server=proxy.url)
    with operator:
        job.apply()
        assert held.wait(30), "a write has begun"
        operator.process.terminate()
        eventually(lambda: "stopping" in operator.log(), "it knows that it is to stop")
        lease = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/streamjob-operator"
        assert operator.process.poll() is None and cluster.request("GET", lease)["spec"]["holderIdentity"]
        go_on.set()
        assert operator.process.wait(30) == 0
        assert len(job.children("services")) == 1
        assert not cluster.request("GET", lease)["spec"].get("holderIdentity")
        assert "/leases/" in begun[-1], "nothing is written once the lease is released"
    proxy.close()
