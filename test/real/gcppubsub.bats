#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2034,SC2154 # url and from are read by lib/bus.bash, which sets others
# shellcheck disable=SC2164 # bats stops at what fails
# kpublish to Google Cloud Pub/Sub: Google's own fake behind REST, HTTP/2, TLS and tokens (test/servers/pubsub).

load ../lib/servers
load ../lib/bus

server=${BATS_FILE_TMPDIR-}

# --- what lib/bus.bash needs -----------------------------------------------------------------

bus_start() { pubsub_start "$server"; }
bus_kill() { pubsub_kill "$server"; }
bus_address() { pubsub_google "$server"; }
bus_via() { url="gcppubsub://p/$topic?endpoint=$1"; }
# That is of a request as JSON, with base64 in it. The consumer takes 4 MiB from an emulator, so the server's is lower here.
bus_limit() { echo $((large_limit * 3 / 4 - 1500)); }
large_limit=1000000
bus_check_key() { echo yes; }
bus_count() { pubsub_count "$server" "$topic"; }
# pstest takes minutes to hand out what the topic has; one test has the consumer receive.
bus_receive() { pubsub_read "$server" "$topic" | "$consumer/decode"; }

bus_new() {
	topic=$1
	pubsub_topic "$server" "$topic"
	url="gcppubsub://p/$topic?endpoint=$(pubsub_google "$server")"
}

setup_file() {
	bus_start
}

teardown_file() {
	pubsub_stop "$server"
}

setup() {
	suite_setup
	pubsub_account "$server" >account.json
	export GOOGLE_APPLICATION_CREDENTIALS=account.json
	export SSL_CERT_FILE=$server/pubsub.crt
	pubsub_order "$server" reset
}

teardown() {
	suite_teardown
	! grep -rlE 'secret|ya29|eyJ|PRIVATE KEY' err metrics 2>/dev/null
}

# --- what the tests of Pub/Sub's own need ----------------------------------------------------


# frames N KEYS [BYTES]: N frames, BYTES a state.
frames() {
	frames=$PWD/frames
	input=$frames
	"$test_lib/../wire/records.py" "$@" | "$kenvelope" -c c >"$frames"
}

# arrives N [OPTION...]: N were acknowledged, and what the topic has accepted is what was sent, each key in order; no
# two requests of a key overlapped, and all were by HTTP/2.
arrives() {
	local n=$1
	[ "$(suite_acked)" -eq "$n" ] || suite_fail "acks ended at $(suite_acked), not $n"
	bus_receive "$n" >got
	"$consumer/arrived" "${@:2}" "$frames" got
	[ "$(pubsub_counted "$server" overlaps)" -eq 0 ]
	[ "$(pubsub_counted "$server" requests)" -eq "$(pubsub_counted "$server" http2)" ]
}

# at_least N COMMAND...: COMMAND prints a number, of N or more.
at_least() {
	local n
	n=$("${@:2}") && [ "$n" -ge "$1" ]
}

# publishes FILE: all of a small input, with these credentials.
publishes() {
	export GOOGLE_APPLICATION_CREDENTIALS=$1
	: >acks
	suite_publish --retry-timeout 60
	suite_ends
	[ "$(suite_acked)" -eq "$(count_frames)" ]
}

count_frames() {
	"$kenvelope" --decode <"$frames" | wc -l
}

# refuses CODE WHAT...: kpublish ends with CODE, and each WHAT is in what it says.
refuses() {
	local code=$1 what
	shift
	suite_publish --retry-timeout 3
	suite_ends "$code"
	cat err
	for what; do
		grep -qF -- "$what" err || suite_fail "it does not say: $what"
	done
}

@test "gcppubsub: all arrive" {
	suite_all_arrive
}

@test "gcppubsub: a consumer of kollect 1.x" {
	bus_new consumed
	pubsub_subscribe "$server" consumed
	suite_frames 2000 2048
	suite_publish
	suite_ends
	PUBSUB_EMULATOR_HOST=$(pubsub_emulator "$server") \
		"$consumer/consumer" gcppubsub://projects/p/subscriptions/consumed 2000 >got
	"$consumer/arrived" --no-copies "$frames" got
}

@test "gcppubsub: the server is killed, and comes back" {
	suite_killed 20000
}

@test "gcppubsub: the server cannot be reached for a while" {
	suite_unreachable 20000
}

@test "gcppubsub: answers are lost" {
	suite_answers_lost 10000
}

