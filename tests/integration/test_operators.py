"""More than one operator, and the life of an installation: classes, namespaces by labels, upgrades in waves, rollback,
fields of a later CRD. A real API server; pods and their controllers are played by the test."""

import json

from servers.kubernetes import Operator, eventually
from test_operator import FLOWS, SPEC, Job, cluster, container, controlled_by, namespace, replica_set, runtime, spec_hash  # noqa: F401


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
        eventually(lambda: first.metric('leader_election_master_status{name="streamjob-operator"}') == 1, "the other its own")
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
        blue.wait("Ready", "True", "Suspended")
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
        hidden.wait("Ready", "True", "Suspended")
        assert seen.deployment()["metadata"]["resourceVersion"] == before, "what runs there goes on as it was"
        label(other, "reco")
        seen.wait("Ready", "True", "Suspended")


# Long since: of a pod that has just started an answer that is late, on a loaded machine, is a state of its own.
RUNS = container({"running": {"startedAt": "2026-01-01T00:00:00Z"}})


class Fleet:
    """Jobs of which each has one pod, made from its Deployment as it is now; one server plays all that are well."""

    def __init__(self, cluster, namespace, runtime, count):  # noqa: F811
        self.cluster, self.namespace, self.runtime = cluster, namespace, runtime
        self.jobs = [Job(cluster, namespace, f"j{number}") for number in range(count)]
        self.pods = {}

    def replace_pod(self, job, status=None):
        """What the Deployment's controller does, and the kubelet."""
        pods = f"/api/v1/namespaces/{self.namespace}/pods"
        if job.name in self.pods:
            self.cluster.request("DELETE", f"{pods}/{self.pods[job.name]}?gracePeriodSeconds=0")
        template = job.deployment()["spec"]["template"]
        self.pods[job.name] = name = f"{job.name}-{template['metadata']['annotations']['streamjob.dev/rollout']}"
        spec = {"containers": [{"name": "streamjob", "image": "x", "ports": [{"name": "status", "containerPort": self.runtime.port}]}]}
        metadata = template["metadata"] | {"name": name, "ownerReferences": controlled_by(replica_set(job))}
        self.cluster.request("POST", pods, {"metadata": metadata, "spec": spec})
        self.cluster.request("PATCH", f"{pods}/{name}/status", {"status": status or RUNS}, "application/merge-patch+json")

    def images(self):
        return " ".join(image_of(job) for job in self.jobs)

    def story(self):
        updates = [(job.get().get("status") or {}).get("update") for job in self.jobs]
        return f"as expected, but images {self.images()}, {self.reasons('Updated')}, {self.reasons('Ready')}, turns {updates}"

    def reasons(self, type):
        return " ".join((job.condition(type) or {}).get("reason", "none") for job in self.jobs)


BROKEN = container({"waiting": {"reason": "ImagePullBackOff", "message": "two: not found"}}, ready=False)


def test_an_upgrade_goes_in_waves_over_restarts_and_halts(cluster, namespace, tmp_path, runtime):  # noqa: F811
    runtime.document = FLOWS
    fleet = Fleet(cluster, namespace, runtime, 5)
    options = ["--leader-elect=false", "--max-updating", "2", "--min-turn", "2s"]

    def upgraded(image):
        return of_class(tmp_path, cluster, namespace, image, *options)

    with upgraded("one"):
        for job in fleet.jobs:
            job.apply(progressDeadline="2s")
        for job in fleet.jobs:
            eventually(job.deployment, "its Deployment")
            fleet.replace_pod(job)
        eventually(lambda: fleet.reasons("Ready") == "Running " * 4 + "Running", "all flow")
    for start in range(3):  # nothing is remembered but what the cluster has, so a restart gives no further turn
        with upgraded("two") as operator:
            eventually(lambda: fleet.images() == "two two one one one", fleet.story)
            waits = "Waits" if start == 0 else "Update"
            eventually(lambda w=waits: f" {w}" in fleet.reasons("Updated"), "and the others say that they wait")
            if start == 0:
                assert fleet.jobs[3].condition("Ready")["status"] == "True", "it runs on"
                fresh = Job(cluster, namespace, "fresh")
                fresh.apply()
                eventually(lambda: image_of(fresh) == "two", "a new job waits for nobody")
                fresh.delete()
                patch(fleet.jobs[4], {"spec": {"filter": "bucket = 'a'"}})
                eventually(lambda: image_of(fleet.jobs[4]) == "two", "nor does a new spec")
                patch(fleet.jobs[4], {"spec": {"filter": None, "image": "one"}})
                eventually(lambda: image_of(fleet.jobs[4]) == "one", "nor an image of the job's own")
            if start == 1:
                fleet.replace_pod(fleet.jobs[0], BROKEN)
                fleet.replace_pod(fleet.jobs[1])
            eventually(lambda: operator.metric("streamjob_updates_halted") == 1, "it halts")
            assert fleet.images() == "two two one one one"
    with upgraded("two") as operator:
        halted = fleet.jobs[2].wait("Updated", "False", "UpdateHalted")
        assert f"{namespace}/j0" in halted["message"]
        fleet.jobs[0].wait("Updated", "False", "UpdateFailed")
        events = cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
        assert {e["regarding"]["name"] for e in events if e["reason"] == "UpdateHalted"} >= {"j0"}
        assert fleet.jobs[1].wait("Updated", "True", "UpToDate")
        eventually(lambda: operator.metric("streamjob_updates_waiting") == 2, "two wait")
        assert (operator.metric("streamjob_updates_running"), fleet.images()) == (1, "two two one one one")
    with upgraded("three") as operator:  # the mended image goes to the one that is broken, and then to the others
        eventually(lambda: image_of(fleet.jobs[0]) == "three", "who has a turn needs no other")
        assert fleet.images().split()[1:] == ["two", "one", "one", "one"]
        fleet.replace_pod(fleet.jobs[0])
        eventually(lambda: fleet.images() == "three three three one one", "it goes on, in order")
        fleet.replace_pod(fleet.jobs[1])
        fleet.replace_pod(fleet.jobs[2])
        eventually(lambda: image_of(fleet.jobs[3]) == "three", "the last one")
        fleet.replace_pod(fleet.jobs[3])
        eventually(lambda: fleet.reasons("Updated") == "UpToDate " * 4 + "UpToDate", "the end")
        eventually(lambda: operator.metric("streamjob_updates_running") == 0, "none has a turn")


