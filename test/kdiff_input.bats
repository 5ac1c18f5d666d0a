#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output: the forms that input comes in, bad ones too.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() { kdiff_teardown; }

# ---- kubectl's form ----

# The objects of a recording as kubectl's first event: a List of all, indented.
as_list() {
	jq --indent 4 -s '{type: "ADDED", object: {apiVersion: "v1", items: [.[] | select(.type == "ADDED") | .object],
		kind: "List", metadata: {resourceVersion: ""}}}' "$@"
}

@test "kubectl: indented events" {
	jq --indent 4 . "$streams/kubectl-configmaps.json" >in
	kd
	ends_with 0
	quiet
	# jq writes some escapes in another way than the API server
	normal <out | jq -c 'del(.thenBytes, .nowBytes)' | diff -u - <(
		jq -c 'del(.thenBytes, .nowBytes)' "$root/test/golden/kdiff/kubectl-configmaps.json"
	)
}

@test "kubectl: the first event is a List of everything, indented or on one line" {
	as_list "$streams/raw-pods-watch.ndjson" "$streams/raw-namespaces-watchlist.ndjson" >in
	jq -r '.object.items[].metadata | "created \(.name) \(.resourceVersion)"' in >want
	echo 'updated the-end 99999' >>want
	uid=$(jq -r '.object.items[-1].metadata.uid' in)
	event MODIFIED the-end 99999 "$uid" Namespace | jq --indent 4 . >>in
	kd --metrics metrics
	ends_with 0
	[ "$(wc -l <want)" -gt 8 ]
	records_are <want
	[ "$(metric 'kollect_kdiff_events_total{type="ADDED"}')" = $(($(wc -l <want) - 1)) ]
	normal <out >indented
	jq -c . in >line
	mv line in
	kd
	normal <out | diff -u indented -
}

@test "a PodList whose items lack kind and apiVersion" {
	printf '%s\n' '{"type":"ADDED","object":{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a","uid":"u1","resourceVersion":"1"}},{"metadata":{"name":"b","uid":"u2","resourceVersion":"2"}}]}}' >in
	kd
	ends_with 0
	printf 'created a 1\ncreated b 2\n' | records_are
	[ "$(jq -c .now out | head -n 1)" = '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u1","resourceVersion":"1"}}' ]
}

@test "a List of more than 4 MiB, indented and on one line, and what follows it" {
	python3 - >in <<-'PY'
		import json
		pad = "x" * 2000
		items = [{"apiVersion": "v1", "data": {"pad": pad}, "kind": "ConfigMap", "metadata": {
		    "name": "c%d" % i, "namespace": "shop", "uid": "u%d" % i, "resourceVersion": str(i + 1)}}
		    for i in range(4000)]
		print(json.dumps({"type": "ADDED", "object": {"apiVersion": "v1", "items": items,
		    "kind": "List", "metadata": {"resourceVersion": ""}}}, indent=4))
	PY
	event ADDED after 9999 >>in
	kd
	ends_with 0
	quiet
	[ "$(wc -l <out)" = 4001 ]
	[ "$(tail -n 1 out | jq -r .name)" = after ]
	normal <out >indented
	jq -c . in >line
	mv line in
	[ "$(head -n 1 in | wc -c)" -gt $((8 << 20)) ]
	kd
	ends_with 0
	normal <out | cmp - indented
	# in pieces, as a slow pipe brings it
	python3 -c 'import sys
data = open("in", "rb").read()
for i in range(0, len(data), 100003):
    sys.stdout.buffer.write(data[i:i + 100003]); sys.stdout.buffer.flush()' | "$kdiff" >out
	normal <out | cmp - indented
}

@test "an object may have items of its own" {
	printf '%s\n' '{"type":"ADDED","object":{"kind":"Menu","apiVersion":"x.io/v1","metadata":{"name":"m","uid":"u","resourceVersion":"1"},"items":[{"dish":"soup"}]}}' >in
	kd
	printf 'created m 1\n' | records_are
	jq --indent 4 . in >in2
	mv in2 in
	kd
	printf 'created m 1\n' | records_are
}

