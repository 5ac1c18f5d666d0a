# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# An Apache Artemis broker, which stands for Service Bus as far as AMQP 1.0 goes:
# plain TCP and TLS, a login by SASL PLAIN alone, durable queues. The client is
# test/tools/artemis.py.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

artemis_user=RootManageSharedAccessKey
artemis_password=c2VjcmV0S2V5PT0=

# artemis_start DIR
# Starts the broker on the ports it had in this DIR before, else on free ones,
# with its data in DIR/artemis. Also a restart: what queues held is still there.
# The CA of its certificate (localhost, 127.0.0.1) is DIR/pki/ca.crt.
artemis_start() {
	local dir=$1
	mkdir -p "$dir"
	"$test_lib/pki" "$dir/pki" || return 1
	cat "$dir/pki/server.key" "$dir/pki/server.crt" >"$dir/pki/server.pem"
	if [ -e "$dir/artemis.port" ]; then
		artemis_run "$dir"
	else
		on_free_ports artemis_run_on_free_port "$dir"
	fi
}

# artemis_stop DIR; artemis_kill DIR: SIGTERM or SIGKILL, and wait for the end.
artemis_stop() {
	stop_server "$1" artemis
}
artemis_kill() {
	stop_server "$1" artemis KILL
}

# artemis_address DIR; artemis_tls_address DIR: HOST:PORT
artemis_address() {
	echo "127.0.0.1:$(cut -d' ' -f1 "$1/artemis.port")"
}
artemis_tls_address() {
	echo "localhost:$(cut -d' ' -f2 "$1/artemis.port")"
}

# artemis_connection_string HOST:PORT [PASSWORD]: what SERVICEBUS_CONNECTION_STRING
# is to be, for TLS; for plain TCP ;UseDevelopmentEmulator=true is to follow.
artemis_connection_string() {
	echo "Endpoint=sb://$1/;SharedAccessKeyName=$artemis_user;SharedAccessKey=${2-$artemis_password}"
}

# artemis_cli DIR COMMAND ARG...: test/tools/artemis.py on this server.
artemis_cli() {
	"$test_tools/artemis.py" "$artemis_user:$artemis_password@$(artemis_address "$1")" "${@:2}"
}

# artemis_make DIR TOPIC: the topic, with the subscription `all`.
artemis_make() {
	artemis_cli "$1" make "$2" all
}

# artemis_count DIR TOPIC; artemis_read DIR TOPIC [--frames]: of that subscription,
# see test/tools/artemis.py. What is read is gone.
artemis_count() {
	artemis_cli "$1" count "$2/Subscriptions/all"
}
artemis_read() {
	artemis_cli "$1" read "$2/Subscriptions/all" "${@:3}"
}

artemis_run_on_free_port() {
	local code=0
	free_port 2 >"$1/artemis.port" || return 1
	artemis_run "$1" || code=$?
	[ "$code" -eq 0 ] || rm -f "$1/artemis.port"
	return "$code"
}

artemis_run() {
	local dir=$1 jars
	jars=$(server_path artemis) || return 1
	command -v java >/dev/null || {
		echo "java is not installed: run scripts/test, or scripts/deps servers" >&2
		return 1
	}
	artemis_configure "$dir"
	launch "$dir" artemis java -XX:+UseSerialGC -Xshare:auto -Xms64m -Xmx512m \
		-Dartemis.home="$dir/artemis" -Dartemis.instance="$dir/artemis" \
		-Djava.security.auth.login.config="$dir/artemis/etc/login.config" \
		-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars*" \
		org.apache.activemq.artemis.cli.Artemis run || return 1
	wait_ready "$dir" artemis 60 artemis_cli "$dir" ping
}

artemis_configure() {
	local dir=$1 etc=$1/artemis/etc
	mkdir -p "$etc"
	echo "$artemis_user=$artemis_password" >"$etc/users"
	echo "all=$artemis_user" >"$etc/roles"
	echo '<management-context xmlns="http://activemq.apache.org/schema"/>' >"$etc/management.xml"
	cat >"$etc/login.config" <<END
activemq {
  org.apache.activemq.artemis.spi.core.security.jaas.PropertiesLoginModule required
    org.apache.activemq.jaas.properties.user="users"
    org.apache.activemq.jaas.properties.role="roles";
};
END
	cat >"$etc/bootstrap.xml" <<END
<broker xmlns="http://activemq.apache.org/schema">
  <jaas-security domain="activemq"/>
  <server configuration="file://$etc/broker.xml"/>
</broker>
END
	artemis_broker_xml "$dir" >"$etc/broker.xml"
}

# What takes more than 50 MB of memory is paged. The topic `full` takes 100 kB, and refuses the rest.
artemis_broker_xml() {
	local plain tls
	read -r plain tls <"$1/artemis.port"
	local options='protocols=AMQP;saslMechanisms=PLAIN;amqpCredits=1000;amqpLowCredits=300'
	cat <<END
<configuration xmlns="urn:activemq"><core xmlns="urn:activemq:core">
  <name>kollect-test</name>
  <persistence-enabled>true</persistence-enabled>
  <journal-type>NIO</journal-type>
  <journal-pool-files>10</journal-pool-files>
  <bindings-directory>$1/artemis/bindings</bindings-directory>
  <journal-directory>$1/artemis/journal</journal-directory>
  <large-messages-directory>$1/artemis/large</large-messages-directory>
  <paging-directory>$1/artemis/paging</paging-directory>
  <max-disk-usage>-1</max-disk-usage>
  <critical-analyzer>false</critical-analyzer>
  <acceptors>
    <acceptor name="amqp">tcp://127.0.0.1:$plain?$options</acceptor>
    <acceptor name="amqps">tcp://127.0.0.1:$tls?$options;sslEnabled=true;keyStoreType=PEM;keyStorePath=$1/pki/server.pem</acceptor>
  </acceptors>
  <security-settings>
    <security-setting match="#">
      <permission type="send" roles="all"/>
      <permission type="consume" roles="all"/>
      <permission type="browse" roles="all"/>
      <permission type="manage" roles="all"/>
      <permission type="createAddress" roles="all"/>
      <permission type="createDurableQueue" roles="all"/>
      <permission type="createNonDurableQueue" roles="all"/>
      <permission type="deleteNonDurableQueue" roles="all"/>
    </security-setting>
  </security-settings>
  <address-settings>
    <address-setting match="#">
      <auto-create-addresses>false</auto-create-addresses>
      <auto-create-queues>false</auto-create-queues>
      <address-full-policy>PAGE</address-full-policy>
      <max-size-bytes>50000000</max-size-bytes>
    </address-setting>
    <address-setting match="full">
      <address-full-policy>FAIL</address-full-policy>
      <max-size-bytes>100000</max-size-bytes>
    </address-setting>
  </address-settings>
</core></configuration>
END
}
