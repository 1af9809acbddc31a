"""A run on recorded events touches nothing that others read."""

import json
import pathlib
import socket
import threading

import pytest
from conftest import MANIFEST, ROWS

BAD = '{"k":"a","v":1,"ts":100}\n{"k":"b","v":2,"ts":900}\n{bad\n{"k":"a","v":3,"ts":1100}\n'


class Server:
    """Accepts connections, and counts them; says nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.connections.append(self.listener.accept()[0])
            except OSError:
                return


@pytest.fixture
def server():
    made = Server()
    yield made
    made.listener.close()
    for connection in made.connections:
        connection.close()


PUSH = 'pushgateway: {url: "http://%s", job: x, metrics: [{name: m, type: counter, value: c, labels: [k]}]}'
KAFKA = 'kafka: {bootstrapServers: "%s", topic: out}'


def manifest(server, sinks, letters=""):
    text = MANIFEST.replace("127.0.0.1:1", server.address)
    sinks = ", ".join("{" + (sink % server.address if "%" in sink else sink) + "}" for sink in sinks)
    job = text[: text.index("  sinks:")] + f"  format: {{json: {{onBadRow: {'deadLetter' if letters else 'skip'}}}}}\n"
    return job + (f"  deadLetter: {{{letters % server.address}}}\n" if letters else "") + f"  sinks: [{sinks}]\n"


@pytest.mark.parametrize("sinks", [[PUSH], [KAFKA], [PUSH, KAFKA]], ids=["pushgateway", "kafka", "both"])
def test_results_go_to_standard_output(tree, server, sinks):
    tree.write("job.yaml", manifest(server, sinks))
    done = tree.streamjob("run", "job.yaml", "--input", "events.jsonl", "--clock", "ts")
    assert (done.returncode, done.stdout) == (0, ROWS), done.stderr
    assert "the servers of the job's sinks are left alone" in done.stderr
    assert not server.connections


def test_a_jobs_own_standard_output_and_files_stay(tree, server):
    tree.write("job.yaml", manifest(server, [PUSH, "stdout: {}", "file: {path: out.jsonl}"]))
    done = tree.streamjob("run", "job.yaml", "--input", "-", "--clock", "ts", text=tree.read("events.jsonl"))
    assert (done.returncode, done.stdout, tree.read("out.jsonl")) == (0, ROWS, ROWS), done.stderr
    assert not server.connections


LETTERS = "kafka: {bootstrapServers: '%s', topic: dead}"


@pytest.mark.parametrize(
    "args, beside", [(["--output", "out.jsonl"], True), (["--output", "-"], False), ([], False)], ids=["file", "stdout", "none"]
)
def test_dead_letters_do_not_reach_production(tree, server, args, beside):
    tree.write("job.yaml", manifest(server, [PUSH], LETTERS))
    tree.write("events.jsonl", BAD)
    done = tree.streamjob("run", "job.yaml", "--input", "events.jsonl", "--clock", "ts", *args)
    assert done.returncode == 0, done.stderr
    assert (tree.read("out.jsonl") if beside else done.stdout) == ROWS
    assert not server.connections
    letters = pathlib.Path(tree.folder) / "out.jsonl.dead-letters.jsonl"
    assert letters.exists() == beside
    if beside:
        assert json.loads(letters.read_text())["reason"].startswith("byte 2: expected")


def test_a_file_of_dead_letters_stays_where_the_job_says(tree, server):
    tree.write("job.yaml", manifest(server, [PUSH], "file: {path: dead.jsonl%.0s}"))
    tree.write("events.jsonl", BAD)
    done = tree.streamjob("run", "job.yaml", "--input", "events.jsonl", "--output", "out.jsonl", "--clock", "ts")
    assert done.returncode == 0, done.stderr
    assert len(tree.read("dead.jsonl").splitlines()) == 1
