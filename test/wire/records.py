#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes change records as kdiff does (kollect(5)), for tests.

usage: records.py COUNT [KEYS [BYTES]]

COUNT records of KEYS Deployments (default 10), about BYTES (default 200) each
state: first each is created, then updated in turn. The n-th record has seq n,
and the n-th change of an object has metadata.generation n in `now`.
"""
import json
import sys


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def state(key, generation, rv, size):
    return dump({"apiVersion": "apps/v1", "kind": "Deployment",
                 "metadata": {"name": f"web-{key}", "namespace": "shop", "uid": uid(key),
                              "generation": generation, "resourceVersion": str(rv)},
                 "spec": {"note": "größer \"x\" " + "v" * size}})


def uid(key):
    return f"00000000-0000-4000-8000-{key:012d}"


def record(n, keys, size):
    key, turn = n % keys, n // keys
    then = state(key, turn, n + 1 - keys, size) if turn else None
    now = state(key, turn + 1, n + 1, size)
    head = {"seq": n + 1, "type": "updated" if turn else "created", "uid": uid(key),
            "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop",
            "name": f"web-{key}", "resourceVersion": str(n + 1),
            "appliesAt": "2026-11-23T10:15:00Z",
            "observedAt": f"2026-11-23T10:15:00.{n % 1000000:06d}Z", "manager": "kubectl"}
    if then:
        head["thenBytes"] = len(then.encode())
    head["nowBytes"] = len(now.encode())
    states = (f',"then":{then}' if then else "") + f',"now":{now}}}'
    return dump(head)[:-1] + states + "\n"


def main():
    numbers = [int(a) for a in sys.argv[1:]]
    count, keys, size = (numbers + [10, 200][len(numbers) - 1:])[:3]
    for n in range(count):
        sys.stdout.buffer.write(record(n, keys, size).encode())


main()
