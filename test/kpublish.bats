#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # $0 is for the inner shell
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2059 # the bytes of frames are written as escapes
# shellcheck disable=SC2094 # frames are only read
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# shellcheck disable=SC2217 # sleep holds a FIFO open
# kpublish to a real NATS server (Debian's), through standard input and output.

load lib/servers
load lib/kpublish

setup_file() {
	nats_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	nats_stop "$BATS_FILE_TMPDIR"
}

setup() {
	kpublish_setup
	server=$BATS_FILE_TMPDIR
	NATS_SERVER_URL=$(nats_url "$server")
	export NATS_SERVER_URL
	unset KAFKA_BROKERS KAFKA_CONFIG
}

teardown() {
	kpublish_teardown
	nats_stop "$BATS_TEST_TMPDIR"
}

in_stream() {
	nats_cli "$server" stream-info "$1" | jq .messages
}

@test "kpublish: a URL that names no bus" {
	fails 2 'no bus is known by the scheme "amqp": there are stdout:, file:PATH, ' amqp://x </dev/null
	fails 2 'has no scheme' events </dev/null
	fails 2 'wants the URL of one bus' </dev/null
	fails 2 'wants the URL of one bus' stdout: stdout: </dev/null
	fails 2 'names no file' file: </dev/null
	fails 2 'nothing can stand behind stdout:' stdout:x </dev/null
	fails 2 'set KAFKA_BROKERS' kafka://t </dev/null
	KAFKA_BROKERS=127.0.0.1:1 fails 2 'names no topic' kafka:// </dev/null
	for subject in '' . a. .a a..b '*' 'a.>' 'a%20b' 'a%0ab' 'a"b' ; do
		fails 2 'is no subject to publish to' "nats://$subject" </dev/null
	done
	fails 2 '"x" is no query parameter of it: there are jetstream' 'nats://a?x=1' </dev/null
	fails 2 '"x" is no query parameter of it: there is none' 'stdout:?x=1' </dev/null
	fails 2 'NAME=VALUE' 'nats://a?x' </dev/null
	fails 2 'a % has no' 'nats://a%2' </dev/null
}

@test "kpublish: wrong usage is exit 2" {
	run -2 "$kpublish" --no-such-option
	fails 2 '"x" is not a number' --ack-fd x stdout: </dev/null
	fails 2 '"-1" is not a number' --retry-timeout -1 stdout: </dev/null
	fails 2 'is not open for writing' --ack-fd 77 stdout: </dev/null
	fails 2 'is not open for writing' --ack-fd 0 stdout: </dev/null
	run --separate-stderr -0 "$kpublish" --help
	[[ $output == "Usage: kpublish"*$'\n  nats://SUBJECT             NATS_SERVER_URL '*--ack-fd* ]]
	[ "$(awk 'length > 80' <<<"$output")" = "" ]
	run --separate-stderr -0 "$kpublish" --version
	[[ $output == "kpublish (kollect) "* ]]
}

@test "kpublish: properties of Kafka" {
	export KAFKA_BROKERS=127.0.0.1:1
	fails 2 ' has no property "no.such"' 'kafka://t?no.such=1' </dev/null
	[[ $stderr == 'kpublish: kafka://t: librdkafka '* ]]
	fails 2 'the value of "compression.type"' 'kafka://t?compression.type=s3cret' </dev/null
	[[ $stderr != *s3cret* ]]
	# By another name, too.
	for property in acks=1 request.required.acks=1 enable.idempotence=false delivery.timeout.ms=1 \
		message.max.bytes=1000 transactional.id=x; do
		fails 2 "\"${property%=*}\" cannot be set: kpublish has " "kafka://t?$property" </dev/null
	done
	"$kpublish" 'kafka://t?acks=all&enable.idempotence=true' </dev/null
}

