#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # url and from are read by lib/bus.bash
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2094 # frames are only read
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# kpublish to a real RabbitMQ.

load ../lib/servers
load ../lib/bus

bus_start() { rabbit_start "$BATS_FILE_TMPDIR"; }
bus_kill() { rabbit_kill "$BATS_FILE_TMPDIR"; }
bus_address() { rabbit_address "$BATS_FILE_TMPDIR"; }
bus_via() { export RABBIT_SERVER_URL="amqp://$rabbit_user:$rabbit_password@$1?heartbeat=2"; }
bus_limit() { echo "$rabbit_max_bytes"; }
bus_check_key() { echo yes; }
bus_count() { rabbit_cli "$BATS_FILE_TMPDIR" count "$name"; }

bus_new() {
	make_exchange "$1"
	from=rabbit://$name
}

setup_file() {
	rabbit_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	rabbit_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
	records=$BATS_TEST_DIRNAME/../wire/records.py
	check=$BATS_TEST_DIRNAME/../wire/delivered.py
	server=$BATS_FILE_TMPDIR
	[ -e "$server/rabbit.pid" ] || rabbit_start "$server" # a test that failed had killed it
	RABBIT_SERVER_URL=$(rabbit_url "$server")
	export RABBIT_SERVER_URL
	background_pids=()
	make_exchange "$BATS_TEST_NUMBER"
}

teardown() {
	kill -KILL "${background_pids[@]}" 2>/dev/null || true
	suite_teardown
	# Whatever a test was about, it has told nobody the password.
	! grep -rlF "$rabbit_password" "$BATS_TEST_TMPDIR"
}

# make_exchange NAME [ARGUMENT...]
# A fanout exchange, and a queue of its name and with these arguments, bound to it. Sets $name,
# and $url: what kpublish is given.
make_exchange() {
	name=test-$1
	url=rabbit://$name
	rabbit_cli "$server" exchange "$name" fanout
	rabbit_cli "$server" queue "$name" "$name" "${@:2}"
}

make_frames() {
	"$records" "$@" | "$kenvelope" -c c
}

# publish FRAMES [OPTION...]: in the background, with acks, m (metrics) and err.
publish() {
	"$kpublish" "$url" --ack-fd 3 --metrics m "${@:2}" 3>acks <"$1" 2>err &
	background_pids+=($!)
	publisher=$!
}

# All of FRAMES is in the queue, in order.
arrived() {
	rabbit_cli "$server" read "$name" >messages
	"$check" messages "$1"
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

metric_is() {
	[ "$(metric "$1")" = "$2" ]
}

# given_up URL MESSAGE: after two seconds kpublish has given up on this server with that message.
given_up() {
	RABBIT_SERVER_URL=$1 run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 2 <frames
	echo "$stderr" | tee -a err
	[[ ${stderr_lines[0]} == *"$url: "*"$2"*' (retrying)' ]]
	[[ ${stderr_lines[-2]} == *"$url: has accepted no message for 2 s: "*"$2"* ]]
	[[ ${stderr_lines[-1]} == *'3 messages are not acknowledged' ]]
}

# refused URL MESSAGE: kpublish does not even begin.
refused() {
	RABBIT_SERVER_URL=$1 run --separate-stderr -2 "$kpublish" "${url}" <frames
	echo "$stderr" | tee -a err
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "kpublish: "*"$2"* ]]
}

@test "rabbit: all arrive" {
	suite_all_arrive
}

@test "rabbit: the server is killed, and comes back" {
	suite_killed 40000
}

@test "rabbit: connections are reset" {
	suite_resets
}

@test "rabbit: a server that never answers" {
	suite_silent
}

@test "rabbit: a slow server slows the reading" {
	suite_slow
}

@test "rabbit: too large" {
	suite_too_large
}

@test "rabbit: nobody listens" {
	suite_bad_server
}

@test "rabbit: kpublish is killed" {
	suite_killed_self 40000
}

@test "rabbit: key, headers and properties" {
	make_frames 2000 300 1000 >frames
	publish frames
	wait "$publisher"
	[ "$(last_ack)" = 2000 ]
	[ ! -s err ]
	metric_is connected 1
	run -0 arrived frames
	[ "$output" = "2000 messages, 0 copies" ]
	head -n 1 messages | jq -e '
		.headers == {id: .properties.message_id,
			type: "kollect.resource.event.v1.ResourceCreatedEvent", cluster_id: "c",
			api_version: "apps/v1", kind: "Deployment", namespace: "shop", name: .headers.name}
		and .key == "c/00000000-0000-4000-8000-000000000000"
		and .properties.delivery_mode == 2
		and .properties.content_type == "application/x-protobuf"'
}

