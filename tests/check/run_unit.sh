#!/bin/bash
# Runs unit test programs, as many at once as there are cores: run_unit.sh BUILD_DIR PROGRAM… Ends with "N passed, N failed",
# counted over all their tests.
set -u
shift
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export logs
# Tests that start librdkafka need what the whole program needs under ThreadSanitizer.
export TSAN_OPTIONS="suppressions=$PWD/tests/integration/sanitizers/thread.supp${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
run() {
	local log=$logs/${1//\//_}
	"$1" >"$log" 2>&1
	echo $? >"$log.code"
}
export -f run
printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -I{} bash -c 'run {}'

passed=0 failed=0
for program; do
	log=$logs/${program//\//_}
	code=$(cat "$log.code")
	passed=$((passed + $(grep -c '^\[       OK \]' "$log")))
	if [ "$code" != 0 ]; then
		f=$(grep '^\[  FAILED  \] [^:]*$' "$log" | sort -u | wc -l)
		[ "$f" = 0 ] && f=1
		failed=$((failed + f))
		echo "FAILED: $program (exit $code)"
		grep -v '^\[       OK \]\|^\[ RUN ' "$log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
