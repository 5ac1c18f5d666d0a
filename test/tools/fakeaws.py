#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hands out keys that expire, checks what is signed by them, and fails as told.

usage: fakeaws.py PORTFILE UPSTREAM [--host HOST] [--tls CERTIFICATE KEY]
                  [--lifetime SECONDS] [--said SECONDS] [--web-token FILE]
                  [--container-token FILE]

Serves HTTP on a free port of HOST (127.0.0.1) and writes its URL to PORTFILE.

  Instance metadata version 2; /container with the Authorization in FILE; STS's
  AssumeRoleWithWebIdentity with the token in FILE: each gives other keys, which
  are good for --lifetime and said to be good for --said (default: the same).
  The key ANYTIME with the secret anytime is good for ever.

  Any other POST is one for SQS or SNS. Its signature is computed anew and
  compared; then it goes to UPSTREAM, unless POST /tell has said otherwise:

    throttle N      the next N requests are throttled
    busy N          the next N requests are answered by 503 with Retry-After: 1
    fail N          of the next N batches the first message fails on the server's side
    poison N        of the next N batches the first message fails on the sender's side
    total BYTES     a batch over so many bytes is too long (0: none is)
    expire          all keys given so far expire now
    clock           signatures are too old, until `clock` again

  GET /count/WHAT: how often that was done; `keys`: how many keys were given;
  `batches`; `connections`.
"""
import argparse
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import secrets
import ssl
import threading
import time
import urllib.parse
from collections import Counter
from xml.sax.saxutils import escape

IMDS = "/latest/meta-data/iam/security-credentials/"
ROLE = "test-role"


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


class State:
    """What all connections share, under one lock."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.keys = {"ANYTIME": ("anytime", None, float("inf"))}
        self.metadata_tokens = set()
        self.told = Counter()
        self.total = 0
        self.clock = False
        self.count = Counter()

    def new_keys(self):
        """(access, secret, token, when they are said to expire)"""
        access, secret, token = (secrets.token_hex(n) for n in (10, 20, 200))
        token += "/+="  # as real ones have
        now = time.time()
        with self.lock:
            self.keys["ASIA" + access] = (secret, token, now + self.args.lifetime)
            self.count["keys"] += 1
        return "ASIA" + access, secret, token, stamp(now + self.args.said)

    def tell(self, words):
        with self.lock:
            if words[0] == "expire":
                self.keys = {k: (s, t, float("inf") if t is None else 0)
                             for k, (s, t, _) in self.keys.items()}
            elif words[0] == "clock":
                self.clock = not self.clock
            elif words[0] == "total":
                self.total = int(words[1])
            else:
                self.told[words[0]] = int(words[1])

    def next(self, what):
        """Is this one of those that were told to fail?"""
        with self.lock:
            if self.told[what] == 0:
                return False
            self.told[what] -= 1
            self.count[what] += 1
            return True


class Refusal(Exception):
    def __init__(self, status, code, text):
        super().__init__(code)
        self.status, self.code, self.text = status, code, text


def signature(secret, method, path, headers, body, match):
    """The signature that a request should have, and what was to be signed."""
    _, date, region, service, names, _ = match.groups()
    lines = [f"{n}:{' '.join((headers[n] or '').split())}" for n in names.split(";")]
    canonical = "\n".join([method, path, "", *lines, "", names,
                           hashlib.sha256(body).hexdigest()])
    scope = f"{date}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest(), canonical


def check(state, method, path, headers, body):
    match = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, *"
                     r"SignedHeaders=([^,]+), *Signature=(\w+)$", headers["Authorization"] or "")
    if not match:
        raise Refusal(403, "MissingAuthenticationToken", "no signature")
    with state.lock:
        secret, token, expires = state.keys.get(match[1], (None, None, 0))
    if secret is None or headers["X-Amz-Security-Token"] != token:
        raise Refusal(403, "InvalidClientTokenId",
                      "The security token included in the request is invalid.")
    wanted, canonical = signature(secret, method, path, headers, body, match)
    if state.clock:
        raise Refusal(403, "InvalidSignatureException", "Signature expired: 20261123T101500Z is "
                      "now earlier than 20261123T110000Z (20261123T110500Z - 5 min.)")
    if wanted != match[6]:
        raise Refusal(403, "InvalidSignatureException", "The request signature we calculated does "
                      "not match the signature you provided.\n\nThe Canonical String for this "
                      f"request should have been\n'{canonical}'\n\n")
    if time.time() >= expires:
        raise Refusal(403, "ExpiredTokenException",
                      "The security token included in the request is expired")