@test "an ERROR event is told, and the stream goes on" {
	{
		echo '{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}'
		event ADDED a 1
	} >in
	kd
	ends_with 0
	says 'line 1: the watch ended with an error: too old resource version'
	printf 'created a 1\n' | records_are
}

# ---- bad input ----

# bad WHAT: the middle of three lines is in the file bad; the message must say WHAT.
bad() {
	{
		event ADDED a 1
		cat bad
		echo
		event ADDED b 2
	} >in
	kd --on-error=fail
	ends_with 1
	says 'kdiff: line 2 (byte '
	says "$1"
	[ "$(wc -l <err)" = 1 ]
	printf 'created a 1\n' | records_are
	kd --on-error=skip --metrics metrics
	ends_with 0
	says 'kdiff: line 2 (byte '
	says "$1"
	printf 'created a 1\ncreated b 2\n' | records_are
	[ "$(metric kollect_kdiff_bad_input_total)" = 1 ]
}

@test "bad input: a line that is not JSON" {
	printf 'Error from server (NotFound)' >bad
	bad 'expected an object'
}

@test "bad input: a truncated line" {
	event ADDED x 3 | head -c 60 >bad
	bad 'ends within a value'
}

@test "bad input: two events on one line" {
	{
		event ADDED x 3 | tr -d '\n'
		event ADDED y 3
	} | tr -d '\n' >bad
	bad 'more follows the value'
}

@test "bad input: an event without metadata" {
	printf '{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1"}}' >bad
	bad 'the object has no metadata.uid'
}

@test "bad input: an event without a uid, name, resourceVersion, kind, apiVersion" {
	for member in uid name resourceVersion; do
		event ADDED x 3 | jq -c "del(.object.metadata.$member)" | tr -d '\n' >bad
		bad "the object has no metadata.$member"
	done
	for member in kind apiVersion; do
		event ADDED x 3 | jq -c "del(.object.$member)" | tr -d '\n' >bad
		bad "the object has no $member"
	done
}

@test "bad input: an unknown type, and none" {
	printf '{"type":"PATCHED","object":{}}' >bad
	bad 'unknown event type'
	printf '{"object":{}}' >bad
	bad 'has no type'
}

@test "bad input: a NUL byte" {
	printf '{"type":"ADDED",\0"object":{}}' >bad
	bad 'expected a string'
	printf '{"type":"ADDED","object":{"kind":"Po\0d"}}' >bad
	bad 'control character in a string'
	printf '{"type":"ADDED","object":{"spec":{\0}}}' >bad
	bad 'invalid byte outside a string'
}

@test "bad input: invalid UTF-8" {
	event ADDED x 3 | sed 's/"x"/"x\xff"/' | tr -d '\n' >bad
	bad 'invalid UTF-8'
}

@test "bad input: 100,000 levels" {
	python3 -c 'print("{\"type\":\"ADDED\",\"object\":{\"spec\":" + "[" * 100000 + "]" * 100000 + "}}", end="")' >bad
	bad 'nested too deep'
	python3 -c 'print("{\"type\":\"ADDED\",\"object\":{\"spec\":" + "{\"a\":" * 100000 + "1" + "}" * 100000 + "}}", end="")' >bad
	bad 'nested too deep'
}

@test "bad input: control characters in a message are shown" {
	printf '{"type":"ERROR","object":{"message":"a"}}\n' >in
	printf 'nonsense\x1b[31m\n' >>in
	kd --log-format=json
	ends_with 1
	jq -e '.tool == "kdiff"' err >/dev/null
}

@test "bad input: a last line that is cut off" {
	{
		event ADDED a 1
		event ADDED b 2 | head -c 80
	} >in
	kd
	ends_with 1
	says 'kdiff: line 2 (byte '
	says 'ends within a value'
	printf 'created a 1\n' | records_are
	kd --on-error=skip
	ends_with 0
	printf 'created a 1\n' | records_are
}

