"""The same rooms against the real API server and its etcd, with nothing else of a cluster."""

import os
import pathlib
import re
import ssl
import subprocess
import time
import urllib.request

import pytest

from hostile import authority
from servers.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
READY_S = 120
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}
IN_CORE = {"root": "/api/v1", "plural": "configmaps"}


class ApiServer:
    def __init__(self, folder, kube):
        self.folder, self.kube = folder, kube
        self.etcd_port, self.peer_port, self.port = free_port(), free_port(), free_port()
        authority(folder)
        subprocess.run("openssl genrsa -out sa.key 2048 && openssl rsa -in sa.key -pubout -out sa.pub",
                       shell=True, check=True, capture_output=True, cwd=folder)
        (folder / "tokens.csv").write_text("the-token,admin,1,system:masters\n")
        (folder / "token").write_text("the-token\n")
        self.etcd = self.start("etcd", [
            "etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level", "warn",
            "--listen-client-urls", f"http://127.0.0.1:{self.etcd_port}",
            "--advertise-client-urls", f"http://127.0.0.1:{self.etcd_port}",
            "--listen-peer-urls", f"http://127.0.0.1:{self.peer_port}"])
        self.server = None
        self.up()

    def start(self, name, arguments):
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen([self.kube, *map(str, arguments)], stdout=log, stderr=log, cwd=self.folder,
                                    env={**os.environ, "GODEBUG": "http2debug=1"})

    def up(self):
        self.server = self.start("apiserver", [
            "apiserver", "--etcd-servers", f"http://127.0.0.1:{self.etcd_port}", "--bind-address", "127.0.0.1",
            "--advertise-address", "127.0.0.1", "--secure-port", self.port, "--tls-cert-file", "server.crt",
            "--tls-private-key-file", "server.key", "--token-auth-file", "tokens.csv", "--authorization-mode", "RBAC",
            "--service-cluster-ip-range", "198.19.0.0/24", "--service-account-issuer", "https://test",
            "--service-account-key-file", "sa.pub", "--service-account-signing-key-file", "sa.key",
            "--endpoint-reconciler-type", "none"])
        end = time.monotonic() + READY_S
        while not self.ready():
            assert self.server.poll() is None and time.monotonic() < end, (self.folder / "apiserver.log").read_text()[-3000:]
            time.sleep(0.1)

    def ready(self):
        try:
            context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
            request = urllib.request.Request(f"https://127.0.0.1:{self.port}/readyz",
                                             headers={"Authorization": "Bearer the-token"})
            return urllib.request.urlopen(request, context=context, timeout=2).status == 200
        except OSError:
            return False

    def down(self):
        self.server.terminate()
        try:
            self.server.wait(5)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def kubeconfig(self):
        path = self.folder / "kubeconfig"
        path.write_text(f"""
current-context: test
clusters: [{{name: test, cluster: {{server: "https://127.0.0.1:{self.port}", certificate-authority: ca.crt}}}}]
users: [{{name: test, user: {{tokenFile: "{self.folder}/token"}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
""")
        return path

    def close(self):
        self.down()
        self.etcd.kill()
        self.etcd.wait()


@pytest.fixture(scope="module")
def api_server(tmp_path_factory):
    built = subprocess.run([ROOT / "tests/cluster/build.sh"], check=True, stdout=subprocess.PIPE, text=True)
    server = ApiServer(tmp_path_factory.mktemp("api"), built.stdout.split()[-1])
    yield server
    server.close()


