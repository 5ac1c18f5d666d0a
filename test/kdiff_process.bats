#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output: the process, its files and its surroundings.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() { kdiff_teardown; }

# ---- the process ----

@test "--metrics: the Prometheus text format, complete at the end" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark end 2
		event MODIFIED a 3
		event DELETED b 4
	} >in
	kd --metrics metrics
	ends_with 0
	[ "$(metric 'kollect_kdiff_events_total{type="ADDED"}')" = 2 ]
	[ "$(metric 'kollect_kdiff_events_total{type="MODIFIED"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_events_total{type="DELETED"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_events_total{type="BOOKMARK"}')" = 2 ]
	[ "$(metric 'kollect_kdiff_records_total{type="created"}')" = 2 ]
	[ "$(metric 'kollect_kdiff_records_total{type="updated"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_records_total{type="deleted"}')" = 1 ]
	[ "$(metric kollect_kdiff_objects)" = 1 ]
	[ "$(metric kollect_kdiff_sequence)" = 4 ]
	[ "$(metric kollect_kdiff_snapshots_total)" = 1 ]
	[ "$(metric kollect_kdiff_input_bytes_total)" = "$(wc -c <in)" ]
	[ "$(metric kollect_kdiff_output_bytes_total)" = "$(wc -c <out)" ]
	# every sample has its help and type, once, before it
	awk '/^# HELP/ { help[$3]++ } /^# TYPE/ { type[$3]++; if ($4 != "counter" && $4 != "gauge") exit 1 }
		!/^#/ { name = $1; sub(/{.*/, "", name); if (help[name] != 1 || type[name] != 1 || NF != 2) exit 1 }' metrics
	[ ! -e metrics.tmp ]
}

@test "--metrics: a file that cannot be written is a warning, and stops nothing" {
	event ADDED a 1 >in
	kd --metrics /nonexistent/metrics
	ends_with 0
	says 'kdiff: warning: /nonexistent/metrics: cannot write metrics: No such file or directory'
	printf 'created a 1\n' | records_are
}

# Starts kdiff on a pipe that stays open: standard input is descriptor 9.
start() {
	mkfifo pipe
	: >out # what is there now is of an earlier run
	# the shell makes what is in the background ignore SIGINT, and kdiff would leave it at that
	env --default-signal=INT "$kdiff" "$@" <pipe >out 2>err 3>&- &
	background=$!
	exec 9>pipe
}

gone() { [ ! -e "/proc/$background" ] || grep -q '^State:.Z' "/proc/$background/status"; }

finish() {
	status=0
	until_true 20 gone || kill -s KILL "$background"
	wait "$background" || status=$?
	background=
	exec 9>&-
}

@test "records and metrics come while the input is open" {
	start --metrics metrics
	event ADDED a 1 >&9
	until_true 10 has_lines 1 out
	event MODIFIED a 2 >&9
	until_true 10 has_lines 2 out
	metric_is_two() { [ "$(metric kollect_kdiff_sequence)" = 2 ]; }
	until_true 10 metric_is_two
	exec 9>&-
	finish
	ends_with 0
}

@test "SIGTERM and SIGINT: what was read is finished, exit 0" {
	for signal in TERM INT; do
		rm -rf pipe state out
		start --state state --metrics metrics
		{
			event ADDED a 1
			event ADDED b 2
			event ADDED c 3 | head -c 50
		} >&9
		until_true 10 has_lines 2 out
		kill -s "$signal" "$background"
		finish
		ends_with 0
		printf 'created a 1\ncreated b 2\n' | records_are
		[ "$(metric kollect_kdiff_objects)" = 2 ]
		event MODIFIED b 3 >in
		kd --state state
		printf 'updated b 3\n' | records_are
	done
}

@test "a reader that goes away ends it quietly with exit 1" {
	for i in $(seq 20000); do event ADDED "p$i" "$i"; done >in
	{
		"$kdiff" <in 2>err || echo $? >code
	} | head -n 1 >out
	status=$(cat code)
	ends_with 1
	quiet
}

@test "a closed standard output is an error, and no file gets what was meant for it" {
	for i in $(seq 3000); do event ADDED "p$i" "$i"; done >in
	status=0
	"$kdiff" --state state <in 2>err >&- || status=$?
	ends_with 1
	says 'kdiff: cannot write records: Bad file descriptor'
	status=0
	"$kdiff" <in 2>err >&- || status=$?
	ends_with 1
	says 'kdiff: cannot write records: Bad file descriptor'
}

