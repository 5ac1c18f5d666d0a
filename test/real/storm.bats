#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A short crash storm; test/storm is the long one.

@test "thirty kills: nothing lost, nothing false, each object in order (NATS)" {
	"$BATS_TEST_DIRNAME/../storm" --kills 30 3>&-
}

@test "ten kills (Kafka)" {
	"$BATS_TEST_DIRNAME/../storm" --kills 10 --bus kafka --seed 2 3>&-
}
