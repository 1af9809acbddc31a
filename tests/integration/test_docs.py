"""Every command and every manifest of README.md and docs/, as typed: the installation first, each block after the one before it, in one cluster.

A block that cannot be run has the reason in the line above it: <!-- not run: REASON -->.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest
import yaml
from servers import ROOT
from servers.kubernetes import OPERATOR, Kubernetes, Operator, kube_binary

BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>sh|yaml)\n(?P<text>.*?)^```$", re.M | re.S)
SHAPES = {"reference.md"}  # made from the field table: the shape of a manifest
STREAMJOB = pathlib.Path(os.environ.get("STREAMJOB", ROOT / "build" / "release" / "streamjob"))
JOB = {
    "apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "clicks", "namespace": "reco"},
    "spec": {
        "source": {"kafka": {"bootstrapServers": "kafka:9092", "topic": "events"}},
        "columns": [{"name": "k", "type": "STRING"}, {"name": "ts", "type": "TIMESTAMP", "format": "epochMillis"}],
        "window": {"tumbling": {"size": "1s"}}, "groupBy": ["k"], "aggregates": [{"name": "c", "expr": "COUNT(*)"}],
        "sinks": [{"pushgateway": {"url": "http://pushgateway:9091", "job": "clicks", "metrics": [{"name": "m", "type": "gauge", "value": "c", "labels": ["k"]}]}}],
    },
}  # fmt: skip


def blocks():
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")], key=lambda page: (page.name != "install.md", page)):
        text = page.read_text()
        assert len(re.findall(r"^```(?:sh|yaml)$", text, re.M)) == len(list(BLOCK.finditer(text))), page
        for found in BLOCK.finditer(text):
            if page.name not in SHAPES and not found["reason"]:
                yield pytest.param(page.name, found["language"], found["text"], id=f"{page.name}:{text[: found.start()].count(chr(10)) + 1}")


class Desk:
    """A checkout, with the programs in the PATH and a cluster behind kubectl."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder / "streamjob"
        for part in "manifests", "crds", "examples":
            shutil.copytree(ROOT / part, self.folder / part)
        (self.folder / "jobs").mkdir()
        for file in "job.yaml", "jobs/clicks.yaml":
            (self.folder / file).write_text(json.dumps(JOB))
        (self.folder / "recorded.jsonl").write_text('{"k":"a","ts":100}\n{"k":"a","ts":1100}\n')
        programs = folder / "bin"
        programs.mkdir()
        self.program(programs / "kubectl", f'{kube_binary()} kubectl "$@" || test $? = 1 -a "$1" = diff # differences')
        self.program(programs / "streamjob", f'exec {STREAMJOB} "$@"')
        self.program(programs / "streamjob-operator", f'{OPERATOR} "$@" || test $? = 4 # changes')
        self.env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "KUBECONFIG": str(cluster.kubeconfig())}

    @staticmethod
    def program(path, text):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def type(self, text):
        done = subprocess.run(["bash", "-e", "-c", text], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


def play_the_deployments_controller(cluster, stop):
    """So that a roll-out of the operator ends: what runs here is a process of the test."""
    path = "/apis/apps/v1/namespaces/streamjob-system/deployments/streamjob-operator"
    while not stop.wait(0.2):
        live = cluster.request("GET", path)
        if live and live.get("status", {}).get("observedGeneration") != live["metadata"]["generation"]:
            counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), live["spec"]["replicas"])
            status = {"status": counts | {"observedGeneration": live["metadata"]["generation"]}}
            cluster.request("PATCH", path + "/status", status, "application/merge-patch+json")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder, stop = tmp_path_factory.mktemp("docs"), threading.Event()
    with Kubernetes(folder / "cluster") as cluster:
        one = Desk(cluster, folder)
        for name in "streamjob-system", "streamjobs", "argocd":
            cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        cluster.request("POST", "/api/v1/namespaces/argocd/configmaps", {"metadata": {"name": "argocd-cm"}})
        threading.Thread(target=play_the_deployments_controller, args=(cluster, stop), daemon=True).start()
        one.type("kubectl apply --server-side -k crds")
        with Operator(folder, cluster, ["--leader-election-namespace", "streamjob-system"]):
            yield one
        stop.set()


def build(desk, text):
    """An overlay in a folder beside the checkout: what it makes, as the API server takes it."""
    overlay = desk.folder.parent / "overlay"
    overlay.mkdir(exist_ok=True)
    (overlay / "kustomization.yaml").write_text(text)
    desk.type("kubectl apply --server-side --force-conflicts --dry-run=server -k ../overlay")
    return list(yaml.safe_load_all(desk.type("kubectl kustomize ../overlay")))


@pytest.mark.parametrize(("page", "language", "text"), blocks())
def test_as_typed(desk, page, language, text):
    if language == "yaml" and yaml.safe_load(text)["kind"] == "StreamJob":
        (desk.folder / "written.yaml").write_text(text)
        desk.type("streamjob validate written.yaml; kubectl apply --dry-run=server -f written.yaml")
        return
    if language == "yaml":
        assert yaml.safe_load(text)["kind"] == "Kustomization", f"{page}: say how to test it"
        build(desk, text)
        return
    if ("reco" in text or "jobs/" in text or "job.yaml" in text) and "create namespace" not in text:
        desk.type("kubectl create namespace reco --dry-run=client -o yaml | kubectl apply -f -; kubectl apply -f job.yaml")
    desk.type(text)


def test_an_overlay_of_either_keeps_the_operators_other_arguments(desk):
    page = (ROOT / "docs" / "install.md").read_text()
    text = next(found["text"] for found in BLOCK.finditer(page) if "runtime-image=" in found["text"])
    for overlay, namespace in ("default", []), ("namespaced", ["--namespace=$(NAMESPACE)"]):
        objects = build(desk, text.replace("manifests/default", f"manifests/{overlay}"))
        (deployment,) = [o for o in objects if o["kind"] == "Deployment"]
        arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
        assert "--runtime-image=registry.example.com/streamjob/runtime:0.1.0" in arguments, overlay
        assert [a for a in arguments if a.startswith("--namespace")] == namespace, overlay
        assert len([a for a in arguments if a.startswith("--runtime-image")]) == 1, overlay
