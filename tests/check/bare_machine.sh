#!/bin/bash
# What README promises for a bare Debian, tried in one: bare_machine.sh [TARGET…], default `demo` and `check`.
#
# A debootstrapped root with nothing but git and make gets a clone of HEAD, and `make TARGET` runs in it by chroot. Each run
# works on a copy, so that nothing that it installs is there the next time.
#
# RELEASE=trixie tries another release than bookworm. ARCH=arm64 tries another architecture than this machine's, by
# qemu-user-static where its binfmt is registered. `demo` and `unit` take some minutes then; QEMU knows no seccomp filters, so
# the worker's sandbox says what it does without.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/check/debian_root.sh
[ "$(id -u)" = 0 ] || { echo "bare_machine.sh: chroot and mount need root" >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
release=${RELEASE:-bookworm}
base=$(debian_base "$release" "${ARCH:-$(dpkg --print-architecture)}")
work=$(mktemp -d "$cache/bare.XXXXXX")
targets=("$@")
[ $# != 0 ] || targets=(demo check)

finish() {
	for mount in dev/pts dev/shm dev proc sys; do
		mountpoint -q "$work/$mount" && umount -l "$work/$mount"
	done
	# Only when nothing of this machine is mounted in it any more.
	grep -q " $work/" /proc/mounts || rm -rf "$work"
}
trap finish EXIT

cp -a "$base/." "$work"
apt_settings "$work" "$release"
copy_settings "$work" /etc/pip.conf /etc/maven/settings.xml "$HOME/.m2/settings.xml" "$HOME/.npmrc" "$HOME/.config/go" \
	"$HOME/.config/pip" /etc/ssl/certs/java/cacerts
mount_kernel "$work"
git clone -q --no-hardlinks . "$work/streamjob"

in_root "$work" sh -c 'update-ca-certificates; apt-get update -qq && apt-get install -y -qq --no-install-recommends git make' \
	>"$work/install.log" 2>&1 || { tail -n 20 "$work/install.log"; exit 1; }
passed=0 failed=0
for target in "${targets[@]}"; do
	begin=$SECONDS
	if in_root "$work" make -C /streamjob "$target" >"$work/$target.log" 2>&1; then
		passed=$((passed + 1))
		echo "bare machine: make $target: $((SECONDS - begin)) s"
	else
		failed=$((failed + 1))
		echo "bare machine: make $target FAILED after $((SECONDS - begin)) s:"
		tail -n 40 "$work/$target.log"
	fi
	if [ "$target" = demo ]; then
		grep -c '^window ' "$work/demo.log" | sed 's/$/ windows shown/'
		[ "$(grep -c '^window ' "$work/demo.log")" -ge 3 ] || failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
