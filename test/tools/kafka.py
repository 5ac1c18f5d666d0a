#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a Kafka topic for tests, safely for any bytes, and makes topics or drops them.

usage: kafka.py HOST:PORT COMMAND [ARG...]

  ping                    the broker answers, and its controller has let it in
  read TOPIC [--frames]   every message that the topic holds now, partition
                          after partition, in the order of each
  count TOPIC             how many those are, by the partitions' offsets
  make TOPIC [--copies N] [--partitions N] [--set PROPERTY=VALUE]...
                          makes a topic
  drop TOPIC              takes a topic away
  leader TOPIC PARTITION  the broker that leads the partition now, by its number

A message is one line of JSON: {"partition", "offset", "key", "headers":
{...}, "data": base64}. With --frames it is its length as a protobuf varint
and its bytes, what `kenvelope --decode` reads. A topic that does not exist
is empty. Exit code 1 and a line on standard error on any failure.
"""
import argparse
import base64
import json
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

TIMEOUT_S = 10


def consumer(brokers):
    # The group's name is demanded, and not used: partitions are assigned here.
    return Consumer({"bootstrap.servers": brokers, "group.id": "test", "log_level": 0,
                     "enable.auto.commit": False, "auto.offset.reset": "earliest",
                     "enable.partition.eof": False, "check.crcs": True,
                     "allow.auto.create.topics": False})


def offsets(kafka, topic):
    """[(partition, first offset, offset after the last)]"""
    meta = kafka.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
    found = []
    for number in sorted(meta.partitions):
        part = TopicPartition(topic, number)
        found.append((number, *kafka.get_watermark_offsets(part, timeout=TIMEOUT_S)))
    return found


def write(message, frames):
    data, out = message.value() or b"", sys.stdout.buffer
    if frames:
        length = len(data)
        while length > 127:
            out.write(bytes([length & 127 | 128]))
            length >>= 7
        out.write(bytes([length]) + data)
        return
    key = message.key()
    line = {"partition": message.partition(), "offset": message.offset(),
            "key": key.decode(errors="replace") if key is not None else None,
            "headers": {k: v.decode(errors="replace") for k, v in message.headers() or []},
            "data": base64.b64encode(data).decode()}
    out.write(json.dumps(line).encode() + b"\n")


def read(kafka, topic, frames):
    for number, first, end in offsets(kafka, topic):
        if first == end:
            continue
        kafka.assign([TopicPartition(topic, number, first)])
        # A transaction's marker takes an offset and is no message, so that the
        # place of the consumer counts, not what came.
        while position(kafka, topic, number) < end:
            message = kafka.poll(TIMEOUT_S)
            if message is None:
                raise RuntimeError(f"{topic}[{number}]: no message for {TIMEOUT_S} s")
            if message.error():
                raise KafkaException(message.error())
            if message.offset() < end:
                write(message, frames)


def make(args):
    config = dict(p.split("=", 1) for p in args.set)
    topic = NewTopic(args.topic, args.partitions, args.copies, config=config)
    admin = AdminClient({"bootstrap.servers": args.brokers, "log_level": 0})
    admin.create_topics([topic])[args.topic].result(TIMEOUT_S * 3)


def drop(args):
    admin = AdminClient({"bootstrap.servers": args.brokers, "log_level": 0})
    admin.delete_topics([args.topic])[args.topic].result(TIMEOUT_S * 3)


def leader(kafka, topic, partition):
    found = kafka.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions.get(partition)
    if found is None or found.leader < 0:
        raise RuntimeError(f"{topic}[{partition}] has no leader")
    return found.leader


def position(kafka, topic, number):
    return kafka.position([TopicPartition(topic, number)])[0].offset


def arguments():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    p.add_argument("brokers")
    sub = p.add_subparsers(dest="command", required=True)
    sub.add_parser("ping")
    command = sub.add_parser("read")
    command.add_argument("topic")
    command.add_argument("--frames", action="store_true")
    sub.add_parser("count").add_argument("topic")
    command = sub.add_parser("make")
    command.add_argument("topic")
    command.add_argument("--set", action="append", default=[])
    command.add_argument("--copies", type=int, default=1)
    command.add_argument("--partitions", type=int, default=3)
    sub.add_parser("drop").add_argument("topic")
    command = sub.add_parser("leader")
    command.add_argument("topic")
    command.add_argument("partition", type=int)
    return p.parse_args()


def run(args):
    kafka = consumer(args.brokers)
    try:
        if args.command == "ping":
            if not kafka.list_topics(timeout=2).brokers:
                raise RuntimeError("no broker yet")
        elif args.command == "read":
            read(kafka, args.topic, args.frames)
        elif args.command == "make":
            make(args)
        elif args.command == "drop":
            drop(args)
        elif args.command == "leader":
            print(leader(kafka, args.topic, args.partition))
        else:
            print(sum(end - first for _, first, end in offsets(kafka, args.topic)))
    finally:
        kafka.close()


def main():
    try:
        run(arguments())
    except (KafkaException, RuntimeError) as e:
        sys.exit(f"kafka.py: {e}")


main()
