"""Credential plugins: user.exec of a kubeconfig, as EKS, GKE and AKS write it."""

import base64
import json
import os
import stat

import pytest

V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
GET = {"name": "a"}

PLUGIN = """#!/usr/bin/python3
import json, os, sys
with open({seen!r}, "a") as seen:
    seen.write(json.dumps({{"argv": sys.argv, "env": dict(os.environ), "stdin": sys.stdin.read()}}) + chr(10))
sys.stderr.write("words of the plugin" + chr(10))
{body}
"""


class Plugin:
    def __init__(self, folder, name="plugin"):
        self.folder, self.name = folder, name
        self.seen_file = folder / f"{name}.seen"

    def write(self, body):
        path = self.folder / self.name
        path.write_text(PLUGIN.format(seen=str(self.seen_file), body=body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return self

    def answers(self, version=V1, **status):
        text = json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": status})
        return self.write(f"sys.stdout.write({text!r})")

    def runs(self):
        return [json.loads(line) for line in self.seen_file.read_text().splitlines()] if self.seen_file.exists() else []


@pytest.fixture
def plugin(tmp_path):
    return Plugin(tmp_path)


def spoken(driver, words):
    driver.stop()
    return any(words in line for line in driver.errors)


def exec_of(plugin, **more):
    return {"exec": {"apiVersion": V1, "command": f"./{plugin.name}", "interactiveMode": "Never", **more}}


# What `aws eks update-kubeconfig`, `gcloud container clusters get-credentials` and `kubelogin convert-kubeconfig` write.
CLOUDS = {
    "eks": {
        "apiVersion": V1BETA1,
        "args": ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "it's $HOME; `id`", "--output", "json"],
        "env": [{"name": "AWS_PROFILE", "value": "prod"}], "provideClusterInfo": False},
    "gke": {
        "apiVersion": V1BETA1, "args": None, "env": None, "installHint": "Install gke-gcloud-auth-plugin for use with kubectl",
        "provideClusterInfo": True},
    "aks": {
        "apiVersion": V1, "args": ["get-token", "--login", "azurecli", "--server-id", "6dae42f8"], "env": None,
        "interactiveMode": "IfAvailable", "provideClusterInfo": False},
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_kubeconfigs_of_clouds(server, client, plugin, cloud):
    shape = CLOUDS[cloud]
    plugin.answers(shape["apiVersion"], token=server.token, expirationTimestamp="2099-01-01T00:00:00Z")
    driver = client(kubeconfig=server.kubeconfig({"exec": {"command": f"./{plugin.name}", **shape}}))
    assert driver.request("get", **GET)["reason"] == "not-found"
    assert driver.request("get", **GET)["reason"] == "not-found"
    (run,) = plugin.runs()
    assert run["argv"][1:] == (shape["args"] or []) and run["stdin"] == ""
    assert run["env"].get("AWS_PROFILE") == ("prod" if cloud == "eks" else None) and run["env"]["PATH"] == os.environ["PATH"]
    info = json.loads(run["env"]["KUBERNETES_EXEC_INFO"])
    assert (info["kind"], info["apiVersion"], info["spec"]["interactive"]) == ("ExecCredential", shape["apiVersion"], False)
    assert ("cluster" in info["spec"]) == (cloud == "gke")
    assert spoken(driver, "words of the plugin")


def test_what_a_plugin_is_told_of_the_cluster(server, client, plugin):
    plugin.answers(token=server.token)
    config = {"audience": "me", "list": [1, {"a": None}]}
    kubeconfig = server.kubeconfig(
        exec_of(plugin, provideClusterInfo=True), server=f"https://127.0.0.1:{server.port}/", **{
            "tls-server-name": "localhost",
            "extensions": [{"name": "other", "extension": 1}, {"name": "client.authentication.k8s.io/exec", "extension": config}]})
    assert client(kubeconfig=kubeconfig).request("get", **GET)["reason"] == "not-found"
    cluster = json.loads(plugin.runs()[0]["env"]["KUBERNETES_EXEC_INFO"])["spec"]["cluster"]
    ca = base64.b64encode((server.folder / "ca.crt").read_bytes()).decode()
    assert cluster == {"server": f"https://127.0.0.1:{server.port}/", "tls-server-name": "localhost",
                       "certificate-authority-data": ca, "config": config}


def test_a_certificate_of_a_plugin(server, client, plugin):
    server.token = "nobody-has-this"
    plugin.answers(clientCertificateData=(server.folder / "client.crt").read_text(),
                   clientKeyData=(server.folder / "client.key").read_text())
    assert client(kubeconfig=server.kubeconfig(exec_of(plugin))).request("get", **GET)["reason"] == "not-found"
    assert server.log[0].client == ((("commonName", "client"),),)


def test_a_plugin_is_run_again_when_it_expired_and_after_a_401(server, client, plugin):
    plugin.answers(token=server.token, expirationTimestamp="2001-01-01T00:00:00+02:00")
    driver = client(kubeconfig=server.kubeconfig(exec_of(plugin)))
    assert driver.request("get", **GET)["reason"] == "not-found"
    runs = len(plugin.runs())
    assert runs >= 2
    plugin.answers(token=server.token)
    assert driver.request("get", **GET)["reason"] == "not-found"
    assert len(plugin.runs()) == runs + 1
    server.token = "token-2"
    plugin.answers(token=server.token)
    assert driver.request("get", **GET)["reason"] == "not-found"
    assert len(plugin.runs()) == runs + 2


def test_a_token_beside_a_plugin_wins(server, client, plugin):
    plugin.answers(token="other")
    kubeconfig = server.kubeconfig({"token": server.token, **exec_of(plugin)})
    assert client(kubeconfig=kubeconfig).request("get", **GET)["reason"] == "not-found"
    assert plugin.runs() == []


def test_a_plugin_of_the_path(server, client, plugin):
    plugin.answers(token=server.token)
    driver = client(kubeconfig=server.kubeconfig(exec_of(plugin, command=plugin.name)),
                    env={"PATH": f"{plugin.folder}:{os.environ['PATH']}"})
    assert driver.request("get", **GET)["reason"] == "not-found"


BAD_ANSWERS = [
    ("", "nothing was written"),
    ("sys.stdout.write('token')", "it is no JSON object"),
    ("print(json.dumps({'kind': 'Status', 'apiVersion': 'v1'}))", 'kind is "Status", not ExecCredential'),
    (f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1BETA1!r}, 'status': {{'token': 'a'}}}}))",
     f'apiVersion is "{V1BETA1}"; the kubeconfig says {V1}'),
    (f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}}}))", "it has no status"),
    (f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}, 'status': {{}}}}))", "has neither a token"),
    (f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}, 'status': {{'clientKeyData': 'a'}}}}))",
     "clientCertificateData and clientKeyData belong together"),
    (f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}, 'status': {{'token': 'a', "
     "'expirationTimestamp': 'soon'}}))", 'expirationTimestamp "soon" is no time'),
    (f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': {V1!r}, 'status': {{'token': 'a' + chr(10) + 'b'}}}}))",
     "more than one line"),
    ("sys.exit(7)", "failed with exit code 7"),
    ("os.kill(os.getpid(), 9)", "failed with signal 9"),
    ("sys.stdout.write('x' * (1 << 21))", "wrote more than 1048576 bytes"),
    ("import time; sys.stdout.close(); os.close(1); time.sleep(600)", "was not done within 1500 ms"),
    ("import time; os.fork(); time.sleep(600)", "was not done within 1500 ms"),
]


