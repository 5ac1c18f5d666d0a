#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How kpublish comes by its memory. Not for the sanitizers' builds, which have their own.

@test "kpublish: memory comes from one arena of jemalloc's, and what is free goes back soon" {
	local kpublish=${BUILD:-$BATS_TEST_DIRNAME/../../build}/bin/kpublish
	run env MALLOC_CONF=stats_print:true "$kpublish" --version
	[ "$status" -eq 0 ]
	[[ $output == *"opt.narenas: 1"$'\n'* ]]
	[[ $output == *"opt.dirty_decay_ms: 100 "* ]]
}
