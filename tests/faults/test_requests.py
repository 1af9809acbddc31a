"""Single requests: what is sent, what an answer means, how access is configured."""

import base64
import json
import os
import subprocess
import time

import pytest

THING = {"apiVersion": "test/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"n": 1}}


def test_verbs_and_paths(server, client):
    driver = client()
    assert driver.request("create", object=THING)["object"]["spec"] == {"n": 1}
    assert driver.request("get", name="a")["object"]["metadata"]["uid"] == "uid-101"
    assert driver.request("apply", name="a", object=THING, force=True, subresource="status")["ok"]
    assert driver.request("apply", name="a", object=THING, dry_run=True)["ok"]
    assert driver.request("merge", name="a", object={"metadata": {"finalizers": None}})["ok"]
    assert driver.request("delete", name="a", uid="uid-101", propagation="Background")["ok"]
    sent = [(request.method, request.path, request.query, request.headers.get("content-type")) for request in server.log]
    path = "/apis/test/v1/namespaces/default/things"
    assert sent == [
        ("POST", path, {}, "application/json"),
        ("GET", f"{path}/a", {}, None),
        ("PATCH", f"{path}/a/status", {"fieldManager": "driver", "force": "true"}, "application/apply-patch+yaml"),
        ("PATCH", f"{path}/a", {"fieldManager": "driver", "dryRun": "All"}, "application/apply-patch+yaml"),
        ("PATCH", f"{path}/a", {"fieldManager": "driver"}, "application/merge-patch+json"),
        ("DELETE", f"{path}/a", {}, "application/json"),
    ]
    assert server.log[-1].json == {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
                                   "preconditions": {"uid": "uid-101"}}
    assert server.connections == 1, "the connection is kept"
    assert server.log[0].headers["user-agent"].startswith("streamjob-operator/")


def test_long_and_odd_names_are_neither_cut_nor_misread(server, client):
    driver = client()
    name = "n" * 253 + "/../x?y=%zz"
    assert driver.request("get", name=name, namespace="m" * 63)["reason"] == "not-found"
    assert server.log[0].path == f"/apis/test/v1/namespaces/{'m' * 63}/things/{name}"
    assert not server.log[0].query


@pytest.mark.parametrize("code, reason, details, wanted", [
    (400, "BadRequest", {}, "invalid"),
    (401, "Unauthorized", {}, "unauthorized"),
    (403, "Forbidden", {}, "forbidden"),
    (403, "Forbidden", {"causes": [{"reason": "NamespaceTerminating"}]}, "namespace-terminating"),
    (404, "NotFound", {}, "not-found"),
    (405, "MethodNotAllowed", {}, "invalid"),
    (408, "Timeout", {}, "unavailable"),
    (409, "Conflict", {}, "conflict"),
    (409, "AlreadyExists", {}, "already-exists"),
    (410, "Gone", {}, "gone"),
    (413, "RequestEntityTooLarge", {}, "too-large"),
    (415, "UnsupportedMediaType", {}, "invalid"),
    (422, "Invalid", {"causes": [{"field": "spec.x"}]}, "invalid"),
    (422, "Invalid", {"causes": [{"field": "metadata.uid"}]}, "conflict"),
    (429, "TooManyRequests", {"retryAfterSeconds": 7}, "throttled"),
    (500, "InternalError", {}, "unavailable"),
    (503, "ServiceUnavailable", {"retryAfterSeconds": 100000}, "unavailable"),
    (504, "Timeout", {}, "unavailable"),
], ids=lambda value: str(value) if isinstance(value, (int, str)) else "")
def test_reasons(server, client, code, reason, details, wanted):
    server.fault = lambda request, reply: reply.fail(code, reason, "told so", **details)
    answer = client().request("apply", name="a", object=THING)
    assert (answer["reason"], answer["status"]) == (wanted, code)
    assert answer["text"] == (f"PATCH /apis/test/v1/namespaces/default/things/a: the API server answered {code}: told so")
    assert answer["retry_after_ms"] == min(details.get("retryAfterSeconds", 0) * 1000, 60000)


def test_refusal_that_is_no_status(server, client):
    server.fault = lambda request, reply: reply.text(502, b"<html>bad gateway</html>\n" + b"x" * 100000)
    answer = client().request("get", name="a")
    assert answer["reason"] == "unavailable" and "answered 502: <html>bad gateway" in answer["text"]
    assert len(answer["text"]) < 1024


@pytest.mark.parametrize("code", [301, 302, 307])
def test_redirects_are_not_followed(server, client, code):
    server.fault = lambda request, reply: reply.text(code, b"", {"Location": "https://127.0.0.1:1/elsewhere"})
    answer = client().request("get", name="a")
    assert (answer["reason"], answer["status"]) == ("malformed", code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"hello", b'{"a": 1}{"b": 2}', b'{"a": "\xff"}'])
