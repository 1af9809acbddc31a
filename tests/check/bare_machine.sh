#!/bin/bash
# What README promises for a bare Debian bookworm, tried in one: bare_machine.sh [TARGET…], default `demo` and `check`.
#
# A debootstrapped root with nothing but git and make gets a clone of HEAD, and `make TARGET` runs in it by chroot. The
# package clients' settings and certificates of this machine are copied in when it runs: none are in this file. The root is
# kept outside the tree (STREAMJOB_CACHE); each run works on a copy, so that nothing that it installs is there the next time.
#
# ARCH=arm64 tries another architecture than this machine's, by qemu-user-static where its binfmt is registered. `demo` and
# `unit` take some minutes then; QEMU knows no seccomp filters, so the worker's sandbox says what it does without.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "bare_machine.sh: chroot and mount need root" >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
cache=${STREAMJOB_CACHE:-$HOME/.cache/streamjob}
arch=${ARCH:-$(dpkg --print-architecture)}
base=$cache/bookworm-bare-$arch
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

if [ ! -e "$base/complete" ]; then
	rm -rf "$base"
	mkdir -p "$base"
	debootstrap --arch="$arch" --variant=minbase --include=git,make,ca-certificates bookworm "$base/root" >"$base/log" || {
		tail -n 5 "$base/log" >&2
		exit 1
	}
	touch "$base/complete"
fi
cp -a "$base/root/." "$work"

# settings FILE…: copied to the same place where they exist.
settings() {
	for path; do
		[ -e "$path" ] || continue
		mkdir -p "$work$(dirname "$path")"
		cp -aL "$path" "$work$(dirname "$path")/"
	done
}
settings /etc/resolv.conf /etc/hosts /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources /etc/apt/auth.conf.d \
	/etc/pip.conf /etc/maven/settings.xml "$HOME/.m2/settings.xml" "$HOME/.npmrc" "$HOME/.config/go" "$HOME/.config/pip" \
	/usr/local/share/ca-certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/java/cacerts
for path in /etc/apt/apt.conf.d/*; do
	case $path in *docker* | *packagekit* | *appstream* | *autoremove*) ;; *) settings "$path" ;; esac
done

mount -t proc proc "$work/proc"
mount -t sysfs -o ro sysfs "$work/sys"
mount --rbind /dev "$work/dev"
mount --make-rslave "$work/dev"
git clone -q --no-hardlinks . "$work/streamjob"

# The clients' variables of this machine, with a PATH and HOME of a bare one.
run() {
	env -u LD_PRELOAD PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		chroot "$work" "$@"
}
run update-ca-certificates >/dev/null 2>&1 || true
passed=0 failed=0
for target in "${targets[@]}"; do
	begin=$SECONDS
	if run make -C /streamjob "$target" >"$work/$target.log" 2>&1; then
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