@test "rabbit: a broker with a quorum queue killed in the middle, and back" {
	make_exchange quorum x-queue-type=quorum
	make_frames 40000 500 300 >frames
	publish frames
	wait_for 60 at_least 4000 last_ack
	rabbit_kill "$server"
	acked=$(last_ack)
	[ "$acked" -lt 40000 ]
	wait_for 30 grep -Eq 'closed the connection|reset by peer' err
	wait_for 10 metric_is connected 0
	rabbit_start "$server"
	wait "$publisher"
	[ "$(last_ack)" = 40000 ]
	grep -q 'accepts messages again' err
	arrived frames
}

@test "rabbit: connections closed by the broker each second: nothing lost, order kept" {
	make_frames 60000 500 300 >frames
	rabbit_ctl "$server" eval 'spawn(fun() -> register(closer, self()), (fun Loop() -> receive stop -> ok
		after 1000 -> rabbit_networking:close_connections(rabbit_networking:connections(), "because of a test"),
			Loop() end end)() end).'
	publish frames
	wait "$publisher"
	rabbit_ctl "$server" eval 'closer ! stop.'
	[ "$(last_ack)" = 60000 ]
	grep -q '320 CONNECTION_FORCED - because of a test' err
	[ "$(metric retries_total)" -gt 0 ]
	arrived frames
}

@test "rabbit: who is not let in is told so, and given up when asked to" {
	make_frames 3 >frames
	at=$(rabbit_address "$server")
	given_up "amqp://$rabbit_user:wrong-$rabbit_password@$at" \
		"amqp://$at: does not let the user \"$rabbit_user\" in: 403 ACCESS_REFUSED"
	given_up "$RABBIT_SERVER_URL/nowhere" "amqp://$at/nowhere: 530 NOT_ALLOWED - vhost nowhere not found"
	given_up amqp://127.0.0.1:1 'amqp://127.0.0.1:1: Connection refused'
	given_up amqp://no.such.host.invalid 'amqp://no.such.host.invalid:5672: '
	url=rabbit://missing
	given_up "$RABBIT_SERVER_URL" "amqp://$at: 404 NOT_FOUND - no exchange 'missing' in vhost '/'"
}

@test "rabbit: a user who may not write" {
	make_frames 3 >frames
	at=$(rabbit_address "$server")
	rabbit_ctl "$server" add_user reader 'p/ä:@,?'
	rabbit_ctl "$server" set_permissions reader '.*' '' '.*'
	given_up "amqp://reader:p%2F%C3%A4%3a%40%2C%3f@$at" \
		"access to exchange '$name' in vhost '/' refused for user 'reader'"
	[[ $stderr == *"amqp://$at: 403 ACCESS_REFUSED - "* ]]
}

@test "rabbit: URLs that are wrong usage, or wrong" {
	make_frames 3 >frames
	refused '' 'set RABBIT_SERVER_URL'
	refused "http://$rabbit_password@h" 'URL 1 is wanted as amqp://'
	refused "amqp://h,amqp://u:$rabbit_password?x=y@h" 'URL 2 '
	refused 'amqp://h?no=thing' 'heartbeat, connection_timeout, '
	refused 'amqps://h?cacertfile=/nowhere' 'cacertfile /nowhere: No such file'
	url=rabbit:// refused amqp://h 'names no exchange'
}

@test "rabbit: of several brokers, one that can be reached; every way to write the vhost" {
	make_frames 3 >frames
	RABBIT_SERVER_URL=amqp://127.0.0.1:1,$RABBIT_SERVER_URL/ publish frames
	wait "$publisher"
	RABBIT_SERVER_URL="${RABBIT_SERVER_URL/127.0.0.1/localhost}/%2f?heartbeat=3" publish frames
	wait "$publisher"
	[ "$(rabbit_cli "$server" count "$name")" = 6 ]
}

