#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/kollect and scripts/demo without a cluster; with one: test/real/pipeline.bats.
# shellcheck disable=SC2154,SC2317 # root comes from lib/pipeline; wait_for calls functions by name

setup() {
	load lib/pipeline
	bats_require_minimum_version 1.5.0
	unset KUBECONFIG EVENT_WRITER_URL KUBERNETES_SERVICE_HOST
	export HOME=$BATS_TEST_TMPDIR TMPDIR=$BATS_TEST_TMPDIR
	kollect=$root/scripts/kollect
}

# wrong MESSAGE ARG...: kollect says MESSAGE and that there is help, and exits with 2.
wrong() {
	local message=$1
	shift
	run "$kollect" "$@"
	[ "$status" -eq 2 ]
	[[ ${lines[0]} == "kollect: $message"* ]]
	[ "${lines[1]}" = "Try 'kollect --help'." ]
}

@test "kollect: wrong usage is named and exits with 2" {
	wrong 'no event bus: set EVENT_WRITER_URL or --event-writer-url'
	wrong 'unknown option --bus' --bus x
	wrong 'unknown option -x' -x
	wrong '--event-writer-url needs a value' --event-writer-url
	wrong '--drain-timeout: "soon" is no number of seconds' --event-writer-url stdout: --drain-timeout soon
	wrong '--max-restarts: "-1" is no number' --event-writer-url stdout: --max-restarts=-1
	wrong '--wait-for-sync: "perhaps" is neither true nor false' --event-writer-url stdout: --wait-for-sync=perhaps
	wrong '--log-format: "xml" is none of text, logfmt, json' --event-writer-url stdout: --log-format xml
	WAIT_FOR_SYNC=perhaps wrong '--wait-for-sync: "perhaps"' --event-writer-url stdout:
}

@test "kollect: --help names every variable that the README has, --version the version" {
	run "$kollect" --help
	[ "$status" -eq 0 ]
	# The second column of the table of options.
	variables=$(awk -F'[`=|]+' '/^\| `--/ { print $6 }' "$root/README.md")
	[ "$(wc -w <<<"$variables")" -gt 10 ]
	for variable in $variables; do
		[[ $output == *"$variable"* ]] || {
			echo "README names $variable, --help does not"
			return 1
		}
	done
	[[ $output == *DRAIN_TIMEOUT* ]]
	run "$kollect" --version
	[[ $output =~ ^kollect\ [0-9]+\.[0-9]+ ]]
}

@test "make install: the tools and manuals, and a kollect that finds its tools" {
	make -s -C "$root" install DESTDIR="$HOME/dest" PREFIX=/usr >"$HOME/log"
	for tool in kwatch kdiff kenvelope kpublish kollect; do
		[ -x "$HOME/dest/usr/bin/$tool" ]
		[ -s "$HOME/dest/usr/share/man/man1/$tool.1" ]
	done
	[ -s "$HOME/dest/usr/share/man/man5/kollect.5" ]
	KOLLECT_BIN='' PATH=/usr/bin:/bin run "$HOME/dest/usr/bin/kollect" --version
	[[ $output =~ ^kollect\ [0-9]+\.[0-9]+ ]]
}

@test "kollect: a cluster that cannot be reached is an error, and no pipes are left behind" {
	run "$kollect" --event-writer-url stdout: --kube-config "$HOME/none" --max-restarts 0
	[ "$status" -eq 1 ]
	[[ $output == *"kwatch: $HOME/none"* ]]
	[ -z "$(find "$TMPDIR" -name 'kollect-*')" ]
}

@test "kollect: an unknown bus ends it with the stage's exit code" {
	run "$kollect" --event-writer-url gopher://hole --cluster-id ours
	[ "$status" -eq 2 ]
	[[ $output == *'no bus is known by the scheme "gopher"'* ]]
	# Nor is it tried again when kwatch, without a cluster, happens to fail first.
	[[ $output != *'starting again'* ]]
}

