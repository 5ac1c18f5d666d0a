#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # $0 is for the inner shell
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2094 # frames are only read
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# kpublish to standard output and to files, which are rotated, moved away, full.

load lib/kpublish

setup() {
	kpublish_setup
}

teardown() {
	kpublish_teardown
}

# rotated: the files that out has become, in the order of their names.
rotated() {
	printf '%s\n' out.*
}

# fed ARGS...: kpublish in the background reads what is written to descriptor 5.
fed() {
	mkfifo in
	"$kpublish" "$@" --ack-fd 3 3>acks --metrics m <in 2>err &
	background_pids=($!)
	exec 5>in
}

@test "kpublish stdout: frames come out as they came, all acknowledged" {
	make_frames 50 >frames
	"$kpublish" stdout: --ack-fd 3 3>acks <frames | cmp frames
	[ "$(last_ack)" = 50 ]
	: | "$kpublish" stdout:
}

@test "kpublish file: frames are appended" {
	make_frames 20 >frames
	"$kpublish" file:out --ack-fd 3 3>acks <frames
	cmp frames out
	[ "$(last_ack)" = 20 ]
	"$kpublish" "file://$PWD/out" <frames
	cat frames frames | cmp out
	"$kpublish" 'file:a%3Fb=c%20@d:e' <frames
	cmp frames 'a?b=c @d:e'
	"$kpublish" file:/dev/null --metrics m <frames
	[ "$(metric 'messages_total{result="acked"}')" = 20 ]
	[ "$(metric connected)" = 1 ]
	[ "$(metric bytes_total)" -gt 1000 ]
	at_least $(($(date +%s) - 60)) metric last_success_time_seconds
}

@test "kpublish file: more than the window, and a frame larger than it" {
	make_frames 20000 10 10 >frames
	make_frames 1 1 40000000 >>frames
	make_frames 2 >>frames
	"$kpublish" stdout: <frames | cmp frames
	"$kpublish" file:out <frames
	cmp frames out
}

@test "kpublish file: a piece of a frame that a crash left is cut off" {
	make_frames 5 >frames
	head -c -7 frames >out
	run --separate-stderr -0 "$kpublish" file:out <frames
	[[ $stderr == "kpublish: warning: out: cutting off a piece of a frame at its end, "* ]]
	make_frames 4 >want
	cat frames >>want
	cmp out want
	printf 'this is some text\n' >text
	fails 1 'text: is no file of frames' file:text <frames
	[ "$(cat text)" = 'this is some text' ]
}

@test "kpublish file: a full disk, a folder that is not there, a reader that has gone" {
	make_frames 5 >frames
	run --separate-stderr -1 "$kpublish" file:/dev/full <frames
	[ "${stderr_lines[0]}" = "kpublish: file:/dev/full: cannot write: No space left on device" ]
	fails 1 'none/out: No such file or directory' file:none/out <frames
	make_frames 300 1 20000 >large
	set +o pipefail
	("$kpublish" stdout: <large 2>err && echo 0 >code || echo $? >code) | head -c 10 >/dev/null
	[ "$(cat code)" = 1 ]
	run ! grep -v 'messages are not acknowledged' err
}

@test "kpublish file: what cannot be written waits, unread, and the file has whole frames alone" {
	make_frames 20000 10 100 >frames # 12 MB
	mkfifo in
	(ulimit -S -f 1024 && exec "$kpublish" file:out --ack-fd 3 3>acks --metrics m <in 2>err) &
	background_pids=($!)
	(cat frames >in && touch all-read) &
	background_pids+=($!)
	not_connected() { [ "$(metric connected)" = 0 ]; }
	wait_for 20 not_connected
	[ "$(cat err)" = 'kpublish: warning: file:out: cannot write: File too large (retrying)' ]
	[ ! -e all-read ]
	"$kenvelope" --decode <out >lines
	cmp -n "$(stat -c %s out)" out frames
	[ "$(wc -l <lines)" = "$(last_ack)" ]
	tries() { metric retries_total; }
	wait_for 20 at_least $(($(tries) + 1)) tries
	"$kenvelope" --decode <out >lines
	prlimit --pid "${background_pids[0]}" --fsize=unlimited
	wait "${background_pids[0]}"
	cmp out frames
	[ "$(last_ack)" = 20000 ]
	[ "$(metric connected)" = 1 ]
	grep -q 'accepts messages again' err
}

@test "kpublish file: a full disk, and no end to it" {
	make_frames 400 1 5000 >frames
	run --separate-stderr -1 bash -c 'ulimit -f 1024; "$0" file:out --retry-timeout 1 <frames' "$kpublish"
	[[ ${stderr_lines[1]} == *' has accepted no message for 1 s: cannot write: File too large' ]]
	cmp -n "$(stat -c %s out)" out frames
	"$kenvelope" --decode <out >lines
}

