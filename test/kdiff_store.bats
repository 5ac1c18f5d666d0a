#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff's store: which one it takes, what it does about one that is damaged, and what it tells of it.
# shellcheck disable=SC2030,SC2031,SC2154,SC2317 # each test is a subshell of its own, by design

setup() {
	load lib/kdiff
	kdiff_setup
}

teardown() {
	exec 9>&-
	kdiff_teardown
}

# cluster RV: a snapshot of 300 Pods of some text and a few Secrets.
cluster() {
	mark begin "$1"
	python3 - <<-'PY'
		import random
		rng = random.Random(7)
		for i in range(300):
		    print('{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p%d","namespace":"ns%d","uid":"u%d","resourceVersion":"%d"},"text":"%s"}}'
		        % (i, i % 7, i, i + 2, " ".join(str(rng.random()) for _ in range(20))))
	PY
	mark end "$1"
	mark begin "$1" /api/v1/secrets Secret
	for i in 1 2 3; do event ADDED "s$i" "$i" "us$i" Secret; done
	mark end "$1" /api/v1/secrets Secret
}

# A store that knows the cluster, and what is to be known of it.
known_store() {
	cluster 400 >first
	cp first in
	kd --state state
	ends_with 0
	[ "$(wc -l <out)" = 303 ]
}

# start [options]: standard input is descriptor 9.
start() {
	rm -f pipe
	mkfifo pipe
	: >out # what is there now is of an earlier run
	"$kdiff" --metrics metrics "$@" <pipe >out 2>err 3>&- &
	background=$!
	exec 9>pipe
}

crash() {
	kill -s KILL "$background"
	wait "$background" 2>/dev/null || true
	background=
	exec 9>&-
}

ended() { [ ! -e "/proc/$background" ] || grep -q '^State:.Z' "/proc/$background/status"; }

# It has begun anew: all objects are published again under higher numbers, and a gap says why.
begun_anew() {
	says "state/store.mdb: the store is damaged"
	says 'set aside as store.mdb.damaged-'
	ls state/store.mdb.damaged-20*Z* >/dev/null
	[ "$(jq -c 'select(.type == "gap") | [.stream, .from, .to, .reason]' out)" = '["","","","damaged"]' ]
	[ "$(head -n 1 out | jq -r .type)" = gap ]
	[ "$(head -n 1 out | jq .seq)" -gt 303 ]
	[ "$(jq -r 'select(.type == "created") | .name' out | wc -l)" = 303 ]
	jq -e -s '. as $r | [range(1; length)] | all($r[.].seq == $r[. - 1].seq + 1)' out >/dev/null
	[ "$(metric kollect_kdiff_gaps_total)" = 1 ]
	"$kdiff" --state state --verify
}

# ---- which store ----

@test "--cluster-id: a store is of the cluster that it was first used for" {
	event ADDED a 1 >in
	kd --state state --cluster-id=one
	ends_with 0
	event ADDED b 2 >in
	kd --state state --cluster-id=two
	ends_with 2
	says 'state/store.mdb: the store is of the cluster "one", not of "two": name another --state directory, or remove this one'
	[ ! -s out ]
	for command in --positions --verify --export --forget=/api/v1/pods; do
		kd --state state --cluster-id=two $command
		ends_with 2
	done
	kd --state state # who does not say, is not asked
	ends_with 0
	kd --state state --cluster-id=one
	ends_with 0
	# a store that has none yet takes the first
	kd --state other
	kd --state other --cluster-id=three
	kd --state other --cluster-id=one
	ends_with 2
}

@test "a store of another format is refused, and told what to do" {
	event ADDED a 1 >in
	kd --state state
	# "version" and its number, 2, stand beside each other in the page of the table meta
	python3 - <<-'PY'
		data = open("state/store.mdb", "rb").read()
		assert b"version\x02\0\0\0" in data
		open("state/store.mdb", "wb").write(data.replace(b"version\x02\0\0\0", b"version\x07\0\0\0"))
	PY
	kd --state state
	ends_with 2
	says 'state/store.mdb: the store has format 7, and this kdiff takes 2: name another --state directory, or remove this one to begin anew'
	[ "$(wc -l <err)" = 1 ]
	[ ! -s out ]
}

@test "a run that finds nothing new tells by its metrics what the store has" {
	known_store
	: >in
	kd --state state --metrics metrics
	[ "$(metric kollect_kdiff_sequence)" = 303 ]
	[ "$(metric kollect_kdiff_objects)" = 303 ]
}

# ---- damage ----

@test "a store that is too short is set aside, and a new one begun" {
	for size in 100 4096 8192 40960 -4096; do
		known_store
		truncate -s "$size" state/store.mdb
		cp first in
		kd --state state --metrics metrics
		ends_with 0
		begun_anew
		rm -rf state
	done
}

