#!/bin/sh
# Runs unit test programs: run_unit.sh BUILD_DIR PROGRAM… Ends with "N passed, N failed", counted over all their tests.
set -u
shift
passed=0 failed=0
log=$(mktemp)
for program; do
	"$program" >"$log" 2>&1
	code=$?
	p=$(grep -c '^\[       OK \]' "$log")
	f=$(grep -c '^\[  FAILED  \] .*[a-z]' "$log")
	passed=$((passed + p))
	if [ "$code" != 0 ]; then
		[ "$f" = 0 ] && f=1
		failed=$((failed + f))
		echo "FAILED: $program (exit $code)"
		grep -v '^\[       OK \]\|^\[ RUN ' "$log"
	fi
done
rm -f "$log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
