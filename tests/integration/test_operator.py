"""The operator against a real API server. Pods and their controllers are played by the test."""

import copy
import datetime
import hashlib
import http.server
import json
import os
import subprocess
import threading

import pytest

from servers.kubernetes import OPERATOR, Kubernetes, Operator, eventually
from servers.proxy import ApiProxy

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
    "poddisruptionbudgets": "/apis/policy/v1",
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

    def job_files(self):
        return [c for c in self.children("configmaps") if c["metadata"]["labels"]["app.kubernetes.io/component"] == "job-file"]

    def deployment(self):
        return next(iter(self.children("deployments")), None)


@pytest.fixture
def job(cluster, namespace):
    return Job(cluster, namespace)


@pytest.fixture
def runtime():
    one = Runtime()
    yield one
    one.close()


def test_apply_makes_children(job, operator):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    assert {plural: len(job.children(plural)) for plural in CHILDREN} == {
        "deployments": 1,
        "configmaps": 1,
        "services": 1,
        "serviceaccounts": 1,
        "networkpolicies": 1,
        "poddisruptionbudgets": 1,
        "jobs": 0,
    }
    status = job.get()["status"]
    assert status["specHash"] == job.deployment()["spec"]["template"]["metadata"]["annotations"]["streamjob.dev/spec-hash"]
    assert {c["type"] for c in status["conditions"]} == {"Ready", "Reconciling", "Stalled", "FunctionsHealthy", "SinksHealthy", "InputOK", "SpecUnderstood", "Updated"}


def settled(job, operator):
    """No key waits or is worked on, for a while."""

    def quiet():
        return operator.metric('workqueue_depth{name="streamjob"}') == 0

    eventually(quiet, "the queue is empty")
    return job.deployment()


def spec_hash(deployment):
    return deployment["spec"]["template"]["metadata"]["annotations"]["streamjob.dev/spec-hash"]


def rolled_out(job):
    """The Deployment's controller has seen what is asked for."""
    status = {"observedGeneration": job.deployment()["metadata"]["generation"]}
    path = f"/apis/apps/v1/namespaces/{job.namespace}/deployments/home/status"
    job.cluster.request("PATCH", path, {"status": status}, "application/merge-patch+json")


def previous_files(job):
    """The hashes of the job files before this one that the pods are given, in the order of the arguments."""
    spec = job.deployment()["spec"]["template"]["spec"]
    arguments, volumes = spec["containers"][0]["args"], {v["name"]: v for v in spec["volumes"]}
    mounts = {m["mountPath"]: volumes[m["name"]] for m in spec["containers"][0]["volumeMounts"]}
    files = [value for name, value in zip(arguments, arguments[1:]) if name == "--previous"]
    for file in files:
        folder, hash = file.removesuffix("/job.json"), file.split("/")[-2]
        assert folder == f"/etc/streamjob/previous/{hash}"
        assert mounts[folder]["configMap"]["name"] == f"home-{hash}" and mounts[folder]["configMap"]["optional"]
    return [file.split("/")[-2] for file in files]


def test_update_keeps_the_old_job_file_and_gives_it_to_the_pods(job, operator, runtime):
    """A window that the old one began may have to be finished by it."""
    job.apply()
    job.wait("Ready", "False", "Progressing")
    first = spec_hash(job.deployment())
    assert previous_files(job) == []
    job.apply(filter="bucket = 'a'")
    eventually(lambda: spec_hash(job.deployment()) != first, "the Deployment has the new job file")
    second = spec_hash(job.deployment())
    assert {c["metadata"]["name"] for c in job.job_files()} == {f"home-{first}", f"home-{second}"}
    assert all(c["immutable"] for c in job.job_files())
    assert previous_files(job) == [first]
    rolled_out(job)
    runtime.document = FLOWS | {"ready": False, "notReadyPart": "starting", "notReadyReason": "window 7 is being finished by the job file before this one"}
    make_pod(job, runtime.port, container({"running": {"startedAt": now()}}, ready=False))
    eventually(lambda: "window 7 is being finished" in job.condition("Ready")["message"], "what the runtime says")
    job.wait("Ready", "False", "Starting")
    assert len(job.job_files()) == 2
    template = job.deployment()["spec"]["template"]
    runtime.document = FLOWS | {"owner": {"role": "owner", "process": "p"}, "life": "l", "sequence": 7, "specHash": second}
    set_pod_status(job, running())
    job.wait("Ready", "True", "Running")
    eventually(lambda: job.get()["status"]["place"] == {"life": "l", "sequence": 7, "specHash": second}, "whose the place is")
    assert job.deployment()["spec"]["template"] == template, "no pod is replaced as the earlier file is not needed any more"
    job.apply(filter="bucket = 'b'")
    eventually(lambda: spec_hash(job.deployment()) != second, "the Deployment has the third job file")
    third = spec_hash(job.deployment())
    assert previous_files(job) == [second]
    job.cluster.request("DELETE", f"/api/v1/namespaces/{job.namespace}/pods/home-1?gracePeriodSeconds=0")
    eventually(lambda: not job.cluster.request("GET", f"/api/v1/namespaces/{job.namespace}/pods")["items"], "the old pod is gone")
    rolled_out(job)
    make_pod(job, runtime.port, running())
    names = {f"home-{second}", f"home-{third}"}
    eventually(lambda: {c["metadata"]["name"] for c in job.job_files()} == names, "the first job file is collected")


def test_a_pending_window_can_be_given_up(job, operator):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    note = {"metadata": {"annotations": {"streamjob.dev/drop-pending": "0123456789abcdef"}}}
    job.cluster.request("PATCH", job.path, note, "application/merge-patch+json")
    arguments = lambda: job.deployment()["spec"]["template"]["spec"]["containers"][0]["args"]
    eventually(lambda: "--drop-pending=0123456789abcdef" in arguments(), "the pods give it up")