@test "a store that is garbage, or empty" {
	for content in 'head -c 100000 /dev/urandom' 'head -c 100000 /dev/zero' true; do
		known_store
		$content >state/store.mdb
		cp first in
		kd --state state --metrics metrics
		ends_with 0
		begun_anew
		rm -rf state
	done
}

@test "a store that is missing beside its numbers: they go on, and a gap says so" {
	known_store
	rm state/store.mdb
	cp first in
	kd --state state
	ends_with 0
	says 'state/store.mdb: the store is missing: a new one is begun'
	[ "$(head -n 1 out | jq -r '[.type, .reason] | join(" ")')" = 'gap missing' ]
	[ "$(head -n 1 out | jq .seq)" -gt 303 ]
	# told once
	: >in
	kd --state state
	[ ! -s out ]
	quiet
}

@test "the gap of a lost store is not lost itself, whenever kdiff is killed" {
	known_store
	truncate -s 8192 state/store.mdb
	# a run that publishes nothing, as its disk is full: what it has begun is finished by the next
	start --state state --sync=always
	until_true 20 has_lines 1 out
	crash
	cp out first.out
	start --state state
	until_true 20 has_lines 1 out
	crash
	# written, and maybe not yet removed from the outbox: the same, or nothing more
	[ ! -s out ] || cmp out first.out
	[ "$(jq -r .reason first.out)" = damaged ]
}

@test "numbers go on above all before, also when the file with their bound is lost" {
	known_store
	before=$(cat state/seq)
	[ "$before" -gt 303 ]
	truncate -s 8192 state/store.mdb
	rm state/seq
	cp first in
	kd --state state
	[ "$(head -n 1 out | jq .seq)" -gt "$before" ]
	# as a number that every JSON reader takes whole
	[ "$(tail -n 1 out | jq .seq)" -lt 9007199254740992 ]
	truncate -s 8192 state/store.mdb
	echo nonsense >state/seq
	last=$(tail -n 1 out | jq .seq)
	kd --state state
	[ "$(head -n 1 out | jq .seq)" -gt "$last" ]
}

@test "a store that becomes too short under a running kdiff: a message, exit 1, and the next start sets it aside" {
	known_store
	start --state state
	event ADDED new 1000 >&9
	until_true 20 has_lines 1 out
	truncate -s 16384 state/store.mdb
	trap '' PIPE
	for i in $(seq 300); do
		echo "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p$i\",\"namespace\":\"ns$((i % 7))\",\"uid\":\"u$i\",\"resourceVersion\":\"2000\"}}}"
	done >&9 2>/dev/null || true
	exec 9>&-
	until_true 20 ended
	status=0
	wait "$background" || status=$?
	background=
	ends_with 1
	says 'state/store.mdb'
	says 'damaged'
	[ -e state/damaged ]
	kd --state state --positions
	ends_with 1
	says 'the store is damaged'
	cp first in
	kd --state state --metrics metrics
	ends_with 0
	begun_anew
	[ ! -e state/damaged ]
}

@test "bits that change: no crash, no state that never was, and --verify finds what matters" {
	known_store
	python3 - "$kdiff" <<-'PY'
		import json, os, random, shutil, subprocess, sys
		kdiff, seed = sys.argv[1], int(os.environ.get("SEED", "7")) # other places: SEED=$RANDOM
		print("seed", seed)
		rng = random.Random(seed)
		def run(*args, stdin=b""):
		    p = subprocess.run([kdiff, "--state", "flipped", *args], input=stdin, capture_output=True, timeout=60)
		    # the number of the format may be among them
		    assert p.returncode in (0, 1) or b"the store has format" in p.stderr, (p.returncode, p.stderr)
		    return p
		states = {}
		for line in open("first", "rb"):
		    o = json.loads(line)["object"]
		    if "uid" in o["metadata"]:
		        states[o["metadata"]["uid"]] = o
		change = b"".join(b'{"type":"DELETED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p%d","namespace":"ns%d","uid":"u%d","resourceVersion":"5000"}}}\n'
		    % (i, i % 7, i) for i in range(0, 300, 10))
		snapshot = open("first", "rb").read()
		good = open("state/store.mdb", "rb").read()
		found = harmless = 0
		for i in range(60):
		    shutil.rmtree("flipped", ignore_errors=True)
		    shutil.copytree("state", "flipped")
		    bad = bytearray(good)
		    for _ in range(rng.choice([1, 1, 8, 64])):
		        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
		    open("flipped/store.mdb", "wb").write(bad)
		    verified = run("--verify")
		    exported = run("--export")
		    first = run(stdin=snapshot)
		    if first.returncode == 2:
		        continue
		    last = run(stdin=snapshot) if first.returncode else first
		    assert last.returncode == 0, last.stderr
		    assert first.returncode == 0 or b"damaged" in first.stderr, first.stderr
		    for line in (first.stdout + last.stdout).splitlines():
		        r = json.loads(line)
		        if "then" in r:
		            assert r["then"] == states[r["uid"]], r
		    out = [json.loads(l)["type"] for l in first.stdout.splitlines()]
		    if verified.returncode:
		        found += 1
		    else:
		        harmless += 1
		        assert not out and not first.returncode, (verified.stdout, out, first.stderr)
		        assert exported.stdout.count(b"\n") == 303
		print(found, "found,", harmless, "harmless")
		assert found > 5
	PY
}

