#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # url and from are read by lib/bus.bash
# shellcheck disable=SC2016 # $0 is for the inner shell
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2059 # the bytes of frames are written as escapes
# shellcheck disable=SC2094 # frames are only read
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# shellcheck disable=SC2317 # window_is_full is called by wait_for
# shellcheck disable=SC2217 # sleep holds a FIFO open
# kpublish to a real Kafka broker.

load ../lib/servers
load ../lib/bus

bus_start() { kafka_start "$BATS_FILE_TMPDIR"; }
bus_kill() { kafka_kill "$BATS_FILE_TMPDIR"; }
bus_address() { kafka_via "$BATS_FILE_TMPDIR" | cut -d' ' -f1; }
bus_via_port() { kafka_via "$BATS_FILE_TMPDIR" | cut -d' ' -f2; }
bus_via() { export KAFKA_BROKERS=$1; }
bus_limit() { echo 1048588; }
bus_check_key() { echo yes; }
bus_count() { "$test_tools/kafka.py" "$KAFKA_BROKERS" count "$topic"; }

bus_new() {
	topic=$1
	url=kafka://$1
	from="kafka://group-$1?topic=$1"
}

setup_file() {
	kafka_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	kafka_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
	records=$BATS_TEST_DIRNAME/../wire/records.py
	check=$BATS_TEST_DIRNAME/../wire/delivered.py
	server=$BATS_FILE_TMPDIR
	KAFKA_BROKERS=$(kafka_brokers "$server")
	export KAFKA_BROKERS
	background_pids=()
}

teardown() {
	kill -KILL "${background_pids[@]}" 2>/dev/null || true
	suite_teardown
}

make_frames() {
	"$records" "$@" | "$kenvelope" -c c
}

at_least() {
	local n
	n=$("${@:2}")
	[ -n "$n" ] && [ "$n" -ge "$1" ]
}

last_ack() {
	tail -n 1 acks
}

metric() {
	sed -n "s/^kollect_kpublish_$1 //p" m
}

# make_topic NAME PROPERTY=VALUE...
make_topic() {
	/usr/bin/python3 - "$KAFKA_BROKERS" "$@" <<'END'
import sys
from confluent_kafka.admin import AdminClient, NewTopic
config = dict(a.split("=") for a in sys.argv[3:])
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
topic = NewTopic(sys.argv[2], num_partitions=2, replication_factor=1, config=config)
admin.create_topics([topic])[sys.argv[2]].result(20)
END
}

@test "kafka: everything arrives, in order for each key, with key and headers" {
	make_frames 20000 300 1000 >frames
	"$kpublish" 'kafka://first?compression.type=lz4' --ack-fd 3 3>acks --metrics m <frames
	[ "$(last_ack)" = 20000 ]
	[ "$(metric connected)" = 1 ]
	kafka_read "$server" first >messages
	run -0 "$check" messages frames
	[ "$output" = "20000 messages, 0 copies" ]
	[ "$(jq .partition messages | sort -u | wc -l)" -gt 1 ]
	head -n 1 messages | jq -e '.headers == {key: .key, id: .headers.id,
		type: "kollect.resource.event.v1.ResourceCreatedEvent", cluster_id: "c",
		api_version: "apps/v1", kind: "Deployment", namespace: "shop", name: .headers.name}'
}

@test "kafka: a broker killed in the middle, and back: nothing lost, order kept" {
	make_frames 200000 500 300 >frames
	"$kpublish" kafka://killed --ack-fd 3 3>acks --metrics m <frames 2>err &
	background_pids=($!)
	wait_for 30 at_least 20000 last_ack
	kafka_kill "$server"
	acked=$(last_ack)
	[ "$acked" -lt 200000 ]
	wait_for 30 grep -q 'no broker can be reached' err
	is_down() { [ "$(metric connected)" = 0 ]; }
	wait_for 10 is_down
	[ "$(last_ack)" -lt 200000 ]
	kafka_start "$server"
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 200000 ]
	grep -q 'accepts messages again' err
	[ "$(grep -c 'no broker can be reached' err)" = 1 ]
	kafka_read "$server" killed >messages
	"$check" messages frames
}