@test "gcppubsub: connections are cut anywhere" {
	suite_cut 10000
}

@test "gcppubsub: connections are reset" {
	suite_resets 20000
}

@test "gcppubsub: a server that never answers" {
	suite_silent 10000
}

@test "gcppubsub: a slow server slows the reading" {
	suite_slow 12500 8192 2000000
}

@test "gcppubsub: too large" {
	pubsub_order "$server" "limit?bytes=$large_limit"
	suite_too_large
}

@test "gcppubsub: nobody listens" {
	suite_bad_server
}

@test "gcppubsub: kpublish is killed" {
	suite_killed_self 20000
}

@test "gcppubsub: a few keys: a request holds what has gathered of one" {
	bus_new few
	frames 20000 3 100
	suite_publish
	suite_ends
	arrives 20000 --no-copies
	at_least 100 pubsub_counted "$server" largest_batch
}

@test "gcppubsub: many keys: many requests at once" {
	bus_new many
	pubsub_order "$server" 'hold?ms=50'
	frames 5000 5000 100
	suite_publish
	suite_ends
	arrives 5000 --no-copies
	at_least 200 pubsub_counted "$server" at_once
}

@test "gcppubsub: key and attributes" {
	bus_new headers
	frames 1 1
	suite_publish
	suite_ends
	pubsub_read "$server" headers | jq -e '.key == "c/00000000-0000-4000-8000-000000000000" and
		.headers == {id: .headers.id, type: "kollect.resource.event.v1.ResourceCreatedEvent", cluster_id: "c",
		api_version: "apps/v1", kind: "Deployment", namespace: "shop", name: "web-0"}'
}

@test "gcppubsub: connected before there is anything to publish" {
	bus_new quiet
	mkfifo idle
	input=idle
	suite_publish & # opening the pipe waits for its other end
	exec 5>idle
	is_connected() { [ "$(suite_metric connected)" = 1 ]; }
	wait_for 60 is_connected
	at_least 1 pubsub_counted "$server" probes
	exec 5>&-
	wait
}

@test "gcppubsub: an emulator, without credentials" {
	bus_new emulated
	frames 5000 50
	unset GOOGLE_APPLICATION_CREDENTIALS
	export PUBSUB_EMULATOR_HOST
	PUBSUB_EMULATOR_HOST=$(pubsub_emulator "$server")
	url=gcppubsub://projects/p/topics/emulated
	suite_publish
	suite_ends
	[ "$(suite_acked)" -eq 5000 ]
	pubsub_read "$server" emulated | "$consumer/decode" >got
	"$consumer/arrived" --no-copies "$frames" got
}

@test "gcppubsub: credentials of each kind" {
	local before
	bus_new kinds
	frames 10 2
	before=$(pubsub_counted "$server" tokens_metadata)
	pubsub_user "$server" '.quota_project_id = "q"' >user.json
	publishes user.json
	at_least 1 pubsub_counted "$server" tokens_refresh

	echo secret-subject-token >subject
	pubsub_external "$server" '{"file": "subject"}' >external.json
	publishes external.json
	at_least 1 pubsub_counted "$server" tokens_sts

	pubsub_external "$server" "{\"url\": \"http://$(pubsub_emulator "$server")/subject?format=json\",
		\"headers\": {\"X-Test\": \"header-of-a-test\"},
		\"format\": {\"type\": \"json\", \"subject_token_field_name\": \"id_token\"}}" \
		".service_account_impersonation_url = \"$(pubsub_impersonate "$server")\"" >external.json
	publishes external.json
	at_least 1 pubsub_counted "$server" tokens_impersonated

	# A JWT is itself the token.
	before=$(pubsub_counted "$server" tokens)
	pubsub_account "$server" '.universe_domain = "example.com"' >universe.json
	publishes universe.json
	[ "$(pubsub_counted "$server" tokens)" -eq "$before" ]

	# gcloud's file, where there is one; else the metadata server.
	unset CLOUDSDK_CONFIG
	export HOME=$PWD/home GCE_METADATA_HOST
	GCE_METADATA_HOST=$(pubsub_emulator "$server")
	publishes ''
	at_least 1 pubsub_counted "$server" tokens_metadata
	before=$(pubsub_counted "$server" tokens_refresh)
	mkdir -p home/.config/gcloud
	cp user.json home/.config/gcloud/application_default_credentials.json
	publishes ''
	at_least $((before + 1)) pubsub_counted "$server" tokens_refresh
}