# ---- power ----

@test "--sync: killed at any instant nothing that was published is lost, whichever it is" {
	for sync in always interval never; do
		rm -rf state
		start --state state --sync=$sync
		cluster 400 >&9
		until_true 20 has_lines 303 out
		[ -e state/unsynced ] || [ $sync != never ]
		crash
		: >in
		kd --state state --verify
		ends_with 0
		grep -q '^303 objects, 2 kinds, 2 streams;' out
		diff <("$kdiff" --state state --positions) <(printf '/api/v1/pods\t400\n/api/v1/secrets\t400\n')
	done
}

@test "--sync: a store that was not synced, and that the machine went down with, is not trusted" {
	for sync in interval never; do
		rm -rf state
		start --state state --sync=$sync
		cluster 400 >&9
		until_true 20 has_lines 303 out
		crash
		# the machine is not the same any more
		: >in
		echo 00000000-0000-0000-0000-000000000000 >state/unsynced
		kd --state state --positions
		ends_with 1
		says 'the machine went down while not every change was on the disk'
		cluster 400 >in
		kd --state state --sync=$sync --metrics metrics
		ends_with 0
		begun_anew
		[ ! -e state/unsynced ]
	done
}

@test "--sync: a clean end brings all to the disk; and --sync=always leaves nothing to be brought" {
	event ADDED a 1 >in
	kd --state state --sync=never
	[ ! -e state/unsynced ]
	start --state state --sync=never
	event ADDED b 2 >&9
	until_true 20 has_lines 1 out
	crash
	[ -e state/unsynced ]
	start --state state
	event ADDED c 3 >&9
	until_true 20 has_lines 1 out
	[ ! -e state/unsynced ]
	synced() { [ "$(metric kollect_kdiff_synced_total)" -gt 0 ]; }
	until_true 10 synced
	crash
}

@test "--sync: with always each commit is on the disk before its records leave; with never none is" {
	# What goes to the disk and to standard output, in its order.
	cat >order.c <<-'C'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		static void note(const char *what)
		{
			FILE *f = fopen("order", "a");
			fputs(what, f);
			fclose(f);
		}
		int fdatasync(int fd)
		{
			int (*real)(int);
			*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
			int done = real(fd);
			note("sync\n");
			return done;
		}
		ssize_t write(int fd, const void *p, size_t n)
		{
			ssize_t (*real)(int, const void *, size_t);
			*(void **)&real = dlsym(RTLD_NEXT, "write");
			if (fd == 1)
				note("out\n");
			return real(fd, p, n);
		}
	C
	"${CC:-cc}" -shared -fPIC -o order.so order.c -ldl
	for i in $(seq 3000); do event ADDED "p$i" "$i"; done >in
	for sync in always never; do
		rm -rf state
		: >order
		# the sanitizer's build wants to be told
		LD_PRELOAD=$PWD/order.so ASAN_OPTIONS=verify_asan_link_order=0 kd --state state --sync=$sync
		ends_with 0
		[ "$(wc -l <out)" = 3000 ]
		mv order $sync
	done
	[ "$(grep -c out always)" -gt 4 ]
	awk '$0 == "out" && last != "sync" { exit 1 } { last = $0 }' always
	# behind the first record no commit is, until the end
	[ "$(sed -n '/out/,$p' never | uniq | grep -c out)" = 1 ]
}

@test "--sync=interval: a store is not to be trusted from its first change on until it has been synced" {
	start --state state --sync=interval:6
	event ADDED a 1 >&9
	until_true 20 has_lines 1 out
	[ -e state/unsynced ]
	synced() { [ ! -e state/unsynced ]; }
	until_true 20 synced
	event ADDED b 2 >&9
	until_true 20 has_lines 2 out
	[ -e state/unsynced ]
	until_true 20 synced
	until_true 10 grep -q '^kollect_kdiff_synced_total 2$' metrics
	crash
	: >in
	for what in sometimes interval: interval:0 interval:-1 interval:1s interval:99999999999999999999; do
		kd --sync=$what
		ends_with 2
		says "--sync: \"$what\" is none of always, interval, interval:SECONDS, never"
	done
}

