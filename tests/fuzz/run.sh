#!/bin/sh
# Each target with its kept corpus and a fixed number of inputs from a fixed seed: the same inputs each time.
# tests/fuzz/run.sh BINARY… ; RUNS=N for another number. What a failure was found with stays in build/fuzz.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
passed=0 failed=0
for binary; do
	name=$(basename "$binary" _fuzz)
	work=$(mktemp -d)
	log="$root/build/fuzz/$name.log"
	if "$binary" -runs="${RUNS:-400000}" -seed=1 -max_len=1024 -timeout=60 -print_final_stats=1 \
		-dict="$root/tests/fuzz/$name.dict" -artifact_prefix="$root/build/fuzz/$name-" \
		"$work" "$root/tests/corpus/$name" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, $(grep -a '^compared ' "$log")"
	else
		failed=$((failed + 1))
		echo "FAILED: $name; the input is in build/fuzz, the whole log in build/fuzz/$name.log"
		grep -a '^row \|^SUMMARY\|Test unit written' "$log"
		tail -n 3 "$log"
	fi
	rm -rf "$work"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
