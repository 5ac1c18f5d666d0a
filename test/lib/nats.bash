# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A NATS server with JetStream. `nats-server` is Debian's; the client is
# test/tools/nats.py.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# nats_start DIR [PORT]
# Starts nats-server on PORT, else on the port it had in this DIR before, else
# on a free one, with the JetStream store in DIR/nats. Also a restart: what
# streams held is still there. nats_url prints its address. $nats_max_payload:
# the largest message in bytes (default: the server's, 1 MiB); $nats_more: lines
# for its configuration; $nats_listen: its address; $nats_as: a user and password, or what else stands
# before the @, for its readiness, which is asked for.
nats_start() {
	local dir=$1
	mkdir -p "$dir"
	if [ $# -gt 1 ]; then
		echo "$2" >"$dir/nats.port"
	fi
	if [ -e "$dir/nats.port" ]; then
		nats_run "$dir"
	else
		on_free_ports nats_run_on_free_port "$dir"
	fi
}

# nats_stop DIR; nats_kill DIR: SIGTERM or SIGKILL, and wait for the end.
nats_stop() {
	stop_server "$1" nats
}
nats_kill() {
	stop_server "$1" nats KILL
}

# nats_url DIR [USER:PASSWORD]
nats_url() {
	echo "nats://${2:+$2@}127.0.0.1:$(cat "$1/nats.port")"
}

# nats_cli DIR COMMAND ARG...: test/tools/nats.py on this server.
nats_cli() {
	"$test_tools/nats.py" "$(nats_url "$1")" "${@:2}"
}

# nats_read DIR STREAM [--frames]: all messages of a JetStream stream, see
# test/tools/nats.py.
nats_read() {
	nats_cli "$1" read "${@:2}"
}

nats_run_on_free_port() {
	local code=0
	free_port 1 >"$1/nats.port" || return 1
	nats_run "$1" || code=$?
	[ "$code" -eq 0 ] || rm -f "$1/nats.port"
	return "$code"
}

nats_run() {
	local dir=$1
	command -v nats-server >/dev/null || {
		echo "nats-server is not installed: run scripts/test, or scripts/deps test" >&2
		return 1
	}
	cat >"$dir/nats.conf" <<END
listen: "${nats_listen:-127.0.0.1}:$(cat "$dir/nats.port")"
max_payload: ${nats_max_payload:-1048576}
${nats_more-}
jetstream { store_dir: "$dir/nats", max_memory_store: 64M, max_file_store: 4G }
END
	launch "$dir" nats nats-server -c "$dir/nats.conf" || return 1
	wait_ready "$dir" nats 20 "$test_tools/nats.py" "$(nats_url "$dir" "${nats_as-}")" ping
}
