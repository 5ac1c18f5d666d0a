# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every bus must show, once: each function suite_* below is a test, and prints its figures. A file test/real/BUS.bats
# loads this, calls suite_setup and suite_teardown from setup and teardown, calls each test from a @test of its own, and defines:
#
#   bus_start         the server up, with its files in $BATS_FILE_TMPDIR; also a restart on the same port with its data
#   bus_kill          SIGKILL, and wait for the end
#   bus_new NAME      a fresh topic NAME with a subscription that keeps everything; sets url, what kpublish is given, and
#                     from, the consumer's URL; exports the variables that both need
#   bus_address       prints HOST:PORT of the server
#   bus_via ADDRESS   exports variables, or sets url, so that kpublish goes to ADDRESS instead; runs in a shell of kpublish's own
#   bus_limit         prints the size of an Envelope over which the server refuses a message
#   bus_check_key     prints yes or no: does the consumer see one key's messages in order?
#
# and where the bus needs it
#
#   bus_via_port      prints the port that bus_via wants the proxy to have
#   bus_count         prints how many messages the server has of what bus_new made; then acks are compared with it
#   bus_receive N     prints N messages as lines of test/consumer, when the consumer cannot (core NATS keeps nothing)
#   bus_arrived       prints further options of arrived (--no-copies, --no-attributes)
# shellcheck disable=SC2094,SC2154 # frames are only read; url and from are set by bus_new

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# The most that kpublish may take: its window of 32 MiB twice, as the bus's library may have a copy, and itself.
suite_most_kib=98304
# What it may have read and not be done with: the window, the input's buffer, and what its metrics do not tell yet.
suite_most_undone=$((44 << 20))

suite_setup() {
	bats_require_minimum_version 1.5.0
	local bin
	bin=$(realpath "${BUILD:-$test_lib/../../build}")/bin
	kpublish=$bin/kpublish
	kenvelope=$bin/kenvelope
	consumer=$(server_path consumer) || return 1
	suite_pids=()
	via=
	cd "$BATS_TEST_TMPDIR" || return 1
	: >err
}

suite_teardown() {
	kill -KILL "${suite_pids[@]}" 2>/dev/null || true
	stop_server "$BATS_TEST_TMPDIR" proxy KILL
	[ -n "${BATS_TEST_COMPLETED-}" ] || { echo "what kpublish said:" && cat "$BATS_TEST_TMPDIR/err"; }
}

# --- the tests -------------------------------------------------------------------------------

# suite_all_arrive [N [BYTES]]: all of it, as fast as it goes; acks never ahead of the server.
suite_all_arrive() {
	local n=${1:-100000} acked count
	bus_new suite-all
	suite_frames "$n" "${2:-2048}"
	suite_publish
	while suite_runs; do
		acked=$(suite_acked)
		if [ -n "$(type -t bus_count)" ]; then
			count=$(bus_count)
			[ "$acked" -le "$count" ] || suite_fail "acks are at $acked, the server has $count"
		fi
		sleep 0.02
	done
	suite_ends
	suite_say "$n messages in $(suite_seconds) s, $((n * 1000000 / took))/s; peak $((peak / 1024)) MiB"
	suite_arrives "$n"
}

# suite_killed [N [BYTES]]: the server killed with messages on their way and more to come, and back.
suite_killed() {
	local n=${1:-50000} acked
	bus_new suite-killed
	suite_frames "$n" "${2:-2048}"
	suite_publish_gated "$n"
	wait_for 120 suite_acked_over $((n / 10))
	bus_kill
	acked=$(suite_acked)
	suite_open_gate
	wait_for 120 test -s err
	[ "$(suite_acked)" -lt "$n" ]
	bus_start
	if [ -n "$(type -t bus_count)" ]; then
		[ "$acked" -le "$(bus_count)" ] || suite_fail "$acked were acknowledged, the server kept $(bus_count)"
	fi
	suite_ends
	suite_say "killed at $acked of $n"
	suite_arrives "$n"
}

# suite_unreachable [N [BYTES]]: the same through the proxy, for a server that forgets all when it is killed.
suite_unreachable() {
	local n=${1:-50000} acked
	bus_new suite-unreachable
	suite_frames "$n" "${2:-2048}"
	suite_proxy
	suite_publish_gated "$n"
	wait_for 120 suite_acked_over $((n / 10))
	suite_tell refuse
	acked=$(suite_acked)
	suite_open_gate
	wait_for 120 test -s err
	[ "$(suite_acked)" -lt "$n" ]
	suite_tell pass
	suite_ends
	suite_say "unreachable at $acked of $n"
	suite_arrives "$n"
}

