#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # tests are subshells; variables are lib/bus.bash's; files are only read
# What judges the buses (test/consumer) is judged: the checker finds what is wrong, and the proxy makes its faults.

load ../lib/servers
load ../lib/bus

setup_file() {
	nats_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	nats_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
	NATS_SERVER_URL=$(nats_url "$BATS_FILE_TMPDIR")
	export NATS_SERVER_URL
}

teardown() {
	suite_teardown
}

bus_address() { echo "127.0.0.1:$(cat "$BATS_FILE_TMPDIR/nats.port")"; }

# 40 changes of 4 objects as frames, and in lines as they were received.
received() {
	"$test_lib/../wire/records.py" 40 4 | "$kenvelope" -c c >frames
	nats_cli "$BATS_FILE_TMPDIR" stream-add "$1" "$1"
	"$kpublish" "nats://$1" <frames
	nats_read "$BATS_FILE_TMPDIR" "$1" >raw
	"$consumer/decode" <raw >lines
}

arrived() {
	"$consumer/arrived" "$@"
}

# wrong TEXT [OPTION...]: standard input is not what frames was, and TEXT says why.
wrong() {
	cat >other
	run -1 arrived "${@:2}" frames other
	echo "$output"
	[[ $output == *"$1"* ]]
}

# with FILTER: the lines, the seventh changed.
with() {
	jq -c "if .seq == 7 then $1 else . end" lines
}

@test "arrived: all is there, once or more than once" {
	received twice
	[ "$(arrived frames lines)" = '40 messages, 0 copies' ]
	[ "$(jq -r '.then["metadata.name"]' lines | tail -n 1)" = web-3 ]
	{ head -n 30 lines && tail -n +21 lines; } >again
	[ "$(arrived frames again)" = '40 messages, 10 copies' ]
	wrong 'seq 21 once more' --no-copies <again
}

@test "arrived: what is missing, is not to come, comes too early or has changed" {
	received other
	sed 40d lines | wrong 'seq 40 of c/00000000-0000-4000-8000-000000000003 is missing'
	sed 7d lines | wrong "seq 11 of c/00000000-0000-4000-8000-000000000002 came where its key's message 2 was next"
	sed 7d lines | wrong 'seq 7 of c/00000000-0000-4000-8000-000000000002 is missing' --unordered
	with '.id = "x"' | wrong 'x, seq 7, was not to come'
	{ sed '5,9d' lines && sed -n '5,9p' lines; } | wrong "seq 10 of c/00000000-0000-4000-8000-000000000001 came where"
	{ cat lines && jq -c 'select(.seq == 7) | .sha256 = "x"' lines; } | wrong 'a copy of seq 7 has other bytes'
	with '.sha256 = "x"' | wrong 'seq 7 has other bytes'
	with '.seq = 8' | wrong '"seq":8'
	with '.then = null' | wrong '"then":null'
	with '.now.kind = "Pod"' | wrong '"kind":"Pod"'
	with 'del(.attributes.kind)' | wrong 'seq 7 has the attributes'
	with '.attributes.key = "k"' | wrong 'seq 7 has the attributes'
	sed 1,11d lines | wrong 'and 1 more' --unordered
	[ "$(jq -c 'del(.attributes)' lines | arrived --no-attributes frames /dev/stdin)" = '40 messages, 0 copies' ]
	[ "$(sort -r lines | arrived --unordered frames /dev/stdin)" = '40 messages, 0 copies' ]
}

@test "arrived: what was shrunk, or is in the dead-letter file" {
	received shrunk
	with '.sha256 = "x" | .bytes -= 1 | .shrunk = 1' >smaller
	wrong 'seq 7 has other bytes' <smaller
	[ "$(arrived --shrunk 6,7 frames smaller)" = '40 messages, 0 copies' ]
	with '.sha256 = "x" | .bytes -= 1' | wrong 'seq 7 has other bytes' --shrunk 7
	with '.sha256 = "x" | .bytes += 1 | .shrunk = 1' | wrong 'seq 7 has other bytes' --shrunk 7
	"$consumer/after" 38 <frames >dead
	head -n 38 lines >living
	[ "$(arrived --dead dead frames living)" = '38 messages, 0 copies' ]
	wrong 'seq 40, was not to come' --dead dead <lines
	"$test_lib/../wire/records.py" 41 4 | "$kenvelope" -c c | "$consumer/after" 40 >dead
	wrong 'was not sent' --dead dead <lines
}

