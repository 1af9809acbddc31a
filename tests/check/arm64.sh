#!/bin/bash
# Every C source compiles for arm64 without a warning, against this machine's headers of the libraries: they are the same on
# both. What runs there is another matter: `ARCH=arm64 tests/check/bare_machine.sh demo unit` tries that by QEMU.
set -euo pipefail
cd "$(dirname "$0")/../.."
headers=$(mktemp -d)
trap 'rm -rf "$headers"' EXIT
host=/usr/include/$(gcc -print-multiarch)
ln -s "$host" "$headers/aarch64-linux-gnu" # CPython's pyconfig.h looks for its own there
flags="-std=gnu17 -O2 -fsyntax-only -I. -Iinclude -D_GNU_SOURCE -DSTREAMJOB_VERSION=\"\" \
	-Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wundef -Wcast-qual -Wwrite-strings \
	-idirafter /usr/include -idirafter $host -idirafter $(pkg-config --variable=includedir python3)/python$(pkg-config --modversion python3) -idirafter $headers"
export flags
compile() {
	# shellcheck disable=SC2086
	aarch64-linux-gnu-gcc $flags "$1" && echo passed || echo failed
}
export -f compile
results=$(git ls-files 'lib/*.c' 'runtime/*.c' 'operator/*.c' 'bench/*.c' 'tests/*.c' | xargs -P "$(nproc)" -I{} bash -c 'compile {}')
failed=$(grep -c failed <<<"$results" || true)
echo "$(grep -c passed <<<"$results") passed, $failed failed"
[ "$failed" = 0 ]
