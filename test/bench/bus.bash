# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the files in buses.d have in common. Each is a program that test/bench/buses runs for one bus; it loads this, defines
#
#   bus_there        has this machine what it takes?
#   bus_start        the server, with its files in $dir
#   bus_stop
#   bus_address      sets url for the topic $topic, and exports the variables that kpublish needs
#   bus_new          makes $topic, empty
#   bus_drop         takes it away with what it holds: each client is to meet a server that is as full
#   floors           what the bus's other clients are called
#   floor_NAME       sets client to that client's command, which publishes its standard input to $topic, as safely as kpublish does:
#                    it has the messages, a line each: key, a tab and the body
#
# and ends with: bench "$@".

# shellcheck source=test/lib/servers.bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib/servers.bash"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath "$root/${BUILD:-build}")
# Servers end with test/bench/buses, not with this.
server_owner=$PPID

# bench there                                 prints floors
# bench start|stop DIR; bench new|drop DIR TOPIC
# bench publish DIR TOPIC                     prints how kpublish, or the client, is to be run: its words and, behind an empty
# bench floor DIR TOPIC NAME                  one, its environment, each ended by NUL. So a shell's start is not measured.
# shellcheck disable=SC2034,SC2154 # for the bus, which sets url, floors and client
bench() {
	local command=$1 client
	dir=${2-} topic=${3-}
	case $command in
	there) bus_there >/dev/null 2>&1 && echo "${floors[@]}" ;;
	start | stop) "bus_$command" ;;
	new | drop) bus_address && "bus_$command" ;;
	publish) bus_address && client=("$build/bin/kpublish" "$url") && bench_client ;;
	floor) bus_address && "floor_$4" && bench_client ;;
	esac
}

bench_client() {
	printf '%s\0' "${client[@]}" ''
	env -0
}
