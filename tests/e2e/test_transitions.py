"""What happens to a running job: each change, and each thing that is taken away. Counters at the gateway are exact after it.

The status says what is wrong within 15 s (Job.shows), with the operator's intervals as shipped.
"""

import json
import os
import signal
import time

import bucket
import pytest
import yaml
from cluster import ROOT, Job
from load import Load
from servers import wait_for


def produce(kafka, job, seed, count=2000):
    records, passing = bucket.make_events(count, seed=seed)
    kafka.produce(job.topic, records)
    return passing


def test_update_under_load(kafka, job, exact):
    beside = {"name": "beside", "image": "docker.io/streamjob/pause:1", "restartPolicy": "Always"}  # in a namespace that is restricted
    one = job("update", podTemplate={"spec": {"initContainers": [beside]}})
    one.apply()
    one.ready()
    assert [c["started"] for c in one.pod()["status"]["initContainerStatuses"]] == [True]
    first = one.get()["status"]["runningHash"]
    with Load(kafka, one.topic) as load:
        time.sleep(2)
        one.apply(window={"tumbling": {"size": "2s"}})
        one.ready()
        second = one.get()["status"]["runningHash"]
        one.apply(filter="event IN ('impression', 'click') AND TRUE")
        one.ready()
        time.sleep(2)
    exact(one, load.passing)
    assert len({first, second, one.get()["status"]["runningHash"]}) == 3

    def files():
        return [c["metadata"]["name"] for c in one.job_files()]

    # The one before is kept, for a window might be pending under it; the first is gone.
    template = json.dumps(one.children("deployments")[0]["spec"]["template"])
    wait_for(lambda: len(files()) > 1 and all(name in template for name in files()), 60, files)


def test_suspend_and_resume(kafka, job, exact, kstatus):
    one = job("suspend")
    one.apply()
    one.ready()
    passing = produce(kafka, one, 11)
    exact(one, passing)
    one.apply(suspend=True)
    one.shows(30, Ready=("True", "Suspended"), Reconciling="False")
    wait_for(lambda: not one.pods(), 30, "no pods")
    assert kstatus(one.get()).startswith("Current"), "what was asked for is there"
    passing += produce(kafka, one, 12)
    one.apply(suspend=False)
    one.ready()
    exact(one, passing)


def test_a_source_that_has_an_end(cluster, kstatus):
    """The pod stays until the operator has seen it: nothing is read twice, and the pod goes."""
    manifest = yaml.safe_load((ROOT / "examples" / "bucket-datagen.yaml").read_text())
    manifest["metadata"]["name"] = bucket.unique("ends")
    manifest["spec"]["source"]["datagen"]["rows"] = 10000
    cluster.namespace("reco")
    one = Job(cluster, manifest, "reco")
    one.apply()
    try:
        one.shows(60, Ready=("True", "Succeeded"), Succeeded="True")
        wait_for(lambda: not one.children("pods"), 30, "the pod goes")
        assert one.get()["status"]["rows"]["in"] == 10000
        assert kstatus(one.get()).startswith("Current")
    finally:
        one.delete()


def test_bad_spec_and_repair(kafka, job, exact, kstatus):
    one = job("bad-spec")
    one.apply()
    one.ready()
    pod = one.pod()["metadata"]["uid"]
    one.apply(filter="event INN ('impression')", having="no_such > 0")
    seen = one.shows(Stalled=("True", "InvalidSpec", "spec.filter"), Ready=("False", "InvalidSpec"))
    assert "spec.having" in seen["Stalled"]["message"]
    assert kstatus(one.get()).startswith("Failed")
    passing = produce(kafka, one, 21)
    exact(one, passing)  # the last good job goes on
    assert one.pod()["metadata"]["uid"] == pod
    one.apply(filter="event IN ('impression', 'click')", having=None)
    one.ready()
    assert one.pod()["metadata"]["uid"] == pod


BROKEN = """
import no_such_module
from pyflink.table.udf import udf


@udf(result_type="DOUBLE")
def twice(x):
    return 2 * x
"""


