"""Real servers for tests: Kafka (KRaft, from Maven Central), Pushgateway (Debian's package), and the program itself.

Each is started on free loopback ports with its data in a temporary folder, waited for, and ended by its process id.

    with Kafka(folder) as kafka, Pushgateway(folder) as gateway:
        kafka.create_topic("events", partitions=4)
        kafka.produce("events", {0: [b'{"a": 1}'], 1: [...]})
        job = StreamJob(folder, manifest, args=["--until-idle", "2s"])
        assert job.wait(60) == 0

`kill()` is SIGKILL, `pause()`/`resume()` are SIGSTOP/SIGCONT; `start()` after `kill()` or `stop()` uses the same port and data.
Logs stay in the folder, which pytest keeps for failed tests.
"""

import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

from .broker import CACHE, Kafka
from .faulty_gateway import FaultyGateway
from .gateway import Pushgateway
from .holding_proxy import HoldingProxy
from .kafka_proxy import KafkaProxy
from .ports import free_port
from .process import Process, wait_for

__all__ = ["CACHE", "FaultyGateway", "HoldingProxy", "Kafka", "KafkaProxy", "Process", "Pushgateway", "StreamJob", "free_port", "wait_for"]

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
BINARY = pathlib.Path(os.environ.get("STREAMJOB", ROOT / "build" / "release" / "streamjob"))


class StreamJob(Process):
    """`streamjob run` of a manifest (a dict or text), with its status served."""

    started = []  # those that a test may have left running

    def __init__(self, folder, manifest, args=(), name="job"):
        super().__init__(folder, name)
        self.manifest = self.folder / "job.yaml"
        self.manifest.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
        self.args = list(args)
        self.port = free_port()
        self.started.append(self)

    def command(self):
        return [str(BINARY), "run", str(self.manifest), "--listen", f"127.0.0.1:{self.port}", *self.args]

    def ready(self):
        try:
            return self.status() is not None
        except OSError:
            return False

    def get(self, path):
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.read().decode()

    def status(self):
        return json.loads(self.get("/status")[1])

    def memory(self, field="VmRSS"):
        """Bytes resident now, or the most that ever were (VmHWM)."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(field)

    def wait(self, timeout):
        return self.process.wait(timeout)

    def run(self, timeout):
        """Starts without waiting for readiness, and waits for the end; returns the exit code."""
        self.launch()
        return self.wait(timeout)
