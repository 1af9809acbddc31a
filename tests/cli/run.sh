#!/bin/sh
# The command line as a user sees it; no server is needed. Arguments go to pytest.
set -eu
cd "$(dirname "$0")"
exec /usr/bin/python3 -m pytest -q ${STREAMJOB_PYTEST:--p no:cacheprovider} --basetemp="${TMPDIR:-/tmp}/streamjob-cli.$$" "${@:-.}"