@test "after: the frames behind the N-th" {
	"$test_lib/../wire/records.py" 40 4 | "$kenvelope" -c c >frames
	"$consumer/after" 0 <frames | cmp - frames
	"$consumer/after" 30 <frames | "$kenvelope" --decode | head -n 1 | jq -e '.seq == "31" or .seq == 31'
	[ "$("$consumer/after" 40 <frames | wc -c)" -eq 0 ]
	run -1 "$consumer/after" 41 <frames
}

@test "consumer: too few messages, and one that is no Envelope" {
	run -1 "$consumer/consumer" --idle 0.1 nats://none 1
	[[ $output == *'0 of 1 messages, and nothing more for 100ms'* ]]
	"$consumer/consumer" --ready ready nats://broken 1 2>said 3>&- &
	suite_pids+=($!)
	wait_for 20 test -e ready
	echo 'no Envelope' | nats_cli "$BATS_FILE_TMPDIR" pub broken
	run -1 wait "${suite_pids[0]}"
	grep 'message 0: ' said
}

# A NATS server greets its clients, so that a fault shows without a word of theirs.
greets() {
	local greeting
	exec 6<>"/dev/tcp/127.0.0.1/${via#*:}" && read -r -t 10 greeting <&6 && [[ $greeting == 'INFO '* ]]
}

# Nothing comes within a moment, and the connection stays. (An end or a reset has code 1.)
keeps_quiet() {
	local code=0
	read -r -t 0.3 <&6 || code=$?
	[ "$code" -gt 128 ]
}

was_reset() {
	local code=0
	read -r -t 10 <&6 2>said || code=$?
	cat said
	[ "$code" -eq 1 ] && grep 'reset by peer' said
}

@test "proxy: passes" {
	suite_proxy
	greets
	printf 'PING\r\n' >&6
	read -r -t 10 pong <&6
	[ "$pong" = $'PONG\r' ]
	suite_tell stats | jq -e '. == {connections: 1, open: 1, resets: 0, cuts: 0, bytes: 6}'
	run -1 suite_tell no-such
	[[ $output == *'"no-such" is no command'* ]]
	run -1 suite_tell throttle
	run -1 suite_tell pass 3
}

@test "proxy: silent, then new connections pass" {
	suite_proxy
	greets
	suite_tell silent
	printf 'PING\r\n' >&6
	keeps_quiet
	exec 6<>"/dev/tcp/127.0.0.1/${via#*:}"
	suite_tell pass
	keeps_quiet
	greets
}

@test "proxy: holds answers back" {
	suite_proxy
	suite_tell hold
	exec 6<>"/dev/tcp/127.0.0.1/${via#*:}"
	printf 'PING\r\n' >&6
	keeps_quiet
	suite_tell pass
	read -r -t 10 greeting <&6
	[[ $greeting == 'INFO '* ]]
}

@test "proxy: refuses, resets, once and every so often" {
	suite_proxy
	greets
	suite_tell refuse
	was_reset
	exec 6<>"/dev/tcp/127.0.0.1/${via#*:}"
	was_reset
	suite_tell pass
	greets
	suite_tell reset
	was_reset
	greets
	suite_tell reset-every 0.1
	was_reset
	suite_tell reset-every 0
	greets
	keeps_quiet
}

@test "proxy: cuts after so many bytes, and those arrive" {
	suite_proxy
	nats_cli "$BATS_FILE_TMPDIR" sub cut 1 --frames --ready ready --timeout 20 >got &
	suite_pids+=($!)
	wait_for 20 test -e ready
	greets
	local connect='CONNECT {"verbose":false}'
	suite_tell cut $((${#connect} + 2 + 11 + 5))
	printf '%s\r\n' "$connect" 'PUB cut 3' 'abc' >&6
	was_reset
	wait "${suite_pids[0]}"
	[ "$(od -An -c got | tr -d ' ')" = '003abc' ]
	[ "$(suite_stat cuts)" -eq 1 ]
}

@test "proxy: throttles" {
	suite_proxy
	suite_tell throttle 50000
	suite_frames 250 1024
	nats_cli "$BATS_FILE_TMPDIR" stream-add slowly slowly
	url=nats://slowly
	bus_via() { export NATS_SERVER_URL=nats://$1; }
	suite_publish
	suite_ends
	# 250 KiB take five seconds, but for what a first piece is ahead.
	[ "$took" -gt 3500000 ]
}
