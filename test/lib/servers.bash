# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Real servers for bats files: a Kubernetes API server with etcd, NATS with
# JetStream, and the other buses' servers, all on free ports of 127.0.0.1 with their files in a folder
# of the test's. Load it with
#
#   load lib/servers        (test/*.bats)
#   load ../lib/servers     (test/real/*.bats)
#
# Start in setup_file or in the test, stop in teardown_file; each function has
# its contract over it. What a start needs and cannot find is a failure.

# shellcheck source=test/lib/launch.bash
. "$(dirname "${BASH_SOURCE[0]}")/launch.bash"
# shellcheck source=test/lib/background.bash
. "$test_lib/background.bash"
# shellcheck source=test/lib/k8s.bash
. "$test_lib/k8s.bash"
# shellcheck source=test/lib/nats.bash
. "$test_lib/nats.bash"
# shellcheck source=test/lib/kafka.bash
. "$test_lib/kafka.bash"
# shellcheck source=test/lib/pubsub.bash
. "$test_lib/pubsub.bash"
# shellcheck source=test/lib/rabbit.bash
. "$test_lib/rabbit.bash"
# shellcheck source=test/lib/artemis.bash
. "$test_lib/artemis.bash"
# shellcheck source=test/lib/servicebus.bash
. "$test_lib/servicebus.bash"