@pytest.mark.parametrize("body, words", BAD_ANSWERS, ids=[row[1][:30] for row in BAD_ANSWERS])
def test_a_plugin_that_fails(server, drive, plugin, body, words):
    plugin.write(body)
    limit = 1500 if "sleep" in body else 60000
    driver = drive("request", server.kubeconfig(exec_of(plugin, installHint="ask the platform team")), f"plugin_ms={limit}")
    line = driver.expect("refused ")
    assert words in line and ("plugin" in line or "token" in line)
    if "failed with" in words:
        driver.expect("ask the platform team")
    driver.process.wait(30)
    driver.process.stdin.close()


BAD_SHAPES = [
    ({"command": "no-such-plugin", "installHint": "get it there"}, "the plugin no-such-plugin cannot be started: No such file"),
    ({"command": ""}, "exec.command names no program"),
    ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "update the plugin, and have it write the kubeconfig anew"),
    ({"apiVersion": None}, 'exec.apiVersion is ""'),
    ({"interactiveMode": None}, 'exec.interactiveMode is ""; write Never, IfAvailable or Always'),
    ({"interactiveMode": "Sometimes"}, 'exec.interactiveMode is "Sometimes"'),
    ({"interactiveMode": "Always"}, "wants a terminal"),
    ({"args": "one two"}, "exec.args is no list"),
    ({"args": [["a"]]}, "exec.args[0] is no string"),
    ({"env": [{"value": "x"}]}, "exec.env[0] has no name"),
]


@pytest.mark.parametrize("change, words", BAD_SHAPES, ids=[row[1][:30] for row in BAD_SHAPES])
def test_a_plugin_that_cannot_be_run(server, drive, plugin, change, words):
    plugin.answers(token=server.token)
    shape = {key: value for key, value in (exec_of(plugin)["exec"] | change).items() if value is not None}
    driver = drive("request", server.kubeconfig({"exec": shape}))
    assert words in driver.expect("refused ")
    if "installHint" in change:
        driver.expect("get it there")
    driver.process.wait(30)
    driver.process.stdin.close()
    assert plugin.runs() == []


def test_no_plugin_is_run_for_a_server_without_tls(server, drive, plugin):
    plugin.answers(token=server.token)
    driver = drive("request", server.kubeconfig(exec_of(plugin), server="http://127.0.0.1:80"))
    assert "credentials are not sent to http://127.0.0.1:80" in driver.expect("refused ")
    driver.process.wait(30)
    driver.process.stdin.close()
    assert plugin.runs() == []
