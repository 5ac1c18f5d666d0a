# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of kdiff share: events to feed it, and its records, messages and metrics to judge.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell of its own, by design

kdiff_setup() {
	root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	kdiff=$(cd "$root" && realpath "${BUILD:-build}/bin/kdiff")
	streams=$root/test/streams
	cd "$BATS_TEST_TMPDIR" || return 1
	export TMPDIR=$BATS_TEST_TMPDIR
}

kdiff_teardown() {
	[ -z "${background:-}" ] || kill "$background" 2>/dev/null || true
}

# kd [options]: in → out, err, status. The records of several runs: keep=1.
kd() {
	status=0
	if [ -n "${keep:-}" ]; then
		"$kdiff" "$@" <in >>out 2>err || status=$?
	else
		"$kdiff" "$@" <in >out 2>err || status=$?
	fi
}

# event TYPE NAME RESOURCEVERSION [UID [KIND [APIVERSION [NAMESPACE]]]]
event() {
	printf '{"type":"%s","object":{"kind":"%s","apiVersion":"%s","metadata":{"name":"%s","namespace":"%s","uid":"%s","resourceVersion":"%s"}}}\n' \
		"$1" "${5:-Pod}" "${6:-v1}" "$2" "${7:-shop}" "${4:-uid-$2}" "$3"
}

# mark MARK RESOURCEVERSION [PATH [KIND [APIVERSION]]]; MARK '': the server's own bookmark
mark() {
	local mark=${1:+",\"kollect/mark\":\"$1\""}
	printf '{"type":"BOOKMARK","object":{"kind":"%s","apiVersion":"%s","metadata":{"resourceVersion":"%s","annotations":{"kollect/stream":"%s"%s}}}}\n' \
		"${4:-Pod}" "${5:-v1}" "$2" "${3:-/api/v1/pods}" "$mark"
}

# The records of out are those on standard input: type, name, resourceVersion. Gaps are another matter.
records_are() {
	diff -u - <(jq -r 'select(.type != "gap") | "\(.type) \(.name) \(.resourceVersion)"' out)
}

# The gaps of out: stream, from, to, reason.
gaps_are() {
	diff -u - <(jq -r 'select(.type == "gap") | "\(.stream) \(.from) \(.to) \(.reason)"' out)
}

ends_with() {
	if [ "$status" -ne "$1" ]; then
		echo "exit code $status, wanted $1; standard error:"
		cat err
		return 1
	fi
}

says() {
	grep -qF -- "$1" err || {
		echo "standard error lacks: $1"
		cat err
		return 1
	}
}

quiet() {
	[ ! -s err ] || {
		cat err
		return 1
	}
}

metric() {
	awk -v name="$1" '$1 == name { print $2 }' metrics
}

# until_true SECONDS COMMAND...: polls
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }

# What changes from run to run is named; then and now are told by their resourceVersion.
normal() {
	jq -c '(if .appliesAt == .observedAt then .appliesAt = "OBSERVED" else . end)
		| .observedAt = "OBSERVED"
		| if .then then .then |= .metadata.resourceVersion else . end
		| if .now then .now |= .metadata.resourceVersion else . end'
}