def test_malformed_answers(server, client, body):
    server.fault = lambda request, reply: reply.text(200, body)
    assert client().request("get", name="a")["reason"] == "malformed"


def test_conflict_on_replace_and_delete(server, client):
    old = server.api.put("things", "default", "a", spec={"n": 1})
    server.api.put("things", "default", "a", spec={"n": 2})
    driver = client()
    assert driver.request("replace", name="a", object=old)["reason"] == "conflict"
    assert driver.request("delete", name="a", uid="other")["reason"] == "conflict"
    assert server.api.objects["things", "default", "a"]["spec"] == {"n": 2}


def test_request_time_out_and_a_fresh_connection_after_it(server, client):
    hang = [True]

    def fault(request, reply):
        if hang[0]:
            time.sleep(2)
        return False

    server.fault = fault
    driver = client("request_ms=300")
    answer = driver.request("get", name="a")
    assert answer["reason"] == "unavailable" and "within the time-out" in answer["text"]
    hang[0] = False
    assert driver.request("get", name="a")["reason"] == "not-found"
    assert server.connections == 2


def test_body_that_trickles_is_timed_out(server, client):
    def fault(request, reply):
        reply.begin()
        for _ in range(50):
            reply.chunk(b" ")
            time.sleep(0.1)
        return reply.end()

    server.fault = fault
    answer = client("request_ms=500").request("get", name="a")
    assert answer["reason"] == "unavailable" and "within the time-out" in answer["text"]


def test_refused_connection(server, client):
    config = server.kubeconfig()
    driver = client(kubeconfig=config)
    server.close()
    answer = driver.request("get", name="a")
    assert answer["reason"] == "unavailable" and f"https://127.0.0.1:{server.port}: " in answer["text"]


def test_reset_and_again(server, client):
    resets = []
    server.fault = lambda request, reply: len(resets) < 1 and (resets.append(1), reply.reset())
    driver = client()
    assert driver.request("create", object=THING)["reason"] == "unavailable"
    assert driver.request("create", object=THING)["ok"]


def test_idle_connection_that_the_server_closed(server, client):
    driver = client()
    assert driver.request("create", object=THING)["ok"]
    server.cut()
    time.sleep(0.2)
    assert driver.request("get", name="a")["ok"]


def test_list_names_kinds_and_goes_through_pages(server, client):
    for i in range(7):
        server.api.objects["things", "default", f"t{i}"] = {"metadata": {"name": f"t{i}", "namespace": "default"}}
    driver = client()
    answer = driver.request("list", limit=3, labels="a=b,c!=d")
    assert answer["object"] == "100"
    assert [line for line in driver.seen if line.startswith("item")] == [f"item default/t{i} Thing" for i in range(7)]
    assert [request.query for request in server.log] == [
        {"labelSelector": "a=b,c!=d", "limit": "3", **({"continue": more} if more else {})} for more in ("", "3", "6")]


def test_page_too_large_is_asked_for_in_smaller_ones(server, client):
    for i in range(40):
        server.api.put("things", "default", f"t{i:02}")
    server.fault = lambda request, reply: len(server.log) < 2 and (reply.begin(), [reply.chunk(b" " * (1 << 20)) for _ in range(5)])
    driver = client()
    assert driver.request("list", limit=40)["ok"]
    assert [request.query["limit"] for request in server.log] == ["40", "4", "16", "40"]
    assert len([line for line in driver.seen if line.startswith("item")]) == 40