@test "gcppubsub: a token is replaced before it expires" {
	local before refused
	bus_new expires
	frames 2000 20
	before=$(pubsub_counted "$server" tokens)
	refused=$(pubsub_counted "$server" unauthenticated)
	pubsub_order "$server" 'tokens?seconds=20'
	suite_publish_gated 2000
	wait_for 60 suite_acked_over 500
	wait_for 120 at_least $((before + 2)) pubsub_counted "$server" tokens
	suite_open_gate
	suite_ends
	arrives 2000 --no-copies
	[ "$(pubsub_counted "$server" unauthenticated)" -eq "$refused" ]
}

@test "gcppubsub: a token is revoked, and the account's key replaced, in the middle" {
	local refused
	bus_new revoked
	frames 20000 200 500
	refused=$(pubsub_counted "$server" unauthenticated)
	suite_publish_gated 20000
	wait_for 60 suite_acked_over 2000
	pubsub_user "$server" >account.json # read again
	pubsub_order "$server" revoke
	suite_open_gate
	suite_ends
	arrives 20000 --no-copies
	at_least $((refused + 1)) pubsub_counted "$server" unauthenticated
	at_least 1 pubsub_counted "$server" tokens_refresh
	[ ! -s err ]
}

@test "gcppubsub: no token to be had for a while" {
	bus_new tokens
	frames 100 10
	pubsub_order "$server" 'refuse?n=2&body=secret-of-the-server'
	suite_publish
	suite_ends
	arrives 100 --no-copies
	grep -qF "no access token: $(pubsub_google "$server"): HTTP status 503" err
	grep -q 'accepts messages again' err
}

@test "gcppubsub: throttled and unavailable: less at a time, nothing lost" {
	local code
	bus_new faults
	frames 40000 400 200
	for code in RESOURCE_EXHAUSTED UNAVAILABLE INTERNAL ABORTED DEADLINE_EXCEEDED CANCELLED; do
		pubsub_order "$server" "fault?code=$code&n=30&after=300"
	done
	pubsub_order "$server" 'page?n=3&status=503'
	suite_publish
	suite_ends
	arrives 40000 --no-copies
	at_least 180 pubsub_counted "$server" faults
	grep -q 'HTTP status 503 (retrying)' err
	[ "$(wc -l <err)" -lt 20 ] # a burst each is not news
}

@test "gcppubsub: accepted, and not said so: once more, in order" {
	bus_new lost
	frames 10000 100 500
	pubsub_order "$server" 'fault?code=UNAVAILABLE&n=50&after=100&lost=1'
	suite_publish
	suite_ends
	arrives 10000
	[ "$(pubsub_count "$server" lost)" -gt 10000 ]
}

@test "gcppubsub: no such topic; then there is" {
	topic=later url="gcppubsub://p/later?endpoint=$(pubsub_google "$server")"
	frames 100 10
	refuses 1 'NOT_FOUND: ' 'the topic projects/p/topics/later' roles/pubsub.publisher \
		'100 messages are not acknowledged' 'has accepted no message for 3 s'
	: >err
	suite_publish
	wait_for 60 grep -q NOT_FOUND err
	pubsub_topic "$server" later
	suite_ends
	arrives 100 --no-copies
}

@test "gcppubsub: permission denied" {
	bus_new denied
	frames 100 10
	pubsub_order "$server" 'fault?code=PERMISSION_DENIED&n=1000000'
	refuses 1 'PERMISSION_DENIED: ' projects/p/topics/denied roles/pubsub.publisher
}

@test "gcppubsub: credentials that are not accepted" {
	bus_new wrong
	frames 10 2
	pubsub_user "$server" '.refresh_token = "another-secret"' >account.json
	refuses 1 "no access token: $(pubsub_google "$server"): HTTP status 400: invalid_grant: Token has been expired"
	openssl genpkey -algorithm RSA -out other.key 2>/dev/null
	pubsub_account "$server" | jq --rawfile key other.key '.private_key = $key' >account.json
	refuses 1 'invalid_grant: Invalid JWT Signature.'
	pubsub_account "$server" '.universe_domain = "example.com"' |
		jq --rawfile key other.key '.private_key = $key' >account.json
	refuses 1 'the access token is not accepted: UNAUTHENTICATED: '
	pubsub_external "$server" '{"file": "no-such-file"}' >account.json
	refuses 1 'the subject token cannot be read: no-such-file: No such file'
	pubsub_external "$server" "{\"url\": \"http://$(pubsub_emulator "$server")/subject\"}" >account.json
	refuses 1 "no access token: $(pubsub_emulator "$server"): HTTP status 403"
	unset GOOGLE_APPLICATION_CREDENTIALS
	HOME=$PWD GCE_METADATA_HOST=127.0.0.1:1 refuses 1 'no access token: 127.0.0.1:1: ' \
		'GOOGLE_APPLICATION_CREDENTIALS is not set' 'Connection refused'
}

