"""A Kafka whose clients are told that it has no transactions, as one before 0.11 has none: a listener of its own, whose
advertised address is a proxy that takes the requests of transactions out of the list of what the broker understands.

    with OldKafka(folder) as kafka:
        kafka.old_address     # without transactions
        kafka.address         # the same broker, with them

Its user with a password has no rights but those that are granted; everybody without one may do everything.
"""

import socket
import struct
import threading

from .broker import Kafka
from .ports import free_port

API_VERSIONS = 18
TRANSACTIONS = {22, 24, 25, 26, 28}  # InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, TxnOffsetCommit


def without_transactions(version, answer):
    """The answer to ApiVersions (after its correlation id) without them; version 3 is a flexible one."""
    (error,) = struct.unpack_from(">h", answer)
    if error:
        return answer
    flexible = version >= 3
    entry = 7 if flexible else 6  # key, least, greatest, and no tagged fields
    if flexible:
        count, at = answer[2] - 1, 3
        assert answer[2] < 128, "a count of one byte"
    else:
        (count,), at = struct.unpack_from(">i", answer, 2), 6
    entries = [answer[at + i * entry : at + (i + 1) * entry] for i in range(count)]
    kept = [one for one in entries if struct.unpack_from(">h", one)[0] not in TRANSACTIONS]
    size = bytes([len(kept) + 1]) if flexible else struct.pack(">i", len(kept))
    return answer[:2] + size + b"".join(kept) + answer[at + count * entry :]


class OldKafka(Kafka):
    def __init__(self, folder, name="old-kafka"):
        super().__init__(folder, name)
        self._port = free_port()
        self._proxy = socket.create_server(("127.0.0.1", 0))
        self.old_address = f"127.0.0.1:{self._proxy.getsockname()[1]}"
        more = {
            "listeners": f",OLD://127.0.0.1:{self._port}",
            "advertised.listeners": f",OLD://{self.old_address}",
            "listener.security.protocol.map": ",OLD:PLAINTEXT",
        }
        lines = self.settings.read_text().splitlines()
        lines = [line + more.get(line.split("=")[0], "") for line in lines]
        lines += ["authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS"]
        self.settings.write_text("\n".join(lines) + "\n")
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._proxy.accept()
                server = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            except ConnectionRefusedError:
                client.close()
                continue
            except OSError:
                return
            server.settimeout(None)
            asked = {}
            for source, target, change in ((client, server, self._note), (server, client, self._answer)):
                threading.Thread(target=self._forward, args=(source, target, change, asked), daemon=True).start()

    @staticmethod
    def _note(data, asked):
        key, version, number = struct.unpack_from(">hhi", data)
        if key == API_VERSIONS:
            asked[number] = version
        return data

    @staticmethod
    def _answer(data, asked):
        (number,) = struct.unpack_from(">i", data)
        version = asked.pop(number, None)
        return data if version is None else data[:4] + without_transactions(version, data[4:])

    @staticmethod
    def _forward(source, target, change, asked):
        stream = source.makefile("rb")
        try:
            while len(head := stream.read(4)) == 4:
                (size,) = struct.unpack(">i", head)
                data = change(stream.read(size), asked)
                target.sendall(struct.pack(">i", len(data)) + data)
        except (OSError, struct.error):
            pass
        for end in source, target:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __exit__(self, *unused):
        self._proxy.close()
        return super().__exit__(*unused)
