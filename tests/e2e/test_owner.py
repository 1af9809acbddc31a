"""One process has the job, also where the cluster believes for a while that there are two."""

import copy
import time

import bucket
import pytest
from conftest import NAMESPACE, QUICK
from load import Load
from servers import wait_for
from servers.faulty_gateway import FaultyGateway


@pytest.fixture
def held(cluster, gateway):
    """A gateway that can hold requests, as pods reach it."""
    with FaultyGateway(gateway, cluster.host) as proxy:
        cluster.outside(NAMESPACE, "held-gateway", 9091, proxy.port)
        yield proxy
        cluster.kubectl("-n", NAMESPACE, "delete", "service", "held-gateway", "--wait=false")


def owner(job):
    return job.get()["status"].get("owner", {})


def has_the_job(job, pod):
    return owner(job).get("process", "").startswith(pod["metadata"]["name"])


def test_a_pod_deleted_without_waiting(cluster, kafka, gateway, held, job, exact):
    """The gateway holds the last request of a pod that is gone from the API at once. Its successor goes on, and sets right what
    the request does when it comes after all: beside the same window, and behind a later one."""
    one = job("forced")
    one.manifest["spec"]["sinks"][0]["pushgateway"]["url"] = "http://held-gateway:9091"
    one.apply()
    one.ready()
    first = one.pod()
    records, passing = bucket.make_events(2000, seed=101)
    kafka.produce(one.topic, records)
    exact(one, passing)
    held.mode = "hold"
    records, more = bucket.make_events(2000, seed=102)
    kafka.produce(one.topic, records)
    wait_for(lambda: held.held, 30, "a request that is held")
    cluster.kubectl("-n", one.namespace, "delete", "pod", first["metadata"]["name"], "--grace-period=0", "--force")
    held.mode = "pass"
    passing += more
    exact(one, passing)
    for seed in 103, 104:
        held.release()
        records, more = bucket.make_events(2000, seed=seed)
        kafka.produce(one.topic, records)
        passing += more
        exact(one, passing)
    one.ready()
    second = one.pod()
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    wait_for(lambda: has_the_job(one, second), 30, lambda: owner(one))


def test_a_changed_job_finishes_what_its_old_file_began(cluster, kafka, gateway, held, job, exact):
    """The gateway holds a window when the query changes: the new pod has the old job file too, ends that window with it, and goes on."""
    one = job("changed")
    one.manifest["spec"]["sinks"][0]["pushgateway"] |= {"url": "http://held-gateway:9091", "timeout": "2s"}
    one.apply()
    one.ready()
    first = one.pod()
    records, passing = bucket.make_events(2000, seed=105)
    kafka.produce(one.topic, records)
    exact(one, passing)
    held.mode = "hold"
    records, more = bucket.make_events(2000, seed=106)
    kafka.produce(one.topic, records)
    wait_for(lambda: held.held, 30, "a request that is held")
    one.apply(aggregates=[*one.manifest["spec"]["aggregates"], {"name": "endpoints", "expr": "COUNT(DISTINCT endpoint)"}])
    words = "is being finished by the job file before this one"
    wait_for(lambda: words in one.condition("Ready").get("message", ""), 120, lambda: one.get()["status"])
    second = one.pod()
    assert second["metadata"]["uid"] != first["metadata"]["uid"] and one.condition("Ready")["status"] == "False"
    held.mode = "pass"
    exact(one, passing + more)
    one.ready()
    assert one.pod()["metadata"]["uid"] == second["metadata"]["uid"], "the pod goes on with the new job file"
    assert "a window is finished by the job file before this one" in cluster.kubectl("-n", one.namespace, "logs", second["metadata"]["name"]).stdout


def twin(cluster, job):
    """A pod like the job's own, which no controller knows of: what a node that was cut off comes back with."""
    (deployment,) = job.children("deployments")
    template = copy.deepcopy(deployment["spec"]["template"])
    template["metadata"] |= {"name": f"{job.name}-twin", "namespace": job.namespace}
    cluster.apply({"apiVersion": "v1", "kind": "Pod"} | template)
    return template


def test_a_second_process_beside_the_pod(cluster, kafka, job, exact):
    """It has the job's own identity, and so takes it; the pod stands by, which the status says, for nobody's pod is not the job's, and has
    the job again when the other one has drained. A process that still sends is fenced: the sums are exact."""
    one = job("twin")
    one.apply()
    one.ready()
    pod = one.pod()
    with Load(kafka, one.topic) as load:
        time.sleep(2)
        other = twin(cluster, one)
        wait_for(lambda: has_the_job(one, other) and owner(one)["standby"] == 1, 60, lambda: one.get()["status"])
        said = one.shows(60, Ready=("False", "StandingBy", f"pod {pod['metadata']['name']} stands by"))["Ready"]["message"]
        assert other["metadata"]["name"] in said
        time.sleep(2)
        cluster.kubectl("-n", one.namespace, "delete", "pod", other["metadata"]["name"])
        wait_for(lambda: has_the_job(one, pod) and owner(one)["standby"] == 0, 60, lambda: one.get()["status"])
        time.sleep(2)
    one.ready()
    exact(one, load.passing)
    assert one.pod()["metadata"]["uid"] == pod["metadata"]["uid"]


def test_another_clusters_job(cluster, kafka, job, exact):
    """The same manifest in a cluster of another id touches nothing; told whose job it is, it goes on with it."""
    one = job("moved")
    one.apply()
    one.ready()
    records, passing = bucket.make_events(2000, seed=111)
    kafka.produce(one.topic, records)
    exact(one, passing)
    made = cluster.get("configmap", "streamjob-cluster-id", "streamjob-system")["data"]["id"]
    cluster.operator_args(*QUICK, "--cluster-id=elsewhere")
    try:
        cluster.operator_ready()
        records, more = bucket.make_events(2000, seed=112)
        kafka.produce(one.topic, records)
        refused = one.shows(90, Ready=("False", "PodFailing", f"{made}/{one.namespace}/{one.name}"))["Ready"]["message"]
        assert f"elsewhere/{one.namespace}/{one.name}" in refused and "streamjob.dev/take-over" in refused
        cluster.kubectl("-n", one.namespace, "annotate", "streamjob", one.name, f"streamjob.dev/take-over={made}/{one.namespace}/{one.name}")
        one.ready()
        exact(one, passing + more)
        events = cluster.api.items("events", one.namespace, fieldSelector=f"involvedObject.name={one.name},reason=TakeOver")
        assert made in events[0]["message"]
        one.delete()
    finally:
        cluster.operator_args(*QUICK)
        cluster.operator_ready()
