#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff's outbox: records that are not written or not acknowledged yet.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() {
	exec 7>&- 8<&- 9>&-
	[ -z "${reader:-}" ] || kill "$reader" 2>/dev/null || true
	kdiff_teardown
}

# start [options]: kdiff with pipes that stay open: standard input is descriptor 9, standard output is read
# from 8 (or not), acknowledgements go to 7.
start() {
	rm -f in.pipe out.pipe ack.pipe
	mkfifo in.pipe out.pipe ack.pipe
	exec 8<>out.pipe
	"$kdiff" --metrics metrics --ack-fd=4 "$@" <in.pipe >out.pipe 4<ack.pipe 2>>err 3>&- 7>&- 8>&- 9>&- &
	background=$!
	exec 9>in.pipe 7>ack.pipe
}

# Ends it as a crash does; or with the input, when all was taken.
crash() {
	kill -s KILL "$background"
	wait "$background" 2>/dev/null || true
	background=
	exec 7>&- 9>&-
}

ended() { [ ! -e "/proc/$background" ] || grep -q '^State:.Z' "/proc/$background/status"; }

end() {
	exec 9>&-
	until_true 30 ended
	status=0
	wait "$background" || status=$?
	background=
	exec 7>&-
	ends_with 0
}

# take N: reads standard output until there are N records in got.
take() {
	: >got
	cat <&8 >>got 3>&- 7>&- 9>&- &
	reader=$!
	until_true 60 has_lines "$1" got
	kill "$reader"
	wait "$reader" 2>/dev/null || true
	[ "$(wc -l <got)" = "$1" ]
}

metric_is() { [ "$(metric "$1")" = "$2" ]; }
full_or_done() { metric_is kollect_kdiff_spool_full 1 || metric_is kollect_kdiff_sequence 2000; }
metric_above() { [ "$(metric "$1")" -gt "$2" ]; }

# big N FROM: N updates of one object, 4 KB each, that zstd makes no smaller.
big() {
	python3 - "$@" <<-'PY'
		import base64, os, sys
		n, first = int(sys.argv[1]), int(sys.argv[2])
		for i in range(first, first + n):
		    print('{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p%d","namespace":"shop","uid":"u%d","resourceVersion":"%d"},"data":"%s"}}'
		        % (i % 5, i % 5, i, base64.b64encode(os.urandom(3000)).decode()))
	PY
}

# The same without a stop: what the records must be, but for the times.
expected() {
	"$kdiff" <"$1" | sed -E 's/"(appliesAt|observedAt)":"[^"]*",//g'
}
timeless() { sed -E 's/"(appliesAt|observedAt)":"[^"]*",//g'; }

@test "a reader that does not read stops no input; then it gets all of it, in order" {
	for option in --state=state --spool-max=1G; do # with a directory, and without
		big 3000 1 >events
		start "$option"
		timeout 60 cat events >&9
		until_true 30 metric_is 'kollect_kdiff_events_total{type="MODIFIED"}' 3000
		metric_above kollect_kdiff_outbox_records 1000
		take 3000
		[ "$(metric kollect_kdiff_output_bytes_total)" -gt 1000000 ]
		end
		timeless <got >got.timeless
		cmp got.timeless <(expected events)
		[ "$(metric kollect_kdiff_made_again_total)" -gt 1000 ]
		[ "$(metric kollect_kdiff_sequence)" = 3000 ]
	done
}

@test "memory stays as it is while a thousand records wait" {
	big 300 1 >events
	# The address sanitizer keeps what has been freed.
	export ASAN_OPTIONS=quarantine_size_mb=1
	start --state state
	cat events >&9
	until_true 20 metric_is 'kollect_kdiff_events_total{type="MODIFIED"}' 300
	# what zstd and the kernel take at first is there
	first=$(awk '/RssAnon/ { print $2 }' "/proc/$background/status")
	big 6000 301 >&9
	until_true 30 metric_is 'kollect_kdiff_events_total{type="MODIFIED"}' 6300
	later=$(awk '/RssAnon/ { print $2 }' "/proc/$background/status")
	echo "$first KiB, then $later KiB"
	[ $((later - first)) -lt 12000 ]
	[ "$(metric kollect_kdiff_outbox_bytes)" -gt 20000000 ]
	crash
}

@test "killed with records unwritten and unacknowledged: they come again, byte for byte, before new ones" {
	{
		event ADDED a 1
		event MODIFIED a 2
		big 400 3
		event DELETED a 1000
	} >events
	start --state state
	cat events >&9
	until_true 20 metric_is kollect_kdiff_sequence 403
	take 403
	cp got first
	crash
	start --state state
	event ADDED b 2000 >&9
	take 404
	cmp first <(head -n 403 got)
	[ "$(tail -n 1 got | jq -r '"\(.seq) \(.type) \(.name)"')" = '404 created b' ]
	echo 404 >&7
	end
	# and what is acknowledged does not
	start --state state
	event ADDED c 3000 >&9
	take 1
	[ "$(jq -r '"\(.seq) \(.type) \(.name)"' got)" = '405 created c' ]
	echo 405 >&7
	end
}

