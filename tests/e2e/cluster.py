"""The real cluster of tests/cluster, with our images and the operator in it.

    with Cluster(folder) as cluster:
        cluster.kubectl("get", "nodes")
        cluster.apply({...})

E2E_RUN=FOLDER names the state of a cluster that is up already (tests/cluster/up.sh): it is used and left as it is, which
makes a test's second run quick.
"""

import json
import os
import pathlib
import subprocess

from api import Api
from servers import wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LAB = ROOT / "tests" / "cluster"
SYSTEM = "streamjob-system"


class Cluster:
    def __init__(self, folder):
        self.run = pathlib.Path(os.environ.get("E2E_RUN", folder))
        self.ours = "E2E_RUN" not in os.environ

    def __enter__(self):
        if self.ours:
            subprocess.run([LAB / "up.sh"], env={**os.environ, "RUN": str(self.run)}, check=True, timeout=1800)
        text = subprocess.run(["bash", "-c", f". {self.run}/env && env -0"], check=True, capture_output=True, text=True).stdout
        self.env = dict(item.split("=", 1) for item in text.split("\0") if item)
        self.host = self.env["HOST"]
        self.api = Api(self.env["NODE"], self.run / "pki")
        return self

    def __exit__(self, *unused):
        if self.ours:
            self.save_logs()
            subprocess.run([LAB / "down.sh"], env=self.env, check=True, timeout=60)

    def save_logs(self):
        """Beside the cluster's folder, which goes: the pods', the operator's and the cluster's own."""
        subprocess.run(["cp", "-r", self.run / "root/var/log/pods", self.run / "log", self.run.parent], check=False)

    def load(self, *images):
        """Builds the images where their inputs have changed, and imports them."""
        archives = subprocess.run([LAB / "images.sh", *images], check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
        subprocess.run([LAB / "load.sh", *archives.stdout.split()], env=self.env, check=True, capture_output=True, timeout=300)

    def kubectl(self, *args, check=True, input=None, timeout=120):
        done = subprocess.run(
            ["kubectl", *map(str, args)], env=self.env, capture_output=True, text=True, input=input, timeout=timeout
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def get(self, kind, name, namespace):
        """The object, or None."""
        return self.api.get(kind, name, namespace)

    def items(self, kind, namespace, selector=""):
        return self.api.items(kind, namespace, labelSelector=selector)

    def apply(self, *objects, check=True):
        """Server-side, as GitOps tools do."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self.kubectl("apply", "--server-side", "-f", "-", input=text, check=check)

    def outside(self, namespace, name, port, target_port):
        """A Service whose backend is this machine: pods reach it by cluster DNS."""
        self.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
             "spec": {"ports": [{"name": "tcp", "port": port, "targetPort": target_port}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
             "endpoints": [{"addresses": [self.host], "conditions": {"ready": True}}],
             "ports": [{"name": "tcp", "port": target_port}]},
        )

    def namespace(self, name):
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})

    # The operator.

    def install(self, overlay, *patches):
        """kubectl apply -k manifests/OVERLAY, with JSON patches of the operator's arguments for quick tests."""
        text = self.kubectl("kustomize", ROOT / "manifests" / overlay).stdout
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=text)
        if not self.ours:  # the tag is the same, the image may be another
            self.kubectl("rollout", "restart", "deployment", "-l", "app.kubernetes.io/name=streamjob-operator", "-n", SYSTEM)
        for patch in patches:
            self.operator_args(*patch)

    def operator_args(self, *more, namespace=SYSTEM):
        """Adds arguments to the operator's; what was added before is dropped."""
        deployment = self.get("deployment", "streamjob-operator", namespace)
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        args = container["args"]
        shipped = args.index("--log-format=json") + 1
        kept = args[:shipped] + [arg for arg in args[shipped:] if arg == "--namespace=$(NAMESPACE)"]
        patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": kept + list(more)}]
        self.kubectl("-n", namespace, "patch", "deployment", "streamjob-operator", "--type=json", "-p", json.dumps(patch))

    def operator_scale(self, replicas, namespace=SYSTEM):
        self.kubectl("-n", namespace, "scale", "deployment", "streamjob-operator", f"--replicas={replicas}")
        self.operator_ready(namespace)

    def operator_ready(self, namespace=SYSTEM):
        self.kubectl("-n", namespace, "rollout", "status", "deployment", "streamjob-operator", "--timeout=60s")

    def operator_pods(self, namespace=SYSTEM):
        pods = self.items("pods", namespace, "app.kubernetes.io/name=streamjob-operator")
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def processes(self, pod, program):
        """Ids, on this machine, of a pod's processes that run `program`."""
        uid, found = pod["metadata"]["uid"], []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")[0].decode()
                if pathlib.Path(command).name == program and uid in (process / "cgroup").read_text():
                    found.append(int(process.name))
            except OSError:
                pass  # it has ended
        return found

    def leader(self, namespace=SYSTEM):
        """The pod that holds the Lease."""
        for lease in self.items("leases", namespace):
            holder = lease["spec"].get("holderIdentity") or ""
            for pod in self.operator_pods(namespace):
                if holder.startswith(pod["metadata"]["name"]):
                    return pod
        return None


class Job:
    """A StreamJob in the cluster."""

    def __init__(self, cluster, manifest, namespace):
        self.cluster, self.namespace = cluster, namespace
        self.manifest = manifest
        self.name = manifest["metadata"]["name"]
        manifest["metadata"]["namespace"] = namespace

    def apply(self, check=True, **spec):
        """Applies it, with these fields of the spec changed; None takes one out."""
        for key, value in spec.items():
            if value is None:
                self.manifest["spec"].pop(key, None)
            else:
                self.manifest["spec"][key] = value
        return self.cluster.apply(self.manifest, check=check)

    def delete(self, wait=True, cascade="background"):
        self.cluster.kubectl("-n", self.namespace, "delete", "streamjob", self.name, f"--wait={str(wait).lower()}", f"--cascade={cascade}")

    def get(self):
        return self.cluster.get("streamjob", self.name, self.namespace)

    def condition(self, kind):
        job = self.get() or {}
        for condition in job.get("status", {}).get("conditions", []):
            if condition["type"] == kind:
                return condition
        return {}

    def shows(self, timeout=15, /, **wanted):
        """Waits until each condition is as wanted: Ready="True", or Ready=("False", "SinkFailing", "words of the message")."""
        seen = {}

        def holds():
            job = self.get() or {}
            status = job.get("status", {})
            seen.clear()
            seen.update({condition["type"]: condition for condition in status.get("conditions", [])})
            if status.get("observedGeneration") != job.get("metadata", {}).get("generation"):
                return False
            for kind, want in wanted.items():
                condition, want = seen.get(kind, {}), (want,) if isinstance(want, str) else want
                if (condition.get("status"), condition.get("reason"))[: len(want)] != want[:2]:
                    return False
                if len(want) == 3 and want[2] not in condition.get("message", ""):
                    return False
            return seen

        return wait_for(holds, timeout, lambda: f"{self.name} shows {wanted}; it shows {json.dumps(seen, indent=1)}")

    def ready(self, timeout=90):
        return self.shows(timeout, Ready="True", Stalled="False")

    def children(self, kind):
        return self.cluster.items(kind, self.namespace, f"app.kubernetes.io/instance={self.name}")

    def job_files(self):
        return [c for c in self.children("configmaps") if c["metadata"]["labels"]["app.kubernetes.io/component"] == "job-file"]

    def pods(self):
        pods = self.children("pods")
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def pod(self):
        pods = wait_for(self.pods, 30, f"a pod of {self.name}")
        assert len(pods) == 1, [pod["metadata"]["name"] for pod in pods]
        return pods[0]