@test "gcppubsub: TLS: an unknown authority, another host's certificate" {
	bus_new tls
	frames 10 2
	unset SSL_CERT_FILE
	refuses 1 "$(pubsub_google "$server"): " 'certificate'
	export SSL_CERT_FILE=$server/pubsub.crt
	local google
	google=$(pubsub_google "$server")
	url="gcppubsub://p/tls?endpoint=localhost:${google#*:}"
	refuses 1 "localhost:${google#*:}: " 'subject name'
	[ "$(pubsub_count "$server" tls)" -eq 0 ]
}

@test "gcppubsub: too large for the server, in the middle of a request: shrunk, the rest in order" {
	bus_new middle
	pubsub_order "$server" 'limit?bytes=20000'
	"$test_lib/../wire/records.py" 300 1 200 >small
	{
		head -n 150 small
		"$test_lib/../wire/records.py" 2 1 9000 | tail -n 1
		tail -n 150 small
	} | awk '{ sub(/"seq":[0-9]+/, "\"seq\":" NR); sub(/"resourceVersion":"[0-9]+"/, "\"resourceVersion\":\"" NR "\"") } 1' |
		"$kenvelope" -c c >frames
	frames=frames input=frames
	suite_publish --dead-letter dead
	suite_ends
	[ ! -s dead ]
	arrives 301 --shrunk 151
	at_least 3 pubsub_counted "$server" too_large
	[ "$(suite_metric shrunk_total)" -eq 1 ]
}

@test "gcppubsub: larger than Pub/Sub takes: not even sent" {
	bus_new huge
	frames 1 1 8000000
	suite_publish --dead-letter dead
	suite_ends
	cmp dead "$frames"
	[ "$(suite_acked)" -eq 1 ]
	grep -q "as JSON are over Pub/Sub's limit of 10485760 of a request: kept in the dead-letter file" err
	[ "$(pubsub_counted "$server" too_large)" -eq 0 ]
}

@test "gcppubsub: a message that is refused: found among others, to the dead-letter file" {
	bus_new refused
	frames 1000 4 100
	pubsub_order "$server" 'fault?code=INVALID_ARGUMENT&n=1000000&name=web-3'
	suite_publish --dead-letter dead
	suite_ends
	"$kenvelope" --decode <dead | jq -e -s 'length == 250 and all(.reference.name == "web-3")'
	arrives 1000 --dead dead --no-copies
	grep -q 'INVALID_ARGUMENT: ordered: InvalidArgument: kept in the dead-letter file' err
}

@test "gcppubsub: wrong usage" {
	frames 1 1
	for url in gcppubsub://p gcppubsub://p/ gcppubsub:///t gcppubsub://projects/p/topics/ gcppubsub://p/a/b 'gcppubsub://p/t x'; do
		: >err
		refuses 2 'names no topic: gcppubsub://projects/PROJECT/topics/TOPIC'
	done
	url='gcppubsub://p/t?topic=x' refuses 2 '"topic" is no query parameter of it: there are endpoint'
	url='gcppubsub://p/t?endpoint=https://x' refuses 2 'endpoint is not HOST or HOST:PORT: https://x'
	url=gcppubsub://p/t
	PUBSUB_EMULATOR_HOST=http://x refuses 2 'PUBSUB_EMULATOR_HOST is not HOST or HOST:PORT: http://x'
	export GOOGLE_APPLICATION_CREDENTIALS=none.json
	refuses 2 'the credentials file none.json cannot be read: No such file'
	echo '{"type": "service_account", "private_key": "secret", "client_email": "a"}' >none.json
	refuses 2 'the credentials file none.json has a "private_key" that is no RSA key'
	pubsub_external "$server" '{"environment_id": "aws1", "url": "x"}' >none.json
	refuses 2 'has AWS ("environment_id") as credential_source'
}
