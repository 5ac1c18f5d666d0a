# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Three Kafka brokers with three copies of each topic, two of which must have a
# message before it is accepted. Broker N has its files in DIR/N and is stopped,
# killed and started again by kafka.bash's functions on DIR/N.

# shellcheck source=test/lib/kafka.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/kafka.bash"

# kafka_cluster_start DIR; kafka_cluster_stop DIR
kafka_cluster_start() {
	on_free_ports kafka_cluster_run "$1"
}
kafka_cluster_stop() {
	local n
	for n in 1 2 3; do
		kafka_stop "$1/$n"
	done
}

# kafka_cluster_broker DIR N: starts one of them (again).
kafka_cluster_broker() {
	kafka_more=kafka_cluster_properties kafka_start "$1/$2"
}

# kafka_cluster_brokers DIR: HOST:PORT,HOST:PORT,HOST:PORT
kafka_cluster_brokers() {
	local n brokers=()
	for n in 1 2 3; do
		brokers+=("$(kafka_brokers "$1/$n")")
	done
	(IFS=, && echo "${brokers[*]}")
}

# Result: 2 when one found a port taken.
kafka_cluster_run() {
	local dir=$1 n pids=() code=0 ports
	ports=$(free_port 12) || return 1
	for n in 1 2 3; do
		mkdir -p "$dir/$n"
		cut -d' ' -f"$((4 * n - 3))-$((4 * n))" <<<"$ports" >"$dir/$n/kafka.port"
	done
	for n in 1 2 3; do
		kafka_cluster_broker "$dir" "$n" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n" || code=$?
	done
	[ "$code" -ne 0 ] || return 0
	kafka_cluster_stop "$dir"
	rm -rf "${dir:?}"/[123]
	return "$code"
}

# One that is slow, as this machine may have much to do, is not one that is dead.
kafka_cluster_properties() {
	local dir=${1%/*} n voters=()
	for n in 1 2 3; do
		voters+=("$n@127.0.0.1:$(cut -d' ' -f2 "$dir/$n/kafka.port")")
	done
	cat <<END
node.id=${1##*/}
controller.quorum.voters=$(IFS=, && echo "${voters[*]}")
default.replication.factor=3
min.insync.replicas=2
broker.session.timeout.ms=6000
controller.quorum.election.timeout.ms=4000
controller.quorum.fetch.timeout.ms=8000
controller.quorum.request.timeout.ms=8000
END
}