def test_bad_spec_touches_nothing(job, operator):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    before = settled(job, operator)
    job.apply(filter="bucket = ", having="n > 'x'")
    stalled = job.wait("Stalled", "True", "InvalidSpec")
    assert "spec.filter" in stalled["message"] and "spec.having" in stalled["message"]
    lines = job.cluster.kubectl("get", "streamjob", "home", "-n", job.namespace, "-o", "yaml").stdout.splitlines()
    line = next(int(p.split(":")[1]) for p in stalled["message"].splitlines() if "spec.filter" in p)
    assert "filter:" in lines[line - 1]
    assert job.deployment()["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    job.apply()
    job.wait("Stalled", "False", "NotStalled")


def test_more_than_one_pod_is_refused_by_the_api_server(job, operator):
    refused = job.apply(check=False, parallelism=2)
    assert refused.returncode and "more than one pod is not possible yet" in refused.stderr


def test_suspend_and_resume(job, operator):
    job.apply(suspend=True)
    job.wait("Ready", "True", "Suspended")
    job.wait("Reconciling", "False", "UpToDate")
    assert job.deployment()["spec"]["replicas"] == 0
    job.apply(parallelism=0)
    job.wait("Ready", "True", "Suspended")
    job.apply()
    eventually(lambda: job.deployment()["spec"]["replicas"] == 1, "the Deployment is scaled up")


def test_drift_is_repaired_and_others_fields_stay(job, operator):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    path = f"/apis/apps/v1/namespaces/{job.namespace}/deployments/home"
    edit = {
        "metadata": {"annotations": {"team.example/note": "mine"}, "labels": {"app.kubernetes.io/managed-by": None}},
        "spec": {"replicas": 5, "minReadySeconds": 7},
    }
    job.cluster.request("PATCH", path + "?fieldManager=someone", edit, "application/merge-patch+json")
    eventually(lambda: job.deployment() and job.deployment()["spec"]["replicas"] == 1, "replicas are repaired")
    assert job.deployment()["metadata"]["annotations"]["team.example/note"] == "mine"
    assert job.deployment()["spec"]["minReadySeconds"] == 7
    for plural in "services", "configmaps", "serviceaccounts", "networkpolicies", "deployments", "poddisruptionbudgets":
        old = job.children(plural)[0]["metadata"]
        job.cluster.request("DELETE", f"{CHILDREN[plural]}/namespaces/{job.namespace}/{plural}/{old['name']}")
        eventually(lambda p=plural, o=old: [c for c in job.children(p) if c["metadata"]["uid"] != o["uid"]], f"{plural} again")


def test_a_strangers_object_is_left_alone(cluster, job, operator):
    stranger = {"metadata": {"name": "home"}, "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80}]}}
    cluster.request("POST", f"/api/v1/namespaces/{job.namespace}/services", stranger)
    job.apply()
    ready = job.wait("Ready", "False", "ApplyFailed")
    assert "Service home" in ready["message"] and "does not belong" in ready["message"]
    assert cluster.request("GET", f"/api/v1/namespaces/{job.namespace}/services/home")["spec"]["selector"] == {"app": "theirs"}
    cluster.request("DELETE", f"/api/v1/namespaces/{job.namespace}/services/home")
    job.wait("Ready", "False", "Progressing")


def test_nothing_is_written_when_nothing_changes(cluster, namespace, tmp_path):
    job = Job(cluster, namespace)
    operator = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", "--resync", "300ms"])
    with operator:
        job.apply(
            resources={"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}},
            podTemplate={
                "metadata": {"labels": {"team": "reco"}},
                "spec": {
                    "nodeSelector": {},
                    "tolerations": [{"key": "a", "operator": "Exists"}],
                    "containers": [{"name": "streamjob", "env": [{"name": "TZ", "value": ""}]}, {"name": "side", "image": "x"}],
                    "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}],
                },
            },
        )
        job.wait("Ready", "False", "Progressing")
        before = settled(job, operator)
        version = job.get()["metadata"]["resourceVersion"]
        looks = operator.metric('controller_runtime_reconcile_time_seconds_count{controller="streamjob"}')
        eventually(
            lambda: operator.metric('controller_runtime_reconcile_time_seconds_count{controller="streamjob"}') > looks + 8,
            "resyncs",
        )
        # the first look alone wrote six objects
        assert operator.metric('controller_runtime_reconcile_time_seconds_sum{controller="streamjob"}') > 0.002
        writes = [line for line in operator.log().splitlines() if "msg=written" in line or 'msg="written"' in line]
        assert job.get()["metadata"]["resourceVersion"] == version
        assert job.deployment()["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        assert len(writes) == 6, writes
        containers = {c["name"]: c for c in before["spec"]["template"]["spec"]["containers"]}
        assert containers["streamjob"]["image"] == "streamjob:test" and "side" in containers


def finalizers(job):
    return job.get()["metadata"].get("finalizers", [])


CLEAN = {"deletionPolicy": {"pushgateway": "Delete", "timeout": "1h"}}


def cleanup_job(job):
    """It has no owner, for an owner's dependents go with it."""
    jobs = job.cluster.request("GET", f"/apis/batch/v1/namespaces/{job.namespace}/jobs?{OURS}")["items"]
    return next((j for j in jobs if j["metadata"]["labels"]["streamjob.dev/job-uid"] == job.get()["metadata"]["uid"]), None)


def end_job(job, type):
    one = eventually(lambda: cleanup_job(job), "the clean-up Job")
    assert one["spec"]["template"]["spec"]["containers"][0]["args"][0] == "cleanup"
    now = "2026-01-01T00:00:00Z"
    conditions = [{"type": t, "status": "True", "lastTransitionTime": now} for t in (type, {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[type])]
    status = {"conditions": conditions, "startTime": now} | ({"completionTime": now} if type == "Complete" else {})
    job.cluster.request(
        "PATCH", f"/apis/batch/v1/namespaces/{job.namespace}/jobs/{one['metadata']['name']}/status", {"status": status},
        "application/merge-patch+json",
    )  # fmt: skip


def collect(job):
    """What the garbage collector does to the dependents of a StreamJob that is deleted in the foreground."""
    for plural, root in CHILDREN.items():
        for child in job.children(plural):
            job.cluster.request("DELETE", f"{root}/namespaces/{job.namespace}/{plural}/{child['metadata']['name']}")


@pytest.mark.parametrize("end", ["Complete", "Failed"])
@pytest.mark.parametrize("way", ["Background", "Foreground"])
def test_deletion_cleans_the_gateway(job, operator, way, end):
    job.apply(**CLEAN)
    eventually(lambda: "streamjob.dev/pushgateway" in finalizers(job), "the finalizer")
    job.wait("Ready", "False", "Progressing")
    file = job.job_files()[0]["data"]["job.json"]
    job.cluster.request("DELETE", f"{job.path}?propagationPolicy={way}")
    if way == "Foreground":
        collect(job)
    pod = eventually(lambda: cleanup_job(job), "the clean-up Job")["spec"]["template"]
    assert pod["metadata"]["annotations"]["streamjob.dev/job-file"] == file and "serviceAccountName" not in pod["spec"]
    collect(job)
    words = {
        "metadata": {"name": "home.quota", "namespace": job.namespace}, "type": "Warning", "reason": "FailedCreate", "action": "x",
        "eventTime": now().replace("Z", ".000000Z"), "note": "pods \"home\" is forbidden: exceeded quota: compute-resources",
        "reportingController": "job-controller", "reportingInstance": "n",
        "regarding": {"kind": "Job", "namespace": job.namespace, "name": "home", "uid": cleanup_job(job)["metadata"]["uid"]},
    }  # fmt: skip
    job.cluster.request("POST", f"/apis/events.k8s.io/v1/namespaces/{job.namespace}/events", words)
    assert "exceeded quota" in job.wait("Ready", "False", "CleanupFailing")["message"]
    end_job(job, end)
    if way == "Foreground":
        eventually(lambda: finalizers(job) == ["foregroundDeletion"], "the finalizer is gone")
        job.cluster.request("PATCH", job.path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    eventually(lambda: job.get() is None, "the StreamJob is gone")
    events = job.cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{job.namespace}/events")["items"]
    wanted = {"Complete": ("Normal", "PushgatewayCleaned"), "Failed": ("Warning", "CleanupFailed")}[end]
    eventually(
        lambda: [
            e
            for e in job.cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{job.namespace}/events")["items"]
            if (e["type"], e["reason"]) == wanted
        ],
        f"the Event {wanted}, not {[(e['reason'], e['note']) for e in events]}",
    )


def test_a_deletion_ends_at_its_deadline(job, operator):
    job.apply(deletionPolicy={"pushgateway": "Delete", "timeout": "2s"})
    eventually(lambda: finalizers(job), "the finalizer")
    job.delete()
    eventually(lambda: job.get() is None, "the StreamJob is gone")


def test_policy_keep_takes_the_finalizer_away(job, operator):
    job.apply(**CLEAN)
    eventually(lambda: finalizers(job), "the finalizer")
    job.apply()
    eventually(lambda: not finalizers(job), "no finalizer")


def test_delete_and_recreate_under_one_name(job, operator):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    old = job.get()["metadata"]["uid"]
    job.delete()  # no garbage collector here: the operator meets everything of the old one
    job.apply()
    job.wait("Ready", "False", "Progressing")
    eventually(lambda: all(job.children(p) for p in CHILDREN if p != "jobs"), "children of the new StreamJob")
    owners = [o["uid"] for p in CHILDREN for c in job.children(p) for o in c["metadata"]["ownerReferences"]]
    assert old not in owners


def test_deleted_before_the_first_look(cluster, namespace, tmp_path):
    job = Job(cluster, namespace)
    job.apply(**CLEAN)
    job.delete()
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"]) as operator:
        eventually(lambda: operator.page("/readyz")[0] == 200, "ready")
        other = Job(cluster, namespace, "other")
        other.apply()
        other.wait("Ready", "False", "Progressing")
        listed = cluster.request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments?{OURS}")["items"]
        assert [d["metadata"]["name"] for d in listed] == ["other"]


def test_a_namespace_that_ends(cluster, namespace, tmp_path):
    job = Job(cluster, namespace)
    job.apply(**CLEAN)
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"]) as operator:
        eventually(lambda: finalizers(job), "the finalizer")
        job.wait("Ready", "False", "Progressing")
        cluster.request("DELETE", f"/api/v1/namespaces/{namespace}")  # no namespace controller: it stays Terminating
        cluster.request("DELETE", f"/api/v1/namespaces/{namespace}/services/home")
        eventually(lambda: "being" in operator.log() or operator.metric('controller_runtime_reconcile_total{controller="streamjob",result="requeue"}'), "a refusal")
        looks = operator.metric('controller_runtime_reconcile_time_seconds_count{controller="streamjob"}')
        job.delete()
        eventually(lambda: job.get() is None, "the finalizer does not hold the namespace up")
        assert operator.metric('controller_runtime_reconcile_time_seconds_count{controller="streamjob"}') < looks + 20


def argument(job, name):
    arguments = job.deployment()["spec"]["template"]["spec"]["containers"][0]["args"]
    return arguments[arguments.index(name) + 1]


def made_id(cluster, namespace):
    return cluster.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/streamjob-cluster-id")["data"]["id"]


def test_a_cluster_id_that_is_none(cluster, namespace, tmp_path):
    """No job is made a stranger to its own offsets by another id: the operator waits for the right one."""
    job, path = Job(cluster, namespace), f"/api/v1/namespaces/{namespace}/configmaps"
    cluster.request("POST", path, {"metadata": {"name": "streamjob-cluster-id"}, "data": {"id": "a/b"}})
    arguments = ["--namespace", namespace, "--leader-elect=false", "--leader-election-namespace", namespace]
    with Operator(tmp_path, cluster, arguments) as operator:
        job.apply()
        eventually(lambda: "put back what it was, or give --cluster-id" in operator.log(), "words")
        assert not job.deployment()
        cluster.request("PATCH", f"{path}/streamjob-cluster-id", {"data": {"id": "home"}}, "application/merge-patch+json")
        eventually(job.deployment, "the Deployment")
        assert argument(job, "--owner-cluster") == "home"
    with Operator(tmp_path, cluster, [*arguments, "--cluster-id", "given"], "given"):
        eventually(lambda: argument(job, "--owner-cluster") == "given", "the id of the command line")


def test_two_operators_at_once(cluster, namespace, tmp_path):
    """Without election both work: every write is safe under that, and the cluster's id, which neither finds, is made once."""
    arguments = ["--namespace", namespace, "--leader-elect=false", "--leader-election-namespace", namespace]
    with Operator(tmp_path, cluster, arguments, "one"), Operator(tmp_path, cluster, arguments, "two"):
        jobs = [Job(cluster, namespace, f"home-{i}") for i in range(5)]
        for job in jobs:
            job.apply()
        for round in range(3):
            for job in jobs:
                job.apply(filter=f"bucket = '{round}'")
        for job in jobs:
            job.wait("Ready", "False", "Progressing")
            eventually(lambda j=job: spec_hash(j.deployment()) == j.get()["status"]["specHash"], "the last spec")
            assert argument(job, "--owner-cluster") == made_id(cluster, namespace)
            assert {p: len(job.children(p)) for p in CHILDREN if p != "configmaps"} == {p: int(p != "jobs") for p in CHILDREN if p != "configmaps"}


def test_a_crash_after_any_write(cluster, namespace, tmp_path):
    """Killed after write n, for every n there is: the next start leads to the same."""

    def life(n):
        job, proxy = Job(cluster, namespace, f"job-{n}"), ApiProxy(cluster)
        operator = Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"], f"life-{n}", server=proxy.url)
        reached = []

        def after_write(count, *_):
            if count == n:
                reached.append(count)
                operator.process.kill()

        proxy.after_write = after_write
        job.apply(**CLEAN)
        operator.start()
        try:
            eventually(lambda: reached or (job.condition("Ready") or {}).get("reason") == "Progressing", "the kill, or the end")
            if reached:
                operator.process.wait(20)
            else:
                operator.stop()
        finally:
            proxy.close()
        return job, bool(reached)

    n, jobs = 1, []
    while True:
        job, reached = life(n)
        jobs.append(job)
        if not reached:
            break
        n += 1
    assert n > 6  # a finalizer, five children, a status
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"], "last"):
        for job in jobs:
            job.wait("Ready", "False", "Progressing")
            assert {p: len(job.children(p)) for p in CHILDREN} == {p: int(p != "jobs") for p in CHILDREN}, job.name
            assert len(finalizers(job)) == 1


def test_the_crd_comes_later(tmp_path):
    with Kubernetes(tmp_path) as bare:
        with Operator(tmp_path, bare, ["--leader-elect=false"]) as operator:
            eventually(lambda: "streamjobs" in operator.page("/readyz")[1], "waits, and says for what")
            assert operator.page("/healthz")[0] == 200
            bare.install_crd()
            job = Job(bare, "default")
            job.apply()
            eventually(lambda: operator.page("/readyz")[0] == 200, "ready", 60)
            job.wait("Ready", "False", "Progressing")


def test_a_crd_that_is_newer(cluster, namespace, operator):
    crd = cluster.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/streamjobs.streamjob.dev")
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["fieldOfNextYear"] = {"type": "string"}
    cluster.request("PUT", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/streamjobs.streamjob.dev", crd)
    job = Job(cluster, namespace)

    def stored():
        job.apply(fieldOfNextYear="x")
        return "fieldOfNextYear" in job.get()["spec"]

    eventually(stored, "the API server knows the field")
    job.wait("Ready", "False", "Progressing")
    assert job.condition("Stalled")["status"] == "False"
    cluster.install_crd()


class Runtime:
    """Plays a pod's /status."""

    def __init__(self):
        self.document, owner = {}, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(owner.document).encode()
                self.send_response(200 if self.path == "/status" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


REVISION = "deployment.kubernetes.io/revision"


def controlled_by(owner):
    return [{"apiVersion": "apps/v1", "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}]


def replica_set(job):
    """The one that the Deployment's controller would make, and its mark on the Deployment."""
    deployment = job.deployment() | {"kind": "Deployment"}
    path = f"/apis/apps/v1/namespaces/{job.namespace}"
    template, deployed = deployment["spec"]["template"], deployment["metadata"]["name"]
    name = f"{deployed}-{hashlib.sha256(json.dumps(template, sort_keys=True).encode() + deployment['metadata']['uid'].encode()).hexdigest()[:10]}"
    one, at = job.cluster.request("GET", f"{path}/replicasets/{name}"), deployment["metadata"]["annotations"].get(REVISION, "0")
    if one and one["metadata"]["annotations"][REVISION] == at:
        return one | {"kind": "ReplicaSet"}
    mark = {"metadata": {"annotations": {REVISION: str(int(at) + 1)}}}
    if one:
        one = job.cluster.request("PATCH", f"{path}/replicasets/{name}", mark, "application/merge-patch+json")
    else:
        notes = {"annotations": deployment["metadata"]["annotations"] | mark["metadata"]["annotations"]}
        metadata = notes | {"name": name, "labels": template["metadata"]["labels"], "ownerReferences": controlled_by(deployment)}
        spec = {"replicas": 1, "selector": deployment["spec"]["selector"], "template": template}
        one = job.cluster.request("POST", f"{path}/replicasets", {"metadata": metadata, "spec": spec})
    marked = job.cluster.request("PATCH", f"{path}/deployments/{deployed}", mark, "application/merge-patch+json")
    seen = {"status": {"observedGeneration": marked["metadata"]["generation"]}}
    job.cluster.request("PATCH", f"{path}/deployments/{deployed}/status", seen, "application/merge-patch+json")
    return one | {"kind": "ReplicaSet"}


def make_pod(job, port, status):
    """A pod as the Deployment asks for it, but for the port; its status is ours."""
    template = job.deployment()["spec"]["template"]
    spec = {"containers": [{"name": "streamjob", "image": "x", "ports": [{"name": "status", "containerPort": port}]}]}
    metadata = template["metadata"] | {"name": "home-1", "namespace": job.namespace, "ownerReferences": controlled_by(replica_set(job))}
    path = f"/api/v1/namespaces/{job.namespace}/pods"
    pod = job.cluster.request("POST", path, {"metadata": metadata, "spec": spec})
    set_pod_status(job, status)
    return pod


def set_pod_status(job, status):
    job.cluster.request(
        "PATCH", f"/api/v1/namespaces/{job.namespace}/pods/home-1/status", {"status": status}, "application/merge-patch+json"
    )


def container(state, **more):
    return {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}], "containerStatuses": [
        {"name": "streamjob", "image": "x", "imageID": "", "ready": True, "restartCount": 3, "state": state} | more]}  # fmt: skip


def running():
    return container({"running": {"startedAt": now()}})


FLOWS = {
    "phase": "running", "ready": True, "uptimeSeconds": 60.0,
    "rows": {"in": 100, "filtered": 1, "bad": 2, "badFields": 9, "tombstones": 5, "late": 3, "out": 4},
    "recent": {"rowsPerSecond": 1234.5678, "badShare": 0.0203},
    "lastWindow": {"start": "2026-01-01T00:00:00.000Z", "end": "2026-01-01T00:01:00.000Z", "sequence": 7, "rows": 4},
    "sinks": [{"target": "pushgateway http://p", "healthy": True, "failures": 0,
               "lastAccepted": {"sequence": 7, "at": "2026-01-01T00:01:01.000Z"}}],
    "partitions": [{"topic": "events", "partition": 0, "lag": 5}, {"topic": "events", "partition": 1, "lag": 6}],
    "lastError": None,
}  # fmt: skip


def test_the_place_outlives_pods_and_operators(cluster, namespace, tmp_path, runtime):
    job, arguments = Job(cluster, namespace), ["--namespace", namespace, "--leader-elect=false"]
    runtime.document = FLOWS | {
        "life": "first", "sequence": 7, "owner": {"role": "owner", "process": "home-1/1", "since": "2026-01-01T00:00:00.000Z", "fenced": True},
        "input": {"ok": False, "reason": "BadRows", "message": "7 % of the rows"},
    }  # fmt: skip
    known = f"/api/v1/namespaces/{namespace}/configmaps/home-place"
    with Operator(tmp_path, cluster, arguments, "before"):
        job.apply()
        job.wait("Ready", "False", "Progressing")
        make_pod(job, runtime.port, running())
        assert job.wait("InputOK", "False", "BadRows")["message"] == "7 % of the rows"
        status = job.get()["status"]
        assert status["owner"] == {"process": "home-1/1", "since": "2026-01-01T00:00:00.000Z", "fenced": True, "standby": 0}
        assert status["place"] == {"life": "first", "sequence": 7}
        eventually(lambda: cluster.request("GET", known), "the ConfigMap of the place")
        number = status["rollout"]["number"]
        job.apply(suspend=True)
        job.wait("Ready", "False", "Draining")
        cluster.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/home-1?gracePeriodSeconds=0")
        job.wait("Ready", "True", "Suspended")
        cluster.request("DELETE", known)
        cluster.request("DELETE", f"/apis/apps/v1/namespaces/{namespace}/deployments/home")
    with Operator(tmp_path, cluster, arguments, "after"):
        job.apply()
        job.wait("Ready", "False", "Progressing")
        place = eventually(lambda: cluster.request("GET", known), "the ConfigMap of the place again")
        assert json.loads(place["data"]["known.json"]) == {"life": "first", "sequence": 7}
        eventually(lambda: job.deployment()["spec"]["replicas"] == 1, "it goes on")
        assert job.get()["status"]["rollout"]["number"] == number, "the same pods"
        job.apply(filter="bucket = 'a'")
        eventually(lambda: job.get()["status"]["rollout"]["number"] == number + 1, "the next number")
        assert job.deployment()["spec"]["template"]["metadata"]["annotations"]["streamjob.dev/rollout"] == str(number + 1)


def test_status_says_what_the_runtime_says(job, operator, runtime):
    runtime.document = FLOWS
    job.apply()
    job.wait("Ready", "False", "Progressing")
    make_pod(job, runtime.port, running())
    job.wait("Ready", "True", "Running")
    job.wait("Reconciling", "False", "UpToDate")
    status = job.get()["status"]
    assert status["lag"] == 11 and status["lastPush"] == "2026-01-01T00:01:01.000Z"
    assert status["lastWindow"] == FLOWS["lastWindow"]
    assert status["rows"] == {"in": 100, "filtered": 1, "bad": 2, "tombstones": 5, "late": 3, "out": 4}
    assert (status["rowsPerSecond"], status["badPercent"]) == (1230, 2.03)
    assert (status["replicas"], status["readyReplicas"]) == (1, 1)
    assert status["runningHash"] == status["specHash"]
    assert job.cluster.kubectl("wait", "--for=condition=Ready", "sj/home", "-n", job.namespace, "--timeout=5s").returncode == 0
    row = job.cluster.kubectl("get", "sj", "-n", job.namespace).stdout.splitlines()
    assert row[0].split() == ["NAME", "READY", "REASON", "PODS", "LAG", "ROWS/S", "BAD%", "LAST", "WINDOW", "AGE"]
    cells = row[1].split()
    assert cells[:7] == ["home", "True", "Running", "1", "11", "1230", "2.03"] and cells[7][-1] in "dyh", cells

    sick = FLOWS["sinks"][0] | {"healthy": False, "failures": 3, "lastError": "PUT: the gateway answered 503"}
    runtime.document = FLOWS | {"ready": False, "notReadyPart": "sink", "notReadyReason": "sink p: the gateway answered 503", "sinks": [sick]}
    assert "answered 503" in job.wait("Ready", "False", "SinkFailing")["message"]
    assert "answered 503" in job.wait("SinksHealthy", "False", "SinkFailing")["message"]
    assert job.get()["status"]["readyReplicas"] == 0

    runtime.document = FLOWS | {"ready": False, "notReadyPart": "source", "notReadyReason": "kafka:9092: no broker answers"}
    assert "no broker answers" in job.wait("Ready", "False", "SourceUnavailable")["message"]
    broken = {"name": "score", "healthy": False, "restarts": 2, "lastError": {"message": "time-out after 2s"}}
    runtime.document = FLOWS | {"functions": [broken]}
    assert "score" in job.wait("Ready", "False", "FunctionFailing")["message"]
    assert "time-out after 2s" in job.wait("FunctionsHealthy", "False", "FunctionFailing")["message"]
    runtime.document = FLOWS | {"ready": False, "notReadyPart": "window", "notReadyReason": "overdue"}
    job.wait("Ready", "False", "WindowOverdue")
    runtime.document = FLOWS
    job.wait("Ready", "True", "Running")
    events = job.cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{job.namespace}/events")["items"]
    assert {"SinkFailing", "SourceUnavailable", "FunctionFailing", "WindowOverdue", "Running"} <= {e["reason"] for e in events}
    ready = [e for e in events if e["reason"] == "Running"]
    assert len(ready) == 1, "the same Event again is one series"
    metrics = operator.page("/metrics")[1]
    assert f'streamjob_job_ready{{namespace="{job.namespace}",name="home"}} 1' in metrics
    assert f'streamjob_job_lag{{namespace="{job.namespace}",name="home"}} 11' in metrics


def test_status_says_why_a_pod_does_not_run(job, operator, runtime):
    job.apply()
    job.wait("Ready", "False", "Progressing")
    waits = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\""}}
    pod = make_pod(job, runtime.port, container(waits))
    assert "Back-off pulling" in job.wait("Ready", "False", "PodFailing")["message"]
    last = {"terminated": {"exitCode": 1, "reason": "Error", "message": "job failed: no such topic"}}
    set_pod_status(job, container({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}, lastState=last))
    eventually(lambda: "no such topic" in job.condition("Ready")["message"], "the runtime's last words", 60)
    set_pod_status(job, {"phase": "Pending", "containerStatuses": None})
    job.wait("Ready", "False", "Progressing")
    words = {
        "metadata": {"name": "home-1.x", "namespace": job.namespace}, "type": "Warning", "reason": "FailedMount", "action": "x",
        "eventTime": now().replace("Z", ".000000Z"), "note": 'secret "kafka-login" not found', "reportingController": "kubelet",
        "reportingInstance": "n", "regarding": {"kind": "Pod", "namespace": job.namespace, "name": "home-1", "uid": pod["metadata"]["uid"]},
    }  # fmt: skip
    job.cluster.request("POST", f"/apis/events.k8s.io/v1/namespaces/{job.namespace}/events", words)
    assert 'secret "kafka-login" not found' in job.wait("Ready", "False", "PodFailing")["message"]
    set_pod_status(job, running())
    runtime.document = FLOWS
    job.wait("Ready", "True", "Running")
    runtime.close()
    job.wait("Ready", "False", "StatusUnreachable")


def test_one_of_two_operators_leads(cluster, namespace, tmp_path):
    arguments = ["--namespace", namespace, "--leader-election-namespace", namespace]
    first, second, third = (Operator(tmp_path, cluster, arguments, name) for name in ("one", "two", "three"))
    lead = 'leader_election_master_status{name="streamjob-operator"}'
    first.start()
    eventually(lambda: first.metric(lead) == 1, "the first leads")
    second.start()
    job = Job(cluster, namespace)
    job.apply()
    job.wait("Ready", "False", "Progressing")
    assert second.metric(lead) == 0 and second.page("/healthz")[0] == 200
    third.start()
    eventually(lambda: third.page("/readyz")[0] == 200, "the third knows the job")
    third.stop()
    assert third.process.returncode == 0, "one that has never led has nothing to finish"
    first.stop()
    assert first.process.returncode == 0
    eventually(lambda: second.metric(lead) == 1, "the second leads, for the lease was released", 10)
    job.apply(suspend=True)
    job.wait("Ready", "True", "Suspended")
    second.stop()


def test_a_kind_that_may_not_be_read(cluster, namespace, tmp_path):
    rules = [
        {"apiGroups": ["streamjob.dev"], "resources": ["streamjobs", "streamjobs/status"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": [""], "resources": ["configmaps", "services", "serviceaccounts", "pods"], "verbs": ["get", "list", "watch", "patch", "create"]},
        {"apiGroups": ["networking.k8s.io", "batch"], "resources": ["networkpolicies", "jobs"], "verbs": ["get", "list", "watch", "patch", "create"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["get", "list", "watch", "patch", "create"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["list", "watch"]},
    ]  # fmt: skip
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    cluster.request("POST", f"{rbac}/roles", {"metadata": {"name": "operator"}, "rules": rules})
    binding = {
        "metadata": {"name": "operator"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"},
        "subjects": [{"kind": "User", "name": "operator", "apiGroup": "rbac.authorization.k8s.io"}],
    }  # fmt: skip
    cluster.request("POST", f"{rbac}/rolebindings", binding)
    job = Job(cluster, namespace)
    job.apply()
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", "--cluster-id", "test"], user="operator") as operator:
        ready = job.wait("Ready", "False", "ApplyFailed")
        assert "deployments" in ready["message"]
        rules.append({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch", "patch", "create"]})
        cluster.request("PUT", f"{rbac}/roles/operator", {"metadata": {"name": "operator"}, "rules": rules})
        eventually(lambda: job.deployment(), "recovers by itself", 60)
        job.wait("Ready", "False", "Progressing")  # without a budget, which it may not have
        assert not job.children("poddisruptionbudgets")
        eventually(lambda: operator.page("/readyz")[0] == 200, "it is ready")
        assert operator.page("/healthz")[0] == 200


def plan(cluster, *arguments, config=None):
    environment = os.environ | {"KUBECONFIG": str(config or cluster.kubeconfig())}
    return subprocess.run([OPERATOR, "plan", "--runtime-image", "streamjob:test", *arguments], env=environment, capture_output=True, text=True, check=False)


def write_job(path, namespace, **changes):
    metadata = {"name": "home", "namespace": namespace}
    manifest = {"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": metadata, "spec": SPEC | changes}
    path.write_text(json.dumps(manifest))
    return str(path)


def with_plugin(cluster, folder):
    """The admin's kubeconfig as a cloud writes it: a program gives the token."""
    answer = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "admin-token"}}
    plugin, config = folder / "gke-gcloud-auth-plugin", json.loads(cluster.kubeconfig().read_text())
    plugin.write_text(f"#!/bin/sh\nset -eu\necho \"asked by $KUBERNETES_EXEC_INFO\" >&2\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    plugin.chmod(0o755)
    command = {"apiVersion": answer["apiVersion"], "command": f"./{plugin.name}", "provideClusterInfo": True, "args": None}
    config["users"][0]["user"] = {"exec": command}
    (folder / "plugin.conf").write_text(json.dumps(config))
    return folder / "plugin.conf"


def test_plan(cluster, namespace, tmp_path):
    job, file = Job(cluster, namespace), write_job(tmp_path / "job.json", namespace)
    fresh = plan(cluster, file, config=with_plugin(cluster, tmp_path))
    assert f'"server":"{cluster.api.url}"' in fresh.stderr
    assert fresh.returncode == 4, fresh.stderr
    for kind in "StreamJob", "ConfigMap", "Deployment", "Service", "ServiceAccount", "NetworkPolicy":
        assert f"+++ plan/{kind}/{namespace}/home" in fresh.stdout, kind
    assert job.get() is None, "nothing was changed"
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"]):
        job.apply()
        job.wait("Ready", "False", "Progressing")
        eventually(job.deployment, "the Deployment, which is applied last")
    same = plan(cluster, "--operator-namespace", "", file)  # as that operator, which runs in no namespace
    assert (same.returncode, same.stdout) == (0, ""), same.stderr
    changed = plan(cluster, write_job(tmp_path / "new.json", namespace, filter="bucket = 'a'"))
    assert changed.returncode == 4
    assert "+  filter: bucket = 'a'" in changed.stdout
    assert f"live/Deployment/{namespace}/home" in changed.stdout
    assert changed.stdout.count("+      - configMap:") == 1 and "name: streamjob-previous-" in changed.stdout, "but for the job file before, no volume is new"
    assert "filter" not in job.get()["spec"]
    bad = plan(cluster, write_job(tmp_path / "bad.json", namespace, filter="bucket ="))
    assert bad.returncode == 2 and "spec.filter" in bad.stderr
    lost = plan(cluster, "--kubeconfig", "/nowhere", file)
    assert lost.returncode == 1 and "/nowhere" in lost.stderr


def pod_admission(cluster, namespace, deployment):
    """What the API server says of the pod that this Deployment makes; "" where it takes it."""
    template = deployment["spec"]["template"]
    pod = {"metadata": template["metadata"] | {"name": "tried"}, "spec": template["spec"]}
    try:
        cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
    except RuntimeError as refusal:
        return str(refusal)
    return ""


def test_pods_keep_to_the_restricted_standard(job, cluster, namespace, operator):
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    plain = {"name": "proxy", "image": "proxy:1"}
    assert "violates PodSecurity" in pod_admission(cluster, namespace, {"spec": {"template": {"metadata": {}, "spec": {"containers": [plain]}}}})
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    template = {"containers": [plain], "initContainers": [{"name": "first", "image": "a:1", "restartPolicy": "Always"}], "volumes": volumes}
    job.apply(podTemplate={"spec": template}, sinks=[{"file": {"path": "/data/out.jsonl"}}])
    job.wait("Ready", "False", "Progressing")
    made = eventually(job.deployment, "a Deployment")
    assert pod_admission(cluster, namespace, made) == ""
    assert made["spec"]["template"]["spec"]["securityContext"]["fsGroup"] == 65532
    template["containers"][0]["securityContext"] = {"privileged": True}
    job.apply(podTemplate={"spec": template})
    refused = job.wait("Stalled", "True", "InvalidSpec")
    assert "spec.podTemplate.spec.containers[0].securityContext.privileged: true is not what" in refused["message"]
    assert job.deployment()["metadata"]["generation"] == made["metadata"]["generation"], "what runs goes on"
    job.apply(podTemplate={"spec": {"serviceAccountName": "default"}})
    eventually(lambda: 'the ServiceAccount "default" is not allowed in namespace' in job.condition("Stalled")["message"], "the refusal")


def test_accounts_and_tokens_that_the_installation_allows(job, cluster, namespace, tmp_path):
    projected = [{"serviceAccountToken": {"path": "token", "audience": "vault"}}]
    template = {"serviceAccountName": "vault-reader", "volumes": [{"name": "t", "projected": {"sources": projected}}]}
    arguments = [f"--allow-service-account={namespace}/vault-*", f"--allow-service-account={namespace}/vault-reader", "--allow-projected-tokens"]
    with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false", *arguments]):
        job.apply(podTemplate={"spec": template})
        job.wait("Ready", "False", "Progressing")
        assert eventually(job.deployment, "a Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "vault-reader"
    for words in "vault-reader", "a/b/c", "/a", "a/":
        done = subprocess.run([OPERATOR, "run", f"--allow-service-account={words}"], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and f'--allow-service-account "{words}": NAMESPACE/NAME is needed' in done.stderr


def events(cluster, namespace, reason):
    items = cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
    return [event for event in items if event["reason"] == reason]


def test_two_jobs_of_one_consumer_group(job, cluster, namespace, tmp_path):
    """The older one has it; the other is not started, also over a restart, until the group is its own."""
    elsewhere = f"{namespace}-2"
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": elsewhere}})
    younger = Job(cluster, elsewhere, "copy")

    def reading(servers):
        return {"kafka": {"bootstrapServers": servers, "topic": "events", "groupId": "theirs"}}

    watched = ["--namespace", namespace, "--namespace", elsewhere, "--leader-elect=false"]
    with Operator(tmp_path, cluster, watched):
        job.apply(source=reading("kafka"))
        eventually(job.deployment, "a Deployment")
        planned = plan(cluster, write_job(tmp_path / "copy.json", elsewhere, source=reading(f"kafka.{namespace}")))
        assert f"StreamJob {elsewhere}/home: " in planned.stderr and f"is named by the StreamJob {namespace}/home too, and that one has it" in planned.stderr, planned.stderr
        assert planned.returncode == 4 and "+++ plan/StreamJob" in planned.stdout and "Deployment" not in planned.stdout, "it would not be started"
        younger.apply(source=reading(f"other:9092, kafka.{namespace}.svc.cluster.local:9092"))
        said = younger.wait("Stalled", "True", "GroupShared")["message"]
        assert f"the consumer group theirs at kafka.{namespace}:9092 is that of the StreamJob {namespace}/home" in said
        younger.wait("Ready", "False", "GroupShared")
        holds = eventually(lambda: job.condition("GroupShared"), "the older one's condition")
        assert f"the StreamJob {elsewhere}/copy too, and this one has it" in holds["message"]
        assert job.condition("Stalled")["status"] == "False"
        for where in namespace, elsewhere:
            eventually(lambda where=where: events(cluster, where, "GroupShared"), f"an Event in {where}")
    with Operator(tmp_path, cluster, watched, name="again") as again:
        eventually(lambda: again.page("/readyz")[0] == 200, "the lists")
        younger.apply(source=reading(f"kafka.{namespace}"))
        younger.wait("Stalled", "True", "GroupShared")
        assert not younger.children("configmaps") and not younger.deployment()
        younger.apply(source=reading(f"kafka.{namespace}"), suspend=True)
        younger.wait("Ready", "True", "Suspended")
        younger.apply(source=reading(f"kafka.{namespace}"), suspend=False)
        younger.wait("Stalled", "True", "GroupShared")
        job.delete()
        eventually(lambda: (younger.deployment() or {"spec": {"replicas": 0}})["spec"]["replicas"] == 1, "the younger one's pod")
        eventually(lambda: younger.condition("GroupShared") is None, "the end of it")


def test_two_jobs_of_one_gateway_group(job, cluster, namespace, operator):
    other = Job(cluster, namespace, "other")
    for one in job, other:
        one.apply()
    for one, named in (job, "other"), (other, "home"):
        condition = eventually(lambda one=one: one.condition("GroupShared"), "the condition")
        assert f"the StreamJob {namespace}/{named} too, and each replaces what the other pushed" in condition["message"]
        eventually(one.deployment, "a Deployment")
    other.apply(sinks=[{"stdout": {}}])
    eventually(lambda: job.condition("GroupShared") is None and other.condition("GroupShared") is None, "the end of it")


def test_what_a_drained_node_may_evict(job, operator):
    """One pod: it may be evicted, or, where the team says so, not while it is ready."""
    def budget():
        spec = next(iter(job.children("poddisruptionbudgets")), {}).get("spec", {})
        return spec.get("maxUnavailable"), spec.get("unhealthyPodEvictionPolicy")

    job.apply()
    eventually(lambda: budget() == (1, "AlwaysAllow"), "a budget")
    selected = job.children("poddisruptionbudgets")[0]["spec"]["selector"]["matchLabels"]
    assert selected.items() <= job.deployment()["spec"]["template"]["metadata"]["labels"].items()
    made = job.deployment()["metadata"]["generation"]
    job.apply(evictions="block")
    eventually(lambda: budget() == (0, "AlwaysAllow"), "the other one")
    job.apply(evictions="leave")
    eventually(lambda: not job.children("poddisruptionbudgets"), "none, for the team has its own")
    assert job.deployment()["metadata"]["generation"] == made, "no pod is replaced for that"