@test "kollect: messages come in the format asked for" {
	LOG_FORMAT=json run "$kollect" --event-writer-url gopher://hole --cluster-id ours
	jq -e -s 'length > 1 and all(.tool and .msg and .time)' <<<"$output"
}

# A cluster without objects, and its kubeconfig in $HOME/config.
empty_cluster() {
	python3 "$test_tools/fakeapi.py" empty "$HOME/requests" >"$HOME/port" 3>&- 2>/dev/null &
	fake=$!
	wait_for 10 test -s "$HOME/port"
	cat >"$HOME/config" <<-END
		clusters: [{name: c, cluster: {server: "http://127.0.0.1:$(cat "$HOME/port")"}}]
		contexts: [{name: x, context: {cluster: c}}]
		current-context: x
	END
}

teardown() {
	[ -z "${fake-}" ] || kill "$fake"
	finish "$HOME" other KILL || true
	finish "$HOME" kollect KILL || true
	[ -z "${group-}" ] || kill -KILL -- "-$group" 2>/dev/null || true
}

# running: how many stages there are in the process group, and how many shells of theirs. What
# nobody has reaped yet does not run.
running() {
	for tool in kwatch kdiff kenvelope kpublish; do
		pgrep -r D,R,S,T,t -g "$group" -x "$tool" || true
	done | wc -l
	pgrep -r D,R,S,T,t -g "$group" -f -- '--stage' | wc -l
}

# Four stages and their shells?
all() { [ "$(running | xargs)" = "4 4" ]; }

# A kollect in a process group that nobody else ends.
kollect_in_group() {
	setsid "$kollect" --event-writer-url "file:$HOME/bus" --kube-config "$HOME/config" --cluster-id ours \
		2>"$HOME/err" 3>&- &
	group=$!
}

# With all its stages.
kollect_alone() {
	empty_cluster
	kollect_in_group
	wait_for 20 all
}

@test "kollect: killed by SIGKILL, it leaves nothing running" {
	kollect_alone
	kill -KILL "$group"
	wait_for 10 background_gone "$group"
}

@test "kollect: killed by SIGKILL while it waits to start again, it leaves nothing running" {
	# Its pause of a second does not end by itself.
	mkdir "$HOME/bin"
	cat >"$HOME/bin/sleep" <<-'END'
		#!/bin/sh
		[ "$1" != 1 ] || exec tail -f /dev/null
		exec /bin/sleep "$@"
	END
	chmod +x "$HOME/bin/sleep"
	PATH=$HOME/bin:$PATH kollect_alone
	kill -KILL "$(pgrep -g "$group" -x kdiff)"
	wait_for 20 grep -q 'starting again' "$HOME/err"
	paused() { pgrep -g "$group" -x tail; }
	wait_for 20 paused
	kill -KILL "$group"
	wait_for 10 background_gone "$group"
}

@test "kollect: the shell of a stage killed: the stage is killed too, and all begin again" {
	kollect_alone
	kill -KILL "$(pgrep -g "$group" -f -- '--stage .* kdiff ')"
	wait_for 20 grep -q 'starting again' "$HOME/err"
	wait_for 20 all
	kill -TERM "$group"
	wait "$group"
}

