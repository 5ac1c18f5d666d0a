# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A RabbitMQ node of Debian's package, with an epmd of its own: it shares
# nothing with a node that the package may have started. Its client is
# test/tools/rabbit.py.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# What the node takes in one message, and whom it lets in.
rabbit_max_bytes=1048576
rabbit_user=kollect
rabbit_password=fixture-password

# rabbit_start DIR
# Starts a node on the ports it had in this DIR before, else on free ones, with
# its data in DIR/rabbit. Also a restart: what durable queues held is still
# there. Besides plain TCP it listens with TLS, by the certificate of
# 127.0.0.1 and localhost in DIR/pki (see lib/pki), whose CA is DIR/pki/ca.crt;
# a client's certificate may stand for its user.
rabbit_start() {
	local dir=$1
	rabbit_pki "$dir" || return 1
	if [ -e "$dir/rabbit.port" ]; then
		rabbit_run "$dir"
	else
		on_free_ports rabbit_run_on_free_ports "$dir"
	fi
}

# rabbit_stop DIR: ends the node in order, and its epmd.
rabbit_stop() {
	stop_server "$1" rabbit && stop_server "$1" epmd
}

# rabbit_kill DIR: SIGKILL, and waits for the end.
rabbit_kill() {
	stop_server "$1" rabbit KILL
}

# rabbit_address DIR [tls]: HOST:PORT
rabbit_address() {
	local tcp tls
	read -r tcp tls _ <"$1/rabbit.port"
	[ "${2-}" = tls ] || tls=$tcp
	echo "127.0.0.1:$tls"
}

# rabbit_url DIR: as RABBIT_SERVER_URL wants it.
rabbit_url() {
	echo "amqp://$rabbit_user:$rabbit_password@$(rabbit_address "$1")"
}

# rabbit_tls_url DIR [HOST]: the same by TLS, without a query. HOST: what the node is called.
rabbit_tls_url() {
	local at
	at=$(rabbit_address "$1" tls)
	echo "amqps://$rabbit_user:$rabbit_password@${2:-127.0.0.1}:${at#*:}"
}

# rabbit_cli DIR COMMAND ARG...: test/tools/rabbit.py on this node.
rabbit_cli() {
	"$test_tools/rabbit.py" "$(rabbit_url "$1")" "${@:2}"
}

# rabbit_ctl DIR ARG...: rabbitmqctl on this node. Takes seconds.
rabbit_ctl() (
	rabbit_environment "$1"
	shift
	/usr/lib/rabbitmq/bin/rabbitmqctl "$@"
)

# The certificates are the same for all servers of a run.
rabbit_pki() {
	local pki=${BATS_RUN_TMPDIR:-$1}/pki
	mkdir -p "$1"
	"$test_lib/pki" "$pki" || return 1
	[ -e "$1/pki" ] || ln -s "$pki" "$1/pki"
}

rabbit_run_on_free_ports() {
	local code=0
	free_port 4 >"$1/rabbit.port" || return 1
	rabbit_run "$1" || code=$?
	if [ "$code" -ne 0 ]; then
		rabbit_stop "$1"
		rm -f "$1/rabbit.port"
	fi
	return "$code"
}

rabbit_run() {
	local dir=$1
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || {
		echo "rabbitmq-server is not installed: run scripts/deps servers" >&2
		return 1
	}
	mkdir -p "$dir/rabbit"
	rabbit_config "$dir" >"$dir/rabbit/rabbitmq.conf"
	echo '[rabbitmq_auth_mechanism_ssl].' >"$dir/rabbit/enabled_plugins"
	rabbit_epmd "$dir" || return $?
	# Readiness is read from the log: what a former run has said does not count.
	[ ! -e "$dir/rabbit.log" ] || cat "$dir/rabbit.log" >>"$dir/rabbit.log.old"
	: >"$dir/rabbit.log"
	rabbit_launch "$dir" || return 1
	wait_ready "$dir" rabbit 120 grep -q 'Starting broker\.\.\. completed' "$dir/rabbit.log"
}

rabbit_epmd() {
	local dir=$1 epmd
	[ ! -e "$dir/epmd.pid" ] || return 0
	read -r _ _ _ epmd <"$dir/rabbit.port"
	launch "$dir" epmd epmd -address 127.0.0.1 -port "$epmd" || return 1
	wait_ready "$dir" epmd 20 epmd -port "$epmd" -names
}

# The script that Debian has in the PATH would become the user rabbitmq. As
# under systemd, the server takes the place of its script, and is what is
# killed.
rabbit_launch() (
	rabbit_environment "$1"
	export RUNNING_UNDER_SYSTEMD=true
	launch "$1" rabbit /usr/lib/rabbitmq/bin/rabbitmq-server
)

rabbit_environment() {
	local tcp tls dist epmd home=$1/rabbit
	read -r tcp tls dist epmd <"$1/rabbit.port"
	unset NOTIFY_SOCKET
	export HOME=$home # .erlang.cookie
	export RABBITMQ_NODENAME=kollect@localhost RABBITMQ_DIST_PORT=$dist
	export RABBITMQ_CONF_ENV_FILE=$home/none RABBITMQ_CONFIG_FILE=$home/rabbitmq
	export RABBITMQ_ADVANCED_CONFIG_FILE=$home/none RABBITMQ_PID_FILE=$home/pid
	export RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins
	export RABBITMQ_MNESIA_BASE=$home/data RABBITMQ_MNESIA_DIR=$home/data/node
	export RABBITMQ_LOG_BASE=$home/log RABBITMQ_SCHEMA_DIR=$home/schema
	export RABBITMQ_GENERATED_CONFIG_DIR=$home/config RABBITMQ_QUORUM_DIR=$home/quorum
	export RABBITMQ_STREAM_DIR=$home/stream RABBITMQ_FEATURE_FLAGS_FILE=$home/feature_flags
	export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$epmd
	export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none'
}

rabbit_config() {
	local tcp tls pki=$1/pki
	read -r tcp tls _ <"$1/rabbit.port"
	cat <<END
listeners.tcp.1 = 127.0.0.1:$tcp
listeners.ssl.1 = 127.0.0.1:$tls
ssl_options.cacertfile = $pki/ca.crt
ssl_options.certfile = $pki/server.crt
ssl_options.keyfile = $pki/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
default_user = $rabbit_user
default_pass = $rabbit_password
max_message_size = $rabbit_max_bytes
disk_free_limit.absolute = 50MB
log.file.level = warning
END
}
