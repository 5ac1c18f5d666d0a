#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output. Needs Debian packages alone.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	kdiff=$(cd "$root" && realpath "${BUILD:-build}/bin/kdiff")
	streams=$root/test/streams
	cd "$BATS_TEST_TMPDIR" || return 1
	export TMPDIR=$BATS_TEST_TMPDIR
}

teardown() {
	[ -z "${background:-}" ] || kill "$background" 2>/dev/null || true
}

# kd [options]: in → out, err, status. The records of several runs: keep=1.
kd() {
	status=0
	if [ -n "${keep:-}" ]; then
		"$kdiff" "$@" <in >>out 2>err || status=$?
	else
		"$kdiff" "$@" <in >out 2>err || status=$?
	fi
}

# event TYPE NAME RESOURCEVERSION [UID [KIND [APIVERSION [NAMESPACE]]]]
event() {
	printf '{"type":"%s","object":{"kind":"%s","apiVersion":"%s","metadata":{"name":"%s","namespace":"%s","uid":"%s","resourceVersion":"%s"}}}\n' \
		"$1" "${5:-Pod}" "${6:-v1}" "$2" "${7:-shop}" "${4:-uid-$2}" "$3"
}

# mark MARK RESOURCEVERSION [PATH [KIND [APIVERSION]]]; MARK '': the server's own bookmark
mark() {
	local mark=${1:+",\"kollect/mark\":\"$1\""}
	printf '{"type":"BOOKMARK","object":{"kind":"%s","apiVersion":"%s","metadata":{"resourceVersion":"%s","annotations":{"kollect/stream":"%s"%s}}}}\n' \
		"${4:-Pod}" "${5:-v1}" "$2" "${3:-/api/v1/pods}" "$mark"
}

# The records of out are those on standard input: type, name, resourceVersion.
records_are() {
	diff -u - <(jq -r '"\(.type) \(.name) \(.resourceVersion)"' out)
}

ends_with() {
	if [ "$status" -ne "$1" ]; then
		echo "exit code $status, wanted $1; standard error:"
		cat err
		return 1
	fi
}

says() {
	grep -qF -- "$1" err || {
		echo "standard error lacks: $1"
		cat err
		return 1
	}
}

quiet() {
	[ ! -s err ] || {
		cat err
		return 1
	}
}

metric() {
	awk -v name="$1" '$1 == name { print $2 }' metrics
}

# until_true SECONDS COMMAND...: polls
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }

# What changes from run to run is named; then and now are told by their resourceVersion.
normal() {
	jq -c '(if .appliesAt == .observedAt then .appliesAt = "OBSERVED" else . end)
		| .observedAt = "OBSERVED"
		| if .then then .then |= .metadata.resourceVersion else . end
		| if .now then .now |= .metadata.resourceVersion else . end'
}

# ---- recorded streams ----

golden() {
	local name=$1
	cp "$streams/$name" in
	kd
	ends_with 0
	quiet
	normal <out >"$name.records"
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp "$name.records" "$root/test/golden/kdiff/$name"
	fi
	diff -u "$root/test/golden/kdiff/$name" "$name.records"
}

@test "golden: ConfigMaps as kubectl prints them" { golden kubectl-configmaps.json; }
@test "golden: ConfigMaps from the API server" { golden raw-configmaps-watchlist.ndjson; }
@test "golden: Deployments" { golden raw-deployments-watchlist.ndjson; }
@test "golden: Namespaces" { golden raw-namespaces-watchlist.ndjson; }
@test "golden: Pods" { golden raw-pods-watch.ndjson; }
@test "golden: custom resources" { golden raw-widgets-watch.ndjson; }

@test "then and now are the input's bytes, and as long as thenBytes and nowBytes say" {
	cat "$streams"/raw-*.ndjson >in
	kd
	ends_with 0
	python3 - <<-'PY'
		import json
		states = {}
		for line in open("in", "rb"):
		    start = line.index(b'"object":') + len(b'"object":')
		    text = line[start:line.rindex(b"}")]
		    meta = json.loads(text)["metadata"]
		    if "uid" in meta:
		        states[meta["uid"], meta["resourceVersion"]] = text
		n = 0
		for line in open("out", "rb"):
		    record = json.loads(line)
		    want = b""
		    for name in ("then", "now"):
		        if name in record:
		            meta = record[name]["metadata"]
		            state = states[meta["uid"], meta["resourceVersion"]]
		            assert record[name + "Bytes"] == len(state), line
		            want += b',"%s":%s' % (name.encode(), state)
		    assert line.endswith(want + b"}\n"), line
		    n += 1
		assert n > 30, n
	PY
}

