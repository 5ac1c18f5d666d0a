#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff through its standard input and output: snapshots, and resumed streams.
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
	printf 'created web 50\nupdated web 20\nupdated web 31\n' | records_are
	echo /api/v1/pods 60 30 restart | gaps_are
}

@test "streams with selectors of a kilobyte are told apart, across runs too" {
	long="/api/v1/pods?labelSelector=$(printf 'a%.0s' {1..1000})"
	{ mark begin 1 "$long-x"; event ADDED x 2; mark end 3 "$long-x"; } >in
	{ mark begin 1 "$long-y"; event ADDED y 4; mark end 5 "$long-y"; } >>in
	kd --state state
	{ mark begin 1 "$long-x"; mark end 9 "$long-x"; } >in
	keep=1 kd --state state
	[ "$status" -eq 0 ]
	printf 'created x 2\ncreated y 4\ndeleted x 2\n' | records_are
	echo "$long-x 3 9 restart" | gaps_are
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
	[ "$(jq -r .type out | sort | uniq -c | tr -s ' ' | tr '\n' ,)" = " 1000 created, 999 deleted, 1 gap," ]
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

@test "gap: a warning with its reason, a metric, and a record once the snapshot that follows has ended" {
	{
		mark begin 1
		event ADDED a 1
		mark end 1
		event MODIFIED a 5
		sed 's/"kollect\/mark":"gap"/&,"kollect\/reason":"410 Expired"/' <(mark gap 1)
	} >in
	kd --metrics metrics --state state
	ends_with 0
	says 'kdiff: warning: /api/v1/pods: events may be missing: 410 Expired'
	[ "$(metric kollect_kdiff_gaps_total)" = 1 ]
	printf '' | gaps_are
	# the snapshot comes in two tries, the first of them in another run
	{
		mark begin 5
		event ADDED b 8
	} >in
	kd --state state
	printf '' | gaps_are
	{
		mark begin 5
		event ADDED b 8
		mark end 9
		event MODIFIED b 10
		mark '' 11
	} >in
	kd --state state --metrics metrics
	printf 'deleted a 5\nupdated b 10\n' | records_are
	echo '/api/v1/pods 5 9 410 Expired' | gaps_are
	[ "$(metric 'kollect_kdiff_records_total{type="gap"}')" = 1 ]
	# in its place, with its members in their order
	jq -r .type out | diff - <(printf 'deleted\ngap\nupdated\n')
	[ "$(sed -n 2p out | sed -E 's/"observedAt":"[^"]+Z"/T/')" = '{"seq":5,"type":"gap","stream":"/api/v1/pods","from":"5","to":"9","reason":"410 Expired",T}' ]
}

@test "gap: a snapshot of a stream that was watched before is one, unless nothing has happened" {
	{
		mark begin 1
		event ADDED a 1
		mark end 2
		mark begin 2
		event ADDED a 1
		mark end 2
	} >in
	kd --state state --metrics metrics
	printf '' | gaps_are
	[ "$(metric kollect_kdiff_gaps_total)" = 0 ]
	{
		mark begin 7
		event ADDED a 1
		mark end 7
	} >in
	kd --state state --metrics metrics
	echo '/api/v1/pods 2 7 restart' | gaps_are
	[ "$(metric kollect_kdiff_gaps_total)" = 1 ]
	# a mark knows better
	{
		mark begin 8
		mark gap 8
		mark begin 9
		event ADDED a 1
		mark end 9
	} >in
	kd --state state
	echo '/api/v1/pods 7 9 gap' | gaps_are
}

@test "gap: the first snapshot of a stream is none, nor that of a type that was gone" {
	{
		mark begin 1
		mark begin 1
		mark end 2
		mark gone 3
		mark begin 4
		mark end 5
	} >in
	kd
	ends_with 0
	[ ! -s out ]
	{
		mark begin 1
		mark end 2
		mark gap 2
		mark gone 3
	} >in
	kd
	echo '/api/v1/pods 2 3 gap' | gaps_are
}

@test "gap: lines that are lost, of the stream where that can be told" {
	{
		mark begin 1
		mark end 2
		event ADDED a 3
		echo nonsense
		echo nonsense
		event ADDED b 4 | sed 's/"uid":"uid-b",//'
		event ADDED c 5
	} >in
	kd --on-error=skip --metrics metrics
	ends_with 0
	printf 'created a 3\ncreated c 5\n' | records_are
	printf '%s\n' '   malformed' '/api/v1/pods 3 4 malformed' | gaps_are
	[ "$(metric kollect_kdiff_gaps_total)" = 2 ]
	jq -e -s 'map(.seq) == [1, 2, 3, 4]' out
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

# ---- snapshots that are interrupted ----

known() {
	mark begin 1
	for i in 1 2 3 4 5; do event ADDED "p$i" "$i"; done
	mark end 10
}

no_deletes() { [ "$(grep -c '"type":"deleted"' out)" = 0 ]; }

again() { # the objects are as they were
	mark begin "$1"
	for i in 1 2 3 4 5; do event ADDED "p$i" "$i"; done
	mark end "$1"
}

@test "interrupted: kwatch is killed between begin and end, and takes a new snapshot" {
	{
		known
		mark begin 20
		event ADDED p1 1
		again 30
	} >in
	kd
	ends_with 0
	known | grep -c ADDED | diff - <(grep -c '"created"' out)
	no_deletes
}

@test "interrupted: 410 in the middle, again and again" {
	{
		known
		for i in 1 2 3 4; do
			mark gap 10
			mark begin 20
			event ADDED "p$i" "$i"
		done
		again 30
	} >in
	kd
	no_deletes
	echo '/api/v1/pods 10 30 gap' | gaps_are
}

@test "interrupted: kdiff goes away at each line of a snapshot, and the rest comes to the next one" {
	again 20 >second
	for ((cut = 1; cut <= $(wc -l <second); cut++)); do
		rm -rf state
		known >in
		kd --state state
		head -n "$cut" second >in
		kd --state state
		tail -n +$((cut + 1)) second >in
		kd --state state
		no_deletes
		# but for the whole of it, the stream is not known to be complete: where it was is no place to go on
		"$kdiff" --state state --positions >positions
		if [ "$cut" = "$(wc -l <second)" ]; then
			diff positions <(printf '/api/v1/pods\t20\n')
		else
			[ ! -s positions ]
		fi
		again 40 | grep -v '"p3"' >in
		kd --state state
		echo 'deleted p3 3' | records_are
		diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods\t40\n')
	done
}

@test "interrupted: live events behind the end of a snapshot that began in another run delete nothing" {
	known >in
	kd --state state
	{ mark begin 20; event ADDED p1 1; } >in
	kd --state state
	{
		event ADDED p2 2
		mark end 20
		event MODIFIED p3 21
		event DELETED p4 22
		mark '' 25
	} >in
	kd --state state
	printf 'updated p3 21\ndeleted p4 22\n' | records_are
	[ -z "$("$kdiff" --state state --positions)" ]
}

# ---- resumed streams ----

@test "resumed from an older position: nothing is lost, nothing comes twice" {
	{
		known
		event ADDED new 11
		event MODIFIED new 12
		event DELETED new 13
		event MODIFIED p1 14
		event DELETED p2 15
	} >in
	kd --state state
	cp out first
	diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods\t15\n')
	{
		mark '' 10 # kwatch resumes there
		tail -n +8 in
		event MODIFIED p1 16
		event ADDED p2 17 other
	} >later
	mv later in
	kd --state state --metrics metrics
	printf 'updated p1 16\ncreated p2 17\n' | records_are
	[ "$(jq -r .seq out | head -n 1)" = $(($(wc -l <first) + 1)) ]
	printf '' | gaps_are
	# a bookmark does not take the stream back either
	mark '' 12 >in
	kd --state state
	diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods\t17\n')
}

@test "resumed: what was created and deleted while nobody looked is seen" {
	known >in
	kd --state state
	{
		mark '' 10
		event ADDED brief 11
		event DELETED brief 12
		event MODIFIED p1 13
		mark '' 20
	} >in
	kd --state state
	printf 'created brief 11\ndeleted brief 12\nupdated p1 13\n' | records_are
	printf '' | gaps_are
	diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods\t20\n')
}

@test "--positions: each stream whose snapshot is complete, and none that is within one" {
	{
		mark begin 1 /api/v1/pods
		mark end 5 /api/v1/pods
		mark begin 1 /api/v1/secrets Secret
		event ADDED s 6 us Secret
		mark begin 1 '/apis/apps/v1/deployments?labelSelector=a%3Db' Deployment apps/v1
		mark end 7 '/apis/apps/v1/deployments?labelSelector=a%3Db' Deployment apps/v1
		event ADDED d 8 ud Deployment apps/v1
		mark begin 1 /api/v1/nodes Node
		mark end 9 /api/v1/nodes Node
		mark gone 10 /api/v1/nodes Node
	} >in
	kd --state state
	"$kdiff" --state state --positions >positions
	diff positions <(printf '/api/v1/pods\t5\n/apis/apps/v1/deployments?labelSelector=a%%3Db\t8\n')
}

@test "--positions: before the first run there are none; with a kdiff at work it is an error" {
	[ -z "$("$kdiff" --state state --positions)" ]
	[ ! -e state ]
	mkdir state
	[ -z "$("$kdiff" --state state --positions)" ]
	[ -z "$(ls -A state)" ]
	: >in
	kd --positions
	ends_with 2
	mkfifo pipe
	"$kdiff" --state state <pipe >out 2>err 3>&- &
	# shellcheck disable=SC2034 # kdiff_teardown ends it
	background=$!
	exec 9>pipe
	event ADDED a 1 >&9
	until_true 20 has_lines 1 out
	status=0
	"$kdiff" --state state --positions 2>err || status=$?
	exec 9>&-
	ends_with 1
	says 'kdiff: state: another kdiff uses this state directory'
}

@test "where two streams bring the same objects, an event is no sign of where either is" {
	{
		mark begin 1 '/api/v1/pods?labelSelector=a'
		mark end 10 '/api/v1/pods?labelSelector=a'
		mark begin 1 '/api/v1/pods?labelSelector=b'
		mark end 10 '/api/v1/pods?labelSelector=b'
		event ADDED x 20
		event ADDED y 15
		mark '' 16 '/api/v1/pods?labelSelector=a'
	} >in
	kd --state state
	printf 'created x 20\ncreated y 15\n' | records_are
	diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods?labelSelector=%s\n' "$(printf 'a\t16')" "$(printf 'b\t10')")
}
