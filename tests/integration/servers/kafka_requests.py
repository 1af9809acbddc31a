"""Requests of Kafka's protocol that neither kcat nor the client library of the tests can make: a group's offsets with their
metadata, groups and records deleted, rights given. One broker, in the clear."""

import socket
import struct


def _string(text):
    if text is None:
        return struct.pack(">h", -1)
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def string(self):
        size = self.take("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size : self.at].decode()


def _ask(kafka, key, version, body):
    request = struct.pack(">hhi", key, version, 1) + _string("tests") + body
    with socket.create_connection(("127.0.0.1", kafka.port), timeout=20) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = connection.makefile("rb")
        (size,) = struct.unpack(">i", answer.read(4))
        reader = _Reader(answer.read(size))
    assert reader.take("i") == 1
    return reader


def group_offsets(kafka, group, topic, partitions):
    """{partition: (offset, metadata)}; the offset is -1 where there is none."""
    numbers = _array([struct.pack(">i", p) for p in range(partitions)])
    reader = _ask(kafka, 9, 1, _string(group) + _array([_string(topic) + numbers]))
    found = {}
    for _ in range(reader.take("i")):
        reader.string()
        for _ in range(reader.take("i")):
            partition, offset, metadata, error = reader.take("i"), reader.take("q"), reader.string(), reader.take("h")
            assert error == 0, error
            found[partition] = (offset, metadata)
    return found


def set_group_offsets(kafka, group, topic, offsets):
    """offsets: {partition: (offset, metadata)}, as a tool would set them by hand."""
    items = [struct.pack(">iq", p, offset) + _string(metadata) for p, (offset, metadata) in offsets.items()]
    body = _string(group) + struct.pack(">i", -1) + _string("") + struct.pack(">q", -1)
    reader = _ask(kafka, 8, 2, body + _array([_string(topic) + _array(items)]))
    for _ in range(reader.take("i")):
        reader.string()
        for _ in range(reader.take("i")):
            reader.take("i")
            error = reader.take("h")
            assert error == 0, error


def delete_group(kafka, group):
    reader = _ask(kafka, 42, 0, _array([_string(group)]))
    reader.take("i")
    for _ in range(reader.take("i")):
        reader.string()
        error = reader.take("h")
        assert error == 0, error


def delete_records(kafka, topic, partition, before):
    item = _string(topic) + _array([struct.pack(">iq", partition, before)])
    reader = _ask(kafka, 21, 0, _array([item]) + struct.pack(">i", 10000))
    reader.take("i")
    for _ in range(reader.take("i")):
        reader.string()
        for _ in range(reader.take("i")):
            reader.take("i"), reader.take("q")
            error = reader.take("h")
            assert error == 0, error


RESOURCES = {"topic": 2, "group": 3, "transactional id": 5}
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}


def grant(kafka, user, kind, name, operation):
    literal = allow = 3
    body = struct.pack(">b", RESOURCES[kind]) + _string(name) + struct.pack(">b", literal) + _string(f"User:{user}") + _string("*")
    reader = _ask(kafka, 30, 1, _array([body + struct.pack(">bb", OPERATIONS[operation], allow)]))
    reader.take("i")
    for _ in range(reader.take("i")):
        error = reader.take("h")
        assert error == 0, (error, reader.string())