@test "the members of a record stand in the order of kollect(5)" {
	{
		event ADDED a 1
		sed -n 1p "$streams/raw-pods-watch.ndjson"
		sed -n 3p "$streams/raw-pods-watch.ndjson"
		sed -n 9p "$streams/raw-pods-watch.ndjson"
	} >in
	kd
	jq -r '"\(.type): \(keys_unsorted | join(" "))"' out | diff -u - <(
		echo "created: seq type uid apiVersion kind namespace name resourceVersion appliesAt observedAt nowBytes now"
		echo "created: seq type uid apiVersion kind namespace name resourceVersion appliesAt observedAt manager nowBytes now"
		echo "updated: seq type uid apiVersion kind namespace name resourceVersion appliesAt observedAt manager thenBytes nowBytes then now"
		echo "deleted: seq type uid apiVersion kind namespace name resourceVersion appliesAt observedAt thenBytes then"
	)
}

# ---- what a change is ----

@test "created, updated, deleted, with then and now" {
	{
		event ADDED a 1
		event MODIFIED a 2
		event DELETED a 3
	} >in
	kd
	ends_with 0
	records_are <<-END
		created a 1
		updated a 2
		deleted a 3
	END
	jq -r '[.seq, .then.metadata.resourceVersion, .now.metadata.resourceVersion] | join(" ")' out |
		diff -u - <(printf '1  1\n2 1 2\n3 3 \n')
}

@test "what an event means depends on what is known: MODIFIED of an unknown object creates it" {
	{
		event MODIFIED a 1
		event ADDED a 2
	} >in
	kd
	printf 'created a 1\nupdated a 2\n' | records_are
}

@test "equal and older resourceVersions are no change" {
	{
		event ADDED a 5
		event MODIFIED a 5
		event MODIFIED a 4
		event DELETED a 4
		event MODIFIED a 6
	} >in
	kd --metrics metrics
	ends_with 0
	printf 'created a 5\nupdated a 6\n' | records_are
	[ "$(metric 'kollect_kdiff_events_dropped_total{reason="unchanged"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_events_dropped_total{reason="stale"}')" = 2 ]
}

@test "resourceVersions compare by length, then by bytes, beyond 64 bits" {
	{
		event ADDED a 9
		event MODIFIED a 10
		event MODIFIED a 9
		event MODIFIED a 99999999999999999999999
		event MODIFIED a 100000000000000000000000
		event MODIFIED a 99999999999999999999999
	} >in
	kd
	records_are <<-END
		created a 9
		updated a 10
		updated a 99999999999999999999999
		updated a 100000000000000000000000
	END
}

@test "resourceVersions that are no numbers compare by equality" {
	{
		event ADDED a zz
		event MODIFIED a zz
		event MODIFIED a aa
		event MODIFIED a 007
		event MODIFIED a 6
	} >in
	kd
	printf 'created a zz\nupdated a aa\nupdated a 007\nupdated a 6\n' | records_are
}

@test "the same name with another uid: deleted, then created" {
	{
		event ADDED a 1 first
		event ADDED a 5 second
		event MODIFIED a 6 second
	} >in
	kd
	records_are <<-END
		created a 1
		deleted a 1
		created a 5
		updated a 6
	END
	[ "$(jq -r 'select(.type == "deleted") | .uid' out)" = first ]
}

@test "an old event of a uid that another has followed is stale" {
	{
		event ADDED a 5 second
		event ADDED a 1 first
	} >in
	kd
	printf 'created a 5\n' | records_are
}

@test "the same name in another namespace, kind or group is another object" {
	{
		event ADDED a 1 u1
		event ADDED a 2 u2 Pod v1 other
		event ADDED a 3 u3 Secret
		event ADDED a 4 u4 Pod example.com/v1
	} >in
	kd
	[ "$(jq -r .type out | sort | uniq -c | tr -s ' ')" = " 4 created" ]
}

