# shellcheck shell=bash
# To be sourced: root folders of Debian releases, for tests of another release and of a bare machine.
#
# What a root is made of is kept outside the tree (STREAMJOB_CACHE). The settings and certificates of this machine's package
# clients are copied in when a root is made: none are in this file.

cache=${STREAMJOB_CACHE:-$HOME/.cache/streamjob}
# shellcheck disable=SC1091
machine_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# debian_base RELEASE ARCH: prints the folder of a root that holds what debootstrap gives, made at the first call.
debian_base() {
	local release=$1 arch=$2 folder=$cache/$1-minbase-$2 mirror proxy
	(
		mkdir -p "$cache"
		exec 7>"$folder.lock"
		flock 7
		[ ! -e "$folder/complete" ] || exit 0
		rm -rf "$folder"
		mkdir "$folder"
		mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $machine_release" | head -n 1)
		proxy=$(apt-config dump Acquire::http::Proxy | sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p')
		[ -z "$proxy" ] || export http_proxy=$proxy
		debootstrap --arch="$arch" --variant=minbase --include=ca-certificates "$release" "$folder/root" \
			"${mirror:-http://deb.debian.org/debian}" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; exit 1; }
		touch "$folder/complete"
	) && echo "$folder/root"
}

# debian_sources FILE RELEASE: this machine's file of apt sources, for another release.
debian_sources() {
	sed "s/\b$machine_release\b/$2/g" "$1"
}

# copy_settings ROOT FILE…: each to the same place in ROOT, where it exists.
copy_settings() {
	local root=$1 path
	shift
	for path; do
		[ -e "$path" ] || continue
		mkdir -p "$root$(dirname "$path")"
		cp -aL "$path" "$root$(dirname "$path")/"
	done
}

# apt_settings ROOT RELEASE: apt in ROOT asks whom this machine asks.
apt_settings() {
	local root=$1 release=$2 path
	copy_settings "$root" /etc/resolv.conf /etc/hosts /etc/apt/auth.conf.d /usr/local/share/ca-certificates \
		/etc/ssl/certs/ca-certificates.crt
	for path in /etc/apt/apt.conf.d/*; do
		case $path in *docker* | *packagekit* | *appstream* | *autoremove*) ;; *) copy_settings "$root" "$path" ;; esac
	done
	rm -f "$root/etc/apt/sources.list" # debootstrap's
	for path in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
		[ ! -e "$path" ] || debian_sources "$path" "$release" >"$root$path"
	done
}

# in_root ROOT COMMAND…: with the variables of this machine's package clients, and PATH and HOME of a bare machine.
in_root() {
	local root=$1
	shift
	env -u LD_PRELOAD -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		chroot "$root" "$@"
}

# mount_kernel ROOT: /proc, /sys and /dev.
mount_kernel() {
	mount -t proc proc "$1/proc"
	mount -t sysfs -o ro sysfs "$1/sys"
	mount --rbind /dev "$1/dev"
	mount --make-rslave "$1/dev"
}