@test "kpublish: KAFKA_CONFIG" {
	export KAFKA_CONFIG=$PWD/none KAFKA_BROKERS=127.0.0.1:1
	fails 2 "kafka://t: KAFKA_CONFIG: $PWD/none: No such file or directory" kafka://t </dev/null
	KAFKA_CONFIG=$PWD/config
	printf '# comment\n\nsasl.password = s3cret\n\tlinger.ms\t= 7 \r\nno.such=s3cret\n' >config
	fails 2 ' has no property "no.such"' kafka://t </dev/null
	[[ $stderr == "kpublish: $PWD/config: line 5: librdkafka "* ]]
	[[ $stderr != *s3cret* ]]
	printf 's3cret\n' >config
	fails 2 "$PWD/config: line 1: a property is wanted as NAME=VALUE" kafka://t </dev/null
	[[ $stderr != *s3cret* ]]
	printf 'acks=all\nacks=1\n' >config
	fails 2 "$PWD/config: line 2: \"acks\" cannot be set" kafka://t </dev/null
	printf 'linger.ms=s3cret' >config
	fails 2 "$PWD/config: line 1: the value of \"linger.ms\"" kafka://t </dev/null
	[[ $stderr != *s3cret* ]]
	unset KAFKA_BROKERS
	printf 'client.id=x\n' >config
	fails 2 'set KAFKA_BROKERS' kafka://t </dev/null
	printf 'bootstrap.servers=127.0.0.1:1\n' >config
	"$kpublish" kafka://t </dev/null
}

@test "kpublish: no password in any message" {
	make_frames 1 >frames
	export NATS_SERVER_URL=nats://me:s3cret@127.0.0.1:1,nats://t0ken@127.0.0.1:2
	run --separate-stderr -1 "$kpublish" nats://a --retry-timeout 1 <frames
	[[ $stderr == *'nats://127.0.0.1:1: Connection refused'* ]]
	[[ $stderr == *'nats://127.0.0.1:2: Connection refused'* ]]
	[[ $stderr != *s3cret* && $stderr != *t0ken* ]]
	run --separate-stderr -2 "$kpublish" 'amqp://me:s3cret@host/x?password=s3cret' <frames
	[[ $stderr != *s3cret* ]]
	for part in '?' '?w=' ',' / @ :; do
		run --separate-stderr -2 "$kpublish" "kafka://me:s3cret${part}s3cret@host/x?password=y" <frames
		[[ $stderr == 'kpublish: '* && $stderr != *s3cret* ]]
	done
}

@test "kpublish: frames that are none are named; fail delivers what was good, skip goes on" {
	make_frames 3 >frames
	first=$(make_frames 1 | wc -c)
	local not=('\x03\x0a\x05x' '\x00' '\x02\x0a\x00' '\x03\x0a\x01x' '\x02\x08\x01' '\x01\x0b'
		'\x0a\x0a\x01x\x22\x05\x0a\x03a/\x01' '\x0a\x0a\x01\xff\x22\x05\x0a\x03a/b'
		'\x08\x0a\x01x\x22\x03\x0a\x01/' '\x05\x0a\x01x\x80\x01')
	for bad in "${not[@]}"; do
		{ head -c "$first" frames && printf "$bad" && tail -c "+$((first + 1))" frames; } >mixed
		run --separate-stderr -1 bash -c '"$0" stdout: <mixed >out' "$kpublish"
		[[ $stderr == "kpublish: byte $first: a frame of "* ]]
		cmp -n "$first" out frames
		[ "$(stat -c %s out)" = "$first" ]
		run --separate-stderr -0 bash -c '"$0" stdout: --on-error=skip <mixed >out' "$kpublish"
		[[ $stderr == "kpublish: byte $first: a frame of "* ]]
		cmp out frames
	done
}

