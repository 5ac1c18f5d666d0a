#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2034,SC2154,SC2317 # url and from are read by lib/bus.bash, which sets others and calls bus_*
# kpublish to a real AMQP 1.0 broker, Artemis: what every bus must show; and to a stand-in for Service Bus
# (test/tools/servicebus.py), what Service Bus alone does.

load ../lib/servers
load ../lib/bus

bus_start() { artemis_start "$BATS_FILE_TMPDIR"; }
bus_kill() { artemis_kill "$BATS_FILE_TMPDIR"; }
bus_address() { artemis_address "$BATS_FILE_TMPDIR"; }
bus_via() { plain "$1"; }
bus_check_key() { echo yes; }
bus_count() { artemis_count "$BATS_FILE_TMPDIR" "$topic"; }
# A gocloud consumer needs more of Service Bus than Artemis has: see the last test.
bus_receive() { artemis_take "$1" | "$consumer/decode"; }

bus_new() {
	topic=$1
	artemis_make "$BATS_FILE_TMPDIR" "$1"
	url=azuresb://$1
	plain "$(bus_address)"
}

# artemis_take N: the messages of $topic, by a client that is faster than artemis_read.
artemis_take() {
	"$consumer/amqp" "$(bus_address)" "$artemis_user" "$artemis_password" \
		"$topic::$topic/Subscriptions/all" "$1"
}

# plain ADDRESS; tls ADDRESS: kpublish goes there from now on.
plain() {
	SERVICEBUS_CONNECTION_STRING="$(artemis_connection_string "$1");UseDevelopmentEmulator=true"
	export SERVICEBUS_CONNECTION_STRING
}
tls() {
	SERVICEBUS_CONNECTION_STRING=$(artemis_connection_string "$1")
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/pki/ca.crt
	export SERVICEBUS_CONNECTION_STRING SSL_CERT_FILE
}

# stand_in [OPTION...]: the stand-in is the server from now on, with the topic `t`.
stand_in() {
	servicebus_start "$PWD/sb" "$@"
	tell '{"make": "t"}'
	topic=t url=azuresb://t
	plain "$(servicebus_address sb)"
}

# tell JSON: an order for the stand-in.
tell() { servicebus_tell sb "$1"; }

# stands CONDITION: it comes to hold of the stand-in, whose state is a file that follows a moment later.
stands() {
	wait_for 20 servicebus_is sb "$1" || suite_fail "the stand-in says: $(cat sb/state)"
}

# sb_arrive N [COUNT]: as suite_arrives, from the stand-in.
sb_arrive() {
	bus_receive() { servicebus_read "$BATS_TEST_TMPDIR/sb" t >raw && "$consumer/decode" <raw; }
	suite_arrives "$@"
}

# fails CODE TEXT...: kpublish ends so, and standard error has each TEXT and no secret.
fails() {
	local code=$1 text
	shift
	run "-$code" --separate-stderr "$kpublish" "$url" --retry-timeout 2 <"$frames"
	echo "$stderr"
	no_secret <<<"$stderr"
	for text; do
		[[ $stderr == *"$text"* ]]
	done
}

# no_secret: standard input has neither the key nor a signature made with it.
no_secret() {
	! grep -Eqi 'c2VjcmV0|sig=|s3cret'
}

setup_file() {
	bus_start
}

teardown_file() {
	artemis_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
}

teardown() {
	servicebus_stop "$BATS_TEST_TMPDIR/sb"
	suite_teardown
}

@test "azuresb: all arrive" {
	suite_all_arrive
}

@test "azuresb: the server is killed, and comes back" {
	suite_killed
}

@test "azuresb: connections are reset" {
	suite_resets
}

@test "azuresb: connections end within a handshake or a message" {
	suite_cut
}

@test "azuresb: answers are lost" {
	suite_answers_lost
}

@test "azuresb: a server that never answers" {
	suite_silent
}

@test "azuresb: a slow server slows the reading" {
	suite_slow
}

@test "azuresb: nobody listens" {
	suite_bad_server
}

