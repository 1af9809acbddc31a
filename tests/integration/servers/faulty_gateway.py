"""A proxy in front of a real Pushgateway that answers as a sick one would, and remembers every request.

    faulty.mode = "pass"        every request goes to the real gateway
    faulty.mode = "500"         or any other status: answered at once, nothing is passed on
    faulty.mode = "refuse"      what writes is answered by 400, what reads is passed on
    faulty.mode = "hang"        never answers, nothing is passed on
    faulty.mode = "unanswered"  passed on, so the push is applied, and never answered
    faulty.mode = "hold"        what writes is read, and passed on when release() is called, whatever became of its sender
    faulty.mode = "cut"         the connection is closed after the request was read
    faulty.strips = True        what is passed on loses its Content-Type
"""

import http.server
import re
import struct
import threading
import urllib.error
import urllib.request

SEQUENCE = re.compile(rb"streamjob_window_sequence.*?\x22\x0b\x12\x09\x09(.{8})", re.S)  # a gauge's double, in a protocol buffer


class FaultyGateway:
    def __init__(self, real, host="127.0.0.1"):
        self.real = real
        self.mode = "pass"
        self.body = b"scripted failure"
        self.headers = {}
        self.strips = False
        self.requests = []  # (mode, method, window sequence or None), in the order of their arrival
        self._ending = threading.Event()
        self.held = []  # (method, path, body, content type) in the order of their arrival
        self._server = http.server.ThreadingHTTPServer((host, 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def metrics(self):
        return self.real.metrics()

    def pushed(self, mode=None):
        """The sequences of all PUTs that came, in their order."""
        return [sequence for seen, method, sequence in self.requests if method == "PUT" and mode in (None, seen)]

    def release(self):
        """Passes on what was held first, as often as it is called."""
        self._forward(*self.held[0])

    def _handler(faulty):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                mode = "pass" if faulty.mode in ("hold", "refuse") and self.command == "GET" else faulty.mode
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                found = SEQUENCE.search(body)
                faulty.requests.append((mode, self.command, int(struct.unpack("<d", found[1])[0]) if found else None))
                if mode in ("pass", "unanswered"):
                    status, answer = faulty._forward(self.command, self.path, body, self.headers["Content-Type"])
                if mode == "hold":
                    faulty.held.append((self.command, self.path, body, self.headers["Content-Type"]))
                if mode in ("hang", "hold", "unanswered"):
                    faulty._ending.wait(60)
                    self.close_connection = True
                elif mode == "cut":
                    self.close_connection = True
                elif mode == "pass":
                    self.answer(status, answer)
                else:
                    self.answer(400 if mode == "refuse" else int(mode), faulty.body)

            do_GET = do_PUT = do_DELETE = do_POST = handle_any

            def answer(self, status, body):
                self.send_response(status)
                for name, value in faulty.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *unused):
                pass

        return Handler

    def _forward(self, method, path, body, content_type):
        headers = {} if content_type is None or self.strips else {"Content-Type": content_type}
        request = urllib.request.Request(self.real.url + path, data=body or None, method=method, headers=headers)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        except OSError as error:
            return 502, str(error).encode()
        return answer.status, answer.read()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *unused):
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