@test "kafka: no broker, a host that is none: said, and given up when asked to" {
	make_frames 3 >frames
	KAFKA_BROKERS=127.0.0.1:1 run --separate-stderr -1 \
		"$kpublish" kafka://t --retry-timeout 2 <frames
	echo "$stderr"
	[[ ${stderr_lines[0]} == *'no broker can be reached: '*'Connection refused'* ]]
	[[ ${stderr_lines[-2]} == *'has accepted no message for 2 s: no broker can be reached: '* ]]
	[[ ${stderr_lines[-1]} == *'3 messages are not acknowledged' ]]
}

@test "kafka: a topic that cannot be" {
	make_frames 3 >frames
	run --separate-stderr -1 "$kpublish" 'kafka://no%20topic' --retry-timeout 3 <frames
	echo "$stderr"
	[[ $stderr == *'kafka://no%20topic: '*'Invalid topic'* ]]
}

@test "kafka: too large for the broker: to the dead-letter file, the rest in order" {
	"$records" 3000 20 >small
	"$records" 1 1 1100000 | sed 's/"uid":"0/"uid":"1/' >large
	{ head -n 1500 small && cat large && tail -n 1500 small; } | "$kenvelope" -c c >frames
	"$kpublish" kafka://large --dead-letter dead --ack-fd 3 3>acks --metrics m <frames 2>err
	cat err
	grep -q "Deployment shop/web-0, seq 1, 11.*kept in the dead-letter file" err
	[ "$(last_ack)" = 3000 ]
	[ "$(metric 'messages_total{result="dead_letter"}')" = 1 ]
	"$kenvelope" -c c <large | cmp dead
	kafka_read "$server" large >messages
	"$kenvelope" -c c <small >want
	"$check" messages want

	run --separate-stderr -1 "$kpublish" kafka://large --ack-fd 3 3>acks <frames
	[[ $stderr == *'--dead-letter=FILE would keep it'* ]]
	[ "$(last_ack)" -le 1500 ]
}

# padded BYTES SEQ...: to the records with these seqs, so many bytes more in the state before.
padded() {
	jq -c --argjson bytes "$1" --arg seqs " ${*:2} " '
		" \(.seq) " as $seq | if $seqs | contains($seq) then .["then"].spec.padding = "x" * $bytes
		else . end'
}

@test "kafka: too large for the broker: shrunk, in its place" {
	"$records" 3000 20 | padded 1100000 1500 1520 1521 2999 | "$kenvelope" -c c >frames
	"$kpublish" kafka://shrunk --ack-fd 3 3>acks --metrics m <frames 2>err
	cat err
	[ "$(last_ack)" = 3000 ]
	[ "$(metric shrunk_total)" = 4 ]
	[ "$(grep -c 'seq 1500, 11.* bytes, shrunk to .*: published without part of its states' err)" = 1 ]
	kafka_read "$server" shrunk --frames | "$kenvelope" -d >got
	# Each of the 20 objects: all of its changes, in order; a copy may come after them.
	jq -r '"\(.reference.name) \(.seq) \(.shrunk)"' got | awk '!seen[$0]++' | sort -s -k1,1 >changes
	"$kenvelope" -d <frames | jq -r '(if .seq | IN("1500", "1520", "1521", "2999")
		then "SHRUNK_THEN" else null end) as $shrunk | "\(.reference.name) \(.seq) \($shrunk)"' |
		sort -s -k1,1 | diff - changes
	jq -es 'map(select(.shrunk) | .payload["then"] | keys == ["apiVersion", "kind", "metadata"]) |
		length >= 4 and all' got
}

