#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output: state across runs.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() { kdiff_teardown; }

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
	[ "$(jq -r .seq out | tr '\n' ' ')" = "4 5 6 7 " ]
	echo /api/v1/pods 3 9 restart | gaps_are
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
	[ "$(wc -l <out)" = 301 ]
	jq -c '.then // empty' out | sort | diff -q - <(jq -c 'select(.type == "ADDED") | .object' first | sort)
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