@test "azuresb: kpublish is killed" {
	suite_killed_self
}

@test "azuresb: too large" {
	bus_new() { tell '{"set": {"max_size": 200000, "real_size": 200000}}'; }
	bus_limit() { echo 200000; }
	bus_receive() { servicebus_read "$BATS_TEST_TMPDIR/sb" t >raw && "$consumer/decode" <raw; }
	stand_in
	suite_too_large
	grep -q "over the server's limit of 200000" err
	# Nothing over it was sent.
	run ! grep 'refused a message' err
}

@test "azuresb: as Service Bus wants a message, by TLS" {
	bus_new shape
	tls "$(artemis_tls_address "$BATS_FILE_TMPDIR")"
	suite_frames 20 1024
	suite_publish
	suite_ends
	[ ! -s err ]
	artemis_read "$BATS_FILE_TMPDIR" shape >raw
	head -n 1 raw | jq -e '.key == "c/00000000-0000-4000-8000-000000000000" and .session == .key and
		.durable and .content_type == "application/protobuf" and .id == .headers.id and
		(.headers | keys) == ["api_version", "cluster_id", "id", "kind", "name", "namespace", "type"] and
		.headers.type == "kollect.resource.event.v1.ResourceCreatedEvent"'
	# header, annotations, properties, application properties, one data section.
	[ "$(jq -c .sections raw | sort -u)" = '[112,114,115,116,117]' ]
	[ "$(jq -r .id raw | sort -u | wc -l)" = 20 ]
}

@test "azuresb: a key that is too long for Service Bus" {
	local cluster key
	bus_new long
	cluster=$(printf 'x%.0s' {1..92})
	"$test_lib/../wire/records.py" 1 >record
	"$kenvelope" -c "${cluster:1}" <record >frames128
	"$kenvelope" -c "$cluster" <record >frames129
	cat frames128 frames129 | "$kpublish" "$url"
	artemis_read "$BATS_FILE_TMPDIR" long >raw
	key=00000000-0000-4000-8000-000000000000
	[ "$(jq -r .key raw | sed -n 1p)" = "${cluster:1}/$key" ]
	[ "$(jq -r .key raw | sed -n 2p)" = "$(printf %s "$cluster/$key" | sha256sum | cut -d' ' -f1)" ]
	jq -se 'all(.key == .session)' raw
}

@test "azuresb: connection strings and URLs that are none" {
	local good='Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=s3cret'
	frames=/dev/null
	expect() {
		SERVICEBUS_CONNECTION_STRING=$1 url=$2 fails 2 "$3"
		[ "${#stderr_lines[@]}" -eq 1 ]
	}
	expect '' azuresb://t 'azuresb://t: set SERVICEBUS_CONNECTION_STRING'
	expect "Endpoint=h;$good" azuresb://t 'SERVICEBUS_CONNECTION_STRING: its Endpoint is wanted as'
	expect 'SharedAccessKey=s3cret' azuresb://t 'SERVICEBUS_CONNECTION_STRING: it has no Endpoint'
	expect "$good" azuresb:// 'names no topic or queue'
	expect "$good" azuresb://t/ 'no / first or last'
	expect "$good;EntityPath=other" azuresb://t 'its EntityPath differs'
	expect "$good" 'azuresb://t?x=1' '"x" is no query parameter of it: there are token-lifetime'
	expect "$good" 'azuresb://t?token-lifetime=1h' 'token-lifetime is wanted as a number of seconds'
	expect "$good" 'azuresb://t?token-lifetime=0' 'token-lifetime is wanted as a number of seconds'
	SERVICEBUS_CONNECTION_STRING="$good;EntityPath=T" "$kpublish" azuresb://t </dev/null
}

