#!/bin/sh
# The program against real servers. Arguments go to pytest.
set -eu
cd "$(dirname "$0")"
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider --basetemp="${TMPDIR:-/tmp}/streamjob-tests.$$" -x "$@"
