#!/bin/sh
# What the operator survives, against a hostile API server; SAN= chooses the build. Arguments go to pytest.
set -eu
cd "$(dirname "$0")"
exec /usr/bin/python3 -m pytest -q ${STREAMJOB_PYTEST:--p no:cacheprovider} --basetemp="${TMPDIR:-/tmp}/streamjob-faults.$$" "$@" .
