"""
A small Kubernetes API server that does what it is told: objects, lists in pages, watches, and on demand every fault.

Each connection is a thread. A request first goes to `server.fault(request, reply)`; what returns True has answered.
"""

import functools
import json
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from urllib.parse import parse_qsl, unquote, urlsplit

OBJECT = re.compile(r"^(/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?(?:/([a-z]+))?$")


@functools.cache
def made_authority():
    """A CA, and certificates of it for localhost and 127.0.0.1 and for a client: name to bytes."""
    with tempfile.TemporaryDirectory() as folder:

        def openssl(*arguments):
            key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            subprocess.run(["openssl", "req", "-x509", *key, *arguments], check=True, capture_output=True, cwd=folder)

        openssl("-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test-ca")
        for name, names in (("server", "DNS:localhost,IP:127.0.0.1"), ("client", "DNS:client")):
            openssl("-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}", "-CA", "ca.crt", "-CAkey",
                    "ca.key", "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:false")
        return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


def authority(folder):
    for name, content in made_authority().items():
        (folder / name).write_bytes(content)


def status(code, reason="", message="", **details):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": message or f"{reason} {code}", "details": details}


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        split = urlsplit(target)
        self.path, self.query = unquote(split.path), dict(parse_qsl(split.query))
        match = OBJECT.match(split.path)
        self.root, self.namespace, self.plural, self.name, self.subresource = match.groups() if match else [None] * 5
        self.watch = self.query.get("watch") == "true"
        self.time = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.method} {self.path} {self.query}"


class Gone(Exception):
    """The connection is over."""


class Reply:
    def __init__(self, connection):
        self.connection = connection

    def raw(self, data):
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise Gone from error

    def text(self, code, body, headers=None):
        lines = [f"HTTP/1.1 {code} Something", f"Content-Length: {len(body)}", "Content-Type: application/json"]
        lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return True

    def json(self, code, document, headers=None):
        return self.text(code, json.dumps(document).encode(), headers)

    def fail(self, code, reason="", message="", headers=None, **details):
        return self.json(code, status(code, reason, message, **details), headers)

    def begin(self):
        """A stream: the headers now, chunks later."""
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n")

    def chunk(self, data):
        if data:
            self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self):
        self.raw(b"0\r\n\r\n")
        return True

    def event(self, kind, document):
        self.chunk(json.dumps({"type": kind, "object": document}).encode() + b"\n")

    def reset(self):
        """Ends the connection with a RST."""
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.connection.close()
        raise Gone


class Api:
    """The objects of all kinds, their history, and the answers of a server in good health."""

    def __init__(self):
        self.lock = threading.Condition(threading.RLock())
        self.version = 100
        self.objects = {}  # (plural, namespace, name)
        self.history = []  # (version, plural, event, object)
        self.stopped = False

    def put(self, plural, namespace, name, silent=False, **fields):
        with self.lock:
            self.version += 1
            key = (plural, namespace, name)
            old = self.objects.get(key)
            document = {"apiVersion": "test/v1", "kind": plural[:-1].capitalize(), **fields}
            uid = old["metadata"]["uid"] if old else f"uid-{self.version}"
            document["metadata"] = {**fields.get("metadata", {}), "name": name, "namespace": namespace, "uid": uid,
                                    "resourceVersion": str(self.version), "managedFields": [{"manager": "someone"}]}
            self.objects[key] = document
            if not silent:
                self.history.append((self.version, plural, "MODIFIED" if old else "ADDED", document))
            self.lock.notify_all()
            return document

    def delete(self, plural, namespace, name, silent=False):
        with self.lock:
            self.version += 1
            document = json.loads(json.dumps(self.objects.pop((plural, namespace, name))))
            document["metadata"]["resourceVersion"] = str(self.version)
            if not silent:
                self.history.append((self.version, plural, "DELETED", document))
            self.lock.notify_all()
            return document

    def bookmark(self, plural):
        with self.lock:
            self.version += 1
            self.history.append((self.version, plural, "BOOKMARK", {
                "kind": "X", "metadata": {"resourceVersion": str(self.version)}}))
            self.lock.notify_all()
            return self.version

    def answer(self, request, reply):
        if not request.plural:
            return reply.fail(404, "NotFound")
        if request.watch:
            return self.watch(request, reply)
        if request.method == "GET" and not request.name:
            return self.list(request, reply)
        with self.lock:
            verbs = {"GET": self.get, "POST": self.post, "PUT": self.replace, "PATCH": self.patch, "DELETE": self.remove}
            code, document = verbs[request.method](request)
        return reply.json(code, document)

    def list(self, request, reply):
        with self.lock:
            keys = sorted(key for key in self.objects
                          if key[0] == request.plural and request.namespace in (None, key[1]))
            limit = int(request.query.get("limit", 0)) or len(keys) or 1
            begin = int(request.query.get("continue", 0))
            more = str(begin + limit) if begin + limit < len(keys) else ""
            page = {"kind": "ThingList", "apiVersion": "test/v1",
                    "metadata": {"resourceVersion": str(self.version), "continue": more},
                    "items": [self.objects[key] for key in keys[begin:begin + limit]]}
        return reply.json(200, page)

    def watch(self, request, reply):
        reply.begin()
        seen = int(request.query["resourceVersion"])
        end = time.monotonic() + int(request.query["timeoutSeconds"])
        while time.monotonic() < end and not self.stopped:
            with self.lock:
                new = [entry for entry in self.history if entry[0] > seen and entry[1] == request.plural
                       and (entry[2] == "BOOKMARK" or request.namespace in (None, entry[3]["metadata"]["namespace"]))]
                if not new:
                    self.lock.wait(min(0.05, max(0.0, end - time.monotonic())))
            for version, _, kind, document in new:
                reply.event(kind, document)
                seen = version
        return reply.end()

    def key(self, request):
        return request.plural, request.namespace, request.name

    def get(self, request):
        found = self.objects.get(self.key(request))
        return (200, found) if found else (404, status(404, "NotFound", f'"{request.name}" not found'))

    def post(self, request):
        document = request.json
        name = document["metadata"]["name"]
        if (request.plural, request.namespace, name) in self.objects:
            return 409, status(409, "AlreadyExists")
        return 201, self.store(request, name, document)

    def replace(self, request):
        document = request.json
        old = self.objects.get(self.key(request))
        if not old:
            return 404, status(404, "NotFound")
        if document["metadata"].get("resourceVersion") not in (None, old["metadata"]["resourceVersion"]):
            return 409, status(409, "Conflict", "the object has been modified")
        return 200, self.store(request, request.name, document)

    def patch(self, request):
        return 200, self.store(request, request.name, request.json)

    def remove(self, request):
        old = self.objects.get(self.key(request))
        if not old:
            return 404, status(404, "NotFound")
        wanted = request.json.get("preconditions", {}).get("uid")
        if wanted not in (None, old["metadata"]["uid"]):
            return 409, status(409, "Conflict", "Precondition failed: UID")
        return 200, self.delete(*self.key(request))

    def store(self, request, name, document):
        fields = {key: value for key, value in document.items() if key not in ("apiVersion", "kind", "metadata")}
        return self.put(request.plural, request.namespace, name, **fields)