@test "an object seen as v1beta1 and then as v1 is the same object" {
	{
		event ADDED a 1 u Widget x.io/v1beta1
		event MODIFIED a 1 u Widget x.io/v1
		event MODIFIED a 2 u Widget x.io/v1
		event ADDED a 3 other Widget x.io/v1
	} >in
	kd
	records_are <<-END
		created a 1
		updated a 2
		deleted a 2
		created a 3
	END
	[ "$(jq -r 'select(.seq == 2) | .then.apiVersion + " " + .now.apiVersion' out)" = "x.io/v1beta1 x.io/v1" ]
}

@test "one object served by two groups is published once, and deleted once" {
	{
		mark begin 1 /api/v1/events Event v1
		event ADDED e 1 u Event v1
		mark end 1 /api/v1/events Event v1
		mark begin 1 /apis/events.k8s.io/v1/events Event events.k8s.io/v1
		event ADDED e 1 u Event events.k8s.io/v1
		mark end 1 /apis/events.k8s.io/v1/events Event events.k8s.io/v1
		event MODIFIED e 2 u Event v1
		event MODIFIED e 2 u Event events.k8s.io/v1
		event DELETED e 3 u Event events.k8s.io/v1
		event DELETED e 3 u Event v1
	} >in
	kd
	printf 'created e 1\nupdated e 2\ndeleted e 3\n' | records_are
}

@test "one object served by two groups: its deletion shows in a snapshot of the one that saw it last" {
	{
		mark begin 1 /api/v1/events Event v1
		event ADDED e 1 u Event v1
		mark end 1 /api/v1/events Event v1
		mark begin 1 /apis/events.k8s.io/v1/events Event events.k8s.io/v1
		event ADDED e 1 u Event events.k8s.io/v1
		mark end 1 /apis/events.k8s.io/v1/events Event events.k8s.io/v1
		mark begin 9 /api/v1/events Event v1
		mark end 9 /api/v1/events Event v1
		mark begin 9 /apis/events.k8s.io/v1/events Event events.k8s.io/v1
		mark end 9 /apis/events.k8s.io/v1/events Event events.k8s.io/v1
	} >in
	kd
	printf 'created e 1\ndeleted e 1\n' | records_are
}

# ---- snapshots ----

@test "what a snapshot does not show was deleted; then is the last known state" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark end 3
		event MODIFIED b 4
		mark begin 5
		event ADDED a 1
		mark end 6
	} >in
	kd
	ends_with 0
	records_are <<-END
		created a 1
		created b 2
		updated b 4
		deleted b 4
	END
	[ "$(jq -r 'select(.type == "deleted") | .then.metadata.resourceVersion' out)" = 4 ]
}

@test "a snapshot shows what changed meanwhile" {
	{
		mark begin 1
		event ADDED a 1 old
		event ADDED b 2
		mark end 3
		mark begin 9
		event ADDED b 8
		event ADDED a 7 new
		event ADDED c 6
		mark end 9
	} >in
	kd
	records_are <<-END
		created a 1
		created b 2
		updated b 8
		deleted a 1
		created a 7
		created c 6
	END
}

@test "a snapshot that shows an older version: the cluster went back, and that is a change" {
	{ mark begin 1; event ADDED web 50; mark end 60; } >in
	{ mark begin 1; event ADDED web 20; mark end 30; event MODIFIED web 31; } >>in
	kd
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.type, .resourceVersion] | join(" ")' out | tr '\n' ';')" = \
		'created 50;updated 20;updated 31;' ]
}

@test "streams with selectors of a kilobyte are told apart, across runs too" {
	long=/api/v1/pods?labelSelector=$(printf 'a%.0s' {1..1000})
	{ mark begin 1 "$long-x"; event ADDED x 2; mark end 3 "$long-x"; } >in
	{ mark begin 1 "$long-y"; event ADDED y 4; mark end 5 "$long-y"; } >>in
	kd --state state
	{ mark begin 1 "$long-x"; mark end 9 "$long-x"; } >in
	keep=1 kd --state state
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.type, .name] | join(" ")' out | tr '\n' ';')" = 'created x;created y;deleted x;' ]
}

