#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes, counts, reads and drops the queues of an AMQP 1.0 server for tests.

usage: artemis.py USER:PASSWORD@HOST:PORT COMMAND [ARG...]

  ping                    the server answers
  make TOPIC SUB          a topic, and the subscription that keeps what is sent
                          to it: the queue TOPIC/Subscriptions/SUB, durable
  drop TOPIC              takes it away, with its subscriptions
  count QUEUE             how many messages it holds
  read QUEUE [--frames]   takes all that it holds, in order

A message is one line of JSON: {"key", "session", "id", "content_type",
"durable", "sections", "headers": {...}, "data": base64}. With --frames it is
its length as a protobuf varint and its bytes, what `kenvelope --decode` reads.
A user that is empty is none: then it logs in as anonymous. Exit code 1 and a
line on standard error on any failure.
"""
import argparse
import base64
import json
import sys

from proton import Message, ProtonException
from proton.handlers import MessagingHandler
from proton.reactor import Container
from proton.utils import BlockingConnection

TIMEOUT_S = 30
CREDIT = 1000


class Management:
    """Artemis' operations: https://activemq.apache.org/components/artemis/documentation/"""

    def __init__(self, options):
        self.connection = BlockingConnection(timeout=TIMEOUT_S, **options)
        self.answers = self.connection.create_receiver(None, dynamic=True)
        self.requests = self.connection.create_sender("activemq.management")

    def call(self, resource, operation, *params):
        self.requests.send(Message(
            reply_to=self.answers.link.remote_source.address, body=json.dumps(params),
            properties={"_AMQ_ResourceName": resource, "_AMQ_OperationName": operation}))
        answer = self.answers.receive(timeout=TIMEOUT_S)
        self.answers.accept()
        if not answer.properties["_AMQ_OperationSucceeded"]:
            raise RuntimeError(f"{operation}: {answer.body}")
        return json.loads(answer.body)[0] if answer.body else None

    def make(self, topic, name):
        self.call("broker", "createAddress", topic, "MULTICAST")
        queue = {"name": f"{topic}/Subscriptions/{name}", "address": topic,
                 "routing-type": "MULTICAST", "durable": True}
        self.call("broker", "createQueue", json.dumps(queue), True)

    def drop(self, topic):
        self.call("broker", "deleteAddress", topic, True)


def sections_of(raw):
    """The descriptors of a message's sections (0x70: header, 0x75: data), which all have a
    length: 0xc0, 0xd0, 0xc1, 0xd1, 0x45 and 0xa0, 0xb0 are all that can stand there."""
    found, at = [], 0
    while at < len(raw):
        code, at = raw[at + 3], at + 4
        found.append(raw[at - 2])
        if code == 0x45:
            continue
        wide = code & 0xf0 in (0xb0, 0xd0)
        at += 4 + int.from_bytes(raw[at:at + 4], "big") if wide else 1 + raw[at]
    return found


class Reader(MessagingHandler):
    """Takes what a queue holds: credit is given and drained until none of it was used."""

    def __init__(self, options, queue, frames):
        super().__init__(prefetch=0, auto_accept=False)
        self.options, self.queue, self.frames = options, queue, frames
        self.came = 0
        self.problem = None

    def on_start(self, event):
        connection = event.container.connect(reconnect=False, **self.options)
        self.receiver = event.container.create_receiver(connection, self.queue)

    def on_link_opened(self, event):
        self.receiver.drain(CREDIT)

    def on_delivery(self, event):
        delivery = event.delivery
        if not delivery.readable or delivery.partial:
            return
        raw = self.receiver.recv(delivery.pending)
        self.receiver.advance()
        message = Message()
        message.decode(raw)
        self.write(message, raw)
        self.came += 1
        delivery.update(delivery.ACCEPTED)
        delivery.settle()
        self.go_on(event)

    def on_link_flow(self, event):
        self.go_on(event)

    def go_on(self, event):
        if self.receiver.credit > 0 or self.receiver.queued > 0:
            return
        if self.came == 0:
            event.connection.close()
            return
        self.came = 0
        self.receiver.drain(CREDIT)

    def on_link_error(self, event):
        self.fail(event, event.link.remote_condition)

    def on_connection_error(self, event):
        self.fail(event, event.connection.remote_condition)

    def on_transport_error(self, event):
        self.fail(event, event.transport.condition)

    def fail(self, event, condition):
        self.problem = self.problem or str(condition)
        event.connection.close()

    def write(self, message, raw):
        out, data = sys.stdout.buffer, bytes(message.body)
        if self.frames:
            length = len(data)
            while length > 127:
                out.write(bytes([length & 127 | 128]))
                length >>= 7
            out.write(bytes([length]) + data)
            return
        annotations = {str(k): v for k, v in (message.annotations or {}).items()}
        line = {"key": annotations.get("x-opt-partition-key"), "session": message.group_id,
                "id": message.id, "content_type": str(message.content_type),
                "durable": message.durable, "sections": sections_of(raw),
                "headers": message.properties, "data": base64.b64encode(data).decode()}
        out.write(json.dumps(line).encode() + b"\n")


def arguments():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    p.add_argument("server")
    sub = p.add_subparsers(dest="command", required=True)
    sub.add_parser("ping")
    command = sub.add_parser("make")
    command.add_argument("topic")
    command.add_argument("name")
    sub.add_parser("drop").add_argument("topic")
    sub.add_parser("count").add_argument("queue")
    command = sub.add_parser("read")
    command.add_argument("queue")
    command.add_argument("--frames", action="store_true")
    return p.parse_args()


def options_of(server):
    login, address = server.rsplit("@", 1)
    user, password = login.split(":", 1)
    options = {"url": f"amqp://{address}", "sasl_enabled": True,
               "allowed_mechs": "PLAIN" if user else "ANONYMOUS"}
    if user:
        options.update(user=user, password=password, allow_insecure_mechs=True)
    return options


def main():
    args = arguments()
    options = options_of(args.server)
    if args.command == "ping":
        BlockingConnection(timeout=2, **options).close()
    elif args.command == "make":
        Management(options).make(args.topic, args.name)
    elif args.command == "drop":
        Management(options).drop(args.topic)
    elif args.command == "count":
        print(Management(options).call(f"queue.{args.queue}", "countMessages"))
    else:
        # Artemis finds a queue under a name of its own by address and name.
        topic = args.queue.split("/Subscriptions/")[0]
        reader = Reader(options, f"{topic}::{args.queue}", args.frames)
        Container(reader).run()
        if reader.problem:
            raise RuntimeError(reader.problem)


try:
    main()
except (ProtonException, RuntimeError, OSError) as e:
    sys.exit(f"artemis.py: {e}")
