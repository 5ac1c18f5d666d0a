# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of kpublish have in common. A file's setup calls
# kpublish_setup and its teardown kpublish_teardown; tests put into
# background_pids what they start.
# shellcheck disable=SC2034 # set for the tests
# shellcheck disable=SC2154 # stderr and stderr_lines come from run

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

kpublish_setup() {
	bats_require_minimum_version 1.5.0
	local bin
	bin=$(realpath "${BUILD:-$test_lib/../../build}")/bin
	kpublish=$bin/kpublish
	kenvelope=$bin/kenvelope
	records=$test_lib/../wire/records.py
	check=$test_lib/../wire/delivered.py
	background_pids=()
	cd "$BATS_TEST_TMPDIR" || return 1
}

kpublish_teardown() {
	kill -KILL "${background_pids[@]}" 2>/dev/null || true
}

# make_frames COUNT [KEYS [BYTES]]: on standard output.
make_frames() {
	"$records" "$@" | "$kenvelope" -c c
}

# fails CODE TEXT ARGS...: with standard input, one line on standard error that has TEXT.
fails() {
	local code=$1 text=$2
	shift 2
	run --separate-stderr "-$code" "$kpublish" "$@"
	echo "$stderr"
	[[ $stderr == "kpublish: "*"$text"* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

# gives_up TEXT ARGS...: with frames, and on standard error first a warning that
# has TEXT, at last, after 3 s without success, that it is given up for that reason.
gives_up() {
	local text=$1 shown=${2%%\?*}
	shift
	run --separate-stderr -1 "$kpublish" "$@" --retry-timeout 3 <frames
	echo "$stderr"
	[[ ${stderr_lines[0]} == "kpublish: warning: $shown: "*"$text"*'(retrying)' ]]
	[[ ${stderr_lines[-2]} == "kpublish: $shown: has accepted no message for 3 s: "*"$text"* ]]
	[[ ${stderr_lines[-1]} == *'messages are not acknowledged' ]]
}

# metric NAME: its value in the file m.
metric() {
	sed -n "s/^kollect_kpublish_$1 //p" m
}

# at_least NUMBER COMMAND...: the command's output is that number or more.
at_least() {
	local n
	n=$("${@:2}")
	[ -n "$n" ] && [ "$n" -ge "$1" ]
}

last_ack() {
	tail -n 1 acks
}
