"""A server or the program as a process: started, waited for, ended by its id, its log kept."""

import os
import pathlib
import signal
import subprocess
import time


def wait_for(condition, timeout, what):
    """Polls until condition() is truthy and returns it. `what` may be a function, called when time is up."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(0.05)


class Process:
    """A process with a log, ended by its id."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log_path = self.folder / "log"
        self.process = None
        self.owner = {}  # Popen's user, group and extra_groups, where it is not ours
        self.environment = {}  # more of it than ours

    def command(self):
        raise NotImplementedError

    def ready(self):
        return True

    def launch(self):
        """Starts and does not wait for readiness."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                env={**os.environ, **self.environment}, **self.owner
            )

    def start(self, timeout=60):
        self.launch()

        def up():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            return self.ready()

        wait_for(up, timeout, f"{self.name} ready")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _end(self, number, timeout):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self, timeout=20):
        self._end(signal.SIGTERM, timeout)

    def kill(self):
        self._end(signal.SIGKILL, 20)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.kill()
