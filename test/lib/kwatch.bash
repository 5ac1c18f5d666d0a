# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# kwatch beside a test, against a real API server that the test changes.
#
# Tests named "no cache: ..." have an API server whose configmaps come from etcd itself, so that a
# compaction decides what has expired; "no WatchList: ...", one that does not have it; "audited: ...", one
# that writes down each request.
# shellcheck disable=SC2154,SC2034 # set by bats and what it loads; used by the tests

# shellcheck source=test/lib/pipeline.bash
. "$(dirname "${BASH_SOURCE[0]}")/pipeline.bash"

# Bats calls these four of the file that loads this one.
setup_file() {
	export k8s=$BATS_FILE_TMPDIR/k8s
	k8s_start "$k8s"
	: >"$k8s/flags"
	export KUBECONFIG=$k8s/admin.kubeconfig
}

teardown_file() {
	k8s_stop "$k8s"
}

setup() {
	bats_require_minimum_version 1.5.0
	dir=$BATS_TEST_TMPDIR
	id=t$BATS_TEST_NUMBER
	unset KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
	case $BATS_TEST_DESCRIPTION in
	"no cache: "*) server --watch-cache-sizes=configmaps#0 ;;
	"no WatchList: "*) server --feature-gates=WatchList=false ;;
	"audited: "*)
		echo '{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}' >"$k8s/policy"
		server --audit-policy-file="$k8s/policy" --audit-log-path="$k8s/audit"
		;;
	*) server ;;
	esac
	api POST /api/v1/namespaces '{"metadata": {"name": "'"$id"'"}}'
}