@test "azuresb: a wrong key, and a topic that is not there" {
	bus_new there
	suite_frames 20 1024
	SERVICEBUS_CONNECTION_STRING=${SERVICEBUS_CONNECTION_STRING/;SharedAccessKey=/&s3cret} \
		fails 1 '127.0.0.1 refuses the login of "RootManageSharedAccessKey" (SASL PLAIN) (retrying)' \
		'has accepted no message for 2 s' '20 messages are not acknowledged'
	url=azuresb://nowhere fails 1 'closed the link to "nowhere": amqp:not-found'
	SERVICEBUS_CONNECTION_STRING=${SERVICEBUS_CONNECTION_STRING/SharedAccessKey=/SharedAccessSignature=SharedAccessSignature sr=} \
		fails 1 '127.0.0.1: offers no way to log in but by a key'
	stand_in
	SERVICEBUS_CONNECTION_STRING=${SERVICEBUS_CONNECTION_STRING/;SharedAccessKey=/&s3cret} \
		fails 1 '127.0.0.1: a token signed with the SharedAccessKey is refused: 401 InvalidSignature'
	url=azuresb://nowhere fails 1 '"nowhere": amqp:not-found: The messaging entity'
	tell '{"set": {"refuse_tokens": "the rule has no Send"}}'
	fails 1 'is refused: 401 the rule has no Send (retrying)'
}

@test "azuresb: hosts and certificates" {
	suite_frames 20 1024
	url=azuresb://t
	tls "$(artemis_tls_address "$BATS_FILE_TMPDIR")"
	SSL_CERT_FILE=/dev/null fails 1 'localhost:' "the server's certificate is not trusted: unable to get local issuer"
	tls no-such-host.invalid
	fails 1 'no-such-host.invalid:5671: Name or service not known'
	cd "$BATS_FILE_TMPDIR/pki"
	printf 'subjectAltName=DNS:*.servicebus.example,IP:127.0.0.9\n' >other.ext
	openssl req -new -key server.key -subj /CN=localhost -out other.csr
	openssl x509 -req -in other.csr -CA ca.crt -CAkey ca.key -days 1 -extfile other.ext -out other.crt
	cd "$BATS_TEST_TMPDIR"
	stand_in --tls "$BATS_FILE_TMPDIR/pki/other.crt" "$BATS_FILE_TMPDIR/pki/server.key"
	tls "localhost:$(cat sb/servicebus.port)"
	fails 1 'certificate is not one for "localhost"'
	tls "$(servicebus_address sb)"
	fails 1 'certificate is not one for "127.0.0.1"'
	servicebus_stop "$PWD/sb"
	stand_in
	tls "$(servicebus_address sb)"
	fails 1 'TLS: '
}

@test "azuresb: a busy server: slower, and nothing lost" {
	stand_in
	tell '{"fault": "reject", "skip": 300, "count": 200, "condition": "com.microsoft:server-busy", "description": "The request was terminated because the entity is being throttled."}'
	suite_frames 5000 1024
	suite_publish
	suite_ends
	cat err
	grep -q '127.0.0.1 has refused a message: com.microsoft:server-busy: The request was terminated' err
	grep -q 'accepts messages again' err
	[ "$(suite_metric retries_total)" = 200 ]
	stands '.faults == 200 and .connections == 1'
	sb_arrive 5000
}

@test "azuresb: messages that come back" {
	local kind
	stand_in
	for kind in release modify; do
		tell '{"fault": "'$kind'", "skip": 100, "count": 100}'
	done
	for condition in com.microsoft:timeout amqp:resource-limit-exceeded amqp:internal-error \
		com.microsoft:entity-disabled amqp:not-allowed; do
		tell '{"fault": "reject", "skip": 100, "count": 20, "condition": "'$condition'", "description": "x"}'
	done
	suite_frames 5000 1024
	suite_publish
	suite_ends
	stands '.faults == 300'
	sb_arrive 5000
}

@test "azuresb: links and connections that the server ends" {
	local condition
	stand_in
	for condition in amqp:link:detach-forced amqp:link:stolen com.microsoft:server-busy amqp:resource-deleted; do
		tell '{"fault": "detach", "skip": 300, "condition": "'$condition'", "description": "x"}'
	done
	tell '{"fault": "close", "skip": 300, "condition": "amqp:connection:forced", "description": "maintenance"}'
	tell '{"fault": "reject", "skip": 300, "condition": "amqp:unauthorized-access", "description": "the claim is gone"}'
	suite_frames 5000 1024
	suite_publish
	suite_ends
	cat err
	grep -q '127.0.0.1 has closed the link to "t": amqp:link:detach-forced: x (retrying)' err
	stands '.faults >= 6 and .connections == 7 and .tokens == 7'
	sb_arrive 5000
}

