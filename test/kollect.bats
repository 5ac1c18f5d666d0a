#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/kollect and scripts/demo without a cluster; with one: test/real/pipeline.bats.
# shellcheck disable=SC2154,SC2317 # root comes from lib/pipeline; wait_for calls functions by name

setup() {
	load lib/pipeline
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
	[ -z "${group-}" ] || kill -KILL -- "-$group" 2>/dev/null || true
}

# running: how many stages there are in the process group, and how many shells of theirs.
running() {
	for tool in kwatch kdiff kenvelope kpublish; do
		pgrep -g "$group" -x "$tool" || true
	done | wc -l
	pgrep -g "$group" -f -- '--stage' | wc -l
}

# Four stages and their shells?
all() { [ "$(running | xargs)" = "4 4" ]; }

# A kollect in a process group that nobody else ends, with all its stages.
kollect_alone() {
	empty_cluster
	setsid "$kollect" --event-writer-url "file:$HOME/bus" --kube-config "$HOME/config" --cluster-id ours \
		2>"$HOME/err" 3>&- &
	group=$!
	wait_for 20 all
}

@test "kollect: killed by SIGKILL, it leaves no stage running, and no shell" {
	kollect_alone
	kill -KILL "$group"
	none() { [ "$(running | xargs)" = "0 0" ]; }
	wait_for 10 none
}

@test "kollect: the shell of a stage killed: the stage is killed too, and all begin again" {
	kollect_alone
	kill -KILL "$(pgrep -g "$group" -f -- '--stage .* kdiff ')"
	wait_for 20 grep -q 'starting again' "$HOME/err"
	wait_for 20 all
	kill -TERM "$group"
	wait "$group"
}

@test "demo: without a cluster it shows a recording, created, updated and deleted" {
	run "$root/scripts/demo"
	[ "$status" -eq 0 ]
	[[ $output == *'created ConfigMap shop/prices by kubectl-create'* ]]
	[[ $output == *'updated ConfigMap shop/prices by kubectl-patch'* ]]
	[[ $output == *'deleted ConfigMap shop/prices'* ]]
	[[ $output == *'ResourceUpdatedEvent'* ]]
	[[ $output == *'What to try next'* ]]
}
