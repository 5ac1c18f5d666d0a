#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The self-audit of kwatch and kdiff together, against a real API server: --audit-interval, --resync-fd.

# shellcheck disable=SC2154,SC2317 # set by bats and what it loads; called by name

load ../lib/kwatch

# What a watch would miss: live events of configmaps called lost-*. Snapshots pass whole.
leaky='
import sys
within = False
for line in sys.stdin:
    if "kollect/mark" in line:
        within = {"begin": True, "end": False}.get(line.split("kollect/mark\":\"")[1].split("\"")[0], within)
    if within or "\"name\":\"lost-" not in line or line.startswith("{\"type\":\"BOOKMARK\""):
        sys.stdout.write(line)
        sys.stdout.flush()
'

# audited FILTER ARG...: kwatch, the filter and kdiff, which asks kwatch.
audited() {
	mkfifo "$dir/asks"
	exec 6<>"$dir/asks"
	kwatch --audit-interval 1s --resync-fd 6 -n "$id" "${@:2}" configmaps 2>"$dir/kwatch.err" | $1 |
		kdiff --state "$dir/state" --resync-fd 6 --metrics "$dir/a.metrics/kdiff.prom"
}

filter_leaky() { python3 -c "$leaky"; }

start_audited() {
	mkdir -p "$dir/a.metrics"
	background "$dir" a audited "$@"
	wait_for 20 has '"name":"first"'
}

has() { grep -qF -- "$1" "$dir/a.out"; }
known_is() { [ "$(metric "$dir" a kdiff "$1")" -eq "$2" ]; }
audits_since() { [ "$(metric "$dir" a kdiff kollect_kdiff_audits_total)" -ge $(($1 + $2)) ]; }
three_more() {
	local n
	n=$(metric "$dir" a kdiff kollect_kdiff_audits_total)
	wait_for 60 audits_since "$n" 3
}

@test "events that never came are found, counted, told and brought by a snapshot; then all is well" {
	configmap first
	configmap lost-changed
	configmap lost-gone
	start_audited filter_leaky
	three_more
	known_is kollect_audit_missed_total 0
	label lost-changed '{"x": "y"}'
	delete lost-gone
	configmap lost-new
	configmap other
	wait_for 20 has '"name":"other"'
	missed() { known_is kollect_audit_missed_total 3; }
	wait_for 60 missed
	wait_for 60 has '"reason":"audit"'
	jq -r 'select((.name // "") | startswith("lost-")) | "\(.type) \(.name)"' "$dir/a.out" >"$dir/records"
	diff <(sort "$dir/records") <(printf '%s\n' 'created lost-changed' 'created lost-gone' 'created lost-new' \
		'deleted lost-gone' 'updated lost-changed')
	[ "$(grep -c 'and no event has told' "$dir/a.err")" -eq 3 ]
	grep -q "/api/v1/namespaces/$id/configmaps: audit: changes of 3 objects were missed: a snapshot is asked for" "$dir/a.err"
	three_more
	three_more
	known_is kollect_audit_missed_total 3
	[ "$(grep -c '"type":"gap"' "$dir/a.out")" -eq 1 ]
	# since when and up to when
	jq -e 'select(.type == "gap") | (.from | tonumber) < (.to | tonumber)' "$dir/a.out"
	[ ! -s "$dir/kwatch.err" ]
}

@test "a churn that is audited each second shows no difference, and asks for nothing" {
	configmap first
	start_audited cat -n "$id-a" -n "$id-b"
	"$test_tools/churn.py" "$k8s/admin.kubeconfig" --namespace "$id" --truth "$dir/truth" --seed 5 --objects 60 \
		--ops 4000 --threads 4
	three_more
	three_more
	known_is kollect_audit_missed_total 0
	[ "$(grep -c '"type":"gap"' "$dir/a.out")" -eq 0 ]
	[ ! -s "$dir/a.err" ]
}