@test "a closed standard input is an error" {
	status=0
	"$kdiff" <&- >out 2>err || status=$?
	ends_with 1
	says 'kdiff: cannot read standard input: Bad file descriptor'
}

@test "a full disk behind standard output" {
	event ADDED a 1 >in
	status=0
	"$kdiff" <in 2>err >/dev/full || status=$?
	ends_with 1
	says 'kdiff: cannot write records: No space left on device'
	[ "$(wc -l <err)" = 1 ]
}

# small_disk COMMAND...: runs it with a file system of 4 MiB at ./small; where that may not be
# mounted, as in a chroot, with 4 MiB for a file. $full is what a write beyond it says.
small_disk() {
	if [ "$full" = 'File too large' ]; then
		(ulimit -Sf 4096 && exec "$@")
	else
		unshare "${unshare[@]}" sh -c 'mount -t tmpfs -o size=4m tmpfs small && exec "$@"' sh "$@"
	fi
}

find_small_disk() {
	mkdir -p small
	full='No space left on device' unshare=(-m)
	small_disk true 2>/dev/null && return
	unshare=(-rm)
	small_disk true 2>/dev/null || full='File too large'
}

@test "a full disk behind the temporary store" {
	find_small_disk
	event ADDED a 1 >in
	status=0
	TMPDIR=small small_disk "$kdiff" <in >out 2>err || status=$?
	ends_with 1
	says 'kdiff: small/kdiff-'
	says "cannot grow the store: $full"
	[ "$(wc -l <err)" = 1 ]
}

# big_pods N: pods of 4 KB that no packing makes smaller.
big_pods() {
	python3 - "$1" <<-'PY'
		import base64, os, sys
		for i in range(int(sys.argv[1])):
		    print('{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p%d","uid":"u%d","resourceVersion":"%d"},"data":"%s"}}'
		        % (i, i, i + 1, base64.b64encode(os.urandom(3000)).decode()))
	PY
}

# Shell code: waits until kdiff has said that there is no room, and is not ready.
# shellcheck disable=SC2016 # another shell runs it
waiting='
	says_full() { grep -q "no input is read" err && grep -qx "kollect_kdiff_ready 0" metrics; }
	for _ in $(seq 1200); do
		! says_full || break
		sleep 0.05
	done
	says_full || exit 99
	grep -qx "kollect_kdiff_store_full 1" metrics || exit 98
'

@test "a full disk behind the state directory: it waits, says so once, and goes on when there is room" {
	find_small_disk
	big_pods 4000 >in
	# Fills the disk, runs kdiff, and makes room once it has said that there is none.
	{
		echo 'head -c 2500k /dev/zero >small/filler; "$@" <in &'
		echo "$waiting"
		cat <<-'SH'
			wc -l <out >so-far
			# where there is no file system of its own, the limit is the process's
			mount -o remount,size=64m small 2>/dev/null || prlimit --pid $! --fsize=unlimited:
			rm small/filler
			wait $!
		SH
	} >filling
	# Through cat, as the limit would be that of out as well.
	{ small_disk bash filling "$kdiff" --state small/state --metrics metrics 2>err || echo $? >code; } | cat >out
	[ ! -e code ]
	says "kdiff: warning: small/state/store.mdb: $full: no input is read until there is room again"
	says 'kdiff: small/state/store.mdb: there is room again'
	[ "$(wc -l <err)" = 2 ]
	[ "$(metric kollect_kdiff_ready)" = 1 ]
	[ "$(metric kollect_kdiff_store_full)" = 0 ]
	[ "$(cat so-far)" -lt 4000 ]
	jq -r .seq out | diff -q - <(seq 4000)
	jq -c .now out | diff -q - <(jq -c .object in)
}

@test "killed and begun again while the disk is full: it waits again, and nothing is missing or damaged" {
	find_small_disk
	big_pods 4000 >in
	{
		echo 'run() { "$@" <in & }; head -c 2500k /dev/zero >small/filler; run "$@"'
		echo "$waiting"
		echo 'kill -KILL $!; wait $!; rm metrics; : >err; run "$@"'
		echo "$waiting"
		cat <<-'SH'
			mount -o remount,size=64m small 2>/dev/null || prlimit --pid $! --fsize=unlimited:
			rm small/filler
			wait $!
		SH
	} >filling
	{ small_disk bash filling "$kdiff" --state small/state --metrics metrics 2>err || echo $? >code; } | cat >out
	[ ! -e code ]
	[ "$(grep -c damaged err)" = 0 ]
	[ "$(jq -r .type out | sort -u)" = created ]
	sort -u out | jq -r .seq | sort -n | diff -q - <(seq 4000)
}

