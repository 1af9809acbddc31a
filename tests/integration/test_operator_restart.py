"""Operators come and go; what they say of a job that runs stays."""

import contextlib
import http.client
import json
import socket
import ssl
import threading

import pytest

from servers.kubernetes import Operator, eventually
from servers.proxy import ApiProxy
from test_operator import FLOWS, Job, Runtime, cluster, make_pod, namespace, running, runtime, spec_hash  # noqa: F401

LEADS = 'leader_election_master_status{name="streamjob-operator"}'
RESTARTS, LEADERS = 20, 4


class Asked(Runtime):
    """A runtime that takes its time, and counts who asks."""

    def __init__(self):
        self.asked = 0
        super().__init__()
        handler, owner = self.server.RequestHandlerClass, self
        answer = handler.do_GET

        def count(request):
            threading.Event().wait(0.15)
            with contextlib.suppress(OSError):  # an operator was killed
                answer(request)
            owner.asked += 1

        handler.do_GET = count

    def asked_again(self):
        before = self.asked
        eventually(lambda: self.asked > before, "the pod is asked")


class Seen:
    """Every version of a StreamJob from now on, as `kubectl get -w` is told them: its conditions and its ready pods."""

    def __init__(self, job):
        self.versions = []
        path = job.path.rpartition("/")[0] + "?watch=true&timeoutSeconds=120"
        context = ssl.create_default_context(cafile=str(job.cluster.api.folder / "ca.crt"))
        self.connection = http.client.HTTPSConnection("127.0.0.1", job.cluster.api.port, context=context)
        self.connection.request("GET", path, headers={"Authorization": "Bearer admin-token"})
        threading.Thread(target=self.read, daemon=True).start()
        eventually(lambda: self.versions, "the first version")

    def read(self):
        for line in self.connection.getresponse():
            status = json.loads(line)["object"]["status"]
            conditions = {(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]}
            self.versions.append((conditions, status["readyReplicas"]))

    def stop(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def ended():
    """Whatever a test starts: stopped at its end."""
    with contextlib.ExitStack() as stack:
        yield lambda thing: stack.callback(thing.stop) and thing


def test_a_change_of_leader_or_a_restart_is_no_transition(cluster, namespace, tmp_path, ended):  # noqa: F811
    one, pages = Job(cluster, namespace), Asked()
    elected = ["--namespace", namespace, "--leader-election-namespace", namespace, "--cluster-id", "test"]
    operators = [ended(Operator(tmp_path, cluster, elected, name)) for name in ("one", "two")]
    alone = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", "--cluster-id", "test"], "alone")
    ended(alone)
    pages.document = FLOWS
    one.apply()
    operators[0].start()
    one.wait("Ready", "False", "Progressing")
    make_pod(one, pages.port, running())
    one.wait("Ready", "True", "Running")
    operators[1].start()
    transition = one.condition("Ready")["lastTransitionTime"]
    seen = ended(Seen(one))
    for change in range(LEADERS):
        leader, next_one = operators[change % 2], operators[(change + 1) % 2]
        leader.stop()
        eventually(lambda o=next_one: o.metric(LEADS) == 1, "the other leads")
        pages.asked_again()
        leader.start()
    for operator in operators:
        operator.stop()
    for life in range(RESTARTS):
        alone.start()
        pages.asked_again()
        if life % 2:
            alone.stop()
        else:
            alone.kill()
    pages.close()
    assert all(version == seen.versions[0] for version in seen.versions), seen.versions
    assert one.condition("Ready")["lastTransitionTime"] == transition
    events = cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
    assert {e["reason"] for e in events} <= {"Running", "Progressing"}
    assert not [e for e in events if e.get("series")], "no Event comes again"


def test_a_new_leader_does_not_act_on_what_it_saw_before(cluster, namespace, tmp_path, ended):  # noqa: F811
    """Its watch of StreamJobs is late: what the leader before it did is not undone."""
    job, proxy = Job(cluster, namespace), ApiProxy(cluster)
    arguments = ["--namespace", namespace, "--leader-election-namespace", namespace, "--cluster-id", "test"]
    first = ended(Operator(tmp_path, cluster, arguments, "first"))
    second = ended(Operator(tmp_path, cluster, arguments, "second", server=proxy.url))
    first.start()
    job.apply()
    job.wait("Ready", "False", "Progressing")
    second.start()
    eventually(lambda: second.page("/readyz")[0] == 200, "the second has its lists")
    proxy.holds = lambda path: "/streamjobs" in path
    job.apply(filter="bucket = 'a'")
    eventually(lambda: spec_hash(job.deployment()) == job.get()["status"]["specHash"] and job.condition("Ready")["observedGeneration"] == 2, "the new spec")
    wanted, generation = spec_hash(job.deployment()), job.deployment()["metadata"]["generation"]
    first.stop()
    looks = 'controller_runtime_reconcile_time_seconds_count{controller="streamjob"}'
    eventually(lambda: second.metric(LEADS) == 1 and second.page("/readyz")[0] == 200 and second.metric(looks) > 0, "the second leads and works", 60)
    eventually(lambda: second.metric('workqueue_depth{name="streamjob"}') == 0, "it has looked")
    assert (spec_hash(job.deployment()), job.deployment()["metadata"]["generation"]) == (wanted, generation)
    assert job.condition("Ready")["observedGeneration"] == 2
    proxy.holds = lambda path: False
    job.apply(suspend=True)
    job.wait("Ready", "True", "Suspended")
    second.stop()
    proxy.close()


COMPILED = "streamjob_operator_specs_compiled_total"


class Kept:
    """What the operator keeps of checked specs, as ConfigMaps of a namespace."""

    def __init__(self, cluster, namespace):  # noqa: F811
        self.cluster, self.path = cluster, f"/api/v1/namespaces/{namespace}/configmaps"

    def shards(self):
        items = self.cluster.request("GET", self.path)["items"]
        return {item["metadata"]["name"]: item["data"] for item in items if "-checked-" in item["metadata"]["name"]}

    def rows(self):
        return {job: row for data in self.shards().values() for job, row in json.loads(data["specs.json"]).items()}

    def put(self, name, data):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        path = f"{self.path}/{name}?fieldManager=test&force=true"
        self.cluster.request("PATCH", path, manifest, "application/apply-patch+yaml")


def disturb(good, bad):
    """Something of each to mend, by which a look is known to have been: gives what waits for that."""
    for job in good:
        job.cluster.request("DELETE", f"/api/v1/namespaces/{job.namespace}/services/{job.name}")
    said = bad.condition("Stalled")
    wrong = [c | {"reason": "Wrong", "message": "x"} for c in bad.get()["status"]["conditions"]]
    bad.cluster.request("PATCH", bad.path + "/status", {"status": {"conditions": wrong}}, "application/merge-patch+json")

    def wait():
        for job in good:
            eventually(lambda j=job: j.children("services"), "the Service is there again")
        eventually(lambda: bad.condition("Stalled")["message"] == said["message"], "the condition is right again")
        assert bad.condition("Ready")["reason"] == "InvalidSpec"

    return wait


def test_no_spec_is_compiled_again_after_a_restart(cluster, namespace, tmp_path, ended):  # noqa: F811
    """What its expressions were found to be is kept where only the operator writes."""
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace + "-home"}})
    same, changed, bad, gone = (Job(cluster, namespace, name) for name in ("same", "changed", "bad", "gone"))
    arguments = ["--namespace", namespace, "--leader-election-namespace", namespace + "-home", "--leader-elect=false"]
    operator = ended(Operator(tmp_path, cluster, [*arguments, "--cluster-id", "test"]))
    kept = Kept(cluster, namespace + "-home")
    operator.start()
    for job in same, changed, gone:
        job.apply(suspend=True)
    bad.apply(filter="absent > 1", suspend=True)
    for job in same, changed, gone:
        job.wait("Ready", "True", "Suspended")
    assert "absent" in bad.wait("Stalled", "True", "InvalidSpec")["message"]
    assert operator.metric(COMPILED) == 4
    operator.stop()
    assert set(kept.rows()) == {f"{namespace}/{job.name}" for job in (same, changed, bad, gone)}

    mended = disturb([same], bad)
    changed.apply(filter="bucket = 'a'", suspend=True)
    gone.delete()
    operator.start()
    mended()
    changed.wait("Ready", "True", "Suspended")
    assert operator.metric(COMPILED) == 1
    operator.stop()
    assert set(kept.rows()) == {f"{namespace}/{job.name}" for job in (same, changed, bad)}

    # A tenant may write what it likes where it may write; and what another program wrote, or is damaged, is nothing.
    mended, honest = disturb([same, changed], bad), kept.rows()
    specs = sum(len(row) for row in honest.values())  # the changed job's file before is one of them
    assert specs >= 3 and kept.rows()[f"{namespace}/bad"]
    for name, data in kept.shards().items():
        rows = json.loads(data["specs.json"])
        forged = {job: {key: [] for key in row} for job, row in rows.items()}
        Kept(cluster, namespace).put(name, data | {"specs.json": json.dumps(forged)})
        damaged = {job: {key: [["spec.filter", "0"], 7] for key in row} for job, row in rows.items()}
        of_bad = f"{namespace}/bad" in rows
        kept.put(name, data | ({"specs.json": json.dumps(damaged)} if of_bad else {"program": "another", "specs.json": json.dumps(forged)}))
    operator.start()
    mended()
    assert operator.metric(COMPILED) == specs
    operator.stop()
    assert kept.rows() == honest


