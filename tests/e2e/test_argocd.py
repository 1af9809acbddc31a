"""What Argo CD makes of a StreamJob: judged by its own code, in every state; with its own settings, and with the health check
of manifests/argocd. docs/decisions/argocd-health.md says why there is one."""

import json
import re

import bucket
import pytest
import yaml
from cluster import ROOT
from servers import wait_for
from conftest import NAMESPACE, go_program, output

PATCH = ROOT / "manifests/argocd/argocd-cm.yaml"
MANAGER = "argocd-controller"  # Argo CD's, where it applies server-side
SETTINGS = {"url": "https://argocd.example.com", "resource.customizations.health.example.com_Other": "return {status = 'Healthy'}"}

HEALTH = {  # of each reason of Ready
    "Running": "Healthy", "Succeeded": "Healthy", "Suspended": "Suspended", "Progressing": "Progressing", "Starting": "Progressing", "Draining": "Progressing",
    "NotReady": "Progressing", "Deleting": "Progressing", "InvalidSpec": "Degraded", "PodFailing": "Degraded",
    "StatusUnreachable": "Degraded", "SourceUnavailable": "Degraded", "SinkFailing": "Degraded", "FunctionFailing": "Degraded",
    "WindowOverdue": "Degraded", "JobFailed": "Degraded", "ApplyFailed": "Degraded", "CleanupFailing": "Degraded", "NodeUnreachable": "Degraded",
    "InputFailing": "Degraded", "ClockSetBack": "Degraded", "StandingBy": "Progressing", "RolledBack": "Degraded", "Failed": "Degraded", "NotAllRead": "Degraded", "GroupShared": "Degraded",
}


class ArgoCD:
    def __init__(self, settings, env=None):
        self.program, self.settings, self.env = go_program("argocd"), settings, env

    def health(self, thing, plain=False):
        """("Healthy", message); `plain`: without our check, ("none", "") where the Application's health leaves it out."""
        text = output(self.program, "health", *([] if plain else [self.settings]), input=json.dumps(thing))
        status, _, message = text.partition(": ")
        return status, message

    def diff(self, mode, target, live):
        return output(self.program, "diff", mode, input=json.dumps({"target": target, "live": live}), env=self.env)


@pytest.fixture(scope="module")
def argocd(cluster, tmp_path_factory):
    """With an argocd-cm that has been patched in the cluster."""
    cluster.namespace("argocd")
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"}, "data": SETTINGS})
    cluster.kubectl("-n", "argocd", "patch", "configmap", "argocd-cm", "--patch-file", PATCH)
    settings = cluster.get("configmap", "argocd-cm", "argocd")
    assert SETTINGS.items() < settings["data"].items(), "what was in it stays"
    file = tmp_path_factory.mktemp("argocd") / "argocd-cm.json"
    file.write_text(json.dumps(settings))
    yield ArgoCD(file, cluster.env)
    cluster.kubectl("delete", "namespace", "argocd", "--wait=false")


def until(argocd, job, wanted, through, timeout=90):
    """Waits for this health; on the way it may only be one of `through`. Returns the message."""
    seen = []

    def holds():
        seen.append(argocd.health(job.get()))
        return seen[-1][0] == wanted

    wait_for(holds, timeout, lambda: f"{wanted}; it was {seen[-3:]}")
    on_the_way = {status for status, _ in seen[:-1]}
    assert on_the_way <= set(through), [one for one in seen if one[0] not in (wanted, *through)]
    return seen[-1][1]


