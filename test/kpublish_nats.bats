#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # a subject begins with $
# shellcheck disable=SC2094 # frames are only read
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2034 # variables of lib/nats
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# kpublish to NATS servers that want to know who is there, and that allow this and that.

load lib/servers
load lib/kpublish

setup() {
	kpublish_setup
	server=$PWD/server
	make_frames 20 3 >frames
	unset NATS_CREDS NATS_NKEY NATS_USER NATS_PASSWORD NATS_TOKEN NATS_CA NATS_CERT NATS_KEY
}

teardown() {
	kpublish_teardown
	nats_stop "$server"
	nats_stop "$BATS_TEST_TMPDIR/other"
}

# start [USER:PASSWORD]: the server, and what kpublish is to reach. Then $nats_more counts.
start() {
	nats_as=${1-} nats_start "$server"
	NATS_SERVER_URL=$(nats_url "$server")
	export NATS_SERVER_URL
}

# arrives STREAM [USER:PASSWORD [OPTION...]]: what is published is in the stream, which is made and read as that user.
arrives() {
	local url
	url=$(nats_url "$server" "${2-}")
	"$test_tools/nats.py" "$url" stream-add "$1" "${1,,}" >/dev/null
	"$kpublish" "nats://${1,,}" --ack-fd 3 3>acks <frames
	[ "$(last_ack)" = 20 ]
	"$test_tools/nats.py" "$url" read "$1" >messages
	"$check" messages frames
}

@test "kpublish nats: a user and password in the URL or beside it" {
	# p:w/d@x as it stands in a URL
	local password='p%3Aw%2Fd%40x'
	nats_more='authorization { users = [{user: "u@k", password: "p:w/d@x"}] }' start "u%40k:$password"
	NATS_SERVER_URL=$(nats_url "$server" "u%40k:$password") arrives URL "u%40k:$password"
	NATS_USER=u@k NATS_PASSWORD=p:w/d@x arrives BESIDE "u%40k:$password"
	# The URL's counts more.
	NATS_USER=u@k NATS_PASSWORD=p:w/d@x NATS_SERVER_URL=$(nats_url "$server" "u%40k:wr0ng") \
		gives_up "cannot connect to $(nats_url "$server"): Authorization Violation" nats://beside
	[[ $stderr != *wr0ng* ]]
	gives_up "cannot connect to $(nats_url "$server"): Authorization Violation" nats://beside
}

@test "kpublish nats: a token in the URL or beside it" {
	nats_more='authorization { token: "t0k/en" }' start t0k%2Fen
	NATS_SERVER_URL=$(nats_url "$server" t0k%2Fen) arrives URL t0k%2Fen
	NATS_TOKEN=t0k/en arrives BESIDE t0k%2Fen
	NATS_USER=t0k/en arrives USER t0k%2Fen # as the command nats takes it
	NATS_TOKEN=wr0ng gives_up 'Authorization Violation' nats://beside
	[[ $stderr != *wr0ng* ]]
}

@test "kpublish nats: an NKey" {
	"$test_tools/nkeys.py" keys
	nats_more="authorization { users = [{nkey: $(cat keys/user.pub)}, {user: u, password: p}] }" start u:p
	NATS_NKEY=keys/user.seed arrives NKEY u:p
	"$test_tools/nkeys.py" others
	NATS_NKEY=others/user.seed gives_up 'Authorization Violation' nats://nkey
	[[ $stderr != *"$(cat others/user.seed)"* ]]
	echo SUACSSL3 >short
	NATS_NKEY=short fails 2 "nats://nkey: NATS_NKEY: short: holds no user's seed" nats://nkey <frames
	NATS_NKEY=none fails 2 'nats://nkey: NATS_NKEY: none: No such file' nats://nkey <frames
}

@test "kpublish nats: a file of credentials, which is read again when it has been renewed" {
	"$test_tools/nkeys.py" keys
	export NATS_CREDS=$PWD/keys/user.creds
	nats_more=$(cat keys/operator.conf) start
	arrives CREDS
	NATS_CREDS=none fails 2 'nats://creds: NATS_CREDS: none: No such file' nats://creds <frames
	"$test_tools/nkeys.py" others
	cp others/user.creds now
	NATS_CREDS=now gives_up 'Authorization Violation' nats://creds
	NATS_CREDS=now "$kpublish" nats://creds --ack-fd 3 3>acks <frames 2>err &
	background_pids=($!)
	wait_for 20 grep -q 'Authorization Violation' err
	cp keys/user.creds now
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 20 ]
}

@test "kpublish nats: TLS, with a certificate of our own" {
	"$test_lib/pki" "$PWD/pki"
	export NATS_CA=$PWD/pki/ca.crt NATS_CERT=$PWD/pki/admin.crt NATS_KEY=$PWD/pki/admin.key
	nats_more="tls { cert_file: \"$PWD/pki/server.crt\", key_file: \"$PWD/pki/server.key\"
		ca_file: \"$PWD/pki/ca.crt\", verify: true }" start
	arrives TLS
	unset NATS_CERT NATS_KEY
	gives_up "cannot connect to $NATS_SERVER_URL: " nats://tls
	[[ $stderr == *certificate* ]]
}

