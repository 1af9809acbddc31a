"""Ports of this machine for servers that a test starts.

They are below those that the kernel gives to whoever connects, so a server that is down for a while finds its port free; and
each is held for this process by a lock on a file, so that runs beside each other never get the same.
"""

import fcntl
import pathlib
import random
import socket
import tempfile

PORTS = range(16000, 32000)
TRIES_MAX = 1000
held = []


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
            return True
        except OSError:
            return False


def free_port():
    """A port that is held until this process ends."""
    folder = pathlib.Path(tempfile.gettempdir()) / "streamjob-ports"
    folder.mkdir(exist_ok=True)
    for _ in range(TRIES_MAX):
        port = random.choice(PORTS)
        lock = open(folder / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if is_free(port):
            held.append(lock)
            return port
        lock.close()
    raise RuntimeError(f"{TRIES_MAX} ports from {PORTS.start} to {PORTS.stop - 1} are taken; the locks are in {folder}")
