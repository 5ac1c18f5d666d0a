# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Kafka broker that wants to know who is there. Beside what kafka.bash gives,
# it has these listeners, with certificates of the CA DIR/pki/ca.crt:
#
#   sasl    SASL_SSL, users plain (password pl41n), scram (password scr4m) and
#           any by OAUTHBEARER with an unsigned token
#   mtls    TLS, for clients that have a certificate of the CA: DIR/pki/admin
#   other   TLS at 127.0.0.2, of which the certificate does not speak
#
# Topics are not made when first used, and ACLs count: where a topic has none,
# everyone may write.

# shellcheck source=test/lib/kafka.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/kafka.bash"

# kafka_secure_start DIR: as kafka_start.
kafka_secure_start() {
	"$test_lib/pki" "$1/pki" || return 1
	cat "$1/pki/server.key" "$1/pki/server.crt" >"$1/pki/server.pem"
	kafka_more=kafka_secure_properties kafka_format='SCRAM-SHA-512=[name=scram,password=scr4m]' \
		kafka_start "$1"
}

# kafka_listener DIR sasl|mtls|other: HOST:PORT
kafka_listener() {
	local sasl mtls other
	read -r sasl mtls other <"$1/kafka-secure.port"
	case $2 in
	sasl) echo "127.0.0.1:$sasl" ;;
	mtls) echo "127.0.0.1:$mtls" ;;
	other) echo "127.0.0.2:$other" ;;
	esac
}

# Overrides what stands above it. Ports are chosen anew when the broker's are.
kafka_secure_properties() {
	local broker controller sasl mtls other
	[ "$1/kafka-secure.port" -nt "$1/kafka.port" ] || free_port 3 >"$1/kafka-secure.port" || return 1
	read -r broker controller _ <"$1/kafka.port"
	read -r sasl mtls other <"$1/kafka-secure.port"
	local module=org.apache.kafka.common.security
	cat <<END
listeners=PLAINTEXT://127.0.0.1:$broker,CONTROLLER://127.0.0.1:$controller,SASL_SSL://127.0.0.1:$sasl,MTLS://127.0.0.1:$mtls,OTHER://127.0.0.2:$other
advertised.listeners=PLAINTEXT://127.0.0.1:$broker,SASL_SSL://127.0.0.1:$sasl,MTLS://127.0.0.1:$mtls,OTHER://127.0.0.2:$other
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MTLS:SSL,OTHER:SSL
ssl.keystore.type=PEM
ssl.keystore.location=$1/pki/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=$1/pki/ca.crt
listener.name.mtls.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config=$module.plain.PlainLoginModule required user_plain="pl41n";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=$module.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
auto.create.topics.enable=false
END
}
