#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kwatch --audit-interval and --resync-fd against a real API server.

# shellcheck disable=SC2154,SC2317 # set by bats and what it loads; called by name

load ../lib/kwatch

# audits NAME N: so many audits are complete.
audits() { [ "$(count "$dir/$1.out" '"kollect/mark":"audited"')" -ge "$2" ]; }

# audit_of NAME PATH: the last complete audit of that stream, from its first mark to its last.
audit_of() {
	jq -c --arg path "$2" '.object | select(.metadata.annotations["kollect/stream"] == $path) |
		{mark: .metadata.annotations["kollect/mark"], apiVersion, kind} + .metadata | del(.annotations)' "$dir/$1.out" |
		awk '/"mark":"audit"/ { lines = "" } { lines = lines $0 "\n" } /"mark":"audited"/ { last = lines } END { printf "%s", last }'
}

# exists PATH: what the API server has, in the form of audit_of's marks.
exists() {
	k8s_get "$k8s" "$1" | jq -c '.kind as $kind | .apiVersion as $version | .items[] |
		{mark: "exists", apiVersion: $version, kind: ($kind | sub("List$"; ""))} +
			(.metadata | {name, namespace, uid, resourceVersion}) | del(.[] | nulls)'
}

@test "an audit names what exists, by its metadata, between two marks with the list's resourceVersion" {
	configmap a '{"text": "secret-data"}'
	configmap b
	start kwatch --audit-interval 1s --page-size 1 configmaps namespaces
	synced kwatch 2
	wait_for 20 audits kwatch 2
	now=$(version_now)
	wait_for 20 audits kwatch 6
	for path in /api/v1/configmaps /api/v1/namespaces; do
		audit_of kwatch "$path" >"$dir/audit"
		exists "$path" | jq -S -c . | sort >"$dir/there"
		[ "$(wc -l <"$dir/there")" -gt 2 ]
		jq -S -c 'select(.mark == "exists")' "$dir/audit" | sort | diff - "$dir/there"
		jq -e -s --argjson now "$now" '(.[0].mark == "audit") and (.[-1].mark == "audited") and
			(.[0].resourceVersion == .[-1].resourceVersion) and (.[0].resourceVersion | tonumber >= $now)' "$dir/audit"
	done
	audited() { [ "$(sample kwatch audits_total)" -ge 6 ]; }
	wait_for 5 audited
	# What it costs is not what a snapshot does: no data, no snapshot, and both take turns.
	[ "$(count "$dir/kwatch.out" secret-data)" -eq 1 ]
	[ "$(sample kwatch snapshots_total)" -eq 2 ]
	jq -r '.object.metadata.annotations | select(.["kollect/mark"] == "audit") | .["kollect/stream"]' "$dir/kwatch.out" |
		tail -n +2 | uniq -d >"$dir/twice"
	[ ! -s "$dir/twice" ]
	sound "$dir/kwatch.out"
}

@test "audited: an audit asks for metadata, one stream after the other" {
	configmap a
	start kwatch --audit-interval 4s -n "$id" configmaps secrets
	synced kwatch 2
	wait_for 20 audits kwatch 4
	jq -r 'select((.userAgent | startswith("kwatch/")) and .verb == "list" and .stage == "ResponseComplete" and
		(.requestURI | contains("'"$id"'"))) | "\(.stageTimestamp) \(.objectRef.resource)"' "$k8s/audit" >"$dir/lists"
	cat "$dir/lists"
	# Four seconds for the two of them: two for each.
	awk '{ split($1, t, /[:Z]/); s = t[2] * 60 + t[3]; if (NR > 1 && s - last < 1.5 && s > last) exit 1; last = s }
		$2 == before { exit 1 } { before = $2 }' "$dir/lists"
}

@test "an audit of what may not be listed, or is gone, does no harm" {
	crd_made v1
	gizmo v1 one
	account audited
	grant audited
	k8s_kubectl "$k8s" create clusterrole "$id-gizmos" --verb=watch,list --resource="gizmos.$id.kollect.test" >/dev/null
	k8s_kubectl "$k8s" create clusterrolebinding "$id-gizmos" --clusterrole "$id-gizmos" --serviceaccount "$id:audited" >/dev/null
	may() { kwatch --once --kubeconfig "$dir/audited.kubeconfig" gizmos configmaps >"$dir/out" 2>&1; }
	wait_for 10 may
	start kwatch --kubeconfig "$dir/audited.kubeconfig" --audit-interval 1s -n "$id" configmaps gizmos
	synced kwatch 2
	wait_for 20 audits kwatch 2
	# The watch goes on; another list is refused.
	k8s_kubectl "$k8s" delete clusterrole "$id-gizmos" >/dev/null
	wait_for 20 grep -q "gizmos: it cannot be audited: Forbidden: trying again" "$dir/kwatch.err"
	done=$(count "$dir/kwatch.out" '"kollect/mark":"audited"')
	wait_for 20 audits kwatch $((done + 2))
	gizmo v1 two
	wait_for 10 tells kwatch "Gizmo$id" A:two
	k8s_kubectl "$k8s" delete crd "gizmos.$id.kollect.test" >/dev/null
	wait_for 20 tells kwatch "Gizmo$id" gone
	done=$(count "$dir/kwatch.out" '"kollect/mark":"audited"')
	wait_for 20 audits kwatch $((done + 2))
}