class Server:
    """`log` has every request; `fault` may answer any of them first."""

    def __init__(self, folder):
        self.folder = folder
        self.api = Api()
        self.fault = None
        self.log, self.connections = [], 0
        self.token = "token-1"
        self.open = set()
        authority(folder)
        self.context = self.tls_context()
        self.listen("127.0.0.1", 0)

    def listen(self, address, port):
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def tls_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        context.load_verify_locations(self.folder / "ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            connection.settimeout(20)
            connection = self.context.wrap_socket(connection, server_side=True)
            self.open.add(connection)
            reader = connection.makefile("rb")
            client = (connection.getpeercert() or {}).get("subject")
            while self.serve_one(connection, reader, client):
                pass
        except (Gone, OSError, ssl.SSLError, ValueError):
            pass
        finally:
            self.open.discard(connection)
            connection.close()

    def serve_one(self, connection, reader, client):
        line = reader.readline().split()
        if len(line) != 3:
            return False
        headers = {}
        while (header := reader.readline().strip()):
            key, value = header.decode().split(":", 1)
            headers[key.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        request, reply = Request(line[0].decode(), line[1].decode(), headers, body), Reply(connection)
        request.client = client
        self.log.append(request)
        if self.fault and self.fault(request, reply):
            return True
        if self.token and not request.client and headers.get("authorization") != f"Bearer {self.token}":
            return reply.fail(401, "Unauthorized")
        return self.api.answer(request, reply)

    def cut(self):
        """Ends every connection, whatever it is doing."""
        for connection in list(self.open):
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def until(self, wanted, count, patience_s=30):
        """The first `count` requests that are wanted, once they have come."""
        end = time.monotonic() + patience_s
        while len(found := [request for request in list(self.log) if wanted(request)]) < count:
            assert time.monotonic() < end, f"only {found} of {count}"
            time.sleep(0.01)
        return found[:count]

    def kubeconfig(self, user=None, **cluster):
        document = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{self.port}",
                                                      "certificate-authority": "ca.crt", **cluster}}],
            "users": [{"name": "test", "user": user if user is not None else {"tokenFile": self.token_file()}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}
        return self.write("kubeconfig", json.dumps(document))

    def write(self, name, text):
        """Whole or not at all, as the kubelet does it."""
        fresh = self.folder / f"{name}.fresh"
        fresh.write_text(text)
        return fresh.rename(self.folder / name)

    def token_file(self):
        return str(self.write("token", self.token + "\n"))

    def close(self):
        self.api.stopped = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed before
        self.listener.close()
        for connection in list(self.open):
            connection.close()