def test_a_bad_spec_goes_back_and_stays_so(cluster, namespace, tmp_path, runtime):  # noqa: F811
    runtime.document = FLOWS
    fleet = Fleet(cluster, namespace, runtime, 1)
    job = fleet.jobs[0]
    arguments = ["--namespace", namespace, "--leader-elect=false"]
    with Operator(tmp_path, cluster, arguments, "before"):
        job.apply(rollback="auto", progressDeadline="2s")
        eventually(job.deployment, "the Deployment")
        fleet.replace_pod(job)
        job.wait("Ready", "True", "Running")
        revisions = f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
        eventually(lambda: len(cluster.request("GET", revisions)["items"]) == 1, "the good spec is kept")
        job.apply(rollback="auto", progressDeadline="2s", filter="bucket = 'a'", image="registry/none:1")
        eventually(lambda: image_of(job) == "registry/none:1", "the new image")
        fleet.replace_pod(job, BROKEN)
        stalled = job.wait("Stalled", "True", "RolledBack")
        assert "two: not found" in stalled["message"]
        eventually(lambda: image_of(job) == "streamjob:test", "it is back")
        fleet.replace_pod(job)
        eventually(lambda: "Running" in job.condition("Ready")["message"], "data flows again")
    with Operator(tmp_path, cluster, arguments, "after") as operator:
        eventually(lambda: looks(operator) > 0 and operator.metric('workqueue_depth{name="streamjob"}') == 0, "it has looked")
        job.wait("Ready", "False", "RolledBack")
        one = job.get()
        assert image_of(job) == "streamjob:test" and one["spec"]["image"] == "registry/none:1"
        assert one["status"]["runningHash"] != one["status"]["specHash"]
        job.apply(rollback="auto", progressDeadline="2s", filter="bucket = 'a'")
        job.wait("Stalled", "False", "NotStalled")
        eventually(lambda: spec_hash(job.deployment()) == job.get()["status"]["specHash"], "another spec is tried")


def scoring(config_map):
    function = {"name": "score", "kind": "scalar", "language": "python", "entrypoint": "score:f", "returns": [{"name": "v", "type": "DOUBLE"}]}
    return {"functions": [function | {"code": {"configMapRef": {"name": config_map, "key": "score.py"}}}], "rollback": "auto", "progressDeadline": "2s"}


class Code:
    """The ConfigMap that a job's function is in; its operator's copies; and what the job's pods mount."""

    def __init__(self, job, name):
        self.job, self.name = job, name
        self.maps = f"/api/v1/namespaces/{job.namespace}/configmaps"

    def put(self, text):
        one = {"metadata": {"name": self.name}, "data": {"score.py": text}}
        if not self.job.cluster.request("GET", f"{self.maps}/{self.name}"):
            return self.job.cluster.request("POST", self.maps, one)
        return self.job.cluster.request("PATCH", f"{self.maps}/{self.name}", one, "application/merge-patch+json")

    def delete(self):
        self.job.cluster.request("DELETE", f"{self.maps}/{self.name}")

    def copies(self):
        ours = [c for c in self.job.children("configmaps") if c["metadata"]["labels"]["app.kubernetes.io/component"] == "code"]
        assert all(c["immutable"] for c in ours)
        return {c["metadata"]["name"]: c["data"]["score.py"] for c in ours}

    def kept(self, text):
        """The name of the copy, when it is the only one."""
        return eventually(lambda: list(self.copies().values()) == [text] and next(iter(self.copies())), f"only {text} is kept")

    def mounted(self):
        volumes = self.job.deployment()["spec"]["template"]["spec"]["volumes"]
        return next(v["configMap"]["name"] for v in volumes if v["name"].startswith("streamjob-code-"))


