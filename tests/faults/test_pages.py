"""Pages of pods: many at a time, each within its time and size."""

import http.server
import socket
import threading
import time

import pytest

from servers.pods import HOSTILE, Pods, good


class Pod(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(2)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/status")
        else:
            self.send_response(503 if self.path == "/sick" else 200)
        body = b"x" * 100000 if self.path == "/large" else b'{"ready": true}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def pod():
    class Pods(http.server.ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, request, client_address):
            pass

    server = Pods(("127.0.0.1", 0), Pod)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(drive, timeout_ms, *urls):
    driver = drive("pages", timeout_ms, 1000, *urls)
    lines = [driver.expect("") for _ in urls]
    driver.stop()
    return lines


def test_pages_and_what_is_wrong_with_them(drive, pod):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{closed.getsockname()[1]}/status"
        good, sick, large, moved, slow, gone, other = get(
            drive, 500, f"{pod}/status", f"{pod}/sick", f"{pod}/large", f"{pod}/moved", f"{pod}/slow", refused,
            "file:///etc/passwd")
    assert good == '200 {"ready": true}'
    assert sick == '503 {"ready": true}'
    assert large == f"0 GET {pod}/large: the answer is larger than 1000 bytes"
    assert moved.startswith("302 ")
    assert slow.startswith(f"0 GET {pod}/slow: ") and "timed out" in slow.lower()
    assert gone.startswith(f"0 GET {refused}: ") and "connect" in gone.lower()
    assert other.startswith("0 GET file:///etc/passwd: ") and "not supported" in other.lower()


def test_many_pages_in_their_order(drive, pod):
    lines = get(drive, 20000, *[f"{pod}/{'sick' if i % 3 == 0 else 'status'}" for i in range(200)])
    assert [line.split()[0] for line in lines] == ["503" if i % 3 == 0 else "200" for i in range(200)]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pages_end(drive, kind):
    """Each within its time, its size and the operator's patience, beside a good one that is not kept waiting."""
    with Pods() as pods:
        pods.say("127.1.0.1", good({"ready": True}))
        pods.say("127.1.0.2", HOSTILE[kind])
        driver = drive("pages", 700, 262144, f"http://127.1.0.2:{pods.port}/status", f"http://127.1.0.1:{pods.port}/status")
        hostile, fine = driver.expect(""), driver.expect("")
        driver.stop()
        assert fine == '200 {"ready": true}'
        assert len(hostile) < 262144 + 100
        assert "169.254" not in pods.asked


def test_what_ends_a_hostile_page(drive):
    with Pods() as pods:
        for i, kind in enumerate(HOSTILE):
            pods.say(f"127.2.0.{i + 1}", HOSTILE[kind])
        urls = {kind: f"http://127.2.0.{i + 1}:{pods.port}/status" for i, kind in enumerate(HOSTILE)}
        driver = drive("pages", 2000, 262144, *urls.values())
        said = {kind: driver.expect("") for kind in urls}
        driver.stop()
    assert "is larger than 262144 bytes" in said["large"]
    assert "is larger than 262144 bytes" in said["endless"]
    assert "headers of the answer are larger than 16384 bytes" in said["headers without an end"]
    assert "headers of the answer are larger than 16384 bytes" in said["announces answers without an end"]
    for kind in "drips", "silent", "a header that drips":
        assert "timed out" in said[kind].lower(), said[kind]
    assert said["moved"].startswith("302 ")