@test "kollect: told to stop before kwatch listens for that, it exits with 0" {
	mkdir "$HOME/bin"
	ln -s "$KOLLECT_BIN"/* "$HOME/bin"
	rm "$HOME/bin/kwatch"
	printf '#!/bin/sh\nexec sleep 100\n' >"$HOME/bin/kwatch"
	chmod +x "$HOME/bin/kwatch"
	KOLLECT_BIN=$HOME/bin kollect_in_group
	asleep() { pgrep -g "$group" -x sleep; }
	wait_for 20 asleep
	kill -TERM "$group"
	wait "$group"
	grep -q 'stopping: publishing what was seen' "$HOME/err"
}

# A setpriv that is killed in place of the stage whose name is in $killed, once.
killed_at_once() {
	mkdir "$HOME/bin"
	cat >"$HOME/bin/setpriv" <<-'END'
		#!/bin/sh
		case $* in
		*--stage*"$killed"*) [ -e "$HOME/$killed.killed" ] || { : >"$HOME/$killed.killed" && kill -KILL $$; } ;;
		esac
		exec /usr/bin/setpriv "$@"
	END
	chmod +x "$HOME/bin/setpriv"
	PATH=$HOME/bin:$PATH
}

# (The last one is missed by who writes to it, which in an empty cluster is nobody.)
@test "kollect: the shell of a stage killed before it has opened its pipes: all begin again" {
	killed_at_once
	for killed in kwatch kdiff kenvelope; do
		export killed
		kollect_alone
		[ -e "$HOME/$killed.killed" ]
		grep -q 'starting again' "$HOME/err"
		kill -TERM "$group"
		wait "$group"
		kill "$fake"
		rm "$HOME/port"
	done
	unset fake
}

# Tools that write down how they were called and then wait, but for one: kdiff prints positions, other ones
# each time, or ends with $positions.
pretend() {
	mkdir -p "$HOME/bin"
	for tool in kwatch kdiff kenvelope kpublish; do
		cat >"$HOME/bin/$tool" <<-'END'
			#!/bin/sh
			case $*,${positions-0} in
			*--positions*,0)
				echo "$*" >>"$HOME/positions.args"
				printf '/api/v1/pods\t%s\n' "$(wc -l <"$HOME/positions.args")"
				exit 0
				;;
			*--positions*) echo "kdiff: the store is broken" >&2 && exit "$positions" ;;
			*--resume=*) at=${*##*--resume=} && cat "${at%% *}" >>"$HOME/resumed" ;;
			esac
			for fd in 4 6; do
				link=$(readlink "/proc/$$/fd/$fd")
				case $link in */kollect-*) echo "${0##*/} $fd ${link##*/}" >>"$HOME/links" ;; esac
			done
			echo "$*" >>"$HOME/${0##*/}.args"
			exec sleep 60
		END
		chmod +x "$HOME/bin/$tool"
	done
	export KOLLECT_BIN=$HOME/bin
}

# called TOOL TEXT...: it was, with these among its arguments.
called() {
	local args tool=$1
	wait_for 20 test -s "$HOME/$tool.args"
	args=" $(cat "$HOME/$tool.args") "
	shift
	for text; do
		[[ $args == *" $text "* ]] || {
			echo "$tool was called with$args"
			return 1
		}
	done
}

pretended() {
	pretend
	background "$HOME" kollect "$kollect" --event-writer-url stdout: --cluster-id ours "$@"
}

@test "kollect: with a state, kwatch goes on where kdiff is; acknowledgements come back" {
	pretended --state-dir "$HOME/state" --spool-max 5MiB --overflow=coalesce --sync interval:5 --audit-interval 2h
	called kwatch --forever --audit-interval=2h --resync-fd=4
	called kdiff --ack-fd=4 --resync-fd=6 --state="$HOME/state" --spool-max=5MiB --overflow=coalesce \
		--sync=interval:5 --cluster-id=ours
	called positions --state="$HOME/state" --cluster-id=ours
	[ "$(cat "$HOME/resumed")" = $'/api/v1/pods\t1' ]
	called kpublish --ack-fd=4
	[ "$(sort "$HOME/links" | tr '\n' ';')" = "kdiff 4 acks;kdiff 6 asks;kpublish 4 acks;kwatch 4 asks;" ]
	run ! grep -q 'no STATE_DIR' "$HOME/kollect.err"
}

@test "kollect: after a stage's end kwatch goes on where kdiff is then" {
	pretended --state-dir "$HOME/state"
	for tool in kwatch kdiff kenvelope kpublish; do
		called "$tool"
	done
	kill -KILL "$(cat "$TMPDIR"/kollect-*/kpublish.pid)"
	again() { [ "$(wc -l <"$HOME/kwatch.args")" -eq 2 ]; }
	wait_for 20 again
	[ "$(cat "$HOME/resumed")" = $'/api/v1/pods\t1\n/api/v1/pods\t2' ]
	grep -q 'kollect: kpublish ended with exit code 137: stopping the other stages' "$HOME/kollect.err"
}