@test "acknowledged records leave the outbox, also while nothing comes" {
	start --state state
	for i in 1 2 3 4; do event ADDED "p$i" "$i" >&9; done
	take 4
	until_true 10 metric_is kollect_kdiff_outbox_records 4
	echo 3 >&7
	until_true 10 metric_is kollect_kdiff_outbox_records 1
	[ "$(metric kollect_kdiff_acked_sequence)" = 3 ]
	crash
	start --state state
	take 1
	[ "$(jq -r .seq got)" = 4 ]
	crash
}

@test "without --ack-fd what is written is done with" {
	big 50 1 >in
	kd --state state
	ends_with 0
	[ "$(wc -l <out)" = 50 ]
	: >in
	kd --state state
	[ ! -s out ]
}

@test "acknowledgements that cannot be are named and passed over" {
	start --state state
	event ADDED a 1 >&9
	take 1
	printf 'x\n7\n\n1\n' >&7
	until_true 10 metric_is kollect_kdiff_acked_sequence 1
	says 'kdiff: warning: acknowledgement "x" is no sequence number'
	says 'kdiff: warning: acknowledgement 7 is ahead of the last record, 1'
	says 'kdiff: warning: acknowledgement "" is no sequence number'
	end
}

@test "at the end of input the last acknowledgements are waited for, not for ever" {
	start --state state
	event ADDED a 1 >&9
	take 1
	exec 9>&-
	# it has closed its output, and only waits
	echo 1 >&7
	end
	[ "$(metric kollect_kdiff_outbox_records)" = 0 ]
	start --state state
	event ADDED b 2 >&9
	take 1
	end # nothing is acknowledged
	start --state state
	take 1
	[ "$(jq -r .name got)" = b ]
	end
}

@test "SIGTERM with a reader that does not read: it ends, and the rest comes at the next start" {
	big 3000 1 >events
	start --state state
	cat events >&9
	until_true 30 metric_is kollect_kdiff_sequence 3000
	kill -TERM "$background"
	until_true 30 ended
	wait "$background"
	exec 7>&- 9>&- 8<&- # what stood in the pipe is lost with it
	start --state state
	take 3000
	timeless <got >got.timeless
	cmp got.timeless <(expected events)
	crash
}

@test "--spool-max: a full spool stops the reading, says so once, and acknowledgements let it go on" {
	start --state state --spool-max=1M
	big 2000 1 >events
	cat events >&9 &
	feeder=$!
	until_true 20 metric_is kollect_kdiff_spool_full 1
	read_then=$(metric 'kollect_kdiff_events_total{type="MODIFIED"}')
	[ "$read_then" -lt 1000 ]
	[ "$(metric kollect_kdiff_outbox_bytes)" -lt 6000000 ]
	take "$(metric kollect_kdiff_sequence)"
	cp got all
	metric_is kollect_kdiff_spool_full 1 # read, but not acknowledged
	[ "$(metric 'kollect_kdiff_events_total{type="MODIFIED"}')" = "$read_then" ]
	while [ "$(wc -l <all)" -lt 2000 ]; do
		before=$(metric kollect_kdiff_sequence)
		tail -n 1 all | jq -r .seq >&7
		until_true 20 metric_above kollect_kdiff_sequence "$before"
		until_true 20 full_or_done
		take $(($(metric kollect_kdiff_sequence) - before))
		cat got >>all
	done
	wait "$feeder"
	timeless <all >got.timeless
	cmp got.timeless <(expected events)
	says 'the spool is full'
	says 'the spool has room again'
	[ "$(grep -c 'the spool is full' err)" -lt 30 ]
	crash
}

@test "--spool-max without --ack-fd and --state: the reader makes room" {
	mkfifo out.pipe
	exec 8<>out.pipe
	big 3000 1 >events
	# shellcheck disable=SC2002 # a file would wait where it is
	cat events | "$kdiff" --spool-max=1M --metrics metrics >out.pipe 2>err 8<&- &
	background=$!
	until_true 20 metric_is kollect_kdiff_spool_full 1
	[ "$(metric 'kollect_kdiff_events_total{type="MODIFIED"}')" -lt 3000 ]
	take 3000
	timeless <got >got.timeless
	cmp got.timeless <(expected events)
	wait "$background"
	background=
}

