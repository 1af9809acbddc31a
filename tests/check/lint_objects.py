"""
What can be seen in the objects: what pure rooms call, circles, and symbols that nobody else uses.

Purity: each symbol that the objects of pure rooms leave undefined must be defined in a pure room or stand in PURE below:
memory, text, arithmetic, and parsers that work in memory. Sockets, files, clocks, threads and the environment are simply
not in the list.

Circles: objects that call each other, directly or over others, are one piece that nobody can read, test or move by
parts. What several of them need belongs below them. CIRCLES has those that are recursive by nature.

Symbols: what is external is a promise to others. One that no other object of the program uses is static, or goes. What
only a test calls may stay external where its own file uses it: so the test reaches a part by itself. Where its own file
does not, it is no part of the program; TESTED has the few that a test needs to see what it tests.
"""

import glob
import os
import re
import subprocess

from house import WINGS, Room, room_of, rooms

OBJECTS = "build/release/obj"
NO_ROOM = Room("", 0, False, ())

PURE = re.compile(
    r"""^(
    (malloc|calloc|realloc|free|abort|qsort|bsearch)
    | (mem|str|strn|strncase|strcase)(cpy|move|set|cmp|chr|rchr|len|nlen|dup|ndup|str|spn|cspn|pbrk|mem|casecmp|ncasecmp|ncmp)
    | rawmemchr | mempcpy | stpcpy | strto(d|l|ul|ll|ull|f|ld) | v?snprintf
    | __(mem(cpy|move|set|pcpy)|str(cpy|cat|ncpy)|stpcpy|v?snprintf)_chk
    | __ctype_(b|tolower|toupper)_loc | tolower | toupper
    | (f?(abs|mod|min|max)|ceil|floor|round|l?lround|l?lrint|trunc|rint|nearbyint|exp|exp2|expm1|log|log2|log10|log1p|pow
      |sqrt|cbrt|ldexp|frexp|modf|isnan|isinf|scalbn)f?
    | __(is|fpclassify|signbit)[a-z]*f? | __float[a-z]*ti[a-z]* | __fix[a-z]*ti | __u?(div|mod|mul|divmod)ti[34] | __popcountdi2
    | __assert_fail | __stack_chk_fail | __errno_location | _GLOBAL_OFFSET_TABLE_
    | pg_query_(parse|free_parse_result)
    | json_(?!load_|dump_|loadf|dumpf|loadfd|dumpfd)\w+
    | yaml_(?!parser_set_input_file|emitter_set_output_file)\w+
    | EVP_\w+
    )$""",
    re.VERBOSE,
)

# An expression is a tree: each kind of node checks the nodes below it, a call's arguments are programs of their own.
EXPRESSION = {f"lib/expr/{name}.c" for name in ("aggregate_expr", "check", "compile", "functions", "operators", "user_call")}
CIRCLES = [EXPRESSION]

TESTED = {
    "aggregate_expr_compile",  # the short form, without the user's functions
    "queue_depth",  # when the queue has come to rest
    "queue_requeues",  # that a key which failed is counted, and forgotten
}


# A call that one file makes for all.
OWNED = {"nanosleep": "lib/process/pause.c"}


class Object:
    def __init__(self, source):
        self.source = source
        self.defined, self.used = set(), set()



