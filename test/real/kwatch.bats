#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kwatch against a real API server: who it is, what it watches, what it writes, and how it goes on after
# all that a server does to its watchers.

# shellcheck disable=SC2154,SC2317 # set by bats and what it loads; called by name

load ../lib/kwatch

# --- who -------------------------------------------------------------------------------------

@test "kubeconfig: token, tokenFile, client certificate as data and as files" {
	configmap here
	lists --kubeconfig "$k8s/admin.kubeconfig"
	lists --kubeconfig "$k8s/admin-cert.kubeconfig"
	# Relative to the file, not to where kwatch runs.
	cd /
	kubeconfig 'client-certificate: pki/admin.crt, client-key: ./pki/admin.key' "$ca" >"$dir/config"
	lists --kubeconfig "$dir/config"
	kubeconfig 'tokenFile: token' "$ca" >"$dir/config"
	echo admin-token >"$dir/token"
	lists --kubeconfig "$dir/config"
	echo wrong-token >"$dir/token"
	fails 1 '401 Unauthorized' --kubeconfig "$dir/config" configmaps
	[[ $stderr != *wrong-token* ]]
}

@test "kubeconfig: KUBECONFIG's files are merged, --context chooses" {
	kubeconfig '' "$ca" | grep '^clusters' >"$dir/clusters"
	echo 'users: [{name: u, user: {token: admin-token}}, {name: n, user: {token: nobody-token}}]' >"$dir/users"
	cat >"$dir/contexts" <<-END
		contexts: [{name: x, context: {cluster: c, user: u}}, {name: y, context: {cluster: c, user: n}}]
		current-context: y
	END
	configmap here
	export KUBECONFIG=$dir/users:$dir/missing:$dir/contexts:$dir/clusters
	lists --context x
	run --separate-stderr -1 kwatch --once configmaps
	[[ $stderr == *'403 Forbidden'*'User "test-nobody"'* ]]
	[ -z "$output" ]
}

@test "kubeconfig: tls-server-name, insecure-skip-tls-verify, an authority that is not the server's" {
	configmap here
	kubeconfig 'token: admin-token' "$ca, tls-server-name: kubernetes.default.svc" >"$dir/config"
	lists --kubeconfig "$dir/config"
	kubeconfig 'token: admin-token' "$ca, tls-server-name: other.example" >"$dir/config"
	fails 1 'other.example' --kubeconfig "$dir/config" configmaps
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=stranger -out "$dir/ca.crt" 2>/dev/null
	kubeconfig 'token: admin-token' 'certificate-authority: ca.crt' >"$dir/config"
	fails 1 'SSL certificate problem' --kubeconfig "$dir/config" configmaps
	lists --kubeconfig "$dir/config" --insecure-skip-tls-verify
	kubeconfig 'token: admin-token' 'insecure-skip-tls-verify: true' >"$dir/config"
	lists --kubeconfig "$dir/config"
}

@test "in a pod: the service account's token and authority" {
	configmap here
	account pod
	grant pod
	mkdir "$dir/account"
	cp "$dir/pod.token" "$dir/account/token"
	cp "$k8s/pki/ca.crt" "$dir/account"
	KUBERNETES_SERVICE_PORT=$(cat "$k8s/apiserver.port")
	export KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_HOST=127.0.0.1
	export KWATCH_SERVICEACCOUNT_DIR=$dir/account HOME=$dir
	unset KUBECONFIG
	may() { kwatch --once configmaps >/dev/null 2>&1; }
	wait_for 10 may
	lists
	run --separate-stderr -1 kwatch --once secrets
	[[ $stderr == *"User \"system:serviceaccount:$id:pod\" cannot list resource \"secrets\""* ]]
}