@test "an audit of much takes little memory" {
	"$test_tools/churn.py" "$k8s/admin.kubeconfig" --bulk 3000 --size 20000 --threads 4 --namespace "$id"
	start kwatch --audit-interval 1s -n "$id-bulk" configmaps
	synced kwatch 1
	high() { awk '/^VmHWM/ { print $2 }' "/proc/$(pid_of kwatch)/status"; }
	before=$(high)
	wait_for 60 audits kwatch 4
	after=$(high)
	echo "$before KiB, then $after KiB"
	[ "$(audit_of kwatch "/api/v1/namespaces/$id-bulk/configmaps" | grep -c exists)" -eq 3000 ]
	[ $((after - before)) -lt 32768 ]
}

# resync NAME PATH...: as kdiff asks.
resync() {
	printf '%s\n' "${@:2}" >"$dir/$1.resync"
}

# with_resync NAME ARG...: a kwatch that is asked through a pipe.
with_resync() {
	mkfifo "$dir/$1.resync"
	exec 6<>"$dir/$1.resync"
	start "$1" --resync-fd 6 "${@:2}"
}

@test "a resync is a snapshot without a gap, of the streams that are named" {
	configmap a
	with_resync kwatch -n "$id" configmaps secrets
	synced kwatch 2
	configmap b
	wait_for 10 tells kwatch ConfigMap A:b
	resync kwatch "/api/v1/namespaces/$id/configmaps" /api/v1/pods
	synced kwatch 3
	configmap c
	wait_for 10 tells kwatch ConfigMap A:c
	[ "$(story "$dir/kwatch.out" ConfigMap)" = 'begin A:a end A:b begin A:a A:b end A:c ' ]
	[ "$(story "$dir/kwatch.out" Secret)" = 'begin end ' ]
	grep -q '/api/v1/pods: there is no such stream' "$dir/kwatch.err"
	[ "$(wc -l <"$dir/kwatch.err")" -eq 1 ]
	resynced() { [ "$(sample kwatch resyncs_total)" -eq 1 ]; }
	wait_for 5 resynced
	# The other end of the pipe goes: nothing else does.
	exec 6>&-
	configmap d
	wait_for 10 tells kwatch ConfigMap A:d
	sound "$dir/kwatch.out"
}

@test "resyncs during a churn: each write is seen, none twice" {
	with_resync kwatch -n "$id-a" -n "$id-b" configmaps
	synced kwatch 2
	background "$dir" churn "$test_tools/churn.py" "$k8s/admin.kubeconfig" --namespace "$id" \
		--truth "$dir/truth" --seed 3 --objects 60 --ops 1500 --threads 4
	while [ ! -e "$dir/churn.status" ]; do
		for ns in "$id-a" "$id-b"; do
			resync kwatch "/api/v1/namespaces/$ns/configmaps"
		done
		sleep 0.05
	done
	[ "$(cat "$dir/churn.status")" -eq 0 ]
	api POST "/api/v1/namespaces/$id-a/configmaps" '{"metadata": {"name": "last"}}'
	api POST "/api/v1/namespaces/$id-b/configmaps" '{"metadata": {"name": "last"}}'
	both() { [ "$(count "$dir/kwatch.out" '"name":"last"')" -ge 2 ]; }
	wait_for 20 both
	taken=$(count "$dir/kwatch.out" '"kollect/mark":"begin"')
	echo "$taken snapshots"
	[ "$taken" -gt 20 ]
	run ! grep gap "$dir/kwatch.out"
	grep '"ConfigMap"' "$dir/truth" >"$dir/configmaps"
	kdiff <"$dir/kwatch.out" | grep -v '"name":"last"' | "$test_tools/truth.py" --records --live "$dir/configmaps"
}

@test "no cache: a resync at what was compacted: a gap then, and a snapshot" {
	configmap a
	with_resync kwatch -n "$id" configmaps
	synced kwatch 1
	api POST /api/v1/namespaces '{"metadata": {"name": "'"$id-b"'"}}'
	api POST "/api/v1/namespaces/$id-b/configmaps" '{"metadata": {"name": "other"}}'
	k8s_etcdctl "$k8s" compact "$(jq -r .metadata.resourceVersion "$dir/answer")" >/dev/null
	resync kwatch "/api/v1/namespaces/$id/configmaps"
	synced kwatch 2
	[ "$(story "$dir/kwatch.out")" = 'begin A:a end gap begin A:a end ' ]
}