def test_metrics_have_the_figures_that_the_pod_last_told(cluster, namespace, tmp_path, ended, runtime):  # noqa: F811
    """The status has them once in --figures."""
    job = Job(cluster, namespace)
    operator = ended(Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", "--figures", "1h", "--cluster-id", "test"]))
    lag, window = (f'streamjob_job_{one}{{namespace="{namespace}",name="home"}}' for one in ("lag", "last_window_end_seconds"))
    operator.start()
    job.apply()
    runtime.document = FLOWS
    eventually(job.deployment, "the Deployment")
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")
    assert operator.metric(lag) == job.get()["status"]["lag"] == 11
    runtime.document = FLOWS | {"lag": 4711, "lastWindow": {"start": "2033-05-18T03:33:10Z", "end": "2033-05-18T03:33:20Z"}}
    eventually(lambda: operator.metric(lag) == 4711 and operator.metric(window) == 2000000000, "what the pod says now")
    runtime.document = runtime.document | {"lag": 5, "owner": {"role": "standby"}}  # it is not the job any more
    job.wait("Ready", "False", "StandingBy")
    assert operator.metric(lag) == 4711
    assert job.get()["status"].get("lag") in (11, None)
    job.delete()
    eventually(lambda: operator.metric(lag) is None, "a job that is gone has no figures")