@test "a token file that is rotated is read again when the old token is refused" {
	account first
	account second
	grant first
	grant second
	cp "$dir/first.token" "$dir/token"
	kubeconfig 'tokenFile: token' "$ca" >"$dir/config"
	start kwatch --kubeconfig "$dir/config" configmaps
	synced kwatch 1
	cp "$dir/second.token" "$dir/token"
	k8s_kubectl "$k8s" -n "$id" delete serviceaccount first >/dev/null
	# Ends the watches, and forgets that the old token was good.
	server_crashes
	configmap after
	wait_for 20 tells kwatch ConfigMap A:after
	refused() { [ "$(sample kwatch 'errors_total{code="401"}')" -gt 0 ]; }
	wait_for 5 refused
	run ! grep 401 "$dir/kwatch.err"
}

@test "a token that is wrong at the start is waited for with --forever" {
	echo wrong-token >"$dir/token"
	kubeconfig 'tokenFile: token' "$ca" >"$dir/config"
	start kwatch --kubeconfig "$dir/config" --forever configmaps
	wait_for 10 grep -q '401 Unauthorized: Unauthorized: trying again' "$dir/kwatch.err"
	echo admin-token >"$dir/token"
	synced kwatch 1
}

# --- what ------------------------------------------------------------------------------------

@test "types: the same as kubectl api-resources has for list and watch" {
	# Which of two groups that have the same objects is left out.
	k8s_kubectl "$k8s" api-resources --verbs=list,watch -o name | grep -vx 'events.events.k8s.io' | sort >"$dir/expected"
	[ "$(wc -l <"$dir/expected")" -gt 50 ]
	kwatch --list-types | awk 'NR == 1 { at = index($0, "APIVERSION") } NR > 1 {
		split(substr($0, at), rest, " ")
		slash = index(rest[1], "/")
		print $1 (slash ? "." substr(rest[1], 1, slash - 1) : "") }' | sort >"$dir/listed"
	diff "$dir/expected" "$dir/listed"
	# And each of them is watched.
	start kwatch
	synced kwatch "$(wc -l <"$dir/expected")"
	jq -r '.object | "\(.kind).\(.apiVersion | split("/") | if length > 1 then .[0] else "" end)"' "$dir/kwatch.out" | sort -u >"$dir/watched"
	[ "$(wc -l <"$dir/watched")" -eq "$(wc -l <"$dir/expected")" ]
	sound "$dir/kwatch.out"
}

@test "types: each name that kubectl takes" {
	crd_made v1
	for name in po pod Pod PODS pods.v1 deploy deployment deployments.apps deployments.v1.apps \
		"gz$id" gizmo "Gizmo$id" "gizmos.$id.kollect.test" "gizmos.v1.$id.kollect.test"; do
		case $name in
		[pP]*) stream=/api/v1/pods ;;
		d*) stream=/apis/apps/v1/deployments ;;
		*) stream=/apis/$id.kollect.test/v1/gizmos ;;
		esac
		kwatch --once "$name" | jq -r '.object.metadata.annotations["kollect/stream"] // empty' | sort -u >"$dir/streams"
		echo "$name: $(cat "$dir/streams")"
		[ "$(cat "$dir/streams")" = "$stream" ]
	done
	[ "$(kwatch --once po,deploy "gz$id" | count - '"kollect/mark":"end"')" -eq 3 ]
}

