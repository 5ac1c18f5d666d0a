#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Azure Service Bus: what its AMQP has and a plain broker lacks.

usage: servicebus.py HOST:PORT DIR [--tls CERT KEY] [--key NAME KEY] [--store USER:PASSWORD@HOST:PORT]

Logins are by SASL ANONYMOUS and a token put to $cbs, signed with the KEY and
not expired; without one nothing can be sent. TOPIC/Subscriptions/all keeps what
TOPIC is sent, in memory; each message goes out under a lock of 16 bytes, which
the consumer completes by the node QUEUE/$management. With --store those queues
are read from the broker there, and a message that is completed is accepted from
it: so a consumer made for Service Bus alone can read an ordinary broker.

DIR/control is read as it grows, a JSON object a line:

  {"make": TOPIC}           a topic is there from now on
  {"set": {NAME: VALUE}}    max_size: what a link announces; real_size: over which a
                            message is refused; size_detaches: true, by a detach;
                            credit: of each link; refuse_tokens: an answer's text;
                            mute: true, $cbs does not answer
  {"fault": KIND, "skip": N, "count": N, "condition": C, "description": D}
                            of the messages to come, N are passed over (0) and
                            then so many (1) meet it: reject, release, modify,
                            detach, close (the connection), hang (no answer), wait
                            (answered on {"answer": true})
  {"detach_all": C, "description": D}   all links to topics, at once

