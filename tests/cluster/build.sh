#!/usr/bin/env bash
# Prints the path of one static binary that is every part of Kubernetes, kubectl and etcd; builds it when its inputs
# have changed. It is kept outside the tree, under a name that is a hash of its inputs.
set -euo pipefail
cd "$(dirname "$0")/kube"
cache=${STREAMJOB_CACHE:-$HOME/.cache/streamjob}
binary=$cache/kube-$(cat go.mod go.sum main.go ../build.sh | sha256sum | cut -c1-16)/kube
mkdir -p "$(dirname "$binary")"
exec 9>"$binary.lock"
flock 9 # who comes second finds it built
if [ ! -x "$binary" ]; then
	version=$(../go list -m -f '{{.Version}}' k8s.io/kubernetes)
	package=k8s.io/component-base/version
	../go build -trimpath -buildvcs=false -tags=grpcnotrace -o "$binary.new" -ldflags="-s -w \
		-X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version") \
		-X $package.gitTreeState=clean" . >&2
	mv "$binary.new" "$binary"
fi
echo "$binary"