# suite_answers_lost [N [BYTES]]: messages reach the server, its answers do not come back, and then the connection is
# gone: they are sent again, with the same ids.
suite_answers_lost() {
	local n=${1:-20000} sent
	bus_new suite-answers
	suite_frames "$n" "${2:-2048}"
	suite_proxy
	suite_publish_gated "$n"
	wait_for 120 suite_acked_over $((n / 2 - 1))
	suite_tell hold
	sent=$(suite_stat bytes)
	suite_open_gate
	wait_for 120 suite_stat_over bytes $((sent + 20000))
	[ -z "$(type -t bus_count)" ] || wait_for 120 suite_count_over $((n / 2))
	suite_tell reset
	[ "$(suite_acked)" -eq $((n / 2)) ]
	suite_tell pass
	suite_ends
	suite_arrives "$n"
}

# suite_cut [N [BYTES]]: connections that end after any number of bytes, in a handshake or within a message.
suite_cut() {
	local n=${1:-20000}
	bus_new suite-cut
	suite_frames "$n" "${2:-2048}"
	suite_proxy
	suite_tell cut 1 20 200 2000 20000 200000 2000000
	suite_publish
	suite_ends
	[ "$(suite_stat cuts)" -eq 7 ]
	suite_say "cut $(suite_stat resets) connections in $(suite_seconds) s"
	suite_arrives "$n"
}

# suite_resets [N [BYTES]]: every two seconds, for ten seconds at least.
suite_resets() {
	local n=${1:-50000} resets
	bus_new suite-resets
	suite_frames "$n" "${2:-2048}"
	suite_proxy
	suite_tell throttle $(($(stat -c %s "$frames") / 10))
	suite_tell reset-every 2
	suite_publish
	suite_ends
	resets=$(suite_stat resets)
	[ "$resets" -ge 3 ] || suite_fail "only $resets connections were reset"
	suite_say "$resets connections reset in $(suite_seconds) s"
	suite_arrives "$n"
}

# suite_silent [N [BYTES]]: a server that accepts and never answers, at the start and then in the middle: said, and
# got over when it answers again, on new connections.
suite_silent() {
	local n=${1:-20000} said asked
	bus_new suite-silent
	suite_frames "$n" "${2:-2048}"
	suite_proxy
	suite_tell silent
	asked=$SECONDS
	suite_publish_gated "$n"
	wait_for 120 test -s err
	suite_say "silent at the start: said after $((SECONDS - asked)) s"
	[ "$(suite_acked)" -eq 0 ]
	suite_tell pass
	wait_for 240 suite_acked_over $((n / 10))
	suite_tell silent
	said=$(wc -l <err)
	asked=$SECONDS
	suite_open_gate
	wait_for 240 suite_said_more "$said"
	suite_say "silent in the middle: said after $((SECONDS - asked)) s"
	[ "$(suite_acked)" -lt "$n" ]
	suite_tell pass
	suite_ends
	suite_arrives "$n"
}

# suite_slow [N [BYTES [RATE]]]: N times BYTES is more than the window. RATE bytes a second, then as it likes.
suite_slow() {
	local n=${1:-12500} bytes=${2:-8192} acked finished place
	bus_new suite-slow
	suite_frames "$n" "$bytes"
	suite_proxy
	suite_tell throttle "${3:-1000000}"
	suite_publish
	wait_for 240 suite_acked_over $((4000000 / bytes))
	place=$(suite_place)
	# Acks may be behind: one message that is sent once more holds back those of others that are done.
	finished=$(suite_metric 'messages_total{result="acked"}')
	acked=$(suite_acked)
	[ $((place - finished * bytes)) -le "$suite_most_undone" ] ||
		suite_fail "$place bytes have been read, and $finished messages of $bytes were done"
	suite_runs
	suite_say "slow: $((place >> 20)) MiB read, $((acked * bytes >> 20)) MiB acknowledged; peak $((peak / 1024)) MiB"
	suite_tell throttle 0
	suite_ends
	[ "$peak" -le "$suite_most_kib" ] || suite_fail "kpublish took $peak KiB, and $suite_most_kib are allowed"
	suite_say "then all; peak $((peak / 1024)) MiB"
	suite_arrives "$n"
}

