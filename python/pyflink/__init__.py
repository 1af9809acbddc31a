"""The names that modules written for PyFlink import.

names.txt lists them by module. What user functions need is streamjob's (REAL); every other name is inert: see
streamjob.inert. A name that no version of PyFlink has is an ImportError, as there.
"""

import functools
import importlib
import importlib.abc
import importlib.machinery
import pathlib
import sys
import types

__version__ = "2.3.0"  # the newest whose names are here

# Modules of PyFlink: the modules of streamjob that have what their classes and functions are here.
REAL = {
    "pyflink.common.configuration": ("streamjob.configuration",),
    "pyflink.common.types": ("streamjob.row",),
    "pyflink.metrics.metricbase": ("streamjob.context",),
    "pyflink.table.data_view": ("streamjob.views",),
    "pyflink.table.types": ("streamjob.types", "streamjob.row"),
    "pyflink.table.udf": ("streamjob.functions", "streamjob.context"),
    "pyflink.util.api_stability_decorators": ("streamjob.decorators",),
    "pyflink.version": ("pyflink",),
}
# Flink's own inside: any name is there, and inert.
OPEN = ("pyflink.bin", "pyflink.examples", "pyflink.fn_execution", "pyflink.gen_protos", "pyflink.log", "pyflink.shell",
        "pyflink.datastream.tests", "pyflink.table.tests")  # fmt: skip


@functools.cache
def names():
    """{module: {name: (kind, does `import *` bring it)}}; kind is "class", "value" or "from MODULE"."""
    found, kind, star = {}, None, False
    for line in (pathlib.Path(__file__).parent / "names.txt").read_text().splitlines():
        if not line.startswith(" "):
            module = found[line] = {}
            continue
        if line[1] in "*+":
            star = line[1] == "*"
            kind, _, line = line[2:].partition(": ")
        module.update((name, (kind, star)) for name in line.split())
    return found


@functools.cache
def resolve(module, name):
    """What the name is: streamjob's own, or an inert one, the same whatever module it is imported by."""
    from streamjob import inert

    for real in REAL.get(module, ()):
        found = getattr(importlib.import_module(real), name, None)
        if found is not None:
            return found
    kind = names().get(module, {}).get(name, (None, False))[0]
    if kind is None and f"{module}.{name}" in names():  # `from pyflink.util import java_utils`
        return importlib.import_module(f"{module}.{name}")
    kind = kind or "class"  # imported from a module of Flink's inside that is not in the list
    if kind.startswith("from "):
        return resolve(kind.removeprefix("from "), name)
    return inert.inert_class(module, name) if kind == "class" else inert.inert_value(module, name)


def _missing(module, name):
    """For what is not in the list: names with an underscore are Flink's inside, and so are modules of OPEN."""
    if name.startswith("__") or not (name.startswith("_") or module.startswith(OPEN)):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    from streamjob import inert

    return inert.inert_class(module, name)


class _Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname in names() or fullname.startswith(OPEN):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        own = names().get(module.__name__, {})
        for name in own:
            setattr(module, name, resolve(module.__name__, name))
        module.__all__ = [name for name, (_, star) in own.items() if star]
        module.__getattr__ = functools.partial(_missing, module.__name__)


sys.meta_path.append(_Modules())


def keyword_only(function):
    """PyFlink's decorator for its own methods."""
    return function


def since(version):
    del version
    return lambda function: function
