#!/bin/sh
# The program against real servers. Arguments go to pytest.
#
# SAN=address,undefined or SAN=thread runs the sanitized program of that build, on fewer events: a report of a sanitizer
# fails the test in which it came. What is suppressed, and why, stands in sanitizers/.
set -eu
cd "$(dirname "$0")"
if [ -n "${SAN:-}" ]; then
	build=build/san-$(echo "$SAN" | tr , -)
	make -s -C ../.. -j"$(nproc)" SAN="$SAN" "$build/streamjob" "$build/streamjob-worker" "$build/streamjob-operator"
	build=$(cd ../.. && pwd)/$build
	supp=$PWD/sanitizers
	STREAMJOB=$build/streamjob
	STREAMJOB_OPERATOR=$build/streamjob-operator
	STREAMJOB_TEST_ROWS=${STREAMJOB_TEST_ROWS:-100000}
	STREAMJOB_TEST_KILLS=${STREAMJOB_TEST_KILLS:-10}
	ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
	UBSAN_OPTIONS=print_stacktrace=1
	TSAN_OPTIONS=second_deadlock_stack=1:suppressions=$supp/thread.supp
	export STREAMJOB STREAMJOB_OPERATOR STREAMJOB_TEST_ROWS STREAMJOB_TEST_KILLS ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
	# A whole run leaves out what the sanitizer has in other tests (choice.py), and what has no runtime in it.
	case " $*" in
	*" test_"*) ;;
	*)
		export STREAMJOB_TEST_SANITIZER="${SAN%%,*}"
		set -- --ignore=postgres_parity --ignore-glob='test_operator*.py' --ignore=test_docs.py "$@"
		;;
	esac
fi
exec /usr/bin/python3 -m pytest -q ${STREAMJOB_PYTEST:--p no:cacheprovider} --basetemp="${TMPDIR:-/tmp}/streamjob-tests.$$" --maxfail=10 --durations=20 "$@"