def test_a_spec_that_cannot_run_is_left_again(kafka, job, exact, kstatus):
    """With `rollback: auto` the pods go back to the last spec with which data flowed; no row is lost or counted twice on the way."""
    one = job("back", rollback="auto", progressDeadline="5s")
    one.apply()
    one.ready()
    exact(one, passing := produce(kafka, one, 61))
    first = one.get()["status"]["runningHash"]
    code = {"name": "twice", "kind": "scalar", "language": "python", "entrypoint": "m:twice", "code": {"inline": BROKEN}}
    one.apply(functions=[code], select=[{"name": "doubled", "expr": "twice(latency_ms)"}])
    passing += produce(kafka, one, 62)
    seen = one.shows(120, Stalled=("True", "RolledBack", "no_such_module"), Ready=("False", "RolledBack"))
    assert "generation 1" in seen["Stalled"]["message"]
    passing += produce(kafka, one, 63)
    exact(one, passing)  # by the spec of before
    wait_for(lambda: one.get()["status"].get("runningHash") == first, 60, lambda: one.get()["status"])
    status = one.get()["status"]
    assert status["specHash"] != first and status["rollback"]["generation"] == status["observedGeneration"]
    assert kstatus(one.get()).startswith("Failed")
    one.apply(functions=None, select=None, window={"tumbling": {"size": "2s"}})
    one.ready()
    exact(one, passing + produce(kafka, one, 64))


def test_the_api_server_refuses_what_a_schema_can_say(job):
    one = job("refused", partitions=0)
    for spec, words in (({"parallelism": 2}, "more than one pod is not possible yet"), ({"sinks": []}, "spec.sinks")):
        kept = {key: one.manifest["spec"].get(key) for key in spec}
        done = one.apply(check=False, **spec)
        assert done.returncode and words in done.stderr
        one.manifest["spec"].update({key: value for key, value in kept.items() if value is not None})
        one.manifest["spec"].pop("parallelism", None)


def test_delete_with_the_gateways_group(kafka, gateway, job, exact):
    one = job("delete", deletionPolicy={"pushgateway": "Delete", "timeout": "30s"})
    one.apply()
    one.ready()
    exact(one, produce(kafka, one, 31))
    one.delete(cascade="foreground")  # the garbage collector takes all that the clean-up might need
    assert bucket.gateway_sums(gateway, one.name) == {}
    for kind in "deployments", "configmaps", "services", "serviceaccounts", "networkpolicies", "pods":
        wait_for(lambda: not one.children(kind), 40, lambda: f"{kind} gone: {one.children(kind)}")


def test_delete_and_recreate(kafka, job, exact):
    one = job("recreate")
    one.apply()
    one.ready()
    passing = produce(kafka, one, 41)
    exact(one, passing)
    uid = one.get()["metadata"]["uid"]
    one.delete()
    one.apply()
    passing += produce(kafka, one, 42)
    one.ready()
    exact(one, passing)
    assert one.get()["metadata"]["uid"] != uid
    assert all(o["uid"] != uid for d in one.children("deployments") for o in d["metadata"]["ownerReferences"])


def test_pod_killed(cluster, kafka, job, exact):
    one = job("killed")
    one.apply()
    flowed = one.ready()["Ready"]["lastTransitionTime"]
    with Load(kafka, one.topic) as load:
        time.sleep(2.5)
        (process,) = cluster.processes(one.pod(), "streamjob")
        os.kill(process, signal.SIGKILL)
        wait_for(lambda: one.pod()["status"]["containerStatuses"][0]["restartCount"] == 1, 15, "a restart")
        wait_for(lambda: one.condition("Ready")["lastTransitionTime"] != flowed, 15, "Ready is False for a while")
    one.ready()
    exact(one, load.passing)
    ended = f"container streamjob of pod {one.pod()['metadata']['name']} ended (Error, exit code 137, 1 restarts)"
    assert one.get()["status"]["lastError"]["message"].startswith(ended)


