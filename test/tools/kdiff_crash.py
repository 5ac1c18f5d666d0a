#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Kills kdiff with SIGKILL at random moments, over and over, and compares what its reader got with
the truth: no change is missing, none comes under two numbers, no number has two contents, and the
order is that of the changes.

usage: kdiff_crash.py KDIFF STATE --kills N [--seed N] [--acks] [--slow] [--replay] [-- OPTION...]

--acks    kdiff gets an --ack-fd; what has been read is acknowledged some time later
--slow    the reader takes little at a time, so that records wait in the outbox
--replay  each run is fed all events from the first on, not from where --positions says
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

STREAM = "/api/v1/pods"


def line(kind, name, rv, uid, text):
    return json.dumps({"type": kind, "object": {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": str(rv)},
        "text": text}}, separators=(",", ":")) + "\n"


def mark(rv, what=None):
    annotations = {"kollect/stream": STREAM} | ({"kollect/mark": what} if what else {})
    return json.dumps({"type": "BOOKMARK", "object": {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"resourceVersion": str(rv), "annotations": annotations}}}) + "\n"


class Cluster:
    """Events as a watch would show them, made as they are needed, and the records that they mean."""

    def __init__(self, rng):
        self.rng, self.rv, self.alive, self.born = rng, 1, {}, 0
        self.events = []  # (resourceVersion, line)
        self.records = []  # (type, name, resourceVersion)

    def more(self):
        rng = self.rng
        self.rv += rng.randint(1, 3)
        text = f"{rng.random()} " * rng.choice([1, 20, 200])
        if len(self.alive) < 5 or (len(self.alive) < 40 and rng.random() < 0.2):
            name = f"pod-{rng.randint(0, 60)}"
            if name in self.alive:
                return self.more()
            self.born += 1
            self.alive[name] = f"uid-{self.born}"
            kind, record = "ADDED", "created"
        else:
            name = rng.choice(sorted(self.alive))
            kind, record = ("DELETED", "deleted") if rng.random() < 0.1 else ("MODIFIED", "updated")
        self.events.append((self.rv, line(kind, name, self.rv, self.alive[name], text)))
        self.records.append((record, name, str(self.rv)))
        if kind == "DELETED":
            del self.alive[name]
        return None


class Run:
    """One life of kdiff."""

    def __init__(self, args, options, got):
        self.args, self.got = args, got
        self.lines, self.acked = [], 0
        ack_read = self.ack = None
        command = [args.kdiff, "--state", args.state, *options]
        if args.acks:
            ack_read, self.ack = os.pipe()
            command.append(f"--ack-fd={ack_read}")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        pass_fds=[ack_read] if args.acks else [])
        if args.acks:
            os.close(ack_read)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        rng, rest = random.Random(self.args.seed), b""
        while True:
            data = os.read(self.process.stdout.fileno(), 3000 if self.args.slow else 1 << 16)
            if not data:
                break
            *whole, rest = (rest + data).split(b"\n")
            self.lines += whole
            if self.args.slow and rng.random() < 0.3:
                time.sleep(0.001)
            if self.ack is not None and self.lines and rng.random() < 0.3:
                known = self.lines[:len(self.lines) - rng.randint(0, 5)]
                if known:
                    self.acknowledge(json.loads(known[-1])["seq"])
        if self.process.wait() == 0 and self.lines:
            self.acknowledge(json.loads(self.lines[-1])["seq"])

    def acknowledge(self, seq):
        if self.ack is not None and seq > self.acked:
            self.acked = seq
            try:
                os.write(self.ack, b"%d\n" % seq)
            except OSError:
                pass

    def feed(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
            return True
        except OSError:
            return False

    def end(self):
        """What it wrote is kept, and judged by itself: numbers without holes."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self.reader.join()
        self.process.stdout.close()
        if self.ack is not None:
            os.close(self.ack)
        before = None
        for text in self.lines:
            seq = json.loads(text)["seq"]
            if before is not None and seq != before + 1:
                sys.exit(f"record {seq} follows {before}")
            if self.got.setdefault(seq, text) != text:
                sys.exit(f"record {seq} has two contents:\n{self.got[seq]}\n{text}")
            before = seq
        if self.lines and json.loads(self.lines[0])["seq"] > 1 and \
                json.loads(self.lines[0])["seq"] - 1 not in self.got:
            sys.exit(f"nobody has read the record before {self.lines[0]}")
        return self.process.returncode


def position(args):
    out = subprocess.run([args.kdiff, "--state", args.state, "--positions"], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    for text in out.splitlines():
        path, rv = text.split("\t")
        if path == STREAM:
            return int(rv)
    return 0


def resume(args):
    """What is fed first, and the resourceVersion behind which events follow."""
    at = position(args)
    if at == 0:
        return mark(1, "begin") + mark(1, "end"), 0
    if args.replay:
        at = 1
    return mark(at), at


def live(args, options, rng, cluster, got):
    """A run that is killed."""
    first, at = resume(args)
    run = Run(args, options, got)
    run.feed(first)
    i = next((i for i, (rv, _) in enumerate(cluster.events) if rv > at), len(cluster.events))
    killer = threading.Timer(rng.uniform(0.01, 0.12), run.process.send_signal, [signal.SIGKILL])
    killer.start()
    while run.process.poll() is None:
        n = rng.randint(1, 40)
        while len(cluster.events) < i + n:
            cluster.more()
        if not run.feed("".join(text for _, text in cluster.events[i:i + n])):
            break
        i += n
        time.sleep(rng.choice([0, 0, 0.001, 0.003]))
    killer.join()
    run.end()


def last(args, options, cluster, got):
    """A run to the end."""
    args.slow = False
    first, at = resume(args)
    run = Run(args, options, got)
    run.feed(first + "".join(text for rv, text in cluster.events if rv > at))
    if run.end() != 0:
        sys.exit(f"the last run ended with {run.process.returncode}")


def judge(cluster, got):
    if sorted(got) != list(range(1, len(cluster.records) + 1)):
        sys.exit(f"{len(got)} records up to {max(got)}, not 1 to {len(cluster.records)}")
    for seq, truth in enumerate(cluster.records, 1):
        record = json.loads(got[seq])
        have = record["type"], record.get("name"), record.get("resourceVersion")
        if have != truth:
            sys.exit(f"record {seq} is {have}, and not {truth}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kdiff")
    parser.add_argument("state")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    for flag in ("--acks", "--slow", "--replay"):
        parser.add_argument(flag, action="store_true")
    own, options = sys.argv[1:], []
    if "--" in own:
        own, options = own[:own.index("--")], own[own.index("--") + 1:]
    args = parser.parse_args(own)
    rng = random.Random(args.seed)
    cluster, got = Cluster(rng), {}
    for _ in range(args.kills):
        live(args, options, rng, cluster, got)
    last(args, options, cluster, got)
    judge(cluster, got)
    print(f"{args.kills} kills, {len(got)} records, none missing")


main()