@test "kpublish: a length that lies, an input that ends within a frame" {
	make_frames 2 >frames
	size=$(stat -c %s frames)
	{ cat frames && printf '\xff\xff\xff\xff\x7f' && cat frames; } >bad
	fails 1 "byte $size: no frame begins here" file:out --on-error=skip <bad
	cmp out frames
	{ cat frames && head -c 100 frames; } >bad
	fails 1 "byte $size: the input ends within a frame, 100 bytes into it" file:out2 <bad
	cmp out2 frames
	run --separate-stderr -0 "$kpublish" file:out3 --on-error=skip --metrics m <bad
	cmp out3 frames
	[ "$(metric bad_frames_total)" = 1 ]
}

@test "kpublish nats: JetStream has everything, in order for each key, with headers" {
	nats_cli "$server" stream-add ALL all
	make_frames 3000 50 >frames
	"$kpublish" nats://all --ack-fd 3 3>acks --metrics m <frames
	[ "$(last_ack)" = 3000 ]
	[ "$(metric in_flight)" = 0 ]
	nats_read "$server" ALL >messages
	"$check" messages frames
	head -n 1 messages | jq -e '.headers == {"Nats-Msg-Id": .headers.id, id: .headers.id,
		type: "kollect.resource.event.v1.ResourceCreatedEvent", cluster_id: "c",
		api_version: "apps/v1", kind: "Deployment", namespace: "shop", name: .headers.name}'
}

@test "kpublish nats: JetStream drops what is published twice" {
	nats_cli "$server" stream-add TWICE twice
	make_frames 100 5 >frames
	"$kpublish" nats://twice <frames
	"$kpublish" nats://twice <frames
	[ "$(in_stream TWICE)" = 100 ]
}

@test "kpublish nats: without a stream by core NATS, and says so" {
	nats_cli "$server" sub core.x 200 --frames --ready ready >got &
	background_pids=($!)
	wait_for 10 test -e ready
	make_frames 200 7 >frames
	run --separate-stderr -0 "$kpublish" nats://core.x <frames
	[[ $stderr == *'no JetStream stream covers the subject'*'no promise'* ]]
	wait "${background_pids[0]}"
	"$kenvelope" -d <got | jq -c '[.reference.name, .seq | tonumber? // .]' | sort >names
	"$kenvelope" -d <frames | jq -c '[.reference.name, .seq | tonumber? // .]' | sort | cmp names
}

@test "kpublish nats: a server killed in the middle, and back: nothing lost, order kept" {
	nats_start "$BATS_TEST_TMPDIR"
	NATS_SERVER_URL=$(nats_url "$BATS_TEST_TMPDIR")
	nats_cli "$BATS_TEST_TMPDIR" stream-add KILL kill
	make_frames 40000 500 10 >frames
	"$kpublish" nats://kill --ack-fd 3 3>acks --metrics m <frames 2>err &
	background_pids=($!)
	wait_for 20 at_least 5000 last_ack
	nats_kill "$BATS_TEST_TMPDIR"
	wait_for 10 grep -q '(retrying)' err
	acked=$(last_ack)
	[ "$acked" -lt 40000 ]
	nats_start "$BATS_TEST_TMPDIR"
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 40000 ]
	grep -q 'accepts messages again' err
	nats_read "$BATS_TEST_TMPDIR" KILL >messages
	"$check" messages frames
	[ "$(metric retries_total)" -gt 0 ]
}

@test "kpublish nats: starts before the server, and does not take core for JetStream" {
	nats_start "$BATS_TEST_TMPDIR"
	NATS_SERVER_URL=$(nats_url "$BATS_TEST_TMPDIR")
	nats_cli "$BATS_TEST_TMPDIR" stream-add LATE late
	nats_stop "$BATS_TEST_TMPDIR"
	make_frames 100 >frames
	"$kpublish" nats://late --ack-fd 3 3>acks <frames 2>err &
	background_pids=($!)
	wait_for 10 grep -q 'cannot connect to' err
	[ ! -s acks ]
	nats_start "$BATS_TEST_TMPDIR"
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 100 ]
	nats_read "$BATS_TEST_TMPDIR" LATE >messages
	"$check" messages frames
	[ "$(grep -c 'cannot connect' err)" = 1 ] # said once, not at each try
}

