#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small NATS client for tests: the text protocol, and no library.

usage: nats.py URL COMMAND [ARG...]

  ping                          the server answers, JetStream too
  pub SUBJECT [HEADER=VALUE...] publish standard input
  stream-add NAME SUBJECT...    make a JetStream stream (file storage)
  stream-drop NAME              take it away, with all that it holds
  stream-info NAME              its state as JSON: messages, bytes, last_seq, ...
  read NAME [--frames]          every message that the stream holds now
  sub SUBJECT COUNT [--frames] [--ready FILE] [--timeout SECONDS]
                                COUNT messages of a core subject; FILE is made
                                when the subscription counts

A message is one line of JSON: {"seq", "subject", "headers": {...}, "data":
base64} (seq: in the stream, null for sub). With --frames it is its length as
a protobuf varint and its bytes, what `kenvelope --decode` reads.
A user and password may stand in the URL; NATS_CA, NATS_CERT, NATS_KEY and
NATS_CREDS are as kpublish has them. Exit code 1 and a line on standard error on any failure.
"""
import argparse
import base64
import json
import os
import socket
import ssl
import sys
import urllib.parse

sys.dont_write_bytecode = True  # nothing of a test stays in the tree
import nkeys


class Nats:
    """One connection. Messages come as (subject, reply, headers, data)."""

    def __init__(self, url, timeout=10):
        at = urllib.parse.urlsplit(url)
        self.sock = socket.create_connection((at.hostname, at.port or 4222), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.sock.makefile("rb", 0)  # nothing beyond INFO is read: TLS may follow
        self.inbox = "_INBOX." + os.urandom(8).hex()
        self.sids = 0
        self.waiting = []  # messages that came while another was waited for
        info = json.loads(self.line().removeprefix("INFO "))
        if info.get("tls_required"):
            trust = ssl.create_default_context(cafile=os.environ.get("NATS_CA"))
            trust.verify_flags &= ~ssl.VERIFY_X509_STRICT  # of Python 3.13; our CA is a plain one
            if "NATS_CERT" in os.environ:
                trust.load_cert_chain(os.environ["NATS_CERT"], os.environ["NATS_KEY"])
            self.sock = trust.wrap_socket(self.sock, server_hostname=at.hostname)
        self.input = self.sock.makefile("rb", 1 << 20)
        self.send(f"CONNECT {json.dumps(login(at, info))}\r\n")
        self.flush()

    def send(self, text, data=b""):
        self.sock.sendall(text.encode() + data)

    def line(self):
        line = self.input.readline()
        if not line:
            raise EOFError("the server closed the connection")
        if line.startswith(b"-ERR"):
            raise RuntimeError(line.decode().strip())
        return line.decode().rstrip("\r\n")

    def flush(self):
        """Waits until the server has handled all that was sent."""
        self.send("PING\r\n")
        while self.line() != "PONG":
            pass

    def subscribe(self, subject):
        self.sids += 1
        self.send(f"SUB {subject} {self.sids}\r\n")

    def publish(self, subject, data, reply="", headers=()):
        if not headers:
            self.send(f"PUB {subject} {reply} {len(data)}\r\n", data + b"\r\n")
            return
        block = "NATS/1.0\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers) + "\r\n"
        block = block.encode()
        self.send(f"HPUB {subject} {reply} {len(block)} {len(block) + len(data)}\r\n",
                  block + data + b"\r\n")

    def next(self, subject):
        """The next message on the subject (None: on any)."""
        for n, message in enumerate(self.waiting):
            if subject in (None, message[0]):
                return self.waiting.pop(n)
        while True:
            message = self.arrive()
            if subject in (None, message[0]):
                return message
            self.waiting.append(message)

    def arrive(self):
        """The next message from the socket; answers the server's PINGs."""
        while True:
            words = self.line().split(" ")
            if words[0] == "PING":
                self.send("PONG\r\n")
            elif words[0] in ("MSG", "HMSG"):
                return self.message(words)

    def message(self, words):
        # MSG subject sid [reply] size; HMSG subject sid [reply] headers size
        headed = words[0] == "HMSG"
        size, head = int(words[-1]), int(words[-2]) if headed else 0
        reply = words[3] if len(words) == (6 if headed else 5) else ""
        body = self.input.read(size + 2)
        if len(body) != size + 2:
            raise EOFError("the server closed the connection within a message")
        return words[1], reply, parse_headers(body[:head]), body[head:size]

    def request(self, subject, body=None):
        """A JetStream API call: its answer, an exception on an error."""
        inbox = self.inbox + ".r"
        self.subscribe(inbox)
        data = json.dumps(body).encode() if body is not None else b""
        self.publish(subject, data, inbox)
        _, _, headers, data = self.next(inbox)
        self.send(f"UNSUB {self.sids}\r\n")
        if headers.get("") == "503":
            raise RuntimeError(f"{subject}: nobody answers; is JetStream on?")
        answer = json.loads(data)
        if "error" in answer:
            raise RuntimeError(f"{subject}: {answer['error']['description']}")
        return answer


