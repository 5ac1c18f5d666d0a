#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ client for tests, by pika.

usage: rabbit.py URL COMMAND [ARG...]

  exchange NAME TYPE [NAME=VALUE...]   declares a durable exchange
  queue NAME EXCHANGE [NAME=VALUE...]  declares a durable queue, bound to the
                                       exchange by the key #; VALUE: a number
                                       or a string
  unbind QUEUE EXCHANGE                takes that binding away
  delete-queue NAME
  delete-exchange NAME
  count QUEUE                          how many messages it holds
  read QUEUE [COUNT] [--frames]        takes COUNT messages out of it (default:
                                       as many as it holds)

A message is one line of JSON: {"key", "headers", "properties", "data": base64};
key: of routing. With --frames it is its length as a protobuf varint and its
bytes, what `kenvelope --decode` reads. Exit code 1 and a line on standard
error on any failure.
"""
import argparse
import base64
import json
import sys

import pika

TIMEOUT_S = 30


def arguments(words):
    pairs = (w.split("=", 1) for w in words)
    return {name: int(value) if value.isdigit() else value for name, value in pairs}


def count(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def line(method, properties, body):
    said = {name: getattr(properties, name)
            for name in ("content_type", "delivery_mode", "message_id", "timestamp", "app_id")}
    return json.dumps({"key": method.routing_key, "headers": properties.headers,
                       "properties": said, "data": base64.b64encode(body).decode()})


def write(frames, method, properties, body):
    out = sys.stdout.buffer
    if not frames:
        out.write(line(method, properties, body).encode() + b"\n")
        return
    length = len(body)
    while length > 127:
        out.write(bytes([length & 127 | 128]))
        length >>= 7
    out.write(bytes([length]) + body)


def read(channel, queue, wanted, frames):
    channel.basic_qos(prefetch_count=1000)
    for n, (method, properties, body) in enumerate(
            channel.consume(queue, inactivity_timeout=TIMEOUT_S) if wanted else (), 1):
        if method is None:
            raise RuntimeError(f"{queue}: {n - 1} messages of {wanted}, then none for {TIMEOUT_S} s")
        write(frames, method, properties, body)
        if n % 500 == 0 or n == wanted:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if n == wanted:
            channel.cancel()
            return


def run(channel, command, args, frames):
    if command == "exchange":
        channel.exchange_declare(args[0], args[1], durable=True, arguments=arguments(args[2:]))
    elif command == "queue":
        channel.queue_declare(args[0], durable=True, arguments=arguments(args[2:]))
        channel.queue_bind(args[0], args[1], "#")
    elif command == "unbind":
        channel.queue_unbind(args[0], args[1], "#")
    elif command == "delete-queue":
        channel.queue_delete(args[0])
    elif command == "delete-exchange":
        channel.exchange_delete(args[0])
    elif command == "count":
        print(count(channel, args[0]))
    else:
        read(channel, args[0], int(args[1]) if args[1:] else count(channel, args[0]), frames)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("url")
    parser.add_argument("command", choices=["exchange", "queue", "unbind", "delete-queue",
                                            "delete-exchange", "count", "read"])
    parser.add_argument("args", nargs="+")
    parser.add_argument("--frames", action="store_true")
    args = parser.parse_args()
    parameters = pika.URLParameters(args.url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = TIMEOUT_S
    try:
        connection = pika.BlockingConnection(parameters)
        run(connection.channel(), args.command, args.args, args.frames)
        connection.close()
    except (pika.exceptions.AMQPError, RuntimeError) as e:
        sys.exit(f"rabbit.py: {args.command} {' '.join(args.args)}: {e!r}")


main()