def test_every_state(kafka, gateway, job, argocd):
    one = job("argocd", deletionPolicy={"pushgateway": "Delete", "timeout": "10s"})
    one.apply()
    assert argocd.health(one.get())[0] == "Progressing"
    assert until(argocd, one, "Healthy", ["Progressing"]).startswith("Running: ")
    wait_for(lambda: argocd.health(one.children("deployments")[0])[0] == "Healthy", 30, "the Deployment, which asks its pod less often")

    one.apply(window={"tumbling": {"size": "2s"}})
    assert argocd.health(one.get())[0] == "Progressing", "what is known is of the spec before"
    until(argocd, one, "Healthy", ["Progressing"])

    one.apply(filter="event INN ('impression')")
    assert "spec.filter" in until(argocd, one, "Degraded", ["Progressing"])
    assert argocd.health(one.get(), plain=True)[0] == "none", "without a check of its own its health is not looked at"
    assert argocd.health(one.children("deployments")[0])[0] == "Healthy", "nor would that of its children say it"
    one.apply(filter="event IN ('impression', 'click')")
    until(argocd, one, "Healthy", ["Degraded", "Progressing"])

    one.apply(suspend=True)
    assert until(argocd, one, "Suspended", ["Progressing"]).startswith("Suspended: ")
    one.apply(suspend=None)
    until(argocd, one, "Healthy", ["Progressing"])

    gateway.stop()
    try:
        kafka.produce(one.topic, bucket.make_events(2000, seed=91)[0])
        assert "pushgateway:9091" in until(argocd, one, "Degraded", ["Healthy", "Progressing"])
        assert argocd.health(one.get(), plain=True)[0] == "none"
        one.delete(wait=False)
        assert argocd.health(one.get()) == ("Progressing", "Pending deletion")
    finally:
        gateway.start()


def test_every_reason(argocd):
    """Those of docs/status.md."""
    section = (ROOT / "docs/status.md").read_text().split("## Reasons of Ready")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.M)) == set(HEALTH)
    for reason, wanted in HEALTH.items():
        thing = {"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "a", "generation": 3}, "status": {
            "observedGeneration": 3, "conditions": [
                {"type": "Ready", "status": str(reason in ("Running", "Succeeded", "Suspended")), "reason": reason, "message": "words"},
                {"type": "Stalled", "status": str(reason == "InvalidSpec"), "reason": "InvalidSpec", "message": "words"}]}}
        assert argocd.health(thing) == (wanted, f"{reason}: words")
        assert argocd.health(thing, plain=True) == ("none", "")
        thing["metadata"]["generation"] = 4
        assert argocd.health(thing)[0] == "Progressing", "what is known is of the spec before"
        del thing["status"]
        assert argocd.health(thing)[0] == "Progressing"


CLIENT_SIDE = ["apply"]
SERVER_SIDE = ["apply", "--server-side", f"--field-manager={MANAGER}"]


@pytest.mark.parametrize("mode, arguments, written", [
    ("client", CLIENT_SIDE, []),
    ("server", SERVER_SIDE, []),
    ("structured", SERVER_SIDE, ["sinks"]),  # it does not know a CRD's defaults in items of a list, so they stand in git
])
def test_in_sync_after_the_operators_work(cluster, job, argocd, mode, arguments, written):
    """The finalizer, the status and the CRD's defaults are no difference; a changed spec is."""
    one = job(f"argocd-{mode}", deletionPolicy={"pushgateway": "Delete", "timeout": "10s"})
    one.manifest["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": f"reco-jobs:streamjob.dev/StreamJob:{NAMESPACE}/{one.name}"}
    cluster.kubectl(*arguments, "-f", "-", input=json.dumps(one.manifest))
    one.ready()
    live = one.get()
    assert live["metadata"]["finalizers"] and live["spec"] != one.manifest["spec"], "the operator and the defaults have been at work"
    for field in written:
        assert argocd.diff(mode, one.manifest, live).startswith("OutOfSync"), "then docs/gitops.md need not warn"
        one.manifest["spec"][field] = live["spec"][field]
    assert argocd.diff(mode, one.manifest, live) == "Synced"
    one.manifest["spec"]["window"] = {"tumbling": {"size": "3s"}}
    assert argocd.diff(mode, one.manifest, one.get()).startswith("OutOfSync")


def test_the_patch_works_in_a_kustomization(cluster, tmp_path):
    (tmp_path / "argocd-cm.yaml").write_text(PATCH.read_text())
    (tmp_path / "theirs.yaml").write_text(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": SETTINGS}))
    (tmp_path / "kustomization.yaml").write_text("namespace: argocd\nresources: [theirs.yaml]\npatches: [{path: argocd-cm.yaml}]\n")
    (built,) = yaml.safe_load_all(cluster.kubectl("kustomize", tmp_path).stdout)
    assert SETTINGS.items() < built["data"].items() and "resource.customizations.health.streamjob.dev_StreamJob" in built["data"]
