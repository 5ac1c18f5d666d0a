#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff's store and pipes when system calls fail and when the power goes.
# shellcheck disable=SC2154 # stderr comes from run

setup_file() {
	local root
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export BUILD=${BUILD:-$root/build}
	make -s -C "$root" BUILD="$BUILD" "$BUILD/test/shim.so"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	kdiff=$BUILD/bin/kdiff
	tools=$BATS_TEST_DIRNAME/../tools
}

@test "each system call of the store and of the pipes fails once: nothing lost, nothing doubled" {
	"$tools/faults.py" "$BUILD/test/shim.so" "$kdiff"
}

@test "a power cut at any of a thousand instants: the store is sound, and goes on" {
	"$tools/faults.py" "$BUILD/test/shim.so" "$kdiff" --record record
	"$tools/powerloss.py" record "$kdiff" --cuts 1000
}

@test "a file of frames that cannot be synced is not acknowledged" {
	bats_require_minimum_version 1.5.0
	"$tools/../wire/records.py" 20 | "$BUILD/bin/kenvelope" -c c >frames
	publish() { "$BUILD/bin/kpublish" "file:$PWD/out" --ack-fd 3 --retry-timeout 2 <frames 3>acks; }
	LD_PRELOAD=$BUILD/test/shim.so SHIM_FILE=/out SHIM_FAIL=fdatasync:1+:5 run --separate-stderr -1 publish
	[[ $stderr == *'cannot write: Input/output error'* ]]
	[ ! -s acks ]
	[ ! -s out ]
	publish
	[ "$(tail -n 1 acks)" = 20 ]
	cmp frames out
}
