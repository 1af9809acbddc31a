"""Pages of many pods, good and hostile, by one server: each pod is an address of 127.0.0.0/8, all on one port.

    with Pods() as pods:
        pods.say("127.1.0.1", good(document))
        pods.say("127.1.0.2", HOSTILE["silent"])
        http://127.1.0.1:{pods.port}/status
"""

import asyncio
import gzip
import json
import threading

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MIB = 1 << 20


def good(document):
    async def answer(reader, writer):
        body = json.dumps(document).encode()
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        return True

    return answer


def sends(*parts, again=b"", pause=0.0):
    """All parts, then one without an end."""

    async def answer(reader, writer):
        for part in parts:
            writer.write(part)
        await writer.drain()
        while again:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause)
        return False

    return answer


async def silent(reader, writer):
    await asyncio.sleep(3600)
    return False


BOMB = gzip.compress(b"[" * (64 * MIB), 1)
HOSTILE = {
    "large": sends(HEAD + b"\r\n", b'{"ready": true, "notReadyReason": "' + b"a" * (4 * MIB) + b'"}'),
    "large, of what nobody reads": sends(HEAD + b"\r\n", b'{"ready": true, "x": "' + b"a" * (4 * MIB) + b'"}'),
    "endless": sends(HEAD + b'\r\n{"ready": true, "partitions": [', again=b'{"lag": 1},' * 1000),
    "drips": sends(HEAD + b'\r\n{"x":"', again=b"a", pause=0.5),
    "silent": silent,
    "headers without an end": sends(HEAD, again=b"X-More: " + b"a" * 1000 + b"\r\n"),
    "a header that drips": sends(b"HTTP/1.1 200 OK\r\nX: ", again=b"a", pause=0.5),
    "announces answers without an end": sends(again=b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "moved": sends(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
    "compressed": sends(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB),
    "no JSON": sends(HEAD + b"Content-Length: 6\r\n\r\n", b"<html>"),
    "other JSON": sends(HEAD + b"Content-Length: 13\r\n\r\n", b'["ready", {}]'),
    "deep": sends(HEAD + b"\r\n", b'{"sinks": ' + b"[" * 200000),
    "wrong kinds": sends(HEAD + b"\r\n", b'{"ready": "yes", "rows": [], "sinks": 7, "lag": "x", "owner": [], "input": 1, "lastWindow": 2, "functions": {}}'),
    "hangs up": sends(b""),
    "no HTTP": sends(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a chunk that is none": sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
}


class Pods:
    def __init__(self):
        self.answers, self.asked = {}, {}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def say(self, address, answer):
        self.answers[address] = answer

    async def serve(self, reader, writer):
        address = writer.get_extra_info("sockname")[0]
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked[address] = self.asked.get(address, 0) + 1
                if not await self.answers.get(address, silent)(reader, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def __enter__(self):
        self.thread.start()
        starting = asyncio.start_server(self.serve, "0.0.0.0", 0, backlog=1024)
        self.server = asyncio.run_coroutine_threadsafe(starting, self.loop).result(20)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        async def end():
            self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)