@test "azuresb: what nobody uses is closed by Service Bus, and that is no trouble" {
	stand_in
	suite_frames 20 1024
	mkfifo input
	input=input
	suite_publish
	exec 5>input
	cat "$frames" >&5
	wait_for 20 suite_acked_over 19
	tell '{"detach_all": "amqp:link:detach-forced", "description": "Detach origin: AmqpMessagePublisher.IdleTimerExpired: Idle timeout: 00:10:00."}'
	wait_for 20 servicebus_is sb '.connections == 2'
	exec 5>&-
	suite_ends
	[ ! -s err ]
}

@test "azuresb: a token is renewed before it ends" {
	stand_in
	url='azuresb://t?token-lifetime=4'
	suite_frames 300 1024
	mkfifo input
	input=input
	suite_publish
	exec 5>input
	cat "$frames" >&5
	wait_for 60 servicebus_is sb '.tokens >= 3'
	exec 5>&-
	suite_ends
	[ ! -s err ]
	stands '.connections == 1'
	sb_arrive 300
}

@test "azuresb: a signature made elsewhere, and its end" {
	local expiry token
	stand_in
	expiry=$(($(date +%s) + 6))
	token=$(/usr/bin/python3 - "$expiry" <<'END'
import base64, hashlib, hmac, sys, urllib.parse
sr = urllib.parse.quote("amqps://127.0.0.1/t", safe="").lower()
mac = hmac.new(b"c2VjcmV0S2V5PT0=", f"{sr}\n{sys.argv[1]}".encode(), hashlib.sha256).digest()
sig = urllib.parse.quote(base64.b64encode(mac), safe="")
print(f"SharedAccessSignature sr={sr}&sig={sig}&se={sys.argv[1]}&skn=RootManageSharedAccessKey")
END
	)
	SERVICEBUS_CONNECTION_STRING="Endpoint=sb://$(servicebus_address sb);SharedAccessSignature=$token"
	SERVICEBUS_CONNECTION_STRING+=";UseDevelopmentEmulator=true"
	suite_frames 20 1024
	mkfifo input
	input=input
	suite_publish --retry-timeout 3
	exec 5>input
	cat "$frames" >&5
	wait_for 20 suite_acked_over 19
	wait_for 30 grep -q 'amqp:unauthorized-access: ExpiredToken' err
	cat "$frames" >&5
	exec 5>&-
	suite_ends 1
	cat err
	grep -q 'the SharedAccessSignature is refused: 401 ExpiredToken' err
	no_secret <err
}

@test "azuresb: a server that gives no credit, and then some" {
	stand_in
	tell '{"set": {"credit": 0}}'
	suite_frames 300 1024
	suite_publish
	wait_for 60 grep -q '127.0.0.1 takes no messages for "t": it gives no credit' err
	[ "$(suite_acked)" = 0 ]
	tell '{"set": {"credit": 7}}'
	suite_ends
	stands '.connections == 1'
	sb_arrive 300
}

@test "azuresb: a message that is never answered, on a connection that lives" {
	stand_in
	tell '{"fault": "hang", "skip": 100}'
	suite_frames 300 1024
	suite_publish
	wait_for 90 grep -q 'no answer for 15 s to 1 messages' err
	suite_ends
	stands '.faults == 1 and .connections == 2'
	sb_arrive 300
}

@test "azuresb: a server that falls silent while there is nothing to send" {
	stand_in
	suite_frames 20 1024
	mkfifo input
	input=input
	suite_publish
	exec 5>input
	cat "$frames" >&5
	wait_for 20 suite_acked_over 19
	kill -STOP "$(cat sb/servicebus.pid)"
	wait_for 120 grep -q 'has sent nothing for 60 s' err
	kill -CONT "$(cat sb/servicebus.pid)"
	exec 5>&-
	suite_ends
	sb_arrive 20
}

