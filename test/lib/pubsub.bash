# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Google Cloud Pub/Sub, as test/servers/pubsub has it, with the credentials that
# it knows. Everything is on 127.0.0.1.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# pubsub_start DIR [OPTION...]
# Starts the server on the ports it had in this DIR before, else on free ones,
# with its data in DIR/pubsub.data. Also a restart: what topics and
# subscriptions held is still there. Options are the server's.
pubsub_start() {
	local dir=$1
	mkdir -p "$dir"
	[ -e "$dir/pubsub.crt" ] || pubsub_keys "$dir" || return 1
	if [ -e "$dir/pubsub.port" ]; then
		pubsub_run "$@"
	else
		on_free_ports pubsub_run_on_free_ports "$@"
	fi
}

# pubsub_stop DIR; pubsub_kill DIR: SIGTERM or SIGKILL, and wait for the end.
pubsub_stop() {
	stop_server "$1" pubsub
}
pubsub_kill() {
	stop_server "$1" pubsub KILL
}

# pubsub_emulator DIR, pubsub_google DIR: HOST:PORT without TLS and credentials,
# as PUBSUB_EMULATOR_HOST; with them.
pubsub_emulator() {
	echo "127.0.0.1:$(cut -d' ' -f1 "$1/pubsub.port")"
}
pubsub_google() {
	echo "127.0.0.1:$(cut -d' ' -f2 "$1/pubsub.port")"
}

# pubsub_call DIR METHOD PATH [JSON]: the REST API, on the port without TLS.
pubsub_call() {
	curl --silent --show-error --fail-with-body -X "$2" -H 'Content-Type: application/json' \
		${4+-d "$4"} "http://$(pubsub_emulator "$1")$3"
}

# pubsub_order DIR WHAT: see test/servers/pubsub/control.go, such as
# 'fault?code=UNAVAILABLE&n=3'.
pubsub_order() {
	pubsub_call "$1" POST "/control/$2"
}

# pubsub_counted DIR WHAT: one of the server's counts.
pubsub_counted() {
	local counts
	counts=$(pubsub_call "$1" GET /control/counts) || return 1
	jq ".$2 // 0" <<<"$counts"
}

# pubsub_count DIR TOPIC: how many messages the topic has accepted.
pubsub_count() {
	pubsub_call "$1" GET "/control/topic?name=$2"
}

# pubsub_topic DIR TOPIC: makes the topic projects/p/topics/TOPIC.
pubsub_topic() {
	pubsub_call "$1" PUT "/v1/projects/p/topics/$2" '{}' >/dev/null
}

# pubsub_subscribe DIR TOPIC: and its subscription of the same name, which keeps
# what is published from now on, in order for each key.
pubsub_subscribe() {
	pubsub_call "$1" PUT "/v1/projects/p/subscriptions/$2" "{\"topic\": \"projects/p/topics/$2\",
		\"enableMessageOrdering\": true, \"ackDeadlineSeconds\": 60}" >/dev/null
}

# pubsub_read DIR TOPIC: all messages that the topic has accepted, in that
# order, as test/wire/delivered.py wants them.
pubsub_read() {
	grep -F "{\"topic\":\"projects/p/topics/$2\"," "$1/pubsub.data" |
		jq -c '.messages[]? | {key: .orderingKey, headers: .attributes, data}'
}

# pubsub_token DIR: an access token, as the metadata server gives it.
pubsub_token() {
	curl --silent --show-error --fail -H 'Metadata-Flavor: Google' \
		"http://$(pubsub_emulator "$1")/computeMetadata/v1/instance/service-accounts/default/token" |
		jq -r .access_token
}

# pubsub_account DIR [FILTER]: a service account's key file, on standard output,
# changed by a filter of jq.
pubsub_account() {
	jq -n --rawfile key "$1/account.key" --arg base "https://$(pubsub_google "$1")" '{
		type: "service_account", project_id: "p", private_key_id: "key-1", private_key: $key,
		client_email: "publisher@p.iam.gserviceaccount.com", client_id: "1",
		token_uri: ($base + "/token")} | '"${2:-.}"
}

# pubsub_user DIR [FILTER]: the file of gcloud auth application-default login.
pubsub_user() {
	jq -n --arg base "https://$(pubsub_google "$1")" '{type: "authorized_user",
		client_id: "client-of-a-test", client_secret: "secret-of-a-client",
		refresh_token: "secret-refresh-token", token_uri: ($base + "/token")} | '"${2:-.}"
}

# pubsub_external DIR SOURCE [FILTER]: an external account, whose
# credential_source is the JSON in SOURCE.
pubsub_external() {
	jq -n --arg base "https://$(pubsub_google "$1")" --argjson source "$2" '{
		type: "external_account", subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
		audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/test",
		token_url: ($base + "/sts"), credential_source: $source} | '"${3:-.}"
}

# pubsub_impersonate DIR: the URL by which an external account becomes the service account.
pubsub_impersonate() {
	echo "https://$(pubsub_google "$1")/v1/projects/-/serviceAccounts/publisher@p.iam.gserviceaccount.com:generateAccessToken"
}

pubsub_run_on_free_ports() {
	local code=0
	free_port 2 >"$1/pubsub.port" || return 1
	pubsub_run "$@" || code=$?
	[ "$code" -eq 0 ] || rm -f "$1/pubsub.port"
	return "$code"
}

pubsub_run() {
	local dir=$1 program plain tls
	program=$(server_path pubsub pubsub) || return 1
	read -r plain tls <"$dir/pubsub.port"
	launch "$dir" pubsub "$program" --plain "127.0.0.1:$plain" --tls "127.0.0.1:$tls" \
		--cert "$dir/pubsub.crt" --key "$dir/pubsub.key" --account-key "$dir/account.pub" \
		--data "$dir/pubsub.data" "${@:2}" || return 1
	wait_ready "$dir" pubsub 60 pubsub_counted "$dir" requests
}

# The server's certificate, which is its own authority, and an account's key.
pubsub_keys() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj /CN=pubsub-of-a-test -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$1/pubsub.key" -out "$1/pubsub.crt" 2>"$1/pubsub-keys.log" &&
		openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1/account.key" \
			2>>"$1/pubsub-keys.log" &&
		openssl pkey -in "$1/account.key" -pubout -out "$1/account.pub" && return 0
	cat "$1/pubsub-keys.log" >&2
	return 1
}
