"""A proxy in front of the API server that a test can break: it counts writes, and calls back after each of them, before the
answer goes on."""

import http.client
import http.server
import json
import pathlib
import socket
import ssl
import threading
import time

from . import free_port

WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class ApiProxy:
    """`after_write(count, method, path)` runs when the API server has answered a write that was carried out.
    `instead(method, path)` may give (code, message): the answer, which the API server is not asked for; or wait."""

    def __init__(self, cluster):
        self.cluster, self.port = cluster, free_port()
        self.writes, self.after_write, self.lock = 0, lambda *_: None, threading.Lock()
        self.instead, self.upstreams = lambda *_: None, set()
        self.holds = lambda path: False  # of watches whose events wait
        self.is_cut = False
        folder = pathlib.Path(cluster.api.folder)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if proxy.is_cut:
                    self.close_connection = True
                    return None
                if answer := proxy.instead(self.command, self.path):
                    return self.refuse(*answer)
                context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
                upstream = http.client.HTTPSConnection("127.0.0.1", cluster.api.port, context=context, timeout=600)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding")}
                try:
                    proxy.upstreams.add(upstream)
                    upstream.request(self.command, self.path, body, headers)
                    answer = upstream.getresponse()
                    if self.command in WRITES and answer.status < 300:
                        with proxy.lock:
                            proxy.writes += 1
                            proxy.after_write(proxy.writes, self.command, self.path)
                    self.send_response(answer.status)
                    for key in "Content-Type", "Retry-After":
                        if answer.headers.get(key):
                            self.send_header(key, answer.headers[key])
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    while data := answer.read1(65536):
                        while "watch=true" in self.path and proxy.holds(self.path):
                            time.sleep(0.05)
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    self.close_connection = True
                finally:
                    proxy.upstreams.discard(upstream)
                    upstream.close()

            def refuse(self, code, message):
                status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
                text = json.dumps(status | {"reason": {403: "Forbidden", 409: "Conflict", 500: "InternalError"}.get(code, "")}).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # the operator was killed on purpose

        self.server = Server(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def cut(self):
        """From now on nothing is answered, until `is_cut` is False again."""
        self.is_cut = True
        self.end_upstreams()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.end_upstreams()

    def end_upstreams(self):
        for upstream in list(self.upstreams):  # a watch, which the API server would wait for
            if upstream.sock:
                upstream.sock.shutdown(socket.SHUT_RDWR)