def test_requests(api_server, client):
    driver = client(kubeconfig=api_server.kubeconfig())
    created = driver.request("create", object=MAP, **IN_CORE)["object"]
    assert driver.request("create", object=MAP, **IN_CORE)["reason"] == "already-exists"
    assert driver.request("get", name="b", **IN_CORE)["reason"] == "not-found"
    assert driver.request("get", name="b", root="/apis/streamjob.dev/v9", plural="streamjobs")["reason"] == "not-found"
    stale = {**created, "metadata": {**created["metadata"], "resourceVersion": "1"}}
    assert driver.request("replace", name="a", object=stale, **IN_CORE)["reason"] == "conflict"
    applied = {**MAP, "data": {"k": "2"}}
    assert driver.request("apply", name="a", object=applied, **IN_CORE)["reason"] == "conflict"
    dry = driver.request("apply", name="a", object=applied, force=True, dry_run=True, **IN_CORE)["object"]
    assert dry["data"] == {"k": "2"}
    assert driver.request("get", name="a", **IN_CORE)["object"]["data"] == {"k": "1"}
    done = driver.request("apply", name="a", object=applied, force=True, **IN_CORE)["object"]
    again = driver.request("apply", name="a", object=applied, force=True, **IN_CORE)["object"]
    assert done["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"], "nothing changed, nothing written"
    wrong = {**applied, "metadata": {"name": "a", "uid": "00000000-0000-0000-0000-000000000000"}}
    answer = driver.request("apply", name="a", object=wrong, force=True, **IN_CORE)
    assert answer["reason"] == "conflict", answer
    assert driver.request("apply", name="a", object={**MAP, "data": 7}, **IN_CORE)["reason"] in ("invalid", "unavailable")
    assert driver.request("merge", name="a", object={"metadata": {"labels": {"x": "y"}}}, **IN_CORE)["ok"]
    assert driver.request("delete", name="a", uid="other", **IN_CORE)["reason"] == "conflict"
    assert driver.request("delete", name="a", uid=created["metadata"]["uid"], propagation="Background", **IN_CORE)["ok"]


def test_namespace_that_ends(api_server, client):
    driver = client(kubeconfig=api_server.kubeconfig())
    core = {"root": "/api/v1", "plural": "namespaces", "namespace": None}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ending"}}
    assert driver.request("create", object=namespace, **core)["ok"]
    assert driver.request("delete", name="ending", **core)["ok"]
    answer = driver.request("apply", name="a", object=MAP, namespace="ending", **IN_CORE)
    assert answer["reason"] == "namespace-terminating"


def test_list_in_pages(api_server, client):
    driver = client(kubeconfig=api_server.kubeconfig())
    for i in range(23):
        assert driver.request("create", object={**MAP, "metadata": {"name": f"p{i:02}", "labels": {"set": "pages"}}},
                              **IN_CORE)["ok"]
    assert driver.request("list", labels="set=pages", limit=5, **IN_CORE)["ok"]
    items = [line for line in driver.seen if line.startswith("item default/p")]
    assert items == [f"item default/p{i:02} ConfigMap" for i in range(23)]


def test_informer_and_a_restart_of_the_server(api_server, client, drive):
    config = api_server.kubeconfig()
    driver = client(kubeconfig=config)
    informer = drive("informer", config, "/api/v1", "configmaps", "default")
    informer.expect("well")
    name = {**MAP, "metadata": {"name": "w"}}
    assert driver.request("create", object=name, **IN_CORE)["ok"]
    assert "untrimmed" not in informer.expect("added default/w ")
    assert driver.request("merge", name="w", object={"data": {"k": "2"}}, **IN_CORE)["ok"]
    informer.expect("updated default/w ")
    log = (api_server.folder / "apiserver.log").read_bytes()
    assert re.search(rb'http2: server read frame DATA [^\n]*\\"name\\": ?\\"w\\"', log), "HTTP/2 is spoken"
    api_server.down()
    informer.expect("trouble ")
    assert driver.request("get", name="w", **IN_CORE)["reason"] == "unavailable"
    api_server.up()
    assert driver.request("delete", name="w", **IN_CORE)["ok"]
    informer.expect("deleted default/w ")
    keys = informer.counts()["keys"]
    assert "default/w" not in keys


def test_lease(api_server, drive):
    config = api_server.kubeconfig()
    first = drive("lease", config, "one")
    first.expect("acquired")
    second = drive("lease", config, "two")
    second.expect("leader one")
    assert first.ask("write", "{") == '{"ok":true}'
    assert '"not-leader"' in second.ask("write", "{")
    first.stop()
    second.expect("acquired")
    assert second.ask("write", "{") == '{"ok":true}'
