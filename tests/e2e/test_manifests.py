"""What is shipped beside the programs: overlays, alert rules, the dashboard. No cluster is needed."""

import json
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
OVERLAYS = ["default", "namespaced", "with-prometheus"]


@pytest.fixture(scope="module")
def overlay():
    binary = subprocess.run([ROOT / "tests/cluster/build.sh"], check=True, stdout=subprocess.PIPE, text=True, timeout=1800).stdout.strip()

    def build(name):
        text = subprocess.run([binary, "kubectl", "kustomize", ROOT / "manifests" / name], check=True, capture_output=True, text=True).stdout
        return list(yaml.safe_load_all(text))

    return build


def of_kind(objects, *kinds):
    return [o for o in objects if o["kind"] in kinds]


@pytest.mark.parametrize("name", OVERLAYS)
def test_rights_are_explicit(overlay, name):
    roles = of_kind(overlay(name), "Role", "ClusterRole")
    assert roles
    for role in roles:
        for rule in role["rules"]:
            text = json.dumps(rule)
            assert "*" not in text, (role["metadata"]["name"], rule)
            for forbidden in "secrets", "pods/exec", "impersonate", "escalate", "bind", "roles":
                assert forbidden not in rule["resources"] + rule["verbs"], (role["metadata"]["name"], rule)


@pytest.mark.parametrize("name", OVERLAYS)
def test_one_version(overlay, name):
    version = (ROOT / "VERSION").read_text().strip()
    (deployment,) = of_kind(overlay(name), "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"streamjob/operator:{version}"
    assert f"--runtime-image=streamjob/runtime:{version}" in container["args"]


def test_namespaced_has_the_same_rules_in_a_role(overlay):
    rules = lambda objects, kind: [o for o in of_kind(objects, kind) if o["metadata"]["name"] == "streamjob-operator"]
    (whole,), (one,) = rules(overlay("default"), "ClusterRole"), rules(overlay("namespaced"), "Role")
    assert whole["rules"] == one["rules"]
    assert not rules(overlay("namespaced"), "ClusterRoleBinding")
    for binding in of_kind(overlay("namespaced"), "RoleBinding"):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "streamjob-operator", "namespace": "streamjobs"}]


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_crd_is_in_it(overlay, name):
    (crd,) = of_kind(overlay(name), "CustomResourceDefinition")
    assert crd["spec"] == yaml.safe_load((ROOT / "crds/streamjob.yaml").read_text())["spec"]


def rules_file(overlay, folder):
    (rule,) = of_kind(overlay("with-prometheus"), "PrometheusRule")
    (folder / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    return folder / "rules.yaml"


def test_alert_rules(overlay, tmp_path):
    """promtool reads them, and they fire for what they say."""
    rules_file(overlay, tmp_path)
    (tmp_path / "cases.yaml").write_text((HERE / "alerts.yaml").read_text())
    for arguments in ["check", "rules", "rules.yaml"], ["test", "rules", "cases.yaml"]:
        done = subprocess.run(["promtool", *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def metric_names():
    """Every metric that the programs have in their sources; workqueue_… are put together there."""
    found = set()
    for folder in "lib", "runtime", "operator":
        for path in (ROOT / folder).rglob("*.c"):
            found.update(re.findall(r'"((?:streamjob|controller_runtime|workqueue)_[a-z_]+)', path.read_text()))
    return found


def test_rules_and_dashboard_name_metrics_that_there_are(overlay):
    objects = overlay("with-prometheus")
    (board,) = [o for o in of_kind(objects, "ConfigMap") if o["metadata"]["labels"].get("grafana_dashboard") == "1"]
    dashboard = json.loads(board["data"]["streamjob.json"])
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    (rule,) = of_kind(objects, "PrometheusRule")
    expressions += [r["expr"] for group in rule["spec"]["groups"] for r in group["rules"]]
    known = metric_names()
    for expression in expressions:
        for name in re.findall(r"\b(?:streamjob|controller_runtime|workqueue)_[a-z_]+", expression):
            assert re.sub("_(bucket|count|sum)$", "", name) in known or name.startswith("workqueue_"), (name, expression)


def test_scraped_ports_are_there(overlay):
    objects = overlay("with-prometheus")
    (deployment,) = of_kind(objects, "Deployment")
    (operator,) = [m for m in of_kind(objects, "PodMonitor") if m["metadata"]["name"] == "streamjob-operator"]
    template = deployment["spec"]["template"]
    assert operator["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    assert {endpoint["port"] for endpoint in operator["spec"]["podMetricsEndpoints"]} <= ports
