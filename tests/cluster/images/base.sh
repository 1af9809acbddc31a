#!/usr/bin/env bash
# base.sh FOLDER: makes in FOLDER what docker.io's debian:bookworm-slim holds, from this machine's Debian mirror.
set -euo pipefail
folder=$1
mirror=
if command -v apt-get >/dev/null; then
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
fi
proxy=$(apt-config dump Acquire::http::Proxy | sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p')
[ -z "$proxy" ] || export http_proxy=$proxy
debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" "${mirror:-http://deb.debian.org/debian}"
cat >"$folder/etc/apt/sources.list.d/debian.sources" <<'SOURCES'
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
rm -f "$folder/etc/apt/sources.list"
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/usr/share/{man,info,locale}/* "$folder"/var/log/*
find "$folder/usr/share/doc" -type f ! -name copyright -delete
