#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # url and from are read by lib/bus.bash, which sets others
# kpublish to a real NATS server with JetStream: what every bus must show. What is NATS's own is in test/kpublish.bats.

load ../lib/servers
load ../lib/bus

bus_start() { nats_start "$BATS_FILE_TMPDIR"; }
bus_kill() { nats_kill "$BATS_FILE_TMPDIR"; }
bus_address() { echo "127.0.0.1:$(cat "$BATS_FILE_TMPDIR/nats.port")"; }
bus_via() { export NATS_SERVER_URL=nats://$1; }
bus_limit() { echo 1048576; }
bus_check_key() { echo yes; }
bus_arrived() { echo --no-copies; }
bus_count() { nats_cli "$BATS_FILE_TMPDIR" stream-info "$stream" | jq .messages; }
# The gocloud of kollect 1.x knows core NATS alone, which keeps nothing.
bus_receive() { nats_read "$BATS_FILE_TMPDIR" "$stream" >raw && "$consumer/decode" <raw; }

bus_new() {
	stream=$1
	nats_cli "$BATS_FILE_TMPDIR" stream-add "$1" "$1" >nats-stream
	url=nats://$1
	from=nats://$1
	NATS_SERVER_URL=$(nats_url "$BATS_FILE_TMPDIR")
	export NATS_SERVER_URL
}

setup_file() {
	bus_start
}

teardown_file() {
	nats_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
}

teardown() {
	suite_teardown
}

@test "nats: all arrive" {
	suite_all_arrive
}

@test "nats: the server is killed, and comes back" {
	suite_killed
}

@test "nats: the server cannot be reached for a while" {
	suite_unreachable
}

@test "nats: answers are lost" {
	suite_answers_lost
}

@test "nats: connections are cut anywhere" {
	suite_cut
}

@test "nats: connections are reset" {
	suite_resets
}

@test "nats: a server that never answers" {
	suite_silent
}

@test "nats: a slow server slows the reading" {
	suite_slow
}

@test "nats: too large" {
	suite_too_large
}

@test "nats: nobody listens" {
	suite_bad_server
}

@test "nats: kpublish is killed" {
	suite_killed_self
}

@test "nats: a consumer of kollect 1.x receives all, as it is published" {
	bus_new live
	suite_frames 20000 2048
	"$consumer/consumer" --ready ready "$from" 20000 >got 3>&- &
	suite_pids+=($!)
	wait_for 20 test -e ready
	suite_publish
	suite_ends
	wait "${suite_pids[0]}"
	"$consumer/arrived" --no-attributes --no-copies "$frames" got
}
