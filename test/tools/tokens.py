#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An OpenID provider's token endpoint (RFC 6749, 4.4) for tests.

usage: tokens.py PORTFILE CLIENT_ID CLIENT_SECRET

Listens on a free port of 127.0.0.1 and writes it to PORTFILE. POST /token with
the client's name and secret gets a token that is not signed (RFC 7519, 6), for
an hour; others get 401.
"""
import base64
import http.server
import json
import os
import sys
import time


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(subject):
    now = int(time.time())
    return part({"alg": "none"}) + "." + part({"sub": subject, "iat": now, "exp": now + 3600}) + "."


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        known = base64.b64encode(":".join(sys.argv[2:4]).encode()).decode()
        if self.headers["Authorization"] == f"Basic {known}":
            self.answer(200, {"access_token": token(sys.argv[2]), "token_type": "Bearer",
                              "expires_in": 3600})
        else:
            self.answer(401, {"error": "invalid_client"})

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w", encoding="ascii") as f:
    f.write(f"{server.server_address[1]}\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