def test_a_list_of_large_objects_is_a_page_at_a_time(server, client):
    """30 objects of 900 kB, and one of 9 MB: what JSON makes of 1.5 MiB in etcd. Each page is cut off at 4 MiB, one object at 16."""
    for i in range(30):
        server.api.put("things", "default", f"t{i:02}", data="x" * (9_000_000 if i == 20 else 900_000))
    driver = client()
    assert driver.request("list", limit=500)["ok"]
    assert len([line for line in driver.seen if line.startswith("item")]) == 30
    assert server.log[-1].query["limit"] != "500", "pages of large objects stay small"


def test_answer_too_large(server, client):
    server.fault = lambda request, reply: (reply.begin(), [reply.chunk(b"x" * (1 << 20)) for _ in range(70)])
    answer = client().request("get", name="a")
    assert answer["reason"] == "too-large" and "larger than 67108864 bytes" in answer["text"]


def test_list_that_never_ends_makes_progress_or_fails(server, client):
    server.fault = lambda request, reply: reply.json(200, {"kind": "XList", "metadata": {}, "items": []})
    answer = client().request("list")
    assert answer["reason"] == "malformed" and "no resourceVersion" in answer["text"]


def test_client_certificate_files_and_data(server, client):
    server.token = "nobody-has-this"
    files = {"client-certificate": "client.crt", "client-key": "client.key"}
    data = {f"{key}-data": base64.b64encode((server.folder / name).read_bytes()).decode() for key, name in files.items()}
    for user in (files, data):
        server.log.clear()
        assert client(kubeconfig=server.kubeconfig(user)).request("get", name="a")["reason"] == "not-found"
        assert server.log[0].client == ((("commonName", "client"),),)
        assert "authorization" not in server.log[0].headers


def test_ca_data_and_names(server, client):
    ca = base64.b64encode((server.folder / "ca.crt").read_bytes()).decode()
    config = server.kubeconfig(**{"certificate-authority-data": ca, "server": f"https://localhost:{server.port}/"})
    assert client(kubeconfig=config).request("get", name="a")["reason"] == "not-found"


def test_tls_server_name(server, client):
    config = server.kubeconfig(server=f"https://127.0.0.2:{server.port}", **{"tls-server-name": "localhost"})
    server.close()
    server.listen("127.0.0.2", server.port)
    assert client(kubeconfig=config).request("get", name="a")["reason"] == "not-found"


def test_other_ca_is_not_trusted_until_it_is_the_right_one(server, client):
    good = (server.folder / "ca.crt").read_bytes()
    other = server.folder / "other.crt"
    other.write_bytes((server.folder / "client.crt").read_bytes())
    driver = client(kubeconfig=server.kubeconfig(**{"certificate-authority": "other.crt"}))
    answer = driver.request("get", name="a")
    assert answer["reason"] == "untrusted" and not server.log
    other.write_bytes(good)
    assert driver.request("get", name="a")["reason"] == "not-found"


@pytest.mark.skipif(os.geteuid() != 0, reason="root is needed to give the driver other system CAs")
def test_a_ca_of_the_system_is_not_trusted_beside_the_clusters(server, client):
    system = server.folder / "system"
    system.mkdir()
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", server.folder / "ca.crt"], check=True,
                          capture_output=True, text=True).stdout.strip()
    (system / f"{name}.0").write_bytes((server.folder / "ca.crt").read_bytes())
    (server.folder / "other.crt").write_bytes((server.folder / "client.crt").read_bytes())
    within = ["unshare", "--mount", "sh", "-c", f'mount --bind {system} /etc/ssl/certs && exec "$@"', "sh"]
    driver = client(kubeconfig=server.kubeconfig(**{"certificate-authority": "other.crt"}), within=within)
    assert driver.request("get", name="a")["reason"] == "untrusted" and not server.log


def test_name_that_the_certificate_does_not_have(server, client):
    driver = client(kubeconfig=server.kubeconfig(**{"tls-server-name": "elsewhere"}))
    assert driver.request("get", name="a")["reason"] == "untrusted" and not server.log


