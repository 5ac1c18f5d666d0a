#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2094 # frames is another file then
# shellcheck disable=SC2317 # bus_* are called by lib/bus.bash
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2034,SC2154 # url and from are read by lib/bus.bash, which sets others; stderr comes from run
# kpublish to ElasticMQ, in place of SQS: what every bus must show; and to test/tools/fakeaws.py and moto in front of
# it or in its place, for keys, signatures, permissions, and what a service does that is too busy.

load ../lib/servers
load ../lib/bus
load ../lib/aws

bus_start() { elasticmq_start "$BATS_FILE_TMPDIR"; }
bus_kill() { elasticmq_kill "$BATS_FILE_TMPDIR"; }
bus_address() { echo "127.0.0.1:$(cat "$BATS_FILE_TMPDIR/elasticmq.port")"; }
bus_via() { export AWS_ENDPOINT_URL=http://$1; }
bus_limit() { echo $((1024 * 1024)); }
bus_check_key() { echo no; }
bus_count() { aws_queued "$(aws_url "$BATS_FILE_TMPDIR" elasticmq)" "http://x/000000000000/$queue"; }

# bus_new NAME [NAME=VALUE...]: a name that ends in .fifo makes a FIFO queue.
bus_new() {
	local server more
	queue=$1
	server=$(bus_address)
	more=$(printf '%s\n' "${@:2}" | jq -Rn '[inputs | select(. != "") | split("=") | {(.[0]): .[1]}] | add // {}')
	[[ $queue != *.fifo ]] || more=$(jq '.FifoQueue = "true"' <<<"$more")
	aws_sqs "http://$server" CreateQueue "{\"QueueName\":\"$queue\",\"Attributes\":$more}" >created
	url="awssqs://$server/000000000000/$queue?region=us-east-1&disableSSL=true"
	from="awssqs://$server/000000000000/$queue?region=us-east-1&endpoint=http://$server&raw=true"
}

setup_file() {
	aws_environment
	bus_start
}

teardown_file() {
	elasticmq_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
}

teardown() {
	suite_teardown
	fakeaws_stop "$BATS_TEST_TMPDIR"
	moto_stop "$BATS_TEST_TMPDIR"
}

# fake [OPTION...]: test/tools/fakeaws.py in front of ElasticMQ, for kpublish alone.
fake() {
	fakeaws_start "$BATS_TEST_TMPDIR" "$(aws_url "$BATS_FILE_TMPDIR" elasticmq)" "$@"
	fake=$(aws_url "$BATS_TEST_TMPDIR" fakeaws)
	url="awssqs://sqs.us-east-1.amazonaws.com/000000000000/$queue"
	bus_via "${fake#*//}"
}

tell() { fakeaws_tell "$BATS_TEST_TMPDIR" "$@"; }
count() { fakeaws_count "$BATS_TEST_TMPDIR" "$1"; }
count_over() { [ "$(count "$1")" -gt "$2" ]; }

# gives_up [PATTERN...]: kpublish ends with 1 after two seconds of nothing, and says all of that.
gives_up() {
	local pattern
	run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 2 <"$frames"
	echo "$stderr"
	for pattern; do
		[[ $stderr == *$pattern* ]] || suite_fail "is not said: $pattern"
	done
	no_secret_in <<<"$stderr"
}

# no_secret_in <TEXT: neither of the keys that are set, nor a token of the fake's, nor a signature.
no_secret_in() {
	local text word
	text=$(cat)
	for word in "$AWS_SECRET_ACCESS_KEY" "${AWS_SESSION_TOKEN-}" /+= Signature= AWS4-HMAC; do
		[ -z "$word" ] || [[ $text != *"$word"* ]] || suite_fail "$word is said"
	done
}

@test "awssqs: all arrive" {
	suite_all_arrive
}

@test "awssqs: the server cannot be reached for a while" {
	suite_unreachable 10000
}

@test "awssqs: answers are lost" {
	suite_answers_lost 4000
}

@test "awssqs: connections are cut anywhere" {
	suite_cut 4000
}

@test "awssqs: connections are reset" {
	suite_resets 5000
}

@test "awssqs: a server that never answers" {
	suite_silent 3000
}

@test "awssqs: a slow server slows the reading" {
	suite_slow 6000
}

@test "awssqs: too large" {
	suite_too_large
}

@test "awssqs: nobody listens" {
	suite_bad_server
}

@test "awssqs: kpublish is killed" {
	suite_killed_self 6000
}

@test "awssqs: a FIFO queue keeps the order of each key, and drops copies" {
	bus_new order.fifo
	suite_frames 5000 1024
	suite_publish
	suite_ends
	[ "$(bus_count)" -eq 5000 ]
	suite_publish
	suite_ends
	[ "$(bus_count)" -eq 5000 ]
	bus_check_key() { echo yes; }
	bus_arrived() { echo --no-copies; }
	suite_arrives 5000
}

@test "awssqs: attributes that SQS cannot hold as they are" {
	bus_new escaped
	"$test_lib/../wire/records.py" 10 | "$kenvelope" -c 'größer/"ä": 1%' >frames
	"$kpublish" "$url" <frames
	"$consumer/consumer" "$from" 10 >got
	"$consumer/arrived" --unordered frames got
	[ "$(jq -r .attributes.cluster_id got | sort -u)" = 'größer/"ä": 1%' ]
	[ "$(jq -r .attributes.api_version got | sort -u)" = apps/v1 ]
}

@test "awssqs: throttled, busy, and messages that fail on the server's side: nothing lost" {
	bus_new throttled
	suite_frames 5000 1024
	fake
	tell throttle 6
	tell busy 3
	tell fail 40
	suite_publish
	suite_ends
	[ "$(count throttle)" -eq 6 ]
	[ "$(count busy)" -eq 3 ]
	[ "$(count fail)" -eq 40 ]
	[ "$(suite_metric retries_total)" -ge 100 ]
	[ "$(suite_metric 'messages_total{result="dead_letter"}')" -eq 0 ]
	suite_arrives 5000
}

@test "awssqs: throttled all the time: said, and fewer at a time" {
	bus_new busy
	suite_frames 1000 1024
	fake
	tell throttle 1000000
	suite_publish
	wait_for 60 grep -q 'ThrottlingException: Rate exceeded (retrying)' err
	tell throttle 0
	wait_for 60 suite_has_ended
	suite_ends
	grep -q 'accepts messages again' err
	suite_arrives 1000
}

@test "awssqs: a message that is wrong in itself: a dead letter, and the rest arrives" {
	bus_new poison
	suite_frames 1000 1024
	fake
	tell poison 1
	suite_publish --dead-letter dead
	suite_ends
	grep -q "InvalidMessageContents: told to: kept in the dead-letter file" err
	[ "$(suite_metric 'messages_total{result="dead_letter"}')" -eq 1 ]
	suite_arrives 1000 999 --dead dead
}

@test "awssqs: a service that takes less at a time" {
	bus_new total
	suite_frames 1000 2048
	fake
	tell total 10000
	suite_publish
	suite_ends
	[ "$(count total)" -ge 1 ]
	[ "$(count total)" -lt 50 ]
	suite_arrives 1000
}

@test "awssqs: keys of the instance are renewed before they expire" {
	bus_new instance
	suite_frames 4000 1024
	fake --lifetime 6
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$fake/
	suite_publish_gated 4000
	wait_for 60 count_over keys 3
	suite_open_gate
	suite_ends
	[ ! -s err ]
	export AWS_ACCESS_KEY_ID=ANYTIME AWS_SECRET_ACCESS_KEY=anytime
	suite_arrives 4000
}

@test "awssqs: keys of a container, and others when they expire early" {
	bus_new container
	suite_frames 4000 1024
	echo first >token
	fake --container-token "$PWD/token"
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$fake/container AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$PWD/token
	suite_publish_gated 4000
	wait_for 60 suite_acked_over 1000
	[ "$(count keys)" -eq 1 ]
	echo second >token
	tell expire
	suite_open_gate
	suite_ends
	[ "$(count keys)" -eq 2 ]
	[ ! -s err ]
	export AWS_ACCESS_KEY_ID=ANYTIME AWS_SECRET_ACCESS_KEY=anytime
	suite_arrives 4000
}

@test "awssqs: keys of a role for a web identity, and their source fails for a while" {
	bus_new web
	suite_frames 4000 1024
	echo first >token
	fake --web-token "$PWD/token"
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	cp token mine
	export AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/mine AWS_ROLE_ARN=arn:aws:iam::1:role/r AWS_ROLE_SESSION_NAME=kp
	suite_publish_gated 4000
	wait_for 60 suite_acked_over 1000
	echo second >token
	tell expire
	suite_open_gate
	wait_for 60 grep -q "no credentials: $fake for the role in AWS_ROLE_ARN: 400 InvalidIdentityToken: No such" err
	cp token mine
	suite_ends
	grep -q 'accepts messages again' err
	no_secret_in <err
	[ "$(count keys)" -eq 2 ]
	export AWS_ACCESS_KEY_ID=ANYTIME AWS_SECRET_ACCESS_KEY=anytime
	suite_arrives 4000
}

@test "awssqs: keys of a profile, read anew when they are refused" {
	bus_new profile
	suite_frames 1000 1024
	fake
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_CONFIG_FILE=$PWD/config
	printf '[profile mine]\naws_access_key_id = OLD\naws_secret_access_key = old-secret\n' >config
	AWS_PROFILE=mine suite_publish
	wait_for 60 grep -q '403 InvalidClientTokenId: The security token' err
	sed -i 's/OLD/ANYTIME/; s/old-secret/anytime/' config
	suite_ends
	AWS_PROFILE=other run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 1 <"$frames"
	[[ $stderr == *'no credentials: the profile "other" has no aws_access_key_id'* ]]
	export AWS_ACCESS_KEY_ID=ANYTIME AWS_SECRET_ACCESS_KEY=anytime
	suite_arrives 1000
}

@test "awssqs: no credentials" {
	bus_new none
	suite_frames 100 1024
	export AWS_SECRET_ACCESS_KEY=
	run --separate-stderr -2 "$kpublish" "$url" <"$frames"
	[[ $stderr == *'AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not'* ]]
	unset AWS_ACCESS_KEY_ID
	gives_up 'no credentials: none of AWS_ACCESS_KEY_ID, ' AWS_EC2_METADATA_DISABLED
	AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/x gives_up 'https://… or as http:// to this machine'
	AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere AWS_ROLE_ARN=r gives_up 'AWS_WEB_IDENTITY_TOKEN_FILE: /nowhere: No such file'
	AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere run --separate-stderr -2 "$kpublish" "$url" <"$frames"
	[[ $stderr == *'AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not'* ]]
}

@test "awssqs: wrong keys, a wrong clock" {
	bus_new wrong
	suite_frames 100 1024
	fake
	export AWS_SECRET_ACCESS_KEY=not-this-one
	gives_up "$fake: 403 InvalidSignatureException: the secret key does not belong to the access key"
	export AWS_ACCESS_KEY_ID=NOBODY AWS_SESSION_TOKEN=a-token
	gives_up "$fake: 403 InvalidClientTokenId: The security token included in the request is invalid."
	tell clock
	unset AWS_SESSION_TOKEN
	export AWS_ACCESS_KEY_ID=ANYTIME AWS_SECRET_ACCESS_KEY=anytime
	gives_up "Signature expired: 20261123T101500Z is now earlier" "; is this machine's clock right?"
	export AWS_SECRET_ACCESS_KEY='with a space'
	gives_up 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: a space'
}

@test "awssqs: no secret stands in the list of arguments or the metrics" {
	bus_new secret
	suite_frames 100 1024
	export AWS_SECRET_ACCESS_KEY=not-this-one
	fake
	suite_publish
	wait_for 60 test -s err
	wait_for 60 test -s metrics
	tr '\0' ' ' <"/proc/$publisher/cmdline" | tee cmdline | no_secret_in
	grep -q awssqs: cmdline
	no_secret_in <err
	no_secret_in <metrics
	[ "$(suite_metric connected)" -eq 0 ]
}

@test "awssqs: no such queue, and it is made later" {
	bus_new there
	suite_frames 100 1024
	url=${url/there/later}
	gives_up "http://$(bus_address): 400 QueueDoesNotExist: The specified queue does not exist."
	suite_publish
	wait_for 60 grep -q QueueDoesNotExist err
	bus_new later
	suite_ends
	suite_arrives 100
}

@test "awssqs: TLS: an unknown CA, a wrong host, and the right one" {
	bus_new tls
	suite_frames 100 1024
	"$test_lib/pki" "$BATS_TEST_TMPDIR/pki" >pki.out 2>&1
	fake --tls pki/server.crt pki/server.key
	export AWS_ENDPOINT_URL=$fake
	gives_up "$fake: SSL certificate problem: "
	export AWS_CA_BUNDLE=$BATS_TEST_TMPDIR/pki/ca.crt
	suite_publish
	suite_ends
	suite_arrives 100
	fakeaws_stop "$BATS_TEST_TMPDIR"
	fake --tls pki/server.crt pki/server.key --host 127.0.0.2
	export AWS_ENDPOINT_URL=$fake
	gives_up "$fake: SSL: no alternative certificate subject name matches target host name '127.0.0.2'"
	AWS_CA_BUNDLE=/nowhere gives_up /nowhere
}

@test "awssqs: moto: signatures, permissions, and the queue's own limit" {
	local moto
	queue=limited
	suite_frames 100 200
	moto_start "$BATS_TEST_TMPDIR" 1000
	moto=$(aws_url "$BATS_TEST_TMPDIR" moto)
	aws_sqs "$moto" CreateQueue '{"QueueName":"limited","Attributes":{"MaximumMessageSize":"4096"}}' >created
	aws_query iam "$moto" CreateUser UserName=u >user
	aws_query iam "$moto" CreateAccessKey UserName=u >key
	moto_check "$BATS_TEST_TMPDIR" 0
	url="awssqs://${moto#*//}/000000000000/limited?region=us-east-1&endpoint=$moto"
	gives_up "$moto: 403 InvalidClientTokenId: "
	AWS_ACCESS_KEY_ID=$(aws_element AccessKeyId <key)
	gives_up "$moto: 403 "
	AWS_SECRET_ACCESS_KEY=$(aws_element SecretAccessKey <key)
	gives_up "$moto: 403 AccessDenied: User: " 'is not authorized to perform: sqs:SendMessage'
	moto_check "$BATS_TEST_TMPDIR" 1
	aws_query iam "$moto" PutUserPolicy UserName=u PolicyName=p \
		'PolicyDocument={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}' \
		>policy
	{ cat "$frames" && "$test_lib/../wire/records.py" 1 1 4000 | "$kenvelope" -c c; } >frames
	input=frames
	suite_publish --dead-letter dead
	suite_ends
	grep -q 'are over the limit of 4096: kept in the dead-letter file' err
	[ "$(aws_queued "$moto" "$moto/000000000000/limited")" -eq 100 ]
}

@test "awssqs: wrong usage" {
	local wrong
	for wrong in awssqs: awssqs://h awssqs://h/ awssqs:///q 'awssqs://me@h/1/q' awssqs://h/1/q \
		'awssqs://h/1/q?region=EU' 'awssqs://sqs.us-east-1.amazonaws.com/1/q?disableSSL=maybe' \
		'awssqs://sqs.us-east-1.amazonaws.com/1/q?endpoint=ftp://h' \
		'awssqs://sqs.us-east-1.amazonaws.com/1/q?raw=true'; do
		run --separate-stderr -2 "$kpublish" "$wrong" </dev/null
		echo "$stderr"
		[ -n "$stderr" ]
	done
	[[ $stderr == *'"raw" is no query parameter of it: there are region, endpoint, disableSSL, s3ForcePathStyle' ]]
}
