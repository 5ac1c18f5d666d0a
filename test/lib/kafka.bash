# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Kafka broker that is its own controller. Topics are made when first used,
# with three partitions. Reading is by test/tools/kafka.py.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# kafka_start DIR
# Starts the broker on the port it had in this DIR before, else on a free one,
# with its data in DIR/kafka. Also a restart: what topics held is still there.
# For others that build on it: $kafka_more is a function that prints more
# properties for DIR, which override these; $kafka_format a SCRAM user that the
# data begins with.
kafka_start() {
	local dir=$1
	mkdir -p "$dir"
	if [ -e "$dir/kafka.port" ]; then
		kafka_run "$dir"
	else
		on_free_ports kafka_run_on_free_port "$dir"
	fi
}

# kafka_stop DIR; kafka_kill DIR: SIGTERM or SIGKILL, and wait for the end.
kafka_stop() {
	stop_server "$1" kafka
}
kafka_kill() {
	stop_server "$1" kafka KILL
}

# kafka_brokers DIR: HOST:PORT
kafka_brokers() {
	echo "127.0.0.1:$(cut -d' ' -f1 "$1/kafka.port")"
}

# kafka_via DIR: HOST:PORT where a proxy finds the broker, and the port on which
# clients of the proxy find it. The broker tells clients its address: these are
# a listener of its own, whose address is the proxy's.
kafka_via() {
	local inside outside
	read -r _ _ inside outside <"$1/kafka.port"
	echo "127.0.0.1:$inside $outside"
}

# kafka_read DIR TOPIC [--frames]: all messages of a topic, see
# test/tools/kafka.py.
kafka_read() {
	"$test_tools/kafka.py" "$(kafka_brokers "$1")" read "${@:2}"
}

# kafka_topic DIR TOPIC [ARG...]: makes a topic, see test/tools/kafka.py.
kafka_topic() {
	"$test_tools/kafka.py" "$(kafka_brokers "$1")" make "${@:2}"
}

# kafka_admin DIR COMMAND ARG...: one of Kafka's own tools, as in ConfigCommand
# --alter ...
kafka_admin() {
	local jars
	jars=$(server_path kafka) || return 1
	java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars*" "kafka.admin.$2" \
		--bootstrap-server "$(kafka_brokers "$1")" "${@:3}"
}

kafka_run_on_free_port() {
	local code=0
	free_port 4 >"$1/kafka.port" || return 1
	kafka_run "$1" || code=$?
	[ "$code" -eq 0 ] || rm -f "$1/kafka.port"
	return "$code"
}

kafka_run() {
	local dir=$1 jars
	jars=$(server_path kafka) || return 1
	command -v java >/dev/null || {
		echo "java is not installed: run scripts/test, or scripts/deps test" >&2
		return 1
	}
	{ kafka_properties "$dir" && "${kafka_more-true}" "$dir"; } >"$dir/kafka.properties" || return 1
	# One tick of a compiler less makes TLS ten times slower: full JIT.
	local java=(java -XX:+UseSerialGC -Xshare:auto -Xms64m -Xmx384m
		-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars*")
	if [ ! -e "$dir/kafka/meta.properties" ]; then
		"${java[@]}" kafka.tools.StorageTool format -t a29sbGVjdC10ZXN0LTAwMQ \
			-c "$dir/kafka.properties" ${kafka_format:+--add-scram "$kafka_format"} \
			>"$dir/kafka-format.log" 2>&1 || {
			cat "$dir/kafka-format.log" >&2
			return 1
		}
	fi
	launch "$dir" kafka "${java[@]}" kafka.Kafka "$dir/kafka.properties" || return 1
	wait_ready "$dir" kafka 60 "$test_tools/kafka.py" "$(kafka_brokers "$dir")" ping
}

# The broker's session is short because the controller, after a kill -9, lets
# it in again only when the session of the former one has expired.
kafka_properties() {
	local broker controller inside outside
	read -r broker controller inside outside <"$1/kafka.port"
	cat <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$broker,CONTROLLER://127.0.0.1:$controller,VIA://127.0.0.1:$inside
advertised.listeners=PLAINTEXT://127.0.0.1:$broker,VIA://127.0.0.1:$outside
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,VIA:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$1/kafka
num.partitions=3
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
END
}