@test "kpublish nats: a server that hangs slows the reading, and memory stays small" {
	nats_start "$BATS_TEST_TMPDIR"
	NATS_SERVER_URL=$(nats_url "$BATS_TEST_TMPDIR")
	nats_cli "$BATS_TEST_TMPDIR" stream-add SLOW slow
	make_frames 40000 4000 4000 >frames # 330 MB
	mkfifo in
	"$kpublish" nats://slow --ack-fd 3 3>acks --metrics m <in 2>err &
	background_pids=($!)
	(cat frames >in && touch all-read) &
	background_pids+=($!)
	wait_for 20 at_least 500 last_ack
	kill -STOP "$(cat nats.pid)"
	# Nothing more is acknowledged or read once the window is full.
	window_is_full() { at_least 30000000 metric window_bytes; }
	wait_for 20 window_is_full
	acked=$(last_ack)
	[ ! -e all-read ]
	[ "$(awk '/VmHWM/ {print $2}' "/proc/${background_pids[0]}/status")" -lt 300000 ]
	kill -CONT "$(cat nats.pid)"
	wait "${background_pids[0]}"
	[ "$acked" -lt 40000 ]
	[ "$(last_ack)" = 40000 ]
	[ "$(nats_cli "$BATS_TEST_TMPDIR" stream-info SLOW | jq .messages)" = 40000 ]
}

@test "kpublish nats: too large for the server: named and exit 1, the rest is delivered" {
	nats_cli "$server" stream-add LARGE large
	"$records" 4 >small
	"$records" 1 1 1100000 | sed 's/"uid":"0/"uid":"1/' >large
	{ head -n 2 small && cat large && tail -n 2 small; } | "$kenvelope" -c c >frames
	run --separate-stderr -1 "$kpublish" nats://large --ack-fd 3 3>acks <frames
	[[ $stderr == *'(Deployment shop/web-0, seq 1, 11'*" bytes): "*" are over the server's limit of 1048576"* ]]
	[ "$(last_ack)" = 2 ] # never past what is not delivered
	"$kpublish" nats://large --ack-fd 3 3>acks --dead-letter dead --metrics m <frames 2>err
	grep -q 'kept in the dead-letter file' err
	[ "$(last_ack)" = 4 ]
	[ "$(metric 'messages_total{result="dead_letter"}')" = 1 ]
	[ "$(in_stream LARGE)" = 4 ]
	"$kenvelope" -c c <large | cmp dead # replayed by: kpublish URL < dead
	fails 1 'none/dead: No such file' nats://large --dead-letter none/dead <frames
}