@test "a thousand deletes follow from one snapshot" {
	{
		mark begin 1
		for i in $(seq 1000); do event ADDED "p$i" "$i"; done
		mark end 1000
		mark begin 2000
		event ADDED p500 500
		mark end 2000
	} >in
	kd --state state --metrics metrics
	[ "$(jq -r .type out | sort | uniq -c | tr -s ' ' | tr '\n' ,)" = " 1000 created, 999 deleted," ]
	[ "$(metric kollect_kdiff_objects)" = 1 ]
	[ "$(metric kollect_kdiff_snapshots_total)" = 2 ]
}

@test "a snapshot is of its own kind and namespace alone" {
	{
		mark begin 1 /api/v1/namespaces/shop/pods
		event ADDED a 1
		mark end 1 /api/v1/namespaces/shop/pods
		mark begin 1 /api/v1/namespaces/shop2/pods
		event ADDED a 2 u2 Pod v1 shop2
		event ADDED b 2 u3 Pod v1 shop2
		mark end 2 /api/v1/namespaces/shop2/pods
		mark begin 1 /api/v1/secrets Secret
		event ADDED s 3 u4 Secret
		mark end 3 /api/v1/secrets Secret
		mark begin 4 /api/v1/namespaces/shop2/pods
		event ADDED a 2 u2 Pod v1 shop2
		mark end 4 /api/v1/namespaces/shop2/pods
	} >in
	kd
	records_are <<-END
		created a 1
		created a 2
		created b 2
		created s 3
		deleted b 2
	END
}

@test "streams interleave: a snapshot does not end another's" {
	{
		mark begin 1
		mark begin 1 /api/v1/secrets Secret
		event ADDED a 1
		event ADDED s 2 u2 Secret
		mark end 2
		mark end 2 /api/v1/secrets Secret
		mark begin 3
		mark begin 3 /api/v1/secrets Secret
		mark end 3
		event ADDED s 2 u2 Secret
		mark end 3 /api/v1/secrets Secret
	} >in
	kd
	printf 'created a 1\ncreated s 2\ndeleted a 1\n' | records_are
}

@test "gone: all of the stream is deleted, and the type may come back" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark end 3
		mark gone 3
		mark begin 1
		event ADDED a 1 again
		mark end 1
	} >in
	kd
	ends_with 0
	records_are <<-END
		created a 1
		created b 2
		deleted a 1
		deleted b 2
		created a 1
	END
}

@test "gap: a warning with its reason, and a metric" {
	{
		mark begin 1
		mark end 1
		sed 's/"kollect\/mark":"gap"/&,"kollect\/reason":"410 Expired"/' <(mark gap 1)
	} >in
	kd --metrics metrics
	ends_with 0
	says 'kdiff: warning: /api/v1/pods: events may be missing: 410 Expired'
	[ "$(metric kollect_kdiff_gaps_total)" = 1 ]
}

@test "begin twice: the second snapshot counts" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark begin 3
		event ADDED a 1
		mark end 3
	} >in
	kd
	printf 'created a 1\ncreated b 2\ndeleted b 2\n' | records_are
}

@test "end without begin deletes nothing" {
	{
		mark begin 1
		event ADDED a 1
		mark end 1
	} >in
	kd --state state
	mark end 5 >in
	kd --state state
	ends_with 0
	printf '' | records_are
}

@test "a snapshot in which a line was lost deletes nothing; the next one does" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark end 3
		mark begin 4
		event ADDED a 1
		echo '{"type":"ADDED","object":{"kind":"Pod"'
		mark end 5
	} >in
	kd --on-error=skip
	ends_with 0
	says 'line 7'
	says '/api/v1/pods: lines of the snapshot were lost: deletes are left to the next one'
	printf 'created a 1\ncreated b 2\n' | records_are
	{
		mark begin 6
		event ADDED a 1
		mark end 7
	} >>in
	kd --on-error=skip
	printf 'created a 1\ncreated b 2\ndeleted b 2\n' | records_are
}

