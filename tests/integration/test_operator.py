"""The operator against a real API server. Pods and their controllers are played by the test."""

import copy
import json

import pytest
from servers import free_port
from servers.kubernetes import Kubernetes, Operator, eventually

SPEC = {
    "source": {"kafka": {"bootstrapServers": "kafka:9092", "topic": "events"}},
    "columns": [{"name": "bucket", "type": "STRING"}],
    "window": {"tumbling": {"size": "1m"}},
    "groupBy": ["bucket"],
    "aggregates": [{"name": "n", "expr": "COUNT(*)"}],
    "sinks": [
        {
            "pushgateway": {
                "url": "http://pushgateway:9091",
                "job": "home",
                "metrics": [{"name": "n", "type": "gauge", "value": "n", "labels": ["bucket"]}],
            }
        }
    ],
}
CHILDREN = {
    "deployments": "/apis/apps/v1",
    "configmaps": "/api/v1",
    "services": "/api/v1",
    "serviceaccounts": "/api/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "jobs": "/apis/batch/v1",
}
OURS = "labelSelector=app.kubernetes.io/managed-by%3Dstreamjob-operator"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Kubernetes(tmp_path_factory.mktemp("kubernetes")) as one:
        one.install_crd()
        yield one


@pytest.fixture
def namespace(cluster, request):
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()[:60].rstrip("-")
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture
def operator(cluster, namespace, tmp_path):
    one = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"])
    one.start()
    yield one
    one.stop()
    assert one.process.returncode == 0


class Job:
    """A StreamJob and what belongs to it."""

    def __init__(self, cluster, namespace, name="home"):
        self.cluster, self.namespace, self.name = cluster, namespace, name
        self.path = f"/apis/streamjob.dev/v1alpha1/namespaces/{namespace}/streamjobs/{name}"

    def apply(self, check=True, **changes):
        spec = copy.deepcopy(SPEC) | changes
        manifest = {
            "apiVersion": "streamjob.dev/v1alpha1",
            "kind": "StreamJob",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": spec,
        }
        return self.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest), check=check)

    def get(self):
        return self.cluster.request("GET", self.path)

    def delete(self):
        self.cluster.request("DELETE", self.path)

    def condition(self, type):
        status = (self.get() or {}).get("status", {})
        return next((c for c in status.get("conditions", []) if c["type"] == type), None)

    def wait(self, type, status, reason):
        def there():
            one, generation = self.condition(type), self.get()["metadata"]["generation"]
            return one and (one["status"], one["reason"], one["observedGeneration"]) == (status, reason, generation) and one

        try:
            return eventually(there, f"{type}={status} {reason}")
        except TimeoutError:
            raise AssertionError(f"not {type}={status} {reason}, but {json.dumps(self.get(), indent=1)}") from None

    def children(self, plural):
        path = f"{CHILDREN[plural]}/namespaces/{self.namespace}/{plural}?{OURS}"
        uid = self.get()["metadata"]["uid"]
        items = self.cluster.request("GET", path)["items"]
        return [i for i in items if any(o["uid"] == uid for o in i["metadata"].get("ownerReferences", []))]

    def deployment(self):
        return next(iter(self.children("deployments")), None)


@pytest.fixture
def job(cluster, namespace):
    return Job(cluster, namespace)


def test_apply_makes_children(job, operator):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    assert {plural: len(job.children(plural)) for plural in CHILDREN} == {
        "deployments": 1,
        "configmaps": 1,
        "services": 1,
        "serviceaccounts": 1,
        "networkpolicies": 1,
        "jobs": 0,
    }
    status = job.get()["status"]
    assert status["specHash"] == job.deployment()["spec"]["template"]["metadata"]["annotations"]["streamjob.dev/spec-hash"]
    assert {c["type"] for c in status["conditions"]} == {"Ready", "Reconciling", "Stalled", "FunctionsHealthy", "SinksHealthy"}