@test "--overflow=coalesce: from half full on, each object keeps its latest change alone" {
	start --state state --spool-max=20M --overflow=coalesce
	# Until nothing more can be written, and half of the spool is full; then few objects, many changes.
	big 4000 1 >&9
	until_true 30 metric_above kollect_kdiff_collapsed_total 10
	until_true 30 metric_is kollect_kdiff_sequence 4000
	{
		event ADDED new 5000
		event MODIFIED new 5001
		event MODIFIED new 5002
		event ADDED brief 5003
		event MODIFIED brief 5004
		event DELETED brief 5005
		event DELETED p1 5006 u1
	} >&9
	until_true 30 metric_is kollect_kdiff_sequence 4007
	collapsed=$(metric kollect_kdiff_collapsed_total)
	[ "$(metric kollect_kdiff_spool_full)" = 0 ]
	take $((4007 - collapsed))
	jq -e -s --argjson n "$collapsed" 'map(.collapsed // 0) | add == $n' got
	# numbers rise; each record goes on where the one before of its object ended
	python3 - <<-'PY'
		import json
		last, seq = {}, 0
		for line in open("got"):
		    r = json.loads(line)
		    assert r["seq"] > seq, r["seq"]
		    seq = r["seq"]
		    rv = lambda o: o["metadata"]["resourceVersion"]
		    assert ("then" in r) == (r["type"] != "created")
		    if r["type"] == "updated":
		        assert rv(r["then"]) == last[r["name"]], line[:200]
		    last[r["name"]] = r["resourceVersion"]
		    for name in ("then", "now"):
		        if name in r:
		            assert r[name + "Bytes"] == len(json.dumps(r[name], separators=(",", ":")))
	PY
	[ "$(jq -r 'select(.name == "new") | "\(.type) \(.resourceVersion) \(.collapsed) \(.now.metadata.resourceVersion)"' got)" = 'created 5002 2 5002' ]
	[ "$(jq -r 'select(.name == "brief") | "\(.type) \(.resourceVersion) \(.collapsed)"' got)" = 'deleted 5005 2' ]
	[ "$(jq -r 'select(.name == "p1") | "\(.type) \(.resourceVersion)"' got | tail -n 1)" = 'deleted 5006' ]
	# the numbers that are missing were dropped for later ones: nothing of it comes back
	crash
	start --state state
	cp got before
	take $((4007 - collapsed))
	cmp before got
	crash
}

@test "--overflow=coalesce: what may have been read is not changed any more" {
	start --state state --spool-max=100K --overflow=coalesce
	for i in 1 2 3; do event MODIFIED a "$i" >&9; done
	big 15 10 >&9
	until_true 10 metric_is kollect_kdiff_sequence 18
	take 18
	cp got first
	crash
	start --state state --spool-max=100K --overflow=coalesce
	event MODIFIED a 100 >&9
	event MODIFIED p1 101 u1 >&9
	take 20
	cmp first <(head -n 18 got)
	[ "$(tail -n 2 got | jq -c .collapsed)" = "$(printf 'null\nnull')" ]
	crash
}

@test "a pipe on standard output is written without blocking, and nobody else's is changed" {
	event ADDED a 1 >in
	# The shell's descriptor 1 and kdiff's are of one open file description.
	{
		"$kdiff" <in
		python3 -c 'import fcntl, os; assert not fcntl.fcntl(1, fcntl.F_GETFL) & os.O_NONBLOCK' || echo changed
	} | cat >out
	[ "$(wc -l <out)" = 1 ]
}

@test "a socket on standard output: its flags are given back" {
	event ADDED a 1 >in
	python3 - "$kdiff" <<-'PY'
		import fcntl, os, socket, subprocess, sys
		ours, theirs = socket.socketpair()
		subprocess.run([sys.argv[1]], stdin=open("in"), stdout=theirs, check=True)
		assert not fcntl.fcntl(theirs, fcntl.F_GETFL) & os.O_NONBLOCK
		assert b'"created"' in ours.recv(100000)
	PY
}

@test "wrong sizes and words are wrong usage" {
	: >in
	for size in x 1X -1 '' 99999999999999999999 17179869184G 1KB; do
		kd --spool-max="$size"
		ends_with 2
		says "--spool-max: \"$size\" is no size"
	done
	kd --spool-max=1TiB --overflow=block
	ends_with 0
	kd --overflow=drop
	ends_with 2
	says '--overflow: "drop" is none of block, coalesce'
}

# ---- crashes ----

crashes() {
	"$root/test/tools/kdiff_crash.py" "$kdiff" state "$@" 2>err >crash.out || {
		cat crash.out err
		return 1
	}
	grep -q 'none missing' crash.out
}

@test "killed fifty times at random moments: no record is missing, doubled or out of order" {
	crashes --kills 50 --seed "$RANDOM"
}

@test "killed fifty times with a slow reader that acknowledges" {
	crashes --kills 50 --seed "$RANDOM" --slow --acks
}

@test "killed twenty times, and fed everything from the first event on each time" {
	crashes --kills 20 --seed "$RANDOM" --replay --acks
}