def objects():
    """Every object of the wings by its source; those that are not built are findings."""
    found = {}
    for wing in WINGS:
        for source in sorted(glob.glob(f"{wing}/**/*.c", recursive=True)):
            if os.path.exists(f"{OBJECTS}/{source[:-2]}.o"):
                found[source] = Object(source)
            else:
                print(f"{source}:1: is not built; run `make build`")
    built = [f"{OBJECTS}/{source[:-2]}.o" for source in found]
    listed = subprocess.run(["nm", "-g", "-A", *built], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        path, symbol = line.split(":", 1)
        kind, name = symbol.split()[-2:]
        here = found[f"{path[len(OBJECTS) + 1:-2]}.c"]
        (here.used if kind in "Uw" else here.defined).add(name)
    return found


def line_of(source, symbol):
    """Where the object uses the symbol, by its debug information."""
    arguments = ["nm", "-u", "-l", f"{OBJECTS}/{source[:-2]}.o"]
    for line in subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.splitlines():
        match = re.match(r"\s*U (\S+)\s+\S+:(\d+)$", line)
        if match and match.group(1) == symbol:
            return match.group(2)
    return "1"


def check_purity(found):
    house = rooms()
    pure = [one for one in found.values() if house.get(room_of(one.source, house), NO_ROOM).pure]
    defined = set().union(*(one.defined for one in pure))
    for one in pure:
        for name in sorted(one.used - defined):
            if not PURE.match(name):
                yield one.source, line_of(one.source, name), f"a pure room calls {name}"


def circles(calls):
    """The strongly connected components of more than one, by Tarjan; `calls`: source to {source it calls: a symbol}."""
    number, low, stack, found = {}, {}, [], []

    def visit(here):
        number[here] = low[here] = len(number)
        stack.append(here)
        for there in calls[here]:
            if there not in number:
                visit(there)
                low[here] = min(low[here], low[there])
            elif there in stack:
                low[here] = min(low[here], number[there])
        if low[here] == number[here]:
            at = stack.index(here)
            if len(stack) - at > 1:
                found.append(set(stack[at:]))
            del stack[at:]

    for source in calls:
        if source not in number:
            visit(source)
    return found


def check_circles(found):
    owner = {name: one.source for one in found.values() for name in one.defined}
    calls = {source: {} for source in found}
    for one in found.values():
        for name in sorted(one.used & owner.keys()):
            calls[one.source].setdefault(owner[name], name)
    for circle in circles(calls):
        if circle in CIRCLES:
            continue
        for source in sorted(circle):
            across = [f"{name} of {there}" for there, name in sorted(calls[source].items()) if there in circle]
            yield source, line_of(source, across[0].split()[0]), f"is in a circle of {len(circle)} files: calls {', '.join(across)}"
    for circle in CIRCLES:
        if circle not in circles(calls):
            yield "tests/check/lint_objects.py", 1, f"CIRCLES has one that is none any more: {' '.join(sorted(circle))}"


def check_owned(found):
    for one in found.values():
        for name in sorted(one.used & OWNED.keys()):
            if one.source != OWNED[name]:
                yield one.source, line_of(one.source, name), f"calls {name}: that is {OWNED[name]}'s"


def words_of_tests():
    found = set()
    for folder in ("tests", "bench"):
        for path in glob.glob(f"{folder}/**/*.[ch]", recursive=True):
            with open(path, encoding="utf-8", errors="replace") as file:
                found.update(re.findall(r"\w+", file.read()))
    return found


def check_symbols(found):
    tested = words_of_tests()
    left = set(TESTED)
    for one in found.values():
        used = set().union(*(other.used for other in found.values() if other is not one))
        alone = sorted(one.defined - used - {"main"})
        if not alone:
            continue
        with open(one.source, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for name in alone:
            word = re.compile(rf"\b{name}\b")
            at = [number for number, line in enumerate(lines, 1) if word.search(line)]
            where = at[0] if at else 1
            if name in TESTED and name in tested:
                left.discard(name)
            elif name not in tested:
                yield one.source, where, f"{name} is external and nobody else uses it: make it static" if len(at) > 1 else (
                    f"nobody uses {name}: it goes, with what its header promises"
                )
            elif len(at) < 2:
                yield one.source, where, f"only tests use {name}: it is no part of the program"
    for name in sorted(left):
        yield "tests/check/lint_objects.py", 1, f"TESTED has {name}, which needs it no more"


def main():
    found = objects()
    for check in (check_purity, check_circles, check_owned, check_symbols):
        for source, line, what in check(found):
            print(f"{source}:{line}: {what}")


main()
