#!/bin/sh
# Installs what is missing of the Debian packages listed in packages/$1 packages/$2 …; quick when nothing is.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build
stamp="build/.packages-$(cat $(for list; do echo "packages/$list"; done) /etc/debian_version | cksum | tr ' ' -)"
[ -e "$stamp" ] && exit 0
wanted=$(cat $(for list; do echo "packages/$list"; done))
missing=
for package in $wanted; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
	echo "installing:$missing"
	root=
	[ "$(id -u)" = 0 ] || root=sudo
	$root apt-get update -qq
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >build/apt.log 2>&1 || {
		cat build/apt.log
		echo "could not install:$missing" >&2
		exit 1
	}
fi
: >"$stamp"
