#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lets each system call of kdiff's store and pipes fail, one a run.

usage: faults.py SHIM KDIFF [--mallocs N] [--record FILE]

SHIM is test/shim, built. First kdiff runs undisturbed on the events of one
stream, a snapshot and what follows: that tells the records that are due and how
often it makes each call. Then, for each call and each error that it may have,
kdiff runs with a new store and that one failure (--mallocs: only so many of the
allocations, evenly spread), and once more on the same store without one, on what
kwatch would bring after a restart: the events behind the position that the store
has, or all. Each time

  it ends by itself, with exit code 0 or 1, and with a message when it is 1;
  what both runs publish is what is due: each change, once, in order,
  and a sequence number stands for one record alone, byte for byte.

--record: none of that; FILE tells what kdiff wrote on these events, a few at a time,
for powerloss.py.

Prints `faults: N calls failed, N runs went on, N ended with a message, N wrong`.
"""
import argparse
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile

ERRORS = {
    "open": [errno.EACCES, errno.EMFILE],
    "read": [errno.EINTR, errno.EIO, "short"],
    "write": [errno.EINTR, errno.EIO, errno.ENOSPC, errno.EAGAIN, "short"],
    "writev": [errno.EINTR, errno.EIO, errno.ENOSPC, "short"],
    "pwrite": [errno.EINTR, errno.EIO, errno.ENOSPC, "short"],
    "fdatasync": [errno.EIO, errno.ENOSPC],
    "ftruncate": [errno.EIO, errno.ENOSPC],
    "posix_fallocate": [errno.ENOSPC, errno.EINTR],
    "mmap": [errno.ENOMEM],
    "malloc": [errno.ENOMEM],
}
WAIT_S = 60


def name_of(error):
    return error if error == "short" else errno.errorcode[error]


STREAM = "/api/v1/configmaps"


def bookmark(version, mark=None):
    notes = {"kollect/stream": STREAM}
    if mark:
        notes["kollect/mark"] = mark
    return {"type": "BOOKMARK", "object": {
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"resourceVersion": str(version), "annotations": notes}}}


def event(kind, n, version):
    """Of a ConfigMap that is too large for several to share a page of the store."""
    meta = {"name": f"c{n}", "namespace": "n", "resourceVersion": str(version),
            "uid": f"00000000-0000-4000-8000-{n:012}"}
    return {"type": kind, "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta,
                                     "data": {"value": f"{version} " * 300}}}


def made_events():
    """(resourceVersion, event) of a stream: a snapshot of 20 and 120 changes, each of them real."""
    events = [(0, bookmark("", "begin"))]
    events += [(0, event("ADDED", n, 100 + n)) for n in range(20)]
    events += [(0, bookmark(150, "end"))]
    for i in range(120):
        n, step = i % 40, i // 40
        kind = ["MODIFIED", "MODIFIED", "DELETED"][step] if n < 20 else (
            ["ADDED", "MODIFIED", "DELETED"][step])
        events.append((151 + i, event(kind, n, 151 + i)))
    return events


def as_input(events):
    return b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for _, e in events)


class Lab:
    def __init__(self, args):
        self.args = args
        self.dir = tempfile.mkdtemp(prefix="kollect-faults-")
        self.events = made_events()
        self.counts = {"failed": 0, "went on": 0, "ended": 0, "wrong": 0}

    def run(self, *options, events=(), **variables):
        shim = {"LD_PRELOAD": self.args.shim, "SHIM_FILE": "/store.mdb"} if variables else {}
        return subprocess.run([self.args.kdiff, "--state", self.dir + "/state", *options],
                              input=as_input(events), capture_output=True, check=False,
                              timeout=WAIT_S, env={**os.environ, **shim, **variables})

    def resumed(self):
        """The events that kwatch brings after a restart."""
        told = self.run("--positions")
        for line in told.stdout.decode().splitlines():
            path, version = line.split("\t")
            if path == STREAM:
                later = [e for e in self.events if e[0] > int(version)]
                return [(0, bookmark(version))] + later
        return self.events

    def record(self, path):
        """Events come one by one, as the records of the one before have: many commits."""
        shim = {"LD_PRELOAD": self.args.shim, "SHIM_FILE": "/store.mdb", "SHIM_RECORD": path}
        with subprocess.Popen([self.args.kdiff, "--state", self.dir + "/state"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**os.environ, **shim}) as kdiff:
            for number, one in enumerate(self.events):
                kdiff.stdin.write(as_input([one]))
                kdiff.stdin.flush()
                if number > 0 and one[1]["type"] != "BOOKMARK":
                    kdiff.stdout.readline()
            kdiff.stdin.close()
        if kdiff.returncode != 0:
            sys.exit(f"faults: kdiff ended with {kdiff.returncode}")

    def fresh(self):
        shutil.rmtree(self.dir + "/state", ignore_errors=True)

    def calls(self):
        """How often kdiff makes each call, and the changes that are due."""
        self.fresh()
        count = self.dir + "/count"
        clean = self.run(events=self.events, SHIM_COUNT=count)
        if clean.returncode != 0:
            sys.exit("faults: " + clean.stderr.decode())
        with open(count, encoding="ascii") as f:
            calls = {name: int(n) for name, n in (line.split() for line in f)}
        return calls, changes(clean.stdout)

    def wrong(self, what, why):
        self.counts["wrong"] += 1
        if self.counts["wrong"] <= 20:
            print(f"faults: {what}: {why}", file=sys.stderr)

    def fail(self, what, variable, due):
        self.fresh()
        self.counts["failed"] += 1
        try:
            first = self.run(events=self.events, SHIM_FAIL=variable)
            if first.returncode not in (0, 1):
                return self.wrong(what, f"exit code {first.returncode}")
            if first.returncode == 1 and not first.stderr.startswith(b"kdiff: "):
                return self.wrong(what, "exit code 1 and no message")
            second = self.run(events=self.resumed())
        except subprocess.TimeoutExpired:
            return self.wrong(what, f"has not ended after {WAIT_S} s")
        if second.returncode != 0:
            return self.wrong(what, "after a restart: " + second.stderr.decode())
        self.counts["went on" if first.returncode == 0 else "ended"] += 1
        return self.compare(what, first.stdout, second.stdout, due)

    def compare(self, what, first, second, due):
        lines = {}
        for line in (first[:first.rfind(b"\n") + 1] + second).splitlines():
            if lines.setdefault(json.loads(line)["seq"], line) != line:
                return self.wrong(what, f"two records of one number: {line[:80]}")
        got = changes(b"\n".join(lines[seq] for seq in sorted(lines)))
        if got != due:
            missing = [c for c in due if c not in got]
            return self.wrong(what, f"{len(due)} due, {len(got)} published; missing {missing[:3]}")
        return None


def changes(records):
    """What the records say, in order; a gap is beside the point here."""
    lines = map(json.loads, records.splitlines())
    return [(r["type"], r["uid"], r["resourceVersion"]) for r in lines if r["type"] != "gap"]


def chosen(total, most):
    """Which of so many calls fail: all, or some of them evenly."""
    step = max(1, total // most)
    return range(1, total + 1, step)


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    p.add_argument("shim")
    p.add_argument("kdiff")
    p.add_argument("--mallocs", type=int, default=100)
    p.add_argument("--record")
    args = p.parse_args()
    lab = Lab(args)
    try:
        if args.record:
            return lab.record(os.path.abspath(args.record))
        calls, due = lab.calls()
        for name, total in calls.items():
            for n in chosen(total, args.mallocs if name == "malloc" else total or 1):
                for error in ERRORS[name]:
                    number = error if error == "short" else int(error)
                    lab.fail(f"{name} {n} of {total}, {name_of(error)}", f"{name}:{n}:{number}", due)
    finally:
        shutil.rmtree(lab.dir)
    c = lab.counts
    print(f"faults: {c['failed']} calls failed, {c['went on']} runs went on, "
          f"{c['ended']} ended with a message, {c['wrong']} wrong")
    return 1 if c["wrong"] or not due else 0


sys.exit(main())