# suite_too_large [N]: some messages over the limit in the middle of small ones, and of their keys. Two fit when their `then` is
# shrunk, one without managedFields too, one never: it is in the dead-letter file. All are counted and acknowledged, and
# the others of their keys stay in order.
suite_too_large() {
	local n=${1:-2000} limit
	local middle=$((n / 2 + 1))
	bus_new suite-large
	limit=$(bus_limit)
	suite_large_records "$n" "$limit" "$middle" | "$kenvelope" -c c >frames
	frames=frames input=frames
	suite_publish --dead-letter dead
	suite_ends
	[ "$("$kenvelope" --decode <dead | wc -l)" -eq 1 ]
	"$consumer/after" $((middle + 1)) <frames | cmp -n "$(stat -c %s dead)" - dead
	[ "$(suite_metric shrunk_total)" -eq 3 ]
	[ "$(suite_metric 'messages_total{result="dead_letter"}')" -eq 1 ]
	[ "$(suite_metric 'messages_total{result="acked"}')" -eq $((n - 1)) ]
	suite_arrives "$n" $((n - 1)) --shrunk "$middle,$((middle + 1)),$((middle + 20))" --dead dead
	[ "$(jq -r 'select(.shrunk > 0) | "\(.seq):\(.shrunk)"' got | sort -u | tr '\n' ' ')" = \
		"$middle:1 $((middle + 1)):2 $((middle + 20)):1 " ]
	# The file is input again: for a bus that takes it, and once more for this one.
	"$kpublish" stdout: <dead | cmp dead
	"$kpublish" "$url" --dead-letter again <dead 2>>err
	cmp dead again
}

# suite_bad_server: nobody listens.
suite_bad_server() {
	local code=0
	bus_new suite-nobody
	suite_frames 100 1024
	via=127.0.0.1:$(free_port 1)
	suite_publish --retry-timeout 3
	suite_ends 1
	cat err
	# The second is cnats's word for it.
	grep -F "$via" err | grep -qiE 'refused|no server available' || suite_fail "$via and the cause are not said"
	grep -q 'has accepted no message for 3 s' err
	grep -q '100 messages are not acknowledged' err
}

# suite_killed_self [N [BYTES]]: kpublish killed, and run again with what has not been acknowledged.
suite_killed_self() {
	local n=${1:-50000} acked
	bus_new suite-self
	suite_frames "$n" "${2:-2048}"
	suite_publish_gated "$n"
	wait_for 120 suite_acked_over $((n / 10))
	kill -KILL "$publisher"
	suite_open_gate
	suite_ends 137
	acked=$(suite_acked)
	[ "$acked" -lt "$n" ]
	"$consumer/after" "$acked" <"$frames" >rest
	input=rest
	suite_publish
	suite_ends
	suite_say "killed at $acked of $n"
	suite_arrives "$n"
}

# --- what they are made of -------------------------------------------------------------------

# suite_say TEXT: a line of the test's output that is always shown.
suite_say() {
	echo "# ${BATS_TEST_FILENAME##*/}: $1" >&3
}

suite_fail() {
	echo "$1" >&2
	return 1
}

# suite_frames N BYTES: sets frames, a file of N frames of about BYTES each over N/100 keys; the same ones each time.
suite_frames() {
	local keys=$(($1 / 100))
	frames=$BATS_FILE_TMPDIR/frames-$1-$2
	input=$frames
	[ -e "$frames" ] || {
		# A frame is two states and 670 bytes.
		"$test_lib/../wire/records.py" "$1" $((keys > 10 ? keys : 10)) $(($2 > 870 ? ($2 - 670) / 2 : 100)) |
			"$kenvelope" -c c >"$frames.$BATS_TEST_NUMBER" && mv "$frames.$BATS_TEST_NUMBER" "$frames"
	}
}

# suite_large_records N LIMIT MIDDLE: N records over 20 keys. From the MIDDLE-th on there are one whose states are below LIMIT, but not
# both together, one that has too much in managedFields, one that is above it whatever is left out; and 20 further on
# one as the first, of the same key.
suite_large_records() {
	"$test_lib/../wire/records.py" "$1" 20 | jq -c --argjson limit "$2" --argjson middle "$3" '
		def much(part): "v" * ($limit * part | floor);
		if .seq == $middle or .seq == $middle + 20 then
			.["then"].spec.note = much(0.7) | .now.spec.note = much(0.7)
		elif .seq == $middle + 1 then
			.now.spec.note = much(0.7) | .now.metadata.managedFields = [{manager: much(0.5)}]
		elif .seq == $middle + 2 then
			.now.spec.note = much(1.2)
		else . end
		| if .["then"] then .thenBytes = (.["then"] | tojson | utf8bytelength) else . end
		| .nowBytes = (.now | tojson | utf8bytelength)'
}