def login(at, info):
    """What CONNECT says."""
    said = {"verbose": False, "headers": True, "no_responders": True}
    if at.password is not None:
        said.update({"user": urllib.parse.unquote(at.username),
                     "pass": urllib.parse.unquote(at.password)})
    elif at.username is not None:
        said["auth_token"] = urllib.parse.unquote(at.username)
    if "NATS_CREDS" in os.environ:
        said["jwt"], said["sig"] = nkeys.sign_with_creds(os.environ["NATS_CREDS"], info["nonce"])
    return said


def parse_headers(block):
    """Header block to dict; a status on its first line stands under ''."""
    headers = {}
    lines = block.decode().split("\r\n")
    status = lines[0].split(" ", 2)
    if len(status) > 1 and status[1]:
        headers[""] = status[1]
    for line in lines[1:]:
        if line:
            name, value = line.split(":", 1)
            headers[name] = value.strip()
    return headers


def write(message, seq, frames):
    subject, _, headers, data = message
    out = sys.stdout.buffer
    if frames:
        length = len(data)
        while length > 127:
            out.write(bytes([length & 127 | 128]))
            length >>= 7
        out.write(bytes([length]) + data)
    else:
        line = {"seq": seq, "subject": subject, "headers": headers,
                "data": base64.b64encode(data).decode()}
        out.write(json.dumps(line).encode() + b"\n")


def read_stream(nats, name, frames):
    inbox = nats.inbox + ".d"
    nats.subscribe(inbox)
    # An ephemeral push consumer, and nothing is acknowledged: the stream stays
    # as it is. Without flow control the server drops a reader that is slower
    # than itself.
    consumer = nats.request(f"$JS.API.CONSUMER.CREATE.{name}", {
        "stream_name": name,
        "config": {"deliver_subject": inbox, "deliver_policy": "all", "ack_policy": "none",
                   "flow_control": True, "idle_heartbeat": 5_000_000_000}})
    pending = consumer["num_pending"] + consumer["delivered"]["consumer_seq"]
    while pending:
        message = nats.next(None)
        if message[2].get("") == "100":  # a heartbeat, or flow control, which is to be answered
            if message[1]:
                nats.publish(message[1], b"")
            continue
        # Its reply subject tells where it stood:
        # $JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<...>.<time>.<pending>
        place = message[1].split(".")
        pending = int(place[-1])
        write(message, int(place[5]), frames)
    nats.request(f"$JS.API.CONSUMER.DELETE.{name}.{consumer['name']}")


def subscribe(nats, args):
    nats.sock.settimeout(args.timeout)
    nats.subscribe(args.subject)
    nats.flush()
    if args.ready:
        with open(args.ready, "w", encoding="ascii"):
            pass
    for _ in range(args.count):
        write(nats.next(None), None, args.frames)


def arguments():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    p.add_argument("url")
    sub = p.add_subparsers(dest="command", required=True)
    sub.add_parser("ping")
    pub = sub.add_parser("pub")
    pub.add_argument("subject")
    pub.add_argument("headers", nargs="*")
    add = sub.add_parser("stream-add")
    add.add_argument("name")
    add.add_argument("subjects", nargs="+")
    sub.add_parser("stream-drop").add_argument("name")
    sub.add_parser("stream-info").add_argument("name")
    read = sub.add_parser("read")
    read.add_argument("name")
    read.add_argument("--frames", action="store_true")
    core = sub.add_parser("sub")
    core.add_argument("subject")
    core.add_argument("count", type=int)
    core.add_argument("--frames", action="store_true")
    core.add_argument("--ready")
    core.add_argument("--timeout", type=float, default=60)
    return p.parse_args()


def run(args):
    nats = Nats(args.url)
    if args.command == "ping":
        nats.request("$JS.API.INFO")
    elif args.command == "pub":
        pairs = [h.split("=", 1) for h in args.headers]
        nats.publish(args.subject, sys.stdin.buffer.read(), headers=pairs)
        nats.flush()
    elif args.command == "stream-add":
        nats.request(f"$JS.API.STREAM.CREATE.{args.name}",
                     {"name": args.name, "subjects": args.subjects, "storage": "file",
                      "retention": "limits", "discard": "new",
                      "duplicate_window": 120_000_000_000})
    elif args.command == "stream-drop":
        nats.request(f"$JS.API.STREAM.DELETE.{args.name}")
    elif args.command == "stream-info":
        print(json.dumps(nats.request(f"$JS.API.STREAM.INFO.{args.name}")["state"]))
    elif args.command == "read":
        read_stream(nats, args.name, args.frames)
    else:
        subscribe(nats, args)


def main():
    try:
        run(arguments())
    except (OSError, EOFError, RuntimeError) as e:
        sys.exit(f"nats.py: {e}")


main()