# A broker that has not seen a producer yet takes any number of its for the first one.
@test "kafka: too large for the broker, the first of a producer: its key in order" {
	"$records" 404 4 | tail -n 400 | padded 1100000 5 6 7 8 101 | "$kenvelope" -c c >frames
	for try in 1 2 3 4 5; do
		"$kpublish" "kafka://first-$try" --ack-fd 3 3>acks <frames 2>err
		[ "$(last_ack)" = 404 ]
		kafka_read "$server" "first-$try" --frames | "$kenvelope" -d >got
		jq -r '"\(.reference.name) \(.seq)"' got | awk '!seen[$0]++' | sort -s -k1,1 >changes
		"$kenvelope" -d <frames | jq -r '"\(.reference.name) \(.seq)"' | sort -s -k1,1 | diff - changes
	done
}

@test "kafka: a topic whose limit is below librdkafka's batches: known before anything is sent" {
	make_frames 5000 50 1000 >frames
	for try in 1 2 3; do
		make_topic "narrow-$try" max.message.bytes=20000
		"$kpublish" "kafka://narrow-$try" --dead-letter dead --ack-fd 3 3>acks <frames 2>err
		[ "$(last_ack)" = 5000 ]
		cat err
		[ ! -s err ]
		[ ! -s dead ]
		kafka_read "$server" "narrow-$try" >messages
		run -0 "$check" messages frames
		[ "$output" = "5000 messages, 0 copies" ]
	done
}

@test "kafka: a quota of the broker slows the reading, and nothing is lost" {
	quota() {
		kafka_admin "$server" ConfigCommand --alter "$@" --entity-type clients --entity-name kpublish
	}
	quota --add-config producer_byte_rate=100000
	make_frames 20000 2000 2000 >frames # 80 MB
	mkfifo in
	"$kpublish" kafka://quota --ack-fd 3 3>acks --metrics m <in 2>err &
	background_pids=($!)
	(cat frames >in && touch all-read) &
	background_pids+=($!)
	window_is_full() { at_least 30000000 metric window_bytes; }
	wait_for 60 window_is_full
	wait_for 60 at_least 1 last_ack
	[ ! -e all-read ]
	quota --delete-config producer_byte_rate
	wait "${background_pids[0]}"
	cat err
	[ "$(last_ack)" = 20000 ]
	kafka_read "$server" quota >messages
	"$check" messages frames
}

@test "kafka: a broker that hangs slows the reading" {
	make_frames 40000 4000 4000 >frames # 330 MB
	mkfifo in
	kill -STOP "$(cat "$server/kafka.pid")"
	"$kpublish" kafka://slow --ack-fd 3 3>acks --metrics m <in 2>err &
	background_pids=($!)
	(cat frames >in && touch all-read) &
	background_pids+=($!)
	window_is_full() { at_least 30000000 metric window_bytes; }
	wait_for 20 window_is_full
	[ ! -e all-read ]
	[ ! -s acks ]
	[ "$(awk '/VmHWM/ {print $2}' "/proc/${background_pids[0]}/status")" -lt 300000 ]
	kill -CONT "$(cat "$server/kafka.pid")"
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 40000 ]
}

@test "kafka: all arrive" {
	suite_all_arrive
}

@test "kafka: the server is killed, and comes back" {
	suite_killed
}

@test "kafka: the server cannot be reached for a while" {
	suite_unreachable
}

@test "kafka: answers are lost" {
	suite_answers_lost
}

@test "kafka: connections are cut anywhere" {
	suite_cut
}

@test "kafka: connections are reset" {
	suite_resets
}

@test "kafka: a server that never answers" {
	suite_silent
}

@test "kafka: a slow server slows the reading" {
	suite_slow
}

@test "kafka: too large" {
	suite_too_large
}

@test "kafka: nobody listens" {
	suite_bad_server
}

@test "kafka: kpublish is killed" {
	suite_killed_self
}
