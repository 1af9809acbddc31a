#!/usr/bin/env bash
# Says by its exit code whether the cluster whose state is in $RUN is up.
RUN=${RUN:-${STREAMJOB_CACHE:-$HOME/.cache/streamjob}/cluster}
pid=$(cat "$RUN/pid" 2>/dev/null) && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q '^unshare .*up.sh inside'
