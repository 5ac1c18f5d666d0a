# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What stands in for Amazon's services: ElasticMQ for SQS; moto for SNS, SQS,
# STS and IAM, which checks signatures when asked to; and in front of either
# test/tools/fakeaws.py, which hands out keys that expire, and fails as told.

# shellcheck source=test/lib/launch.bash
[ -n "${test_lib-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/launch.bash"

# elasticmq_start DIR [durable]
# On the port it had in this DIR before, else on a free one. Queues and their
# messages are forgotten when it ends; not when durable, which is slow.
elasticmq_start() {
	mkdir -p "$1"
	if [ -e "$1/elasticmq.port" ]; then
		elasticmq_run "$@"
	else
		on_free_ports aws_run_on_free_port elasticmq "$@"
	fi
}

# elasticmq_stop DIR; elasticmq_kill DIR: SIGTERM or SIGKILL, and wait.
elasticmq_stop() {
	stop_server "$1" elasticmq
}
elasticmq_kill() {
	stop_server "$1" elasticmq KILL
}

# moto_start DIR [FREE]
# FREE: after so many calls it checks signatures and permissions; without it,
# never. moto_check DIR FREE counts anew.
moto_start() {
	mkdir -p "$1"
	on_free_ports aws_run_on_free_port moto "$@"
}
moto_check() {
	curl -fsS -H 'Content-Type: text/plain' -d "$2" "$(aws_url "$1" moto)/moto-api/reset-auth" >"$1/moto-check.out"
}
moto_stop() {
	stop_server "$1" moto
}

# moto_sent DIR TOPIC [count]: what the topic has accepted, see test/tools/motoserver.py.
moto_sent() {
	curl -fsS "$(aws_url "$1" moto)/sent/$2${3:+?$3}"
}

# fakeaws_start DIR UPSTREAM [OPTION...]: see test/tools/fakeaws.py. Told by
# fakeaws_tell DIR FAULT [NUMBER], and fakeaws_count DIR WHAT says how often.
fakeaws_start() {
	mkdir -p "$1"
	rm -f "$1/fakeaws.port"
	launch "$1" fakeaws "$test_tools/fakeaws.py" "$1/fakeaws.port" "${@:2}" || return 1
	wait_ready "$1" fakeaws 20 test -s "$1/fakeaws.port"
}
fakeaws_stop() {
	stop_server "$1" fakeaws
}
fakeaws_tell() {
	curl -kfsS -d "${*:2}" "$(aws_url "$1" fakeaws)/tell" >"$1/fakeaws-tell.out"
}
fakeaws_count() {
	curl -kfsS "$(aws_url "$1" fakeaws)/count/$2"
}

# aws_url DIR elasticmq|moto|fakeaws
aws_url() {
	local address
	address=$(cat "$1/$2.port")
	case $address in
	http*) echo "$address" ;;
	*) echo "http://127.0.0.1:$address" ;;
	esac
}

# aws_environment: of all that Amazon's SDKs look at there are only the keys that
# fakeaws.py takes at any time.
aws_environment() {
	local name
	for name in "${!AWS_@}"; do
		unset "$name"
	done
	export AWS_ACCESS_KEY_ID=ANYTIME AWS_SECRET_ACCESS_KEY=anytime AWS_EC2_METADATA_DISABLED=true
	export AWS_SHARED_CREDENTIALS_FILE=/nowhere AWS_CONFIG_FILE=/nowhere
}

# aws_sqs URL ACTION JSON: SQS's answer. Signed by the keys in $AWS_ACCESS_KEY_ID
# and $AWS_SECRET_ACCESS_KEY.
aws_sqs() {
	aws_call sqs "$1" -H 'Content-Type: application/x-amz-json-1.0' \
		-H "X-Amz-Target: AmazonSQS.$2" --data-binary "$3"
}

# aws_query SERVICE URL ACTION [NAME=VALUE...]: SNS's, IAM's or STS's answer.
aws_query() {
	local version arguments=() argument
	case $1 in
	sns) version=2010-03-31 ;;
	iam) version=2010-05-08 ;;
	sts) version=2011-06-15 ;;
	esac
	for argument in "${@:4}"; do
		arguments+=(--data-urlencode "$argument")
	done
	aws_call "$1" "$2" -d "Action=$3&Version=$version" "${arguments[@]}"
}

aws_call() {
	printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" |
		curl -fsS --retry 2 --max-time 60 --aws-sigv4 "aws:amz:us-east-1:$1" --config - "${@:3}" "$2/"
}

# aws_element NAME: the text of the first such element in standard input.
aws_element() {
	sed -n "s,.*<$1>\([^<]*\)</$1>.*,\1,p" | head -n 1
}

# aws_queued URL QUEUE_URL: how many messages are there, those that somebody
# has received and not deleted among them.
aws_queued() {
	aws_sqs "$1" GetQueueAttributes "{\"QueueUrl\":\"$2\",\"AttributeNames\":[\"All\"]}" |
		jq '[.Attributes | .ApproximateNumberOfMessages, .ApproximateNumberOfMessagesNotVisible | tonumber] | add'
}

# aws_run_on_free_port NAME DIR ARG...
aws_run_on_free_port() {
	local code=0
	free_port 1 >"$2/$1.port" || return 1
	"$1_run" "${@:2}" || code=$?
	[ "$code" -eq 0 ] || rm -f "$2/$1.port"
	return "$code"
}

elasticmq_run() {
	local dir=$1 jars
	jars=$(server_path elasticmq) || return 1
	command -v java >/dev/null || {
		echo "java is not installed: run scripts/test, or scripts/deps servers" >&2
		return 1
	}
	elasticmq_conf "$@" >"$dir/elasticmq.conf"
	launch "$dir" elasticmq java -XX:+UseSerialGC -Xshare:auto -Xmx1g "-Dconfig.file=$dir/elasticmq.conf" \
		-cp "$jars*" org.elasticmq.server.Main || return 1
	wait_ready "$dir" elasticmq 120 curl -fs "$(aws_url "$dir" elasticmq)/?Action=ListQueues"
}

elasticmq_conf() {
	local port
	port=$(cat "$1/elasticmq.port")
	cat <<END
include classpath("application.conf")
pekko.loglevel = WARNING
node-address { protocol = http, host = "127.0.0.1", port = $port, context-path = "" }
rest-sqs { enabled = true, bind-port = $port, bind-hostname = "127.0.0.1", sqs-limits = strict }
rest-stats.enabled = false
aws { region = us-east-1, accountId = "000000000000" }
END
	[ "${2-}" != durable ] || cat <<END
queues-storage { enabled = true, path = "$1/elasticmq-queues.conf" }
messages-storage { enabled = true, uri = "jdbc:h2:$1/elasticmq;WRITE_DELAY=0" }
END
}

moto_run() {
	local dir=$1 modules
	modules=$(server_path moto) || return 1
	launch "$dir" moto env PYTHONPATH="$modules" PYTHONDONTWRITEBYTECODE=1 \
		INITIAL_NO_AUTH_ACTION_COUNT="${2:-inf}" MOTO_ACCOUNT_ID=000000000000 \
		"$test_tools/motoserver.py" "$(cat "$dir/moto.port")" || return 1
	wait_ready "$dir" moto 120 curl -fs "$(aws_url "$dir" moto)/moto-api/data.json"
}