@test "kollect: without a state it says once what is not promised; variables mean what options do" {
	SPOOL_MAX=1GiB OVERFLOW=block SYNC=never AUDIT_INTERVAL=90s pretended
	called kdiff --spool-max=1GiB --overflow=block
	called kwatch --forever --audit-interval=90s
	for tool in kenvelope kpublish; do
		called "$tool"
	done
	kill -KILL "$(cat "$TMPDIR"/kollect-*/kpublish.pid)"
	again() { [ "$(wc -l <"$HOME/kwatch.args")" -eq 2 ]; }
	wait_for 20 again
	[ ! -e "$HOME/positions.args" ]
	run ! grep -q -e --resume "$HOME/kwatch.args"
	run ! grep -q -e --state "$HOME/kdiff.args"
	run ! grep -q -e --sync "$HOME/kdiff.args"
	[ "$(grep -c 'no STATE_DIR: what a stage that ends has not published yet is lost' "$HOME/kollect.err")" -eq 1 ]
}

@test "kollect: positions that cannot be read: snapshots; of a store that is not for it: exit 2" {
	# shellcheck disable=SC2030 # for this test
	export positions=1
	pretended --state-dir "$HOME/state"
	called kwatch --forever
	called kdiff --state="$HOME/state"
	run ! grep -q -e --resume "$HOME/kwatch.args"
	grep -q "kdiff: the store is broken" "$HOME/kollect.err"
	grep -q "kollect: no positions of $HOME/state: beginning with snapshots" "$HOME/kollect.err"
	finish "$HOME" kollect KILL || true
	rm -r "$HOME"/*.args "$TMPDIR"/kollect-*
	export positions=2
	run "$kollect" --event-writer-url stdout: --cluster-id ours --state-dir "$HOME/state"
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = "kdiff: the store is broken" ]
	[ ! -e "$HOME/kwatch.args" ]
	[ -z "$(find "$TMPDIR" -name 'kollect-*')" ]
}

# Nothing is known of the state then, and snapshots would miss what was made and deleted meanwhile.
@test "kollect: positions are asked for again when kdiff was killed as it looked for them" {
	# shellcheck disable=SC2031 # each test has its own
	export positions=137
	pretended --state-dir "$HOME/state"
	wait_for 20 grep -q 'kollect: kdiff --positions ended with exit code 137' "$HOME/kollect.err"
	wait_for 20 grep -q 'kollect: starting again in 1 s' "$HOME/kollect.err"
	[ ! -e "$HOME/kwatch.args" ]
}

# What such a state has come to, none but its user can tell: with snapshots instead, once it is free, what
# was made and deleted meanwhile would be missed.
@test "kollect: a state that another process uses is waited for" {
	mkdir "$HOME/state"
	background "$HOME" other flock "$HOME/state/lock" sleep 60
	wait_for 10 locked
	pretended --state-dir "$HOME/state"
	wait_for 20 grep -q "kollect: $HOME/state is in use by another process" "$HOME/kollect.err"
	wait_for 20 grep -q 'kollect: starting again in 1 s' "$HOME/kollect.err"
	[ ! -e "$HOME/positions.args" ] && [ ! -e "$HOME/kwatch.args" ]
	finish "$HOME" other || true
	called kwatch --forever
	[ "$(cat "$HOME/resumed")" = $'/api/v1/pods\t1' ]
}

locked() { [ -e "$HOME/state/lock" ] && ! flock --nonblock "$HOME/state/lock" true; }

@test "demo: without a cluster it shows a recording, created, updated and deleted" {
	run "$root/scripts/demo"
	[ "$status" -eq 0 ]
	[[ $output == *'created ConfigMap shop/prices by kubectl-create'* ]]
	[[ $output == *'updated ConfigMap shop/prices by kubectl-patch'* ]]
	[[ $output == *'deleted ConfigMap shop/prices'* ]]
	[[ $output == *'ResourceUpdatedEvent'* ]]
	[[ $output == *'What to try next'* ]]
}
