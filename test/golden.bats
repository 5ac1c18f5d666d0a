#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The recorded streams through kdiff, kenvelope and kpublish, as a consumer sees them. After a new
# recording (test/record): UPDATE_GOLDEN=1 bats test/golden.bats, and read what has changed.
# shellcheck disable=SC2154 # root comes from lib/pipeline

setup() {
	load lib/pipeline
	cd "$BATS_TEST_TMPDIR" || return 1
}

# What of an event does not depend on when the test runs: states by their versions, and a time alone
# that is not that of the observation.
normal() {
	jq -c '{id, seq, type: .payload["@type"], uid: .payload.uid, cluster: .payload.clusterId,
		appliesAt: (if .appliesAt == .observedAt then "observed" else .appliesAt end),
		reference, then: .payload.then.metadata.resourceVersion,
		now: (.payload.now // .payload.resource).metadata.resourceVersion}'
}

golden() {
	local expected=$root/test/golden/pipeline/$1
	kdiff <"$root/test/streams/$1" | kenvelope --cluster-id golden >frames
	kpublish stdout: --ack-fd 4 <frames >published 4>acks
	cmp frames published
	kenvelope --decode <published >events
	[ "$(tail -n 1 acks)" = "$(tail -n 1 events | jq -r .seq)" ]
	normal <events >seen
	[ -z "${UPDATE_GOLDEN:-}" ] || cp seen "$expected"
	diff -u "$expected" seen
}

@test "golden: what kwatch recorded of six types" { golden demo.ndjson; }
@test "golden: what kubectl printed of ConfigMaps" { golden kubectl-configmaps.json; }
@test "golden: Pods as the API server sent them" { golden raw-pods-watch.ndjson; }
@test "golden: Deployments as the API server sent them" { golden raw-deployments-watchlist.ndjson; }
@test "golden: custom resources as the API server sent them" { golden raw-widgets-watch.ndjson; }
