"""
Purity: what the objects of pure rooms call. Each symbol they leave undefined must be defined in a pure room or stand
in PURE below: memory, text, arithmetic, and parsers that work in memory. Sockets, files, clocks, threads and the
environment are simply not in the list.
"""

import glob
import os
import re
import subprocess

from house import rooms

OBJECTS = "build/release/obj"

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


def nm(*arguments):
    return subprocess.run(["nm", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def symbols(room):
    """(object, is defined, symbol) of each of a room's objects."""
    for source in sorted(glob.glob(f"{room}/*.c")):
        built = f"{OBJECTS}/{source[:-2]}.o"
        if not os.path.exists(built):
            print(f"{source}:1: is not built; run `make build`")
            continue
        for line in nm("-g", built):
            kind, name = line.split()[-2:]
            yield source, kind not in "Uw", name


def line_of(source, symbol):
    """Where the object uses the symbol, by its debug information."""
    for line in nm("-u", "-l", f"{OBJECTS}/{source[:-2]}.o"):
        match = re.match(r"\s*U (\S+)\s+\S+:(\d+)$", line)
        if match and match.group(1) == symbol:
            return match.group(2)
    return "1"


def main():
    found = [entry for room in rooms().values() if room.pure for entry in symbols(room.name)]
    defined = {name for _, is_defined, name in found if is_defined}
    for source, is_defined, name in found:
        if not is_defined and name not in defined and not PURE.match(name):
            print(f"{source}:{line_of(source, name)}: a pure room calls {name}")


main()