teardown() {
	local pidfile
	# Nothing here waits for their ends, nor needs to be told of them.
	disown -a
	for pidfile in "$dir"/*.pid; do
		[ ! -e "$pidfile" ] || kill -s KILL -- "-$(cat "$pidfile")" 2>/dev/null || true
	done
	[ -n "${BATS_TEST_COMPLETED-}" ] || tail -n 50 "$dir"/*.err >&2 || true
}

# --- helpers: the server ---------------------------------------------------------------------

# The API server with these flags; it is started anew when it has others.
server() {
	[ "$(cat "$k8s/flags")" = "$*" ] || {
		stop_server "$k8s" apiserver KILL
		k8s_run_api "$k8s" "$@"
		echo "$*" >"$k8s/flags"
	}
}

# As after a crash, with the flags that it had.
server_crashes() {
	stop_server "$k8s" apiserver KILL
	# shellcheck disable=SC2046 # flags without spaces
	k8s_run_api "$k8s" $(cat "$k8s/flags")
}

# api METHOD PATH [BODY]: a write as admin; what the server answers goes to $dir/answer.
api() {
	local content=application/json
	[ "$1" != PATCH ] || content=application/merge-patch+json
	printf %s "${3-}" | k8s_get "$k8s" "$2" -X "$1" -H "Content-Type: $content" --data-binary @- >"$dir/answer"
}

# configmap NAME [DATA [LABELS]], in the test's namespace; label NAME LABELS; delete NAME.
configmap() {
	api POST "/api/v1/namespaces/$id/configmaps" \
		'{"metadata": {"name": "'"$1"'", "labels": '"${3:-null}"'}, "data": '"${2:-null}"'}'
}
label() {
	api PATCH "/api/v1/namespaces/$id/configmaps/$1" '{"metadata": {"labels": '"$2"'}}'
}
delete() {
	api DELETE "/api/v1/namespaces/$id/configmaps/$1"
}

# The resourceVersion that a list of the test's configmaps has now.
version_now() {
	k8s_get "$k8s" "/api/v1/namespaces/$id/configmaps?limit=1" | jq -r .metadata.resourceVersion
}

# Forgets all history.
compact() {
	configmap "compacted-$RANDOM$RANDOM"
	k8s_etcdctl "$k8s" compact "$(jq -r .metadata.resourceVersion "$dir/answer")" >/dev/null
}

# account NAME: a service account of the test's namespace, its token in $dir/NAME.token, and
# $dir/NAME.kubeconfig. It may do what its bindings say, nothing at first.
account() {
	k8s_kubectl "$k8s" -n "$id" create serviceaccount "$1" >/dev/null
	k8s_kubectl "$k8s" -n "$id" create token "$1" >"$dir/$1.token"
	kubeconfig "token: $(cat "$dir/$1.token")" "$ca" >"$dir/$1.kubeconfig"
}

# grant NAME: the account may see configmaps, namespaces and deployments.
grant() {
	k8s_kubectl "$k8s" create clusterrolebinding "$id-$1" --clusterrole restricted \
		--serviceaccount "$id:$1" >/dev/null
}

# kubeconfig USER CLUSTER: one with these members, as YAML flow mappings.
ca='certificate-authority: pki/ca.crt'
kubeconfig() {
	ln -sfn "$k8s/pki" "$dir/pki"
	cat <<END
clusters: [{name: c, cluster: {server: "$(cat "$k8s/api.url")", $2}}]
users: [{name: u, user: {$1}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
END
}

# crd VERSION: the type gizmos.ID.kollect.test in that version, on standard output.
crd() {
	cat <<END
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gizmos.$id.kollect.test}
spec:
  group: $id.kollect.test
  scope: Namespaced
  names: {plural: gizmos, singular: gizmo, kind: Gizmo$id, shortNames: [gz$id]}
  versions:
  - name: $1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
END
}

# crd_made VERSION: and it is served.
crd_made() {
	crd "$1" | k8s_kubectl "$k8s" apply -f - >/dev/null
	wait_for 10 k8s_get "$k8s" "/apis/$id.kollect.test/$1/gizmos" -o "$dir/answer" 2>/dev/null
}

# gizmo VERSION NAME
gizmo() {
	api POST "/apis/$id.kollect.test/$1/namespaces/$id/gizmos" \
		'{"apiVersion": "'"$id.kollect.test/$1"'", "kind": "Gizmo'"$id"'", "metadata": {"name": "'"$2"'"}}'
}

# --- helpers: kwatch -------------------------------------------------------------------------

# start NAME ARG...: a kwatch beside the test: $dir/NAME.out, NAME.err, and its metrics.
start() {
	mkdir -p "$dir/$1.metrics"
	background "$dir" "$1" kwatch --metrics "$dir/$1.metrics/kwatch.prom" "${@:2}"
}

# exited NAME CODE SECONDS: it has ended by itself within that time.
exited() {
	wait_for "$3" test -e "$dir/$1.status"
	[ "$(cat "$dir/$1.status")" -eq "$2" ]
}

# pid_of NAME
pid_of() { pgrep -g "$(cat "$dir/$1.pid")" -x kwatch; }

# sample NAME SAMPLE: of its metrics.
sample() { metric "$dir" "$1" kwatch "kollect_kwatch_$2"; }

# count FILE TEXT
count() { grep -cF -- "$2" "$1" || true; }

# ended NAME N: N snapshots are complete.
ended() { [ "$(count "$dir/$1.out" '"kollect/mark":"end"')" -ge "$2" ]; }
synced() { wait_for 20 ended "$@"; }

# story FILE [KIND]: a word for each line: marks by their name, events by their first letter and the
# object's name.
story() {
	jq -r --arg kind "${2-}" 'select($kind == "" or .object.kind == $kind) | .object.metadata as $m |
		if $m.annotations["kollect/stream"] then $m.annotations["kollect/mark"] // empty
		else "\(.type[:1]):\($m.name)" end' "$1" | tr '\n' ' '
}

# tells NAME KIND TEXT: its story so far has it.
tells() {
	[[ " $(story "$dir/$1.out" "$2" 2>/dev/null)" == *" $3 "* ]]
}

# sound FILE [FIRST]: each line is whole; each mark has what DESIGN 1.1 wants; before anything else of a stream
# comes its begin, or the mark FIRST (null: one without a name, when it was resumed); items have what list
# items lack.
sound() {
	jq -n -e --argjson first "${2-\"begin\"}" '
		reduce inputs as $e ({begun: {}, good: true};
			$e.object as $o | $o.metadata.annotations as $a |
			if $e.type == "BOOKMARK" then
				.good = (.good and $o.kind and $o.apiVersion and ($a | has("kollect/stream")) and
					($o.metadata | has("resourceVersion")) and
					($a["kollect/mark"] == "begin" or $a["kollect/mark"] == $first or .begun[$a["kollect/stream"]])) |
				.begun[$a["kollect/stream"]] = true
			else .good = (.good and $o.kind and $o.apiVersion and $o.metadata.uid and
				(.begun | length > 0))
			end) | .good' "$1" >/dev/null
	[ "$(tail -c 1 "$1" | od -An -tx1)" = " 0a" ]
}

# lists ARG...: kwatch with these arguments has the configmap "here" of the test and ends well.
lists() {
	run --separate-stderr -0 kwatch --once -n "$id" configmaps "$@"
	[[ $output == *'"name":"here"'* ]]
	[ -z "$stderr" ]
}

# fails CODE TEXT ARG...: kwatch says one line that has TEXT, and nothing else.
fails() {
	local code=$1 text=$2
	shift 2
	run --separate-stderr "-$code" kwatch "$@"
	echo "$stderr"
	[ -z "$output" ]
	[[ $stderr == "kwatch: "*"$text"* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}
