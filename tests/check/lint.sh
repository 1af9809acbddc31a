#!/bin/bash
# The rules that no compiler checks: format, floors, purity, sizes, generated files. Each finding is a line; exit 1 for any.
set -u
cd "$(dirname "$0")/../.."
found=0
finding() {
	echo "$1"
	found=$((found + 1))
}

files=$(git ls-files -co --exclude-standard -- '*.c' '*.h')

# Format.
while read -r line; do finding "$line"; done < <(clang-format --dry-run $files 2>&1 | grep -E 'warning:|error:')

# Floors: a room includes its own headers and those of rooms before it.
declare -A floor
number=0
while read -r room pure; do
	case $room in '#'* | '') continue ;; esac
	floor[$room]=$((number += 1))
done <floors.txt
while IFS=: read -r file line include; do
	room=$(dirname "$file")
	target=$(dirname "$(echo "$include" | sed 's/.*"\(.*\)".*/\1/')")
	if [ -z "${floor[$room]:-}" ]; then
		finding "$file:$line: the room $room is not in floors.txt"
	elif [ -z "${floor[$target]:-}" ]; then
		finding "$file:$line: includes $target, which is not in floors.txt"
	elif [ "${floor[$target]}" -gt "${floor[$room]}" ]; then
		finding "$file:$line: $room is a lower floor than $target and may not include it"
	fi
done < <(grep -nE '^#include "' $(git ls-files -co --exclude-standard -- 'lib/*.[ch]' 'runtime/*.[ch]'))

# Purity: no symbol of the world in the objects of pure rooms.
world='^(open|openat|fopen|fread|fwrite|fclose|read|write|pread|pwrite|socket|connect|bind|listen|accept|send|sendto|recv|recvfrom|poll|select|epoll_wait|clock_gettime|gettimeofday|time|nanosleep|usleep|sleep|pthread_.*|getenv|secure_getenv|fork|execve?|system|printf|puts|putchar|fprintf|vprintf|__printf_chk|__fprintf_chk|stdout|stderr|stdin|unlink|rename|stat|fstat|mmap|random|rand)$'
while read -r room pure; do
	[ "$pure" = pure ] || continue
	for object in build/release/obj/"$room"/*.o; do
		[ -e "$object" ] || continue
		[ -e "${object#build/release/obj/}" ] || [ -e "$(echo "${object#build/release/obj/}" | sed 's/o$/c/')" ] || continue
		for symbol in $(nm -u "$object" | awk '{print $2}' | sed 's/@.*//' | grep -E "$world"); do
			finding "${object#build/release/obj/}: the pure room $room calls $symbol"
		done
	done
done <floors.txt

# Sizes.
for file in $(git ls-files -co --exclude-standard -- 'lib/*.c' 'runtime/*.c' 'lib/*.h' 'runtime/*.h'); do
	lines=$(wc -l <"$file")
	case $file in
	*.h) [ "$lines" -le 165 ] || finding "$file: $lines lines; a header has at most 165" ;;
	*.c) [ "$lines" -le 500 ] || finding "$file: $lines lines; a C file has at most 500" ;;
	esac
done

# Leftovers.
while read -r line; do finding "$line"; done < <(
	git grep -nEi '\b(TODO|FIXME|XXX)\b' -- lib runtime tests docs examples bench ':!tests/check/lint.sh'
	git grep -nE '/(home|root)/[a-z]' -- lib runtime tests docs examples bench Makefile ':!tests/check/lint.sh'
)

# What is made from the field table is what is committed.
if [ -x build/release/streamjob ]; then
	build/release/streamjob schema --crd | cmp -s - crds/streamjob.yaml ||
		finding "crds/streamjob.yaml: not what the field table says; run make docs"
	build/release/streamjob schema --reference | cmp -s - docs/reference.md ||
		finding "docs/reference.md: not what the field table says; run make docs"
fi

for script in $(git ls-files -co --exclude-standard -- '*.sh' .ci/run); do
	bash -n "$script" || finding "$script: does not parse"
done

if [ "$found" = 0 ]; then
	echo "lint: nothing found"
else
	echo "lint: $found findings"
	exit 1
fi
