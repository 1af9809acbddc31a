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