@test "the stream's position: an event that it is past, come again, is stale" {
	{
		mark begin 1
		event ADDED a 1
		mark end 10
		event DELETED a 11
		event ADDED a 1
		event DELETED a 11
		mark '' 20
		event ADDED z 15
		event ADDED y 21
	} >in
	kd
	printf 'created a 1\ndeleted a 11\ncreated y 21\n' | records_are
}

@test "within a snapshot no order is taken from resourceVersions" {
	{
		mark begin ''
		event ADDED c 9
		event ADDED a 1
		event ADDED b 5
		mark end 9
	} >in
	kd
	printf 'created c 9\ncreated a 1\ncreated b 5\n' | records_are
}

@test "an unknown mark and one without kind are bad lines" {
	mark stop 1 >in
	kd
	ends_with 1
	says 'line 1'
	says 'unknown kollect/mark'
	mark begin 1 /api/v1/pods '' | sed 's/"kind":"Pod",//' >in
	kd
	ends_with 1
	says 'lacks a plain stream, kind or apiVersion'
}

@test "the server's own bookmarks without a stream mean nothing" {
	sed -n 2p "$streams/raw-configmaps-watchlist.ndjson" >in
	kd
	ends_with 0
	quiet
	[ ! -s out ]
}

# ---- state across runs ----

@test "--state: the next run publishes only the difference, deletes included; seq goes on" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		event ADDED c 3
		mark end 3
	} >in
	kd --state state
	{
		mark begin 9
		event ADDED a 1
		event ADDED c 8
		event ADDED d 9
		mark end 9
	} >in
	kd --state state
	ends_with 0
	printf 'updated c 8\ncreated d 9\ndeleted b 2\n' | records_are
	[ "$(jq -r .seq out | tr '\n' ' ')" = "4 5 6 " ]
	kd --state state
	ends_with 0
	[ ! -s out ]
}

@test "--state: a resumed stream that has named itself in no mark yet keeps its objects" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark end 3
	} >in
	kd --state state
	{
		event MODIFIED a 4
		event ADDED c 5
		mark begin 9
		event ADDED b 2
		mark end 9
	} >in
	kd --state state
	records_are <<-END
		updated a 4
		created c 5
		deleted a 4
		deleted c 5
	END
}

@test "--state: last states survive, also those packed with a kind's dictionary" {
	padding=$(head -c 600 /dev/urandom | base64 -w 0)
	{
		mark begin 1
		for i in $(seq 300); do
			event ADDED "p$i" "$i" | sed "s|}}\$|,\"data\":{\"i\":\"$i\",\"pad\":\"$padding\"}}}|"
		done
		mark end 300
	} >in
	cp in first
	kd --state state
	[ "$(wc -l <out)" = 300 ]
	{
		mark begin 400
		mark end 400
	} >in
	kd --state state
	ends_with 0
	[ "$(wc -l <out)" = 300 ]
	jq -c .then out | sort | diff -q - <(jq -c 'select(.type == "ADDED") | .object' first | sort)
}

@test "--baseline: a stream's first snapshot is learned, later ones are published" {
	{
		mark begin 1
		event ADDED a 1
		mark end 2
		event MODIFIED a 3
		mark begin 4
		event ADDED a 3
		event ADDED b 4
		mark end 5
		mark begin 1 /api/v1/secrets Secret
		event ADDED s 1 u2 Secret
		mark end 2 /api/v1/secrets Secret
	} >in
	kd --baseline --metrics metrics --state state
	ends_with 0
	printf 'updated a 3\ncreated b 4\n' | records_are
	[ "$(metric 'kollect_kdiff_events_dropped_total{reason="baseline"}')" = 2 ]
	{
		mark begin 9
		event ADDED z 9
		mark end 9
	} >in
	kd --baseline --state state
	printf 'created z 9\ndeleted a 3\ndeleted b 4\n' | records_are
}