@test "kpublish nats: an unknown CA, a certificate of another host, files that are none" {
	"$test_lib/pki" "$PWD/pki"
	export NATS_CA=$PWD/pki/ca.crt
	nats_listen=0.0.0.0 nats_more="tls { cert_file: \"$PWD/pki/server.crt\", key_file: \"$PWD/pki/server.key\" }" start
	local port=${NATS_SERVER_URL##*:}
	arrives PLAIN # nats:// is TLS where the server or a CA asks for it
	NATS_SERVER_URL=tls://localhost:$port arrives NAMED
	NATS_SERVER_URL=tls://127.0.0.2:$port \
		gives_up "cannot connect to tls://127.0.0.2:$port: SSL handshake error: 64:IP address mismatch" nats://plain
	NATS_CA=none fails 2 'nats://plain: NATS_CA: none: No such file' nats://plain <frames
	NATS_CA=frames fails 2 'nats://plain: NATS_CA: frames: ' nats://plain <frames
	NATS_CERT=x fails 2 'NATS_CERT and NATS_KEY go together' nats://plain <frames
	NATS_CERT=frames NATS_KEY=frames fails 2 'NATS_CERT: frames: ' nats://plain <frames
	NATS_CERT=$PWD/pki/admin.crt NATS_KEY=none fails 2 'NATS_KEY: none: No such file' nats://plain <frames
	unset NATS_CA
	gives_up "cannot connect to nats://127.0.0.1:$port: SSL handshake error: 20:unable to get local issuer certificate" nats://plain
}

@test "kpublish nats: TLS is wanted, and the server has none" {
	start
	NATS_SERVER_URL=tls://127.0.0.1:${NATS_SERVER_URL##*:} gives_up 'Secure Connection not available' nats://a
}

@test "kpublish nats: several servers: the one that is there, and the next when it goes" {
	start
	nats_start "$PWD/other"
	for dir in "$server" "$PWD/other"; do
		nats_cli "$dir" stream-add MANY many
	done
	NATS_SERVER_URL="nats://127.0.0.1:1,$(nats_url "$server"),$(nats_url "$PWD/other")"
	mkfifo in
	"$kpublish" nats://many --ack-fd 3 3>acks <in 2>err &
	background_pids=($!)
	exec 5>in
	make_frames 10 >&5
	wait_for 20 at_least 10 last_ack
	first=$server
	[ "$(nats_cli "$first" stream-info MANY | jq .messages)" = 10 ] || first=$PWD/other
	[ "$(nats_cli "$first" stream-info MANY | jq .messages)" = 10 ]
	nats_kill "$first"
	"$records" 20 | tail -n 10 | "$kenvelope" -c c >&5
	exec 5>&-
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 20 ]
	[ "$first" = "$server" ] && second=$PWD/other || second=$server
	[ "$(nats_cli "$second" stream-info MANY | jq .messages)" = 10 ]
	nats_kill "$second"
	NATS_SERVER_URL=nats://127.0.0.1:1,no.such.host.example gives_up 'nats://127.0.0.1:1: Connection refused' nats://many
	[[ $stderr == *'nats://no.such.host.example:4222: '* ]]
}

@test "kpublish nats: URLs of servers that are none" {
	for url in nats://h:x ws://h ','; do
		NATS_SERVER_URL=$url fails 2 'nats://a: NATS_SERVER_URL: ' nats://a <frames
	done
	NATS_SERVER_URL=nats://me:s3cret@h:x fails 2 'wants HOST:PORT' nats://a <frames
	[[ $stderr != *s3cret* ]]
}

@test "kpublish nats: an account that may not ask which streams there are" {
	nats_more='authorization { users = [{user: all, password: p}, {user: narrow, password: p
		permissions: {publish: ["narrow"], subscribe: ["_INBOX.>"]}}] }' start all:p
	nats_cli_as() { "$test_tools/nats.py" "$(nats_url "$server" all:p)" "$@"; }
	nats_cli_as stream-add NARROW narrow
	export NATS_USER=narrow NATS_PASSWORD=p
	run --separate-stderr -1 "$kpublish" nats://narrow --retry-timeout 8 <frames
	echo "$stderr"
	[[ ${stderr_lines[0]} == *'Permissions Violation for Publish to "$JS.API.STREAM.NAMES" (?jetstream=yes or no spares the question) (retrying)' ]]
	[[ ${stderr_lines[-2]} == *'has accepted no message for 8 s: '*'(?jetstream=yes or no spares the question)' ]]
	"$kpublish" 'nats://narrow?jetstream=yes' --ack-fd 3 3>acks <frames
	[ "$(last_ack)" = 20 ]
	nats_cli_as read NARROW >messages
	"$check" messages frames
	run --separate-stderr -0 "$kpublish" 'nats://narrow?jetstream=no' <frames
	[[ $stderr == *'nats://narrow: without JetStream, as told: publishing by core NATS, which keeps no promise'* ]]
	# Not what it may not publish to either.
	gives_up 'Permissions Violation for Publish to "wide"' 'nats://wide?jetstream=yes'
	fails 2 'nats://narrow: jetstream=maybe: there are ask, yes and no' 'nats://narrow?jetstream=maybe' <frames
}

@test "kpublish nats: jetstream=yes where no stream takes the subject waits for one" {
	start
	"$kpublish" 'nats://later?jetstream=yes' --ack-fd 3 3>acks <frames 2>err &
	background_pids=($!)
	wait_for 20 grep -q 'no stream takes the subject now' err
	[ ! -s acks ]
	nats_cli "$server" stream-add LATER later
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 20 ]
	nats_read "$server" LATER >messages
	"$check" messages frames
}