class Sqs:
    """What is done to a batch, in the words of SQS."""
    kind = "application/x-amz-json-1.0"

    def __init__(self, body, headers):
        self.request = json.loads(body)
        self.batch = headers["X-Amz-Target"].endswith("SendMessageBatch")

    def size(self):
        return sum(len(e["MessageBody"]) for e in self.request["Entries"])

    def without_first(self):
        self.first = self.request["Entries"].pop(0)["Id"]
        return json.dumps(self.request).encode() if self.request["Entries"] else None

    def with_failure(self, answer, code, sender):
        whole = json.loads(answer) if answer else {"Successful": []}
        whole.setdefault("Failed", []).append(
            {"Id": self.first, "Code": code, "Message": "told to", "SenderFault": sender})
        return json.dumps(whole).encode()

    @staticmethod
    def error(refusal):
        return json.dumps({"__type": "com.amazonaws.sqs#" + refusal.code,
                           "message": refusal.text}).encode()


class Sns:
    """The same, in those of SNS."""
    kind = "text/xml"
    entry = "PublishBatchRequestEntries.member."

    def __init__(self, body, headers):
        del headers
        self.fields = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
        self.batch = dict(self.fields)["Action"] == "PublishBatch"

    def size(self):
        return sum(len(v) for k, v in self.fields if k.endswith(".Message"))

    def without_first(self):
        first = self.entry + "1."
        self.first = dict(self.fields)[first + "Id"]
        kept = [(k, v) for k, v in self.fields if not k.startswith(first)]
        if not any(k.startswith(self.entry) for k, _ in kept):
            return None
        return urllib.parse.urlencode([
            (re.sub(r"(?<=member\.)\d+", lambda m: str(int(m[0]) - 1), k), v)
            for k, v in kept]).encode()

    def with_failure(self, answer, code, sender):
        failure = (f"<Failed><member><Id>{self.first}</Id><Code>{code}</Code><Message>told to"
                   f"</Message><SenderFault>{str(sender).lower()}</SenderFault></member></Failed>")
        if answer is None:
            return (f"<PublishBatchResponse><PublishBatchResult><Successful/>{failure}"
                    "</PublishBatchResult></PublishBatchResponse>").encode()
        return answer.replace(b"<Failed/>", failure.encode())

    @staticmethod
    def error(refusal):
        return (f"<ErrorResponse><Error><Type>Sender</Type><Code>{refusal.code}</Code><Message>"
                f"{escape(refusal.text)}</Message></Error></ErrorResponse>").encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.upstream = None
        with self.server.state.lock:
            self.server.state.count["connections"] += 1

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def reply_keys(self):
        access, secret, token, expires = self.server.state.new_keys()
        self.reply(200, json.dumps({"Code": "Success", "AccessKeyId": access, "Token": token,
                                    "SecretAccessKey": secret, "Expiration": expires}).encode())

    def do_PUT(self):
        state = self.server.state
        if self.path != "/latest/api/token" or \
                not self.headers["X-aws-ec2-metadata-token-ttl-seconds"]:
            return self.reply(404, b"")
        token = secrets.token_urlsafe(40)
        state.metadata_tokens.add(token)
        return self.reply(200, token.encode(), "text/plain")

    def do_GET(self):
        state = self.server.state
        if self.path.startswith("/count/"):
            return self.reply(200, b"%d\n" % state.count[self.path[7:]], "text/plain")
        if self.path == "/container":
            with open(state.args.container_token, encoding="ascii") as f:
                if self.headers["Authorization"] != f.read().strip():
                    return self.reply(401, b"{}")
            return self.reply_keys()
        if self.headers["X-aws-ec2-metadata-token"] not in state.metadata_tokens:
            return self.reply(401, b"")
        if self.path == IMDS:
            return self.reply(200, ROLE.encode(), "text/plain")
        if self.path == IMDS + ROLE:
            return self.reply_keys()
        return self.reply(404, b"")

    def do_POST(self):
        body = self.body()
        if self.path == "/tell":
            self.server.state.tell(body.decode().split())
            return self.reply(200, b"")
        if b"Action=AssumeRoleWithWebIdentity" in body:
            return self.assume_role(dict(urllib.parse.parse_qsl(body.decode())))
        kind = Sqs if self.headers["X-Amz-Target"] else Sns
        try:
            return self.send(kind(body, self.headers), body)
        except Refusal as refusal:
            more = [("Retry-After", "1")] if refusal.status == 503 else []
            return self.reply(refusal.status, kind.error(refusal), kind.kind, more)

    def assume_role(self, fields):
        with open(self.server.state.args.web_token, encoding="ascii") as f:
            if fields["WebIdentityToken"] != f.read().strip():
                refusal = Refusal(400, "InvalidIdentityToken", "No such identity")
                return self.reply(400, Sns.error(refusal), "text/xml")
        access, secret, token, expires = self.server.state.new_keys()
        return self.reply(200, (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleWithWebIdentityResult><Credentials>"
            f"<SessionToken>{token}</SessionToken><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<Expiration>{expires}</Expiration><AccessKeyId>{access}</AccessKeyId>"
            f"</Credentials><AssumedRoleUser><Arn>{escape(fields['RoleArn'])}</Arn>"
            "</AssumedRoleUser></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>").encode(), "text/xml")

    def send(self, request, body):
        state = self.server.state
        check(state, "POST", self.path, self.headers, body)
        if not request.batch:
            return self.forward(body)
        with state.lock:
            state.count["batches"] += 1
        if state.next("throttle"):
            raise Refusal(400, "ThrottlingException", "Rate exceeded")
        if state.next("busy"):
            raise Refusal(503, "ServiceUnavailable", "Service is unavailable")
        if state.total and request.size() > state.total:
            with state.lock:
                state.count["total"] += 1
            raise Refusal(400, "BatchRequestTooLong", "Batch requests cannot be longer than "
                          f"{state.total} bytes.")
        for what, code, sender in (("fail", "InternalError", False),
                                   ("poison", "InvalidMessageContents", True)):
            if state.next(what):
                rest = request.without_first()
                answer = self.ask(rest)[2] if rest else None
                return self.reply(200, request.with_failure(answer, code, sender), request.kind)
        return self.forward(body)

    def forward(self, body):
        status, kind, answer = self.ask(body)
        self.reply(status, answer, kind)

    def ask(self, body):
        """What the real server says; asked on a connection of this connection's own."""
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() in ("content-type", "x-amz-target", "authorization", "x-amz-date")}
        for _ in range(2):
            if self.upstream is None:
                at = urllib.parse.urlsplit(self.server.state.args.upstream)
                self.upstream = http.client.HTTPConnection(at.hostname, at.port)
            try:
                self.upstream.request("POST", "/", body, headers)
                answer = self.upstream.getresponse()
                return answer.status, answer.headers["Content-Type"], answer.read()
            except (http.client.HTTPException, OSError):
                self.upstream = None
        raise Refusal(500, "InternalFailure", "no upstream")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def arguments():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    p.add_argument("portfile")
    p.add_argument("upstream")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--tls", nargs=2)
    p.add_argument("--lifetime", type=float, default=3600)
    p.add_argument("--said", type=float)
    p.add_argument("--web-token")
    p.add_argument("--container-token")
    args = p.parse_args()
    if args.said is None:
        args.said = args.lifetime
    return args


def main():
    args = arguments()
    server = Server((args.host, 0), Handler)
    server.state = State(args)
    scheme = "http"
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        scheme = "https"
    with open(args.portfile + ".new", "w", encoding="ascii") as f:
        f.write(f"{scheme}://{args.host}:{server.server_address[1]}\n")
    os.rename(args.portfile + ".new", args.portfile)
    server.serve_forever()


main()
