#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# test/lib/reap, under which CI runs its steps.
# shellcheck disable=SC2154,SC2016 # test_lib comes from lib/launch; expanded by the inner shells

setup() {
	load lib/launch
	reap=$test_lib/reap
}

@test "reap: what has lost its parent and ends is gone, not a zombie, while the command runs" {
	orphan=$BATS_TEST_TMPDIR/orphan
	gone() { [ ! -e "/proc/$(cat "$orphan")" ]; }
	export -f wait_for gone
	export orphan
	run "$reap" 20 bash -c '(sleep 0.1 & echo $! >"$orphan"); wait_for 10 gone'
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "reap: what is left behind is named and killed; the exit code is the command's" {
	run "$reap" 20 sh -c 'sleep 987 & echo $!; exit 3'
	[ "$status" -eq 3 ]
	[[ ${lines[1]} == 'reap: left behind: '* ]]
	[ ! -e "/proc/${lines[0]}" ]
	run "$reap" 20 sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
}

@test "reap: a command that takes too long is ended" {
	run "$reap" 1 sh -c 'echo $$; exec sleep 987'
	[ "$status" -eq 124 ]
	[[ ${lines[1]} == 'reap: not done after 1 s: sh -c '* ]]
	[ ! -e "/proc/${lines[0]}" ]
}
