#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The whole pipeline, from a real API server to real brokers, against the truth that the test itself
# wrote down about each of its writes.
# shellcheck disable=SC2154,SC2317 # variables come from lib/; wait_for calls functions by name

setup_file() {
	load ../lib/pipeline
	export k8s=$BATS_FILE_TMPDIR/k8s nats=$BATS_FILE_TMPDIR/nats kafka=$BATS_FILE_TMPDIR/kafka
	k8s_start "$k8s"
	nats_start "$nats"
	kafka_start "$kafka"
	# Also read back by the test; a stream that covers what it asks for makes publishes durable.
	NATS_SERVER_URL=$(nats_url "$nats")
	KAFKA_BROKERS=$(kafka_brokers "$kafka")
	KUBECONFIG=$k8s/admin.kubeconfig
	export NATS_SERVER_URL KAFKA_BROKERS KUBECONFIG
}

teardown_file() {
	load ../lib/pipeline
	kafka_stop "$kafka"
	nats_stop "$nats"
	k8s_stop "$k8s"
}

setup() {
	load ../lib/pipeline
	dir=$BATS_TEST_TMPDIR
	id=t$BATS_TEST_NUMBER
}

teardown() {
	finish "$dir" kollect || true
}

# --- helpers ---------------------------------------------------------------------------------

churn() { "$test_tools/churn.py" "$k8s/admin.kubeconfig" --namespace "$id" "$@"; }
truth() { "$test_tools/truth.py" "$@"; }

# Decoded events that a JetStream stream or a Kafka topic holds.
from_nats() { nats_read "$nats" "$id" --frames | kenvelope --decode; }
from_kafka() { kafka_read "$kafka" "$id" --frames | kenvelope --decode; }

# published_by COMMAND TRUTH_ARG...: has it all come, and nothing else? For wait_for. In the order that a bus
# keeps, which is that of each uid: a message waits for one with the same key, and those behind it do not.
published_by() {
	"$1" >"$dir/events" && shift && truth --by-uid "$@" <"$dir/events" >"$dir/verdict" 2>&1
}

# The same with the reason when it does not come true.
expect() {
	wait_for 60 published_by "$@" || {
		cat "$dir/verdict" >&2
		cat "$dir/kollect.err" >&2
		return 1
	}
}

start() { kollect_start "$dir" kollect "$@"; }

start_to_nats() {
	nats_cli "$nats" stream-add "$id" "$id.>" >/dev/null
	start --event-writer-url "nats://$id.changes" "$@"
}

synced() { wait_for 30 kollect_synced "$dir" kollect; }

# The uids of all objects that the API server serves for list and watch.
all_uids() {
	# events are served by two groups; one of them is enough.
	k8s_kubectl "$k8s" api-resources --verbs=list,watch -o name | grep -v '^events\.events' |
		while read -r type; do
			k8s_kubectl "$k8s" get "$type" -A -o json
		done | jq -r '.items[].metadata.uid' | sort
}

# --- from the API server to a file -----------------------------------------------------------

@test "every object of the API server appears once, as created" {
	churn --truth "$dir/truth" --objects 60 --ops 0
	kwatch --once | kdiff | kenvelope | kpublish "file:$dir/frames"
	kenvelope --decode <"$dir/frames" >"$dir/events"
	run jq -r 'select(.payload["@type"] | endswith("ResourceCreatedEvent") | not)' "$dir/events"
	[ -z "$output" ]
	jq -r .payload.uid "$dir/events" | sort >"$dir/seen"
	all_uids >"$dir/there"
	diff "$dir/there" "$dir/seen"
	[ "$(wc -l <"$dir/seen")" -gt 150 ]
	truth --missed "$dir/truth" <"$dir/events"
}

@test "two thousand objects come through pages of a hundred" {
	churn --bulk 2000 --size 200 --threads 8 --truth "$dir/truth"
	kwatch --once --no-watch-list --page-size 100 -n "$id-bulk" configmaps | kdiff >"$dir/records"
	[ "$(jq -r 'select(.type == "created") | .uid' "$dir/records" | sort -u | wc -l)" -eq 2000 ]
	grep '"ConfigMap"' "$dir/truth" >"$dir/configmaps"
	truth --records --missed "$dir/configmaps" <"$dir/records"
	# The snapshot is one: begun and ended once, whatever the pages.
	kwatch --once --no-watch-list --page-size 100 -n "$id-bulk" configmaps >"$dir/stream"
	[ "$(grep -c '"kollect/mark":"begin"' "$dir/stream")" -eq 1 ]
	[ "$(grep -c '"kollect/mark":"end"' "$dir/stream")" -eq 1 ]
}

