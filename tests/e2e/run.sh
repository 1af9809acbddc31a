#!/bin/bash
# The operator and the runtime on a real cluster. Arguments go to pytest.
# E2E_RUN=FOLDER uses the cluster that `RUN=FOLDER tests/cluster/up.sh` brought up, and leaves it up.
set -eu
cd "$(dirname "$0")"
exec /usr/bin/python3 -m pytest -q ${STREAMJOB_PYTEST:--p no:cacheprovider} --basetemp="${TMPDIR:-/tmp}/streamjob-e2e.$$" "${@:-.}"