@test "rabbit: TLS, with the CA; an unknown CA, another name, no TLS there" {
	make_frames 3 >frames
	tls=$(rabbit_tls_url "$server")
	RABBIT_SERVER_URL="$tls?cacertfile=$server/pki/ca.crt" publish frames
	wait "$publisher"
	RABBIT_SERVER_URL="$(rabbit_tls_url "$server" localhost)?cacertfile=$server/pki/ca.crt" publish frames
	wait "$publisher"
	[ ! -s err ]
	[ "$(rabbit_cli "$server" count "$name")" = 6 ]

	at=amqps://$(rabbit_address "$server" tls)
	given_up "$tls" "$at: the server's certificate is not trusted: "
	given_up "$tls?cacertfile=$server/pki/ca.crt&server_name_indication=other" \
		"$at: the server's certificate is not one for \"other\""
	at=amqps://$(rabbit_address "$server")
	given_up "$at" "$at: TLS: the server does not speak it here"

	RABBIT_SERVER_URL="$tls?verify=verify_none" publish frames
	wait "$publisher"
	grep -q verify_none err
}

@test "rabbit: a user by certificate" {
	make_frames 3 >frames
	at=$(rabbit_address "$server" tls)
	query="cacertfile=$server/pki/ca.crt&certfile=$server/pki/admin.crt&keyfile=$server/pki/admin.key"
	rabbit_ctl "$server" add_user test-admin unused
	rabbit_ctl "$server" set_permissions test-admin '.*' '.*' '.*'
	RABBIT_SERVER_URL="amqps://$at?$query&auth_mechanism=external" publish frames
	wait "$publisher"
	[ "$(rabbit_cli "$server" count "$name")" = 3 ]
	given_up "amqps://$at?cacertfile=$server/pki/ca.crt&auth_mechanism=external" \
		"amqps://$at: 403 ACCESS_REFUSED - Login was refused using authentication mechanism EXTERNAL"
}

@test "rabbit: much by TLS" {
	make_frames 20000 300 1000 >frames
	RABBIT_SERVER_URL="$(rabbit_tls_url "$server")?cacertfile=$server/pki/ca.crt" publish frames
	wait "$publisher"
	[ "$(last_ack)" = 20000 ]
	arrived frames
}

@test "rabbit: what no queue takes waits until one does" {
	make_frames 2000 100 >frames
	rabbit_cli "$server" unbind "$name" "$name"
	publish frames
	wait_for 20 grep -q 'no queue is bound for the routing key "c/.*": 312 NO_ROUTE' err
	[ ! -s acks ]
	rabbit_cli "$server" queue "$name" "$name"
	wait "$publisher"
	[ "$(last_ack)" = 2000 ]
	arrived frames
}

@test "rabbit: an exchange that goes away in the middle, and comes back" {
	make_frames 100 >frames
	mkfifo in
	publish in
	exec 4>in
	cat frames >&4
	wait_for 20 at_least 100 last_ack
	rabbit_cli "$server" delete-exchange "$name"
	make_frames 200 | tail -c +$(($(wc -c <frames) + 1)) >rest
	cat rest >&4
	wait_for 20 grep -q "404 NOT_FOUND - no exchange '$name'" err
	[ "$(last_ack)" = 100 ]
	rabbit_cli "$server" exchange "$name" fanout
	rabbit_cli "$server" queue "$name" "$name"
	exec 4>&-
	wait "$publisher"
	[ "$(last_ack)" = 200 ]
	cat frames rest >all
	arrived all
}

@test "rabbit: a full queue refuses: what it refuses is sent again, in order" {
	make_exchange full x-max-length=1000 x-overflow=reject-publish
	make_frames 5000 20 >frames
	publish frames
	wait_for 20 grep -q 'a queue has refused a message' err
	[ "$(last_ack)" -lt 5000 ]
	rabbit_cli "$server" read "$name" 5000 >messages # which makes room
	"$check" messages frames
	wait "$publisher"
	[ "$(last_ack)" = 5000 ]
}

