#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
# shellcheck disable=SC2164 # bats stops at what fails
# kpublish to a Kafka broker with TLS, SASL and ACLs.

load ../lib/servers
load ../lib/kafka_secure
load ../lib/kpublish

setup_file() {
	kafka_secure_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	kafka_stop "$BATS_FILE_TMPDIR"
}

setup() {
	kpublish_setup
	server=$BATS_FILE_TMPDIR
	ca=$server/pki/ca.crt
	KAFKA_BROKERS=$(kafka_listener "$server" sasl)
	export KAFKA_BROKERS KAFKA_CONFIG=$PWD/kafka.properties
	make_frames 20 3 >frames
}

teardown() {
	kpublish_teardown
}

# login NAME PASSWORD MECHANISM: in KAFKA_CONFIG.
login() {
	cat >kafka.properties <<END
# as another client of the broker has it
security.protocol = SASL_SSL
ssl.ca.location=$ca
sasl.mechanism=$3
  sasl.username=$1

sasl.password=$2
acks=all
END
}

# arrives TOPIC URL: what is published there is in the topic.
arrives() {
	kafka_topic "$server" "$1"
	"$kpublish" "$2" --ack-fd 3 3>acks <frames
	[ "$(last_ack)" = 20 ]
	kafka_read "$server" "$1" >messages
	"$check" messages frames
}

@test "kafka security: SCRAM and PLAIN by KAFKA_CONFIG" {
	login scram scr4m SCRAM-SHA-512
	arrives scram kafka://scram
	login plain pl41n PLAIN
	arrives plain kafka://plain
}

@test "kafka security: the URL's parameters count more than the file, KAFKA_BROKERS too" {
	login plain wr0ng PLAIN
	echo bootstrap.servers=127.0.0.1:1 >>kafka.properties
	arrives order 'kafka://order?sasl.password=pl41n'
	login plain pl41n PLAIN
	echo "bootstrap.servers=$KAFKA_BROKERS" >>kafka.properties
	unset KAFKA_BROKERS
	arrives file kafka://file
}

@test "kafka security: a client certificate" {
	unset KAFKA_CONFIG
	KAFKA_BROKERS=$(kafka_listener "$server" mtls)
	arrives mtls "kafka://mtls?security.protocol=ssl&ssl.ca.location=$ca&ssl.certificate.location=$server/pki/admin.crt&ssl.key.location=$server/pki/admin.key"
	# And without one.
	run --separate-stderr -1 "$kpublish" "kafka://mtls?security.protocol=ssl&ssl.ca.location=$ca" \
		--retry-timeout 5 <frames
	echo "$stderr"
	[[ ${stderr_lines[0]} == *"kafka://mtls: "*"ssl://$KAFKA_BROKERS"*alert* ]]
}

@test "kafka security: OAUTHBEARER" {
	unset KAFKA_CONFIG
	local url="kafka://token?security.protocol=sasl_ssl&ssl.ca.location=$ca&sasl.mechanism=OAUTHBEARER"
	arrives token "$url&enable.sasl.oauthbearer.unsecure.jwt=true&sasl.oauthbearer.config=principal=me"
	fails 2 'kafka://token: OAUTHBEARER needs sasl.oauthbearer.method=oidc' "$url" <frames
}

# The token server is test/tools/tokens.py. Debian 12's librdkafka has no OIDC, which is said.
@test "kafka security: OAUTHBEARER with tokens of an OpenID provider" {
	unset KAFKA_CONFIG
	launch "$PWD" tokens "$test_tools/tokens.py" tokens.port client s3cret
	wait_for 10 test -s tokens.port
	local url
	url="kafka://oidc?security.protocol=sasl_ssl&ssl.ca.location=$ca&sasl.mechanism=OAUTHBEARER&sasl.oauthbearer.method=oidc&sasl.oauthbearer.client.id=client&sasl.oauthbearer.token.endpoint.url=http://127.0.0.1:$(cat tokens.port)/token&sasl.oauthbearer.client.secret="
	if ldd "$kpublish" | awk '/librdkafka/ {print $3}' | xargs ldd | grep -q libcurl; then
		arrives oidc "${url}s3cret"
		run --separate-stderr -1 "$kpublish" "${url}wr0ng" --retry-timeout 5 <frames
		echo "$stderr"
		[[ ${stderr_lines[0]} == *'kafka://oidc: Local: Authentication failure'* ]]
		[[ $stderr != *wr0ng* ]]
	else
		fails 2 'was built without what "sasl.oauthbearer.method" needs' "${url}s3cret" <frames
	fi
	stop_server "$PWD" tokens
}

@test "kafka security: a wrong password, an unknown user: said, without it" {
	login scram wr0ng SCRAM-SHA-512
	gives_up "sasl_ssl://$KAFKA_BROKERS/bootstrap: SASL authentication error" kafka://wrong
	[[ $stderr != *wr0ng* ]]
	login nobody wr0ng PLAIN
	gives_up "sasl_ssl://$KAFKA_BROKERS/bootstrap: SASL authentication error" kafka://wrong
	[[ $stderr != *wr0ng* ]]
}

@test "kafka security: an unknown CA, a certificate of another host" {
	login scram scr4m SCRAM-SHA-512
	sed -i '/ssl.ca.location/d' kafka.properties
	gives_up "SSL error: unable to get local issuer certificate: sasl_ssl://$KAFKA_BROKERS" kafka://ca
	unset KAFKA_CONFIG
	KAFKA_BROKERS=$(kafka_listener "$server" other)
	run --separate-stderr -1 "$kpublish" "kafka://host?security.protocol=ssl&ssl.ca.location=$ca" \
		--retry-timeout 5 <frames
	echo "$stderr"
	[[ ${stderr_lines[0]} == *"kafka://host: Local: SSL error: IP address mismatch: ssl://$KAFKA_BROKERS"* ]]
}

@test "kafka security: TLS is not spoken where it is wanted" {
	unset KAFKA_CONFIG
	gives_up "no broker can be reached: $KAFKA_BROKERS/bootstrap: " kafka://plaintext
}

@test "kafka security: no such topic, no permission" {
	login scram scr4m SCRAM-SHA-512
	gives_up 'Broker: Unknown topic or partition' kafka://none
	kafka_topic "$server" denied
	kafka_admin "$server" AclCommand --add --allow-principal User:other --operation Write --topic denied
	gives_up 'Broker: Topic authorization failed' kafka://denied
}

@test "kafka security: who may write need not be allowed to ask for the topic's limits" {
	login scram scr4m SCRAM-SHA-512
	kafka_topic "$server" write-only
	kafka_admin "$server" AclCommand --add --allow-principal User:scram --operation Write --topic write-only
	"$kpublish" kafka://write-only --ack-fd 3 3>acks <frames 2>err
	[ "$(last_ack)" = 20 ]
	[ ! -s err ]
}

# Nothing is lost while the password is wrong, as one that is being changed.
@test "kafka security: a user who is let in later" {
	login late l4te SCRAM-SHA-512
	kafka_topic "$server" late
	"$kpublish" kafka://late --ack-fd 3 3>acks <frames 2>err &
	background_pids+=($!)
	wait_for 20 grep -q 'SASL authentication error' err
	kafka_admin "$server" ConfigCommand --alter --add-config 'SCRAM-SHA-512=[password=l4te]' \
		--entity-type users --entity-name late
	wait "${background_pids[0]}"
	[ "$(last_ack)" = 20 ]
	kafka_read "$server" late >messages
	"$check" messages frames
}