DIR/state is replaced as things change: {"control": lines read, "connections",
"tokens", "accepted", "faults": met, "waiting", "topics": {TOPIC: messages}}.
"""
import argparse
import base64
import collections
import hashlib
import hmac
import json
import os
import random
import time
import urllib.parse
import uuid

from proton import Array, Condition, Delivery, Endpoint, Handler, Message, SSLDomain, Terminus, int32
from proton.reactor import Container

TICK_S = 0.05
CREDIT = 1000


def topic_of(address):
    return address.lower().split("/subscriptions/")[0]


def new_tag():
    """16 bytes; the binding takes text only."""
    return f"{random.getrandbits(64):016x}"


class Queue:
    """What a subscription holds. A message is (its bytes, the store's delivery of it or None)."""

    def __init__(self):
        self.waiting = collections.deque()
        self.locked = {}  # lock → (message, its delivery to the reader)
        self.links = []
        self.source = None  # the link to the store

    def pump(self):
        """Sends what can be sent to those who read."""
        for link in self.links:
            while link.credit > 0 and self.waiting:
                message = self.waiting.popleft()
                tag = new_tag()
                delivery = link.delivery(tag)
                delivery.lock = uuid.UUID(bytes_le=tag.encode())
                self.locked[delivery.lock] = (message, delivery)
                link.stream(message[0])
                link.advance()
            if link.drain_mode:
                link.drained()

    def settle(self, lock, taken):
        """Is it gone for good, or back in its place? False: there is no such lock."""
        message, delivery = self.locked.pop(lock, (None, None))
        if message is None:
            return False
        if delivery.link.state & Endpoint.REMOTE_ACTIVE:
            delivery.update(Delivery.ACCEPTED if taken else Delivery.RELEASED)
            delivery.settle()
        if not taken:
            self.waiting.appendleft(message)
        elif message[1]:
            message[1].update(Delivery.ACCEPTED)
            message[1].settle()
        return True


class Fault:
    def __init__(self, line):
        self.kind = line["fault"]
        self.skip = line.get("skip", 0)
        self.count = line.get("count", 1)
        self.condition = None
        if "condition" in line:
            self.condition = Condition(line["condition"], line.get("description"))


class ServiceBus(Handler):
    def __init__(self, args):
        super().__init__()
        self.args = args
        self.queues = {}  # topic → Queue
        self.settings = {"credit": CREDIT}
        self.faults = collections.deque()
        self.held = []  # deliveries that wait for an answer
        self.answers = {}  # (connection, reply-to) → the link for it
        self.granted = {}  # (connection, topic) → when its token ends
        self.senders = []  # those who publish: (link, topic)
        self.count = collections.Counter()
        self.control = None
        self.written = None
        self.store = None

    # Connections, sessions and links.

    def on_reactor_init(self, event):
        domain = None
        if self.args.tls:
            domain = SSLDomain(SSLDomain.MODE_SERVER)
            domain.set_credentials(*self.args.tls, None)
        event.container.listen(f"amqp://{self.args.address}", ssl_domain=domain)
        if self.args.store:
            login, address = self.args.store.rsplit("@", 1)
            user, password = login.split(":", 1)
            self.store = event.container.connect(
                f"amqp://{address}", user=user, password=password, allowed_mechs="PLAIN",
                allow_insecure_mechs=True)
        self.on_timer_task(event)

    def on_connection_bound(self, event):
        if event.connection != self.store:
            event.transport.idle_timeout = 240

    def on_connection_remote_open(self, event):
        if event.connection != self.store:
            self.count["connections"] += 1
            event.connection.container = "servicebus"
            event.connection.open()

    def on_session_remote_open(self, event):
        if event.session.state & Endpoint.LOCAL_UNINIT:
            event.session.open()

    def on_session_remote_close(self, event):
        event.session.close()
        event.session.free()

    def on_connection_remote_close(self, event):
        event.connection.close()

    def on_transport_closed(self, event):
        gone = event.connection
        self.senders = [s for s in self.senders if s[0].connection != gone]
        for queue in self.queues.values():
            for link in [x for x in queue.links if x.connection == gone]:
                self.leave(queue, link)
        for table in (self.answers, self.granted):
            for key in [k for k in table if k[0] == gone]:
                del table[key]

    def leave(self, queue, link):
        """A reader has gone: what it has locked is there again, in its order."""
        queue.links.remove(link)
        if queue.links:
            return
        for lock in list(reversed(queue.locked)):
            queue.settle(lock, False)

    def on_link_remote_close(self, event):
        for queue in self.queues.values():
            if event.link in queue.links:
                self.leave(queue, event.link)
        self.senders = [s for s in self.senders if s[0] != event.link]
        event.link.close()

    on_link_remote_detach = on_link_remote_close

    def on_link_remote_open(self, event):
        link = event.link
        if event.connection == self.store:
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        address = (link.remote_source if link.is_sender else link.remote_target).address or ""
        if address.startswith("$") or address.endswith("/$management"):
            self.open_node(link, address)
        elif link.is_sender:
            self.open_reader(event, link, address.split("::")[-1])
        else:
            self.open_publisher(link, address)

    def open_node(self, link, address):
        link.node = address
        link.open()
        if link.is_sender:
            self.answers[link.connection, link.remote_target.address] = link
        else:
            link.flow(CREDIT)

    def refuse(self, link, condition, description):
        link.target.type = link.source.type = Terminus.UNSPECIFIED
        link.open()
        link.condition = Condition(condition, description)
        link.close()

    def open_publisher(self, link, address):
        topic = address.lower()
        link.node = None
        if self.granted.get((link.connection, topic), 0) < time.time():
            self.refuse(link, "amqp:unauthorized-access",
                        "Unauthorized access. 'Send' claim(s) are required to perform this operation.")
        elif topic not in self.queues:
            self.refuse(link, "amqp:not-found",
                        f"The messaging entity '{address}' could not be found.")
        else:
            if "max_size" in self.settings:
                link.max_message_size = self.settings["max_size"]
            link.open()
            link.flow(self.settings["credit"])
            self.senders.append((link, topic))

    def open_reader(self, event, link, address):
        queue = self.queues.get(topic_of(address))
        if self.store and queue is None:
            queue = self.queues[topic_of(address)] = Queue()
        if queue is None:
            self.refuse(link, "amqp:not-found",
                        f"The messaging entity '{address}' could not be found.")
            return
        if self.store and queue.source is None:
            queue.source = event.container.create_receiver(
                self.store, f"{address.split('/Subscriptions/')[0]}::{address}")
            queue.source.queue = queue
            queue.source.flow(CREDIT)
        link.open()
        queue.links.append(link)
        queue.pump()

    def on_link_flow(self, event):
        for queue in self.queues.values():
            if event.link in queue.links:
                queue.pump()

    # Messages.

    def on_delivery(self, event):
        link, delivery = event.link, event.delivery
        if link.is_sender:
            if delivery.updated and delivery.remote_state:
                self.answered(link, delivery)
            return
        if not delivery.readable or delivery.partial:
            return
        raw = link.recv(delivery.pending)
        link.advance()
        if link.connection == self.store:
            link.queue.waiting.append((raw, delivery))
            link.queue.pump()
            link.flow(1)
            return
        link.flow(max(0, min(self.settings["credit"], CREDIT) - link.credit))
        if link.node:
            delivery.update(Delivery.ACCEPTED)
            delivery.settle()
            self.request(link, raw)
        else:
            self.publish(link, delivery, raw)

    def answered(self, link, delivery):
        """A reader that settles by itself, as ours does."""
        for queue in self.queues.values():
            if link in queue.links:
                queue.settle(delivery.lock, delivery.remote_state == Delivery.ACCEPTED)

    def publish(self, link, delivery, raw):
        topic = next(s[1] for s in self.senders if s[0] == link)
        size = self.settings.get("real_size")
        fault = self.next_fault()
        if fault:
            self.count["faults"] += 1
            self.fail(link, delivery, topic, raw, fault)
        elif size and len(raw) > size:
            self.too_large(link, delivery, len(raw), size)
        else:
            self.accept(delivery, topic, raw)

    def accept(self, delivery, topic, raw):
        self.count["accepted"] += 1
        queue = self.queues[topic]
        queue.waiting.append((raw, None))
        queue.pump()
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()

    def next_fault(self):
        if not self.faults:
            return None
        fault = self.faults[0]
        if fault.skip > 0:
            fault.skip -= 1
            return None
        fault.count -= 1
        if fault.count == 0:
            self.faults.popleft()
        return fault

    def reject(self, delivery, condition):
        delivery.local.condition = condition
        delivery.update(Delivery.REJECTED)
        delivery.settle()

    def too_large(self, link, delivery, size, limit):
        condition = Condition("amqp:link:message-size-exceeded",
                              f"The message (size: {size}) exceeds the limit ({limit}).")
        if self.settings.get("size_detaches"):
            link.condition = condition
            link.close()
        else:
            self.reject(delivery, condition)

    def fail(self, link, delivery, topic, raw, fault):
        if fault.kind == "reject":
            self.reject(delivery, fault.condition)
        elif fault.kind in ("release", "modify"):
            delivery.update(Delivery.RELEASED if fault.kind == "release" else Delivery.MODIFIED)
            delivery.settle()
        elif fault.kind == "detach":
            link.condition = fault.condition
            link.close()
        elif fault.kind == "close":
            link.connection.condition = fault.condition
            link.connection.close()
        elif fault.kind == "wait":
            self.held.append((delivery, topic, raw))

    # The nodes that are asked.

    def request(self, link, raw):
        message = Message()
        message.decode(raw)
        if link.node == "$cbs":
            if self.settings.get("mute"):
                return
            code, text = self.put_token(link, message)
        else:
            code, text = self.update_disposition(link, message)
        answer = Message(properties={"status-code": int32(code), "status-description": text},
                         correlation_id=message.id, body=None)
        reply = self.answers[link.connection, message.reply_to]
        reply.delivery(new_tag())
        reply.stream(answer.encode())
        reply.advance()

    def put_token(self, link, message):
        self.count["tokens"] += 1
        name = message.properties["name"]
        expiry, why = self.check_token(message.body, name)
        why = why or self.settings.get("refuse_tokens")
        if why:
            return 401, why
        topic = urllib.parse.urlsplit(name).path.strip("/").lower()
        self.granted[link.connection, topic_of(topic)] = expiry
        return 202, "Accepted"

    def check_token(self, token, resource):
        prefix = "SharedAccessSignature "
        if message_is_no_token(token, prefix):
            return 0, "InvalidToken: it is none"
        parts = dict(p.split("=", 1) for p in token[len(prefix):].split("&"))
        name, key = self.args.key
        text = f"{parts['sr']}\n{parts['se']}".encode()
        signature = base64.b64encode(hmac.new(key.encode(), text, hashlib.sha256).digest())
        if urllib.parse.unquote(parts["skn"]) != name or \
                urllib.parse.unquote(parts["sig"]).encode() != signature:
            return 0, "InvalidSignature: The token has an invalid signature."
        if urllib.parse.unquote(parts["sr"]) != resource.lower():
            return 0, "InvalidAudience: The token is for another resource."
        if int(parts["se"]) <= time.time():
            return 0, "ExpiredToken: The token is expired."
        return int(parts["se"]), None

    def update_disposition(self, link, message):
        if message.properties["operation"] != "com.microsoft:update-disposition":
            return 400, "what operation?"
        queue = self.queues[topic_of(link.node)]
        taken = message.body["disposition-status"] == "completed"
        locks = message.body["lock-tokens"]
        for lock in locks.elements if isinstance(locks, Array) else locks:
            if not queue.settle(lock, taken):
                return 410, "the lock is gone"
        queue.pump()
        return 200, "OK"

    # The clock, the control file and the state file.

    def on_timer_task(self, event):
        self.end_expired()
        self.read_control()
        self.write_state()
        event.container.schedule(TICK_S, self)

    def end_expired(self):
        now = time.time()
        for link, topic in list(self.senders):
            if self.granted.get((link.connection, topic), 0) < now:
                self.senders.remove((link, topic))
                link.condition = Condition("amqp:unauthorized-access",
                                           "ExpiredToken: The token is expired.")
                link.close()

    def read_control(self):
        if self.control is None:
            try:
                self.control = open(os.path.join(self.args.dir, "control"), encoding="utf-8")
            except FileNotFoundError:
                return
        while True:
            place = self.control.tell()
            line = self.control.readline()
            if not line.endswith("\n"):
                self.control.seek(place)
                return
            self.take_order(json.loads(line))
            self.count["control"] += 1

    def take_order(self, order):
        if "make" in order:
            self.queues.setdefault(order["make"].lower(), Queue())
        elif "set" in order:
            self.settings.update(order["set"])
            for link, _ in self.senders:
                if "credit" in order["set"] and link.credit < self.settings["credit"]:
                    link.flow(self.settings["credit"] - link.credit)
        elif "detach_all" in order:
            for link, _ in self.senders:
                link.condition = Condition(order["detach_all"], order.get("description"))
                link.close()
            self.senders.clear()
        elif "answer" in order:
            for delivery, topic, raw in self.held:
                self.accept(delivery, topic, raw)
            self.held.clear()
        else:
            self.faults.append(Fault(order))

    def write_state(self):
        state = {name: self.count[name]
                 for name in ("control", "connections", "tokens", "accepted", "faults")}
        state["waiting"] = len(self.held)
        state["topics"] = {t: len(q.waiting) + len(q.locked) for t, q in self.queues.items()}
        if state == self.written:
            return
        self.written = state
        path = os.path.join(self.args.dir, "state")
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump(state, f)
        os.rename(path + ".new", path)


def message_is_no_token(token, prefix):
    return not isinstance(token, str) or not token.startswith(prefix) or \
        not all(f"{name}=" in token for name in ("sr", "sig", "se", "skn"))


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    p.add_argument("address")
    p.add_argument("dir")
    p.add_argument("--tls", nargs=2)
    p.add_argument("--key", nargs=2, default=("RootManageSharedAccessKey", "c2VjcmV0S2V5PT0="))
    p.add_argument("--store")
    args = p.parse_args()
    Container(ServiceBus(args)).run()


main()
