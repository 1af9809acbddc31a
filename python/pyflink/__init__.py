"""The names that modules written for PyFlink import.

What user functions need is here. Everything else of PyFlink (TableEnvironment, expressions, …) can be imported, so that a
module which holds functions beside a job of its own loads unchanged, and says so in one sentence when it is used.
"""

import importlib.abc
import importlib.machinery
import sys
import types


class Absent:
    """A name of PyFlink's that StreamJob does not have: a sentence for whoever uses it."""

    def __init__(self, name):
        self.__dict__["_name"] = name

    def _say(self, *args, **kwargs):
        raise RuntimeError(
            f"{self._name} is Flink's own and not part of StreamJob, which runs the module's functions: "
            "the job is the YAML file; keep what starts a Flink job under `if __name__ == '__main__':`"
        )

    __call__ = __getitem__ = __enter__ = __iter__ = _say

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._say()

    def __mro_entries__(self, bases):
        self._say()


def absent(module, name):
    """For a module's __getattr__."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Absent(f"{module}.{name}")


class _AbsentModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds pyflink.* modules that are not here: their every name is Absent."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.startswith("pyflink."):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: absent(spec.name, name)
        return module

    def exec_module(self, module):
        pass


sys.meta_path.append(_AbsentModules())
