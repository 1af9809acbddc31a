import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
sys.path.insert(1, str(HERE.parent / "integration"))

from hostile import Server  # noqa: E402

SAN = os.environ.get("SAN", "")
BUILD = ROOT / "build" / (f"san-{SAN.replace(',', '-')}" if SAN else "release")
PATIENCE_S = 30


@pytest.fixture(scope="session", autouse=True)
def driver_program():
    program = BUILD / "tests/faults/driver"
    subprocess.run(["make", "-s", "-C", ROOT, f"SAN={SAN}", str(program.relative_to(ROOT))], check=True,
                   stdout=subprocess.DEVNULL)
    return program


class Driver:
    """The program, its lines, and the end that it must come to: exit code 0, nothing from a sanitizer."""

    def __init__(self, program, *arguments, env=None, within=()):
        self.process = subprocess.Popen([*within, program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.lines, self.seen, self.errors = queue.Queue(), [], []
        for stream, sink in ((self.process.stdout, self.lines.put), (self.process.stderr, self.errors.append)):
            threading.Thread(target=self.read, args=(stream, sink), daemon=True).start()

    @staticmethod
    def read(stream, sink):
        for line in stream:
            sink(line.rstrip("\n"))

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, start, patience_s=PATIENCE_S):
        """The next line that starts so; those before it are kept in `seen`."""
        end = time.monotonic() + patience_s
        before = []
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line {start!r}; there were {before}; stderr {self.errors}") from None
            self.seen.append(line)
            before.append(line)
            if line.startswith(start):
                return line

    def ask(self, line, start):
        self.tell(line)
        return self.expect(start)

    def counts(self):
        return json.loads(self.ask("counts", "counts ")[len("counts "):])

    def until_counts(self, right):
        end = time.monotonic() + PATIENCE_S
        while True:
            counts = self.counts()
            if right(counts):
                return counts
            assert time.monotonic() < end, counts
            time.sleep(0.02)

    def request(self, verb, plural="things", root="/apis/test/v1", namespace="default", **more):
        self.tell(json.dumps({"verb": verb, "root": root, "plural": plural, "namespace": namespace, **more}))
        return json.loads(self.expect("{"))

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, (code, self.errors)
        assert not [line for line in self.errors if "Sanitizer" in line or "runtime error" in line], self.errors


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.close()


@pytest.fixture
def drive(driver_program):
    drivers = []

    def start(*arguments, **options):
        drivers.append(Driver(driver_program, *arguments, **options))
        return drivers[-1]

    yield start
    for driver in drivers:
        if driver.process.stdin and not driver.process.stdin.closed:
            driver.stop()


@pytest.fixture
def informer(server, drive):
    """An informer of things over all namespaces, its limits short."""

    def start(*limits, namespace="-", kubeconfig=None):
        return drive("informer", kubeconfig or server.kubeconfig(), "/apis/test/v1", "things", namespace, *limits)

    return start


@pytest.fixture
def client(server, drive):
    def start(*limits, kubeconfig=None, **options):
        driver = drive("request", kubeconfig or server.kubeconfig(), *limits, **options)
        driver.expect("server ")
        return driver

    return start
