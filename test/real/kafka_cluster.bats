#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2154 # variables of lib/kpublish
# shellcheck disable=SC2164 # bats stops at what fails
# kpublish to three Kafka brokers, of which one or two are lost.

load ../lib/servers
load ../lib/kafka_cluster
load ../lib/kpublish

setup_file() {
	kafka_cluster_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	kafka_cluster_stop "$BATS_FILE_TMPDIR"
}

setup() {
	kpublish_setup
	server=$BATS_FILE_TMPDIR
	KAFKA_BROKERS=$(kafka_cluster_brokers "$server")
	export KAFKA_BROKERS
	for n in 1 2 3; do # a test that failed may have left one down
		[ -e "$server/$n/kafka.pid" ] || kafka_cluster_broker "$server" "$n"
	done
}

teardown() {
	kpublish_teardown
}

# leads TOPIC: the broker that leads its partition 0.
leads() {
	"$test_tools/kafka.py" "$KAFKA_BROKERS" leader "$1" 0
}

# learn TOPIC: sets leader, as soon as the broker that is asked knows one.
learn() {
	leader=$(leads "$1")
}

leads_now() {
	[ "$(leads "$1")" != "$2" ]
}

# arrived TOPIC: all of frames is there, in order for each key.
arrived() {
	"$test_tools/kafka.py" "$KAFKA_BROKERS" read "$1" >messages
	run -0 "$check" messages frames
	echo "# $output" >&3
}

@test "kafka cluster: the leader is killed, another takes over: nothing lost, order kept" {
	make_frames 60000 500 300 >frames
	"$test_tools/kafka.py" "$KAFKA_BROKERS" make leader --copies 3
	third=$(($(stat -c %s frames) / 3))
	mkfifo in
	"$kpublish" kafka://leader --ack-fd 3 3>acks <in 2>err &
	background_pids=($!)
	exec 5>in
	head -c "$third" frames >&5
	for step in 1 2; do
		wait_for 180 at_least $((step * 10000)) last_ack
		wait_for 60 learn leader
		kafka_kill "$server/$leader"
		tail -c +$((step * third + 1)) frames | head -c "$third" >&5
		wait_for 180 leads_now leader "$leader"
		wait_for 180 at_least $((step * 20000 + 5000)) last_ack
		kafka_cluster_broker "$server" "$leader"
	done
	tail -c +$((3 * third + 1)) frames >&5
	exec 5>&-
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 60000 ]
	cat err
	arrived leader
}

@test "kafka cluster: too few copies: waits, and goes on when there are enough" {
	make_frames 30000 100 300 >frames
	"$test_tools/kafka.py" "$KAFKA_BROKERS" make copies --copies 3 --set min.insync.replicas=3
	wait_for 60 learn copies
	lost=$((leader % 3 + 1))
	kafka_kill "$server/$lost"
	"$kpublish" kafka://copies --ack-fd 3 3>acks <frames 2>err &
	background_pids=($!)
	wait_for 120 test -s err
	cat err
	[ "$(last_ack)" != 30000 ]
	kafka_cluster_broker "$server" "$lost"
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 30000 ]
	arrived copies
}
