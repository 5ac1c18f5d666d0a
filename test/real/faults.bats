#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kdiff's store and pipes when system calls fail and when the power goes.

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