def test_gateway_away(cluster, kafka, gateway, job, exact):
    one = job("no-gateway")
    one.apply()
    one.ready()
    passing = produce(kafka, one, 51)
    exact(one, passing)
    time.sleep(1.5)  # the gateway writes its state once a second
    gateway.stop()
    try:
        passing += produce(kafka, one, 52)
        one.shows(Ready=("False", "SinkFailing", "pushgateway:9091"), SinksHealthy="False")
        doomed = job("no-gateway-gone", deletionPolicy={"pushgateway": "Delete", "timeout": "8s"})
        doomed.apply()
        wait_for(lambda: doomed.get()["metadata"].get("finalizers"), 15, "the finalizer")
        doomed.delete(wait=False)
        wait_for(lambda: not doomed.get(), 40, "a dead gateway does not hold a deletion")
    finally:
        gateway.start()
    one.ready()
    exact(one, passing)


def test_kafka_away(kafka, job, exact):
    one = job("no-kafka")
    one.apply()
    one.ready()
    passing = produce(kafka, one, 61)
    exact(one, passing)
    kafka.stop()
    try:
        one.shows(Ready=("False", "SourceUnavailable"))
    finally:
        kafka.start()
    one.ready()
    passing += produce(kafka, one, 62)
    exact(one, passing)


def test_wrong_topic(kafka, job, exact):
    one = job("no-topic", partitions=0)
    one.apply()
    one.shows(Ready=("False", "SourceUnavailable", one.topic))
    kafka.create_topic(one.topic, partitions=bucket.PARTITIONS)
    one.ready()
    exact(one, produce(kafka, one, 71))


def secret(name, password):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "reco"},
            "stringData": {"username": "job", "password": password}}


def test_wrong_secret(cluster, kafka, job, exact):
    """A Secret that is not there, and one with a wrong password. Both recover once it is right: the kubelet takes a minute or
    so to look at a Secret again, so they wait together."""
    absent, wrong = jobs = job("no-secret"), job("wrong-secret")
    for one in jobs:
        one.manifest["spec"]["source"]["kafka"].update(
            bootstrapServers="kafka-sasl:9093",
            security={"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "credentialsSecretRef": {"name": one.name}})
    cluster.apply(secret(wrong.name, "hunter2"))
    for one in jobs:
        one.apply()
    absent.shows(Ready=("False", "PodFailing", absent.name))
    seen = wrong.shows(Ready=("False", "SourceUnavailable", "uthentication"))["Ready"]
    assert "hunter2" not in json.dumps(wrong.get()["status"]), seen
    for one in jobs:
        cluster.apply(secret(one.name, "right"))
    for one in jobs:
        one.ready(180)
    for seed, one in enumerate(jobs, 81):
        exact(one, produce(kafka, one, seed))


@pytest.mark.parametrize("what", ["edited", "deleted"])
def test_drift(cluster, job, what):
    one = job("drift", suspend=True)
    one.apply()
    one.shows(30, Ready=("True", "Suspended"))
    children = {kind: one.children(kind)[0]["metadata"]["name"] for kind in ("deployment", "service", "networkpolicy", "serviceaccount", "configmap")}
    if what == "deleted":
        for kind, name in children.items():
            uid = cluster.get(kind, name, one.namespace)["metadata"]["uid"]
            cluster.kubectl("-n", one.namespace, "delete", kind, name, "--wait=false")
            wait_for(lambda: (cluster.get(kind, name, one.namespace) or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid, 20, f"{kind} back")
        return
    cluster.kubectl("-n", one.namespace, "annotate", "deployment", children["deployment"], "example.com/team=blue")
    cluster.kubectl("-n", one.namespace, "set", "image", f"deployment/{children['deployment']}", "streamjob=example.com/evil:1")
    cluster.kubectl("-n", one.namespace, "patch", "service", children["service"], "-p", '{"spec":{"ports":[{"name":"status","port":8080,"targetPort":1}]}}')

    def repaired():
        deployment = cluster.get("deployment", children["deployment"], one.namespace)
        service = cluster.get("service", children["service"], one.namespace)
        return (deployment["spec"]["template"]["spec"]["containers"][0]["image"].startswith("streamjob/runtime:")
                and deployment["metadata"]["annotations"]["example.com/team"] == "blue"
                and service["spec"]["ports"][0]["targetPort"] == "status")

    wait_for(repaired, 20, "the edits are undone, the other manager's annotation stays")