def test_token_that_grew_old_is_read_again_without_a_401(server, client):
    driver = client("credentials_ms=100")
    driver.request("get", name="a")
    server.fault = lambda request, reply: request.headers["authorization"] == "Bearer token-1" and reply.fail(500)
    server.token = "token-2"
    server.token_file()
    time.sleep(0.2)
    assert driver.request("get", name="a")["reason"] == "not-found"


def test_token_file_that_is_away_for_a_moment(server, client):
    driver = client("credentials_ms=10")
    driver.request("get", name="a")
    (server.folder / "token").unlink()
    time.sleep(0.1)
    assert driver.request("get", name="a")["reason"] == "not-found"


def test_metrics_count_requests(server, client):
    driver = client()
    driver.request("get", name="a")
    driver.request("create", object=THING)
    server.fault = lambda request, reply: reply.reset()
    driver.request("apply", name="a", object=THING)
    driver.tell("metrics")
    host = f"127.0.0.1:{server.port}"
    for code, method in (("404", "GET"), ("201", "POST"), ("<error>", "PATCH")):
        driver.expect(f'rest_client_requests_total{{code="{code}",host="{host}",method="{method}"}} 1')
    driver.expect('rest_client_request_duration_seconds_count{verb="GET"} 1')


def test_in_a_pod(server, drive):
    (server.folder / "namespace").write_text("team\n")
    server.token_file()
    driver = drive("request", "-", env={
        "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port), "KUBECONFIG": "",
        "SERVICE_ACCOUNT_DIR": str(server.folder)})
    assert driver.expect("server") == f"server https://127.0.0.1:{server.port} namespace team"
    assert driver.request("get", name="a")["reason"] == "not-found"


def test_kubeconfigs_are_merged(server, drive, tmp_path):
    whole = json.loads(server.kubeconfig().read_text())
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(json.dumps({"clusters": whole["clusters"], "contexts": whole["contexts"]}))
    second.write_text(json.dumps({"users": whole["users"], "current-context": "test"}))
    driver = drive("request", "-", env={"KUBECONFIG": f"{first}:{second}"})
    driver.expect("server")
    assert driver.request("get", name="a")["reason"] == "not-found"


REFUSED = [
    ({"auth-provider": {"name": "oidc"}}, {}, "user.auth-provider: auth providers are not supported"),
    ({"username": "u", "password": "p"}, {}, "user.username: the API server takes no passwords"),
    ({"as": "root", "token": "t"}, {}, "user.as: impersonation is not supported"),
    ({"client-certificate": "client.crt"}, {}, "client-certificate and client-key belong together"),
    ({"client-certificate-data": "&&&", "client-key": "client.key"}, {}, "client-certificate-data is not base64"),
    ({"tokenFile": "/nowhere/token"}, {}, "cannot open /nowhere/token"),
    ({"token": "a\nb"}, {}, "more than one line"),
    ({"token": "t"}, {"insecure-skip-tls-verify": True}, "TLS is always verified"),
    ({"token": "t"}, {"server": "http://127.0.0.1:80"}, "credentials are not sent to http://127.0.0.1:80"),
    ({"token": "t"}, {"server": "127.0.0.1"}, 'cluster.server is "127.0.0.1"; write https://HOST:PORT'),
    ({"token": "t"}, {"certificate-authority": "/nowhere/ca"}, "cannot open /nowhere/ca"),
]


@pytest.mark.parametrize("user, cluster, words", REFUSED, ids=[row[2][:30] for row in REFUSED])
def test_kubeconfigs_that_are_refused(server, drive, user, cluster, words):
    driver = drive("request", server.kubeconfig(user, **cluster))
    line = driver.expect("refused ")
    assert words in line and "kubeconfig" in line or "cannot open" in line
    driver.process.wait(30)
    driver.process.stdin.close()


@pytest.mark.parametrize("text, words", [
    ("{", "not YAML"), ("", "there is no current-context"), ("current-context: x", 'there is no context "x"'),
    ("{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}]}", 'names the cluster "c"'),
])
def test_kubeconfig_files_that_make_no_sense(server, drive, tmp_path, text, words):
    path = tmp_path / "odd"
    path.write_text(text)
    driver = drive("request", path)
    line = driver.expect("refused ")
    assert words in line and str(path) in line
    driver.process.wait(30)
    driver.process.stdin.close()