@test "kpublish nats: dead letters wait for room; their file is made again on SIGHUP, and when it is needed" {
	nats_cli "$server" stream-add WAIT wait
	"$records" 2 1 1100000 | "$kenvelope" -c c >frames
	make_frames 2 2 >small
	mkfifo in
	(ulimit -S -f 1024 && exec "$kpublish" nats://wait --ack-fd 3 --dead-letter dead 3>acks <in 2>err) &
	background_pids=($!)
	exec 5>in
	head -c "$(($(stat -c %s frames) / 2))" frames >&5
	wait_for 20 grep -q 'the dead-letter file dead: cannot write: File too large (retrying)' err
	[ ! -s dead ]
	[ ! -s acks ]
	prlimit --pid "${background_pids[0]}" --fsize=unlimited
	wait_for 40 grep -q 'kept in the dead-letter file' err
	mv dead first
	kill -HUP "${background_pids[0]}"
	wait_for 10 test -e dead
	rm dead # it is made again without that, too
	tail -c "+$(($(stat -c %s frames) / 2 + 1))" frames >&5
	cat small >&5
	exec 5>&-
	wait "${background_pids[0]}"
	cat first dead | cmp - frames
	[ "$(last_ack)" = 2 ]
	[ "$(in_stream WAIT)" = 2 ]
}

# large_change TYPE THEN NOW MANAGED: a change record of uid u; each state has so many bytes of
# spec and of managedFields.
large_change() {
	jq -cn --arg type "$1" --argjson before "$2" --argjson now "$3" --argjson managed "$4" '
		def state($n; $bytes): {apiVersion: "v1", kind: "ConfigMap", metadata: {name: "big",
			namespace: "shop", uid: "u", resourceVersion: $n, labels: {n: $n},
			managedFields: [{manager: "m", fieldsV1: ("f" * $managed)}]},
			data: {text: ("x" * $bytes)}};
		{type: $type, uid: "u", apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "big",
			resourceVersion: "", appliesAt: "2026-11-23T10:15:00Z",
			observedAt: "2026-11-23T10:15:00Z"} +
		(if $type != "created" then {"then": state("1"; $before)} else {} end) +
		(if $type != "deleted" then {now: state("2"; $now)} else {} end)'
}

# numbered: gives the records on standard input their seq and resourceVersion, from 1 up.
numbered() {
	jq -c '{seq: input_line_number} + . + {resourceVersion: "\(input_line_number)"}'
}

@test "kpublish nats: what is too large is shrunk, in its place" {
	nats_cli "$server" stream-add SHRUNK shrunk
	{
		large_change created 0 10 10
		large_change updated 600000 600000 10
		large_change updated 600000 600000 300000
		large_change updated 10 10 10
		large_change created 0 600000 600000
		large_change deleted 1100000 0 10
	} | numbered | "$kenvelope" -c c >frames
	"$kpublish" nats://shrunk --ack-fd 3 3>acks --metrics m <frames 2>err
	cat err
	[ "$(last_ack)" = 6 ]
	[ "$(metric shrunk_total)" = 4 ]
	[ "$(metric 'messages_total{result="acked"}')" = 6 ]
	[ "$(wc -l <err)" -eq 1 ] # the others are counted
	[[ $(cat err) == *'(ConfigMap shop/big, seq 2, 12'*' bytes, shrunk to 60'*' are over the server'*': published without part of its states' ]]
	nats_read "$server" SHRUNK --frames | "$kenvelope" -d >got
	jq -c '[.seq, .shrunk]' got | diff - <(printf '["%d",%s]\n' 1 null 2 '"SHRUNK_THEN"' \
		3 '"SHRUNK_MANAGED_FIELDS"' 4 null 5 '"SHRUNK_MANAGED_FIELDS"' 6 '"SHRUNK_THEN"')
	# All else is as it was.
	"$kenvelope" -d <frames | jq -S -s '(.[1, 2, 5].payload["then"]) |= {apiVersion, kind, metadata} |
		(.[2, 4].payload["then", "now", "resource"] | objects | .metadata) |= del(.managedFields) |
		.[]' >want
	jq -S 'del(.shrunk)' got | diff - want
}

@test "kpublish nats: too large in any form: the dead letter is whole, and can be replayed" {
	nats_start "$BATS_TEST_TMPDIR"
	NATS_SERVER_URL=$(nats_url "$BATS_TEST_TMPDIR")
	nats_cli "$BATS_TEST_TMPDIR" stream-add DEAD dead
	{ large_change created 0 10 10 && large_change updated 600000 1100000 10; } |
		numbered | "$kenvelope" -c c >frames
	"$kpublish" nats://dead --ack-fd 3 3>acks --metrics m --dead-letter dead <frames 2>err
	cat err
	grep -q '(ConfigMap shop/big, seq 2, 17.* bytes, shrunk to 11.*kept in the dead-letter file' err
	[ "$(last_ack)" = 2 ]
	[ "$(metric shrunk_total)" = 0 ]
	[ "$(metric 'messages_total{result="dead_letter"}')" = 1 ]
	tail -c "$(stat -c %s dead)" frames | cmp dead
	nats_stop "$BATS_TEST_TMPDIR"
	nats_max_payload=8000000 nats_start "$BATS_TEST_TMPDIR"
	"$kpublish" nats://dead <dead
	nats_read "$BATS_TEST_TMPDIR" DEAD --frames | cmp frames
}

@test "kpublish nats: --retry-timeout" {
	make_frames 3 >frames
	NATS_SERVER_URL=127.0.0.1:1 run --separate-stderr -1 "$kpublish" nats://a --retry-timeout 1 <frames
	[[ ${stderr_lines[-2]} == *'has accepted no message for 1 s: cannot connect to nats://127.0.0.1:1: Connection refused'* ]]
	[[ ${stderr_lines[-1]} == *'3 messages are not acknowledged' ]]
}

@test "kpublish: SIGTERM delivers what has been read; a second one gives it up" {
	nats_cli "$server" stream-add TERM term
	make_frames 500 >frames
	mkfifo in
	"$kpublish" nats://term --ack-fd 3 3>acks <in &
	background_pids=($!)
	exec 5>in
	cat frames >&5
	head -c 100 frames >&5
	wait_for 10 at_least 500 last_ack
	kill -TERM "${background_pids[0]}"
	wait "${background_pids[0]}"
	[ "$(in_stream TERM)" = 500 ]
	exec 5>&-

	NATS_SERVER_URL=127.0.0.1:1 "$kpublish" nats://term --metrics m <frames 2>err &
	background_pids=($!)
	wait_for 10 grep -q 'cannot connect' err
	at_hand() { at_least 1 metric window_bytes; }
	wait_for 10 at_hand
	kill -TERM "${background_pids[0]}"
	taken() { [ -z "$(awk '/^SigPnd|^ShdPnd/ {print $2}' "/proc/${background_pids[0]}/status" | tr -d '0\n')" ]; }
	wait_for 10 taken
	kill -0 "${background_pids[0]}"
	kill -TERM "${background_pids[0]}"
	code=0
	wait "${background_pids[0]}" || code=$?
	[ "$code" = 1 ]
	grep -q '500 messages are not acknowledged' err
}

# policies PID: of all its threads, each once.
policies() {
	chrt --all-tasks --pid "$1" | grep -o 'SCHED_[A-Z]*' | sort -u
}

@test "kpublish: its threads wait for their turn, unless the process has been given a policy" {
	mkfifo in
	"$kpublish" nats://policy --metrics m <in &
	background_pids=($!)
	exec 5>in
	is_connected() { [ "$(metric connected)" = 1 ]; }
	wait_for 10 is_connected
	[ "$(policies "${background_pids[0]}")" = SCHED_BATCH ]
	exec 5>&-
	wait "${background_pids[0]}"

	rm m
	chrt --idle 0 "$kpublish" nats://policy --metrics m <in &
	background_pids=($!)
	exec 5>in
	wait_for 10 is_connected
	[ "$(policies "${background_pids[0]}")" = SCHED_IDLE ]
	exec 5>&-
	wait "${background_pids[0]}"
}

@test "kpublish: a reader of acknowledgements that is slow or gone stops nothing" {
	make_frames 30000 10 10 >frames
	mkfifo acks
	sleep 1000 <acks &
	background_pids=($!)
	exec 5>acks
	"$kpublish" stdout: --ack-fd 5 <frames >out 2>err
	exec 5>&-
	cmp out frames
	exec 5>acks # its reader is still there
	kill "${background_pids[0]}"
	wait "${background_pids[0]}" || true
	"$kpublish" stdout: --ack-fd 5 <frames 2>err | cmp frames
	exec 5>&-
	grep -q 'no longer told' err
}
