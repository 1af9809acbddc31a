"""A TCP proxy that can keep what its clients send, also past the end of the client, and let it go later.

    with HoldingProxy(gateway) as proxy:
        proxy.holding = True     # connections that send from now on are kept
        proxy.held               # bytes kept so far; kept(): they themselves, by connection
        proxy.holding = False    # connections that come from now on pass
        proxy.release()          # what was kept goes on to the server, client or no client
    proxy.deaf = True        # what the server answers from now on is thrown away
    proxy.unheard            # bytes thrown away so far

Looks like the server that it stands before: `url` and `address`.
"""

import socket
import threading


class HoldingProxy:
    def __init__(self, server):
        self.target = (getattr(server, "host", "127.0.0.1"), server.port)
        self.holding = self.deaf = False
        self.unheard = 0
        self._lock = threading.Lock()
        self._kept = []  # (socket to the server, bytearray), of connections that are held
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address, self.url = f"127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port}"

    @property
    def held(self):
        with self._lock:
            return sum(len(data) for _, data in self._kept)

    @property
    def connections(self):
        """How many are kept."""
        with self._lock:
            return len(self._kept)

    def kept(self):
        """What each of these connections has sent."""
        with self._lock:
            return [bytes(data) for _, data in self._kept]

    def release(self, count=None):
        """What was kept, or of the first `count` connections, reaches the server; the answers go nowhere if the client has gone."""
        with self._lock:
            kept, self._kept = self._kept[:count], [] if count is None else self._kept[count:]
            for server, data in kept:
                server.sendall(data)

    def _upward(self, client, server):
        kept = None
        try:
            while data := client.recv(65536):
                with self._lock:
                    mine = next((entry for entry in self._kept if entry[1] is kept), None)
                    if mine is None and self.holding:
                        kept = bytearray()
                        mine = (server, kept)
                        self._kept.append(mine)
                    if mine:
                        kept.extend(data)
                        continue
                server.sendall(data)
        except OSError:
            pass
        with self._lock:
            if any(entry[1] is kept for entry in self._kept):
                return  # the server's end stays open for what is kept
        self._end(server)

    @staticmethod
    def _end(end):
        try:
            end.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _downward(self, server, client):
        try:
            while data := server.recv(65536):
                if self.deaf:
                    self.unheard += len(data)
                    continue
                try:
                    client.sendall(data)
                except OSError:
                    pass  # the client has gone; what was kept for the server may still be under way
        except OSError:
            pass
        self._end(client)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.target, timeout=10)
            except OSError:
                return
            server.settimeout(None)
            threading.Thread(target=self._upward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._downward, args=(server, client), daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self._listener.close()