@test "--ignore-metadata: no record where only resourceVersion and managedFields differ" {
	object='{"kind":"Lease","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"%s","managedFields":[{"manager":"%s","time":"2026-11-23T10:00:00Z"}]},"spec":"%s"}'
	# shellcheck disable=SC2059 # the format is the object
	{
		printf "{\"type\":\"ADDED\",\"object\":$object}\n" 1 x same
		printf "{\"type\":\"MODIFIED\",\"object\":$object}\n" 22 yy same
		printf "{\"type\":\"MODIFIED\",\"object\":$object}\n" 23 yy other
	} >in
	kd --ignore-metadata --metrics metrics
	printf 'created a 1\nupdated a 23\n' | records_are
	[ "$(jq -r 'select(.seq == 2) | .then.metadata.resourceVersion' out)" = 22 ]
	[ "$(metric 'kollect_kdiff_events_dropped_total{reason="metadata"}')" = 1 ]
	kd
	printf 'created a 1\nupdated a 22\nupdated a 23\n' | records_are
}

# ---- when and by whom ----

@test "appliesAt and manager" {
	object() { # TYPE RV MANAGED-FIELDS [DELETION]
		printf '{"type":"%s","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"%s","creationTimestamp":"2026-11-23T10:00:00Z"%s,"managedFields":[%s]}}}\n' \
			"$1" "$2" "${4:+,\"deletionTimestamp\":\"$4\"}" "$3"
	}
	field() { printf '{"manager":"%s","operation":"Update","time":"2026-11-23T10:00:%sZ"}' "$1" "$2"; }
	{
		object ADDED 1 "$(field alice 00)"
		object MODIFIED 2 "$(field alice 00),$(field bob 07)"
		object MODIFIED 3 "$(field alice 09),$(field bob 09)"
		object MODIFIED 4 "$(field alice 09),$(field bob 09)"
		object MODIFIED 5 "$(field alice 09),$(field bob 09)" 2026-11-23T10:00:30Z
		object DELETED 6 "$(field alice 09),$(field bob 09)" 2026-11-23T10:00:30Z
	} >in
	kd
	jq -r '[.type, (if .appliesAt == .observedAt then "observed" else .appliesAt end), .manager // "-"] | join(" ")' out |
		diff -u - <(
			echo "created 2026-11-23T10:00:00Z alice"
			echo "updated 2026-11-23T10:00:07Z bob"
			echo "updated 2026-11-23T10:00:09Z -"
			echo "updated observed -"
			echo "updated observed -"
			echo "deleted 2026-11-23T10:00:30Z -"
		)
	jq -e '.observedAt | test("^20[0-9-]{8}T[0-9:]{8}[.][0-9]{6}Z$")' out >/dev/null
}

@test "strings that need escapes come out as they came in" {
	printf '%s\n' '{"type":"ADDED","object":{"kind":"P\u006fd","apiVersion":"v1","metadata":{"name":"a\"\\\u00e4","uid":"u\n1","resourceVersion":"1"}}}' \
		'{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a\"\\ä","uid":"u\u000a1","resourceVersion":"2"}}}' >in
	kd
	ends_with 0
	[ "$(jq -r .type out | tr '\n' ' ')" = "created updated " ]
	[ "$(jq -c '[.uid, .name, .kind]' out | sort -u)" = '["u\n1","a\"\\ä","Pod"]' ]
}

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

# ---- the process ----

@test "--metrics: the Prometheus text format, complete at the end" {
	{
		mark begin 1
		event ADDED a 1
		event ADDED b 2
		mark end 2
		event MODIFIED a 3
		event DELETED b 4
	} >in
	kd --metrics metrics
	ends_with 0
	[ "$(metric 'kollect_kdiff_events_total{type="ADDED"}')" = 2 ]
	[ "$(metric 'kollect_kdiff_events_total{type="MODIFIED"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_events_total{type="DELETED"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_events_total{type="BOOKMARK"}')" = 2 ]
	[ "$(metric 'kollect_kdiff_records_total{type="created"}')" = 2 ]
	[ "$(metric 'kollect_kdiff_records_total{type="updated"}')" = 1 ]
	[ "$(metric 'kollect_kdiff_records_total{type="deleted"}')" = 1 ]
	[ "$(metric kollect_kdiff_objects)" = 1 ]
	[ "$(metric kollect_kdiff_sequence)" = 4 ]
	[ "$(metric kollect_kdiff_snapshots_total)" = 1 ]
	[ "$(metric kollect_kdiff_input_bytes_total)" = "$(wc -c <in)" ]
	[ "$(metric kollect_kdiff_output_bytes_total)" = "$(wc -c <out)" ]
	# every sample has its help and type, once, before it
	awk '/^# HELP/ { help[$3]++ } /^# TYPE/ { type[$3]++; if ($4 != "counter" && $4 != "gauge") exit 1 }
		!/^#/ { name = $1; sub(/{.*/, "", name); if (help[name] != 1 || type[name] != 1 || NF != 2) exit 1 }' metrics
	[ ! -e metrics.tmp ]
}

