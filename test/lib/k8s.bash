# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Kubernetes API server with its etcd, and nothing else: no controller and
# no scheduler runs, so that every write is the test's own.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# k8s_start DIR [APISERVER_FLAG...]
# Starts etcd and kube-apiserver and waits until they serve. Writes into DIR:
#   admin.kubeconfig        token of system:masters (JSON)
#   admin-cert.kubeconfig   client certificate of system:masters (YAML)
#   restricted.kubeconfig   may list and watch what lib/rbac.yaml says (JSON)
#   nobody.kubeconfig       may list nothing (JSON)
#   pki/                    the files behind them, see lib/pki
#   api.url                 https://127.0.0.1:PORT
# On a DIR that was used before, the cluster is what it was.
k8s_start() {
	local dir=$1
	mkdir -p "$dir"
	k8s_pki "$dir" || return 1
	on_free_ports k8s_start_etcd "$dir" || return 1
	on_free_ports k8s_start_api "$@" || {
		k8s_stop "$dir"
		return 1
	}
	k8s_grant "$dir"
}

# k8s_stop DIR
k8s_stop() {
	k8s_stop_api "$1" && stop_server "$1" etcd
}

# k8s_stop_api DIR: ends kube-apiserver alone; etcd keeps the cluster.
k8s_stop_api() {
	stop_server "$1" apiserver
}

# k8s_restart_api DIR [APISERVER_FLAG...]
# kube-apiserver anew, on its port, with these flags and not the former ones.
k8s_restart_api() {
	k8s_stop_api "$1" && k8s_run_api "$@"
}

# k8s_kubectl DIR ARG...: kubectl as admin.
k8s_kubectl() {
	local dir=$1 kubectl
	shift
	kubectl=$(server_path k8s kubectl) || return 1
	"$kubectl" --kubeconfig "$dir/admin.kubeconfig" "$@"
}

# k8s_etcdctl DIR ARG...
k8s_etcdctl() {
	local dir=$1 etcdctl
	shift
	etcdctl=$(server_path etcd etcdctl) || return 1
	"$etcdctl" --endpoints "http://127.0.0.1:$(cut -d' ' -f1 "$dir/etcd.port")" "$@"
}

# k8s_get DIR PATH [CURL_ARG...]: GET of an API path as admin, to stdout; fails
# on an HTTP error. The user agent is not curl's, for which the server indents.
k8s_get() {
	local dir=$1 path=$2
	shift 2
	curl -sSf -N -A kollect-test --cacert "$dir/pki/ca.crt" \
		-H 'Authorization: Bearer admin-token' "$@" "$(cat "$dir/api.url")$path"
}

# The certificates are the same for all servers of a run.
k8s_pki() {
	local pki=${BATS_RUN_TMPDIR:-$1}/pki
	"$test_lib/pki" "$pki" || return 1
	[ -e "$1/pki" ] || ln -s "$pki" "$1/pki"
}

k8s_start_etcd() {
	local dir=$1 etcd client peer
	etcd=$(server_path etcd etcd) || return 1
	[ ! -e "$dir/etcd.pid" ] || return 0
	free_port 2 >"$dir/etcd.port" || return 1
	read -r client peer <"$dir/etcd.port"
	client=http://127.0.0.1:$client peer=http://127.0.0.1:$peer
	# --force-new-cluster: the peer port is not the one of the last start.
	launch "$dir" etcd "$etcd" --name test --data-dir "$dir/etcd" \
		--listen-client-urls "$client" --advertise-client-urls "$client" \
		--listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
		--initial-cluster "test=$peer" --force-new-cluster \
		--quota-backend-bytes 8589934592 --unsafe-no-fsync --log-level warn || return 1
	wait_ready "$dir" etcd 30 curl -sf "$client/health"
}

# A port for kube-apiserver, the files that name it, and the server.
k8s_start_api() {
	local dir=$1
	free_port 1 >"$dir/apiserver.port" || return 1
	echo "https://127.0.0.1:$(cat "$dir/apiserver.port")" >"$dir/api.url"
	k8s_kubeconfigs "$dir"
	k8s_run_api "$@"
}

k8s_run_api() {
	local dir=$1 pki=$1/pki apiserver
	shift
	apiserver=$(server_path k8s kube-apiserver) || return 1
	launch "$dir" apiserver "$apiserver" \
		--etcd-servers="http://127.0.0.1:$(cut -d' ' -f1 "$dir/etcd.port")" \
		--bind-address=127.0.0.1 --secure-port="$(cat "$dir/apiserver.port")" \
		--tls-cert-file="$pki/server.crt" --tls-private-key-file="$pki/server.key" \
		--client-ca-file="$pki/ca.crt" --token-auth-file="$pki/tokens.csv" \
		--service-account-issuer=https://kubernetes.default.svc \
		--service-account-signing-key-file="$pki/sa.key" \
		--service-account-key-file="$pki/sa.pub" \
		--service-cluster-ip-range=10.0.0.0/16 --authorization-mode=RBAC \
		--anonymous-auth=true --endpoint-reconciler-type=none \
		--disable-admission-plugins=ServiceAccount "$@" || return 1
	wait_ready "$dir" apiserver 60 k8s_serves "$dir"
}

# The namespaces are made by the server itself a moment after it is ready.
k8s_serves() {
	k8s_get "$1" /readyz && k8s_get "$1" /api/v1/namespaces/default &&
		k8s_get "$1" /api/v1/namespaces/kube-system
}

# Gives the restricted user its rights, and waits until they count.
k8s_grant() {
	local dir=$1
	k8s_kubectl "$dir" apply -f "$test_lib/rbac.yaml" >"$dir/rbac.log" 2>&1 || {
		cat "$dir/rbac.log" >&2
		return 1
	}
	wait_for 10 k8s_restricted_may_list "$dir"
}

k8s_restricted_may_list() {
	curl -sf -o /dev/null --cacert "$1/pki/ca.crt" \
		-H 'Authorization: Bearer restricted-token' \
		"$(cat "$1/api.url")/api/v1/configmaps?limit=1"
}

k8s_kubeconfigs() {
	local dir=$1 user url ca
	url=$(cat "$dir/api.url")
	ca=$(base64 -w0 "$dir/pki/ca.crt")
	for user in admin restricted nobody; do
		k8s_kubeconfig_json "$user-token" "$url" "$ca" >"$dir/$user.kubeconfig"
	done
	k8s_kubeconfig_yaml "$dir/pki/admin" "$url" "$ca" >"$dir/admin-cert.kubeconfig"
}

# JSON is YAML, and a test in Python can read it with nothing installed.
k8s_kubeconfig_json() {
	jq -n --arg token "$1" --arg url "$2" --arg ca "$3" '{
		apiVersion: "v1", kind: "Config", "current-context": "test",
		clusters: [{name: "test", cluster: {server: $url, "certificate-authority-data": $ca}}],
		contexts: [{name: "test", context: {cluster: "test", user: "test"}}],
		users: [{name: "test", user: {token: $token}}]}'
}

# As kubectl itself writes it.
k8s_kubeconfig_yaml() {
	cat <<END
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: $3
    server: $2
  name: test
contexts:
- context:
    cluster: test
    user: test-admin
  name: test
current-context: test
kind: Config
preferences: {}
users:
- name: test-admin
  user:
    client-certificate-data: $(base64 -w0 "$1.crt")
    client-key-data: $(base64 -w0 "$1.key")
END
}
