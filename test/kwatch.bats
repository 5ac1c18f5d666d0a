#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kwatch without a server: the command line, and what it says of bad kubeconfigs.
# shellcheck disable=SC2154,SC2094 # stderr_lines is set by run; config reads nothing

setup() {
	bats_require_minimum_version 1.5.0
	kwatch=$(realpath "${BUILD:-$BATS_TEST_DIRNAME/../build}/bin/kwatch")
	cd "$BATS_TEST_TMPDIR" || return 1
	unset KUBECONFIG KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
	export HOME=$BATS_TEST_TMPDIR
}

# A kubeconfig whose one user and cluster have the members given, as YAML flow mappings.
config() {
	cat <<END
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", ${2-}}}]
users: [{name: u, user: {${1-}}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
END
}

# fails CODE TEXT ARGS...: one line that has TEXT and nothing on standard output.
fails() {
	local code=$1 text=$2
	shift 2
	run --separate-stderr "-$code" "$kwatch" "$@"
	echo "$stderr"
	[ -z "$output" ]
	[[ $stderr == "kwatch: "*"$text"* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "kwatch: --help and --version go to standard output, exit 0" {
	run --separate-stderr -0 "$kwatch" --help
	[[ $output == "Usage: kwatch"* ]]
	[ -z "$stderr" ]
	run --separate-stderr -0 "$kwatch" --version
	[[ $output == "kwatch (kollect) "* ]]
}

@test "kwatch: wrong usage is exit 2" {
	run -2 "$kwatch" --no-such-option
	fails 2 'no namespace' -n 'A b'
	fails 2 'no number' --page-size 0
	fails 2 'no number' --page-size 5x
	for time in '' 1 x 1x 1h30 -1s 1h- 99999999999s 30d s; do
		fails 2 '--audit-interval: "' --audit-interval "$time"
	done
	fails 2 '--resync-fd: "9" is no descriptor that is open' --resync-fd 9
	fails 2 '--resync-fd' --resync-fd x
	for task in --once --list-types --cluster-id; do
		fails 2 '--resume goes on watching: not with' --resume x "$task"
	done
}

@test "kwatch: no kubeconfig anywhere" {
	fails 1 "no cluster"
}

@test "kwatch: a kubeconfig that is missing" {
	fails 1 "none.yaml: No such file" --kubeconfig none.yaml
	KUBECONFIG=$PWD/a:$PWD/b fails 1 "$PWD/a: No such file"
}

@test "kwatch: a kubeconfig that is empty, a folder, or text" {
	: >empty
	fails 1 "empty: not a kubeconfig: the file is empty" --kubeconfig empty
	fails 1 ".: Is a directory" --kubeconfig .
	echo hello >text
	fails 1 "text: not a kubeconfig" --kubeconfig text
	head -c 1000 /dev/zero >zeros
	fails 1 "zeros:1: not a kubeconfig" --kubeconfig zeros
}

@test "kwatch: a kubeconfig that is not YAML names the line" {
	printf 'a: b\nc: [d\ne: f\n' >broken
	fails 1 "broken:3: not a kubeconfig" --kubeconfig broken
}

@test "kwatch: a deeply nested kubeconfig" {
	python3 -c 'print("[" * 100000)' >deep
	fails 1 "deep:1: not a kubeconfig: nested too deeply" --kubeconfig deep
}

@test "kwatch: a kubeconfig out of a pipe" {
	config 'as: root' >config
	fails 1 "impersonation" --kubeconfig <(cat config)
}

@test "kwatch: contexts that are not there" {
	config >good
	fails 1 'good: there is no context "y"' --kubeconfig good --context y
	sed '/current-context/d' good >none
	fails 1 "none: no current-context" --kubeconfig none
	sed 's/user: u}/user: v}/' good >user
	fails 1 'user: context "x": there is no user "v"' --kubeconfig user
	sed 's/cluster: c,/cluster: d,/' good >cluster
	fails 1 'there is no cluster "d"' --kubeconfig cluster
	sed 's/server:/sever:/' good >server
	fails 1 'has no server' --kubeconfig server
	sed 's/https:/ftp:/' good >scheme
	fails 1 'neither https:// nor http://' --kubeconfig scheme
}

@test "kwatch: files that a kubeconfig names, relative to its folder" {
	mkdir sub
	config 'client-certificate: c.crt, client-key: c.key' >sub/config
	fails 1 "sub/c.crt: No such file" --kubeconfig sub/config
	echo x >sub/c.crt
	fails 1 "sub/c.key: No such file" --kubeconfig sub/config
	config 'client-certificate: c.crt' >sub/config
	fails 1 "client key is missing" --kubeconfig sub/config
	config 'tokenFile: token' >sub/config
	: >sub/token
	fails 1 "sub/token: No data" --kubeconfig sub/config
	config '' 'certificate-authority: ca' >sub/config
	fails 1 "sub/ca: No such file" --kubeconfig sub/config
}

@test "kwatch: an unreadable key file" {
	config 'client-certificate: c.crt, client-key: c.key' >config
	echo x >c.crt
	mkdir c.key # as root, no mode keeps a file from being read
	fails 1 "c.key: Is a directory" --kubeconfig config
}

@test "kwatch: data that is not base64 is refused and not shown" {
	config 'client-certificate-data: "se cret!"' >config
	fails 1 "client-certificate-data is not base64" --kubeconfig config
	[[ $stderr != *cret* ]]
}

@test "kwatch: what it cannot do for a user is an error, not another user" {
	config 'exec: {command: aws}' >config
	fails 1 "an exec credential plugin" --kubeconfig config
	config 'auth-provider: {name: oidc}' >config
	fails 1 "an auth provider" --kubeconfig config
	config 'as: root' >config
	fails 1 "impersonation" --kubeconfig config
}

@test "kwatch: a server that does not answer" {
	config 'token: t0ps3cret' >config
	fails 1 "https://127.0.0.1:1: " --kubeconfig config
	[[ $stderr != *t0ps3cret* ]]
	fails 1 "https://127.0.0.1:1: " --kubeconfig config --cluster-id
	fails 1 "https://127.0.0.1:1: " --kubeconfig config --list-types
}

@test "kwatch: KUBECONFIG's first file to name a thing wins" {
	config >a
	config | sed 's/:1"/:2"/; s/name: x/name: y/; s/context: x/context: y/' >b
	KUBECONFIG=a:b fails 1 "https://127.0.0.1:1: "
	KUBECONFIG=b:a fails 1 "https://127.0.0.1:2: "
	KUBECONFIG=missing:b fails 1 "https://127.0.0.1:2: "
	# The context of the second file, the cluster of the first.
	KUBECONFIG=a:b fails 1 "https://127.0.0.1:1: " --context y
}

@test "kwatch: in a pod the service account is used" {
	export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1
	export KWATCH_SERVICEACCOUNT_DIR=$PWD/account
	fails 1 "account/ca.crt: No such file"
	mkdir account
	echo ca >account/ca.crt
	fails 1 "account/token: No such file"
	echo token >account/token
	fails 1 "https://127.0.0.1:1: "
}

# serve SCENARIO: the server, and its kubeconfig "config".
serve() {
	rm -f port
	python3 "$BATS_TEST_DIRNAME/tools/fakeapi.py" "$1" requests >port 3>&- 2>/dev/null &
	fake=$!
	until [ -s port ]; do kill -0 $fake; done
	config | sed "s,https://127.0.0.1:1,http://127.0.0.1:$(cat port)," >config
}

# behaves SCENARIO EXPECT [ARG...]: a server that misbehaves as that scenario of tools/fakeapi.py says.
# EXPECT is what is to be written up to the pod c, or the line that has $last: marks as
# mark@resourceVersion, events as their first letter and the pod's name.
behaves() {
	local expect=$2 out
	serve "$1"
	out=$(timeout 30 "$kwatch" --kubeconfig config pods "${@:3}" 2>err |
		sed -u '/'"${last-\"name\":\"c\"}"'/q' | jq -r '.object.metadata as $m |
			if $m.annotations["kollect/stream"]
			then "\($m.annotations["kollect/mark"])@\($m.resourceVersion)"
			else "\(.type[:1]):\($m.name)" end' | tr '\n' ' ')
	cat err requests
	echo "$out"
	[ "$out" = "$expect " ]
}

# For another server in the same test.
another() {
	kill "$fake"
	rm requests
}

teardown() {
	[ -z "${fake-}" ] || kill "$fake"
}

# requested N TEXT: request N for pods had TEXT.
requested() {
	[[ $(sed -n "$1p" requests) == *"$2"* ]]
}

@test "kwatch: WatchList refused (422): a list and a watch from its resourceVersion" {
	behaves refused_422 'begin@ A:a A:b end@10 A:c'
	requested 1 sendInitialEvents=true
	requested 2 limit=500
	requested 3 resourceVersion=10
}

@test "kwatch: WatchList refused within the stream (500)" {
	behaves refused_in_stream 'begin@ begin@ A:a A:b end@10 A:c'
}

@test "kwatch: WatchList that ends without its bookmark" {
	behaves ignored_twice 'begin@ A:a begin@ A:a begin@ A:a A:b end@10 A:c'
}

@test "kwatch: WatchList whose bookmark never comes" {
	behaves silent_watch_list 'begin@ A:a begin@ A:a A:b end@10 A:c'
	grep -q 'takes a WatchList but does not end it' err
}

@test "kwatch: a connection that breaks within a line: the rest is dropped, the watch goes on" {
	behaves cut_line 'begin@ A:a end@10 A:b A:c'
	requested 2 resourceVersion=11
}

@test "kwatch: lines that come a byte at a time" {
	behaves split_lines 'begin@ A:a end@10 A:c'
}

@test "kwatch: 410 within the stream: a gap and a snapshot" {
	behaves gone_in_stream 'begin@ A:a end@10 gap@10 begin@ A:a A:b end@20 A:c'
}

@test "kwatch: 410 at the start of a watch: a gap and a snapshot" {
	behaves gone_at_start 'begin@ A:a end@10 A:b gap@11 begin@ A:a A:b end@20 A:c'
}

@test "kwatch: 410 for the second page: the list begins anew" {
	behaves gone_page 'begin@ A:a begin@ A:a A:b end@20 A:c'
	requested 3 continue=next
	requested 4 limit=500
}

@test "kwatch: a field that the type does not know is no matter of time, and said once" {
	behaves unknown_field 'begin@ A:a end@10 A:c' --field-selector spec.x=y --forever
	requested 2 limit=500
	[ "$(grep -c '400 Bad Request: field label not supported: spec.x' err)" -eq 1 ]
	grep -q 'nothing may be listed with these selectors' err
	grep -q 'works again' err
	[ "$(wc -l <requests)" -eq 4 ]
	another
	serve unknown_field
	run --separate-stderr -1 "$kwatch" --kubeconfig config --once --field-selector spec.x=y pods
	[ -z "$output" ]
	[[ $stderr == *'400 Bad Request'* ]]
	[ "$(wc -l <requests)" -eq 1 ]
}

@test "kwatch: 429 in plain text and 503 are waited for" {
	behaves busy 'begin@ A:a end@10 A:c'
	[ "$(grep -c '429 Too Many Requests: Too many requests' err)" -eq 1 ]
}

@test "kwatch: a malformed event, and one of another kind: the watch begins again" {
	behaves malformed 'begin@ A:a end@10 A:c'
	requested 2 resourceVersion=10
	grep -q '/api/v1/pods: a watch event is malformed' err
	another
	behaves other_kind 'begin@ A:a end@10 A:c'
}

@test "kwatch: a line over 64 MiB: the watch begins again" {
	behaves long_line 'begin@ A:a end@10 A:c'
	grep -q 'over 64 MiB' err
}

@test "kwatch: a list that is cut off is taken again" {
	behaves cut_list 'begin@ A:a A:b begin@ A:a A:b end@10 A:c'
}

@test "kwatch --audit-interval: a list that is older than what is known: the history went back" {
	behaves went_back 'begin@ A:a end@10 gap@10 begin@ A:a end@9 A:c' --audit-interval 200ms
	requested 2 'limit=1000 application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
	grep -q '/api/v1/pods: the server.s history has gone back: taking a snapshot' err
}

@test "kwatch --audit-interval: a list that cannot be compared, said once, and one that can" {
	last=audited behaves audit_late 'begin@ A:a end@10 audit@10 exists@1 exists@2 audited@10' --audit-interval 200ms
	[ "$(cat err)" = "kwatch: warning: /api/v1/pods: it cannot be audited: its list does not begin with its metadata: trying again" ]
}

# resume LINE...: the file "positions", of lines with \t in them.
resume() { printf '%b\n' "$@" >positions; }

@test "kwatch --resume: no list: a watch from there, and a mark before the first event alone" {
	resume '/api/v1/pods\t10'
	behaves resumed 'null@10 null@10 null@11 A:c' --resume positions
	requested 1 'watch=true&'
	requested 1 '&resourceVersion=10'
	requested 2 '&resourceVersion=10'
	[ "$(wc -l <requests)" -eq 2 ]
	run ! grep -E 'limit=|sendInitialEvents' requests
	[ ! -s err ]
}

@test "kwatch --resume: from standard input, and from a descriptor" {
	resume '/api/v1/pods\t10'
	behaves resumed 'null@10 null@10 null@11 A:c' --resume - <positions
	another
	behaves resumed 'null@10 null@10 null@11 A:c' --resume /dev/fd/5 5<positions
}

@test "kwatch --resume: 410 at the start or within the stream: no mark but the gap, and a snapshot" {
	resume '/api/v1/pods\t10'
	behaves resumed_gone 'gap@10 begin@ A:a end@20 A:c' --resume positions
	requested 2 sendInitialEvents=true
	another
	behaves resumed_gone_in_stream 'gap@10 begin@ A:a end@20 A:c' --resume positions
	requested 2 sendInitialEvents=true
}

@test "kwatch --resume: a stream without a position begins with a snapshot" {
	for version in '' 0; do
		[ ! -e requests ] || another
		resume "/api/v1/pods\\t$version"
		behaves split_lines 'begin@ A:a end@10 A:c' --resume positions
		requested 1 sendInitialEvents=true
	done
}

@test "kwatch --resume: what may not be watched is no less an error" {
	resume '/api/v1/pods\t10'
	behaves resumed_denied '' --resume positions || true
	grep -q '/api/v1/pods: 403 Forbidden' err
	grep -q 'nothing may be listed' err
}

@test "kwatch --resume: a type that is gone is told, once all else is there" {
	resume '/apis/gone.example/v1/widgets\t7\tWidget' '/api/v1/pods\t10'
	last=gone behaves resumed_slow 'gap@10 begin@ A:a begin@ A:a A:b end@20 gone@7' --resume positions widgets.gone.example --forever
}

@test "kwatch --resume: a server that is starting is asked until it knows" {
	resume '/apis/gone.example/v1/widgets\t7\tWidget' '/api/v1/pods\t10'
	last=gone behaves resumed_starting 'null@10 A:c gone@7' --resume positions widgets.gone.example --forever
	[ "$(grep -c /apis/gone.example/v1/widgets requests)" -eq 3 ]
}

@test "kwatch --resume: what is not asked for is left as it is, and said to be" {
	resume '/apis/apps/v1/deployments\t7' '/api/v1/pods\t10' '/api/v1/namespaces/shop/pods\t8' '/api/v1/pods?labelSelector=a\t9'
	behaves resumed 'null@10 null@10 null@11 A:c' --resume positions
	[ "$(cat err)" = "kwatch: positions: streams that are not asked for are left as they are (3): /apis/apps/v1/deployments, /api/v1/namespaces/shop/pods, /api/v1/pods?labelSelector=a" ]
	[ "$(wc -l <requests)" -eq 2 ]
}

@test "kwatch --resume: a file that is malformed is exit 2, with the line" {
	wrong_line() {
		printf '%b' "$1" >positions
		fails 2 "positions:$2: $3" --resume positions pods
	}
	wrong_line '/api/v1/pods\n' 1 'expected a path, a tab and a resourceVersion'
	wrong_line '\n' 1 'expected a path'
	wrong_line '/api/v1/pods\t1\tPod\tmore\n' 1 'expected a path'
	wrong_line '/api/v1/pods\t1\n/api/v1/nodes\t1' 2 'the file ends within the line'
	wrong_line '/api/v1/pods\t1\n/api/v1/pods\t2\n' 2 'the stream stands there twice'
	wrong_line '/api/v1/pods\t1\r\n' 1 'no path and resourceVersion'
	wrong_line '/api/v1/po ds\t1\n' 1 'no path and resourceVersion'
	wrong_line '/api/v1/pods\t1\0\n' 1 'a NUL byte'
	wrong_line "/api/v1/pods\t$(head -c 256 /dev/zero | tr '\0' 1)\n" 1 'no path and resourceVersion'
	wrong_line "/$(head -c 300000 /dev/zero | tr '\0' x)\n" 1 'the line is too long'
	for path in pods /api /api/v1 /api/v1/ /apis/apps/v1 /api/v1/pods/x /api/v1/namespaces/shop /x/v1/pods; do
		wrong_line "$path"'\t1\n' 1 'the path is none of a list of objects'
	done
	fails 1 'none: No such file' --resume none
	fails 1 '.: Is a directory' --resume .
}

@test "kwatch: 401: the credentials are read again" {
	behaves unauthorized 'begin@ A:a end@10 A:c'
	[ ! -s err ]
}
