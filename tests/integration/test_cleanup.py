"""streamjob cleanup: the groups of a job that is gone are deleted, others stay."""

import json
import subprocess
import urllib.request

from servers import BINARY, free_port


def manifest(path, ports):
    metric = {"name": "n", "type": "gauge", "value": "n"}
    sinks = [
        {"pushgateway": {"url": f"http://127.0.0.1:{port}", "job": "gone", "groupingKey": {"team": "a/b"}, "metrics": [metric]}}
        for port in ports
    ]
    spec = {
        "source": {"datagen": {"columns": {"x": {"sequence": {}}}}},
        "columns": [{"name": "x", "type": "BIGINT"}],
        "window": {"tumbling": {"size": "1s"}},
        "aggregates": [{"name": "n", "expr": "COUNT(*)"}],
        "sinks": sinks,
    }
    job = {"apiVersion": "streamjob.dev/v1alpha1", "kind": "StreamJob", "metadata": {"name": "gone"}, "spec": spec}
    path.write_text(json.dumps(job))
    return path


def push(port, group):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics/job/{group}", data=b"n 1\n", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()


def groups(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/metrics", timeout=10) as answer:
        return {(g["labels"]["job"], g["labels"].get("team")) for g in json.load(answer)["data"]}


def cleanup(path, *arguments):
    return subprocess.run([BINARY, "cleanup", path, *arguments], capture_output=True, text=True, check=False)


def test_the_group_goes_and_others_stay(gateway, tmp_path):
    file = manifest(tmp_path / "job.json", [gateway.port])
    push(gateway.port, "gone/team@base64/YS9i")
    push(gateway.port, "gone")
    assert groups(gateway.port) == {("gone", "a/b"), ("gone", None)}
    done = cleanup(file)
    assert done.returncode == 0, done.stderr
    assert groups(gateway.port) == {("gone", None)}
    assert cleanup(file).returncode == 0, "a group that is gone already is no failure"


def test_the_code_of_functions_is_not_needed(gateway, tmp_path):
    file = manifest(tmp_path / "job.json", [gateway.port])
    job = json.loads(file.read_text())
    job["spec"]["functions"] = [{"name": "f", "kind": "aggregate", "entrypoint": "m:f"}]
    job["spec"]["aggregates"] = [{"name": "n", "expr": "f(x)"}]
    file.write_text(json.dumps(job))
    push(gateway.port, "gone/team@base64/YS9i")
    done = cleanup(file)
    assert done.returncode == 0, done.stderr
    assert groups(gateway.port) == set()


def test_a_dead_gateway_does_not_take_the_others_time(gateway, tmp_path):
    file = manifest(tmp_path / "job.json", [free_port(), gateway.port])
    push(gateway.port, "gone/team@base64/YS9i")
    done = cleanup(file, "--timeout", "4s")
    assert done.returncode == 1
    assert "group not deleted" in done.stderr and "onnect" in done.stderr
    assert groups(gateway.port) == set()
