#!/usr/bin/env bash
# Prints the path of the Go program of tests/e2e/$1; builds it when its sources have changed. It is kept outside the tree, under
# a name that is a hash of its inputs. A folder without a main.go names the package of its program in tools.go.
set -euo pipefail
name=$1
cd "$(dirname "$0")/$name"
cache=${STREAMJOB_CACHE:-$HOME/.cache/streamjob}
program=$cache/$name-$(cat ./*.go go.mod go.sum ../program.sh | sha256sum | cut -c1-16)/$name
mkdir -p "$(dirname "$program")"
exec 9>"$program.lock"
flock 9 # who comes second finds it built
if [ ! -x "$program" ]; then
	package=.
	[ -e main.go ] || package=$(sed -n 's/^import _ "\(.*\)"$/\1/p' tools.go)
	../../cluster/go build -trimpath -buildvcs=false -o "$program.new" "$package" >&2
	mv "$program.new" "$program"
fi
echo "$program"
