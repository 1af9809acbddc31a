"""A proxy before a listener of a Kafka broker that stops one request at a chosen moment, and lets all others pass.

    with KafkaProxy() as proxy, Kafka(folder, through=[proxy]) as kafka:
        job's bootstrapServers: proxy.address       # the broker's listener behind it is advertised as the proxy
        proxy.stop(lambda key, frame: key == PRODUCE)                 # the first such request does not reach the broker
        proxy.stop(lambda key, frame: key == PRODUCE, answered=True)  # or: it does, and its answer does not come back
        proxy.caught                                # True once it was there
        proxy.release()                             # what was kept goes on, client or no client

All of the connection stands still from that request on. A test may run after(): a match that waits for another one first.
"""

import socket
import struct
import threading

from .ports import free_port

PRODUCE, ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT = 0, 25, 26, 28


def after(first, then):
    """The first request that `then` matches once one has come that `first` matches, on whatever connections."""
    seen = threading.Event()

    def match(key, frame):
        if first(key, frame):
            seen.set()
            return False
        return seen.is_set() and then(key, frame)

    return match


class _Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.open = threading.Event()  # not set: it stands still
        self.open.set()


class KafkaProxy:
    def __init__(self):
        self.port, self.target = free_port(), None  # target: the broker's port behind it, set by Kafka
        self.address = f"127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._match, self._answered = None, False
        self._stopped = None
        self._listener = socket.create_server(("127.0.0.1", self.port))

    @property
    def caught(self):
        return self._stopped is not None

    def stop(self, match, answered=False):
        with self._lock:
            self._match, self._answered, self._stopped = match, answered, None

    def release(self):
        with self._lock:
            self._match = None
            if self._stopped:
                self._stopped.open.set()
            self._stopped = None

    def _is_it(self, connection, frame):
        """Of the request that was chosen: from now on the connection stands still."""
        with self._lock:
            if self._match is None or not self._match(struct.unpack_from(">h", frame)[0], frame):
                return False
            self._match, self._stopped = None, connection
            connection.open.clear()
            return True

    def _upward(self, connection):
        try:
            requests = connection.client.makefile("rb")
            while len(size := requests.read(4)) == 4:
                frame = requests.read(struct.unpack(">i", size)[0])
                if self._is_it(connection, frame) and self._answered:
                    connection.server.sendall(size + frame)
                    continue
                connection.open.wait()
                connection.server.sendall(size + frame)
        except OSError:
            pass
        connection.open.wait()
        self._end(connection.server)

    def _downward(self, connection):
        try:
            while data := connection.server.recv(65536):
                connection.open.wait()
                connection.client.sendall(data)
        except OSError:
            pass
        self._end(connection.client)

    @staticmethod
    def _end(end):
        try:
            end.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            connection = _Connection(client, server)
            for run in (self._upward, self._downward):
                threading.Thread(target=run, args=(connection,), daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.release()
        self._listener.close()
