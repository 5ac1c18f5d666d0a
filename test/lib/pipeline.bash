# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# scripts/kollect beside a test, and what it published.

# shellcheck source=test/lib/servers.bash
. "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

root=$(cd "$test_lib/../.." && pwd)
KOLLECT_BIN=$(cd "$root" && cd "${BUILD:-build}/bin" && pwd)
PATH=$KOLLECT_BIN:$PATH
export KOLLECT_BIN

# kollect_start DIR NAME ARG...
# Runs scripts/kollect with metrics in DIR/NAME.metrics. Its pid is in DIR/NAME.kollect.pid: a signal to
# that alone is what a container's runtime sends.
kollect_start() {
	local dir=$1 name=$2
	shift 2
	rm -rf "$dir/$name.metrics"
	background "$dir" "$name" kollect_exec "$dir/$name" "$@"
}

kollect_exec() {
	echo "$BASHPID" >"$1.kollect.pid"
	exec "$root/scripts/kollect" --metrics-dir "$1.metrics" "${@:2}"
}

# kollect_stop DIR NAME: SIGTERM, the wait for the end, and its exit code.
kollect_stop() {
	kill -TERM "$(cat "$1/$2.kollect.pid")"
	kollect_ended "$1" "$2"
}

# kollect_ended DIR NAME: waits for the end; its exit code.
kollect_ended() {
	wait_for 60 test -e "$1/$2.status" || return 255
	finish "$1" "$2" NONE
}

# metric DIR NAME TOOL SAMPLE: the sample's value, 0 when there is none.
metric() {
	awk -v sample="$4" '$1 == sample { value = $2 } END { print value + 0 }' \
		"$1/$2.metrics/$3.prom" 2>/dev/null || echo 0
}

# kollect_synced DIR NAME: all streams have their first snapshot, and all that it brought is on the bus.
kollect_synced() {
	local state
	[ "$(metric "$1" "$2" kwatch 'kollect_kwatch_streams{state="watching"}')" -gt 0 ] || return 1
	for state in queued snapshot backoff; do
		[ "$(metric "$1" "$2" kwatch "kollect_kwatch_streams{state=\"$state\"}")" -eq 0 ] || return 1
	done
	kollect_settled "$1" "$2"
}

# kollect_settled DIR NAME: every record has been acknowledged.
kollect_settled() {
	local seq
	seq=$(metric "$1" "$2" kdiff kollect_kdiff_sequence)
	[ "$seq" -gt 0 ] && [ "$(metric "$1" "$2" kdiff kollect_kdiff_acked_sequence)" -eq "$seq" ]
}

# stage_pid DIR NAME STAGE: the pid of a stage of that kollect, as its children are.
stage_pid() {
	pgrep -g "$(ps -o pgid= "$(cat "$1/$2.kollect.pid")" | tr -d ' ')" -x "$3"
}