@test "--metrics: a file that cannot be written is a warning, and stops nothing" {
	event ADDED a 1 >in
	kd --metrics /nonexistent/metrics
	ends_with 0
	says 'kdiff: warning: /nonexistent/metrics: cannot write metrics: No such file or directory'
	printf 'created a 1\n' | records_are
}

# Starts kdiff on a pipe that stays open: standard input is descriptor 9.
start() {
	mkfifo pipe
	# the shell makes what is in the background ignore SIGINT, and kdiff would leave it at that
	env --default-signal=INT "$kdiff" "$@" <pipe >out 2>err 3>&- &
	background=$!
	exec 9>pipe
}

gone() { [ ! -e "/proc/$background" ] || grep -q '^State:.Z' "/proc/$background/status"; }

finish() {
	status=0
	until_true 20 gone || kill -s KILL "$background"
	wait "$background" || status=$?
	background=
	exec 9>&-
}

@test "records and metrics come while the input is open" {
	start --metrics metrics
	event ADDED a 1 >&9
	until_true 10 has_lines 1 out
	event MODIFIED a 2 >&9
	until_true 10 has_lines 2 out
	metric_is_two() { [ "$(metric kollect_kdiff_sequence)" = 2 ]; }
	until_true 10 metric_is_two
	exec 9>&-
	finish
	ends_with 0
}

@test "SIGTERM and SIGINT: what was read is finished, exit 0" {
	for signal in TERM INT; do
		rm -rf pipe state out
		start --state state --metrics metrics
		{
			event ADDED a 1
			event ADDED b 2
			event ADDED c 3 | head -c 50
		} >&9
		until_true 10 has_lines 2 out
		kill -s "$signal" "$background"
		finish
		ends_with 0
		printf 'created a 1\ncreated b 2\n' | records_are
		[ "$(metric kollect_kdiff_objects)" = 2 ]
		event MODIFIED b 3 >in
		kd --state state
		printf 'updated b 3\n' | records_are
	done
}

@test "a reader that goes away ends it quietly with exit 1" {
	for i in $(seq 20000); do event ADDED "p$i" "$i"; done >in
	{
		"$kdiff" <in 2>err || echo $? >code
	} | head -n 1 >out
	status=$(cat code)
	ends_with 1
	quiet
}

@test "a closed standard output is an error, and no file gets what was meant for it" {
	for i in $(seq 3000); do event ADDED "p$i" "$i"; done >in
	status=0
	"$kdiff" --state state <in 2>err >&- || status=$?
	ends_with 1
	says 'kdiff: cannot write records: Bad file descriptor'
	status=0
	"$kdiff" <in 2>err >&- || status=$?
	ends_with 1
	says 'kdiff: cannot write records: Bad file descriptor'
}

@test "a closed standard input is an error" {
	status=0
	"$kdiff" <&- >out 2>err || status=$?
	ends_with 1
	says 'kdiff: cannot read standard input: Bad file descriptor'
}

@test "a full disk behind standard output" {
	event ADDED a 1 >in
	status=0
	"$kdiff" <in 2>err >/dev/full || status=$?
	ends_with 1
	says 'kdiff: cannot write records: No space left on device'
	[ "$(wc -l <err)" = 1 ]
}

# small_disk COMMAND...: runs it with a file system of 4 MiB at ./small; where that may not be
# mounted, as in a chroot, with 4 MiB for a file. $full is what a write beyond it says.
small_disk() {
	if [ "$full" = 'File too large' ]; then
		(ulimit -f 4096 && exec "$@")
	else
		unshare "${unshare[@]}" sh -c 'mount -t tmpfs -o size=4m tmpfs small && exec "$@"' sh "$@"
	fi
}