# ---- looking at it ----

@test "--verify: a good store, with records in the outbox" {
	mkfifo acks
	exec 5<>acks
	cluster 400 >in
	status=0
	timeout 60 "$kdiff" --state state --ack-fd=5 <in >out 2>err || status=$?
	exec 5>&-
	ends_with 0
	kd --state state --verify
	ends_with 0
	grep -Eq '^303 objects, 2 kinds, 2 streams; outbox: 303 records, [0-9]+ bytes; last seq 303; 0 faults$' out
	quiet
}

@test "--verify: each fault is named" {
	known_store
	python3 - <<-'PY'
		# Names are keys of the one table and parts of the rows of another: here the former alone.
		data = bytearray(open("state/store.mdb", "rb").read())
		n = data.count(b"ns3\0p101")
		assert n > 0
		at = -1
		for _ in range(n):
		    at = data.index(b"ns3\0p101", at + 1)
		    data[at + 7] = ord("!") # where it stands is still right
		open("state/store.mdb", "wb").write(data)
	PY
	kd --state state --verify
	ends_with 1
	says 'table objects, key 7375313031: its name does not lead to it'
	says 'the object behind it has another'
	grep -q ' 2 faults$' out
}

@test "--verify, --export and --forget without a store" {
	for command in --verify --export --forget=/api/v1/pods; do
		: >in
		kd $command
		ends_with 2
		says 'there is no --state'
		kd --state none $command
		ends_with 1
		[ ! -e none ]
	done
	kd --state none --deletes
	ends_with 2
	says '--deletes goes with --forget'
}

@test "--export: the objects as they are, sorted by stream, namespace and name" {
	known_store
	event ADDED stray 7 us Service >in # of no stream: the first
	kd --state state
	kd --state state --export
	ends_with 0
	cp out exported
	{
		event ADDED stray 7 us Service
		cat first
	} | jq -c 'select(.type == "ADDED") | .object' |
		python3 -c '
import json, sys
order = {"Service": 0, "Pod": 1, "Secret": 2}
lines = [(lambda o: (order[o["kind"]], o["metadata"]["namespace"], o["metadata"]["name"], l))(json.loads(l)) for l in sys.stdin]
sys.stdout.writelines(l for *_, l in sorted(lines))' >wanted
	cmp wanted <(jq -c . exported)
	# byte for byte as the API server sent them
	diff <(sort exported) <({ event ADDED stray 7 us Service; cat first; } | grep ADDED | sed -E 's/^\{"type":"ADDED","object":(.*)\}$/\1/' | sort)
	: >in
	"$kdiff" --state state --export | head -n 1 >out
	[ "$(wc -l <out)" = 1 ]
}

@test "--forget: the stream and its objects are gone, and nothing else" {
	known_store
	kd --state state --forget=/api/v1/nodes
	ends_with 1
	says 'there is no stream /api/v1/nodes in the store'
	kd --state state --forget=/api/v1/pods
	ends_with 0
	grep -qx '/api/v1/pods: 300 objects forgotten' out
	diff <("$kdiff" --state state --positions) <(printf '/api/v1/secrets\t400\n')
	kd --state state --verify
	ends_with 0
	grep -q '^3 objects, 2 kinds, 1 streams; outbox: 0 records' out
	# its objects are new when they come again, and it gets a number of its own
	cp first in
	kd --state state
	[ "$(jq -r 'select(.type == "created") | .kind' out | sort | uniq -c | tr -s ' ')" = ' 300 Pod' ]
	kd --state state --verify
	ends_with 0
}

@test "--forget --deletes: that they are gone is published first at the next start" {
	known_store
	kd --state state --forget=/api/v1/pods --deletes
	ends_with 0
	grep -qx '/api/v1/pods: 300 objects forgotten, their deletions are in the outbox' out
	kd --state state --verify
	ends_with 0
	grep -q '^3 objects, 2 kinds, 1 streams; outbox: 300 records' out
	event ADDED new 900 >in
	kd --state state
	ends_with 0
	[ "$(wc -l <out)" = 301 ]
	[ "$(head -n 300 out | jq -r .type | sort -u)" = deleted ]
	[ "$(tail -n 1 out | jq -r '"\(.seq) \(.type) \(.name)"')" = '604 created new' ]
	jq -c '.then // empty' out | sort | diff -q - <(jq -c 'select(.type == "ADDED") | .object | select(.kind == "Pod")' first | sort)
}
