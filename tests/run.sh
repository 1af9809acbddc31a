#!/bin/bash
# Everything: what `make test` runs. Each suite prints its own counts; the last line counts all suites.
# ONLY="unit fuzz" runs those suites alone.
set -u
cd "$(dirname "$0")/.."
jobs=$(nproc)
passed=0 failed=0
failures=

suite() {
	local name=$1
	shift
	case " ${ONLY:-$name} " in *" $name "*) ;; *) return ;; esac
	echo "== $name"
	local begin=$SECONDS
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		failures="$failures $name"
	fi
	echo "== $name: $((SECONDS - begin)) s"
}

sanitized() {
	make -s -j"$jobs" SAN="$1" unit
}

# The program against real servers, on fewer events.
real_servers() {
	SAN=$1 tests/integration/run.sh
}

# The operator's client, cache and lease under a hostile API server.
faults() {
	SAN=$1 tests/faults/run.sh
}

# The operator against a real API server, under a sanitizer.
operator() {
	local binary=build/san-${1//,/-}/streamjob-operator
	make -s -j"$jobs" SAN="$1" "$binary" && STREAMJOB_OPERATOR=$PWD/$binary tests/integration/run.sh test_operator.py
}

# Over 1,000 restarts and 10,000 windows nothing grows, and no reference is lost.
leaks() {
	make -s build/release/debug/streamjob-worker && UDF_RESTARTS=1000 UDF_WINDOWS=10000 \
		UDF_DEBUG_WORKER=build/release/debug/streamjob-worker build/release/tests/unit/runtime/udf/leak_test
}

suite check make -s -j"$jobs" check
suite arm64 tests/check/arm64.sh
suite trixie tests/check/debian_release.sh trixie
suite leaks leaks
suite unit-address sanitized address,undefined
suite unit-thread sanitized thread
suite faults-address faults address,undefined
suite faults-thread faults thread
suite fuzz make -s fuzz
suite cli tests/cli/run.sh
suite operator-address operator address,undefined
suite operator-thread operator thread
suite integration eval 'make -s build && tests/integration/run.sh'
suite integration-address real_servers address,undefined
suite integration-thread real_servers thread
suite cluster tests/e2e/run.sh

[ -n "$failures" ] && echo "FAILED:$failures"
echo "suites: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
