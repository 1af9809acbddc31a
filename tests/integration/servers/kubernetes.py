"""A Kubernetes API server with its etcd, and the operator: no node, no controllers. What a pod would do, a test does.

    with Kubernetes(folder) as cluster:
        cluster.kubectl("apply", "-f", "-", stdin=manifest)
        operator = Operator(folder, cluster, args=["--namespace", "default"])
        operator.start()

The binary is the one of tests/cluster/build.sh; STREAMJOB_KUBE names one that was built elsewhere.
"""

import functools
import json
import os
import pathlib
import ssl
import subprocess
import urllib.error
import urllib.request

from . import ROOT, Process, free_port, wait_for

OPERATOR = pathlib.Path(os.environ.get("STREAMJOB_OPERATOR", ROOT / "build" / "release" / "streamjob-operator"))
CRD = ROOT / "crds" / "streamjob.yaml"


@functools.cache
def kube_binary():
    given = os.environ.get("STREAMJOB_KUBE")
    return given or subprocess.run([ROOT / "tests/cluster/build.sh"], check=True, capture_output=True, text=True).stdout.strip()


class Etcd(Process):
    def __init__(self, folder):
        super().__init__(folder, "etcd")
        self.port, self.peer = free_port(), free_port()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        return [
            kube_binary(), "etcd", "--data-dir", str(self.folder / "data"), "--unsafe-no-fsync", "--log-level", "warn",
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", f"http://127.0.0.1:{self.peer}",
        ]  # fmt: skip

    def ready(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=2) as answer:
                return b'"true"' in answer.read()
        except OSError:
            return False


class ApiServer(Process):
    """Users are tokens: `admin` may do everything; others only what RBAC gives them."""

    def __init__(self, folder, etcd):
        super().__init__(folder, "apiserver")
        self.etcd, self.port = etcd, free_port()
        self.certificates()
        tokens = ["admin-token,admin,1,system:masters", "operator-token,operator,2", "limited-token,limited,3"]
        (self.folder / "tokens.csv").write_text("\n".join(tokens) + "\n")

    def certificates(self):
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]

        def run(*arguments):
            subprocess.run(arguments, check=True, capture_output=True, cwd=self.folder)

        run(*new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test-ca")
        run(
            *new, "-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=apiserver", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:false",
        )  # fmt: skip
        run("openssl", "genrsa", "-out", "sa.key", "2048")

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def command(self):
        return [
            kube_binary(), "apiserver", "--etcd-servers", self.etcd.url, "--bind-address", "127.0.0.1",
            "--secure-port", str(self.port), "--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key",
            "--client-ca-file", "ca.crt", "--token-auth-file", "tokens.csv", "--authorization-mode", "RBAC",
            "--service-cluster-ip-range", "198.19.0.0/24", "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-key-file", "sa.key", "--service-account-signing-key-file", "sa.key",
            "--disable-admission-plugins", "ServiceAccount", "--endpoint-reconciler-type", "none",
            "--watch-cache=true", "--profiling=false",
        ]  # fmt: skip

    def ready(self):
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        try:
            request = urllib.request.Request(self.url + "/readyz", headers={"Authorization": "Bearer admin-token"})
            with urllib.request.urlopen(request, timeout=2, context=context) as answer:
                return answer.status == 200
        except OSError:
            return False


class Kubernetes:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.etcd = Etcd(folder)
        self.api = None

    def __enter__(self):
        self.etcd.start()
        self.api = ApiServer(self.folder, self.etcd)
        self.api.start(120)
        return self

    def __exit__(self, *_):
        if self.api:
            self.api.kill()  # its data goes; to a SIGTERM it takes 20 s
        self.etcd.kill()

    def kubeconfig(self, user="admin", server=None):
        path = self.folder / f"{user}{'-' + server.rpartition(':')[2] if server else ''}.conf"
        ca = self.api.folder / "ca.crt"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server or self.api.url, "certificate-authority": str(ca)}}],
            "users": [{"name": user, "user": {"token": f"{user}-token"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        }
        path.write_text(json.dumps(config))
        return path

    def kubectl(self, *arguments, stdin=None, check=True, user="admin"):
        environment = os.environ | {"KUBECONFIG": str(self.kubeconfig(user)), "KUBECACHEDIR": str(self.folder / "cache")}
        done = subprocess.run(
            [kube_binary(), "kubectl", *arguments], input=stdin, env=environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done

    def request(self, method, path, body=None, content_type="application/json"):
        """The answer as JSON; None where there is no such object."""
        context = ssl.create_default_context(cafile=str(self.api.folder / "ca.crt"))
        headers = {"Authorization": "Bearer admin-token", "Content-Type": content_type}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()[:2000]}") from None

    def install_crd(self):
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
        established = ["wait", "--for=condition=Established", "crd/streamjobs.streamjob.dev", "--timeout=30s"]
        # at once after the apply there is no status yet, which kubectl takes for an error
        eventually(lambda: self.kubectl(*established, check=False).returncode == 0, "the CRD is established", 60)


class Operator(Process):
    def __init__(self, folder, cluster, args=(), name="operator", user="admin", server=None):
        super().__init__(folder, name)
        self.port = free_port()
        self.kubeconfig = cluster.kubeconfig(user, server)
        self.args = list(args)

    def command(self):
        return [
            str(OPERATOR), "run", "--kubeconfig", str(self.kubeconfig), "--listen", f"127.0.0.1:{self.port}",
            "--runtime-image", "streamjob:test", "--poll", "200ms", *self.args,
        ]  # fmt: skip

    def page(self, path):
        """Status and text of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def ready(self):
        return self.page("/healthz")[0] == 200

    def metric(self, line):
        """The value of a sample, by all that stands before it."""
        for one in self.page("/metrics")[1].splitlines():
            if one.startswith(line + " "):
                return float(one.split()[-1])
        return None


def eventually(condition, what, timeout=30):
    return wait_for(condition, timeout, what)