@test "stopped while the disk is full: what came before is whole, and the rest is a matter of the next run" {
	find_small_disk
	big_pods 4000 >in
	cat >stopping <<-'SH'
		"$@" <in &
		for _ in $(seq 600); do
			! grep -q "no input is read" err || break
			sleep 0.05
		done
		kill -TERM $!
		wait $!
	SH
	{ small_disk bash stopping env --default-signal=TERM "$kdiff" --state small/state 2>err || echo $? >code; } | cat >out
	[ "$(cat code)" = 1 ]
	says 'stopped while there was no room'
	n=$(wc -l <out)
	[ "$n" -gt 0 ]
	[ "$n" -lt 4000 ]
	jq -r .seq out | diff -q - <(seq "$n")
}

@test "a disk that is full when a store is to be made: a message, and nothing that looks like one" {
	event ADDED a 1 >in
	status=0
	# one of the two pages that LMDB begins with is written
	(ulimit -Sf 4 && exec "$kdiff" --state state <in >out 2>err) || status=$?
	ends_with 1
	says 'kdiff: state/store.mdb: cannot make the store: '
	[ "$(wc -l <err)" = 1 ]
	kd --state state
	ends_with 0
	quiet
	[ "$(jq -r '"\(.seq) \(.type)"' out)" = '1 created' ]
}

@test "TMPDIR that is not there" {
	event ADDED a 1 >in
	TMPDIR=/nonexistent kd
	ends_with 1
	says 'kdiff: /nonexistent: cannot make a temporary store: No such file or directory'
}

@test "the temporary store leaves no file behind" {
	event ADDED a 1 >in
	mkdir tmp
	TMPDIR=$PWD/tmp kd
	ends_with 0
	[ -z "$(ls -A tmp)" ]
}

@test "a state directory that cannot be made or written" {
	event ADDED a 1 >in
	kd --state /dev/null/state
	ends_with 1
	says 'kdiff: /dev/null/state: cannot make the state directory: Not a directory'
	kd --state /proc
	ends_with 1
	says 'kdiff: /proc/lock: cannot write in the state directory'
	kd --state ''
	ends_with 2
	says "the directory's name is empty"
}

@test "a state directory that another kdiff uses" {
	start --state state
	event ADDED a 1 >&9
	until_true 10 has_lines 1 out
	status=0
	"$kdiff" --state state </dev/null 2>err2 || status=$?
	[ "$status" = 1 ]
	grep -q 'kdiff: state: another kdiff uses this state directory' err2
	exec 9>&-
	finish
	ends_with 0
}

@test "wrong usage is exit 2, with what is wrong" {
	: >in
	kd --nonsense
	ends_with 2
	says nonsense
	kd file
	ends_with 2
	says 'file: kdiff takes no arguments'
	kd --on-error=maybe
	ends_with 2
	says '--on-error: "maybe" is none of fail, skip'
	kd --log-format=xml
	ends_with 2
	kd --ack-fd=x
	ends_with 2
	says '--ack-fd: "x" is no descriptor'
}

@test "--help and --version" {
	: >in
	kd --help
	ends_with 0
	quiet
	# each option is in both, and no other is
	sed -En 's/^\.It Fl (s Ar DIR , Fl )?-([a-z-]+).*/--\2/p' "$root/kdiff/kdiff.1" | sort >documented
	diff documented <(grep -E '^ ' out | grep -oE -- '--[a-z-]+' | sort -u)
	for option in --state --baseline --ignore-metadata --ack-fd --resync-fd --spool-max --overflow --sync --cluster-id \
		--positions --verify --export --forget --deletes --on-error --log-format --metrics --help --version; do
		grep -qe "$option" out
		grep -q "Fl -${option#--}" "$root/kdiff/kdiff.1"
	done
	kd --version
	ends_with 0
	grep -q '^kdiff (kollect) [0-9]' out
}

@test "--log-format: logfmt and json" {
	echo nonsense >in
	kd --log-format=json
	ends_with 1
	jq -e '.tool == "kdiff" and .level == "error" and (.msg | startswith("line 1 (byte 0): "))' err
	kd --log-format=logfmt
	grep -Eq '^time=[^ ]+ level=error tool=kdiff msg="line 1 \(byte 0\): [^"]*"$' err
}
