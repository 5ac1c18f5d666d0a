#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output: what a change is, and what a record says.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() { kdiff_teardown; }

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