@test "WatchList and pages show the same objects, byte for byte" {
	churn --truth "$dir/truth" --objects 40 --ops 40
	for how in --no-watch-list --page-size=500; do
		kwatch --once "$how" -n "$id-a" -n "$id-b" |
			grep '"type":"ADDED"' | grep -v '"kind":"Lease"' | sort >"$dir/stream$how"
	done
	[ "$(wc -l <"$dir/stream--no-watch-list")" -gt 20 ]
	cmp "$dir/stream--no-watch-list" "$dir/stream--page-size=500"
}

@test "what kubectl prints is input for kdiff" {
	churn --bulk 40 --size 120000 --truth "$dir/bulk"
	background "$dir" kubectl k8s_kubectl "$k8s" get configmaps -n "$id-bulk" -w \
		--output-watch-events -o json
	wait_for 30 grep -q bulk-1-39 "$dir/kubectl.out"
	k8s_kubectl "$k8s" -n "$id-bulk" label configmap --all turn=two >/dev/null
	k8s_kubectl "$k8s" -n "$id-bulk" delete configmap --all >/dev/null
	deletions() { [ "$(grep -o '"DELETED"' "$dir/kubectl.out" | wc -l)" -ge 40 ]; }
	wait_for 30 deletions
	finish "$dir" kubectl || true
	kdiff <"$dir/kubectl.out" >"$dir/records"
	[ "$(jq -r .type "$dir/records" | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = \
		" 40 created; 40 deleted; 40 updated;" ]
}

# Of more objects than fit in a chunk, kubectl 1.35 prints a List a chunk; else an event an object.
@test "the Lists that kubectl prints of many objects are taken apart" {
	churn --bulk 600 --size 100 --threads 8 --truth "$dir/bulk"
	grep '"ConfigMap"' "$dir/bulk" >"$dir/truth"
	for chunk in 500 0; do
		background "$dir" kubectl k8s_kubectl "$k8s" get configmaps -n "$id-bulk" -w \
			--chunk-size="$chunk" --output-watch-events -o json
		shown() { [ "$(wc -l <"$dir/kubectl.out")" -ge $((chunk ? 2 : 600)) ]; }
		wait_for 30 shown
		finish "$dir" kubectl || true
		[ "$(grep -c '"items":' "$dir/kubectl.out")" -eq $((chunk ? 2 : 0)) ]
		kdiff <"$dir/kubectl.out" | truth --records --live "$dir/truth"
	done
}

# --- kollect to NATS and Kafka ---------------------------------------------------------------

@test "a churn over several types, a CRD among them, arrives event by event over NATS" {
	start_to_nats
	synced
	churn --truth "$dir/truth" --seed 3 --objects 80 --ops 400 --threads 4
	expect from_nats --live "$dir/truth"
	kollect_stop "$dir" kollect
}

@test "a churn arrives event by event over Kafka, keyed by object" {
	start --event-writer-url "kafka://$id"
	synced
	churn --truth "$dir/truth" --seed 4 --objects 80 --ops 400 --threads 4
	expect from_kafka --live "$dir/truth"
	kollect_stop "$dir" kollect
	kafka_read "$kafka" "$id" >"$dir/messages"
	# The key is cluster/uid, and the header says the same.
	jq -e -s 'all(.key == .headers.key and (.key | test("^[0-9a-f-]{36}/[0-9a-f-]{36}$")))' "$dir/messages"
}

# gaps: the reasons of those that were published.
gaps() { from_nats | jq -r 'select(.payload["@type"] | endswith(".Gap")).payload.reason' | sort -u | tr '\n' ' '; }

@test "a restart with state misses nothing, not even what was made and deleted meanwhile" {
	start_to_nats --state-dir "$dir/state"
	synced
	churn --truth "$dir/first" --seed 5 --objects 60 --ops 100
	expect from_nats --live "$dir/first"
	kollect_stop "$dir" kollect
	churn --truth "$dir/second" --seed 6 --objects 60 --ops 200 --resume "$dir/first"
	# Some objects of that time have come and gone within it.
	jq -r 'select(.op == "created").uid' "$dir/second" | sort >"$dir/created"
	[ "$(jq -r 'select(.op == "deleted").uid' "$dir/second" | sort | comm -12 - "$dir/created" | wc -l)" -gt 0 ]
	start --event-writer-url "nats://$id.changes" --state-dir "$dir/state"
	expect from_nats --live "$dir/first" --live "$dir/second"
	churn --truth "$dir/third" --seed 7 --objects 60 --ops 50 --resume "$dir/first" --resume "$dir/second"
	expect from_nats --live "$dir/first" --live "$dir/second" --live "$dir/third"
	# No stream needed a snapshot for it.
	resumed() { [ "$(metric "$dir" kollect kwatch kollect_kwatch_resumed_total)" -gt 5 ]; }
	wait_for 10 resumed
	[ "$(metric "$dir" kollect kwatch kollect_kwatch_snapshots_total)" -eq 0 ]
	[ -z "$(gaps)" ]
	kollect_stop "$dir" kollect
}

@test "a restart after the history was compacted: a gap is published, and the difference" {
	start_to_nats --state-dir "$dir/state"
	synced
	churn --truth "$dir/first" --seed 16 --objects 40 --ops 20
	expect from_nats --live "$dir/first"
	kollect_stop "$dir" kollect
	churn --truth "$dir/second" --seed 17 --objects 40 --ops 100 --resume "$dir/first"
	grep -q '"op": "deleted"' "$dir/second"
	forget_history
	start --event-writer-url "nats://$id.changes" --state-dir "$dir/state"
	expect from_nats --live "$dir/first" --missed "$dir/second"
	[[ "$(gaps)" == "Expired " ]]
	from_nats | jq -e -s 'map(select(.payload["@type"] | endswith(".Gap")).payload) |
		all((.from | tonumber) < (.to | tonumber)) and any(.stream == "/api/v1/configmaps")'
	kollect_stop "$dir" kollect
}

# The API server anew, and nothing of what was is in etcd or a watch cache.
forget_history() {
	k8s_stop_api "$k8s"
	k8s_etcdctl "$k8s" compact "$(k8s_etcdctl "$k8s" get / --prefix --keys-only --limit 1 -w json | jq .header.revision)"
	k8s_restart_api "$k8s"
}

@test "each stage, kollect, and all at once, killed during a churn: nothing is missing, nothing has two ids" {
	start_to_nats --state-dir "$dir/state"
	synced
	background "$dir" churn churn --truth "$dir/truth" --seed 18 --objects 60 --ops 3000 --rate 60 --threads 4
	wait_for 30 test -s "$dir/truth"
	for victim in kwatch kdiff kenvelope kpublish kollect all; do
		written=$(wc -l <"$dir/truth")
		wait_for 60 written "$((written + 150))"
		kill_"$victim"
	done
	# None of that came when all was written already.
	[ ! -e "$dir/churn.status" ]
	wait_for 120 test -e "$dir/churn.status"
	expect from_nats --allow-duplicates --live "$dir/truth"
	[ -z "$(gaps)" ]
	kollect_stop "$dir" kollect
}

# written N: as many writes as that are in the truth.
written() { [ "$(wc -l <"$dir/truth")" -ge "$1" ]; }

kill_kwatch() { kill_stage kwatch; }
kill_kdiff() { kill_stage kdiff; }
kill_kenvelope() { kill_stage kenvelope; }
kill_kpublish() { kill_stage kpublish; }

kill_stage() {
	wait_for 60 stage_pid "$dir" kollect "$1"
	kill -KILL "$(stage_pid "$dir" kollect "$1")"
	wait_for 20 grep -q "$1 ended with exit code 137" "$dir/kollect.err"
}

kill_kollect() {
	kill -KILL "$(cat "$dir/kollect.kollect.pid")"
	kollect_ended "$dir" kollect || true
	start --event-writer-url "nats://$id.changes" --state-dir "$dir/state"
}

kill_all() {
	wait_for 60 stage_pid "$dir" kollect kpublish
	finish "$dir" kollect KILL || true
	start --event-writer-url "nats://$id.changes" --state-dir "$dir/state"
}

@test "all killed while the bus is down: what was waiting for it is published, deletes included" {
	start_to_nats --state-dir "$dir/state"
	synced
	nats_kill "$nats"
	before=$(metric "$dir" kollect kdiff kollect_kdiff_sequence)
	churn --truth "$dir/truth" --seed 19 --objects 40 --ops 100
	waiting() { [ "$(metric "$dir" kollect kdiff kollect_kdiff_sequence)" -ge $((before + $(wc -l <"$dir/truth"))) ]; }
	wait_for 30 waiting
	finish "$dir" kollect KILL || true
	# Without its history the server could not tell the changes again: they come from the state alone.
	forget_history
	nats_start "$nats"
	start --event-writer-url "nats://$id.changes" --state-dir "$dir/state"
	expect from_nats --allow-duplicates --live "$dir/truth"
	kollect_stop "$dir" kollect
}

@test "deletes that only a snapshot shows are published" {
	start_to_nats
	synced
	churn --truth "$dir/first" --seed 8 --objects 40 --ops 20
	expect from_nats --live "$dir/first"
	kwatch=$(stage_pid "$dir" kollect kwatch)
	kill -STOP "$kwatch"
	# Cut off, so that nothing of what comes waits in a socket.
	k8s_restart_api "$k8s"
	churn --truth "$dir/second" --seed 9 --objects 40 --ops 100 --resume "$dir/first"
	grep -q '"op": "deleted"' "$dir/second"
	# The history that kwatch would go on from is gone.
	forget_history
	kill -CONT "$kwatch"
	gap() { [ "$(metric "$dir" kollect kwatch kollect_kwatch_gaps_total)" -gt 0 ]; }
	wait_for 60 gap
	expect from_nats --live "$dir/first" --missed "$dir/second"
	kollect_stop "$dir" kollect
}

@test "with --wait-for-sync what exists at first is learned, not published" {
	churn --truth "$dir/first" --seed 9 --objects 30 --ops 0
	start_to_nats --wait-for-sync
	wait_for 30 kollect_watching
	churn --truth "$dir/second" --seed 10 --objects 30 --ops 60 --resume "$dir/first"
	expect from_nats --known "$dir/first" --live "$dir/second"
	kollect_stop "$dir" kollect
}

# Nothing may have been published yet.
kollect_watching() {
	[ "$(metric "$dir" kollect kwatch 'kollect_kwatch_streams{state="watching"}')" -gt 0 ] &&
		[ "$(metric "$dir" kollect kwatch 'kollect_kwatch_streams{state="snapshot"}')" -eq 0 ] &&
		[ "$(metric "$dir" kollect kwatch 'kollect_kwatch_streams{state="queued"}')" -eq 0 ]
}

# --- brokers that die ------------------------------------------------------------------------

@test "NATS killed and back: nothing is lost, order is kept" {
	start_to_nats
	synced
	background "$dir" churn churn --truth "$dir/truth" --seed 11 --objects 60 --ops 500 --rate 100
	wait_for 30 grep -q '"updated"' "$dir/truth"
	nats_kill "$nats"
	written=$(wc -l <"$dir/truth")
	more() { [ "$(wc -l <"$dir/truth")" -gt $((written + 100)) ]; }
	wait_for 30 more
	nats_start "$nats"
	wait_for 60 test -e "$dir/churn.status"
	expect from_nats --allow-duplicates --live "$dir/truth"
	kollect_stop "$dir" kollect
}

@test "Kafka killed and back: nothing is lost, order is kept" {
	start --event-writer-url "kafka://$id"
	synced
	background "$dir" churn churn --truth "$dir/truth" --seed 12 --objects 60 --ops 500 --rate 100
	wait_for 30 grep -q '"updated"' "$dir/truth"
	kafka_kill "$kafka"
	written=$(wc -l <"$dir/truth")
	more() { [ "$(wc -l <"$dir/truth")" -gt $((written + 100)) ]; }
	wait_for 30 more
	kafka_start "$kafka"
	wait_for 60 test -e "$dir/churn.status"
	expect from_kafka --allow-duplicates --live "$dir/truth"
	kollect_stop "$dir" kollect
}

# --- the supervisor --------------------------------------------------------------------------

@test "a stage that dies is named, the others end, and the pipeline starts again" {
	start_to_nats --state-dir "$dir/state"
	synced
	for stage in kwatch kdiff kenvelope kpublish; do
		wait_for 20 stage_pid "$dir" kollect "$stage"
		kill -KILL "$(stage_pid "$dir" kollect "$stage")"
		wait_for 20 grep -q "$stage ended with exit code 137" "$dir/kollect.err"
		# By then none of the old ones is left, which would write its metrics once more.
		wait_for 20 starting_again "$stage"
		rm -f "$dir/kollect.metrics"/*
		wait_for 40 kollect_watching
	done
	churn --truth "$dir/truth" --seed 13 --objects 40 --ops 60
	expect from_nats --live "$dir/truth"
	kollect_stop "$dir" kollect
}

# starting_again STAGE: kollect is about to, after that stage's end.
starting_again() { sed -n "/$1 ended with exit code 137/,\$p" "$dir/kollect.err" | grep -q 'starting again'; }

@test "SIGTERM drains: what was seen before it is published" {
	start_to_nats
	synced
	before=$(metric "$dir" kollect kdiff kollect_kdiff_sequence)
	# A bus that does not answer: all that the churn writes is under way when the signal comes.
	kill -STOP "$(cat "$nats/nats.pid")"
	churn --truth "$dir/truth" --seed 14 --objects 40 --ops 60
	written=$(wc -l <"$dir/truth")
	taken() { [ "$(metric "$dir" kollect kdiff kollect_kdiff_sequence)" -ge $((before + written)) ]; }
	wait_for 20 taken
	kill -TERM "$(cat "$dir/kollect.kollect.pid")"
	wait_for 10 grep -q 'stopping: publishing what was seen' "$dir/kollect.err"
	kill -CONT "$(cat "$nats/nats.pid")"
	kollect_ended "$dir" kollect
	expect from_nats --allow-duplicates --live "$dir/truth"
}

@test "a bus that stays away ends the drain at its timeout" {
	start_to_nats --drain-timeout 1
	synced
	kill -STOP "$(cat "$nats/nats.pid")"
	k8s_kubectl "$k8s" create namespace "$id" >/dev/null
	waits() { [ "$(metric "$dir" kollect kpublish kollect_kpublish_in_flight)" -gt 0 ]; }
	wait_for 20 waits
	run kollect_stop "$dir" kollect
	kill -CONT "$(cat "$nats/nats.pid")"
	[ "$status" -ne 0 ]
	grep -q 'kpublish has not ended within 1 s: killed' "$dir/kollect.err"
}

@test "the exit code is that of the first stage that failed" {
	run kollect_wrong_usage
	[ "$status" -eq 2 ]
	nats_cli "$nats" stream-add "$id" "$id.>" >/dev/null
	start --event-writer-url "nats://$id.changes" --max-restarts 0
	synced
	kill -KILL "$(stage_pid "$dir" kollect kdiff)"
	run kollect_ended "$dir" kollect
	[ "$status" -eq 137 ]
	grep -q 'giving up after 0 restarts' "$dir/kollect.err"
}

kollect_wrong_usage() {
	"$root/scripts/kollect" --event-writer-url gopher://x --cluster-id c --max-restarts 0
}

@test "the seed's variables mean what the flags do" {
	nats_cli "$nats" stream-add "$id" "$id.>" >/dev/null
	churn --truth "$dir/truth" --seed 15 --objects 30 --ops 0
	NAMESPACE=$id-a EVENT_WRITER_URL=nats://$id.changes CLUSTER_ID=ours STATE_DIR=$dir/state start
	synced
	kollect_stop "$dir" kollect
	from_nats >"$dir/events"
	jq -e -s --arg ns "$id-a" 'length > 0 and all(.reference.namespace == $ns and .payload.clusterId == "ours")' "$dir/events"
	[ -e "$dir/state/store.mdb" ]
}
