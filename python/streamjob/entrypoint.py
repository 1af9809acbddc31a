"""What an entrypoint names: "module:name", "module:Class.method", "module:main.name".

A module of PyFlink's users often holds the job too, at its own level or in a main(). Of the job nothing is run here (see
inert.py): a statement that asks it for a result is left out. What a main() makes is had by calling it once,
with inert arguments where it needs some.
"""

import __future__
import ast
import functools
import importlib
import inspect
import linecache
import operator
import sys
import traceback
import types

from streamjob.functions import Wrapper
from streamjob.inert import Inert, Lost, NoResult

_FUTURES = functools.reduce(operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))


class FunctionError(Exception):
    """A sentence that the author of the function can act on."""


def find(entrypoint, source, filename):
    """(what the entrypoint names, its wrapper or None)."""
    module_name, _, attribute = entrypoint.partition(":")
    if not module_name or not attribute:
        raise FunctionError(f"entrypoint {entrypoint!r}: write it as module:name")
    parts = attribute.split(".")
    found = module = _module(module_name, source, filename, parts[0])
    for i, part in enumerate(parts):
        if hasattr(found, part):
            found = getattr(found, part)
        elif isinstance(found, types.FunctionType):
            found = _made_inside(found, f"{module_name}:{'.'.join(parts[:i])}", part)
        else:
            raise FunctionError(_not_there(module_name, attribute, found, source))
    wrapper = found if isinstance(found, Wrapper) else None
    found = wrapper.instance if wrapper else found
    _check_lost(entrypoint, found, module)
    return found, wrapper


def _module(name, source, filename, wanted):
    if source is None:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and (name == error.name or name.startswith(error.name + ".")):
                raise FunctionError(
                    f"there is no module {name}; give its text in code.inline, or install it in the image"
                ) from None
            raise
    module = types.ModuleType(name)
    module.__file__ = filename
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    sys.modules[name] = module  # before it runs: pickle and the module's own imports find it
    _run(ast.parse(source, filename), source, filename, module, wanted)
    return module


def _run(tree, source, filename, module, wanted):
    """Statement by statement: one that asks the module's own job for a result is left out, and the rest goes on."""
    flags = 0
    module.__doc__ = ast.get_docstring(tree, clean=False)
    for statement in tree.body:
        code = compile(ast.Module([statement], []), filename, "exec", flags, dont_inherit=True)
        flags |= code.co_flags & _FUTURES
        try:
            exec(code, module.__dict__)
        except NoResult as error:
            _say_left_out(error, filename)
            for name in _names_of(statement) - set(module.__dict__):
                module.__dict__[name] = Lost._of_result(f"{name} (line {statement.lineno})")
        except SystemExit as error:
            if not hasattr(module, wanted):
                raise
            _say_ended(error, filename)
            break


def _names_of(statement):
    """What the statement would have named."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _line_of(error, filename):
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    return lines[0] if lines else "?"


def _say_left_out(error, filename):
    print(f"{filename}, line {_line_of(error, filename)}: this statement is left out: {error}", file=sys.stderr)


def _say_ended(error, filename):
    why = "it exits there" if isinstance(error, SystemExit) else error
    print(f"{filename}, line {_line_of(error, filename)}: what follows is not run: {why}", file=sys.stderr)


def _check_lost(entrypoint, found, module):
    """A function that needs what a left out statement would have named cannot work."""
    function = getattr(found, "eval", getattr(found, "accumulate", found))
    code = getattr(function, "__code__", None)
    for name in code.co_names if code else ():
        if isinstance(module.__dict__.get(name), Lost):
            raise FunctionError(f"{entrypoint} needs {module.__dict__[name]._inert_name}, which asks this module's Flink job for a result")


def _made_inside(function, name, wanted):
    """Calls the function, which is a job's main(), and takes what it has named `wanted` by its end."""
    made = {}

    def profile(frame, event, argument):
        del argument
        if event == "return" and frame.f_code is function.__code__:
            made.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function(**_inert_arguments(function))
    except (Exception, SystemExit) as error:
        sys.setprofile(before)
        if wanted not in made:
            raise
        _say_ended(error, function.__code__.co_filename)
    finally:
        sys.setprofile(before)
    if wanted not in made:
        raise FunctionError(f"{name} makes no {wanted}; it makes {', '.join(sorted(made)) or 'nothing'}")
    return made[wanted]


def _inert_arguments(function):
    parameters = inspect.signature(function).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return {p.name: Inert._of(p.name) for p in needed if p.kind != p.POSITIONAL_ONLY}


def _not_there(module_name, attribute, found, source):
    inside = source and _defined_inside(source, attribute)
    if inside:
        return (
            f"{module_name} has no {attribute}: it is made inside {inside}(); write {module_name}:{inside}.{attribute}, "
            "or move it out to the module's level"
        )
    names = [n for n in vars(found) if not n.startswith("_")] if hasattr(found, "__dict__") else []
    return f"{module_name} has no {attribute}; it has {', '.join(sorted(names)) or 'nothing'}"


def _defined_inside(source, name):
    """The function of the module's level that defines the name: "main"."""
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for inner in ast.walk(node):
            defined = isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and inner.name == name
            stored = isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.id == name
            if inner is not node and (defined or stored):
                return node.name
    return None