@test "kpublish file: rotate_bytes" {
	make_frames 1000 7 1000 >frames
	make_frames 1 1 200000 >>frames # is alone in its file
	make_frames 30 7 1000 >>frames
	"$kpublish" 'file:out?rotate_bytes=64K' --ack-fd 3 3>acks <frames
	[ "$(last_ack)" = 30 ]
	rotated >names
	[ "$(wc -l <names)" -ge 30 ]
	run ! grep -vE '^out\.[0-9]{8}T[0-9]{6}\.[0-9]{6}Z$' names
	xargs cat <names | cat - out | cmp frames
	[ "$(xargs stat -c %s <names | awk '$1 > 65536' | wc -l)" = 1 ]
	[ "$(xargs stat -c %s <names | awk '$1 < 60000' | wc -l)" -le 2 ]
	while read -r name; do
		"$kenvelope" --decode <"$name" >lines
	done <names
	# What stands there already counts; and no name is taken twice.
	xargs cat <names | cat - out >before
	"$kpublish" 'file:out?rotate_bytes=1' <frames
	[ "$(rotated | wc -l)" = $(($(wc -l <names) + 1031)) ]
	rotated | xargs cat | cat - out | cmp - <(cat before frames)
}

@test "kpublish file: rotate_seconds" {
	make_frames 3 >frames
	fed 'file:out?rotate_seconds=1'
	cat frames >&5
	aside() { [ -e "$(rotated | head -n 1)" ] && [ ! -s out ]; }
	wait_for 20 aside
	cat frames >&5
	twice() { [ "$(rotated | wc -l)" = 2 ] && [ -e out ]; }
	wait_for 20 twice
	rotated | xargs cat | cmp - <(cat frames frames)
	# An empty file stays; a file's age is not forgotten.
	exec 5>&-
	wait "${background_pids[0]}"
	[ "$(rotated | wc -l)" = 2 ]
	"$kpublish" file:out <frames
	old() { [ $(($(date +%s) - $(stat -c %W out))) -ge 2 ]; }
	wait_for 20 old
	"$kpublish" 'file:out?rotate_seconds=2' <frames
	[ "$(rotated | wc -l)" = 3 ]
	cmp out frames
}

@test "kpublish file: SIGHUP opens it again, and where that fails nothing is lost" {
	make_frames 3 >frames
	fed file:out
	cat frames >&5
	wait_for 10 at_least 3 last_ack
	mv out first
	kill -HUP "${background_pids[0]}"
	wait_for 10 test -e out
	cat frames >&5
	wait_for 10 cmp -s out frames
	# Still there: it is written on.
	kill -HUP "${background_pids[0]}"
	cat frames >&5
	cat frames frames >twice
	wait_for 10 cmp -s out twice
	mv out second
	mkdir out
	kill -HUP "${background_pids[0]}"
	wait_for 10 grep -q 'file:out: cannot be opened: Is a directory (retrying)' err
	metric_is() { [ "$(metric "$1")" = "$2" ]; }
	wait_for 10 metric_is connected 0
	cat frames >&5
	exec 5>&-
	at_hand() { at_least 1 metric window_bytes; }
	wait_for 10 at_hand
	rmdir out
	wait "${background_pids[0]}"
	cmp out frames
	cmp first frames
	cmp second twice
	grep -q 'accepts messages again' err
	[ "$(metric connected)" = 1 ]
}

@test "kpublish file: moved away, removed, its folder gone: what comes then is at its path" {
	make_frames 3 >frames
	mkdir d
	fed file:d/out
	cat frames >&5
	wait_for 10 at_least 3 last_ack
	mv d/out first
	cat frames >&5
	wait_for 10 cmp -s d/out frames
	rm d/out
	cat frames >&5
	wait_for 10 cmp -s d/out frames
	mv d gone
	cat frames >&5
	wait_for 10 grep -q 'file:d/out: cannot be opened: No such file or directory (retrying)' err
	mkdir d
	wait_for 10 cmp -s d/out frames
	cmp first frames
	cmp gone/out frames
	exec 5>&-
	wait "${background_pids[0]}"
}

@test "kpublish file: moved away again and again under load: every frame once, in order" {
	local size piece
	make_frames 20000 10 100 >frames
	size=$(stat -c %s frames)
	piece=$((size / 10 + 1))
	fed 'file:out?rotate_bytes=100M'
	for i in {0..9}; do
		tail -c "+$((i * piece + 1))" frames | head -c "$piece" >&5 &
		wait_for 20 test -s out
		mv out "moved.$i"
		[ "$i" = 5 ] && kill -HUP "${background_pids[0]}"
		wait "$!"
	done
	exec 5>&-
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 20000 ]
	[ ! -s err ]
	: >>out # all may have been in the last that was moved
	for part in moved.* out; do
		"$kenvelope" --decode <"$part" >lines
	done
	cat moved.* out | cmp - frames
}