# suite_publish [ARG...]: kpublish in the background with standard input from $input, through $via if that is set. Its
# pid is $publisher; acks, err and metrics are its files.
suite_publish() {
	began=${EPOCHREALTIME/[.,]/}
	peak=0
	(
		[ -z "$via" ] || bus_via "$via"
		exec "$kpublish" "$url" --ack-fd 4 --metrics metrics "$@" <"$input" 4>>acks 2>>err
	) 3>&- &
	publisher=$!
	suite_pids+=("$publisher")
}

# suite_publish_gated N: the same, with the second half of the N frames behind a gate.
suite_publish_gated() {
	local rest
	rest=$("$consumer/after" $(($1 / 2)) <"$frames" | wc -c)
	mkfifo input
	suite_feed "$frames" $(($(stat -c %s "$frames") - rest)) >input 3>&- &
	suite_pids+=($!)
	input=input
	suite_publish
}

# suite_feed FILE BYTES: the first BYTES of it, and the rest when the gate is open.
suite_feed() {
	head -c "$2" "$1"
	wait_for 600 test -e gate
	tail -c "+$(($2 + 1))" "$1"
}

suite_open_gate() {
	: >gate
}

# suite_runs: is kpublish still there? Keeps what it has taken at most, in KiB, in peak.
suite_runs() {
	local kib
	kib=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$publisher/status" 2>/dev/null)
	[ -n "$kib" ] || return 1
	peak=$kib
}

# suite_ends [CODE]: waits until kpublish has ended, with that exit code (default 0). Keeps the microseconds in took.
suite_ends() {
	local code=0
	wait_for 600 suite_has_ended
	wait "$publisher" || code=$?
	took=$((${EPOCHREALTIME/[.,]/} - began))
	[ "$code" -eq "${1:-0}" ] || suite_fail "kpublish ended with $code"
}

suite_has_ended() {
	! suite_runs
}

suite_seconds() {
	echo "$((took / 1000000)).$((took / 100000 % 10))"
}

# suite_arrives N [COUNT [OPTION...]]: N were acknowledged, COUNT (default N) are there, with the keys in order.
suite_arrives() {
	local n=$1 count=${2:-$1} options=("${@:3}")
	[ "$(suite_acked)" -eq "$n" ] || suite_fail "acks ended at $(suite_acked), not $n"
	if [ -n "$(type -t bus_receive)" ]; then
		bus_receive "$count" >got
	else
		"$consumer/consumer" "$from" "$count" >got
	fi
	[ "$(bus_check_key)" = yes ] || options+=(--unordered)
	if [ -n "$(type -t bus_arrived)" ]; then
		# shellcheck disable=SC2207 # one word an option
		options+=($(bus_arrived))
	fi
	"$consumer/arrived" "${options[@]}" "$frames" got >verdict || {
		cat verdict
		return 1
	}
	suite_say "$(cat verdict)"
}

# suite_acked: the last number on --ack-fd, 0 when there is none.
suite_acked() {
	local last
	last=$(tail -n 1 acks 2>/dev/null)
	echo "${last:-0}"
}

suite_acked_over() {
	[ "$(suite_acked)" -gt "$1" ]
}

suite_said_more() {
	[ "$(wc -l <err)" -gt "$1" ]
}

suite_metric() {
	sed -n "s/^kollect_kpublish_$1 //p" metrics
}

# suite_place: how far kpublish has read its file.
suite_place() {
	awk '/^pos:/ { print $2 }' "/proc/$publisher/fdinfo/0"
}

# suite_proxy: a proxy (test/consumer/proxy) in front of the server; kpublish goes there from now on.
suite_proxy() {
	local port=0
	[ -z "$(type -t bus_via_port)" ] || port=$(bus_via_port)
	rm -f proxy.at
	launch "$PWD" proxy "$consumer/proxy" --port "$port" proxy.socket proxy.at "$(bus_address)"
	wait_ready "$PWD" proxy 20 test -e proxy.at
	via=127.0.0.1:$(cat proxy.at)
}

# suite_tell COMMAND [ARGUMENT]: what the proxy is to do; counts when this returns.
suite_tell() {
	"$consumer/proxy" --tell proxy.socket "$@"
}

# suite_stat NAME: one of the proxy's numbers.
suite_stat() {
	suite_tell stats | jq ".$1"
}

suite_stat_over() {
	[ "$(suite_stat "$1")" -gt "$2" ]
}

suite_count_over() {
	[ "$(bus_count)" -gt "$1" ]
}
