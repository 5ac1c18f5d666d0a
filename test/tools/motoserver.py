#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""moto, and beside its services what its SNS has accepted.

usage: motoserver.py PORT        with MOTO_ACCOUNT_ID, and moto in PYTHONPATH

moto hands out what a topic has to a queue at some dozens of messages a second, but keeps a list of
all that a topic was sent:

  GET /sent/TOPIC          the messages, a line of JSON each: {"headers": {...}, "data": base64}, as
                           test/consumer/decode reads them
  GET /sent/TOPIC?count    how many
"""
import json
import os
import sys
import urllib.parse

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sns import sns_backends
from werkzeug.serving import run_simple


def line(notification):
    """gocloud's conventions: the body as base64, and values escaped as in a URL's path."""
    _, message, _, attributes, _ = notification
    headers = {name: urllib.parse.unquote(value["Value"])
               for name, value in attributes.items() if name != "base64encoded"}
    return json.dumps({"headers": headers, "data": message}).encode() + b"\n"


def sent(moto):
    def serve(environ, start_response):
        path = environ["PATH_INFO"].split("/")
        if path[1] != "sent":
            return moto(environ, start_response)
        account = os.environ["MOTO_ACCOUNT_ID"]
        arn = f"arn:aws:sns:us-east-1:{account}:{path[2]}"
        notifications = sns_backends[account]["us-east-1"].topics[arn].sent_notifications
        start_response("200 OK", [("Content-Type", "application/x-ndjson")])
        if environ["QUERY_STRING"] == "count":
            return [b"%d\n" % len(notifications)]
        return (line(n) for n in list(notifications))
    return serve


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run_simple("127.0.0.1", int(sys.argv[1]), sent(DomainDispatcherApplication(create_backend_app)),
               threaded=True)


main()