@test "rabbit: a broker low on memory blocks: said, nothing sent, nothing lost" {
	make_frames 12000 4000 4000 >frames # 100 MB
	mkfifo in
	(cat frames >in && touch all-read) &
	background_pids+=($!)
	rabbit_ctl "$server" set_vm_memory_high_watermark 0.0001
	publish in
	wait_for 30 grep -q 'the broker has blocked publishers: low on memory' err
	window_is_full() { at_least 30000000 metric window_bytes; }
	wait_for 20 window_is_full
	[ ! -s acks ]
	[ ! -e all-read ]
	run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 3 <frames
	[[ $stderr == *'has accepted no message for 3 s: '*'blocked publishers: low on memory'* ]]
	peak=$(awk '/VmHWM/ {print $2}' "/proc/$publisher/status")
	rabbit_ctl "$server" set_vm_memory_high_watermark 0.4
	wait "$publisher"
	[ "$(last_ack)" = 12000 ]
	echo "# peak memory while blocked: $peak KiB" >&3
	[ "$peak" -lt 98304 ]
	[ "$(rabbit_cli "$server" count "$name")" -ge 12000 ]
	rabbit_cli "$server" delete-queue "$name"
}

@test "rabbit: a broker that hangs is found out by its heartbeat" {
	make_frames 30000 300 >frames
	RABBIT_SERVER_URL="$RABBIT_SERVER_URL?heartbeat=1" publish frames
	wait_for 30 at_least 1000 last_ack
	kill -STOP "$(cat "$server/rabbit.pid")"
	wait_for 30 grep -q 'nothing was heard from the broker for 2 s' err
	wait_for 10 metric_is connected 0
	kill -CONT "$(cat "$server/rabbit.pid")"
	wait "$publisher"
	[ "$(last_ack)" = 30000 ]
	arrived frames
}

@test "rabbit: a broker that is there and confirms nothing" {
	make_frames 100 >first
	make_frames 200 >frames
	suite_proxy
	mkfifo in
	RABBIT_SERVER_URL="amqp://$rabbit_user:$rabbit_password@$via?heartbeat=0" publish in
	exec 4>in
	cat first >&4
	wait_for 20 at_least 100 last_ack
	suite_tell hold
	tail -c +$(($(wc -c <first) + 1)) frames >&4
	exec 4>&-
	wait_for 60 grep -q 'no answer for 15 s to ' err
	[ "$(last_ack)" = 100 ]
	suite_tell pass
	wait "$publisher"
	arrived frames
}

@test "rabbit: a server that accepts and never answers" {
	make_frames 3 >frames
	port=$(free_port 1)
	launch "$PWD" silent python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)' "$port"
	listens() { ss -Hltn "sport = :$port" | grep -q .; }
	wait_for 10 listens
	given_up "amqp://127.0.0.1:$port?connection_timeout=500" \
		"amqp://127.0.0.1:$port: no answer for 500 ms (waiting for its first word)"
	given_up "amqps://127.0.0.1:$port?connection_timeout=500" \
		"amqps://127.0.0.1:$port: no answer for 500 ms (connecting)"
	stop_server "$PWD" silent
}

@test "rabbit: too large for the broker: that one to the dead-letter file, the rest in order" {
	"$records" 3000 20 >small
	"$records" 1 1 "$rabbit_max_bytes" | sed 's/"uid":"0/"uid":"1/' >large
	{ head -n 1500 small && cat large && tail -n 1500 small && cat large; } | "$kenvelope" -c c >frames
	publish frames --dead-letter dead
	wait "$publisher"
	cat err
	[ "$(grep -c "are over the broker's max_message_size of $rabbit_max_bytes: kept" err)" = 2 ]
	[ "$(wc -l <err)" = 2 ]
	metric_is 'messages_total{result="dead_letter"}' 2
	"$kenvelope" -c c <small >want
	arrived want

	# Such a file is published like any other, where the broker takes it.
	rabbit_ctl "$server" eval "persistent_term:put(max_message_size, 10000000), \
		application:set_env(rabbit, max_message_size, 10000000)."
	publish dead
	wait "$publisher"
	rabbit_ctl "$server" eval "persistent_term:put(max_message_size, $rabbit_max_bytes), \
		application:set_env(rabbit, max_message_size, $rabbit_max_bytes)."
	rabbit_cli "$server" read "$name" --frames >again
	cmp dead again
}

@test "rabbit: headers that fit in no frame" {
	"$records" 3 3 >records
	printf '2s/"name":"web-1","resourceVersion"/"name":"%0140000d","resourceVersion"/\n' 0 >script
	sed -f script records | "$kenvelope" -c c >frames
	publish frames --dead-letter dead
	wait "$publisher"
	metric_is 'messages_total{result="dead_letter"}' 1
	[ "$(rabbit_cli "$server" count "$name")" = 2 ]
}
