#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A short crash storm; test/storm is the long one.

@test "thirty kills: nothing lost, nothing false, each object in order (NATS)" {
	"$BATS_TEST_DIRNAME/../storm" --kills 30 3>&-
}

@test "ten kills (Kafka)" {
	"$BATS_TEST_DIRNAME/../storm" --kills 10 --bus kafka --seed 2 3>&-
}

@test "twenty kills, and a history that is forgotten again and again: each object as it is, no false delete" {
	"$BATS_TEST_DIRNAME/../storm" --kills 20 --seed 3 --forget 3>&-
}