@test "a last line without a newline, blank lines and CRLF are good" {
	{
		event ADDED a 1 | sed 's/$/\r/'
		printf '\n   \n\t\r\n'
		event ADDED b 2 | tr -d '\n'
	} >in
	kd
	ends_with 0
	quiet
	printf 'created a 1\ncreated b 2\n' | records_are
	head -c 3000000 /dev/zero | tr '\0' ' ' >in
	kd
	ends_with 0
	[ ! -s out ]
	: >in
	kd
	ends_with 0
}

# big MiB NAME RV: an ADDED of that size
big() {
	printf '{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"%s","uid":"uid-%s","resourceVersion":"%s"},"data":"' "$2" "$2" "$3"
	head -c "$(($1 << 20))" /dev/zero | tr '\0' "${4:-x}"
	printf '"}}\n'
}

@test "an object of 20 MiB is taken, and its update" {
	{
		event ADDED a 1
		big 20 huge 2
		big 20 huge 3 y
		event ADDED b 4
	} >in
	kd --on-error=fail
	ends_with 0
	quiet
	printf 'created a 1\ncreated huge 2\nupdated huge 3\ncreated b 4\n' | records_are
	# bit by bit what went in
	sed -n 2p in | sed 's/^{"type":"ADDED","object"://; s/}$//' >want
	sed -n 2p out | sed 's/^.*,"now"://; s/}$//' | cmp - want
}

@test "bad input: a line over 64 MiB, and what follows it" {
	{
		event ADDED a 1
		big 66 huge 2
		event ADDED b 3
	} >in
	kd
	ends_with 1
	says 'kdiff: line 2 (byte '
	says 'too large'
	kd --on-error=skip
	ends_with 0
	printf 'created a 1\ncreated b 3\n' | records_are
}

@test "bad input: a long line that is cut off loses none of the lines behind it" {
	{
		event ADDED a 1
		big 6 huge 2 | head -c 5000000
		echo
		event ADDED b 3
		event ADDED c 4
		echo bad
		event ADDED d 5
	} >in
	kd --on-error=skip
	ends_with 0
	says 'kdiff: line 2 (byte '
	says 'ends within a value'
	says 'kdiff: line 5 (byte '
	printf 'created a 1\ncreated b 3\ncreated c 4\ncreated d 5\n' | records_are
}

@test "bad input: an indented document that is cut off loses none of those behind it" {
	{
		event ADDED a 1 | jq --indent 4 .
		event ADDED x 2 | jq --indent 4 . | head -n 5
		event ADDED b 3 | jq --indent 4 .
		printf '{\n    "type": "ADDED",\n    "object": {\n        "kind": 1\v\n    }\n}\n'
		event ADDED c 4
		echo '{'
	} >in
	kd --on-error=skip
	ends_with 0
	says 'kdiff: line 14 (byte '
	says 'kdiff: line 32 (byte '
	says 'kdiff: line 39 (byte '
	[ "$(wc -l <err)" = 3 ]
	printf 'created a 1\ncreated b 3\ncreated c 4\n' | records_are
	kd --on-error=fail
	ends_with 1
	printf 'created a 1\n' | records_are
}

@test "bad input: an item of a List costs that item alone" {
	{
		printf '{"type":"ADDED","object":{"kind":"PodList","apiVersion":"v1","items":['
		printf '{"metadata":{"name":"a","uid":"u1","resourceVersion":"1"}},{"metadata":{}},'
		printf '{"metadata":{"name":"b","uid":"u2","resourceVersion":"2"}}]}}\n'
	} | jq --indent 4 . >in
	kd --on-error=skip
	ends_with 0
	says 'the object has no metadata.uid'
	printf 'created a 1\ncreated b 2\n' | records_are
	jq -c . in >line
	mv line in
	kd --on-error=skip
	printf 'created a 1\ncreated b 2\n' | records_are
}

@test "bad input: a NUL byte between the tokens of an indented document" {
	printf '{\n "type": "ADDED",\0\n "object": {}\n}\n' >in
	kd
	ends_with 1
	says 'invalid byte outside a string'
}
