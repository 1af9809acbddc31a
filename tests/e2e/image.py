"""An image, unpacked."""

import functools
import gzip
import json
import pathlib
import subprocess
import tarfile

from cluster import LAB


class Image:
    """`root` is its file system, `members` are the files of its layers as tar has them, `config` is what it says of itself."""

    def __init__(self, name, folder):
        archive = subprocess.run([LAB / "images.sh", name], check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
        self.name, self.root, self.members = name, folder / "root", []
        self.archive = archive.stdout.strip()
        with tarfile.open(self.archive) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))[0]
            self.config = json.load(tar.extractfile(manifest["Config"]))["config"]
            self.layers = manifest["Layers"]
            for layer in self.layers:
                with tarfile.open(fileobj=tar.extractfile(layer)) as files:
                    files.extractall(self.root)
                    self.members += files.getmembers()

    @property
    def bytes(self):
        return pathlib.Path(self.archive).stat().st_size

    @functools.cached_property
    def compressed(self):
        """Bytes of the layers as a registry has them."""
        with tarfile.open(self.archive) as tar:
            return sum(len(gzip.compress(tar.extractfile(layer).read(), compresslevel=6)) for layer in self.layers)

    def packages(self):
        lines = (self.root / "usr/share/streamjob/packages").read_text().splitlines()
        return [line.split()[0] for line in lines]

    def command(self, program, *arguments):
        """Runs a program in its file system, as its user, by chroot: with its libraries and nothing of this machine's."""
        return ["chroot", f"--userspec={self.config['User']}", str(self.root), f"/usr/bin/{program}", *map(str, arguments)]
