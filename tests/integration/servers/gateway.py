"""Debian's prometheus-pushgateway."""

import re
import urllib.request

from .ports import free_port
from .process import Process


class Pushgateway(Process):
    def __init__(self, folder, name="pushgateway", persistence=False, host="127.0.0.1"):
        super().__init__(folder, name)
        self.host, self.port = host, free_port()
        self.url = f"http://{host}:{self.port}"
        self.persistence = persistence

    def command(self):
        # Said in any case: Debian's default is a file that all gateways of the machine would share.
        command = ["prometheus-pushgateway", f"--web.listen-address={self.host}:{self.port}",
                   f"--persistence.file={self.folder / 'state' if self.persistence else ''}"]
        if self.persistence:
            command += ["--persistence.interval=1s"]
        return command

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready", timeout=2).status == 200
        except OSError:
            return False

    def metrics(self):
        """{(name, frozenset of labels): value} of a scrape."""
        text = urllib.request.urlopen(self.url + "/metrics", timeout=30).read().decode()
        sample = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
        label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
        found = {}
        for line in text.splitlines():
            match = sample.match(line)
            if match:
                found[match[1], frozenset(label.findall(match[2] or ""))] = float(match[3])
        return found
