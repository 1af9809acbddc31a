#!/bin/sh
# rootfs.sh STAGE FOLDER PACKAGES-FILE FILE…: makes in FOLDER the root file system of an image, run in the build stage.
#
# In it are: each FILE (or folder) of STAGE, where `make install DESTDIR=STAGE` put it; all files of the Debian packages that
# PACKAGES-FILE names; the shared libraries that any of these need, and nothing else of their packages: no shell, no package
# manager. Scanners find the packages in /var/lib/dpkg/status.d, people in /usr/share/streamjob/packages.
set -eu
stage=$1 folder=$2 packages=$3
shift 3

mkdir -p "$folder/usr/bin" "$folder/usr/sbin" "$folder/usr/lib" "$folder/usr/lib64" "$folder/etc" "$folder/var/lib/dpkg/status.d" \
	"$folder/usr/share/streamjob"
for merged in bin sbin lib lib64; do
	ln -s "usr/$merged" "$folder/$merged"
done
mkdir -m 1777 "$folder/tmp"
echo 'root:x:0:0:root:/:/sbin/nologin
streamjob:x:65532:65532:streamjob:/:/sbin/nologin' >"$folder/etc/passwd"
echo 'root:x:0:
streamjob:x:65532:' >"$folder/etc/group"
echo 'hosts: files dns' >"$folder/etc/nsswitch.conf"

copied=$(mktemp) # every file that came from a Debian package, by its name on this system
copy() { # FILE: under its own name, in the real folder; libraries by their soname
	real=$(realpath "$(dirname "$1")")/$(basename "$1")
	[ ! -e "$folder$real" ] || return 0
	mkdir -p "$folder$(dirname "$real")"
	cp --dereference --preserve=mode,timestamps "$1" "$folder$real"
	realpath "$1" >>"$copied"
}

for file; do
	mkdir -p "$folder/$(dirname "$file")"
	cp -a "$stage/$file" "$folder/$(dirname "$file")/"
done
find "$folder/usr" -type f -exec sh -c 'head -c 4 "$1" | grep -q "^.ELF"' elf {} \; -exec strip --strip-unneeded {} +

for package in $(grep -v '^#' "$packages"); do
	dpkg-query -L "$package" | while read -r file; do
		case $file in
		/usr/share/doc/* | /usr/share/man/* | /usr/share/lintian/* | /usr/share/locale/* | /usr/share/bug/* | */__pycache__/*) ;;
		/etc/ca-certificates.conf | /usr/sbin/* | /usr/share/ca-certificates/*) ;; # the bundle below is made of them
		*) [ ! -f "$file" ] || copy "$file" ;;
		esac
	done
	dpkg-query -W -f '${binary:Package}\n' "$package" | cut -d: -f1 >>"$copied.packages"
done
if grep -qx ca-certificates "$packages"; then
	copy /etc/ssl/certs/ca-certificates.crt
fi

find "$folder/usr" -type f | while read -r file; do
	head -c 4 "$file" | grep -q '^.ELF' && ldd "$file" 2>/dev/null | sed -n 's/^.*=> \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p'
done | sort -u | while read -r library; do
	case $library in
	"$folder"/*) ;;
	*) copy "$library" ;;
	esac
done

# A file is registered under /lib or /usr/lib, as its package has it.
sort -u "$copied" | while read -r file; do
	dpkg-query -S "$file" 2>/dev/null || dpkg-query -S "${file#/usr}" 2>/dev/null || [ "$file" = /etc/ssl/certs/ca-certificates.crt ] || {
		echo "rootfs.sh: $file is of no Debian package" >&2
		exit 1
	}
done | cut -d: -f1 >>"$copied.packages"
sort -u "$copied.packages" | while read -r package; do
	dpkg-query -s "$package" | grep -v '^Conffiles:\|^ /etc/' >"$folder/var/lib/dpkg/status.d/$package"
	mkdir -p "$folder/usr/share/doc/$package"
	cp --dereference "/usr/share/doc/$package/copyright" "$folder/usr/share/doc/$package/copyright"
	dpkg-query -W -f '${source:Package} ${Package} ${Version}\n' "$package"
done | sort -u | cut -d' ' -f2- | sort >"$folder/usr/share/streamjob/packages"

# The file system is read-only at run time: Python's bytecode is made now.
for library in "$folder"/usr/lib/python3.*; do
	[ ! -d "$library" ] || "/usr/bin/${library##*/}" -m compileall -q -s "$folder" -p / --invalidation-mode unchecked-hash \
		"$library" "$folder/usr/lib/streamjob"
done
chmod -R a+rX,go-w "$folder"
chmod 1777 "$folder/tmp"
