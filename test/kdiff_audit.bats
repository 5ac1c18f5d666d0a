#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff's half of the self-audit: what kwatch says that the server has, compared with what is known.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() {
	exec 8<&- 9>&-
	kdiff_teardown
}

# exists NAME RESOURCEVERSION [UID [PATH [KIND [NAMESPACE]]]]: it does, the server says within an audit.
exists() {
	printf '{"type":"BOOKMARK","object":{"kind":"%s","apiVersion":"v1","metadata":{"name":"%s","namespace":"%s","uid":"%s","resourceVersion":"%s","annotations":{"kollect/stream":"%s","kollect/mark":"exists"}}}}\n' \
		"${5:-Pod}" "$1" "${6:-shop}" "${3:-uid-$1}" "$2" "${4:-/api/v1/pods}"
}

# known: a snapshot of a, b and c, as of 10.
known() {
	mark begin 1
	event ADDED a 1
	event ADDED b 2
	event ADDED c 3
	mark end 10
}

# audit RESOURCEVERSION NAME=RESOURCEVERSION...: a whole one, of these objects.
audit() {
	local at=$1 object
	shift
	mark audit "$at"
	for object; do exists "${object%=*}" "${object#*=}"; done
	mark audited "$at"
}

# With a descriptor for requests, which are in the file asked afterwards.
kd_asking() { kd --resync-fd=5 --metrics metrics "$@" 5>asked; }

# counted AUDITS MISSED
counted() {
	[ "$(metric kollect_kdiff_audits_total)" = "$1" ]
	[ "$(metric kollect_audit_missed_total)" = "$2" ]
}

asked_for() { diff <(printf '%s' "${1:+$1$'\n'}") asked; }

@test "all as it is known: no record, no word, and the stream is where it was" {
	{
		known
		audit 20 a=1 b=2 c=3
		audit 30 c=3 b=2 a=1
	} >in
	kd_asking --state state
	ends_with 0
	quiet
	printf 'created a 1\ncreated b 2\ncreated c 3\n' | records_are
	counted 2 0
	asked_for ''
	diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods\t10\n')
}

@test "a difference is one when the next audit shows it again: it is counted, named, asked about and mended" {
	{
		known
		audit 15 a=1 b=2 c=3
		audit 20 a=1 b=12 d=13
		audit 30 a=1 b=12 d=13
	} >in
	kd_asking --state state
	ends_with 0
	counted 3 3
	asked_for /api/v1/pods
	says 'kdiff: warning: /api/v1/pods: audit: shop/b has changed, and no event has told'
	says 'kdiff: warning: /api/v1/pods: audit: shop/c is gone, and no event has told'
	says 'kdiff: warning: /api/v1/pods: audit: shop/d exists, and no event has told'
	says 'kdiff: warning: /api/v1/pods: audit: changes of 3 objects were missed: a snapshot is asked for'
	[ "$(wc -l <err)" = 4 ]
	[ "$(metric kollect_kdiff_gaps_total)" = 1 ]
	printf 'created a 1\ncreated b 2\ncreated c 3\n' | records_are
	# the snapshot comes, here to another run
	{
		mark begin 10
		event ADDED a 1
		event ADDED b 12
		event ADDED d 13
		mark end 30
		audit 40 a=1 b=12 d=13
		audit 50 a=1 b=12 d=13
	} >in
	kd_asking --state state
	ends_with 0
	printf 'updated b 12\ncreated d 13\ndeleted c 3\n' | records_are
	echo '/api/v1/pods 15 30 audit' | gaps_are
	counted 2 0
	asked_for ''
	quiet
}

@test "many differences: three are named, all are counted" {
	{
		mark begin 1
		for i in $(seq 500); do event ADDED "p$i" "$i"; done
		mark end 500
		mark audit 600
		mark audited 600
		mark audit 700
		mark audited 700
	} >in
	kd_asking
	counted 2 500
	[ "$(grep -c 'is gone' err)" = 3 ]
	says 'changes of 500 objects were missed'
}

@test "an event on its way is no difference" {
	{
		known
		audit 20 a=1 b=12 d=13 # c is gone
		event MODIFIED b 12
		event ADDED d 13
		event DELETED c 14
		audit 30 a=1 b=12 d=13
		audit 40 a=1 b=12 d=13
	} >in
	kd_asking
	quiet
	counted 3 0
	asked_for ''
}

@test "objects that change all the time are none: what is known differs from audit to audit" {
	{
		known
		audit 20 a=1 b=12 c=3
		event MODIFIED b 12
		audit 30 a=1 b=22 c=3
		event MODIFIED b 22
		audit 40 a=1 b=32 c=3
	} >in
	kd_asking
	quiet
	counted 3 0
}

@test "events between the marks: newer than the list is no difference" {
	{
		known
		for at in 20 30 40; do
			mark audit "$at"
			event ADDED "new$at" "$((at + 1))" # not in the list
			event MODIFIED b "$((at + 2))"
			exists a 1
			exists b 2
			exists c 3
			mark audited "$at"
			event DELETED "new$at" "$((at + 3))"
		done
		mark audit 50
		event DELETED c 51
		for i in a=1 b=42 c=3; do exists "${i%=*}" "${i#*=}"; done
		mark audited 50
		audit 60 a=1 b=42
	} >in
	kd_asking
	ends_with 0
	quiet
	counted 5 0
}

