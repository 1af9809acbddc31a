#!/bin/sh
# The lint: each finding as "file:line: what", exit code 1 when there is any; one line when there is none.
# `make lint` builds build/release first: objects are looked at for purity, the program prints the generated files.
set -u
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

# generated FILE OPTION: a committed file is what `streamjob schema` prints.
generated() {
	printed=$(mktemp)
	if ! build/release/streamjob schema "$2" >"$printed"; then
		echo "$1:1: cannot be made: build/release/streamjob schema $2 failed"
	elif ! cmp -s "$printed" "$1"; then
		line=$(diff "$1" "$printed" | sed -n '1s/[^0-9].*//p')
		echo "$1:${line:-1}: is not what \`streamjob schema $2\` prints; run \`make docs\`"
	fi
	rm -f "$printed"
}

for check in sources objects clang; do
	python3 "tests/check/lint_$check.py" >>"$findings" ||
		echo "tests/check/lint_$check.py:1: stopped early" >>"$findings"
done
generated crds/streamjob.yaml --crd >>"$findings" 2>&1
generated docs/reference.md --reference >>"$findings" 2>&1

sort -u "$findings" | sort -t: -k1,1 -k2,2n
count=$(sort -u "$findings" | wc -l)
if [ "$count" != 0 ]; then
	echo "lint: $count findings" >&2
	exit 1
fi
echo "lint: no findings"
