# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Starting and stopping a server process: what k8s.bash, nats.bash and
# kafka.bash have in common.
#
# A server's files stand in the folder that the test names, and are called
# after the server: NAME.pid (there while it runs), NAME.log, NAME.port.

# Used by the files beside this one.
test_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
test_tools=$test_lib/../tools
# The run that servers must not outlive: bats as a whole, so that a server
# started in one test serves the next ones of its file.
server_owner=${BATS_ROOT_PID:-$$}

# wait_for SECONDS COMMAND...
# Runs COMMAND again and again until it succeeds; 1 when it has not in time.
wait_for() {
	local seconds=$1 deadline
	shift
	deadline=$((${EPOCHREALTIME/[.,]/} + seconds * 1000000))
	until "$@"; do
		if [ "${EPOCHREALTIME/[.,]/}" -ge "$deadline" ]; then
			echo "wait_for: not within $seconds s: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# free_port COUNT: prints so many free ports of 127.0.0.1.
free_port() {
	"$test_tools/freeports" "$1"
}

# server_path NAME FILE: prints where FILE of the server NAME is, 1 and a hint
# when it has not been made. Never a reason to skip a test.
server_path() {
	local dir
	dir=$("$test_lib/../servers/build" --path "$1") || return 1
	if [ ! -e "$dir/${2-}" ]; then
		echo "$1 is not in $dir: run scripts/test, or test/servers/build $1" >&2
		return 1
	fi
	echo "$dir/${2-}"
}

# launch DIR NAME COMMAND...: starts COMMAND as the server NAME.
launch() {
	local dir=$1 name=$2
	shift 2
	"$test_lib/leash" "$server_owner" "$dir/$name.pid" "$dir/$name.log" "$@"
}

# wait_ready DIR NAME SECONDS COMMAND...
# Waits until COMMAND says that the server is ready. Result: 2 when it ended
# because its port was taken (choose another), 1 when it ended or took too
# long otherwise, with the end of its log.
wait_ready() {
	local dir=$1 name=$2 seconds=$3
	shift 3
	if wait_for "$seconds" server_settled "$dir/$name.pid" "$@" &&
		[ -e "$dir/$name.pid" ]; then
		return 0
	fi
	if [ ! -e "$dir/$name.pid" ] &&
		tail -n 50 "$dir/$name.log" | grep -qi 'address already in use'; then
		return 2
	fi
	echo "$name is not ready; the end of $dir/$name.log:" >&2
	tail -n 20 "$dir/$name.log" >&2
	return 1
}

# server_settled PIDFILE COMMAND...: it has ended, or COMMAND says ready.
server_settled() {
	[ -e "$1" ] || return 0
	shift
	"$@" >/dev/null 2>&1
}

# stop_server DIR NAME [SIGNAL]
# Ends the server and waits for its end; SIGKILL when SIGNAL (default TERM)
# has not done it in ten seconds. Nothing to stop is no failure.
stop_server() {
	local pidfile=$1/$2.pid pid
	pid=$(cat "$pidfile" 2>/dev/null) || return 0
	kill -s "${3:-TERM}" "$pid" 2>/dev/null || true
	if ! wait_for 10 server_gone "$pidfile" "$pid" 2>/dev/null; then
		kill -s KILL "$pid" 2>/dev/null || true
		wait_for 10 server_gone "$pidfile" "$pid"
	fi
	rm -f "$pidfile"
}

server_gone() {
	[ ! -e "$1" ] || ! kill -0 "$2" 2>/dev/null
}

# on_free_ports START...: runs the function START until its result is not 2,
# which stands for a port that another process took first.
on_free_ports() {
	local try code
	for try in 1 2 3 4 5; do
		code=0
		"$@" || code=$?
		[ "$code" -eq 2 ] || return "$code"
	done
	echo "$*: no free port after $try tries" >&2
	return 1
}
