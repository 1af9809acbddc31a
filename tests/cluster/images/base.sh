#!/usr/bin/env bash
# base.sh FOLDER RELEASE: makes in FOLDER what docker.io's debian:RELEASE-slim holds, from this machine's Debian mirror.
set -euo pipefail
folder=$1 release=$2
. "$(dirname "$0")/../../check/debian_root.sh"
cp -a "$(debian_base "$release" "$(dpkg --print-architecture)")" "$folder"
cat >"$folder/etc/apt/sources.list.d/debian.sources" <<SOURCES
Types: deb
URIs: http://deb.debian.org/debian
Suites: $release $release-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: $release-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
rm -f "$folder/etc/apt/sources.list"
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/usr/share/{man,info,locale}/* "$folder"/var/log/*
find "$folder/usr/share/doc" -type f ! -name copyright -delete
