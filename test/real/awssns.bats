#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # bus_* are called by lib/bus.bash
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and is to be
# shellcheck disable=SC2034,SC2154 # url and from are read by lib/bus.bash, which sets others; stderr comes from run
# kpublish to moto, in place of SNS, with queues of SQS's as subscribers. moto is slow, and the more so the longer a
# queue is. What SNS shares with SQS (credentials, requests under way, pace) is seen in awssqs.bats.

load ../lib/servers
load ../lib/bus
load ../lib/aws

bus_start() { moto_start "$BATS_FILE_TMPDIR"; }
bus_address() { echo "127.0.0.1:$(cat "$BATS_FILE_TMPDIR/moto.port")"; }
bus_via() { export AWS_ENDPOINT_URL_SNS=http://$1; }
bus_limit() { echo $((256 * 1024)); }
bus_check_key() { echo no; }
bus_count() { aws_queued "$server" "http://x/000000000000/$queue"; }

# topic NAME [NAME=VALUE...]: sets arn.
topic() {
	arn=$(aws_query sns "$server" CreateTopic Name="$1" "${@:2}" | aws_element TopicArn)
	[ "$arn" = "arn:aws:sns:us-east-1:000000000000:$1" ]
	url=awssns:///$arn
}

# subscribed QUEUE [RAW]: to the topic; sets from.
subscribed() {
	local fifo='{}'
	[[ $1 != *.fifo ]] || fifo='{"FifoQueue":"true"}'
	aws_sqs "$server" CreateQueue "{\"QueueName\":\"$1\",\"Attributes\":$fifo}" >created
	aws_query sns "$server" Subscribe TopicArn="$arn" Protocol=sqs Endpoint="arn:aws:sqs:us-east-1:000000000000:$1" \
		Attributes.entry.1.key=RawMessageDelivery Attributes.entry.1.value="${2:-false}" >subscribed
	from="awssqs://${server#*//}/000000000000/$1?region=us-east-1&endpoint=$server"
}

bus_new() {
	queue=$1
	topic "$1"
	subscribed "$1" true
}

setup_file() {
	aws_environment
	bus_start
}

teardown_file() {
	moto_stop "$BATS_FILE_TMPDIR"
}

setup() {
	suite_setup
	server=http://$(bus_address)
	export AWS_ENDPOINT_URL_SNS=$server
}

teardown() {
	suite_teardown
	fakeaws_stop "$BATS_TEST_TMPDIR"
	moto_stop "$BATS_TEST_TMPDIR"
}

# Seen at the topic: a queue of moto's would take an hour.
@test "awssns: all arrive" {
	bus_new() { topic "$1"; }
	bus_count() { moto_sent "$BATS_FILE_TMPDIR" suite-all count; }
	bus_receive() { moto_sent "$BATS_FILE_TMPDIR" suite-all | "$consumer/decode"; }
	suite_all_arrive
}

@test "awssns: all arrive, by raw delivery" {
	bus_new raw
	suite_frames 500 2048
	suite_publish
	suite_ends
	suite_arrives 500
}

@test "awssns: all arrive in notifications" {
	topic wrapped
	subscribed wrapped
	suite_frames 200 2048
	suite_publish
	suite_ends
	suite_arrives 200
}

@test "awssns: connections are reset" {
	suite_resets 400
}

@test "awssns: answers are lost" {
	suite_answers_lost 200
}

@test "awssns: too large" {
	suite_too_large 200
}

@test "awssns: nobody listens" {
	suite_bad_server
}

# The order is seen in awssqs.bats: it is the same sender, and moto does not lock a group while it is read.
@test "awssns: a FIFO topic" {
	topic order.fifo Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true
	subscribed order.fifo true
	suite_frames 200 1024
	suite_publish
	suite_ends
	suite_arrives 200
}

@test "awssns: attributes that SNS cannot hold as they are" {
	bus_new escaped
	"$test_lib/../wire/records.py" 10 | "$kenvelope" -c 'größer/"ä": 1%&+' >frames
	"$kpublish" "$url" <frames
	"$consumer/consumer" "$from" 10 >got
	"$consumer/arrived" --unordered frames got
	[ "$(jq -r .attributes.cluster_id got | sort -u)" = 'größer/"ä": 1%&+' ]
}

@test "awssns: throttled, messages that fail, keys that expire: nothing lost" {
	bus_new throttled
	suite_frames 1000 1024
	fakeaws_start "$BATS_TEST_TMPDIR" "$server" --lifetime 8
	AWS_ENDPOINT_URL_SNS=$(aws_url "$BATS_TEST_TMPDIR" fakeaws)
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_ENDPOINT_URL_SNS
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
	fakeaws_tell "$BATS_TEST_TMPDIR" throttle 3
	fakeaws_tell "$BATS_TEST_TMPDIR" fail 20
	fakeaws_tell "$BATS_TEST_TMPDIR" poison 1
	fakeaws_tell "$BATS_TEST_TMPDIR" total 9000
	suite_publish_gated 1000
	wait_for 120 suite_acked_over 10
	fakeaws_tell "$BATS_TEST_TMPDIR" expire
	suite_open_gate
	suite_ends 1
	grep -q 'InvalidMessageContents: told to (--dead-letter=FILE would keep it' err
	[ "$(fakeaws_count "$BATS_TEST_TMPDIR" keys)" -ge 2 ]
	[ "$(fakeaws_count "$BATS_TEST_TMPDIR" throttle)" -eq 3 ]
	[ "$(fakeaws_count "$BATS_TEST_TMPDIR" fail)" -eq 20 ]
	[ "$(fakeaws_count "$BATS_TEST_TMPDIR" total)" -ge 1 ]
}

@test "awssns: no such topic, and it is made later" {
	topic there
	suite_frames 100 1024
	url=${url/there/later}
	run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 2 <"$frames"
	[[ $stderr == *"awssns:///arn:aws:sns:us-east-1:000000000000:later: $server: 404 NotFound: "* ]]
	suite_publish
	wait_for 60 grep -q NotFound err
	# Nobody can subscribe before the topic is there, so that the first messages reach nobody.
	topic later
	suite_ends
	[ "$(suite_acked)" -eq 100 ]
}

@test "awssns: signatures and permissions" {
	local mine=$BATS_TEST_TMPDIR
	suite_frames 100 200
	moto_start "$mine" 1000
	server=$(aws_url "$mine" moto)
	export AWS_ENDPOINT_URL_SNS=$server
	topic guarded
	aws_query iam "$server" CreateUser UserName=u >user
	aws_query iam "$server" CreateAccessKey UserName=u >key
	moto_check "$mine" 0
	run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 2 <"$frames"
	[[ $stderr == *"$server: 403 InvalidClientTokenId: The security token included in the request is invalid."* ]]
	AWS_ACCESS_KEY_ID=$(aws_element AccessKeyId <key)
	run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 2 <"$frames"
	[[ $stderr == *"$server: 403 SignatureDoesNotMatch: the secret key does not belong to the access key"* ]]
	AWS_SECRET_ACCESS_KEY=$(aws_element SecretAccessKey <key)
	run --separate-stderr -1 "$kpublish" "$url" --retry-timeout 2 <"$frames"
	[[ $stderr == *"$server: 403 "*'is not authorized to perform: '* ]]
	[[ $stderr != *"$AWS_SECRET_ACCESS_KEY"* ]]
	moto_check "$mine" 1
	aws_query iam "$server" PutUserPolicy UserName=u PolicyName=p \
		'PolicyDocument={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}' \
		>policy
	suite_publish
	suite_ends
}

@test "awssns: wrong usage" {
	local wrong
	for wrong in awssns: awssns:///topic awssns:///arn:aws:sqs:us-east-1:1:t awssns:///arn:aws:sns:us-east-1:1: \
		awssns:///arn:aws:sns::1:t 'awssns:///arn:aws:sns:us-east-1:1:t?waittime=1s'; do
		run --separate-stderr -2 "$kpublish" "$wrong" </dev/null
		echo "$stderr"
		[ -n "$stderr" ]
	done
	[[ $stderr == *'"waittime" is no query parameter of it'* ]]
}
