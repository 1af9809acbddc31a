#!/bin/bash
# Builds everything and runs the unit tests on another Debian release than this machine's: debian_release.sh RELEASE.
# With `provide` it only makes the root that it needs; with `programs` it builds the programs, and makes a
# build/RELEASE/run/streamjob that runs here with that release's libraries.
#
# In a debootstrapped root that has packages/build and packages/unit; it is kept outside the tree (STREAMJOB_CACHE), under a
# name that is a hash of its inputs, and is read-only while the tests run. The work tree is mounted in it, objects are made in
# build/RELEASE. The mounts and processes are in namespaces that end with this script.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/check/debian_root.sh
release=${1:?debian_release.sh: which release?}
[ "$(id -u)" = 0 ] || { echo "debian_release.sh: chroot and mount need root" >&2; exit 1; }
lists="packages/build packages/unit"
# shellcheck disable=SC2086
root=$cache/$release-unit-$(cat $lists tests/check/debian_root.sh | sha256sum | cut -c1-16)

provide_root() {
	exec 8>"$root.lock"
	flock 8
	[ ! -e "$root/complete" ] || return 0
	local base
	base=$(debian_base "$release" "$(dpkg --print-architecture)")
	rm -rf "$root"
	mkdir "$root"
	cp -a "$base" "$root/root"
	apt_settings "$root/root" "$release"
	# shellcheck disable=SC2046,SC2086
	{
		in_root "$root/root" apt-get update -qq &&
			in_root "$root/root" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(cat $lists)
	} >"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; exit 1; }
	rm -rf "$root/root/var/lib/apt/lists" "$root/root/var/cache/apt"
	mkdir -p "$root/root/src"
	touch "$root/complete"
}

inside() { # in namespaces of its own
	mount --bind "$root/root" "$root/root"
	mount -o remount,bind,ro "$root/root"
	mount_kernel "$root/root"
	mount -t tmpfs tests "$root/root/tmp"
	mount --bind . "$root/root/src"
	# shellcheck disable=SC2086
	in_root "$root/root" make -C /src -s -j"$(nproc)" B="build/$release" $1
}

# make_runner PROGRAM: its files are those of the root, in its own loader.
make_runner() {
	local lib="$root/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)" loader
	loader=$(find "$lib" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)
	mkdir -p "build/$release/run"
	cat >"build/$release/run/$1" <<EOF
#!/bin/sh
exec "$loader" --library-path "$lib" "$PWD/build/$release/$1" "\$@"
EOF
	chmod +x "build/$release/run/$1"
}

case ${2:-} in
provide) provide_root ;; # only makes the root
inside) inside "$3" ;;
programs)
	provide_root
	exec 8>&-
	unshare --mount --propagation private --pid --fork --kill-child "$0" "$release" inside "build/$release/streamjob build/$release/streamjob-worker"
	make_runner streamjob
	;;
*)
	provide_root
	exec 8>&-
	exec unshare --mount --propagation private --pid --fork --kill-child "$0" "$release" inside unit
	;;
esac
