# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Commands, functions and pipelines that run beside the test.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# background DIR NAME COMMAND...
# Starts COMMAND (a shell function may hold a pipeline) in a process group of
# its own, output in DIR/NAME.out and DIR/NAME.err. It ends with the run of
# bats, should nobody finish it. DIR/NAME.status appears when it ends by itself
# or by a signal that a shell survives.
background() {
	local dir=$1 name=$2
	shift 2
	rm -f "$dir/$name.status"
	set -m
	background_run "$dir/$name" "$@" >"$dir/$name.out" 2>"$dir/$name.err" 3>&- &
	echo $! >"$dir/$name.pid"
	set +m
}

# finish DIR NAME [SIGNAL]
# Sends SIGNAL (default TERM; NONE: nothing) to all of its processes, waits for
# the end and has its exit code; 137 after SIGNAL KILL. After 20 s, SIGKILL.
finish() {
	local file=$1/$2 pid
	pid=$(cat "$file.pid" 2>/dev/null) || return 0
	if [ "${3:-TERM}" != NONE ]; then
		kill -s "${3:-TERM}" -- "-$pid" 2>/dev/null || true
	fi
	if ! wait_for 20 background_gone "$pid"; then
		kill -s KILL -- "-$pid" 2>/dev/null || true
		wait_for 5 background_gone "$pid"
	fi
	rm -f "$file.pid"
	return "$(cat "$file.status" 2>/dev/null || echo 137)"
}

# The group's leader: survives the signals that the group is sent, to tell the
# exit code, and ends what is left when the run of bats has ended.
background_run() {
	local status=$1 code=0
	shift
	set +m
	trap : TERM INT HUP
	(trap - TERM INT HUP && tail -s 0.5 --pid="$server_owner" -f /dev/null && kill -s KILL 0) &
	("$@") || code=$?
	echo "$code" >"$status.status"
	kill -s TERM 0
}

# What has ended but has not been reaped yet is gone.
background_gone() {
	! pgrep -r D,R,S,T,t -g "$1" >/dev/null
}