@test "kpublish file: rotated by size and age under load, with SIGHUP: every frame once, in order" {
	make_frames 20000 10 100 >frames
	mkfifo in
	"$kpublish" 'file:out?rotate_bytes=20K&rotate_seconds=1' --ack-fd 3 3>acks <in 2>err &
	background_pids=($!)
	cat frames >in &
	background_pids+=($!)
	wait_for 10 test -e out
	while [ "$(last_ack)" != 20000 ] && kill -HUP "${background_pids[0]}"; do :; done
	wait "${background_pids[0]}"
	[ ! -s err ]
	[ "$(rotated | wc -l)" -ge 500 ]
	rotated | xargs cat | cat - out | cmp - frames
}

@test "kpublish file: two that append to one file: the second is refused" {
	make_frames 3 >frames
	fed file:out --dead-letter dead
	wait_for 10 test -e out
	for args in file:out 'file:other --dead-letter out' 'file:other --dead-letter dead' 'file:x --dead-letter x'; do
		# shellcheck disable=SC2086 # URL and options
		fails 1 'another kpublish appends to it' $args <frames
	done
	cat frames >&5
	exec 5>&-
	wait "${background_pids[0]}"
	cmp out frames
	"$kpublish" file:out </dev/null
}

@test "kpublish file: no permission" {
	make_frames 3 >frames
	mkdir d
	: >d/theirs
	chmod 555 d
	chmod 444 d/theirs
	anybody=()
	[ "$(id -u)" != 0 ] || anybody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all)
	cp "$kpublish" kpublish # they may not come to where it is
	chmod 755 . kpublish
	for path in d/out d/theirs; do
		run --separate-stderr -1 "${anybody[@]}" ./kpublish "file:$path" <frames
		[ "$stderr" = "kpublish: file:$path: Permission denied" ]
	done
	[ ! -e d/out ]
	[ ! -s d/theirs ]
}

@test "kpublish file: killed at any time: what was acknowledged is there, and it goes on behind it" {
	make_frames 20000 10 100 >frames
	mkfifo in
	for acked in 1 5000 9000; do
		"$kpublish" 'file:out?rotate_bytes=1M' --ack-fd 3 3>acks <in 2>err &
		background_pids=($!)
		exec 5>in # has no end before the kill
		cat frames >&5 2>cat.err &
		background_pids+=($!)
		wait_for 20 at_least "$acked" last_ack
		kill -KILL "${background_pids[0]}"
		exec 5>&-
		wait "${background_pids[@]}" 2>/dev/null || true
		"$kpublish" 'file:out?rotate_bytes=1M' </dev/null # cuts off a piece
		rotated | while read -r name; do
			[ ! -e "$name" ] || cat "$name"
		done | cat - out >all
		"$kenvelope" --decode <all >lines
		[ "$(wc -l <lines)" -ge "$(last_ack)" ]
		cmp -n "$(stat -c %s all)" all frames
		rm -f out*
	done
}

@test "kpublish file: /dev/stdout, a pipe" {
	make_frames 20 >frames
	"$kpublish" file:/dev/stdout <frames | cmp frames
	"$kpublish" file:/dev/stdout <frames >out
	cmp out frames
	mkfifo pipe
	"$kpublish" file:pipe <frames &
	background_pids=($!)
	cmp pipe frames
	wait "${background_pids[0]}"
}

@test "kpublish file: parameters that are wrong" {
	fails 2 'file:out: "x" is no query parameter of it: there are rotate_bytes, rotate_seconds' 'file:out?x=1' </dev/null
	for size in 0 x 1X -1 99999999999999999999 ''; do
		fails 2 "rotate_bytes=$size is no size" "file:out?rotate_bytes=$size" </dev/null
	done
	for seconds in 0 1h x -1 99999999999999999999 ''; do
		fails 2 "rotate_seconds=$seconds is no number of seconds" "file:out?rotate_seconds=$seconds" </dev/null
	done
	[ ! -e out ]
	for path in /dev/null /dev/stdout; do
		fails 2 "file:$path: is no regular file, and cannot be rotated" "file:$path?rotate_bytes=1M" </dev/null
	done
	run -0 "$kpublish" --help
	[[ $output == *'rotate_bytes=SIZE'*'rotate_seconds=N'* ]]
}