@test "azuresb: the node for tokens does not answer" {
	stand_in
	tell '{"set": {"mute": true}}'
	suite_frames 20 1024
	suite_publish
	wait_for 60 grep -q 'has not answered for 20 s: putting the token' err
	tell '{"set": {"mute": false}}'
	suite_ends
	sb_arrive 20
}

@test "azuresb: too large, as the server says only then" {
	local n=1000
	stand_in
	tell '{"set": {"real_size": 200000}}'
	suite_large_records "$n" 200000 501 | "$kenvelope" -c c >frames
	frames=frames input=frames
	suite_publish --dead-letter dead
	suite_ends
	[ "$(suite_acked)" = "$n" ]
	grep -q 'refused a message: amqp:link:message-size-exceeded: The message' err
	"$consumer/after" 502 <frames | cmp -n "$(stat -c %s dead)" - dead
	[ -s dead ]
	# The same of a server that closes the link instead of refusing the message.
	rm -f dead acks err metrics
	tell '{"set": {"size_detaches": true}}'
	suite_publish --dead-letter dead
	suite_ends
	[ "$(suite_acked)" = "$n" ]
	cat err
	grep -q 'closed the link to "t": amqp:link:message-size-exceeded' err
	"$consumer/after" 502 <frames | cmp -n "$(stat -c %s dead)" - dead
	[ -s dead ]
}

@test "azuresb: a message that Service Bus cannot take is named" {
	stand_in
	tell '{"fault": "reject", "skip": 5, "condition": "com.microsoft:argument-error", "description": "no good"}'
	suite_frames 20 1024
	suite_publish --dead-letter dead
	suite_ends
	grep -q 'seq 6, .* refused a message: com.microsoft:argument-error: no good: kept in the dead-letter file' err
	[ "$("$kenvelope" --decode <dead | wc -l)" = 1 ]
}

@test "azuresb: a full address of Artemis, until there is room" {
	artemis_make "$BATS_FILE_TMPDIR" full
	topic=full url=azuresb://full
	plain "$(bus_address)"
	suite_frames 300 2048
	suite_publish
	wait_for 60 grep -q 'amqp:resource-limit-exceeded: .*"full" is full' err
	(until [ -e all ]; do artemis_read "$BATS_FILE_TMPDIR" full >>raw; done) 3>&- &
	suite_pids+=($!)
	suite_ends
	touch all
	wait "${suite_pids[-1]}"
	artemis_read "$BATS_FILE_TMPDIR" full >>raw
	bus_receive() { "$consumer/decode" <raw; }
	suite_arrives 300
}

@test "azuresb: no secret in what is said, not even when proton is asked to trace" {
	traced() { PN_TRACE_FRM=1 PN_TRACE_RAW=1 PN_TRACE_DRV=1 PN_LOG=all "$kpublish" "$url" <"$frames"; }
	bus_new quiet
	suite_frames 20 1024
	run -0 traced
	[ -z "$output" ]
	stand_in
	run -0 traced
	[ -z "$output" ]
}

@test "azuresb: a consumer of kollect 1.x reads what Artemis has kept, through the stand-in" {
	bus_new shop
	suite_frames 300 1024
	suite_publish
	suite_ends
	servicebus_start "$PWD/sb" --store "$artemis_user:$artemis_password@$(bus_address)" \
		--tls "$BATS_FILE_TMPDIR/pki/server.crt" "$BATS_FILE_TMPDIR/pki/server.key"
	tls "$(servicebus_address sb)"
	"$consumer/consumer" 'azuresb://shop?subscription=all' 300 >got
	# gocloud hands on what has come at once by several goroutines.
	"$consumer/arrived" --unordered "$frames" got
	all_taken() { [ "$(bus_count)" = 0 ]; }
	wait_for 20 all_taken
}
