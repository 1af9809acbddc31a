"""A PostgreSQL of its own, from Debian's package: a data folder and a Unix socket in a temporary folder, no port.

PostgreSQL does not run as root: there it runs as Debian's user postgres, else as the user who runs the tests.
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from . import Process


def programs():
    """The folder of the newest installed version's programs; they are not on the PATH."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if not versions:
        raise FileNotFoundError("no PostgreSQL in /usr/lib/postgresql; `make deps-test` installs it")
    return versions[-1]


class Postgres(Process):
    """UTF-8, collation C, time zone UTC; each statement of `query` sees the database `postgres`."""

    def __init__(self):
        # Not in pytest's folder, which only root may enter; short, since a socket's path has at most 107 bytes.
        super().__init__(tempfile.mkdtemp(prefix="streamjob-pg."), "server")
        self.home = self.folder.parent
        self.programs = programs()
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            self.owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (self.home, self.folder):
                os.chown(path, user.pw_uid, user.pw_gid)
        subprocess.run(
            [self.programs / "initdb", "-D", self.folder / "data", "-U", "parity", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            check=True, capture_output=True, timeout=120, cwd=self.folder, **self.owner,
        )

    def command(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.home, "fsync": "off", "timezone": "UTC",
                    "datestyle": "ISO", "lc_messages": "C", "log_min_messages": "fatal"}
        return [self.programs / "postgres", "-D", self.folder / "data"] + [
            part for name, value in settings.items() for part in ("-c", f"{name}={value}")
        ]

    def ready(self):
        return subprocess.run([self.programs / "pg_isready", "-q", "-h", self.home]).returncode == 0

    def query(self, script, timeout=300):
        """The script's output: a line a row, unaligned. What fails in it fails here."""
        answer = subprocess.run(
            [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.home, "-U", "parity", "postgres"],
            input=script.encode(), capture_output=True, timeout=timeout,
        )
        if answer.returncode != 0:
            raise RuntimeError(f"psql: {answer.stderr.decode(errors='replace')[-2000:]}")
        return answer.stdout.decode()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def stop(self, timeout=20):
        self._end(signal.SIGINT, timeout)

    def __exit__(self, *unused):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
