#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what a bus holds with what was to be published.

usage: delivered.py MESSAGES FRAMES

MESSAGES: lines of nats.py or kafka.py read. FRAMES: what kpublish was given,
all with different ids. Every frame must be there, byte for byte, and the first
copies of a key's messages in the order of the frames. Copies are allowed, if
they have the id (and so the bytes) of the first one. Says how many there were.
"""
import base64
import json
import sys

sys.dont_write_bytecode = True  # nothing of a test stays in the tree
from decode import ADDED, ORIGINAL, classes, decode, frames


def key_of(said):
    what = said.get("uid") or said.get("stream")
    return f"{said['cluster_id']}/{what}" if what else said["id"]


def main():
    old, new = classes(ORIGINAL), classes(ADDED)
    with open(sys.argv[2], "rb") as f:
        wanted = list(frames(f.read()))
    got, copies = [], 0
    seen = {}
    with open(sys.argv[1], encoding="utf-8") as f:
        for line in f:
            message = json.loads(line)
            data = base64.b64decode(message["data"])
            name = message["headers"]["id"]
            if name not in seen:
                got.append((message.get("key"), data))
            elif seen[name] != data:
                sys.exit(f"{name} is there twice, with other bytes")
            copies += name in seen
            seen[name] = data
    by_key, want_by_key = {}, {}
    for key, data in got:
        said = decode(data, old, new)
        mine = key_of(said)
        if key not in (None, mine):
            sys.exit(f"the key is {key}, not {mine}")
        by_key.setdefault(mine, []).append(data)
    for data in wanted:
        said = decode(data, old, new)
        want_by_key.setdefault(key_of(said), []).append(data)
    for key in want_by_key.keys() | by_key.keys():
        if by_key.get(key) != want_by_key.get(key):
            have, want = by_key.get(key, []), want_by_key.get(key, [])
            sys.exit(f"{key}: {len(have)} messages of {len(want)}, or in another order")
    print(f"{len(wanted)} messages, {copies} copies")


main()
