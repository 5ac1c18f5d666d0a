#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output: snapshots, and state across runs.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() { kdiff_teardown; }

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
	long="/api/v1/pods?labelSelector=$(printf 'a%.0s' {1..1000})"
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
