#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a power cut would leave of kdiff's store, at many instants.

usage: powerloss.py RECORD KDIFF [--cuts N] [--seed N]

RECORD is what test/shim wrote down of a run of kdiff --state: each write to the
store, each sync, and what went to standard output meanwhile. For each cut a file
is made of what had been synced before it, and of what had been written since
whatever a disk may have done: each write whole, torn at a sector, or not at all.
Then with a store of that file

  kdiff --verify must find it sound, once a record has left,
  and kdiff must go on from it: with a sequence number not below that of the
  last record that had left, and those that it publishes again as they were.

Prints `powerloss: N cuts, N verified, N not begun, N wrong`, and exits with 1 when
one was wrong.
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

SECTOR = 512


def entries(path):
    """The record as (operation, offset, bytes)."""
    with open(path, "rb") as f:
        while head := f.readline():
            op, offset, length = head.decode().split()
            yield op, int(offset), f.read(int(length))


def put(image, offset, data):
    if len(image) < offset + len(data):
        image.extend(bytes(offset + len(data) - len(image)))
    image[offset:offset + len(data)] = data


def torn(rng, offset, data):
    """Some of the write's sectors, in one piece."""
    sectors = (len(data) + SECTOR - 1) // SECTOR
    first = rng.randrange(sectors)
    last = rng.randrange(first, sectors) + 1
    return offset + first * SECTOR, data[first * SECTOR:last * SECTOR]


class Disk:
    """What is on it for certain, and what may be."""

    def __init__(self):
        self.durable = bytearray()
        self.pending = []
        self.out = b""

    def apply(self, op, offset, data):
        if op == "out":
            self.out += data
        elif op == "sync":
            for at, bytes_ in self.pending:
                put(self.durable, at, bytes_)
            self.pending = []
        elif op == "dwrite":
            put(self.durable, offset, data)
        elif op == "write":
            self.pending.append((offset, data))
        elif op == "truncate":
            self.durable = self.durable[:offset].ljust(offset, b"\0")

    def after_a_cut(self, rng, next_entry):
        image = bytearray(self.durable)
        pending = list(self.pending)
        if next_entry and next_entry[0] in ("write", "dwrite"):
            pending.append(next_entry[1:])
        rng.shuffle(pending)
        for offset, data in pending:
            fate = rng.random()
            if fate < 0.4:
                put(image, offset, data)
            elif fate < 0.7:
                put(image, *torn(rng, offset, data))
        return image


class Check:
    """A store on which kdiff is run."""

    def __init__(self, kdiff):
        self.kdiff = kdiff
        self.dir = tempfile.mkdtemp(prefix="kollect-powerloss-")
        self.counts = {"verified": 0, "not begun": 0, "wrong": 0}

    def run(self, *args):
        return subprocess.run([self.kdiff, "--state", self.dir + "/state", *args],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def wrong(self, place, why):
        self.counts["wrong"] += 1
        if self.counts["wrong"] <= 10:
            print(f"powerloss: cut at {place}: {why}", file=sys.stderr)

    def cut(self, place, image, out):
        shutil.rmtree(self.dir + "/state", ignore_errors=True)
        os.mkdir(self.dir + "/state", 0o700)
        with open(self.dir + "/state/store.mdb", "wb") as f:
            f.write(image)
        left = {int(n): line for line in out.split(b"\n")[:-1]
                for n in re.findall(rb'^{"seq":(\d+)', line)}
        last = max(left, default=0)
        verified = self.run("--verify")
        if verified.returncode != 0 and last > 0:
            return self.wrong(place, verified.stderr.decode(errors="replace")[:300])
        ran = self.run("--metrics", self.dir + "/m")
        if ran.returncode != 0:
            return self.wrong(place, "does not go on: " + ran.stderr.decode(errors="replace")[:300])
        if last == 0:
            self.counts["not begun"] += 1
            return None
        with open(self.dir + "/m", encoding="ascii") as f:
            seq = int(float(re.search(r"^kollect_kdiff_sequence (\S+)", f.read(), re.M)[1]))
        if seq < last:
            return self.wrong(place, f"goes on from {seq}, and {last} had left")
        for line in ran.stdout.splitlines():
            n = json.loads(line)["seq"]
            if n in left and left[n] != line:
                return self.wrong(place, f"record {n} is another one now")
        self.counts["verified"] += 1
        return None


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    p.add_argument("record")
    p.add_argument("kdiff")
    p.add_argument("--cuts", type=int, default=1000)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    rng = random.Random(args.seed)
    record = list(entries(args.record))
    # A cut stands before an entry; several may, as each has another outcome.
    cuts = sorted(rng.randrange(len(record) + 1) for _ in range(args.cuts))
    disk, check, place = Disk(), Check(args.kdiff), 0
    try:
        for cut in cuts:
            while place < cut:
                disk.apply(*record[place])
                place += 1
            following = record[place] if place < len(record) else None
            check.cut(place, disk.after_a_cut(rng, following), disk.out)
    finally:
        shutil.rmtree(check.dir)
    print(f"powerloss: {len(cuts)} cuts, "
          + ", ".join(f"{n} {what}" for what, n in check.counts.items()))
    sys.exit(1 if check.counts["wrong"] or not check.counts["verified"] else 0)


main()
