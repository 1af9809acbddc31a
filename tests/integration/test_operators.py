"""More than one operator, and the life of an installation: classes, namespaces by labels, upgrades in waves, rollback,
fields of a later CRD. A real API server; pods and their controllers are played by the test."""

import json

from servers.kubernetes import Operator, eventually
from test_operator import Job, cluster, namespace, runtime  # noqa: F401


def image_of(job):
    deployment = job.deployment()
    return deployment and deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def patch(job, body):
    job.cluster.request("PATCH", job.path, body, "application/merge-patch+json")


def looks(operator):
    return operator.metric('controller_runtime_reconcile_time_seconds_count{controller="streamjob"}')


def of_class(tmp_path, cluster, namespace, name, *arguments):  # noqa: F811
    """An operator whose jobs' pods run the image of its name."""
    return Operator(tmp_path, cluster, ["--namespace", namespace, "--runtime-image", name, *arguments], name)


def test_operators_of_two_classes_leave_each_others_jobs_alone(cluster, namespace, tmp_path):  # noqa: F811
    lease = ["--leader-election-namespace", namespace]
    plain, blue = Job(cluster, namespace, "plain"), Job(cluster, namespace, "blue")
    unknown = Job(cluster, namespace, "nobodys")
    plain.apply()
    blue.apply(**{"class": "blue"})
    unknown.apply(**{"class": "green"})
    assert "spec.class" in plain.apply(check=False, **{"class": ""}).stderr, "no class is no field, not an empty one"
    first = of_class(tmp_path, cluster, namespace, "none", *lease)
    second, third = (of_class(tmp_path, cluster, namespace, name, "--class", "blue", *lease) for name in ("blue1", "blue2"))
    with first, second:
        eventually(lambda: second.metric('leader_election_master_status{name="streamjob-operator-blue"}') == 1, "it leads its class")
        assert first.metric('leader_election_master_status{name="streamjob-operator"}') == 1
        with third:
            eventually(lambda: image_of(plain) == "none" and image_of(blue) == "blue1", "each has its own")
            assert third.metric('leader_election_master_status{name="streamjob-operator-blue"}') == 0, "one of a class works"
        metrics = first.page("/metrics")[1]
        assert 'name="plain"' in metrics and 'name="blue"' not in metrics
        patch(blue, {"spec": {"class": None}})
        eventually(lambda: image_of(blue) == "none", "it is handed over")
        patch(plain, {"spec": {"class": "blue"}})
        eventually(lambda: image_of(plain) == "blue1", "and the other way round")
        version = plain.deployment()["metadata"]["resourceVersion"]
        patch(blue, {"spec": {"suspend": True}})  # the first one works on, but not on what it gave away
        blue.wait("Ready", "False", "Suspended")
        assert plain.deployment()["metadata"]["resourceVersion"] == version
        assert unknown.deployment() is None and "status" not in unknown.get()


def test_namespaces_by_their_labels(cluster, namespace, tmp_path):  # noqa: F811
    other = namespace + "-b"
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": other, "labels": {"team": "reco"}}})

    def label(name, team):
        path = f"/api/v1/namespaces/{name}"
        cluster.request("PATCH", path, {"metadata": {"labels": {"team": team}}}, "application/merge-patch+json")

    hidden, seen = Job(cluster, namespace), Job(cluster, other)
    hidden.apply()
    seen.apply()
    arguments = ["--namespace-selector", "team=reco", "--leader-elect=false", "--cluster-id", "test"]
    with Operator(tmp_path, cluster, arguments) as operator:
        seen.wait("Ready", "False", "Progressing")
        assert hidden.deployment() is None
        label(namespace, "reco")
        hidden.wait("Ready", "False", "Progressing")
        label(other, "else")
        eventually(lambda: f'namespace="{other}"' not in operator.page("/metrics")[1], "it is out of sight")
        before = seen.deployment()["metadata"]["resourceVersion"]
        seen.apply(suspend=True)
        hidden.apply(suspend=True)
        hidden.wait("Ready", "False", "Suspended")
        assert seen.deployment()["metadata"]["resourceVersion"] == before, "what runs there goes on as it was"
        label(other, "reco")
        seen.wait("Ready", "False", "Suspended")