@test "types: one that is unknown, or cannot be watched, is said to be" {
	fails 1 'the server has no type "nonsense"' nonsense
	fails 1 'the server has no type "pods.v7"' pods.v7
	fails 1 'tokenreviews: cannot be both listed and watched' tokenreviews
	# The one that is good does not make it good.
	run --separate-stderr -1 kwatch --once pods nonsense
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "--once: exit codes of one who may see all, some and nothing" {
	run --separate-stderr -0 kwatch --once
	[ -z "$stderr" ]
	account some
	run --separate-stderr -1 kwatch --once --kubeconfig "$dir/some.kubeconfig"
	[ -z "$output" ]
	[ "$(grep -c 'nothing may be listed with these credentials' <<<"$stderr")" -eq 1 ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	grant some
	may() { kwatch --once --kubeconfig "$dir/some.kubeconfig" configmaps >"$dir/out" 2>&1; }
	wait_for 10 may
	kwatch --once --kubeconfig "$dir/some.kubeconfig" >"$dir/out" 2>"$dir/err"
	[ "$(jq -r .object.kind "$dir/out" | sort -u | tr '\n' ' ')" = "ConfigMap Deployment Namespace " ]
	# One refusal in full, and one line with the names of all.
	[ "$(grep -c '403 Forbidden' "$dir/err")" -eq 1 ]
	grep -Eq '[0-9]+ of [0-9]+ types may not be listed: .*secrets' "$dir/err"
	[ "$(wc -l <"$dir/err")" -eq 2 ]
	# Those asked for by name must all be there.
	run --separate-stderr -1 kwatch --once --kubeconfig "$dir/some.kubeconfig" configmaps pods
	[[ $output == *'"kind":"ConfigMap"'* ]]
	[[ $stderr == *'/api/v1/pods: 403 Forbidden'* ]]
}

@test "--forever: rights that are granted later begin to work" {
	account later
	run --separate-stderr -1 kwatch --kubeconfig "$dir/later.kubeconfig" configmaps secrets
	[[ $stderr == *'nothing may be listed with these credentials'* ]]
	start kwatch --forever --kubeconfig "$dir/later.kubeconfig" configmaps secrets
	wait_for 10 grep -q 'nothing may be listed with these credentials' "$dir/kwatch.err"
	denied() { [ "$(sample kwatch 'streams{state="denied"}')" -eq "$1" ]; }
	wait_for 10 denied 2
	grant later
	synced kwatch 1
	configmap granted
	wait_for 10 tells kwatch ConfigMap A:granted
	wait_for 10 denied 1
	# Once for each type, however often it was tried.
	[ "$(count "$dir/kwatch.err" '403 Forbidden')" -eq 2 ]
}

# --- what is written -------------------------------------------------------------------------

@test "namespaces, labels and fields: only what they select, under the stream's full name" {
	api POST /api/v1/namespaces '{"metadata": {"name": "'"$id-b"'"}}'
	api POST /api/v1/namespaces '{"metadata": {"name": "'"$id-c"'"}}'
	configmap one null '{"tier": "x"}'
	configmap two
	for ns in "$id-b" "$id-c"; do
		api POST "/api/v1/namespaces/$ns/configmaps" '{"metadata": {"name": "in-'"$ns"'"}}'
	done
	start two -n "$id" -n "$id-b" -n "$id" configmaps
	start labels -n "$id" -l 'tier in (x, y)' configmaps
	start both -A -l tier=x --field-selector metadata.name=one configmaps
	synced two 2
	synced labels 1
	synced both 1
	[ "$(story "$dir/two.out" | xargs -n 1 | sort | tr '\n' ' ')" = \
		"A:in-$id-b A:one A:two begin begin end end " ]
	[ "$(story "$dir/labels.out")" = 'begin A:one end ' ]
	[ "$(story "$dir/both.out")" = 'begin A:one end ' ]
	streams() { jq -r '.object.metadata.annotations["kollect/stream"] // empty' "$dir/$1.out" | sort -u; }
	[ "$(streams two)" = "/api/v1/namespaces/$id-b/configmaps
/api/v1/namespaces/$id/configmaps" ]
	[ "$(streams labels)" = "/api/v1/namespaces/$id/configmaps?labelSelector=tier%20in%20%28x%2C%20y%29" ]
	[ "$(streams both)" = "/api/v1/configmaps?labelSelector=tier%3Dx&fieldSelector=metadata.name%3Done" ]
	# What no longer matches is deleted, for the stream.
	label two '{"tier": "y"}'
	label one '{"tier": null}'
	wait_for 10 tells labels ConfigMap 'A:two D:one'
	wait_for 10 tells both ConfigMap D:one
	for name in two labels both; do sound "$dir/$name.out"; done
}

@test "marks: begin first, then what exists with its kind, then end at the list's resourceVersion" {
	configmap a
	configmap b
	before=$(version_now)
	for how in --no-watch-list --page-size=1; do
		kwatch --once "$how" -n "$id" configmaps >"$dir/$how"
	done
	start watched -n "$id" configmaps
	synced watched 1
	after=$(version_now)
	for file in "$dir/--no-watch-list" "$dir/--page-size=1" "$dir/watched.out"; do
		sound "$file"
		[ "$(story "$file")" = 'begin A:a A:b end ' ]
		jq -e -s --argjson before "$before" --argjson after "$after" '
			.[-1].object.metadata.resourceVersion | tonumber | . >= $before and . <= $after' "$file"
		jq -e -s 'all(.object.kind == "ConfigMap" and .object.apiVersion == "v1")' "$file"
	done
}

@test "events are the server's bytes" {
	start kwatch -n "$id" configmaps
	synced kwatch 1
	background "$dir" curl k8s_get "$k8s" \
		"/api/v1/namespaces/$id/configmaps?watch=1&resourceVersion=$(version_now)"
	configmap odd '{"text": "\u00e9 \ud83d\ude00 \u2028 <&> \\ \" / \t\u0001", "big": "'"$(head -c 200000 /dev/zero | tr '\0' x)"'"}'
	label odd '{"turn": "two"}'
	api PATCH "/api/v1/namespaces/$id/configmaps/odd" '{"data": {"big": null}}'
	delete odd
	wait_for 10 tells kwatch ConfigMap 'A:odd M:odd M:odd D:odd'
	wait_for 10 grep -q DELETED "$dir/curl.out"
	grep -v BOOKMARK "$dir/kwatch.out" >"$dir/events"
	cmp "$dir/events" "$dir/curl.out"
	[ "$(wc -l <"$dir/events")" -eq 4 ]
}

@test "Secrets are redacted, kubectl's copy in the annotation too, unless they are to be shown" {
	secret() {
		k8s_kubectl "$k8s" apply -f - >/dev/null <<-END
			{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: $id},
			 stringData: {password: $1}}
		END
	}
	secret hush-one
	start hidden -n "$id" secrets
	start shown --show-secrets -n "$id" secrets
	synced hidden 1
	synced shown 1
	secret hush-two
	wait_for 10 tells hidden Secret 'A:key end M:key'
	wait_for 10 tells shown Secret 'A:key end M:key'
	kwatch --once -n "$id" secrets >"$dir/listed"
	hush() { grep -Ec "hush|$(printf hush-one | base64)|$(printf hush-two | base64)" "$1" || true; }
	[ "$(hush "$dir/hidden.out")" -eq 0 ]
	[ "$(hush "$dir/listed")" -eq 0 ]
	[ "$(hush "$dir/shown.out")" -eq 2 ]
	jq -e -s 'map(select(.object.data)) | length == 2 and all(.object.data | has("password"))' "$dir/hidden.out"
	grep -q '"kubectl.kubernetes.io/last-applied-configuration"' "$dir/listed"
}

# --- how it goes on --------------------------------------------------------------------------

@test "a type that is made, deleted and made again in another version is followed" {
	start all -n "$id"
	start named --forever -n "$id" "gizmos.$id.kollect.test"
	wait_for 10 grep -q "the server has no type" "$dir/named.err"
	wait_for 20 tells all ConfigMap end
	crd_made v1
	gizmo v1 one
	wait_for 20 tells all "Gizmo$id" A:one
	wait_for 20 tells named "Gizmo$id" A:one
	k8s_kubectl "$k8s" delete crd "gizmos.$id.kollect.test" >/dev/null
	for name in all named; do
		wait_for 20 tells "$name" "Gizmo$id" gone
		run story "$dir/$name.out" "Gizmo$id"
		[[ $output =~ ^"begin "("A:one end "|"end A:one ")"D:one gone "$ ]]
	done
	crd_made v2
	gizmo v2 two
	for name in all named; do
		wait_for 40 tells "$name" "Gizmo$id" A:two
		jq -e -s --arg stream "/apis/$id.kollect.test/v2/namespaces/$id/gizmos" \
			'any(.object.metadata.annotations["kollect/stream"] == $stream)' "$dir/$name.out"
		sound "$dir/$name.out"
	done
	k8s_kubectl "$k8s" delete crd "gizmos.$id.kollect.test" >/dev/null
}

@test "429 of priority and fairness is waited out" {
	account busy
	grant busy
	k8s_kubectl "$k8s" create clusterrole "$id-create" --verb=create --resource=configmaps >/dev/null
	k8s_kubectl "$k8s" create clusterrolebinding "$id-create" --clusterrole "$id-create" \
		--serviceaccount "$id:busy" >/dev/null
	# One seat for all that the account asks for.
	k8s_kubectl "$k8s" apply -f - >/dev/null <<-END
		apiVersion: flowcontrol.apiserver.k8s.io/v1
		kind: PriorityLevelConfiguration
		metadata: {name: $id}
		spec:
		  type: Limited
		  limited: {nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0,
		    limitResponse: {type: Reject}}
		---
		apiVersion: flowcontrol.apiserver.k8s.io/v1
		kind: FlowSchema
		metadata: {name: $id}
		spec:
		  priorityLevelConfiguration: {name: $id}
		  matchingPrecedence: 10
		  rules:
		  - subjects: [{kind: ServiceAccount, serviceAccount: {name: busy, namespace: $id}}]
		    resourceRules: [{verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true,
		      namespaces: ["*"]}]
	END
	as_busy() {
		curl -s --cacert "$k8s/pki/ca.crt" -H "Authorization: Bearer $(cat "$dir/busy.token")" "$@" \
			"$(cat "$k8s/api.url")/api/v1/namespaces/$id/configmaps"
	}
	# It is taken by a request whose body does not end.
	mkfifo "$dir/body"
	unfinished() { as_busy -o /dev/null -X POST -H 'Content-Type: application/json' -T - <>"$dir/body"; }
	background "$dir" post unfinished
	taken() { [ "$(as_busy -o /dev/null -w '%{http_code}')" = 429 ]; }
	wait_for 20 taken
	configmap wanted
	start kwatch --once --kubeconfig "$dir/busy.kubeconfig" -n "$id" configmaps
	wait_for 10 grep -q '429 Too Many Requests: Too many requests' "$dir/kwatch.err"
	kill -s KILL -- "-$(cat "$dir/post.pid")"
	exited kwatch 0 30
	[ "$(story "$dir/kwatch.out")" = 'begin A:wanted end ' ]
	[ "$(count "$dir/kwatch.err" '429 Too Many Requests')" -eq 1 ]
}

@test "more streams than a connection has room for: another connection is opened" {
	namespaces=()
	for ((i = 0; i < 129; i++)); do namespaces+=(-n "$id-$i"); done
	start kwatch "${namespaces[@]}" -n "$id" configmaps
	synced kwatch 130
	watching() { [ "$(sample kwatch 'streams{state="watching"}')" -eq 130 ]; }
	wait_for 10 watching
	connections() { ss -Htnp state established | grep -c "pid=$(pid_of kwatch),"; }
	echo "$(connections) connections"
	[ "$(connections)" -ge 2 ]
	# Two are enough, but libcurl needs them to be there before it waits for them.
	[ "$(connections)" -le 6 ]
	for ns in "$id-0" "$id-60" "$id-128"; do
		api POST /api/v1/namespaces '{"metadata": {"name": "'"$ns"'"}}'
		api POST "/api/v1/namespaces/$ns/configmaps" '{"metadata": {"name": "in-'"$ns"'"}}'
	done
	configmap last
	for name in "in-$id-0" "in-$id-60" "in-$id-128" last; do
		wait_for 10 tells kwatch ConfigMap "A:$name"
	done
	# When all of them come back at once it is the same.
	server_crashes
	label last '{"turn": "two"}'
	wait_for 10 tells kwatch ConfigMap M:last
	again() { [ "$(sample kwatch reconnects_total)" -ge 130 ] && watching; }
	wait_for 10 again
	echo "$(connections) connections"
	[ "$(connections)" -le 6 ]
}

@test "kubectl proxy: plain HTTP/1.1" {
	configmap here
	background "$dir" proxy k8s_kubectl "$k8s" proxy --port=0
	wait_for 10 grep -q 'Starting to serve on' "$dir/proxy.out"
	cat >"$dir/config" <<-END
		clusters: [{name: c, cluster: {server: "http://$(sed 's/.* //' "$dir/proxy.out")"}}]
		contexts: [{name: x, context: {cluster: c}}]
		current-context: x
	END
	# All types, so that as many watches as there are hold a connection each.
	start kwatch --kubeconfig "$dir/config"
	synced kwatch "$(kwatch --list-types | tail -n +2 | wc -l)"
	tells kwatch ConfigMap A:here
	label here '{"turn": "two"}'
	wait_for 10 tells kwatch ConfigMap M:here
	sound "$dir/kwatch.out"
	# Types of other tests may have storage that is not ready yet.
	run ! grep -v gizmos "$dir/kwatch.err"
}

@test "SIGTERM and SIGINT: exit 0, and the last line is whole" {
	configmap busy
	background "$dir" writer change_for_ever
	for signal in TERM INT; do
		rm -f "$dir/kwatch.out"
		start kwatch -n "$id" configmaps
		wait_for 10 tells kwatch ConfigMap M:busy
		kill -s "$signal" "$(pid_of kwatch)"
		exited kwatch 0 5
		sound "$dir/kwatch.out"
		[ ! -s "$dir/kwatch.err" ]
	done
}

change_for_ever() {
	while :; do label busy '{"turn": "'"$RANDOM"'"}'; done
}

@test "a reader that goes: kwatch ends at once, and says nothing" {
	configmap here
	into_head() { timeout 10 kwatch -n "$id" configmaps 2>"$dir/err" | head -n "$1" >"$dir/out"; echo "${PIPESTATUS[0]}" >"$dir/code"; }
	# While it has more to write, and when it only waits.
	for lines in 1 3; do
		into_head "$lines"
		[ "$(cat "$dir/code")" -eq 1 ]
		[ ! -s "$dir/err" ]
		[ "$(wc -l <"$dir/out")" -eq "$lines" ]
	done
}

@test "a server that crashes: with a new watch cache that is too young, a gap and a snapshot" {
	configmap old
	start kwatch -n "$id" configmaps
	synced kwatch 1
	delete old
	configmap new
	wait_for 10 tells kwatch ConfigMap 'D:old A:new'
	# A new cache begins with what there is now, which is after the last configmap.
	api POST /api/v1/namespaces '{"metadata": {"name": "'"$id-later"'"}}'
	server_crashes
	synced kwatch 2
	[ "$(story "$dir/kwatch.out")" = 'begin A:old end D:old A:new gap begin A:new end ' ]
	jq -e -s 'map(.object.metadata.annotations["kollect/reason"] // empty) == ["Expired"]' "$dir/kwatch.out"
	kdiff <"$dir/kwatch.out" >"$dir/records"
	[ "$(jq -r '"\(.type) \(.name // "-")"' "$dir/records" | sort | tr '\n' ' ')" = 'created new created old deleted old gap - ' ]
}

@test "no cache: a server that crashes: the watch goes on where it was when the history is there" {
	configmap first
	start kwatch -n "$id" configmaps
	synced kwatch 1
	kill -STOP "$(pid_of kwatch)"
	server_crashes
	# Written while nobody watched.
	configmap second
	label first '{"turn": "two"}'
	delete first
	kill -CONT "$(pid_of kwatch)"
	wait_for 20 tells kwatch ConfigMap D:first
	[ "$(story "$dir/kwatch.out")" = 'begin A:first end A:second M:first D:first ' ]
	reconnected() { [ "$(sample kwatch reconnects_total)" -gt 0 ]; }
	wait_for 5 reconnected
	sound "$dir/kwatch.out"
}

@test "no cache: a resourceVersion that was compacted (410): a gap with its reason and a snapshot" {
	configmap first
	start kwatch -n "$id" configmaps
	synced kwatch 1
	kill -STOP "$(pid_of kwatch)"
	server_crashes
	configmap second
	delete first
	compact
	delete "$(jq -r .metadata.name "$dir/answer")"
	kill -CONT "$(pid_of kwatch)"
	synced kwatch 2
	[ "$(story "$dir/kwatch.out")" = 'begin A:first end gap begin A:second end ' ]
	jq -e -s 'map(.object.metadata.annotations["kollect/reason"] // empty) == ["Expired"]' "$dir/kwatch.out"
	gaps() { [ "$(sample kwatch gaps_total)" -eq 1 ] && [ "$(sample kwatch 'errors_total{code="410"}')" -eq 1 ]; }
	wait_for 5 gaps
	# Said once, as what it is.
	[ "$(count "$dir/kwatch.err" 'taking a snapshot')" -eq 1 ]
	sound "$dir/kwatch.out"
}

@test "no cache: a page whose list was compacted (410): the list begins anew, and nothing is missing or double" {
	"$test_tools/churn.py" "$k8s/admin.kubeconfig" --bulk 2000 --size 2000 --threads 8 --namespace "$id"
	# The pipe is full long before the list is complete.
	paged() {
		kwatch --once --no-watch-list --page-size 100 -n "$id-bulk" configmaps | {
			IFS= read -r first
			echo "$first" >"$dir/first"
			wait_for 30 test -e "$dir/go"
			{
				echo "$first"
				cat
			} | tee "$dir/stream" | kdiff >"$dir/records"
		}
	}
	background "$dir" paged paged
	wait_for 20 test -s "$dir/first"
	compact
	: >"$dir/go"
	exited paged 0 30
	[ "$(count "$dir/stream" '"kollect/mark":"begin"')" -eq 2 ]
	[ "$(count "$dir/stream" '"kollect/mark":"end"')" -eq 1 ]
	[ "$(count "$dir/stream" '"type":"ADDED"')" -gt 2000 ]
	[ "$(jq -r 'select(.type == "created").uid' "$dir/records" | sort -u | wc -l)" -eq 2000 ]
	[ "$(wc -l <"$dir/records")" -eq 2000 ]
}

@test "no WatchList: pages, and the same result" {
	configmap a '{"x": "1"}'
	configmap b
	start old -n "$id" configmaps secrets
	synced old 2
	refused() { [ "$(sample old 'errors_total{code="422"}')" -gt 0 ] || [ "$(sample old 'errors_total{code="500"}')" -gt 0 ]; }
	wait_for 5 refused
	[ ! -s "$dir/old.err" ]
	label a '{"turn": "two"}'
	wait_for 10 tells old ConfigMap M:a
	label a '{"turn": null}'
	wait_for 10 tells old ConfigMap 'M:a M:a'
	server
	start new -n "$id" configmaps secrets
	synced new 2
	wait_for 5 sample new snapshots_total
	[ "$(sample new 'errors_total{code="422"}')" -eq 0 ]
	sound "$dir/old.out"
	[ "$(story "$dir/old.out" ConfigMap)" = 'begin A:a A:b end M:a M:a ' ]
	[ "$(story "$dir/new.out" ConfigMap)" = 'begin A:a A:b end ' ]
	# The same objects, byte for byte: what is known of each at the end.
	last() { jq -c 'select(.type != "BOOKMARK").object | del(.metadata.managedFields)' "$1" | jq -s -c 'group_by(.metadata.uid) | map(last)'; }
	[ "$(last "$dir/old.out" | jq 'map(del(.metadata.resourceVersion))')" = "$(last "$dir/new.out" | jq 'map(del(.metadata.resourceVersion))')" ]
}