@test "until the snapshot comes each audit asks for it; counted it is once" {
	{
		known
		audit 20 a=1 b=2
		audit 30 a=1 b=2
		audit 40 a=1 b=2
		audit 50 a=1 b=2 # and another one is missed
		event MODIFIED a 55
		audit 60 a=55
		audit 70 a=55
	} >in
	kd_asking
	counted 6 2
	[ "$(wc -l <asked)" = 5 ]
	[ "$(grep -c 'were missed' err)" = 2 ]
	[ "$(metric kollect_kdiff_gaps_total)" = 1 ]
}

@test "an audit that is begun again, cut by a snapshot, or of which a line was lost counts for nothing" {
	{
		known
		mark audit 20
		exists a 1
		audit 21 a=1 b=2 c=3 # the one before would have lacked two
		mark audit 30
		exists a 1
		mark begin 31
		event ADDED a 1
		event ADDED b 2
		event ADDED c 3
		mark audited 30 # within a snapshot
		mark end 31
		mark audited 30
		audit 40 a=1 b=2
		mark begin 41
		event ADDED a 1
		event ADDED b 2
		mark end 41
		audit 50 a=1 b=2
		mark audit 60
		exists a 1
		echo nonsense
		mark audited 60
		mark audit 70
		exists a 1
		echo nonsense
		mark audited 70
	} >in
	kd_asking --on-error=skip
	ends_with 0
	counted 3 0
	asked_for ''
	[ "$(grep -c audit err)" = 0 ]
}

@test "an audit whose beginning another run has read counts for nothing" {
	{
		known
		mark audit 20
		exists a 1
	} >in
	kd_asking --state state
	{
		mark '' 10
		exists b 2
		mark audited 20
		mark audit 30
		exists a 1
	} >in
	kd_asking --state state
	ends_with 0
	quiet
	counted 0 0
}

@test "streams are audited each for itself" {
	{
		for ns in one two; do
			mark begin 1 /api/v1/namespaces/$ns/pods
			event ADDED "p-$ns" 2 "u-$ns" Pod v1 $ns
			mark end 5 /api/v1/namespaces/$ns/pods
		done
		mark begin 1 /api/v1/secrets Secret
		event ADDED s 3 us Secret v1 one
		mark end 5 /api/v1/secrets Secret
		for at in 10 20; do
			mark audit $at /api/v1/namespaces/one/pods
			mark audit $at /api/v1/namespaces/two/pods
			mark audit $at /api/v1/secrets Secret
			exists p-one 2 u-one /api/v1/namespaces/one/pods Pod one
			mark audited $at /api/v1/namespaces/two/pods # lacks p-two
			exists s 3 us /api/v1/secrets Secret one
			mark audited $at /api/v1/secrets Secret
			mark audited $at /api/v1/namespaces/one/pods
		done
	} >in
	kd_asking
	counted 6 1
	asked_for /api/v1/namespaces/two/pods
	says 'two/p-two is gone'
}

@test "resourceVersions that are no numbers: what is unlike twice, with the same known, is a difference" {
	{
		mark begin x
		event ADDED a v-a
		event ADDED b v-b
		mark end v-c
		audit v-d a=v-a b=v-e
		audit v-f a=v-a b=v-e
	} >in
	kd_asking
	counted 2 1
	says 'shop/b has changed'
}

@test "without --resync-fd a difference is told, and mended by the next snapshot" {
	{
		known
		audit 20 a=1 b=2
		audit 30 a=1 b=2
	} >in
	kd --metrics metrics --state state
	ends_with 0
	counted 2 1
	says '/api/v1/pods: audit: changes of 1 objects were missed: the next snapshot brings them'
	{
		mark begin 40
		event ADDED a 1
		event ADDED b 2
		mark end 40
	} >in
	kd --state state
	echo 'deleted c 3' | records_are
	# since when is not known: no audit has found the stream to be as it should
	echo '/api/v1/pods  40 audit' | gaps_are
}

@test "a pipe that nobody reads stops nothing; what is asked goes out when there is room" {
	mkfifo asks pipe
	exec 8<>asks
	python3 -c '
import os
pipe, n = os.open("asks", os.O_WRONLY | os.O_NONBLOCK), 0
try:
    while True: n += os.write(pipe, b"x" * 4095 + b"\n")
except BlockingIOError: print(n)' >filled
	"$kdiff" --resync-fd=5 --metrics metrics <pipe >out 2>err 5>asks 3>&- 8<&- &
	background=$!
	exec 9>pipe
	{
		known
		audit 20 a=1 b=2
		audit 30 a=1 b=2
		event ADDED later 40
	} >&9
	until_true 20 has_lines 4 out
	head -c "$(cat filled)" <&8 >/dev/null
	timeout 20 head -n 1 <&8 >asked
	asked_for /api/v1/pods
	# and one whose reader has gone is named
	exec 8<&-
	{
		audit 50 a=1 b=2 later=40
		event ADDED last 60
	} >&9
	until_true 20 has_lines 5 out
	until_true 20 grep -q 'cannot ask for a snapshot: Broken pipe' err
	kill -0 "$background"
}

@test "a mark without a uid is a bad line; a descriptor that is not open is named" {
	{
		known
		mark audit 20
		exists a 1 | sed 's/"uid":"uid-a",//'
	} >in
	kd
	ends_with 1
	says 'line 7'
	says 'the mark lacks a plain uid, name or resourceVersion'
	: >in
	kd --resync-fd=99
	ends_with 1
	says 'kdiff: --resync-fd: descriptor 99: Bad file descriptor'
	kd --resync-fd=x
	ends_with 2
	says '--resync-fd: "x" is no descriptor'
}