find_small_disk() {
	mkdir -p small
	full='No space left on device' unshare=(-m)
	small_disk true 2>/dev/null && return
	unshare=(-rm)
	small_disk true 2>/dev/null || full='File too large'
}

@test "a full disk behind the temporary store" {
	find_small_disk
	event ADDED a 1 >in
	status=0
	TMPDIR=small small_disk "$kdiff" <in >out 2>err || status=$?
	ends_with 1
	says 'kdiff: small/kdiff-'
	says "cannot grow the store: $full"
	[ "$(wc -l <err)" = 1 ]
}

@test "a full disk behind the state directory" {
	find_small_disk
	python3 - >in <<-'PY'
		import base64, os
		for i in range(4000):
		    print('{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p%d","uid":"u%d","resourceVersion":"%d"},"data":"%s"}}'
		        % (i, i, i + 1, base64.b64encode(os.urandom(3000)).decode()))
	PY
	# Through cat, as the limit would be that of out as well.
	{ small_disk "$kdiff" --state small/state <in 2>err || echo $? >code; } | cat >out
	status=$(cat code)
	ends_with 1
	[ "$full" != 'File too large' ] || full='Input/output error' # LMDB's word for a short write
	says "kdiff: small/state/store.mdb: cannot commit: $full"
	[ "$(wc -l <err)" = 1 ]
	# what came out before is whole and in order
	n=$(wc -l <out)
	[ "$n" -gt 0 ]
	[ "$n" -lt 4000 ]
	jq -r .seq out | diff -q - <(seq "$n")
}

@test "TMPDIR that is not there" {
	event ADDED a 1 >in
	TMPDIR=/nonexistent kd
	ends_with 1
	says 'kdiff: /nonexistent: cannot make a temporary store: No such file or directory'
}

@test "the temporary store leaves no file behind" {
	event ADDED a 1 >in
	mkdir tmp
	TMPDIR=$PWD/tmp kd
	ends_with 0
	[ -z "$(ls -A tmp)" ]
}

@test "a state directory that cannot be made or written" {
	event ADDED a 1 >in
	kd --state /dev/null/state
	ends_with 1
	says 'kdiff: /dev/null/state: cannot make the state directory: Not a directory'
	kd --state /proc
	ends_with 1
	says 'kdiff: /proc/lock: cannot write in the state directory'
	kd --state ''
	ends_with 2
	says "the directory's name is empty"
}

@test "a state directory that another kdiff uses" {
	start --state state
	event ADDED a 1 >&9
	until_true 10 has_lines 1 out
	status=0
	"$kdiff" --state state </dev/null 2>err2 || status=$?
	[ "$status" = 1 ]
	grep -q 'kdiff: state: another kdiff uses this state directory' err2
	exec 9>&-
	finish
	ends_with 0
}

@test "wrong usage is exit 2, with what is wrong" {
	: >in
	kd --nonsense
	ends_with 2
	says nonsense
	kd file
	ends_with 2
	says 'file: kdiff takes no arguments'
	kd --on-error=maybe
	ends_with 2
	says '--on-error: "maybe" is none of fail, skip'
	kd --log-format=xml
	ends_with 2
	kd --ack-fd=x
	ends_with 2
	says '--ack-fd: "x" is no descriptor'
}

@test "--help and --version" {
	: >in
	kd --help
	ends_with 0
	quiet
	for option in --state --baseline --ignore-metadata --ack-fd --on-error --log-format --metrics --help --version; do
		grep -qe "$option" out
		grep -q "Fl -${option#--}" "$root/kdiff/kdiff.1"
	done
	kd --version
	ends_with 0
	grep -q '^kdiff (kollect) [0-9]' out
}

@test "--log-format: logfmt and json" {
	echo nonsense >in
	kd --log-format=json
	ends_with 1
	jq -e '.tool == "kdiff" and .level == "error" and (.msg | startswith("line 1 (byte 0): "))' err
	kd --log-format=logfmt
	grep -Eq '^time=[^ ]+ level=error tool=kdiff msg="line 1 \(byte 0\): [^"]*"$' err
}
