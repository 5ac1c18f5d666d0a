#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kwatch --resume against a real API server: what it goes on from, and what became of the rest meanwhile.

# shellcheck disable=SC2154,SC2317 # set by bats and what it loads; called by name

load ../lib/kwatch

# positions NAME: how far the streams in its output have come, as kdiff --positions prints it; the kinds
# are there for those that are wanted to be told when they are gone.
positions() {
	jq -r '.object | select(.metadata.annotations["kollect/stream"]) |
		[.metadata.annotations["kollect/stream"], .metadata.resourceVersion, .kind] | @tsv' "$dir/$1.out" |
		awk '{ if (!($1 in last)) order[++n] = $1; last[$1] = $0 } END { for (i = 1; i <= n; i++) print last[order[i]] }'
}

stopped() {
	kill -s TERM "$(pid_of "$1")"
	exited "$1" 0 10
}

# asked PATH_OR_VERB...: requests of kwatch that the API server wrote down, of the second run alone.
asked() {
	tail -c +"$((audited + 1))" "$k8s/audit" |
		jq -r 'select((.userAgent | startswith("kwatch/")) and .stage == "RequestReceived") | "\(.verb) \(.requestURI)"'
}

@test "audited: no list is made, and what was made and deleted meanwhile is seen" {
	configmap first
	start before
	synced before "$(kwatch --list-types | tail -n +2 | wc -l)"
	configmap second
	wait_for 10 tells before ConfigMap A:second
	stopped before
	positions before >"$dir/positions"
	[ "$(wc -l <"$dir/positions")" -gt 50 ]
	configmap brief
	label first '{"turn": "two"}'
	delete brief
	delete second
	audited=$(stat -c %s "$k8s/audit")
	start after --resume "$dir/positions"
	wait_for 20 tells after ConfigMap D:second
	sed '/"DELETED".*"name":"second"/q' "$dir/after.out" >"$dir/story"
	# What came before the position may come again: kdiff drops it.
	[[ "$(jq -r 'select(.object.metadata.namespace == "'"$id"'") | "\(.type[:1]):\(.object.metadata.name)"' "$dir/story" | tr '\n' ' ')" == \
		*"A:brief M:first D:brief D:second " ]]
	resumed() { [ "$(sample after resumed_total)" -ge 1 ]; }
	wait_for 5 resumed
	[ "$(sample after snapshots_total)" -eq 0 ]
	sound "$dir/after.out" null
	asked >"$dir/asked"
	watches=$(grep -c '^watch .*resourceVersion=[0-9]' "$dir/asked")
	[ "$watches" -eq "$(wc -l <"$dir/positions")" ]
	run ! grep -E '^list|sendInitialEvents' "$dir/asked"
	[ ! -s "$dir/after.err" ]
}

@test "no cache: what was compacted meanwhile: a gap, a snapshot, and no mark before" {
	configmap first
	start before -n "$id" configmaps
	synced before 1
	stopped before
	positions before >"$dir/positions"
	configmap second
	delete first
	compact
	delete "$(jq -r .metadata.name "$dir/answer")"
	start after --resume "$dir/positions" -n "$id" configmaps
	synced after 1
	[ "$(story "$dir/after.out")" = 'gap begin A:second end ' ]
	jq -e -s --arg from "$(cut -f 2 "$dir/positions")" '.[0].object.metadata |
		.resourceVersion == $from and .annotations["kollect/reason"] == "Expired"' "$dir/after.out"
	# With what kdiff knows from before, the difference is told, and that there may have been more.
	cat "$dir/before.out" "$dir/after.out" | kdiff |
		jq -r '"\(.type) \(.name // "\(.from) \(.reason)")"' | tr '\n' ' ' >"$dir/records"
	[ "$(cat "$dir/records")" = "created first created second deleted first gap $(cut -f 2 "$dir/positions") Expired " ]
}

@test "a type that was deleted meanwhile is told to be gone; one that is not asked for is not" {
	configmap here
	crd_made v1
	gizmo v1 one
	start before -n "$id" gizmos configmaps
	synced before 2
	stopped before
	positions before >"$dir/positions"
	k8s_kubectl "$k8s" delete crd "gizmos.$id.kollect.test" >/dev/null
	start after --forever --resume "$dir/positions" -n "$id" gizmos configmaps
	start other --resume "$dir/positions" -n "$id" configmaps
	start all --resume "$dir/positions" -n "$id"
	for name in after all; do
		wait_for 30 tells "$name" "Gizmo$id" gone
	done
	cat "$dir/before.out" "$dir/after.out" | kdiff | jq -r '"\(.type) \(.name)"' | sort >"$dir/records"
	[ "$(grep -c '^deleted one$' "$dir/records")" -eq 1 ]
	run ! grep 'deleted here' "$dir/records"
	grep -q "streams that are not asked for are left as they are (1): /apis/$id.kollect.test/v1/namespaces/$id/gizmos" "$dir/other.err"
	run ! grep -q gone "$dir/other.out"
}

# crd_versions V1_SERVED: gizmos in v1, if served, and v2, in which they are kept.
crd_versions() {
	crd v1 | sed "s/served: true/served: $1/; s/storage: true/storage: false/" >"$dir/crd"
	crd v2 | sed -n '/- name: v2/,$p' >>"$dir/crd"
	k8s_kubectl "$k8s" apply -f "$dir/crd" >/dev/null
}

@test "a type that is served in another version now: its snapshot first, then the old one is gone" {
	crd_made v1
	gizmo v1 one
	gizmo v1 two
	start before -n "$id" gizmos
	synced before 1
	stopped before
	positions before | cut -f 1,2 >"$dir/positions"
	crd_versions true
	wait_for 10 k8s_get "$k8s" "/apis/$id.kollect.test/v2/gizmos" -o "$dir/answer" 2>/dev/null
	api DELETE "/apis/$id.kollect.test/v2/namespaces/$id/gizmos/two"
	gizmo v2 three
	served() { kwatch --list-types "gizmos.$id.kollect.test" 2>/dev/null | grep -q "$id.kollect.test/$1 "; }
	for v1 in true false; do
		crd_versions "$v1"
		wait_for 20 served v2
		start "after-$v1" --resume "$dir/positions" -n "$id" "gizmos.$id.kollect.test"
		wait_for 20 tells "after-$v1" "Gizmo$id" gone
		[ "$(story "$dir/after-$v1.out")" = 'gap begin A:one A:three end gone ' ]
		jq -r '.object.metadata.annotations["kollect/stream"] // empty' "$dir/after-$v1.out" | sed 's,.*test/,,; s,/.*,,' | uniq >"$dir/versions"
		[ "$(tr '\n' ' ' <"$dir/versions")" = 'v2 v1 ' ]
		jq -e -s '.[0].object.metadata.annotations["kollect/reason"] == "VersionChanged"' "$dir/after-$v1.out"
		# kdiff, which knows objects by their uid, tells what has happened and nothing twice.
		cat "$dir/before.out" "$dir/after-$v1.out" | kdiff | jq -r 'select(.kind) | "\(.type) \(.name)"' | sort >"$dir/records"
		grep -v '^updated' "$dir/records" | tr '\n' ' ' >"$dir/changes"
		[ "$(cat "$dir/changes")" = 'created one created three created two deleted two ' ]
		stopped "after-$v1"
	done
	k8s_kubectl "$k8s" delete crd "gizmos.$id.kollect.test" >/dev/null
}