def test_the_last_good_code_goes_back(cluster, namespace, tmp_path, runtime):  # noqa: F811
    """Whatever became of the functions' ConfigMap: it was changed, or deleted for one of another name."""
    fleet = Fleet(cluster, namespace, runtime, 1)
    job = fleet.jobs[0]
    first, second = Code(job, "first"), Code(job, "second")
    fails = FLOWS | {"ready": False, "reason": "FunctionFailing", "message": "no module", "functions": [
        {"name": "score", "healthy": False, "lastError": {"method": "import", "message": "no module"}}]}  # fmt: skip

    def rolled_out(document):
        runtime.document = document
        fleet.replace_pod(job)

    def deployed():
        one = job.deployment()
        return one and one["spec"]["template"]["metadata"]["annotations"].get("streamjob.dev/code-hash")

    def change(what):
        before = job.deployment()["metadata"]["generation"]
        what()
        eventually(lambda: job.deployment()["metadata"]["generation"] > before, "a roll-out")

    revisions = f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
    first.put("1")
    arguments = ["--namespace", namespace, "--leader-elect=false"]
    with Operator(tmp_path, cluster, arguments, "before"):
        job.apply(**scoring("first"))
        eventually(deployed, "the Deployment, which notes the code")
        rolled_out(FLOWS)
        job.wait("Ready", "True", "Running")
        copy, good = first.kept("1"), deployed()
        change(lambda: first.put("2"))
        rolled_out(fails)
        stalled = job.wait("Stalled", "True", "RolledBack")
        assert "functions' code" in stalled["message"], stalled
        eventually(lambda: (first.mounted(), deployed()) == (copy, good), "the code with which data flowed")
        rolled_out(FLOWS)
        eventually(lambda: "Running" in job.condition("Ready")["message"], "data flows again")
    with Operator(tmp_path, cluster, arguments, "after") as operator:
        eventually(lambda: looks(operator) > 0 and operator.metric('workqueue_depth{name="streamjob"}') == 0, "it has looked")
        assert (first.mounted(), deployed()) == (copy, good) and job.condition("Ready")["reason"] == "RolledBack"
        change(lambda: first.put("3"))
        assert first.mounted() == "first", "other code is tried anew"
        job.wait("Stalled", "False", "NotStalled")
        rolled_out(FLOWS)
        job.wait("Ready", "True", "Running")
        copy = first.kept("3")
        second.put("4")
        change(lambda: job.apply(**scoring("second")))
        first.delete()
        rolled_out(fails)
        job.wait("Stalled", "True", "RolledBack")
        eventually(lambda: first.mounted() == copy, "the code of a ConfigMap that is gone")
        rolled_out(FLOWS)
        eventually(lambda: "Running" in job.condition("Ready")["message"], "data flows again")
        cluster.request("DELETE", f"{first.maps}/{copy}")
        assert "no copy" in eventually(lambda: "no copy" in job.condition("Stalled")["message"] and job.condition("Stalled")["message"], "it is said")
        job.apply(**(scoring("second") | {"rollback": "never"}))
        eventually(lambda: not first.copies() and not cluster.request("GET", revisions)["items"], "nothing is kept for a job that never goes back")


def test_fields_of_a_later_crd_are_said(cluster, namespace, tmp_path):  # noqa: F811
    job = Job(cluster, namespace)
    manifest = {"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "home", "namespace": namespace}}
    text = json.dumps(manifest | {"spec": SPEC | {"fieldOfNextYear": {"a": 1}}})
    apply = ["apply", "-f", "-"]
    server_side = cluster.kubectl("apply", "--server-side", "-f", "-", "--validate=ignore", stdin=text, check=False)
    assert server_side.returncode and "fieldOfNextYear" in server_side.stderr, "it takes no field that the CRD has not, whatever is asked"
    strict = cluster.kubectl(*apply, "--validate=strict", stdin=text, check=False)
    assert strict.returncode and "fieldOfNextYear" in strict.stderr
    warned = cluster.kubectl(*apply, "--validate=warn", stdin=text)
    assert "fieldOfNextYear" in warned.stderr and "fieldOfNextYear" not in job.get()["spec"]
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/streamjobs.streamjob.dev"
    crd = cluster.request("GET", path)
    schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/fieldOfNextYear"
    later = [{"op": "add", "path": schema, "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}]
    cluster.request("PATCH", path, later, "application/json-patch+json")
    try:
        with Operator(tmp_path, cluster, ["--namespace", namespace, "--leader-elect=false"]):
            job.wait("SpecUnderstood", "True", "Understood")
            eventually(lambda: cluster.kubectl(*apply, stdin=text, check=False).returncode == 0, "the later CRD")
            said = job.wait("SpecUnderstood", "False", "UnknownFields")
            assert "spec.fieldOfNextYear" in said["message"]
            events = cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
            assert [e for e in events if e["reason"] == "UnknownFields" and "spec.fieldOfNextYear" in e["note"]]
            assert crd["spec"]["versions"][0]["name"] == "v1alpha1" and crd["spec"]["versions"][0]["served"]
    finally:
        cluster.request("PATCH", path, [{"op": "remove", "path": schema}], "application/json-patch+json")
