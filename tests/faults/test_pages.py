"""Pages of pods: many at a time, each within its time and size."""

import http.server
import socket
import threading
import time

import pytest


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
