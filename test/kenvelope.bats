#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # $0 is for the inner shell
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2059 # the bytes of frames are written as escapes
# shellcheck disable=SC2094 # frames are only read
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# shellcheck disable=SC2217 # sleep holds a FIFO open
# kenvelope through its standard input and output.

load lib/launch

setup() {
	bats_require_minimum_version 1.5.0
	kenvelope=$(realpath "${BUILD:-$BATS_TEST_DIRNAME/../build}")/bin/kenvelope
	golden=$BATS_TEST_DIRNAME/golden/kenvelope
	records=$BATS_TEST_DIRNAME/wire/records.py
	decode=$BATS_TEST_DIRNAME/wire/decode.py
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	kill "${background_pids[@]}" 2>/dev/null || true
}

# fails CODE TEXT ARGS...: with standard input, one line on standard error that has TEXT.
fails() {
	local code=$1 text=$2
	shift 2
	run --separate-stderr "-$code" "$kenvelope" "$@"
	echo "$stderr"
	[[ $stderr == "kenvelope: "*"$text"* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

# record N [FILTER]: the n-th golden record, changed by jq.
record() {
	sed -n "$1p" "$golden/records.ndjson" | jq -c "${2-.}"
}

@test "kenvelope: golden records become the golden frames, byte for byte" {
	"$kenvelope" <"$golden/records.ndjson" >frames
	cmp frames "$golden/frames.bin"
}

@test "kenvelope --decode: golden frames become the golden lines" {
	"$kenvelope" --decode <"$golden/frames.bin" >lines
	diff lines "$golden/decoded.ndjson"
	jq -e . <lines >/dev/null
	"$kenvelope" --decode --brief <"$golden/frames.bin" >brief
	diff brief "$golden/brief.txt"
}

@test "wire: Google's protobuf decodes our frames by the numbers of kollect 1.x" {
	"$decode" "$golden/frames.bin" "$golden/records.ndjson" 2f9a1c6e-0000-4000-8000-000000000001
	"$records" 1000 7 3000 >records
	"$kenvelope" --cluster-id 'a/b ü' <records >frames
	run -0 "$decode" frames records 'a/b ü'
	[ "$output" = "1000 frames are as their records" ]
}

@test "wire: states of every size around where a varint grows" {
	for size in 0 1 20 127 128 16200 16383 16384 70000 300000; do
		"$records" 2 1 "$size"
	done >records
	"$kenvelope" --cluster-id c <records >frames
	"$decode" frames records c
}

@test "kenvelope: members in any order, with white space and without lengths" {
	"$records" 30 3 >records
	"$kenvelope" -c c <records >want
	jq -c 'del(.thenBytes, .nowBytes)' <records | "$kenvelope" -c c >got
	cmp got want
	jq -c 'to_entries | reverse | from_entries' <records | "$kenvelope" -c c >got
	cmp got want
	sed 's/^{"seq":/ { "seq" : /; s/}$/ , "unknown" : [{}] } /' records | "$kenvelope" -c c >got
	cmp got want
}

@test "kenvelope: gaps: members in any order, unknown ends, ids that tell two of the whole cluster apart" {
	gap='{"seq":1,"type":"gap","stream":"/api/v1/pods?labelSelector=a%3Db","from":"12","to":"34","reason":"Expired","observedAt":"2026-11-23T10:15:00.5Z"}'
	id_of() { jq -c "$1" <<<"$gap" | "$kenvelope" -c c | "$kenvelope" -d | jq -r .id; }
	"$kenvelope" -c c <<<"$gap" >want
	jq -c 'to_entries | reverse | from_entries | .unknown = [1]' <<<"$gap" | "$kenvelope" -c c >got
	cmp got want
	jq -c 'del(.to, .from)' <<<"$gap" >no-ends
	"$kenvelope" -c c <no-ends >frames
	"$decode" frames no-ends c
	# What makes a gap of a stream the same one is where it begins and ends, not when it was seen.
	[ "$(id_of '.observedAt = "2026-11-23T10:16:00Z"')" = "$(id_of .)" ]
	[ "$(id_of '.to = "35"')" != "$(id_of .)" ]
	# Of one of the whole cluster nothing else is known.
	[ "$(id_of '.stream = ""')" = "$(id_of '.stream = "" | .seq = 2')" ]
	[ "$(id_of '.stream = "" | .observedAt = "2026-11-23T10:16:00Z"')" != "$(id_of '.stream = ""')" ]
}

@test "kenvelope: gaps and collapsed changes go through kpublish and are acknowledged" {
	kpublish=${kenvelope%kenvelope}kpublish
	sed 's/"seq":18446744073709551615/"seq":5/' "$golden/records.ndjson" >records
	"$kenvelope" <records >frames
	"$kpublish" "file:$PWD/bus" --ack-fd=5 <frames 5>acks
	cmp bus frames
	[ "$(tail -n 1 acks)" = 9 ]
	"$kenvelope" -d <bus | jq -c 'select(.payload["@type"] | endswith(".Gap"))' >gaps
	[ "$(wc -l <gaps)" -eq 3 ]
	jq -e -s 'all(.seq and .id and .payload.reason and (has("reference") | not))' gaps
	[ "$("$kenvelope" -d <bus | jq -r 'select(.collapsed) | "\(.seq) \(.collapsed)"')" = "9 41" ]
}

@test "kenvelope: lengths that lie are found out" {
	"$records" 30 3 >records
	"$kenvelope" -c c <records >want
	for lie in 0 1 2 100 99999999999999999999 18446744073709551615; do
		sed "s/\"nowBytes\":[0-9]*/\"nowBytes\":$lie/" records >lies
		if [ ${#lie} -lt 20 ] || [ "$lie" = 18446744073709551615 ]; then
			"$kenvelope" -c c <lies >got
			cmp got want
		else
			fails 1 'expected a whole number' -c c <lies
		fi
	done
	sed 's/"thenBytes":/"thenBytes":1/' records | "$kenvelope" -c c >got
	cmp got want
}

@test "kenvelope: records wait for the namespace that names the cluster" {
	{ sed -n 2,4p "$golden/records.ndjson" && sed -n 1p "$golden/records.ndjson"; } |
		"$kenvelope" | "$kenvelope" --decode >lines
	[ "$(jq -r .payload.clusterId lines | sort -u)" = 2f9a1c6e-0000-4000-8000-000000000001 ]
	[ "$(jq -r .seq lines | tr '\n' ' ')" = "2 3 4 1 " ]
	# Another object of that name does not name it.
	record 1 '.kind = "Pod"' | fails 1 'no cluster id: set --cluster-id'
	record 1 '.apiVersion = "v2"' | fails 1 'no cluster id: set --cluster-id'
	[ -z "$output" ]
}

@test "kenvelope: no more than 64 MiB wait for the cluster id" {
	"$records" 700 700 100000 | fails 1 'no cluster id in the first 64 MiB: set --cluster-id'
	[ -z "$output" ]
}

@test "kenvelope: bad lines are named; fail stops behind what was good, skip goes on" {
	"$records" 2 1 >good
	local bad=('nonsense' '{"seq":1' '[]' '""' '' '{}' '{"type":"created"}'
		"$(head -c 100000 /dev/zero | tr '\0' '[')"
		"$(record 3 '.type = "removed"')" "$(record 3 'del(.uid)')" "$(record 3 '.uid = ""')"
		"$(record 3 '.name = 7')" "$(record 3 'del(.then)')" "$(record 2 '.then = {}')"
		"$(record 3 '.appliesAt = "yesterday"')" "$(record 3 '.seq = -1')"
		"$(record 3 '.now = "text"')" "$(record 3 '.name = "a\u0000b"')"
		"$(record 6 'del(.stream)')" "$(record 6 'del(.reason)')" "$(record 6 'del(.observedAt)')"
		"$(record 6 '.now = {}')" "$(record 6 '.from = 12')" "$(record 3 '.collapsed = "3"')"
		"$(record 3 | sed 's/"kind"/"uid":"x","kind"/')" "$(record 3) x"
		"$(record 3 | sed $'s/"web"/"w\\xffb"/')")
	for line in "${bad[@]}"; do
		{ head -n 1 good && printf '%s\n' "$line" && tail -n 1 good; } >records
		fails 1 'line 2, byte ' -c c <records
		"$kenvelope" -c c <records 2>/dev/null | "$kenvelope" -d >lines || true
		[ "$(jq -r .seq lines)" = 1 ]
		run --separate-stderr -0 "$kenvelope" -c c --on-error=skip <records
		[[ $stderr == "kenvelope: line 2, byte "* ]]
		"$kenvelope" -c c --on-error=skip <records 2>/dev/null | "$kenvelope" -d >lines
		[ "$(jq -r .seq lines | tr '\n' ' ')" = "1 2 " ]
	done
}

@test "kenvelope: a NUL byte in a line" {
	"$records" 2 1 | sed '1s/web-0/web\x00/' | fails 1 'line 1, byte ' -c c
}

@test "kenvelope: the last line without its end" {
	"$records" 2 1 >records
	head -c -1 records | "$kenvelope" -c c >got # only the newline lacks
	"$kenvelope" -c c <records | cmp got -
	head -c -9 records | fails 1 'line 2 (from byte ' -c c
	run --separate-stderr -0 "$kenvelope" -c c --on-error=skip < <(head -c -9 records)
	[[ $stderr == *"the input ends within it" ]]
}

@test "kenvelope: 20 MiB pass, a line over 64 MiB does not" {
	"$records" 1 1 20000000 >records
	"$kenvelope" -c c <records >frames
	"$decode" frames records c
	"$kenvelope" --decode <frames | cmp -n 100 - <("$kenvelope" --decode <frames)
	{ "$records" 1 && "$records" 1 1 68000000 && "$records" 2 1 | tail -n 1; } >records
	fails 1 'line 2, byte 1: the line is over 64 MiB' -c c <records
	"$kenvelope" -c c --on-error=skip <records 2>/dev/null | "$kenvelope" -d |
		jq -r .seq | tr '\n' ' ' >seqs
	[ "$(cat seqs)" = "1 2 " ]
}

@test "kenvelope: what has come in goes out, though the input stays open" {
	mkfifo in
	"$kenvelope" -c c <in >frames &
	background_pids=($!)
	exec 5>in
	"$records" 3 >&5
	"$records" 3 | "$kenvelope" -c c >want
	wait_for 10 cmp -s frames want
	exec 5>&-
	wait "${background_pids[0]}"
}

@test "kenvelope: SIGTERM ends it well behind whole lines" {
	mkfifo in
	"$kenvelope" -c c <in >frames &
	background_pids=($!)
	exec 5>in
	"$records" 3 >&5
	printf '{"seq":4,' >&5
	"$records" 3 | "$kenvelope" -c c >want
	wait_for 10 cmp -s frames want
	kill -TERM "${background_pids[0]}"
	wait "${background_pids[0]}"
	cmp frames want
	exec 5>&-
}

@test "kenvelope: a reader that has gone is no news; a full disk is" {
	"$records" 300 1 20000 >records
	set +o pipefail
	("$kenvelope" -c c <records 2>err && echo 0 || echo $? >code) | head -c 10 >/dev/null
	[ "$(cat code)" = 1 ]
	[ ! -s err ]
	run --separate-stderr -1 bash -c '"$0" -c c <records >/dev/full' "$kenvelope"
	[ "$stderr" = "kenvelope: cannot write: No space left on device" ]
	"$kenvelope" -c c <records >frames
	run --separate-stderr -1 bash -c '"$0" -d <frames >/dev/full' "$kenvelope"
	[ "$stderr" = "kenvelope: cannot write: No space left on device" ]
}

@test "kenvelope: metrics" {
	{ "$records" 12 10 && echo bad; } |
		"$kenvelope" -c c --on-error=skip --metrics m >frames 2>/dev/null
	grep -qx 'kollect_kenvelope_records_total{type="created"} 10' m
	grep -qx 'kollect_kenvelope_records_total{type="updated"} 2' m
	grep -qx 'kollect_kenvelope_bad_records_total 1' m
	"$kenvelope" -d --metrics m <frames >/dev/null
	grep -qx 'kollect_kenvelope_frames_total 12' m
}

@test "kenvelope: wrong usage is exit 2" {
	run -2 "$kenvelope" --no-such-option
	fails 2 'takes no arguments' file </dev/null
	fails 2 '--brief goes with --decode' --brief </dev/null
	fails 2 '--cluster-id' -c '' </dev/null
	fails 2 '--cluster-id' -c $'a\nb' </dev/null
	fails 2 '--cluster-id' -c c -d </dev/null
	run --separate-stderr -0 "$kenvelope" --help
	[[ $output == "Usage: kenvelope"* ]]
	run --separate-stderr -0 "$kenvelope" --version
	[[ $output == "kenvelope (kollect) "* ]]
}

@test "kenvelope --decode: frames that are none" {
	"$records" 2 | "$kenvelope" -c c >frames
	first=$("$records" 1 | "$kenvelope" -c c | wc -c)
	# cut short
	head -c -3 frames >bad
	fails 1 "byte $first: the input ends within a frame" -d <bad
	[ "$(jq -r .seq <<<"$output")" = 1 ]
	# a length over 64 MiB, a length that is no varint: nothing can follow
	{ cat frames && printf '\xff\xff\xff\xff\x7f' && cat frames; } >bad
	fails 1 "byte $(stat -c %s frames): no frame begins here" -d --on-error=skip <bad
	[ "${#lines[@]}" -eq 2 ]
	{ cat frames && printf '\xff%.0s' {1..11}; } | fails 1 'no frame begins here' -d
	# a frame of something else
	{ printf '\x03\x0a\x05x' && cat frames; } >bad
	fails 1 'byte 0: a frame of 3 bytes is no kollect.event.v1.Envelope' -d <bad
	run --separate-stderr -0 "$kenvelope" -d --on-error=skip <bad
	[ "${#lines[@]}" -eq 2 ]
	"$records" 1 | fails 1 'byte 0: ' -d
}

@test "kenvelope --decode: bytes that are no JSON, payloads that are unknown" {
	# id "x", payload: Any of ResourceCreatedEvent with resource {"a" 1}
	url=type.googleapis.com/kollect.resource.event.v1.ResourceCreatedEvent
	{ printf '\x55\x0a\x01x\x22\x50\x0a\x43%s' "${url}x" && printf '\x12\x09\x12\x07{"a" 1}'; } >unknown
	run -0 "$kenvelope" -d <unknown
	[ "$(jq -r '.payload["@type"]' <<<"$output")" = "${url}x" ]
	[ "$(jq -r .payload.value <<<"$output" | base64 -d | od -An -c | tr -d ' ')" = '022\a{"a"1}' ]
	{ printf '\x54\x0a\x01x\x22\x4f\x0a\x42%s' "$url" && printf '\x12\x09\x12\x07{"a" 1}'; } >bad
	run -0 "$kenvelope" -d <bad
	[ "$(jq -r .payload.resource <<<"$output" | base64 -d)" = '{"a" 1}' ]
	{ printf '\x54\x0a\x01x\x22\x4f\x0a\x42%s' "$url" && printf '\x12\x09\x12\x07{"a":\n}'; } >bad
	run -0 "$kenvelope" -d <bad
	[ "$(jq -r .payload.resource <<<"$output" | base64 -d)" = $'{"a":\n}' ]
	{ printf '\x54\x0a\x01x\x22\x4f\x0a\x42%s' "$url" && printf '\x12\x09\x12\x07[1,\n2]\n'; } >ok
	run -0 "$kenvelope" -d <ok
	[ "${#lines[@]}" -eq 1 ]
	[ "$(jq -c .payload.resource <<<"$output")" = '[1,2]' ]
}

@test "kenvelope --decode: what has been left out is named" {
	run -0 "$kenvelope" -d < <(printf '\x06\x0a\x01i\xa0\x01\x01\x06\x0a\x01i\xa0\x01\x02\x06\x0a\x01i\xa0\x01\x07')
	[ "${lines[0]}" = '{"id":"i","shrunk":"SHRUNK_THEN"}' ]
	[ "${lines[1]}" = '{"id":"i","shrunk":"SHRUNK_MANAGED_FIELDS"}' ]
	[ "${lines[2]}" = '{"id":"i","shrunk":7}' ] # a form that is not known yet
}

@test "kenvelope --decode --brief: colour on a terminal alone, and not with NO_COLOR" {
	in_terminal() {
		/usr/bin/python3 -c 'import pty, sys; sys.exit(pty.spawn(["sh", "-c", sys.argv[1]]))' \
			"'$kenvelope' --decode --brief <'$golden/frames.bin'"
	}
	[[ $(in_terminal) == *$'\e[32mcreated\e[0m Deployment shop/web'* ]]
	NO_COLOR=1 in_terminal >plain
	run ! grep -q $'\e' plain
	grep -q '2026-11-23 10:15:00 created Namespace kube-system' plain
}
