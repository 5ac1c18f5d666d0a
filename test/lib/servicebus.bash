# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# test/tools/servicebus.py, a stand-in for Azure Service Bus where Artemis is too plain: tokens,
# refusals with Microsoft's conditions, detached links, credit that is withheld. Its users and
# tools are those of artemis.bash.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# servicebus_start DIR [OPTION...]
# Starts it on a free port of 127.0.0.1 with its files in DIR. OPTION: see there.
servicebus_start() {
	local dir=$1
	mkdir -p "$dir"
	on_free_ports servicebus_run "$@"
}

# servicebus_stop DIR
servicebus_stop() {
	stop_server "$1" servicebus KILL
}

# servicebus_address DIR: HOST:PORT
servicebus_address() {
	echo "127.0.0.1:$(cat "$1/servicebus.port")"
}

# servicebus_tell DIR JSON: an order for it, which counts when this returns.
servicebus_tell() {
	local orders
	echo "$2" >>"$1/control"
	orders=$(wc -l <"$1/control")
	wait_for 20 servicebus_is "$1" ".control >= $orders"
}

# servicebus_is DIR CONDITION: does the condition (of jq) hold of its state?
servicebus_is() {
	jq -e "$2" "$1/state" >/dev/null
}

# servicebus_get DIR NAME: a number of its state.
servicebus_get() {
	jq ".$2" "$1/state"
}

# servicebus_read DIR TOPIC [--frames]: takes all that the subscription holds.
servicebus_read() {
	"$test_tools/artemis.py" ":@$(servicebus_address "$1")" read "$2/Subscriptions/all" "${@:3}"
}

servicebus_run() {
	local dir=$1
	free_port 1 >"$dir/servicebus.port" || return 1
	rm -f "$dir/control" "$dir/state"
	launch "$dir" servicebus "$test_tools/servicebus.py" "$(servicebus_address "$dir")" "$dir" \
		"${@:2}" || return 1
	wait_ready "$dir" servicebus 20 test -e "$dir/state"
}
