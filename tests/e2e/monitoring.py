"""The real Prometheus Operator, and a Prometheus that runs what the operator makes of a cluster's monitors and rules.

    with PrometheusOperator(folder, cluster):
        with Prometheus(folder, cluster) as prometheus:
            prometheus.query("up")

The operator runs on this machine with the cluster's certificates. It writes a Prometheus' configuration into a Secret and the
rules into a ConfigMap, for pods that it would start; here there are none (replicas: 0, the cluster has no such image). Debian's
Prometheus takes both, in the node's network. It is built without Kubernetes' discovery, so the pods are told to it, with the
labels that the discovery would give them; what is scraped of them is for the generated relabelling to say.
"""

import base64
import gzip
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml
from cluster import LAB
from conftest import HERE, go_program
from servers import Process, free_port, wait_for

MODULE = "github.com/prometheus-operator/prometheus-operator"
NAMESPACE = "monitoring"
NAME = "all"
PORT = 9090
RELOADER = {"$(SHARD)": "0", "$(POD_NAME)": f"prometheus-{NAME}-0"}  # what the reloader beside a Prometheus fills in
DEBIAN_VERSION = "v2.42.0"  # whose configuration the operator writes


def crds():
    """The folder with those of the operator's own release."""
    command = [LAB / "go", "mod", "download", "-C", HERE / "prometheus", "-json", MODULE]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return f"{json.loads(done.stdout)['Dir']}/example/prometheus-operator-crd"


class PrometheusOperator(Process):
    def __init__(self, folder, cluster):
        super().__init__(folder, "prometheus-operator")
        self.program = go_program("prometheus")
        self.cluster, self.port = cluster, free_port()

    def command(self):
        keys = self.cluster.run / "pki"
        return [str(self.program), f"--apiserver=https://{self.cluster.env['NODE']}:6443", f"--ca-file={keys / 'ca.crt'}",
                f"--cert-file={keys / 'admin.crt'}", f"--key-file={keys / 'admin.key'}", f"--web.listen-address=127.0.0.1:{self.port}"]

    def ready(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2).status == 200
        except OSError:
            return False


def targets(pod):
    """What Prometheus' own discovery (role: pod) makes of it: a target for each declared port."""
    metadata, status = pod["metadata"], pod.get("status", {})
    about = {"namespace": metadata["namespace"], "pod_name": metadata["name"], "pod_ip": status["podIP"], "pod_phase": status["phase"]}
    for label, value in metadata.get("labels", {}).items():
        label = re.sub("[^a-zA-Z0-9_]", "_", label)
        about.update({f"pod_label_{label}": value, f"pod_labelpresent_{label}": "true"})
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", []):
            here = {**about, "pod_container_name": container["name"], "pod_container_port_name": port.get("name", ""),
                    "pod_container_port_number": str(port["containerPort"]), "pod_container_port_protocol": port["protocol"]}
            yield {"targets": [f"{status['podIP']}:{port['containerPort']}"],
                   "labels": {f"__meta_kubernetes_{name}": value for name, value in here.items()}}


class Prometheus(Process):
    """One that takes every PodMonitor and PrometheusRule of the cluster; each second, and with alerts that wait for a second."""

    def __init__(self, folder, cluster):
        super().__init__(folder, "prometheus")
        self.cluster = cluster
        self.url = f"http://{cluster.env['NODE']}:{PORT}"
        self.discovered = []  # (file, namespaces or None for all)

    def install(self):
        self.cluster.namespace(NAMESPACE)
        self.cluster.apply({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"version": DEBIAN_VERSION, "replicas": 0, "scrapeInterval": "1s", "evaluationInterval": "1s",
                     "podMonitorSelector": {}, "podMonitorNamespaceSelector": {}, "ruleSelector": {}, "ruleNamespaceSelector": {}}})
        self.write_files(*self.wait_for_files())
        self.discover()

    def wait_for_files(self):
        """The configuration, and the rules by file name, once the operator has both."""

        def both():
            secret = self.cluster.get("secret", f"prometheus-{NAME}", NAMESPACE)
            rules = self.cluster.get("configmap", f"prometheus-{NAME}-rulefiles-0", NAMESPACE)
            text = gzip.decompress(base64.b64decode(secret["data"]["prometheus.yaml.gz"])).decode() if secret else ""
            for variable, value in RELOADER.items():
                text = text.replace(variable, value)
            return text.count("job_name: podMonitor/") == 2 and rules and rules.get("data") and (yaml.safe_load(text), rules["data"])

        return wait_for(both, 60, "the Prometheus Operator's configuration and rules")

    def write_files(self, config, rules):
        folder = self.folder / "rules"
        folder.mkdir()
        for name, rule in rules.items():
            (folder / name).write_text(re.sub(r"\bfor: \d+m\b", "for: 1s", rule))
        config["rule_files"] = [str(folder / "*.yaml")]
        for number, scrape in enumerate(config["scrape_configs"]):
            (found,) = scrape.pop("kubernetes_sd_configs")
            assert found["role"] == "pod"
            file = self.folder / f"pods-{number}.json"
            scrape["file_sd_configs"] = [{"files": [str(file)]}]
            self.discovered.append((file, found.get("namespaces", {}).get("names")))
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump(config))

    def discover(self):
        """Tells it which pods there are now; Debian's build cannot ask Kubernetes. The configuration's relabelling selects."""
        pods = self.cluster.api.items("pods", "")
        for file, namespaces in self.discovered:
            found = [target for pod in pods if pod.get("status", {}).get("podIP")
                     and (not namespaces or pod["metadata"]["namespace"] in namespaces) for target in targets(pod)]
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps(found))
            fresh.rename(file)

    def command(self):
        return ["env", f"RUN={self.cluster.run}", str(LAB / "ns"), "prometheus", f"--config.file={self.folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={self.folder / 'data'}", f"--web.listen-address={self.cluster.env['NODE']}:{PORT}"]

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready", timeout=2).status == 200
        except OSError:
            return False

    def get(self, path, **parameters):
        try:
            answer = urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error
        return json.load(answer)["data"]

    def query(self, expression):
        """[({labels}, value)]"""
        return [(series["metric"], float(series["value"][1])) for series in self.get("query", query=expression)["result"]]
